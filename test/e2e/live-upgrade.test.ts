// A graceful upgrade: `live --upgrade` ends the instance that runs on its data directory and goes on where that one
// left off. The venue's journal shows the orders and fills of both, the ledger of the second must hold them all.
// About 25 s.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectFillsOnce, expectSameAccount } from "./live-checks.ts";
import { endAll, LiveSession, makeDataDir, runLive, startVenue, summaryOf, until } from "./live-session.ts";
import { type JournalLine, nonceOf, openOrders } from "./venue-oracle.ts";

afterAll(endAll);

/** One that fills all the time, and one whose orders stay where they are. */
const STRATEGIES = `
[[strategies]]
name = "obi-mm"
module = "builtin:obi-mm"
graph = "${join(import.meta.dir, "../../config/graphs/obi_mm_factors.toml")}"
instruments = ["BTCUSDT"]
[[strategies]]
name = "tick-mm"
module = "builtin:tick-mm"
instruments = ["ETHUSDT"]
params = { offset_ticks = 2000, min_move_ticks = 1000 }
`;

const isPlace = (line: JournalLine) => line.k === "request" && line["op"] === "order.place";
const sessions = (lines: readonly JournalLine[]) => [
  ...new Set(lines.filter(isPlace).map((line) => nonceOf(line["params"].newClientOrderId))),
];

for (const orders of ["pulled", "kept"] as const) {
  test(`the new instance takes over, orders ${orders}: no fill is lost, no order is nobody's`, async () => {
    const venue = await startVenue(makeDataDir(), ["--speed", "8", "--rate-limit-factor", "20"]);
    const dir = makeDataDir();
    const toml = venue.toml() + STRATEGIES;
    const first = await LiveSession.start({ dir, toml });
    await until("fills", () => venue.journal().filter((line) => line.k === "fill").length > 5, 20_000);
    await until("working orders", () => openOrders(venue.journal()).length > 0);
    const args = ["--upgrade", ...(orders === "kept" ? ["--keep"] : [])];
    const second = await LiveSession.start({ dir, toml, args });
    const ended = await first.end();
    expect({ code: ended.code, end: summaryOf(ended).end }).toEqual({ code: 0, end: "clean" });
    const [before, after] = await newSession(venue.journal);
    const ofFirst = (lines: readonly JournalLine[]) =>
      openOrders(lines).filter((id) => nonceOf(id) === before);
    // Those of tick-mm stay where they are: the second quotes by them, and asks for nothing there.
    const goesOn = ofFirst(venue.journal());
    const { code, summary, err } = await second.stop();
    expect({ code, end: summary.end }).toEqual({ code: 0, end: "clean" });
    expect(err).toContain("upgrade: the instance before has ended");

    const lines = venue.journal();
    const lastOfFirst = lines.findLastIndex(
      (l) => isPlace(l) && nonceOf(l["params"].newClientOrderId) === before,
    );
    const firstOfSecond = lines.findIndex(
      (l) => isPlace(l) && nonceOf(l["params"].newClientOrderId) === after,
    );
    expect(lastOfFirst).toBeLessThan(firstOfSecond);
    const inBetween = ofFirst(lines.slice(0, firstOfSecond)).length;
    if (orders === "kept") {
      expect(inBetween).toBeGreaterThan(0);
      expect(goesOn.length).toBeGreaterThanOrEqual(2);
      const ethereum = (l: JournalLine) => isPlace(l) && l["params"].symbol === "ETHUSDT";
      expect(lines.slice(firstOfSecond).filter(ethereum)).toEqual([]);
    } else expect([inBetween, goesOn.length]).toEqual([0, 0]);
    expectSameAccount(summary, lines);
    await expectFillsOnce(dir, lines);
    expect(openOrders(lines)).toEqual([]);
    await venue.stop();
  }, 60_000);
}

/** Nonces of the two sessions, when the second trades. */
async function newSession(journal: () => JournalLine[]): Promise<[string, string]> {
  await until("orders of the second", () => sessions(journal()).length === 2, 20_000);
  const [before, after] = sessions(journal());
  return [before!, after!];
}

test("a version that cannot start does not end the one that trades; without one it is a plain start", async () => {
  const venue = await startVenue(makeDataDir(), ["--speed", "4"]);
  const dir = makeDataDir();
  const live = await LiveSession.start({ dir, toml: venue.toml(), args: ["--upgrade"] });
  await until("working orders", () => openOrders(venue.journal()).length > 0);
  const module = join(dir, "broken.ts");
  writeFileSync(module, "export default { name: 1 };\n");
  const broken = join(dir, "broken.toml");
  const strategy = `[[strategies]]\nname = "x"\nmodule = "${module}"\ninstruments = ["ETHUSDT"]\n`;
  writeFileSync(broken, venue.toml() + strategy);
  const refused = await runLive(["--upgrade", "--data-dir", dir, "--config", broken]);
  expect({ code: refused.code, names: refused.err.includes("strategy x") }).toEqual({ code: 2, names: true });
  expect(live.runInfo()?.pid).toBe(live.pid);
  const usage = await runLive(["--keep", "--data-dir", dir]);
  expect(usage.code).toBe(2);
  expect((await live.stop()).code).toBe(0);
  await venue.stop();
}, 40_000);
