// The default mode's results are what they were: test/data/golden/default-mode.json has a digest per case. A change that
// should change no result (speed, structure) leaves them alone; one that should is renewed, with the reason in its
// commit: `RENEW_DIGESTS=1 bun test ./test/unit/backtest/default-mode.test.ts`, then read the diff: it says which cases.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { defaultCases, runTrader } from "./default-cases.ts";
import { randomMarket } from "./random-market.ts";

const FILE = join(import.meta.dir, "../../data/golden/default-mode.json");
const cases = defaultCases();
const stored: Record<string, string> = (await Bun.file(FILE).exists()) ? await Bun.file(FILE).json() : {};

if (process.env["RENEW_DIGESTS"] === "1") {
  const renewed: Record<string, string> = {};
  for (const one of cases) renewed[one.name] = await one.run();
  await Bun.write(FILE, `${JSON.stringify(renewed, null, 2)}\n`);
  Object.assign(stored, renewed);
}

test.each(cases.map((one) => [one.name, one] as const))(
  "default mode, unchanged result: %s",
  async (name, one) => {
    expect(await one.run()).toBe(stored[name] ?? "no digest is stored: see the head of this file");
  },
  30_000,
);

test("digests are stored for these cases and no others", () => {
  expect(Object.keys(stored).sort()).toEqual(cases.map((one) => one.name).sort());
});

test("one lot more in one row, one ns more of latency, another model: each is another digest", () => {
  const run = (change: number, terms: Parameters<typeof runTrader>[3] = {}): string =>
    runTrader([randomMarket(2, 3000, change)], 14, 8000, { byFeed: true, ...terms });
  const same = run(-1);
  expect(run(-1)).toBe(same);
  const others = [
    run(22),
    run(-1, { entryNs: 3e6 + 1 }),
    run(-1, { queue: "risk" }),
    run(-1, { partialFills: false }),
  ];
  expect(new Set([same, ...others]).size).toBe(5);
}, 30_000);
