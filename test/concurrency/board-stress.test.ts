import { expect, test } from "bun:test";
import { BoardReader, planBoard } from "../../src/lane/board.ts";
import { ArenaPlan, STOP_WORD_I32 } from "../../src/ring/arena.ts";

/** Distinct updates to see; on a crowded machine the time limit comes first. */
const UPDATES = 20_000;
const LIMIT_MS = 3000;
const SLOTS = 48;

test("a reader never sees half an update of a board that is written all the time", async () => {
  const plan = new ArenaPlan();
  const location = planBoard(plan, "stress", SLOTS);
  const arena = new SharedArrayBuffer(plan.map().bytes);
  const worker = new Worker(new URL("./board-worker.ts", import.meta.url).href);
  const finished = new Promise<number>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage({ arena, location });
  const reader = new BoardReader(arena, location);
  const into = new Float64Array(SLOTS);
  while (!reader.read(into) || into[0] === 0) await Bun.sleep(1);
  let torn = 0;
  let seen = 0;
  let backwards = 0;
  let previous = 0;
  const deadline = performance.now() + LIMIT_MS;
  while (seen < UPDATES && performance.now() < deadline) {
    if (!reader.read(into)) continue;
    const first = into[0]!;
    for (let i = 1; i < SLOTS; i++) if (into[i] !== first + i) torn++;
    if (first < previous) backwards++;
    if (first !== previous) seen++;
    previous = first;
  }
  Atomics.store(new Int32Array(arena), STOP_WORD_I32, 1);
  const updates = await finished;
  worker.terminate();
  expect({ torn, backwards }).toEqual({ torn: 0, backwards: 0 });
  expect(seen).toBeGreaterThan(10);
  expect(updates).toBeGreaterThan(seen);
}, 15_000);
