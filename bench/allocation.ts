// bun bench/allocation.ts [--events N]: plays the capture through the whole lane (harness/pipeline-rig.ts) until N
// messages and answers have passed after warm-up, and prints one JSON line with what the heap grew by and how many
// collections happened while they did. A process of its own, because a heap in which other tests live grows and
// collects for reasons of theirs.
//
// Method (BUN.md): growth of the heap's capacity over each play, two blocks of 16 KB being noise; a collection
// is seen by a sentinel that only a collection can take. `control` is the same probe over one small object per
// message: what it would have seen.
import { heapStats } from "bun:jsc";
import { parseArgs } from "node:util";
import { loadCaptureMessages } from "./harness/capture-messages.ts";
import { PipelineRig, PipelineStage } from "./harness/pipeline-rig.ts";

const WARM_UP_PLAYS = 6;
const HEAP_BLOCK_BYTES = 16_384;
/** Environment variable of Bun that turns its timed collections off. */
const GC_TIMER_OFF = "BUN_GC_TIMER_DISABLE";

export interface AllocationReport {
  readonly events: number;
  readonly requests: number;
  readonly growthBytes: number;
  readonly collections: number;
  /** What the probe sees of one small object per message. */
  readonly control: number;
  /** Forced collections between plays that the sentinel saw. */
  readonly controlCollections: number;
}

let kept: unknown;

const heldBytes = (): number => heapStats().heapCapacity + heapStats().extraMemorySize;

/** Growth of the heap while `run` works. */
function growth(run: () => void): number {
  Bun.gc(true);
  const before = heldBytes();
  run();
  return Math.max(0, heldBytes() - before - 2 * HEAP_BLOCK_BYTES);
}

export async function measureAllocation(events: number): Promise<AllocationReport> {
  let collections = 0;
  const registry = new FinalizationRegistry<number>(() => {
    collections++;
  });
  const stage = await PipelineStage.open(await loadCaptureMessages());
  const count = stage.messages.bytes.length;
  let seen = 0;
  let requests = 0;
  let growthBytes = 0;
  let counted = 0;
  for (let play = 0; seen < events; play++) {
    const rig = new PipelineRig(stage);
    await rig.start();
    const measured = play >= WARM_UP_PLAYS;
    // Collected once before the sentinel is born and not again unless something allocates.
    Bun.gc(true);
    await Bun.sleep(0);
    const before = collections;
    registry.register({}, play);
    const grown = growthOf(rig, count);
    await Bun.sleep(0);
    await Bun.sleep(0);
    if (!measured) continue;
    seen += count;
    requests += rig.responder.requests;
    growthBytes += grown;
    counted += collections - before;
  }
  const control = growth(() => {
    for (let i = 0; i < count; i++) kept = { i };
  });
  if (kept === null) throw new Error("unreachable");
  return {
    events: seen,
    requests,
    growthBytes,
    collections: counted,
    control,
    controlCollections: collections - counted,
  };
}

function growthOf(rig: PipelineRig, count: number): number {
  const before = heldBytes();
  rig.play(0, count);
  return Math.max(0, heldBytes() - before - 2 * HEAP_BLOCK_BYTES);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { events: { type: "string", default: "10000000" } } });
  // Bun also collects by the clock, whether anything was allocated or not: such a collection is no finding.
  if (process.env[GC_TIMER_OFF] === "1") {
    console.log(JSON.stringify(await measureAllocation(Number(values.events))));
  } else {
    const env = { ...process.env, [GC_TIMER_OFF]: "1" };
    const again = [process.execPath, import.meta.path, ...process.argv.slice(2)];
    process.exit(Bun.spawnSync(again, { env, stdio: ["ignore", "inherit", "inherit"] }).exitCode);
  }
}
