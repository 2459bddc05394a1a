// The board: asks the API every 15 seconds and draws what changed. It computes no figure and knows no limit.
import { renderCalendar } from "./calendar.js";
import { renderChart } from "./chart.js";
import { at, fill, h } from "./dom.js";
import { data, idle, now, setSpeed, take } from "./feed.js";
import { full, iso } from "./format.js";
import { renderAccount, renderComplete, renderFreshness, renderRestatements } from "./panels.js";
import { renderStations, renderWater } from "./stations.js";
import { pm25, renderTargets } from "./targets.js";
import { renderToday } from "./today.js";
import { renderWhose } from "./whose.js";
import { english, switchLanguage, t } from "./words.js";

const EVERY = 15_000;
const API = "/api/v1";

// The first feeds are needed to ask for the rest.
const FIRST = { me: () => `${API}/me`, county: () => `${API}/county`, legend: () => `${API}/legend`, targets: () => `${API}/targets` };
const REST = {
  today: () => `${API}/today`,
  stations: () => `${API}/air/stations`,
  freshness: () => `${API}/freshness`,
  days: () => `${API}/air/stations/${data.county.id}/days?from=${data.county.year}-01-01`,
  means: () => `${API}/indicators?figure=pm25_mean&period=ytd&from=${data.county.year}-01-01&rule_set=${pm25()?.rule_set ?? data.county.rule_set}`,
  sections: () => `${API}/water/sections`,
  account: () => `${API}/account`,
  deadletters: () => `${API}/deadletters?newest=true&limit=8`,
  restatements: () => `${API}/restatements?limit=6`,
  completeness: () => `${API}/completeness`,
};

// Who is drawn anew when a feed has news.
const VIEWS = [
  [renderHead, ["county"]],
  [renderWhose, ["me"]],
  [renderTargets, ["targets"]],
  [renderToday, ["today", "county"]],
  [renderStations, ["stations"]],
  [renderFreshness, ["freshness"]],
  [renderCalendar, ["days", "county"]],
  [renderWater, ["sections"]],
  [renderAccount, ["account", "deadletters"]],
  [renderRestatements, ["restatements"]],
  [renderComplete, ["completeness"]],
  [renderChart, ["days", "means", "targets"]],
];

// A panel whose facts the role may not see is not there.
const PANELS = [["account", ["account", "deadletters"]], ["freshness", ["freshness"]]];

function renderHead() {
  setSpeed(data.county.speed);
  at("county").textContent = data.county.name;
  document.title = `${data.county.name} · ${t("board")}`;
  at("until").textContent = data.county.data_until ? full(data.county.data_until) : "–";
  at("clock-kind").textContent = data.county.simulated ? `${t("simulated")} ×${data.county.speed}` : t("realTime");
  fill("foot", h("span", {}, `${t("rules")} ${data.county.rule_set}`), h("span", {}, `${t("registry")} ${data.county.registry_version}`), h("span", {}, data.county.plans.map((plan) => (english() ? plan.name_en : plan.name_zh)).join(" · ")), h("a", { href: "/api/v1/openapi.json" }, t("apiAt")));
}

function renderWords() {
  document.documentElement.lang = english() ? "en" : "zh-CN";
  document.querySelectorAll("[data-t]").forEach((element) => { element.textContent = t(element.dataset.t); });
  at("language").textContent = t("other");
  at("language").lang = english() ? "zh-CN" : "en";
}

async function ask(feeds) {
  const names = Object.keys(feeds);
  const results = await Promise.allSettled(names.map((name) => take(name, feeds[name]())));
  return { news: names.filter((_, place) => results[place].value), lost: results.some((one) => one.status === "rejected") };
}

async function draw(news) {
  const due = VIEWS.filter(([, needs]) => needs.every((name) => name in data) && needs.some((name) => news.includes(name)));
  for (const [render] of due) await render();
}

async function poll() {
  const first = await ask(FIRST);
  // An enterprise's person holds no right on the county's figures: their own news come first for them, not an empty board.
  if ("me" in data && !data.me.rights.includes("figures")) { location.replace("/board/filings.html"); return; }
  const rest = "county" in data && "legend" in data && "targets" in data ? await ask(REST) : { news: [], lost: true };
  at("alarm").hidden = !(first.lost || rest.lost);
  at("alarm").textContent = t("offline");
  PANELS.forEach(([panel, needs]) => { at(panel).hidden = !needs.every((name) => name in data); });
  await draw([...first.news, ...rest.news]);
  idle();
  document.documentElement.dataset.ready = String(!(first.lost || rest.lost));
}

async function forever() {
  for (;;) {
    if (!document.hidden) await poll().catch(() => { at("alarm").hidden = false; });
    await new Promise((resolve) => { setTimeout(resolve, EVERY); });
  }
}

at("language").addEventListener("click", async () => {
  switchLanguage();
  renderWords();
  await draw(Object.keys(data));
});
setInterval(() => { if (now() !== null) at("now").textContent = full(iso(now())); }, 500);
renderWords();
at("alarm").textContent = t("loading");
forever();
