// Elements made one by one, never out of text: whatever comes from a registry or a device is text and stays text.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") Object.entries(value).forEach(([key, one]) => element.style.setProperty(key, one));
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const at = (id) => document.getElementById(id);
export const fill = (id, ...children) => at(id).replaceChildren(...children.flat().filter(Boolean));

// Black or white, whichever is read better on a colour (WCAG relative luminance).
export function ink(colour) {
  const part = (start) => {
    const value = parseInt(colour.slice(start, start + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? "#fff" : "#000";
}

const MARKS = { met: "✓", "on-course": "→", "at-risk": "!", missed: "✕", undecidable: "?", "no-target": "–", "on-time": "✓", late: "!", silent: "✕", never: "✕", "no-device": "–" };
const TONES = { met: "good", "on-course": "good", "at-risk": "warn", missed: "bad", undecidable: "dull", "no-target": "dull", "on-time": "good", late: "warn", silent: "bad", never: "bad", "no-device": "dull" };

// A state as sign, word and colour: each alone is enough.
export const state = (code, word) => h("span", { class: `state ${TONES[code] ?? "dull"}`, "data-code": code }, h("span", { class: "sign", "aria-hidden": "true" }, MARKS[code] ?? "·"), word);

export function table(caption, heads, rows, names = []) {
  const head = h("tr", {}, heads.map((one) => h("th", { scope: "col", class: one.number ? "number" : null }, one.text, one.unit ? h("small", {}, one.unit) : "")));
  const body = rows.map((cells, line) => h("tr", { class: names[line] }, cells.map((cell, place) => {
    const first = place === 0;
    return h(first ? "th" : "td", { scope: first ? "row" : null, class: [heads[place].number ? "number" : "", heads[place].name ?? ""].join(" ").trim() || null, "data-head": [heads[place].text, heads[place].unit].filter(Boolean).join(" ") }, cell);
  })));
  return h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, head), h("tbody", {}, body));
}
