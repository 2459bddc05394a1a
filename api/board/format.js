// Times stay the text that the API gives: the county's clock, never the browser's.
import { english } from "./words.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const cut = (iso) => ({ year: iso.slice(0, 4), month: Number(iso.slice(5, 7)), day: Number(iso.slice(8, 10)), clock: iso.slice(11, 16) });

export function day(iso) {
  const { month, day: number } = cut(iso);
  return english() ? `${number} ${MONTHS[month - 1]}` : `${month}月${number}日`;
}

export const moment = (iso) => (iso ? `${day(iso)} ${cut(iso).clock}` : "–");

export function full(iso) {
  const { year, clock } = cut(iso);
  return english() ? `${day(iso)} ${year}, ${clock}` : `${year}年${day(iso)} ${clock}`;
}

export const month = (number) => (english() ? MONTHS[number - 1] : `${number}月`);

// A number as the API and the reports print it: half to even from its shortest decimal text, and no minus before a zero.
export function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  const text = String(Math.abs(value));
  if (text.includes("e")) return value.toFixed(digits);
  const [whole, part = ""] = text.split(".");
  const kept = BigInt(whole + part.slice(0, digits).padEnd(digits, "0"));
  const rest = part.slice(digits);
  const up = rest > "5" || (rest === "5" && kept % 2n === 1n);
  const all = String(kept + (up ? 1n : 0n)).padStart(digits + 1, "0");
  const plain = digits ? `${all.slice(0, -digits)}.${all.slice(-digits)}` : all;
  return value < 0 && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

// pH is judged on whole numbers, but read by one decimal: an 8 beside a 7.6 would look like another meter.
export const digitsOf = (name, digits) => (name === "ph" ? 1 : digits);
export const count = (value) => value.toLocaleString("en-US");

export function span(minutes) {
  if (minutes === null || minutes === undefined) return "";
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (days) return english() ? `${days} d ${hours} h` : `${days} 天 ${hours} 小时`;
  if (hours) return english() ? `${hours} h ${rest} min` : `${hours} 小时 ${rest} 分`;
  return english() ? `${rest} min` : `${rest} 分`;
}

// Milliseconds of the county's clock as RFC 3339 in +08:00.
export const iso = (milliseconds) => `${new Date(milliseconds + 8 * 3600e3).toISOString().slice(0, 19)}+08:00`;
