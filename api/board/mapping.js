// 死信 at their root: the mapping of a device read, tried on its dead letters, put in force.
import { at, h } from "./dom.js";
import { data, send } from "./feed.js";
import { API, tell } from "./page.js";
import { comma, said, t } from "./words.js";

export function renderMapping() {
  const select = at("mapping").elements.device;
  const before = select.value;
  const names = [...new Set(data.letters.items.map((row) => row.device))].filter(Boolean).sort();
  select.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === before }, name)));
}

const code = (reason) => said(data.legend.reasons[reason] ?? { zh: reason, en: reason });

function trial(told) {
  const refused = told.messages - told.whole - told.partly - told.lost;
  const why = Object.entries(told.reasons).map(([reason, many]) => `${code(reason)} ${many}`);
  return comma([`${t("wouldPass")} ${told.whole}`, `${t("wouldPartly")} ${told.partly}`, `${t("wouldNot")} ${refused}${why.length ? ` (${comma(why)})` : ""}`, `${t("ofMessages")} ${told.messages}`]);
}

async function read(form, url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  const told = await response.json();
  if (!response.ok) return { ok: false, said: told.detail, told };
  form.elements.mapping.value = told.mapping;
  return { ok: true, said: "", told, words: told.mapping ? "" : t("mappingNone") };
}

export function wireMapping(poll) {
  const form = at("mapping");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = form.querySelector(".told");
    const url = `${API}/desk/mappings/${form.elements.device.value}`;
    const { mapping, document: paper } = form.elements;
    const what = event.submitter?.value ?? "try";
    place.textContent = t("computing");
    if (what === "put") {
      const done = await send(url, { mapping: mapping.value, document: paper.value });
      tell(place, done, done.told.record ?? "");
      if (done.ok) await poll();
      return;
    }
    const done = what === "read" ? await read(form, url) : await send(`${url}/trials`, { mapping: mapping.value });
    place.textContent = done.ok ? (what === "read" ? done.words : trial(done.told)) : done.said;
    place.className = `told wideField ${done.ok ? "" : "bad"}`;
  });
}
