// 数据: one page for any station, section, point, enterprise or meter: chart with zoom, table, and the same rows as CSV.
import { at, fill, h, table } from "./dom.js";
import { data } from "./feed.js";
import { iso, moment, number } from "./format.js";
import { API, page } from "./page.js";
import { plotly } from "./plotly.js";
import { kinds, shapes } from "./series.js";
import { english, t } from "./words.js";

const SHOWN = 200;
const asked = new URLSearchParams(location.search);
const form = at("pick");
let rows = [];

page({
  feeds: { stations: `${API}/air/stations`, sections: `${API}/water/sections`, points: `${API}/points`, meters: `${API}/meters`, enterprises: `${API}/enterprises` },
  views: [[renderChoices, ["me"]], [renderChoices, ["stations"]], [renderChoices, ["sections"]], [renderChoices, ["points"]], [renderChoices, ["meters"]], [renderChoices, ["enterprises"]]],
});

const places = () => kinds().flatMap((kind) => kind.rows().map((row) => ({ kind: kind.key, id: row.id, name: [kind.owner?.(row), row.name ?? "", row.id].filter(Boolean).join(" ") })));
const keep = (select, options, wanted) => { const before = wanted || select.value; select.replaceChildren(...options); if ([...select.options].some((one) => one.value === before)) select.value = before; };

function renderChoices() {
  if (!("legend" in data)) return;
  const known = kinds().filter((kind) => kind.rows().length);
  keep(form.elements.kind, [h("option", { value: "" }, t("allKinds")), ...known.map((kind) => h("option", { value: kind.key }, t(kind.word)))]);
  renderPlaces();
  if (!form.elements.to.value && data.county) {
    const now = Date.parse(data.county.data_until ?? "") || Date.now();
    form.elements.to.value = asked.get("to") ?? iso(now).slice(0, 10);
    form.elements.from.value = asked.get("from") ?? iso(now - 7 * 864e5).slice(0, 10);
  }
  if (asked.get("id") && form.elements.id.value === asked.get("id") && !rows.length) { asked.delete("id"); show(); }
}

function renderPlaces() {
  const word = form.elements.search.value.trim().toLowerCase();
  const kind = form.elements.kind.value;
  const found = places().filter((one) => (!kind || one.kind === kind) && one.name.toLowerCase().includes(word));
  keep(form.elements.id, found.map((one) => h("option", { value: one.id, "data-kind": one.kind }, one.name)), asked.get("id"));
  renderSeries();
}

const kindOf = () => kinds().find((one) => one.key === form.elements.id.selectedOptions[0]?.dataset.kind);

function renderSeries() {
  const kind = kindOf();
  keep(form.elements.series, (kind?.series ?? []).map((key) => h("option", { value: key }, t(shapes[key].word))));
  const shape = shapes[form.elements.series.value];
  const items = shape ? shape.items() : [];
  const before = [...form.elements.items.selectedOptions].map((one) => one.value).filter((one) => items.some(([name]) => name === one));
  form.elements.items.replaceChildren(...items.map(([name, word], place) => h("option", { value: name, selected: before.length ? before.includes(name) : place === 0 }, word)));
  form.elements.items.closest("label").hidden = items.length < 2;
}

const address = () => {
  const shape = shapes[form.elements.series.value];
  const to = new Date(`${form.elements.to.value}T00:00:00Z`);
  return shape.url(form.elements.id.value, { from: form.elements.from.value, to: to.toISOString().slice(0, 10) }, chosen()[0]);
};
const chosen = () => [...form.elements.items.selectedOptions].map((one) => one.value);

async function ask(url, accept) {
  const response = await fetch(url, { headers: { Accept: accept, "Accept-Language": document.documentElement.lang.slice(0, 2) } });
  if (!response.ok) throw new Error((await response.json()).detail);
  return response;
}

// All pages of a series, one behind the other.
async function whole(url) {
  const found = [];
  let next = "";
  do {
    const told = await (await ask(next ? `${url}&cursor=${encodeURIComponent(next)}` : url, "application/json")).json();
    found.push(...told.items);
    next = told.next;
  } while (next);
  return found;
}

const tell = (words, bad) => { const place = form.querySelector(".told"); place.textContent = words; place.className = `told wideField ${bad ? "bad" : ""}`; };

