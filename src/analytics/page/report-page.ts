// A report as one self-contained HTML document: style, script and data are inline and the document's own policy
// forbids any other source, so it opens anywhere and never asks the network. Text reaches the page escaped. Cold.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { heatMap } from "./heat-map.ts";
import { escapeHtml, numberText } from "./html-text.ts";
import type { Block, Chart, Page } from "./page-model.ts";

type Table = Extract<Block, { readonly kind: "table" }>;

export async function reportPage(page: Page): Promise<string> {
  const script = await clientScript();
  const charts = page.blocks.filter((b) => b.kind === "chart");
  // "<" cannot end the script element from inside the data.
  const data = JSON.stringify(charts).replaceAll("<", "\\u003c");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${sha256(script)}'`;
  let chart = 0;
  const body = page.blocks.map((block) => section(block, () => chart++)).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${escapeHtml(page.title)}</title>
<style>${styles()}</style>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.subtitle)}</p>
${body}
<script type="application/json" id="charts">${data}</script>
<script>${script}</script>
</html>
`;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

async function clientScript(): Promise<string> {
  const entry = fileURLToPath(new URL("./report-client.ts", import.meta.url));
  const built = await Bun.build({ entrypoints: [entry], target: "browser", minify: true, format: "iife" });
  const script = await built.outputs[0]!.text();
  if (/<\/script|<!--/i.test(script)) throw new Error("the report's script would end its own element");
  return script;
}

function styles(): string {
  const uplot = readFileSync(fileURLToPath(import.meta.resolve("uplot/dist/uPlot.min.css")), "utf8");
  return uplot + readFileSync(new URL("./report-page.css", import.meta.url), "utf8");
}

function section(block: Block, nextChart: () => number): string {
  if (block.kind === "text") return `<p>${escapeHtml(block.text)}</p>`;
  const note = "note" in block && block.note !== undefined ? `<p>${escapeHtml(block.note)}</p>` : "";
  return `<section><h2>${escapeHtml(block.title)}</h2>${note}${content(block, nextChart)}</section>`;
}

function content(block: Exclude<Block, { readonly kind: "text" }>, nextChart: () => number): string {
  switch (block.kind) {
    case "figures":
      return `<dl class="figures">${block.rows
        .map(
          (f) =>
            `<div title="${escapeHtml(f.about ?? "")}"><dt>${escapeHtml(f.name)}</dt><dd>${escapeHtml(f.value)}</dd></div>`,
        )
        .join("")}</dl>`;
    case "table":
      return tableHtml(block);
    case "heat":
      return heatMap(block);
    default:
      return chartHtml(block, nextChart());
  }
}

function chartHtml(chart: Chart, index: number): string {
  const empty = chart.series.every((s) => s.x.length === 0) ? "<p>nothing to draw</p>" : "";
  return `${empty}<div id="chart-${index}"></div>`;
}

function tableHtml({ head, rows }: Table): string {
  const numeric = head.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const cls = (i: number): string => (numeric[i] === true ? ' class="number"' : "");
  const cell = (value: string | number | null): string =>
    value === null ? "" : escapeHtml(typeof value === "number" ? numberText(value) : value);
  const heading = head.map((text, i) => `<th scope="col"${cls(i)}>${escapeHtml(text)}</th>`).join("");
  const body = rows
    .map((row) => `<tr>${row.map((value, i) => `<td${cls(i)}>${cell(value)}</td>`).join("")}</tr>`)
    .join("");
  return `<table><thead><tr>${heading}</tr></thead><tbody>${body}</tbody></table>`;
}
