// A report as one self-contained HTML document: style, script and data are inline and the document's own policy
// forbids any other source, so it opens anywhere and never asks the network. Text reaches the page escaped. Cold.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { anchor, blockHtml } from "./block-html.ts";
import { escapeHtml } from "./html-text.ts";
import type { Page } from "./page-model.ts";

export async function reportPage(page: Page): Promise<string> {
  const script = await clientScript();
  const charts = page.blocks.filter((b) => b.kind === "chart");
  // "<" cannot end the script element from inside the data.
  const data = JSON.stringify(charts).replaceAll("<", "\\u003c");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${sha256(script)}'`;
  let chart = 0;
  const body = page.blocks.map((block) => blockHtml(block, () => chart++)).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${escapeHtml(page.title)}</title>
<style>${styles()}</style>
<header><h1>${escapeHtml(page.title)}</h1><p>${escapeHtml(page.subtitle)}</p></header>
${navigation(page)}<main>
${body}
</main>
<script type="application/json" id="charts">${data}</script>
<script>${script}</script>
</html>
`;
}

function navigation({ blocks }: Page): string {
  const titles = blocks.flatMap((block) => (block.kind === "heading" ? [block.title] : []));
  if (titles.length < 2) return "";
  const links = titles.map((title) => `<a href="#${anchor(title)}">${escapeHtml(title)}</a>`);
  return `<nav>${links.join("")}</nav>\n`;
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
  const own = ["./theme.css", "./report-page.css"].map((name) =>
    readFileSync(new URL(name, import.meta.url), "utf8"),
  );
  return uplot + own.join("");
}