async function show() {
  if (!form.elements.id.value) return;
  tell(t("loading"));
  try {
    rows = await whole(address());
    tell(rows.length ? `${rows.length} ${t("rowsOf")}` : t("noRows"));
    draw();
  } catch (error) { tell(error.message, true); }
  at("plot").dataset.asked = String(Number(at("plot").dataset.asked ?? 0) + 1);
}

function draw() {
  const shape = shapes[form.elements.series.value];
  const lines = (shape.items().length ? chosen() : [""]).map((name) => shape.line(rows, name)).filter((one) => one.x.length);
  const units = [...new Set(lines.map((one) => one.unit).filter(Boolean))].join(", ");
  const place = form.elements.id.selectedOptions[0].textContent;
  at("plot").hidden = !lines.length;
  at("plot").removeAttribute("aria-labelledby");
  at("plot").setAttribute("aria-label", `${place}: ${lines.map((one) => `${one.name} ${one.x.length}`).join(", ")}`);
  const heads = [{ text: t("when") }, ...lines.map((one) => ({ text: one.name, unit: one.unit, number: true }))];
  const times = [...new Set(lines.flatMap((one) => one.x))].sort().reverse().slice(0, SHOWN);
  const cell = (one, time) => { const at_ = one.x.indexOf(time); return at_ < 0 ? "–" : number(one.y[at_], one.digits); };
  fill("rows", lines.length ? table(place, heads, times.map((time) => [time.length > 10 ? moment(time) : time, ...lines.map((one) => cell(one, time))])) : "", lines.length && times.length === SHOWN ? h("p", { class: "note" }, t("newestRows")) : "");
  if (lines.length) plot(lines, units, place);
}

async function plot(lines, units, place) {
  const library = await plotly();
  const traces = lines.map((one) => ({ name: one.name, x: one.x.map((time) => time.slice(0, 19)), y: one.y, mode: one.x.length > 400 ? "lines" : "lines+markers", connectgaps: false, marker: { size: 4 } }));
  const layout = { title: { text: place, font: { size: 14 }, x: 0, xref: "paper", xanchor: "left", y: 1, yref: "paper", yanchor: "bottom", pad: { b: 6 } }, height: 400, margin: { l: 56, r: 12, t: 64, b: 48 }, yaxis: { title: { text: units }, rangemode: "tozero", nticks: 6 }, xaxis: { type: "date", tickformat: lines[0].x[0].length > 10 && !lines[0].x[0].endsWith("T00:00:00+08:00") ? "%m-%d\n%H:%M" : "%Y-%m-%d", hoverformat: "%Y-%m-%d %H:%M" }, hovermode: "x", showlegend: lines.length > 1, legend: { orientation: "h" }, paper_bgcolor: "rgba(0,0,0,0)" };
  await library.react(at("plot"), traces, layout, { displaylogo: false, responsive: true, locale: english() ? "en" : "zh-CN", plotlyServerURL: "", modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud"] });
  at("plot").dataset.drawn = "true";
}

async function save() {
  try {
    const parts = [];
    let next = "";
    do {
      const response = await ask(next ? `${address()}&cursor=${encodeURIComponent(next)}` : address(), "text/csv");
      const text = await response.text();
      parts.push(next ? text.slice(text.indexOf("\n") + 1) : text);
      next = response.headers.get("X-Lanbi-Next") ?? "";
    } while (next);
    // A spreadsheet takes UTF-8 for such only behind the mark.
    const link = h("a", { href: URL.createObjectURL(new Blob(["\ufeff", ...parts], { type: "text/csv" })), download: `${form.elements.id.value}-${form.elements.series.value}-${form.elements.from.value}.csv` });
    link.click();
    URL.revokeObjectURL(link.href);
    tell(`${t("exported")} ${link.download}`);
  } catch (error) { tell(error.message, true); }
}

form.elements.search.addEventListener("input", renderPlaces);
form.elements.kind.addEventListener("change", renderPlaces);
form.elements.id.addEventListener("change", renderSeries);
form.elements.series.addEventListener("change", renderSeries);
form.elements.items.addEventListener("change", () => { if (rows.length) draw(); });
form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
at("export").addEventListener("click", save);
new MutationObserver(() => { if (rows.length) draw(); renderChoices(); }).observe(document.documentElement, { attributeFilter: ["lang"] });
