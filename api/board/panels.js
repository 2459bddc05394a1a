// The smaller panels: who is silent, the account of readings, what was restated, how complete the year is.
import { fill, h, state } from "./dom.js";
import { data } from "./feed.js";
import { count, day, moment, number, span } from "./format.js";
import { comma, itemWord, kindWord, list, periodWord, said, statusWord, t } from "./words.js";

const SHOWN = 4;
const REFUSED = 3;
const LATE = ["never", "silent", "late"];

function mute(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.owner || row.source, [...(groups.get(row.owner || row.source) ?? []), row]);
  return [...groups.values()].map((group) => {
    const worst = group.reduce((a, b) => ((b.overdue_minutes ?? 1e9) > (a.overdue_minutes ?? 1e9) ? b : a));
    const name = worst.owner ? `${worst.owner} ${list(group.map((row) => row.source).slice(0, 3))}${group.length > 3 ? "…" : ""}` : worst.name;
    const when = worst.last ? comma([`${t("lastSeen")} ${moment(worst.last)}`, `${t("overdue")} ${span(worst.overdue_minutes)}`]) : "";
    return h("li", {}, state(worst.state, said(data.legend.freshness[worst.state])), h("span", {}, h("b", {}, name), worst.trial ? ` ${t("trial")}` : "", when ? h("small", {}, when) : ""));
  });
}

export function renderFreshness() {
  const parts = ["air", "water", "point", "meter"].map((kind) => {
    const rows = data.freshness.items.filter((row) => row.kind === kind && row.state !== "no-device");
    if (!rows.length) return null;
    const bad = rows.filter((row) => LATE.includes(row.state)).sort((a, b) => LATE.indexOf(a.state) - LATE.indexOf(b.state));
    const head = h("h3", {}, kindWord(kind), h("small", {}, `${rows.length - bad.length}/${rows.length}`), bad.length ? "" : state("on-time", t("allWell")));
    const listed = mute(bad);
    const tail = listed.length > SHOWN ? h("li", { class: "note" }, `${t("more")} ${listed.length - SHOWN} ${t("moreTail")}`) : "";
    return h("div", {}, head, listed.length ? h("ul", { class: "mute" }, listed.slice(0, SHOWN), tail) : "");
  });
  fill("fresh", parts.some(Boolean) ? parts : h("p", { class: "note" }, t("noneRegistered")));
}

export function renderAccount() {
  const found = data.account;
  const term = (name) => h("div", { class: name }, h("dt", {}, t(name)), h("dd", {}, count(found[name])));
  const balance = found.balanced ? state("on-time", t("balanced")) : state("silent", t("unbalanced"));
  const reasons = Object.entries(found.reasons).sort((a, b) => b[1] - a[1]).slice(0, REFUSED).map(([code, many]) => h("li", {}, h("span", {}, said(data.legend.reasons[code] ?? { zh: code, en: code })), h("b", {}, count(many))));
  const letters = data.deadletters.items.slice(0, REFUSED).map((row) => h("li", {}, h("span", {}, `${moment(row.received)} ${row.source || row.device}${row.item ? ` ${itemWord(data.legend, row.item)}` : ""}`), h("small", {}, said(data.legend.reasons[row.reason] ?? { zh: row.reason, en: row.reason }))));
  fill("terms",
    h("dl", { class: "terms" }, ["received", "stored", "duplicate", "deadletter", "quarantined", "pending"].map(term)),
    h("p", {}, balance),
    reasons.length ? h("h3", {}, t("reasons")) : h("p", { class: "note" }, t("noLetters")),
    reasons.length ? h("ul", { class: "pairs" }, reasons) : "",
    letters.length ? h("h3", {}, t("newestLetters")) : "",
    letters.length ? h("ul", { class: "letters" }, letters) : "");
}

const figure = (name) => said(data.legend.figures[name] ?? targetWords(name));

function targetWords(name) {
  const row = data.targets.items.find((one) => one.id === name);
  return row ? { zh: row.name_zh, en: row.name_en } : { zh: name, en: name };
}

function restated(row, value, code) {
  const digits = data.legend.figures[row.figure]?.digits ?? 1;
  return `${number(value, digits)} ${statusWord(data.legend, row.figure, code)}`.trim();
}

// The codes at the head of each cause in the reader's words, the name of a source before its id; items and times stay as they are.
function causeText(row) {
  const names = new Map((data.freshness?.items ?? []).map((one) => [one.source, one.name]));
  const called = (id) => (names.has(id) && names.get(id) !== id ? `${names.get(id)} ${id}` : id);
  const told = row.cause.replace(/(?<=[:,] )[\w-]+(?=[ ,;]|$)/g, called);
  return row.causes.reduce((text, code) => text.replace(`${code}:`, `${said(data.legend.causes[code])}:`), told);
}

export function renderRestatements() {
  const rows = data.restatements.items;
  if (!rows.length) { fill("restated", h("p", { class: "note" }, t("noRestated"))); return; }
  const line = (row) => h("li", {},
    h("span", {}, `${row.scope_name} · ${figure(row.figure)} · ${periodWord(row.period)} ${day(row.time)}: `),
    h("b", {}, `${restated(row, row.old, row.old_status)} → ${restated(row, row.new, row.new_status)}`),
    row.confirmed ? h("span", { class: "tag" }, t("wasConfirmed")) : "",
    h("small", {}, `${t("made")} ${moment(row.made)}${row.cause ? ` · ${causeText(row)}` : ""}`));
  fill("restated", h("ul", { class: "changes" }, rows.map(line)));
}

// What the running day lacks: only what is worth a look, the reason that costs most first.
function lostToday(row) {
  const losses = row.today?.losses ?? [];
  if (!row.today || row.today.status === "valid" || !losses.length || losses[0].station) return "";
  const worst = losses.reduce((a, b) => (b.count * b.items.length > a.count * a.items.length ? b : a));
  const since = worst.reason === "silent" && worst.detail ? ` ${moment(worst.detail)}` : "";
  return `${t("todayLost")} ${worst.count} h ${said(data.legend.lost[worst.reason])}${since}`;
}

function yearChance(row) {
  const chances = Object.values(row.year?.chances ?? {});
  const worst = ["no", "late"].find((one) => chances.includes(one));
  return worst ? `${t("chance")}: ${said(data.legend.chances[worst])}` : "";
}

export function renderComplete() {
  const rows = data.completeness.items.filter((row) => row.valid_days !== null);
  const line = (row) => {
    const more = [lostToday(row), yearChance(row)].filter(Boolean).join(" · ");
    return h("li", {},
      h("span", {}, row.name),
      h("b", {}, `${number(row.valid_days)}${row.expected_days === null ? "" : ` / ${number(row.expected_days)}`} ${t("dayUnit")}`),
      h("small", {}, `${t("capture")} ${number(row.data_capture, 1)} %`),
      more ? h("small", { class: "more" }, more) : "");
  };
  const needed = data.completeness.items[0]?.needed_days;
  fill("capture", rows.length ? h("ul", { class: "capture" }, rows.map(line)) : h("p", { class: "note" }, t("noValue")), needed ? h("p", { class: "note" }, `${t("needs")} ≥ ${needed} ${t("dayUnit")}`) : "");
}
