// What can be shown of each kind of place: where its rows come from, which items they have, and how a row becomes a point.
import { data } from "./feed.js";
import { digitsOf } from "./format.js";
import { said, t, unitWord } from "./words.js";
import { API } from "./page.js";

const list = (name) => data[name]?.items ?? [];
const item = (realm) => Object.entries(data.legend.items[realm]).map(([name, one]) => [name, `${said(one)} ${one.unit}`]);
const point = (rows, time, value) => rows.filter((row) => value(row) !== null && value(row) !== undefined).map((row) => [time(row), value(row)]);
const line = (name, unit, digits, points) => ({ name, unit, digits, x: points.map(([x]) => x), y: points.map(([, y]) => y) });
const range = ({ from, to }, more) => `from=${from}&to=${to}&limit=5000${more ?? ""}`;
const values = (realm) => (rows, name) => { const one = data.legend.items[realm][name]; return line(said(one), one.unit, digitsOf(name, one.digits), point(rows, (row) => row.time ?? row.date, (row) => row.values[name])); };
const figure = (name) => data.legend.figures[name];
const POINT = ["point_over_hours", "point_multiple", "point_capture"];
const ACCOUNT = ["energy_tce", "electricity_bought", "electricity_own", "water_use", "co2", "energy_equal", "energy_net"];
const figures = (rows, name) => line(said(figure(name)), rows.find((row) => row.figure === name)?.unit ?? "", figure(name).digits, point(rows.filter((row) => row.figure === name), (row) => row.time, (row) => row.value));
const named = (names) => () => names.filter((name) => figure(name)).map((name) => [name, said(figure(name))]);
const used = (rows) => { const meter = data.meters?.items.find((one) => one.id === document.getElementById("pick").elements.id.value); return line(t("useOf"), unitWord(data.legend, meter?.unit ?? ""), 2, point(rows, (row) => row.time, (row) => row.energy)); };
const use = (period) => ({ items: () => [], url: (id, days) => `${API}/meters/${id}/intervals?${range(days, `&period=${period}`)}`, line: used });

export const shapes = {
  airHours: { word: "seriesHours", items: () => [...item("air").filter(([name]) => name !== "o3_8h"), ["aqi", "AQI"]], url: (id, days) => `${API}/air/stations/${id}/hours?${range(days)}`, line: (rows, name) => (name === "aqi" ? line("AQI", "", 0, point(rows, (row) => row.time, (row) => row.aqi)) : values("air")(rows, name)) },
  airDays: { word: "seriesDays", items: () => [["aqi", "AQI"], ...item("air").filter(([name]) => ["pm25", "pm10", "so2", "no2", "co", "o3_8h"].includes(name))], url: (id, days) => `${API}/air/stations/${id}/days?${range(days)}`, line: (rows, name) => (name === "aqi" ? line("AQI", "", 0, point(rows, (row) => row.date, (row) => row.aqi)) : values("air")(rows, name)) },
  records: { word: "seriesRecords", items: () => item("water"), url: (id, days) => `${API}/water/sections/${id}/records?${range(days)}`, line: values("water") },
  pointDays: { word: "seriesDays", items: named(POINT), url: (id, days, name) => `${API}/indicators?scope=${id}&figure=${name}&period=day&${range(days)}`, line: figures },
  useHours: { word: "seriesHours", ...use("hour") },
  useDays: { word: "seriesDays", ...use("day") },
  account: { word: "seriesMonths", items: named(ACCOUNT), url: (id, days) => `${API}/enterprises/${id}/energy?period=month&${range(days)}`, line: figures },
  accountDays: { word: "seriesDays", items: named(ACCOUNT), url: (id, days) => `${API}/enterprises/${id}/energy?period=day&${range(days)}`, line: figures },
};

const countyRow = () => (data.county && data.me?.rights.includes("figures") ? [{ id: data.county.id, name: data.county.name }] : []);

export const kinds = () => [
  { key: "air", word: "kindAir", rows: () => list("stations"), series: ["airHours", "airDays"] },
  { key: "county", word: "county", rows: countyRow, series: ["airDays"] },
  { key: "water", word: "kindWater", rows: () => list("sections"), series: ["records"] },
  { key: "point", word: "kindPoint", rows: () => list("points"), owner: (row) => row.enterprise_name, series: ["pointDays"] },
  { key: "enterprise", word: "kindEnterprise", rows: () => list("enterprises"), series: ["accountDays", "account"] },
  { key: "meter", word: "kindMeter", rows: () => list("meters"), owner: (row) => row.enterprise_name, series: ["useDays", ...(data.me?.rights.includes("curves") || data.me?.role === "enterprise" ? ["useHours"] : [])] },
];
