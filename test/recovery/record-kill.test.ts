// The recorder under kill -9 of whatever takes part: the runtime (with its writer lane), the recorder's process, the
// embedded ClickHouse, and a ClickHouse that hangs for a while. In the end the store holds what the venue's journal
// says: no fill or order missing, none twice, and the aggregates agree. HOTLANE_KILLS and HOTLANE_SEED choose how
// often and which; 20 kills take about a minute.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Prng } from "../../src/core/prng.ts";
import { LIBRARY, sessionEngine } from "../e2e/embedded.ts";
import { endAll, type LiveOptions, LiveSession, makeDataDir, until } from "../e2e/live-session.ts";
import {
  expectFillRows,
  expectOrderRows,
  expectPositionRows,
  expectSingleRows,
} from "../e2e/store-checks.ts";
import { readJournal } from "../e2e/venue-oracle.ts";

afterAll(endAll);

const KILLS = Number(process.env["HOTLANE_KILLS"] ?? 20);
const SEED = Number(process.env["HOTLANE_SEED"] ?? 20261128);
const LONGEST_LIFE_MS = 1_800;
const LONGEST_HANG_MS = 700;
const PER_KILL_MS = 10_000;
const VICTIMS = ["runtime", "recorder", "clickhouse", "runtime", "clickhouse", "hang"] as const;
const ENTRIES = { recorder: "recorder-process.ts", clickhouse: "embedded/serve.ts" } as const;

/** The process below `pid` that runs `entry`; 0 = there is none now. */
function below(pid: number, entry: string): number {
  try {
    const pids = readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
      readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8").trim().split(" "),
    );
    for (const child of pids.filter((text) => text !== "").map(Number)) {
      if (readFileSync(`/proc/${child}/cmdline`, "utf8").includes(entry)) return child;
      const found = below(child, entry);
      if (found !== 0) return found;
    }
  } catch {
    // It has just ended.
  }
  return 0;
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    if (pid > 0) process.kill(pid, name);
  } catch {
    // It has just ended.
  }
};

async function killOne(live: LiveSession, victim: (typeof VICTIMS)[number], prng: Prng): Promise<void> {
  if (victim === "runtime") {
    await Bun.sleep(prng.nextBelow(2 * LONGEST_LIFE_MS));
    live.signal("SIGKILL");
    await live.end();
    return;
  }
  const entry = ENTRIES[victim === "hang" ? "clickhouse" : victim];
  await until(`${entry} to run`, () => below(live.pid, entry) !== 0, 60_000);
  await Bun.sleep(prng.nextBelow(LONGEST_LIFE_MS));
  const pid = below(live.pid, entry);
  if (victim !== "hang") signal(pid, "SIGKILL");
  else {
    signal(pid, "SIGSTOP");
    await Bun.sleep(prng.nextBelow(LONGEST_HANG_MS));
    signal(pid, "SIGCONT");
  }
}

test.skipIf(LIBRARY === null)(
  `${KILLS} kills at random instants: the store has every fill and order of the venue once (seed ${SEED})`,
  async () => {
    const prng = new Prng(SEED);
    const dir = makeDataDir();
    const options: LiveOptions = {
      dir,
      toml: "[sim]\nspeed = 8\n[recorder]\nfinish_ms = 60000\n",
      env: { HOTLANE_NO_CLICKHOUSE: "0" },
    };
    let live = await LiveSession.start(options);
    const tally: Record<string, number> = {};
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = VICTIMS[prng.nextBelow(VICTIMS.length)]!;
      tally[victim] = (tally[victim] ?? 0) + 1;
      await killOne(live, victim, prng);
      if (victim === "runtime") live = await LiveSession.start(options);
    }
    await until("the recorder to be at work again", () => below(live.pid, ENTRIES.clickhouse) !== 0, 60_000);
    const { code, summary, err } = await live.stop();
    expect({ code, end: summary.end, recorder: summary.recorder.state, err: code === 0 ? "" : err }).toEqual({
      ...{ code: 0, end: "clean", recorder: "done", err: "" },
    });
    const lines = readJournal(join(dir, "venue", "journal.jsonl"));
    const engine = await sessionEngine(dir);
    try {
      await expectFillRows(engine, lines);
      await expectOrderRows(engine, dir, lines);
      await expectPositionRows(engine, lines);
      await expectSingleRows(engine);
    } finally {
      await engine.close();
    }
    const fills = lines.filter((line) => line.k === "fill").length;
    console.log(`kills ${JSON.stringify(tally)}: ${fills} fills, none missing, none twice (seed ${SEED})`);
  },
  60_000 + KILLS * PER_KILL_MS,
);
