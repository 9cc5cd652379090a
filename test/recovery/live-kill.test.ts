// kill -9 of the whole runtime at random instants, restart on the same data directory, and in the end an account
// equal to the venue's journal. HOTLANE_KILLS and HOTLANE_SEED choose how often and which; 5 kills per variant
// take about 12 s.
import { afterAll, test } from "bun:test";
import { join } from "node:path";
import { Prng } from "../../src/core/prng.ts";
import { endAll, type LiveOptions, LiveSession, makeDataDir, startVenue } from "../e2e/live-session.ts";
import { type JournalLine, readJournal } from "../e2e/venue-oracle.ts";
import { BREAKS, expectWholeAccount, PER_BREAK_MS, REST_MS, SEED } from "./live-rig.ts";

afterAll(endAll);

const LONGEST_LIFE_MS = 2_000;
const LONGEST_DEATH_MS = 400;

async function killAndRestart(
  options: LiveOptions,
  journal: () => JournalLine[],
  seed: number,
): Promise<void> {
  const prng = new Prng(seed);
  for (let kill = 0; kill < BREAKS; kill++) {
    const live = await LiveSession.start(options);
    await Bun.sleep(prng.nextBelow(LONGEST_LIFE_MS));
    live.signal("SIGKILL");
    await live.end();
    await Bun.sleep(prng.nextBelow(LONGEST_DEATH_MS));
  }
  await expectWholeAccount(options, journal);
}

test(
  `${BREAKS} kills at random instants, venue and all, lose and double nothing (seed ${SEED})`,
  async () => {
    const dir = makeDataDir();
    const journal = () => readJournal(join(dir, "venue", "journal.jsonl"));
    await killAndRestart({ dir, toml: "[sim]\nspeed = 8\n" }, journal, SEED);
  },
  REST_MS + BREAKS * PER_BREAK_MS,
);

test(
  `${BREAKS} kills while orders stay working and fill at a venue that lives on (seed ${SEED + 1})`,
  async () => {
    const venue = await startVenue(makeDataDir(), ["--speed", "8", "--rate-limit-factor", "20"]);
    await killAndRestart({ dir: makeDataDir(), toml: venue.toml() }, venue.journal, SEED + 1);
    await venue.stop();
  },
  REST_MS + BREAKS * PER_BREAK_MS,
);
