// One end of a ring under stress, in a worker of its own: see ring-stress.test.ts.
import { monotonicNs } from "../../ffi/host.ts";
import { Prng } from "../../src/core/prng.ts";
import { type RecordHandler, RecordMemory } from "../../src/core/record.ts";
import type { Agent } from "../../src/lane/agent.ts";
import { DutyCycle, type WaitStrategy } from "../../src/lane/duty-cycle.ts";
import { STOP_WORD_I32 } from "../../src/ring/arena.ts";
import { Doorbell } from "../../src/ring/doorbell.ts";
import { RingConsumer, type RingLocation, RingProducer } from "../../src/ring/spsc-ring.ts";

export interface StressJob {
  readonly role: "produce" | "produceOneByOne" | "consume";
  readonly arena: SharedArrayBuffer;
  readonly ring: RingLocation;
  readonly doorbellOffset: number;
  readonly records: number;
  readonly wait: WaitStrategy;
  readonly ownsSocket: boolean;
  readonly idleRounds: number;
  readonly seed: number;
}

export interface StressReport {
  readonly count: number;
  readonly sum: number;
  readonly faults: number;
  readonly parks: number;
  readonly stuckAt: number;
}

const WORD = 0x9e3779b1;

/** Every word of a record is a function of its number, so a torn or stale record is seen. */
function produce(job: StressJob, oneByOne: boolean): StressReport {
  const m = new RecordMemory(job.arena);
  const ring = new RingProducer(m, job.ring, new Doorbell(job.arena, job.doorbellOffset));
  const consumerCursor = (job.ring.offset >> 2) + 32;
  const prng = new Prng(job.seed);
  let sum = 0;
  let n = 0;
  while (n < job.records) {
    const batch = oneByOne ? 1 : Math.min(1 + prng.nextBelow(16), job.records - n);
    for (let i = 0; i < batch; i++, n++) {
      let at = ring.tryClaim();
      while (at < 0) {
        ring.publish();
        at = ring.tryClaim();
      }
      for (let w = 0; w < 16; w++) m.i32[(at >> 2) + w] = Math.imul(n + w, WORD);
      sum = (sum + Math.imul(n, WORD)) | 0;
      ring.commit();
    }
    ring.publish();
    if (!oneByOne) continue;
    if (!awaitCursor(m, consumerCursor, ring.sequence | 0))
      return { count: n, sum, faults: 0, parks: 0, stuckAt: n };
    spinFor(prng.nextBelow(4) === 0 ? prng.nextBelow(30_000) : prng.nextBelow(2000));
  }
  return { count: n, sum, faults: 0, parks: 0, stuckAt: -1 };
}

/** False when the consumer does not reach `cursor` within 3 s: a lost wake-up. */
function awaitCursor(m: RecordMemory, index: number, cursor: number): boolean {
  const deadline = monotonicNs() + 3e9;
  for (let spins = 0; Atomics.load(m.i32, index) !== cursor; spins++)
    if ((spins & 1023) === 0 && monotonicNs() > deadline) return false;
  return true;
}

function spinFor(ns: number): void {
  const until = monotonicNs() + ns;
  while (monotonicNs() < until);
}

class StressConsumer implements RecordHandler, Agent {
  readonly name = "stress";
  count = 0;
  sum = 0;
  faults = 0;
  private readonly ring: RingConsumer;
  private readonly job: StressJob;
  private readonly m: RecordMemory;

  constructor(job: StressJob, m: RecordMemory) {
    this.job = job;
    this.m = m;
    this.ring = new RingConsumer(m, job.ring);
  }

  doWork(): number {
    const done = this.ring.drain(this, 256);
    if (this.count >= this.job.records) Atomics.store(this.m.i32, STOP_WORD_I32, 1);
    return done;
  }

  hasWork(): boolean {
    return this.ring.availableNow() > 0;
  }

  onRecord(m: RecordMemory, at: number): void {
    for (let w = 0; w < 16; w++) if (m.i32[(at >> 2) + w] !== Math.imul(this.count + w, WORD)) this.faults++;
    this.sum = (this.sum + m.i32[at >> 2]!) | 0;
    this.count++;
  }
}

async function consume(job: StressJob): Promise<StressReport> {
  const m = new RecordMemory(job.arena);
  const consumer = new StressConsumer(job, m);
  const vitals = new Float64Array(16);
  const cycle = new DutyCycle({
    agents: [consumer],
    wait: job.wait,
    ownsSocket: job.ownsSocket,
    arena: job.arena,
    doorbell: new Doorbell(job.arena, job.doorbellOffset),
    vitals,
    monotonicNs,
    // Longer than the test: nothing but the bell may wake this lane.
    idleTimeoutMs: 60_000,
    idleRounds: job.idleRounds,
  });
  await cycle.run();
  return {
    count: consumer.count,
    sum: consumer.sum,
    faults: consumer.faults,
    parks: vitals[4]!,
    stuckAt: -1,
  };
}

self.onmessage = async (event: MessageEvent<StressJob>) => {
  const job = event.data;
  postMessage(job.role === "consume" ? await consume(job) : produce(job, job.role === "produceOneByOne"));
};
