// The year as a calendar: a colour and a sign for each day, so that the colour is not needed.
import { fill, h, ink } from "./dom.js";
import { data, now } from "./feed.js";
import { day, iso, month, number } from "./format.js";
import { english, said, t } from "./words.js";

const sign = (level) => (english() ? String(level) : data.legend.levels[level - 1].zh.slice(0, 1));
const length = (year, index) => new Date(Date.UTC(year, index, 0)).getUTCDate();

const today = () => (now() === null ? "" : iso(now()).slice(0, 10));

function cell(date, row) {
  const [, index, number_] = date.split("-").map(Number);
  const style = { "--m": index, "--d": number_ };
  if (date === today()) return h("span", { class: "day running", style, title: `${day(date)}: ${t("running")}` }, "…");
  if (!row?.level) return h("span", { class: row ? "day void" : "day", style, title: row ? `${day(date)}: ${t("noDay")}` : null }, row ? "×" : "");
  const level = data.legend.levels[row.level - 1];
  const title = `${day(date)}: AQI ${number(row.aqi)} ${said(level)}`;
  return h("span", { class: "day", style: { ...style, background: level.colour, color: ink(level.colour) }, title }, sign(row.level));
}

export function renderCalendar() {
  const year = data.county.year;
  const days = new Map(data.days.items.map((row) => [row.date, row]));
  const cells = [];
  for (let index = 1; index <= 12; index += 1) {
    cells.push(h("span", { class: "month", style: { "--m": index } }, month(index)));
    for (let number_ = 1; number_ <= length(year, index); number_ += 1) {
      const date = `${year}-${String(index).padStart(2, "0")}-${String(number_).padStart(2, "0")}`;
      cells.push(cell(date, days.get(date)));
    }
  }
  for (let number_ = 1; number_ <= 31; number_ += 1) cells.push(h("span", { class: "number", style: { "--d": number_ }, "aria-hidden": "true" }, number_ % 5 === 0 || number_ === 1 ? number_ : ""));
  fill("days", h("div", { class: "calendar", role: "img", "aria-label": summary(days) }, cells));
  fill("day-legend", data.legend.levels.map(key), h("span", {}, h("i", { class: "void" }, "×"), t("noDay")));
}

function key(level) {
  const counted = data.days.items.filter((row) => row.level === level.level).length;
  return h("span", {}, h("i", { style: { background: level.colour, color: ink(level.colour) } }, sign(level.level)), `${said(level)} ${counted} ${t("dayUnit")}`);
}

const summary = (days) => data.legend.levels.map((level) => `${said(level)} ${[...days.values()].filter((row) => row.level === level.level).length}`).join(", ");
