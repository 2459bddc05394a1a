// 调度: an order of a heavy-pollution warning by enterprise and hour, as analytics judged it; a sign and a colour for each hour.
import { at, fill, h } from "./dom.js";
import { data } from "./feed.js";
import { moment, number } from "./format.js";
import { API, page } from "./page.js";
import { list, said, t } from "./words.js";

const VERDICTS = { obeyed: ["✓", "verdictObeyed"], "not-obeyed": ["✕", "verdictNot"], "cannot-tell": ["?", "verdictUnknown"] };
const WHY = { "within-uncertainty": "whyUncertain", "no-baseline": "whyNoBaseline", "no-data": "whyNoData", "no-meter": "whyNoMeter" };
let chosen = "";

const poll = page({
  feeds: { dispatch: () => `${API}/dispatch?limit=100${chosen ? `&order=${encodeURIComponent(chosen)}` : ""}` },
  views: [[render, ["dispatch"]]],
  hint: () => (data.dispatch ? "" : t("noRight")),
});

const because = (code) => (WHY[code] ? t(WHY[code]) : code);

function render() {
  const { orders, order, items } = data.dispatch;
  at("pick").elements.order.replaceChildren(...orders.map((one) => h("option", { value: one.start, selected: one.start === order?.start }, `${moment(one.start)} ${said(one)} ${one.document}`)));
  fill("key", Object.values(VERDICTS).map(([sign, word]) => h("span", {}, h("i", { class: `hour ${word}` }, sign), t(word))));
  if (!order) { fill("order", t("noOrders")); fill("dispatch"); return; }
  fill("order", h("span", {}, `${said(order)} ${order.document}`), h("span", {}, `${moment(order.start)} – ${moment(order.end)}`), h("span", {}, `${t("enterpriseOf")} `, h("b", {}, String(order.enterprises))), h("span", { class: order.unconfirmed ? "late" : null }, `${t("unconfirmed")} `, h("b", { id: "unconfirmed" }, String(order.unconfirmed))));
  fill("dispatch", h("ul", { class: "dispatch" }, items.map(row)));
}

function row(one) {
  const known = one.confirmed ? h("span", { class: "state good" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), `${t("confirmedAt")} ${moment(one.confirmed)}`) : h("span", { class: "state bad" }, h("span", { class: "sign", "aria-hidden": "true" }, "✕"), t("unconfirmed"));
  const silent = one.silent.length ? h("span", { class: "state warn" }, h("span", { class: "sign", "aria-hidden": "true" }, "!"), `${t("silentMeters")} ${list(one.silent.slice(0, 4))}${one.silent.length > 4 ? "…" : ""}`) : "";
  const counts = Object.entries(VERDICTS).map(([code, [, word]]) => `${t(word)} ${one.counts[code] ?? 0} ${t("hourUnit")}`).join(" · ");
  const why = Object.entries(one.why).map(([code, many]) => `${because(code)} ${many} ${t("hourUnit")}`).join(" · ");
  const measures = list(one.measures.map((each) => `${each.line ? `${each.line}: ` : ""}${each.measure} (${t("mayRun")} ${each.share} %)`));
  const strip = h("div", { class: "hours", role: "img", "aria-label": `${one.enterprise_name}: ${counts}` }, one.hours.length ? h("small", {}, `${moment(one.hours[0].time)} → `) : "", one.hours.map(cell));
  return h("li", {}, h("div", {}, h("b", {}, one.enterprise_name), h("small", {}, [one.town, one.contact, measures].filter(Boolean).join(" · "))), h("div", { class: "states" }, known, silent), strip, h("small", {}, [counts, why].filter(Boolean).join("；")));
}

function cell(hour) {
  const [sign, word] = VERDICTS[hour.status];
  const load = hour.load === null ? "" : `, ${number(hour.load)} / ${number(hour.allowed)} ${data.dispatch.unit}`;
  return h("i", { class: `hour ${word}`, title: `${moment(hour.time)} ${t(word)}${hour.why ? ` (${because(hour.why)})` : ""}${load}` }, sign);
}

at("pick").addEventListener("change", () => { chosen = at("pick").elements.order.value; poll(); });
at("pick").addEventListener("submit", (event) => { event.preventDefault(); });
