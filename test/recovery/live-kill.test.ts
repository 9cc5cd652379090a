// kill -9 of the whole runtime at random instants, restart on the same data directory, and in the end an account
// equal to the venue's journal: no fill missing or doubled, no order unaccounted for. HOTLANE_KILLS and
// HOTLANE_SEED choose how often and which; 5 kills per variant take about 12 s.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Prng } from "../../src/core/prng.ts";
import { recoverWal } from "../../src/journal/recovery.ts";
import { expectFillsOnce, expectSameAccount } from "../e2e/live-checks.ts";
import { endAll, type LiveOptions, LiveSession, makeDataDir, startVenue } from "../e2e/live-session.ts";
import { type JournalLine, nonceOf, openOrders, readJournal } from "../e2e/venue-oracle.ts";

afterAll(endAll);

const KILLS = Number(process.env["HOTLANE_KILLS"] ?? 5);
const SEED = Number(process.env["HOTLANE_SEED"] ?? 20261121);
const LONGEST_LIFE_MS = 2_000;
const LONGEST_DEATH_MS = 400;
const LAST_LIFE_MS = 1_500;
const PER_KILL_MS = 8_000;

async function killAndRestart(
  options: LiveOptions,
  journal: () => JournalLine[],
  seed: number,
): Promise<void> {
  const prng = new Prng(seed);
  for (let kill = 0; kill < KILLS; kill++) {
    const live = await LiveSession.start(options);
    await Bun.sleep(prng.nextBelow(LONGEST_LIFE_MS));
    live.signal("SIGKILL");
    await live.end();
    await Bun.sleep(prng.nextBelow(LONGEST_DEATH_MS));
  }
  const last = await LiveSession.start(options);
  await Bun.sleep(LAST_LIFE_MS);
  const { code, summary, err } = await last.stop();
  expect({ code, end: summary.end, err: code === 0 ? "" : err }).toEqual({ code: 0, end: "clean", err: "" });
  const lines = journal();
  expectSameAccount(summary, lines);
  await expectFillsOnce(options.dir, lines);
  expect(openOrders(lines)).toEqual([]);
  expect(journalledAsOpen(options.dir, lines)).toEqual([]);
  expect(sessionsOf(lines)).toBeGreaterThan(1);
}

/** Orders that the WAL holds as open and the venue has heard of: their end must have been journalled. */
function journalledAsOpen(dir: string, lines: readonly JournalLine[]): string[] {
  const heard = new Set(
    lines.filter((line) => line.k === "order").map((line) => line["c"].split("-").toSpliced(1, 1).join("-")),
  );
  return recoverWal(join(dir, "wal"), { repair: false })
    .openOrders.map((o) => `h${o.nonce.toString(36).padStart(11, "0")}-${o.clientSeq.toString(36)}`)
    .filter((id) => heard.has(id));
}

const sessionsOf = (lines: readonly JournalLine[]): number =>
  new Set(lines.filter((line) => line.k === "order").map((line) => nonceOf(line["c"]))).size;

test(
  `${KILLS} kills at random instants, venue and all, lose and double nothing (seed ${SEED})`,
  async () => {
    const dir = makeDataDir();
    const journal = () => readJournal(join(dir, "venue", "journal.jsonl"));
    await killAndRestart({ dir, toml: "[sim]\nspeed = 8\n" }, journal, SEED);
  },
  30_000 + KILLS * PER_KILL_MS,
);

test(
  `${KILLS} kills while orders stay working and fill at a venue that lives on (seed ${SEED + 1})`,
  async () => {
    const venueDir = makeDataDir();
    const venue = await startVenue(venueDir, ["--speed", "8", "--rate-limit-factor", "20"]);
    const dir = makeDataDir();
    await killAndRestart({ dir, toml: venue.toml() }, venue.journal, SEED + 1);
    await venue.stop();
  },
  30_000 + KILLS * PER_KILL_MS,
);
