// The plan's targets: air as large cards, the rest in groups that open.
import { at, fill, h, state } from "./dom.js";
import { data } from "./feed.js";
import { day, number } from "./format.js";
import { either, english, groupWord, said, t, unitWord } from "./words.js";

const SIGNS = { "<=": "≤", ">=": "≥", "<": "<", track: "" };
const FIRST = ["air", "water", "energy"];

const spaced = (text, unit) => (unit === "%" || !unit ? `${text}${unit === "%" ? " %" : ""}` : `${text} ${unitWord(data.legend, unit)}`);

export const pm25 = () => data.targets?.items.find((row) => row.figure === "pm25_mean");

const name = (row) => either(row, "name").replaceAll("<=", "≤").replaceAll(">=", "≥");

function goal(row) {
  if (row.target_text) return `${t("target")} ${SIGNS[row.op]} ${spaced(row.target_text, row.unit)}`.replace("  ", " ");
  if (row.op === "track") return t("track");
  const note = either(row, "note");
  return note || t("noTargetYet");
}

function margin(row) {
  if (row.margin === null) return null;
  if (row.margin === 0) return t("equal");
  const plain = row.margin_text.replace("-", "");
  return `${t(row.margin > 0 ? "better" : "worse")} ${row.unit === "%" ? `${plain} ${t("points")}` : spaced(plain, row.unit)}`;
}

function budget(row) {
  const left = row.remaining_budget;
  if (left === null) return null;
  const days = (count) => `${count} ${t("dayUnit")}`;
  if (left < 0) return `${t("spent")} ${days(-left)}`;
  const word = t(row.figure === "heavy_days" ? "budgetHeavy" : "budgetGood");
  if (row.figure === "heavy_days" && english()) return `${days(left)} ${word}`;
  return english() ? `${left} ${word}` : `${word} ${days(left)}`;
}

function rest(row) {
  if (!row.required_rest_text || row.required_rest < 0 || row.figure === "heavy_days") return null;
  return `${t(row.figure === "good_ratio" ? "restRatio" : "restMean")} ${SIGNS[row.op]} ${spaced(row.required_rest_text, row.unit)}`;
}

// Last year's same period: the figure, and by how much this year's differs.
function lastYear(row) {
  const one = row.last_year;
  if (!one || one.change === null) return null;
  const percent = one.percent === null ? "" : ` (${one.percent > 0 ? "+" : ""}${number(one.percent, 1)} %)`;
  const change = row.unit === "%" ? `${one.change_text} ${t("points")}` : `${one.change_text}${percent}`;
  return `${t("lastYear")} ${spaced(one.value_text, row.unit)}${t("comma")}${change}${one.status ? ` · ${t("incomplete")}` : ""}`;
}

// What today's hours to come may have; the tightest says it: an item that is lost already, else each that is still open.
function allowance(row) {
  const lost = row.allowances.filter((one) => one.status === "lost");
  const open = row.allowances.filter((one) => one.status === "open");
  if (!lost.length && !open.length) return null;
  const item = (one) => data.legend.figures[one.item]?.en.split(" ")[0] ?? one.item;
  const words = lost.length ? `${lost.map(item).join(t("and"))} ${t("allowanceLost")}` : open.map((one) => `${item(one)} ≤ ${one.value_text}`).join(t("comma"));
  const hours = open[0]?.hours_left ?? lost[0]?.hours_left;
  return `${t("todayKeeps")} AQI ≤ ${row.allowances[0].cap}${hours ? ` (${[t("hoursBefore"), hours, t("hoursLeft")].filter(Boolean).join(" ")})` : ""}${t("colon")}${words}`;
}

function official(row) {
  const one = row.official;
  if (!one || one.value === null) return null;
  const shown = (value) => number(value, data.legend.figures[row.figure]?.digits ?? 1);
  const sign = one.difference > 0 ? "+" : "";
  const rank = one.rank === null ? "" : `${t("comma")}${t("ranked")} ${one.rank}`;
  return `${t("official")} ${one.period}${t("colon")}${shown(one.value)}${rank}${t("comma")}${t("oursIs")} ${sign}${shown(one.difference)} (${said(data.legend.differences[one.cause])})`;
}

function pace(row) {
  if (row.burn_rate === null || row.figure === "pm25_mean") return null;
  return `${t("pace")} ×${number(row.burn_rate, 2)}`;
}

// A bar from zero with the target as a tick: how near, at a glance; the numbers beside it say the same.
function bar(row) {
  if (row.value === null || row.target === null) return null;
  const top = Math.max(row.value, row.target) * 1.2 || 1;
  const share = (value) => `${Math.min(100, Math.max(0, (value / top) * 100))}%`;
  return h("div", { class: `bar ${row.status}`, "aria-hidden": "true" }, h("i", { style: { width: share(row.value) } }), h("b", { style: { left: share(row.target) } }));
}

function card(row) {
  const facts = [margin(row), [budget(row), pace(row)].filter(Boolean).join(t("comma")), rest(row), allowance(row), lastYear(row), official(row), row.rounding ? t("rounding") : null].filter(Boolean);
  const until = row.time ? `${t("upTo")} ${day(row.time)}` : "";
  const marks = [row.value_source ? t(row.value_source) : "", row.value_source ? t(row.provisional ? "provisional" : "confirmed") : "", until].filter(Boolean).join(" · ");
  return h("article", { class: `card ${row.status}`, "data-target": row.id },
    h("h3", {}, name(row)),
    h("p", { class: "value" }, h("strong", {}, row.value_text || "–"), " ", h("span", {}, unitWord(data.legend, row.unit))),
    bar(row),
    h("p", { class: "goal" }, h("span", {}, goal(row)), state(row.status, said(data.legend.statuses[row.status]))),
    h("ul", { class: "facts" }, facts.map((one) => h("li", {}, one))),
    h("p", { class: "note" }, marks || t("noValue")));
}

function line(row) {
  const value = row.value_text ? spaced(row.value_text, row.unit) : "–";
  const source = row.value_source ?? (row.source === "reported" ? "reported" : "measured");
  return h("li", { class: "line" },
    h("span", { class: "name" }, name(row), h("small", {}, row.clause)),
    h("span", { class: "goal" }, goal(row)),
    h("span", { class: "value" }, value),
    h("span", { class: "tag" }, t(source)),
    state(row.status, said(data.legend.statuses[row.status])));
}

function group(key, rows, open) {
  const valued = rows.filter((row) => row.value !== null).length;
  const summary = h("summary", {}, h("strong", {}, groupWord(key)), ` ${rows.length} ${t(rows.length === 1 ? "item" : "items")}`, h("small", {}, `${valued} ${t("withValue")}`));
  return h("details", { open, "data-group": key }, summary, h("ul", {}, rows.map(line)));
}

export function renderTargets() {
  const open = new Set([...document.querySelectorAll("details[data-group][open]")].map((one) => one.dataset.group));
  const rows = data.targets.items;
  const cards = rows.filter((row) => row.group === "air" && row.figure);
  const left = rows.filter((row) => !cards.includes(row));
  const names = [...new Set(left.map((row) => row.group))].sort((a, b) => place(a) - place(b));
  fill("cards", cards.map(card));
  fill("groups", names.map((name) => group(name, left.filter((row) => row.group === name), open.has(name))));
  at("targets").dataset.year = rows[0]?.year ?? "";
}

const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
