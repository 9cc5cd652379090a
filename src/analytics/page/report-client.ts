// The script of a report page; runs in the browser. Draws the charts of the page's data with uPlot; figures, tables
// and heat maps stand in the document already and need no script.
import uPlot from "uplot";
import type { Chart, Series } from "./page-model.ts";

const COLOURS: Readonly<Record<Series["colour"], string>> = {
  blue: "#0b62c4",
  green: "#12804a",
  red: "#c42b2b",
  grey: "#8a94a3",
  orange: "#c76a00",
};
const HEIGHT = 220;
const GRID = { stroke: "#e6eaef", width: 1 };

const VALUE_AXIS = {
  size: 76,
  labelSize: 18,
  values: (_: uPlot, at: number[]) => at.map((v) => (v == null ? "" : valueText(v))),
};

const charts = JSON.parse(document.getElementById("charts")!.textContent!) as Chart[];
const plots: uPlot[] = [];

for (const [i, chart] of charts.entries()) {
  const box = document.getElementById(`chart-${i}`)!;
  plots.push(new uPlot(options(chart, box.clientWidth), data(chart), box));
}
document.body.dataset["drawn"] = String(plots.length);

addEventListener("resize", () => {
  for (const plot of plots) plot.setSize({ width: plot.root.parentElement!.clientWidth, height: HEIGHT });
});

/** Series have times of their own: joined on all of them; a line passes over the others' times. */
function data(chart: Chart): uPlot.AlignedData {
  return uPlot.join(chart.series.map((s): uPlot.AlignedData => [[...s.x], [...s.y]]));
}

function options(chart: Chart, width: number): uPlot.Options {
  const time = chart.x === "time";
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    cursor: time ? { sync: { key: "time", setSeries: false } } : {},
    scales: { x: { time }, y: chart.log === true ? { distr: 3 } : {} },
    axes: [
      {
        grid: GRID,
        ticks: GRID,
        space: 90,
        ...(chart.xLabel === undefined ? {} : { label: chart.xLabel }),
        ...(time ? { values: (_, at, __, ___, step) => at.map((s) => clock(s, step)) } : {}),
      },
      { scale: "y", grid: GRID, ticks: GRID, label: chart.unit, ...VALUE_AXIS },
      ...(chart.series.some((s) => s.right === true)
        ? [{ scale: "right", side: 1 as const, grid: { show: false }, ticks: GRID, ...VALUE_AXIS }]
        : []),
    ],
    series: [
      time
        ? { label: "time (UTC)", value: (_, s) => (s == null ? "–" : iso(s).replace("T", " ").slice(0, 23)) }
        : { label: chart.xLabel ?? "x" },
      ...chart.series.map(series),
    ],
    hooks: { setScale: time ? [zoomTogether] : [] },
  };
}

/** Small numbers keep their digits: uPlot's own text of 2e-5 is 0. */
function valueText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) return String(Number(value.toPrecision(5)));
  return value.toLocaleString("en-US", { maximumSignificantDigits: 9 });
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** What tells the ticks of an axis apart: the day, the minute, the second or parts of it. */
function clock(seconds: number, step: number): string {
  if (step >= 86_400) return iso(seconds).slice(5, 10);
  return iso(seconds).slice(11, step >= 60 ? 16 : step >= 1 ? 19 : 23);
}

function series(s: Series): uPlot.Series {
  const stroke = COLOURS[s.colour];
  const scale = s.right === true ? "right" : "y";
  const value = (_: uPlot, v: number | null): string => (v == null ? "–" : valueText(v));
  const common = { label: s.name, stroke, width: 1.25, value, scale };
  if (s.draw === "points")
    return { ...common, paths: () => null, points: { show: true, size: 5, fill: stroke, width: 0 } };
  const line = { ...common, points: { show: false }, spanGaps: false };
  if (s.draw === "steps") return { ...line, paths: uPlot.paths.stepped!({ align: 1 }) };
  if (s.draw === "bars")
    return { ...line, paths: uPlot.paths.bars!({ size: [0.9, 40] }), fill: `${stroke}99` };
  return s.draw === "area" ? { ...line, fill: `${stroke}30` } : line;
}

let zooming = false;

function zoomTogether(from: uPlot, key: string): void {
  if (key !== "x" || zooming) return;
  zooming = true;
  const { min, max } = from.scales["x"]!;
  for (const [i, plot] of plots.entries())
    if (plot !== from && charts[i]!.x === "time" && min != null && max != null)
      plot.setScale("x", { min, max });
  zooming = false;
}
