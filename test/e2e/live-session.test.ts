// A whole session of the real runtime against the simulated venue, and a second one on the same data directory.
// Takes about 25 s: two sessions in real time.
import { afterAll, expect, test } from "bun:test";
import { expectFillsOnce, expectSameAccount } from "./live-checks.ts";
import { endAll, LiveSession, makeDataDir, summaryOf } from "./live-session.ts";
import { holdings, lotsOf, nonceOf, openOrders, orderCounts, scaled } from "./venue-oracle.ts";

afterAll(endAll);

const nonce = (session: string) => session.slice(session.indexOf("-") + 1);

test("two sessions in a row agree with the venue's journal to the last digit", async () => {
  const dir = makeDataDir();
  for (const [seconds, sessions] of [
    [12, 1],
    [6, 2],
  ] as const) {
    const live = await LiveSession.start({ dir, warm: sessions === 1, args: ["--for", `${seconds}s`] });
    const ended = await live.end();
    const summary = summaryOf(ended);
    const lines = live.journal();
    expect({ code: ended.code, end: summary.end, drops: summary.drops }).toEqual({
      ...{ code: 0, end: "clean", drops: 0 },
    });
    expectSameAccount(summary, lines);
    await expectFillsOnce(dir, lines);
    const own = nonce(summary.session);
    const counts = orderCounts(lines, own);
    expect(summary.orders).toMatchObject({ ...counts0(counts), unknown: 0 });
    const held = [...holdings(lines, (line) => nonceOf(line["c"]) === own).values()];
    expect(summary.fills.count).toBe(held.reduce((sum, h) => sum + h.fills, 0));
    for (const [symbol, volume] of Object.entries(summary.fills.volume)) {
      const lots = held.filter((h) => h.symbol === symbol).reduce((sum, h) => sum + h.volumeLots, 0n);
      expect(scaled(volume)).toBe(lotsOf(symbol, lots));
    }
    expect(held.reduce((sum, h) => sum + h.fills, 0)).toBeGreaterThan(0);
    // The first session is long enough for both; the second may end before the slower one is filled.
    for (const strategy of sessions === 1 ? [1, 2] : [])
      expect(held.filter((h) => h.strategy === strategy && h.fills > 0)).not.toEqual([]);
    expect(openOrders(lines)).toEqual([]);
    expect(lines.filter((line) => line.k === "start")).toHaveLength(sessions);
    expect(summary.feed).toMatchObject({ gaps: 0, malformed: 0 });
    expect(summary.lanes.length).toBeGreaterThan(1);
    expect(summary.journal.records).toBeGreaterThan(1000);
    expect(summary.latencyNs["tickToOrder"]!.count).toBeGreaterThan(0);
  }
}, 60_000);

const counts0 = (c: ReturnType<typeof orderCounts>) => ({
  ...{ sent: c.placed, acked: c.acked, canceled: c.canceled, filled: c.filled, rejected: c.rejected },
});
