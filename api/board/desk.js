// The desk: what a person does with what the board shows. Everything goes through the API, which judges it and makes it durable.
import { at, fill, h } from "./dom.js";
import { data, send } from "./feed.js";
import { renderAudit, renderDuty, renderEntered, renderLetters, renderMeters, renderPreview } from "./lists.js";
import { renderMapping, wireMapping } from "./mapping.js";
import { acts, API, bound, page, tell } from "./page.js";
import { either, t } from "./words.js";

const FEEDS = {
  duty: `${API}/duty?waiting=true&limit=50`,
  letters: `${API}/deadletters?newest=true&limit=12`,
  meters: `${API}/meters`,
  audit: `${API}/audit?limit=30`,
  stations: `${API}/air/stations`,
  targets: `${API}/targets`,
  marks: `${API}/desk/entries?kind=mark&limit=5`,
  reports: `${API}/desk/entries?kind=reported&limit=5`,
  confirmed: `${API}/desk/entries?kind=confirmation&limit=5`,
};
const VIEWS = [
  [() => renderDuty(acknowledge), ["duty", "me"]],
  [() => renderLetters(replay, show), ["letters", "me"]],
  [renderMapping, ["letters"]],
  [renderMeters, ["meters"]],
  [renderAudit, ["audit"]],
  [renderChoices, ["stations", "targets"]],
  [renderEntered, ["marks", "reports", "confirmed"]],
];
// Who may not act sees no form; a panel whose facts the role may not see is not there.
const PANELS = { "tasks-panel": () => "duty" in data, "letters-panel": () => "letters" in data, "meters-panel": () => bound() && "meters" in data, "audit-panel": () => "audit" in data, "password-panel": () => data.me.door === "session", "mapping-panel": () => acts() && "letters" in data, "review-panel": acts, "confirm-panel": acts, "report-panel": acts, "entered-panel": acts };

async function acknowledge(line, note) {
  tell(at("duty-told"), await send(`${API}/desk/duty/${line.id}/acknowledge`, { note }), line.name);
  await poll();
}

async function replay(ids) {
  const done = await send(`${API}/desk/replays`, { ids });
  tell(at("letters-told"), done, done.told.record ?? "");
}

async function show(id) {
  const response = await fetch(`${API}/desk/deadletters/${id}`);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  at("bytes").hidden = false;
  at("bytes").textContent = response.ok ? text || "–" : `${response.status}`;
}

function renderChoices() {
  const keep = (select, options) => { const before = select.value; select.replaceChildren(...options); if (before) select.value = before; };
  keep(at("mark").elements.source, data.stations.items.map((one) => h("option", { value: one.id }, `${one.name} ${one.id}`)));
  keep(at("report").elements.target, data.targets.items.map((one) => h("option", { value: one.id }, either(one, "name"))));
}

function form(id, url, shape) {
  at(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(at(id)));
    const done = await send(url, shape(fields, event.submitter));
    tell(at(id).querySelector(".told"), done, done.told.record ?? "");
    if (done.ok) await poll();
  });
}

const hint = () => (!acts() && !bound() ? t(data.me.login ? "noRight" : "readOnly") : data.me.password_due ? t("passwordDue") : "");

at("mark").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(at("mark")));
  const place = at("mark").querySelector(".told");
  if (event.submitter?.value === "enter") {
    const done = await send(`${API}/desk/marks`, fields);
    tell(place, done, done.told.record ?? "");
    fill("preview");
    if (done.ok) await poll();
    return;
  }
  place.textContent = t("computing");
  const done = await send(`${API}/desk/previews`, fields);
  place.textContent = done.ok ? "" : done.said;
  place.className = `told wideField ${done.ok ? "" : "bad"}`;
  if (done.ok) renderPreview(done.told);
});
form("confirm", `${API}/desk/confirmations`, (fields, button) => ({ ...fields, action: button?.value ?? "confirm" }));
form("report", `${API}/desk/reported`, (fields) => fields);
form("password", `${API}/password`, (fields) => fields);
fill("duty", h("p", { class: "note" }, t("loading")));
const poll = page({ feeds: FEEDS, views: VIEWS, panels: PANELS, hint });
wireMapping(poll);
