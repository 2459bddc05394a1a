// What every page of the desk does: asks its feeds every 15 seconds, draws what changed, and says when the line is gone.
import { at } from "./dom.js";
import { data, idle, take } from "./feed.js";
import { speak } from "./speak.js";
import { t } from "./words.js";
import { renderWhose } from "./whose.js";

const EVERY = 15_000;
export const API = "/api/v1";
const FIRST = { me: `${API}/me`, county: `${API}/county`, legend: `${API}/legend` };
const OURS = [[renderWhose, ["me"]], [() => { at("county").textContent = data.county.name; }, ["county"]]];

export const acts = () => data.me.rights.includes("desk");
export const bound = () => data.me.role === "enterprise";

export function tell(place, done, words = "") {
  place.textContent = done.ok ? `${t("done")}${words}` : done.said;
  place.className = `told${place.classList.contains("wideField") ? " wideField" : ""} ${done.ok ? "good" : "bad"}`;
}

async function ask(feeds) {
  const wanted = Object.entries(feeds).map(([name, url]) => [name, typeof url === "function" ? url() : url]).filter(([, url]) => url);
  const results = await Promise.allSettled(wanted.map(([name, url]) => take(name, url)));
  return { news: wanted.filter((_, place) => results[place].value).map(([name]) => name), lost: results.some((one) => one.status === "rejected") };
}

// feeds: name → address (or a function; empty = not now); views: [draw, names it needs]; panels: id → whether it is there.
export function page({ feeds, views, panels = {}, hint = () => "" }) {
  const draw = (news) => {
    if (!data.me) return;
    for (const [panel, there] of Object.entries(panels)) at(panel).hidden = !there();
    for (const [render, needs] of [...OURS, ...views]) if (needs.every((name) => name in data) && needs.some((name) => news.includes(name))) render();
  };
  const poll = async () => {
    const first = await ask(FIRST);
    const more = "me" in data && "legend" in data ? await ask(feeds) : { news: [], lost: true };
    const lost = first.lost || more.lost;
    const words = lost ? t("offline") : hint();
    at("alarm").hidden = !words;
    at("alarm").textContent = words;
    draw([...first.news, ...more.news]);
    idle();
    document.documentElement.dataset.ready = String(!lost);
  };
  const forever = async () => {
    for (;;) {
      if (!document.hidden) await poll().catch(() => { at("alarm").hidden = false; });
      await new Promise((resolve) => { setTimeout(resolve, EVERY); });
    }
  };
  speak(() => draw(Object.keys(data)));
  at("alarm").textContent = t("loading");
  forever();
  return poll;
}
