// kill -9 of a process that journals, at random instants: what was acknowledged is there, what is there is
// true, and the next session goes on at the right position.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES } from "../../src/core/record.ts";
import { inspectWal } from "../../src/journal/inspect.ts";
import { recoverWal } from "../../src/journal/recovery.ts";
import { readWal } from "../../src/journal/wal-reader.ts";
import { Trade } from "../../src/wire/messages.gen.ts";

const KILLS = 10;
const SEED = 31_337;
const CHILD = join(import.meta.dir, "wal-child.ts");

interface Death {
  /** Published and acknowledged when the child last spoke. */
  readonly published: number;
  readonly acknowledged: number;
}

async function runUntilKilled(
  dir: string,
  seed: number,
  start: number,
  fsync: string,
  afterMs: number,
): Promise<Death> {
  const child = Bun.spawn([process.execPath, CHILD, dir, String(seed), "0", String(start), fsync], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let output = "";
  const decoder = new TextDecoder();
  let timer: Timer | undefined;
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk);
    timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
    // Only the last whole line matters.
    output = output.slice(Math.max(0, output.lastIndexOf("\n", output.length - 2)));
  }
  await child.exited;
  clearTimeout(timer);
  const lines = output.slice(0, output.lastIndexOf("\n")).trim().split("\n");
  const [published, acknowledged] = lines.at(-1)!.split(" ").map(Number);
  return { published: published!, acknowledged: acknowledged! };
}

/** The numbers of one session's records, in journal order, each checked against its header. */
function numbersFrom(dir: string, from: number): number[] {
  const numbers: number[] = [];
  const trade = new Trade(allocateRecordMemory(1));
  const { problems } = readWal(
    dir,
    (batch) => {
      for (let i = 0; i < batch.count; i++) {
        const { sequence, tradeIdLo } = trade.wrap(batch.memory, batch.at + i * RECORD_BYTES);
        expect(sequence).toBe(tradeIdLo);
        numbers.push(tradeIdLo);
      }
    },
    { from },
  );
  expect(problems).toEqual([]);
  return numbers;
}

test(`kill -9 at ${KILLS} random instants loses at most the unacknowledged window (seed ${SEED})`, async () => {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-kill-"));
  const prng = new Prng(SEED);
  let start = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const fsync = ["none", "interval", "batch"][kill % 3]!;
      const death = await runUntilKilled(dir, 1 + kill, start, fsync, 5 + prng.nextBelow(60));
      const recovery = recoverWal(dir);
      expect(recovery.problems.every((p) => p.kind === "torn")).toBe(true);
      expect(recovery.endPosition).toBeGreaterThanOrEqual(death.acknowledged);
      const numbers = numbersFrom(dir, start);
      expect(numbers.length).toBe(recovery.endPosition - start);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i));
      // Never more than was published since: the ring's capacity and one turn bound the window.
      expect(recovery.endPosition - death.acknowledged).toBeLessThanOrEqual(2 * 1024);
      expect(inspectWal(dir)).toMatchObject({ brokenGroups: [], problems: [] });
      start = recovery.endPosition;
    }
    expect(start).toBeGreaterThan(1000);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 30_000);
