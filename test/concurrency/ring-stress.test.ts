// Two workers on one ring, across the Int32 wrap of the cursors: nothing lost, repeated, torn or reordered,
// and no wake-up lost. In the park cases nothing but the doorbell can wake the consumer.
import { describe, expect, test } from "bun:test";
import { RecordMemory } from "../../src/core/record.ts";
import { ArenaPlan } from "../../src/ring/arena.ts";
import { DOORBELL_BYTES } from "../../src/ring/doorbell.ts";
import { planRing, setRingStart } from "../../src/ring/spsc-ring.ts";
import type { StressJob, StressReport } from "./ring-worker.ts";

type Setting = Pick<StressJob, "records" | "wait" | "ownsSocket" | "idleRounds"> & {
  readonly capacity: number;
  readonly oneByOne: boolean;
};

function start(job: StressJob): { worker: Worker; report: Promise<StressReport> } {
  const worker = new Worker(new URL("./ring-worker.ts", import.meta.url).href);
  const report = new Promise<StressReport>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(job);
  return { worker, report };
}

async function stress(
  setting: Setting,
  seed: number,
): Promise<{ sent: StressReport; received: StressReport }> {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "stress", setting.capacity);
  const bell = plan.reserve("doorbell", DOORBELL_BYTES);
  const arena = new SharedArrayBuffer(plan.map().bytes);
  setRingStart(new RecordMemory(arena), ring, (0x7fff_ffff - (setting.records >> 1)) | 0);
  const job = { arena, ring, doorbellOffset: bell.offset, seed, ...setting };
  const consumer = start({ ...job, role: "consume" });
  const producer = start({ ...job, role: setting.oneByOne ? "produceOneByOne" : "produce" });
  try {
    const sent = await producer.report;
    if (sent.stuckAt >= 0) throw new Error(`lost wake-up at record ${sent.stuckAt}`);
    return { sent, received: await consumer.report };
  } finally {
    consumer.worker.terminate();
    producer.worker.terminate();
  }
}

const streaming = { oneByOne: false, capacity: 1024 };
const oneByOne = { oneByOne: true, capacity: 16, records: 20_000, wait: "park" as const };

const CASES: readonly [string, Setting][] = [
  [
    "spin, 1.5 M records",
    { ...streaming, records: 1_500_000, wait: "spin", ownsSocket: false, idleRounds: 100 },
  ],
  [
    "yield, 1 M records",
    { ...streaming, records: 1_000_000, wait: "yield", ownsSocket: true, idleRounds: 16 },
  ],
  [
    "park in Atomics.wait, 1 M records",
    { ...streaming, records: 1_000_000, wait: "park", ownsSocket: false, idleRounds: 2 },
  ],
  [
    "park in the event loop, 1 M records",
    { ...streaming, records: 1_000_000, wait: "park", ownsSocket: true, idleRounds: 2 },
  ],
  [
    "a ring of two records, 200,000 records",
    { ...streaming, capacity: 2, records: 200_000, wait: "park", ownsSocket: false, idleRounds: 50 },
  ],
];

describe("two workers on one ring", () => {
  for (const [name, setting] of CASES) {
    test(`${name}: each once, in order, intact (seed 5)`, async () => {
      const { sent, received } = await stress(setting, 5);
      expect(received).toMatchObject({ count: setting.records, sum: sent.sum, faults: 0 });
    }, 30_000);
  }

  for (const [name, ownsSocket] of [
    ["Atomics.wait", false],
    ["the event loop", true],
  ] as const) {
    test(`no wake-up from ${name} is lost over 20,000 single records with random gaps (seed 6)`, async () => {
      const { sent, received } = await stress({ ...oneByOne, ownsSocket, idleRounds: 3 }, 6);
      expect(received).toMatchObject({ count: oneByOne.records, sum: sent.sum, faults: 0 });
      expect(received.parks).toBeGreaterThan(oneByOne.records / 10);
    }, 30_000);
  }
});
