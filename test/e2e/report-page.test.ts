// Report pages in a real browser; skipped where there is none.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMetrics } from "../../src/analytics/metrics.ts";
import { reportPage } from "../../src/analytics/page/report-page.ts";
import { runPage } from "../../src/analytics/run-page.ts";
import { sessionPage } from "../../src/analytics/session-page.ts";
import { readSession } from "../../src/record/facts/read-session.ts";
import { walSource } from "../../src/record/facts/wal-source.ts";
import { handRun } from "../unit/analytics/hand-run.ts";
import { writeHandSession } from "../unit/record/hand-session.ts";
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

/** The page's ground, and the first chart as a picture. */
const LOOKS = `[
  getComputedStyle(document.body).backgroundColor,
  document.querySelector("#chart-0 canvas").toDataURL(),
]`;

test.skipIf(CHROMIUM === null)(
  "a session's page fits a telephone and follows the reader's theme, its charts too, also when that changes",
  async () => {
    const facts = await readSession(walSource(writeHandSession(dir)), {
      from: null,
      to: null,
      strategy: null,
    });
    const options = { capital: null, intervalNs: 1e9, daysPerYear: 365 };
    const html = await reportPage(sessionPage("Session", facts, runMetrics(facts.result, options), options));
    const page = await open(html);
    await page.until(`document.body.dataset.drawn === "8"`);
    await page.look("light", 1400);
    const [ground, picture] = (await page.evaluate(LOOKS)) as string[];
    await page.look("dark", 1400);
    await page.until(`${LOOKS}[0] !== ${JSON.stringify(ground)}`);
    await page.until(`${LOOKS}[1] !== ${JSON.stringify(picture)}`);
    await page.look("dark", 390);
    await page.until("document.querySelector('#chart-0 canvas').width < 390");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const text = String(await page.evaluate("document.body.innerText"));
    // The hand-computed parts, as test/unit/record/session-report.test.ts has them.
    for (const shown of ["6.18", "8.5", "-2.5", "-0.32", "0.5", "Tick to order p50", "mm XUSDT"])
      expect(text).toContain(shown);
    const links = await page.evaluate("[...document.querySelectorAll('nav a')].map((a) => a.textContent)");
    expect(links).toEqual(["Result", "PnL", "Fills", "Latency", "XUSDT"]);
    const broken = `[...document.querySelectorAll("nav a")].filter((a) => document.querySelector(a.getAttribute("href")) === null).length`;
    expect(await page.evaluate(broken)).toBe(0);
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
      ["1", "color-mix(in srgb, var(--good) 43%, transparent)"],
      ["-2", "color-mix(in srgb, var(--bad) 85%, transparent)"],
      ["", ""],
      ["0.5", "color-mix(in srgb, var(--good) 21%, transparent)"],
    ]);
    expect(page.complaints).toEqual([]);
  },
  40_000,
);
