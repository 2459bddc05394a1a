// Lists of the desk: alerts that wait, dead letters, meters, deeds, entries.
import { at, fill, h, table } from "./dom.js";
import { data } from "./feed.js";
import { count, day, moment } from "./format.js";
import { alertWord, either, itemWord, periodWord, said, statusWord, t, unitWord } from "./words.js";

const FLAGS = { H: "hold", R: "reject", X: "dust", N: "valid" };
const ACTIONS = { confirm: "confirmIt", withdraw: "takeBack" };
const head = (key, name) => ({ text: t(key), name });
const acts = () => data.me.rights.includes("desk");

export function renderDuty(acknowledge) {
  const rows = data.duty.items;
  if (!rows.length) { fill("duty", h("p", { class: "calm" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), t("noDuty"))); return; }
  // What somebody is just writing outlives a new alert.
  const written = new Map([...document.querySelectorAll("#duty input")].map((one) => [one.dataset.line, one.value]));
  const act = (line) => {
    if (!acts()) return "";
    const note = h("input", { "aria-label": t("noteOf"), placeholder: t("noteOf"), maxlength: 200, "data-line": line.id, value: written.get(String(line.id)) });
    const button = h("button", { type: "button", class: "take" }, t("takeNote"));
    button.addEventListener("click", () => { button.disabled = true; acknowledge(line, note.value); });
    return h("div", { class: "act" }, note, button);
  };
  const cells = (line) => [line.name || "–", line.summary, alertWord(line.severity), alertWord(line.team), moment(line.starts), act(line)];
  fill("duty", table(t("dutyTitle"), [head("alert"), head("detail", "primary"), head("severity"), head("owner"), head("when"), head("takeNote")], rows.map(cells)));
}

export function renderLetters(replay, show) {
  const rows = data.letters.items;
  if (!rows.length) { fill("letters", h("p", { class: "note" }, t("noLetters"))); return; }
  const picked = new Set([...document.querySelectorAll("#letters input:checked")].map((one) => one.value));
  const reason = (row) => said(data.legend.reasons[row.reason] ?? { zh: row.reason, en: row.reason });
  const pick = (row) => (acts() ? h("input", { type: "checkbox", value: row.id, "aria-label": `${t("pick")} ${row.id}`, checked: picked.has(String(row.id)) }) : String(row.id));
  const look = (row) => {
    if (!acts()) return row.record;
    const button = h("button", { type: "button" }, t("bytes"));
    button.addEventListener("click", () => show(row.id));
    return button;
  };
  const cells = (row) => [pick(row), moment(row.received), reason(row), [row.device, row.source, itemWord(data.legend, row.item)].filter(Boolean).join(" "), said({ zh: row.detail_zh, en: row.detail }), look(row)];
  const shown = table(t("lettersTitle"), [head("pick"), head("when"), head("what"), head("device"), head("detail", "primary"), head("bytes")], rows.map(cells));
  const button = h("button", { type: "button", id: "replay" }, t("replay"));
  button.addEventListener("click", () => {
    const ids = [...document.querySelectorAll("#letters input:checked")].map((one) => Number(one.value));
    if (ids.length) replay(ids);
  });
  fill("letters", shown, acts() ? h("p", { class: "note" }, t("replayHint")) : "", acts() ? button : "");
}

export function renderMeters() {
  if (!data.meters.items.length) { fill("meters", h("p", { class: "note" }, t("noneRegistered"))); return; }
  const cells = (row) => [row.id, row.enterprise_name, row.register_value === null ? "–" : `${count(row.register_value)} ${unitWord(data.legend, row.unit)}`, moment(row.time), said(data.legend.freshness[row.state])];
  fill("meters", table(t("metersTitle"), [head("meterHead"), head("enterpriseOf"), head("register"), head("when"), head("state")], data.meters.items.map(cells)));
}

export function renderAudit() {
  const word = (table, code) => (code in data.legend[table] ? said(data.legend[table][code]) : code);
  const deed = (row) => word("deeds", row.action.split(" ")[0]);
  const about = (row) => (row.action === "report" ? word("reports", row.object) : row.object === "*" ? t("everybody") : row.object);
  const cells = (row) => [moment(row.time), row.who, deed(row), about(row), word("results", row.result), row.address];
  fill("audit", table(t("auditTitle"), [head("when"), head("who"), head("action"), head("object"), head("detail"), head("from2")], data.audit.items.map(cells)));
}

// What an entry is about, by the name that people know.
function subject(body) {
  const station = data.stations?.items.find((one) => one.id === body.source);
  const target = data.targets?.items.find((one) => one.id === body.target);
  return station ? `${station.name} ${station.id}` : target ? either(target, "name") : body.source ?? body.target ?? body.month;
}

export function renderEntered() {
  const rows = [...data.marks.items, ...data.reports.items, ...data.confirmed.items].sort((a, b) => (a.received < b.received ? 1 : -1)).slice(0, 8);
  if (!rows.length) { fill("entered", h("p", { class: "note" }, t("nothingEntered"))); return; }
  const time = (text) => (text?.includes("T") ? moment(text) : text);
  const about = ({ body }) => [subject(body), time(body.from), time(body.to), body.flag in FLAGS ? t(FLAGS[body.flag]) : body.flag, body.period, body.value, body.action in ACTIONS ? t(ACTIONS[body.action]) : body.action, body.reason, body.document].filter(Boolean).join(" · ");
  fill("entered", h("ul", { class: "changes" }, rows.map((row) => h("li", {}, h("span", {}, `${about(row)} `), h("small", {}, `${row.person} · ${moment(row.received)} · ${row.record}`)))));
  at("entered").dataset.count = rows.length;
}

// What a mark would change: the county's figures first, then those that would have to be restated.
export function renderPreview(told) {
  if (!told.count) { fill("preview", h("p", { class: "note" }, t("noChange"))); return; }
  const name = (row) => { const known = data.legend.figures[row.figure]; return known ? said(known) : row.figure; };
  const value = (row, number_, status) => [number_ === null ? "–" : String(number_), row.unit, statusWord(data.legend, row.figure, status)].filter(Boolean).join(" ");
  const basis = (row) => said(data.legend.bases[row.basis] ?? { zh: row.basis, en: row.basis });
  const order = (row) => (row.scope === data.county.id ? 0 : 2) + (row.restated ? 0 : 1);
  const rows = [...told.items].sort((a, b) => order(a) - order(b)).slice(0, 40);
  const cells = (row) => [name(row), row.scope_name, `${periodWord(row.period)} ${day(row.time)}`, value(row, row.old, row.old_status), value(row, row.new, row.new_status), [row.rule_set, basis(row), row.restated ? t("restatedMark") : ""].filter(Boolean).join(" · ")];
  fill("preview", h("p", {}, `${t("wouldChange")}${told.count}`), table(t("preview"), [head("figure"), head("place"), head("period"), head("before"), head("after"), head("detail")], rows.map(cells)));
}
