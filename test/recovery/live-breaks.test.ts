// Parts of a running system that break at random instants: the worker of any lane, any connection to the venue,
// the process while it is still recovering from a cut. In the end an account equal to the venue's journal.
// HOTLANE_KILLS and HOTLANE_SEED choose how often and which.
import { afterAll, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Prng } from "../../src/core/prng.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  type SeparateVenue,
  startVenue,
} from "../e2e/live-session.ts";
import { openOrders } from "../e2e/venue-oracle.ts";
import { BREAKS, expectWholeAccount, PER_BREAK_MS, REST_MS, SEED } from "./live-rig.ts";

afterAll(endAll);

const LANES = ["feed", "factor", "execution", "writer"] as const;
const ROUTES = ["public", "market", "private", "api"] as const;
const LONGEST_LIFE_MS = 1_500;
/** From within a reconciliation to long after it. */
const LONGEST_AFTER_CUT_MS = 600;
const VENUE = ["--speed", "8", "--rate-limit-factor", "50"];
const FAST = "reconnect_min_ms = 50\nreconnect_max_ms = 500\norder_timeout_ms = 1000\n";
const EXIT_FAILED = 1;

const settings = (venue: SeparateVenue): string => `${venue.toml()}${FAST}`;

test(
  `the worker of a lane ends, ${BREAKS} times at random: killed, nothing left open, whole after a rearm (seed ${SEED})`,
  async () => {
    const prng = new Prng(SEED);
    const venue = await startVenue(makeDataDir(), VENUE);
    const [dir, faults] = [makeDataDir(), makeDataDir()];
    const options = { dir, toml: settings(venue), args: ["--set", 'lanes.topology="lanes"'] };
    const preload = `--preload=${join(import.meta.dir, "lane-breaker.ts")}`;
    for (let k = 0; k < BREAKS; k++) {
      const lane = LANES[(k + prng.nextBelow(2)) % LANES.length]!;
      const env = { HOTLANE_TEST_FAULTS: faults, BUN_OPTIONS: preload };
      const live = await LiveSession.start({ ...options, env });
      await Bun.sleep(prng.nextBelow(LONGEST_LIFE_MS));
      writeFileSync(join(faults, `terminate-${lane}`), "");
      const { code, err } = await live.end();
      rmSync(join(faults, `terminate-${lane}`));
      expect({ lane, code, told: err.includes(`lane ${lane}`) }).toEqual({
        lane,
        code: EXIT_FAILED,
        told: true,
      });
      expect(openOrders(venue.journal())).toEqual([]);
      expect((await ctl(dir, "rearm", "--why", "looked at it")).code).toBe(0);
    }
    await expectWholeAccount(options, venue.journal);
    await venue.stop();
  },
  REST_MS + BREAKS * PER_BREAK_MS,
);

test(
  `connections are cut, ${2 * BREAKS} times at random, and every third time the process is killed at once after (seed ${SEED + 1})`,
  async () => {
    const prng = new Prng(SEED + 1);
    const venue = await startVenue(makeDataDir(), VENUE);
    const options = { dir: makeDataDir(), toml: settings(venue) };
    let live = await LiveSession.start(options);
    for (let k = 0; k < 2 * BREAKS; k++) {
      await Bun.sleep(prng.nextBelow(LONGEST_LIFE_MS));
      const route = ROUTES[prng.nextBelow(ROUTES.length)]!;
      const body = JSON.stringify({ kind: "cut", route });
      expect((await fetch(`${venue.url}/sim/fault`, { method: "POST", body })).ok).toBe(true);
      await Bun.sleep(prng.nextBelow(LONGEST_AFTER_CUT_MS));
      if (k % 3 !== 2) continue;
      live.signal("SIGKILL");
      await live.end();
      live = await LiveSession.start(options);
    }
    expect((await live.stop()).code).toBe(0);
    await expectWholeAccount(options, venue.journal);
    await venue.stop();
  },
  REST_MS + 2 * BREAKS * PER_BREAK_MS,
);
