// The script of a report page; runs in the browser. Draws the charts of the page's data with uPlot; figures, tables
// and heat maps stand in the document already and need no script.
import uPlot from "uplot";
import type { Chart, Series } from "./page-model.ts";

/** The page's own colours (theme.css), by what a series asks for. */
const COLOURS: Readonly<Record<Series["colour"], string>> = {
  blue: "--accent",
  green: "--good",
  red: "--bad",
  grey: "--quiet",
  orange: "--warn",
};
const HEIGHT = 210;

const charts = JSON.parse(document.getElementById("charts")!.textContent!) as Chart[];
const plots: uPlot[] = [];

function draw(): void {
  for (const plot of plots.splice(0)) plot.destroy();
  for (const [i, chart] of charts.entries()) {
    const box = document.getElementById(`chart-${i}`)!;
    plots.push(new uPlot(options(chart, box.clientWidth), data(chart), box));
  }
  document.body.dataset["drawn"] = String(plots.length);
}

/** A colour of the theme as the canvas takes it. */
function themed(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Of one hue, so much of it. */
const faint = (colour: string, percent: number): string =>
  `color-mix(in srgb, ${colour} ${percent}%, transparent)`;

addEventListener("resize", () => {
  for (const plot of plots) plot.setSize({ width: plot.root.parentElement!.clientWidth, height: HEIGHT });
});

/** Series have times of their own: joined on all of them; a line passes over the others' times. */
function data(chart: Chart): uPlot.AlignedData {
  const shown = (y: number | null): number | null => (chart.log === true && !(y! > 0) ? null : y);
  return uPlot.join(chart.series.map((s): uPlot.AlignedData => [[...s.x], s.y.map(shown)]));
}

function options(chart: Chart, width: number): uPlot.Options {
  const time = chart.x === "time";
  const stroke = themed("--line");
  const grid = { stroke, width: 1 };
  // Powers of ten come with nine lines each.
  const logGrid = { stroke: faint(stroke, 45), width: 1 };
  const axis = { stroke: themed("--quiet"), grid, ticks: grid };
  const values = {
    ...axis,
    size: 64,
    labelSize: 18,
    values: (_: uPlot, at: number[]) => at.map((v) => (v == null ? "" : valueText(v))),
  };
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    cursor: time ? { sync: { key: "time", setSeries: false } } : {},
    scales: { x: { time, distr: chart.x === "log" ? 3 : 1 }, y: chart.log === true ? { distr: 3 } : {} },
    axes: [
      {
        ...axis,
        space: 64,
        size: chart.xLabel === undefined ? 30 : 44,
        ...(chart.x === "log"
          ? { grid: logGrid, values: (_, at) => at.map((v) => (v == null ? "" : valueText(v))) }
          : {}),
        ...(chart.xLabel === undefined ? {} : { label: chart.xLabel }),
        ...(time ? { values: (_, at, __, ___, step) => at.map((s) => clock(s, step)) } : {}),
      },
      { ...values, scale: "y", label: chart.unit, grid: chart.log === true ? logGrid : grid },
      ...(chart.series.some((s) => s.right === true)
        ? [{ ...values, scale: "right", side: 1 as const, grid: { show: false } }]
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
  const stroke = themed(COLOURS[s.colour]);
  const scale = s.right === true ? "right" : "y";
  const value = (_: uPlot, v: number | null): string => (v == null ? "–" : valueText(v));
  const common = { label: s.name, stroke, width: 1.25, value, scale };
  if (s.draw === "points")
    return { ...common, paths: () => null, points: { show: true, size: 5, fill: stroke, width: 0 } };
  const line = { ...common, points: { show: false }, spanGaps: false };
  if (s.draw === "steps") return { ...line, paths: uPlot.paths.stepped!({ align: 1 }) };
  if (s.draw === "bars")
    return { ...line, paths: uPlot.paths.bars!({ size: [0.9, 40] }), fill: faint(stroke, 60) };
  return s.draw === "area" ? { ...line, fill: faint(stroke, 20) } : line;
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

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
