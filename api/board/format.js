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
export const number = (value, digits = 0) => (value === null || value === undefined ? "–" : value.toFixed(digits));
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
