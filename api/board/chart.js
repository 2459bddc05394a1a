// PM2.5 of the year: daily means, the mean so far, the target, and what the rest must keep.
import { at, fill } from "./dom.js";
import { data } from "./feed.js";
import { day, number } from "./format.js";
import { plotly } from "./plotly.js";
import { pm25 } from "./targets.js";
import { english, t, unitWord } from "./words.js";

const COLOURS = { daily: "#a9c4d8", mean: "#0f5f8c", target: "#b42318", rest: "#7a5c00", ink: "#22313d", grid: "#e4eaef" };

const flat = (name, value, from, to, colour, dash) => ({
  name, x: [from, to], y: [value, value], mode: "lines", line: { color: colour, width: 2, dash }, hovertemplate: `${name} ${number(value, 1)}<extra></extra>`,
});

function traces(year) {
  const goal = pm25();
  const rows = data.days.items.filter((row) => row.values.pm25 !== undefined && row.values.pm25 !== null);
  const means = data.means.items.filter((row) => row.value !== null);
  const unit = unitWord(data.legend, goal?.unit ?? "ug/m3");
  const found = [
    { type: "bar", name: t("daily"), x: rows.map((row) => row.date), y: rows.map((row) => row.values.pm25), marker: { color: COLOURS.daily }, hovertemplate: `%{x|%m-%d} %{y} ${unit}<extra></extra>` },
    { name: t("ytd"), x: means.map((row) => row.time.slice(0, 10)), y: means.map((row) => row.value), mode: "lines", line: { color: COLOURS.mean, width: 3 }, hovertemplate: `%{x|%m-%d} ${t("ytd")} %{y:.1f}<extra></extra>` },
  ];
  if (goal?.target !== null && goal?.target !== undefined) found.push(flat(`${t("target")} ≤ ${goal.target_text}`, goal.target, `${year}-01-01`, `${year}-12-31`, COLOURS.target, "dash"));
  if (goal?.required_rest > 0 && rows.length) found.push(flat(`${t("required")} ${goal.required_rest_text}`, goal.required_rest, rows.at(-1).date, `${year}-12-31`, COLOURS.rest, "dot"));
  return found;
}

function layout(year, width) {
  const narrow = width < 480;
  const font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: COLOURS.ink };
  return {
    height: narrow ? 330 : 392, font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", bargap: 0,
    margin: { l: 42, r: 10, t: 26, b: narrow ? 96 : 68 },
    xaxis: { range: [`${year - 1}-12-29`, `${year}-12-31`], tick0: `${year}-01-01`, ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", dtick: narrow ? "M2" : "M1", tickformat: english() ? "%b" : "%-m月", gridcolor: COLOURS.grid, fixedrange: true, hoverformat: "%m-%d" },
    yaxis: { rangemode: "tozero", ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", gridcolor: COLOURS.grid, zeroline: false, fixedrange: true, nticks: 6 },
    annotations: [{ text: unitWord(data.legend, pm25()?.unit ?? "ug/m3"), x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 12 } }],
    legend: { orientation: "h", x: 0, y: narrow ? -0.14 : -0.12, font: { size: 13 } },
    hovermode: "closest",
  };
}

export async function renderChart() {
  const rows = data.days.items.filter((row) => row.values.pm25 !== null && row.values.pm25 !== undefined);
  const last = data.means.items.at(-1);
  const goal = pm25();
  if (!rows.length) { fill("chart", t("chartWait")); return; }
  const facts = [last ? `${t("upTo")} ${day(last.time)}: ${t("ytd")} ${number(last.value, 1)}` : "", goal?.target_text ? `${t("target")} ≤ ${goal.target_text}` : ""].filter(Boolean);
  at("chart").setAttribute("aria-label", facts.join(", "));
  at("chart").removeAttribute("aria-labelledby");
  at("chart-note").textContent = "";
  try {
    const library = await plotly();
    const box = at("chart");
    if (!box.querySelector(".plot-container")) box.replaceChildren();
    await library.react(box, traces(data.county.year), layout(data.county.year, box.clientWidth), { displayModeBar: false, responsive: true });
    box.dataset.drawn = "true";
  } catch {
    at("chart-note").textContent = `${t("chartFail")} ${facts.join(", ")}`;
  }
}
