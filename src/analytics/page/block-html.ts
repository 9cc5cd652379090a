// The blocks of a report page as HTML: everything but the lines of charts stands in the document and needs no script.
// Text is escaped here. Cold.
import { heatMap } from "./heat-map.ts";
import { amountText, escapeHtml, numberText, toneOf } from "./html-text.ts";
import type { Bars, Block, Chart, Figure, Table } from "./page-model.ts";

/** `nextChart`: number of the next chart of the page. */
export function blockHtml(block: Block, nextChart: () => number): string {
  if (block.kind === "text") return `<p class="note">${escapeHtml(block.text)}</p>`;
  if (block.kind === "heading") return `<h2 id="${anchor(block.title)}">${escapeHtml(block.title)}</h2>`;
  const note = "note" in block && block.note !== undefined ? `<p>${escapeHtml(block.note)}</p>` : "";
  const half = "half" in block && block.half === true ? ' class="half"' : "";
  const title = block.title === "" ? "" : `<h3>${escapeHtml(block.title)}</h3>`;
  return `<section${half}>${title}${note}${content(block, nextChart)}</section>`;
}

export const anchor = (title: string): string => encodeURIComponent(title.toLowerCase().replaceAll(" ", "-"));

type Framed = Exclude<Block, { readonly kind: "text" | "heading" }>;

function content(block: Framed, nextChart: () => number): string {
  switch (block.kind) {
    case "figures":
      return `<dl class="figures${block.lead === true ? " lead" : ""}">${block.rows.map(figure).join("")}</dl>`;
    case "table":
      return tableHtml(block);
    case "bars":
      return barsHtml(block);
    case "heat":
      return heatMap(block);
    default:
      return chartHtml(block, nextChart());
  }
}

function figure({ name, value, about = "", tone }: Figure): string {
  const cls = tone === undefined ? "" : ` class="${tone}"`;
  return `<div title="${escapeHtml(about)}"><dt>${escapeHtml(name)}</dt><dd${cls}>${escapeHtml(value)}</dd></div>`;
}

function chartHtml(chart: Chart, index: number): string {
  const empty = chart.series.every((s) => s.x.length === 0) ? "<p>nothing to draw</p>" : "";
  return `${empty}<div id="chart-${index}"></div>`;
}

/** "12.5 µs", "-3 %", "–". */
const AMOUNT = /^(–|-?[\d.,]+(e[+-]?\d+)?( \S+)?)$/;

function tableHtml({ head, rows, total }: Table): string {
  const amounts = head.map((_, i) => {
    const cells = rows.map((row) => row[i] ?? null).filter((cell) => cell !== null);
    return cells.length > 0 && cells.every((cell) => typeof cell === "number" || AMOUNT.test(cell));
  });
  const cls = (i: number): string => (amounts[i] === true ? ' class="number"' : "");
  const cell = (value: string | number | null): string =>
    value === null ? "" : escapeHtml(typeof value === "number" ? numberText(value) : value);
  const heading = head.map((text, i) => `<th scope="col"${cls(i)}>${escapeHtml(text)}</th>`).join("");
  const body = rows
    .map((row, r) => {
      const last = total === true && r === rows.length - 1 ? ' class="total"' : "";
      return `<tr${last}>${row.map((value, i) => `<td${cls(i)}>${cell(value)}</td>`).join("")}</tr>`;
    })
    .join("");
  return `<table><thead><tr>${heading}</tr></thead><tbody>${body}</tbody></table>`;
}

function barsHtml({ rows }: Bars): string {
  const values = rows.map((row) => row.value);
  const least = Math.min(0, ...values);
  const range = Math.max(0, ...values) - least;
  const share = (value: number): string => (range === 0 ? "0%" : `${((100 * value) / range).toFixed(2)}%`);
  const body = rows.map(({ name, value, total }) => {
    const from = Math.min(0, value) - least;
    const tone = toneOf(value) ?? "";
    const bar = `<i class="${tone}" style="left:${share(from)};width:${share(Math.abs(value))}"></i><u style="left:${share(-least)}"></u>`;
    return `<tr${total === true ? ' class="total"' : ""}><td>${escapeHtml(name)}</td><td class="number ${tone}">${amountText(value)}</td><td><div class="bar">${bar}</div></td></tr>`;
  });
  return `<table class="bars"><tbody>${body.join("")}</tbody></table>`;
}
