// 企业填报: what an enterprise is told first, what it files, and the bureau's ruling on it.
import { at, fill, h, table } from "./dom.js";
import { attached, fileLink } from "./attach.js";
import { data, send } from "./feed.js";
import { moment } from "./format.js";
import { acts, API, bound, page, tell } from "./page.js";
import { said, t } from "./words.js";

const head = (key, name) => ({ text: t(key), name });
const STATES = { waiting: ["filingWaiting", "warn", "!"], accepted: ["filingAccepted", "good", "✓"], returned: ["filingReturned", "bad", "✕"] };
const NEWS = { silence: "newsSilence", refusal: "newsRefusal", clue: "newsClue", order: "newsOrder" };
const FIELDS = { meter: "meterOf", meters: "meterOf", time: "when", last: "lastRegister", first: "firstRegister", from: "from", to: "to", value: "newMultiplier", reason: "reason", source: "object", rule: "ruleOf" };
const own = () => data.me?.enterprises[0];
const mayFile = () => bound() || acts();

const poll = page({
  feeds: {
    filings: `${API}/filings?limit=50`,
    meters: `${API}/meters`,
    clues: `${API}/clues?state=open&limit=100`,
    news: () => (bound() ? `${API}/enterprises/${own()}/news` : ""),
  },
  views: [[renderFilings, ["filings", "me"]], [renderNews, ["news"]], [renderChoices, ["meters", "clues"]]],
  panels: { "news-panel": () => bound() && "news" in data, "file-panel": () => mayFile() && "meters" in data, "filings-panel": () => "filings" in data },
  hint: () => (data.filings ? "" : t(data.me.login ? "noRight" : "readOnly")),
});

function renderNews() {
  const rows = data.news.items;
  if (!rows.length) { fill("news", h("p", { class: "calm" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), t("noNews"))); return; }
  const act = (row) => {
    if (row.kind !== "order") return moment(row.bureau_from);
    const button = h("button", { type: "button", class: "receipt" }, t("confirmOrder"));
    button.addEventListener("click", async () => { const done = await send(`${API}/enterprises/${own()}/receipts`, { from: row.since }); tell(at("news-told"), done, done.told.record ?? ""); await poll(); });
    return button;
  };
  fill("news", table(t("newsTitle"), [head("kindOf"), head("what", "primary"), head("when"), head("bureauFrom")], rows.map((row) => [t(NEWS[row.kind]), said(row), moment(row.since), act(row)])));
}

function renderChoices() {
  const form = at("file").elements;
  const keep = (select, options) => { const before = [...select.selectedOptions].map((one) => one.value); select.replaceChildren(...options); for (const one of select.options) if (before.includes(one.value)) one.selected = true; };
  const meter = (row) => h("option", { value: row.id, "data-enterprise": row.enterprise }, bound() ? row.id : `${row.enterprise_name} ${row.id}`);
  keep(form.meter, data.meters.items.map(meter));
  keep(form.meters, data.meters.items.map(meter));
  keep(form.clue, data.clues.items.map((row) => h("option", { value: JSON.stringify([row.source, row.rule, row.start]), "data-enterprise": row.enterprise }, `${row.rule} ${said(row)} ${row.source} ${moment(row.start)}`)));
  choose();
}

function choose() {
  const form = at("file").elements.form.value;
  for (const label of at("file").querySelectorAll("[data-for]")) {
    const there = label.dataset.for.split(" ").includes(form);
    label.hidden = !there;
    for (const field of label.querySelectorAll("input, select")) { field.disabled = !there; field.required = there; }
  }
}

function body(form) {
  const kind = form.elements.form.value;
  const value = (name) => form.elements[name].value;
  const clock = (name) => (value(name) ? `${value(name)}:00+08:00` : "");
  const [source, rule, time] = kind === "explanation" && value("clue") ? JSON.parse(value("clue")) : ["", "", ""];
  const shapes = {
    exchange: () => ({ meter: value("meter"), time: clock("time"), last: value("last"), first: value("first") }),
    multiplier: () => ({ meter: value("meter"), from: value("day"), value: value("value"), reason: value("reason") }),
    explanation: () => ({ source, rule, time, reason: value("reason") }),
  };
  const window_ = () => ({ meters: [...form.elements.meters.selectedOptions].map((one) => one.value), from: clock("from"), to: clock("to"), reason: value("reason") });
  return { form: kind, ...(shapes[kind] ?? window_)() };
}

function whose(form) {
  const kind = form.elements.form.value;
  const select = form.elements[{ explanation: "clue", maintenance: "meters", shutdown: "meters" }[kind] ?? "meter"];
  return select.selectedOptions[0]?.dataset.enterprise ?? own();
}

at("file").addEventListener("change", choose);
at("file").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = at("file");
  const place = form.querySelector(".told");
  const done = await (async () => {
    const file = await attached(form.elements.attachment);
    return send(`${API}/enterprises/${whose(form)}/filings`, { ...body(form), ...(file ? { attachment: file } : {}) });
  })().catch((error) => ({ ok: false, said: error.message, told: {} }));
  tell(place, done, done.told.record ?? "");
  if (!done.ok) return;
  const kind = form.elements.form.value;
  form.reset();
  form.elements.form.value = kind;
  choose();
  await poll();
});

const shown = (name, value) => `${t(FIELDS[name] ?? "detail")} ${Array.isArray(value) ? value.join(" ") : /^\d{4}-\d\d-\d\dT/.test(value) ? moment(value) : value}`;

function renderFilings() {
  const rows = data.filings.items;
  if (!rows.length) { fill("filings", h("p", { class: "note" }, t("noFilings"))); return; }
  if (at("filings").contains(document.activeElement) && document.activeElement.tagName === "INPUT") return;
  const what = (row) => [said(row), h("small", {}, Object.entries(row.body).map(([name, value]) => shown(name, value)).join(" · ")), row.attachment ? h("small", {}, fileLink(h, `${API}/filings/${row.id}/attachment`, row.attachment)) : ""];
  const state = (row) => { const [word, tone, sign] = STATES[row.state]; return [h("span", { class: `state ${tone}` }, h("span", { class: "sign", "aria-hidden": "true" }, sign), t(word)), row.ruling ? h("small", {}, [row.ruling.reason, row.ruling.person, moment(row.ruling.said), ...row.ruling.effects].join(" · ")) : ""]; };
  const cells = (row) => [what(row), row.enterprise_name, [row.person, h("small", {}, moment(row.filed))], state(row), acts() && row.state === "waiting" ? rulingForm(row) : ""];
  fill("filings", table(t("filingsTitle"), [head("formOf"), head("enterpriseOf"), head("person"), head("stateOf"), head("ruling")], rows.map(cells)));
}

function rulingForm(row) {
  const reason = h("input", { name: "reason", required: true, maxlength: 200, "aria-label": t("reason"), placeholder: t("reason") });
  const document_ = h("input", { name: "document", required: true, maxlength: 200, "aria-label": t("document"), placeholder: t("document") });
  const form = h("form", { class: "ruling" }, reason, document_, h("button", { type: "submit", value: "accept" }, t("accept")), h("button", { type: "submit", value: "return" }, t("giveBack")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const done = await send(`${API}/desk/filings/${row.id}/ruling`, { ruling: event.submitter?.value ?? "accept", reason: reason.value, document: document_.value });
    tell(at("filings-told"), done, done.told.record ?? "");
    if (!done.ok) return;
    document.activeElement?.blur();
    await poll();
  });
  return form;
}

choose();
