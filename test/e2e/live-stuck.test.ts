// A lane whose thread does not return, with the hot lanes in workers of their own: FEED, FACTOR and WRITER (EXECUTION
// and main: live-dead.test.ts). The venue's journal says what happened to the orders. About 30 s.
import { afterAll, afterEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKillWord } from "../../src/risk/kill-word.ts";
import { KILL_ARMED, KILL_KILLED } from "../../src/wire/codes.ts";
import { expectFillsOnce, expectSameAccount } from "./live-checks.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  type SeparateVenue,
  startVenue,
  until,
} from "./live-session.ts";
import { type JournalLine, openOrders } from "./venue-oracle.ts";

const STALL_MS = 1000;
const FRESHNESS_MS = 1500;
const NEVER_MS = 60_000;
const PRELOAD = `--preload=${join(import.meta.dir, "../recovery/lane-breaker.ts")}`;

let venue: SeparateVenue;
afterEach(() => venue.stop());
afterAll(endAll);

const open = () => openOrders(venue.journal()).length;
const places = () =>
  venue.journal().filter((line: JournalLine) => line.k === "request" && line["op"] === "order.place").length;

/** Trading with orders at the venue; `faults` is where the lanes look for what to suffer. */
async function trading(stallMs: number): Promise<{ live: LiveSession; faults: string }> {
  venue = await startVenue(makeDataDir(), ["--speed", "2", "--rate-limit-factor", "20"]);
  const faults = makeDataDir();
  const settings = [
    `lanes.topology="lanes"`,
    `engine.stall_ms=${stallMs}`,
    `risk.freshness_ms=${FRESHNESS_MS}`,
  ];
  const live = await LiveSession.start({
    dir: makeDataDir(),
    toml: venue.toml(),
    args: settings.flatMap((setting) => ["--set", setting]),
    env: { HOTLANE_TEST_FAULTS: faults, BUN_OPTIONS: PRELOAD },
  });
  await until("working orders", () => open() >= 2);
  return { live, faults };
}

for (const lane of ["feed", "factor", "writer"] as const) {
  test(`lane ${lane} stuck: its silence is the kill, nothing is left open, and the account is whole after a rearm`, async () => {
    const { live, faults } = await trading(STALL_MS);
    writeFileSync(join(faults, `hang-${lane}`), "");
    const { code, err } = await live.end();
    expect({ code, open: open(), told: err.includes(`lane ${lane}: no heartbeat for`) }).toEqual({
      ...{ code: 1, open: 0, told: true },
    });
    expect(openKillWord(live.dir).view().state).toBe(KILL_KILLED);
    expect((await ctl(live.dir, "rearm", "--why", "looked at it")).code).toBe(0);
    const again = await LiveSession.start({ dir: live.dir, toml: venue.toml() });
    await until("working orders", () => open() > 0);
    const { code: last, summary } = await again.stop();
    expect({ code: last, end: summary.end }).toEqual({ code: 0, end: "clean" });
    expectSameAccount(summary, venue.journal());
    await expectFillsOnce(live.dir, venue.journal());
  }, 90_000);
}

for (const lane of ["feed", "factor"] as const) {
  test(`lane ${lane} held up for less than a stall: orders go when the book is too old, and come back with the lane`, async () => {
    const { live, faults } = await trading(NEVER_MS);
    writeFileSync(join(faults, `hang-${lane}`), "");
    await Bun.sleep(FRESHNESS_MS + 1000);
    await until("no open order", () => open() === 0);
    const quiet = places();
    await Bun.sleep(500);
    expect({ open: open(), places: places() }).toEqual({ open: 0, places: quiet });
    expect(openKillWord(live.dir).view().state).toBe(KILL_ARMED);
    rmSync(join(faults, `hang-${lane}`));
    await until("working orders", () => open() > 0);
    const { code, summary } = await live.stop();
    expect({ code, end: summary.end }).toEqual({ code: 0, end: "clean" });
    expectSameAccount(summary, venue.journal());
  }, 90_000);
}
