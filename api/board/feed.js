// Polling with ETag: an answer without news costs a few bytes and changes nothing on the screen.

import { english } from "./words.js";

const held = new Map();
const LOGIN = "/board/login.html";
// A poll of the board itself keeps no session alive: only a person's hand does.
let acted = true;
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { acted = true; }, { passive: true });
export const idle = () => { acted = false; };
const tongue = () => (english() ? "en" : "zh");

function lookedIn(response) {
  if (response.status === 401 && location.pathname !== LOGIN) location.assign(`${LOGIN}?to=${encodeURIComponent(location.pathname)}`);
  return response;
}

const clock = { county: null, local: 0, speed: 1 };

export const data = {};
export const setSpeed = (speed) => { clock.speed = speed ?? 1; };
export const now = () => (clock.county === null ? null : clock.county + (performance.now() - clock.local) * clock.speed);

function note(response) {
  const time = response.headers.get("X-Lanbi-Time");
  if (time) Object.assign(clock, { county: Date.parse(time), local: performance.now() });
}

// Whether there was news. Throws where there is no answer, so that the screen can say so.
export async function take(name, url) {
  const before = held.get(name);
  const headers = { Accept: "application/json", "Accept-Language": tongue() };
  if (!acted) headers["X-Lanbi-Auto"] = "1";
  if (before && before.url === url) headers["If-None-Match"] = before.tag;
  const response = lookedIn(await fetch(url, { headers, cache: "no-store" }));
  note(response);
  // What the role may not see is no fault of the line: its panel stays away.
  if (response.status === 304 || response.status === 403) return false;
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  data[name] = await response.json();
  held.set(name, { url, tag: response.headers.get("ETag") ?? "" });
  return true;
}

// What a person does: the answer, or the API's own sentence about what to change.
export async function send(url, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "Accept-Language": tongue() };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (url !== "/api/v1/login") lookedIn(response);
  const told = response.status === 204 ? {} : await response.json();
  return { ok: response.ok, told, said: response.ok ? "" : told.detail };
}
