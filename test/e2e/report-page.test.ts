// Report pages in a real browser; skipped where there is none.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMetrics } from "../../src/analytics/metrics.ts";
import { reportPage } from "../../src/analytics/page/report-page.ts";
import { runPage } from "../../src/analytics/run-page.ts";
import { handRun } from "../unit/analytics/hand-run.ts";
import { Browser, CHROMIUM } from "./admin-browser.ts";

let dir = "";
let browser: Browser | null = null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-report-"));
});
afterEach(async () => {
  await browser?.close();
  browser = null;
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
});

async function open(html: string): Promise<Browser> {
  const file = join(dir, "report.html");
  writeFileSync(file, html);
  browser = await Browser.open(join(dir, "profile"), `file://${file}`);
  return browser;
}

/** Share of a chart's pixels that something was drawn on. */
const inked = (chart: number): string => `(() => {
  const canvas = document.querySelector("#chart-${chart} canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
  return drawn / (data.length / 4);
})()`;

test.skipIf(CHROMIUM === null)(
  "a run's page draws its charts by itself, shows hostile names as text and asks for nothing",
  async () => {
    const run = handRun();
    const options = { capital: 1000, intervalNs: 1e9, daysPerYear: 365 };
    const html = await reportPage(runPage("Backtest <i>x", run, runMetrics(run, options), options));
    expect(html).not.toMatch(/<script[^>]+src=|<link[^>]+href="(?!data:)|@import|url\(/);
    const page = await open(html);
    await page.until(`document.body.dataset.drawn === "6"`);
    expect(await page.evaluate("document.title")).toBe("Backtest <i>x");
    const text = String(await page.evaluate("document.body.innerText"));
    for (const shown of ['X<b>"', "Sharpe", "1,500.86", "97.6563", "66.67 %", "400 ms"])
      expect(text).toContain(shown);
    for (let chart = 0; chart < 6; chart++)
      expect([chart, Number(await page.evaluate(inked(chart))) > 0.005]).toEqual([chart, true]);
    expect(page.complaints).toEqual([]);
  },
  40_000,
);

test.skipIf(CHROMIUM === null)(
  "tables and heat maps stand in the document without a script",
  async () => {
    const html = await reportPage({
      title: "t",
      subtitle: "s",
      blocks: [
        {
          kind: "table",
          title: "T",
          head: ["name", "value"],
          rows: [
            ["a</td>", 1234.5],
            ["b", null],
          ],
        },
        {
          kind: "heat",
          title: "H",
          unit: "bps",
          rowTitle: "hour",
          columnTitle: "symbol",
          rows: ["0", "1"],
          columns: ["A", "B"],
          values: [
            [1, -2],
            [null, 0.5],
          ],
        },
      ],
    });
    const page = await open(html);
    await page.until(`document.body.dataset.drawn === "0"`);
    const cells = `[...document.querySelectorAll("td")].map((td) => [td.textContent, td.style.background])`;
    expect(await page.evaluate(cells)).toEqual([
      ["a</td>", ""],
      ["1,234.5", ""],
      ["b", ""],
      ["", ""],
      ["1", "rgb(151, 188, 230)"],
      ["-2", "rgb(205, 75, 75)"],
      ["", ""],
      ["0.5", "rgb(203, 222, 242)"],
    ]);
    expect(page.complaints).toEqual([]);
  },
  40_000,
);
