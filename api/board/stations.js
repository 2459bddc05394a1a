// Tables of air stations and water sections: the newest record of each.
import { fill, h, ink, state, table } from "./dom.js";
import { data } from "./feed.js";
import { digitsOf, moment, number, span } from "./format.js";
import { controlWord, list, roleWord, said, t } from "./words.js";

const AIR = ["pm25", "pm10", "o3", "no2", "so2", "co"];
const WATER = ["ph", "do", "codmn", "nh3n", "tp", "tn"];

export function aqiChip(level, aqi) {
  const found = level && data.legend.levels[level - 1];
  if (!found || aqi === null) return h("span", { class: "chip empty" }, t("noDay"));
  return h("span", { class: "chip", style: { background: found.colour, color: ink(found.colour) } }, h("b", {}, number(aqi)), ` ${said(found)}`);
}

const short = (name) => data.legend.items.air[name]?.en ?? name;
const fresh = (row) => [state(row.state, said(data.legend.freshness[row.state])), row.overdue_minutes === null ? "" : h("small", {}, `${t("overdue")} ${span(row.overdue_minutes)}`)];

// Old values stay readable, but must not look like news.
const stale = (row) => (row.state === "silent" ? "stale" : null);

function value(realm, row, name) {
  const flag = row.flags[name];
  const shown = number(row.values[name], digitsOf(name, data.legend.items[realm][name].digits));
  return flag ? [shown, h("small", { title: said(data.legend.flags[flag]) }, ` ${flag}`)] : shown;
}

export function renderStations() {
  const heads = [
    { text: t("station"), name: "place" },
    { text: "AQI", name: "aqi" },
    { text: t("primary"), name: "primary" },
    ...AIR.map((name) => ({ text: short(name), unit: data.legend.items.air[name].unit, number: true, name })),
    { text: t("time"), name: "time" },
    { text: t("state"), name: "fresh" },
  ];
  const rows = data.stations.items.map((row) => [
    [row.name, h("small", {}, roleWord(row.role ?? ""))],
    aqiChip(row.level, row.aqi),
    list(row.primary.map(short)) || (row.aqi === null ? "–" : t("none")),
    ...AIR.map((name) => value("air", row, name)),
    moment(row.time),
    fresh(row),
  ]);
  fill("station-rows", rows.length ? table(t("stations"), heads, rows, data.stations.items.map(stale)) : h("p", { class: "note" }, t("noneRegistered")));
}

function waterClass(row) {
  const name = row.water_class && data.legend.water_classes[row.water_class - 1];
  return name ? h("span", { class: "chip water" }, name) : h("span", { class: "chip empty" }, t("classWait"));
}

export function renderWater() {
  const heads = [
    { text: t("section"), name: "place" },
    { text: t("klass"), name: "klass" },
    ...WATER.map((name) => ({ text: said(data.legend.items.water[name]), unit: data.legend.items.water[name].unit, number: true, name })),
    { text: t("time"), name: "time" },
    { text: t("state"), name: "fresh" },
  ];
  const rows = data.sections.items.map((row) => [[row.name, h("small", {}, controlWord(row.control))], waterClass(row), ...WATER.map((name) => value("water", row, name)), moment(row.time), fresh(row)]);
  fill("section-rows", rows.length ? table(t("water"), heads, rows, data.sections.items.map(stale)) : h("p", { class: "note" }, t("noneRegistered")));
}
