// One end of the ring bench, pinned to a cpu of its own; asleep between rounds. See bench/ring.bench.ts.
import { gettid, monotonicNs, pinThread } from "../../ffi/host.ts";
import { copyRecord, NO_SLOT, type RecordHandler, RecordMemory } from "../../src/core/record.ts";
import { RingConsumer, type RingLocation, RingProducer } from "../../src/ring/spsc-ring.ts";
import { type Figures, figures } from "../harness.ts";

export interface RingJob {
  readonly role: "ping" | "echo" | "produce" | "consume";
  readonly arena: SharedArrayBuffer;
  readonly forth: RingLocation;
  readonly back: RingLocation;
  readonly records: number;
  readonly batch: number;
  readonly cpu: number;
}

export interface RingAnswer {
  readonly figures: Figures | null;
  readonly checksum: number;
  readonly atNs: number;
  readonly pinned: string;
}

/** Element of the arena's header page that the receiving end sets when it is about to read. */
const READY_I32 = 40;
const DRAIN_LIMIT = 256;

/** Sums the eight doubles of each record: every byte that was written is read. */
export class SummingHandler implements RecordHandler {
  sum = 0;

  onRecord(m: RecordMemory, at: number): void {
    const v = m.f64;
    const i = at >> 3;
    this.sum += v[i]! + v[i + 1]! + v[i + 2]! + v[i + 3]! + v[i + 4]! + v[i + 5]! + v[i + 6]! + v[i + 7]!;
  }
}

class EchoHandler implements RecordHandler {
  private readonly back: RingProducer;

  constructor(back: RingProducer) {
    this.back = back;
  }

  onRecord(m: RecordMemory, at: number): void {
    copyRecord(m, at, this.back.memory, this.back.tryClaim());
    this.back.commit();
  }

  onBatchEnd(): void {
    this.back.publish();
  }
}

export function writeRecord(m: RecordMemory, at: number, n: number): void {
  const v = m.f64;
  const i = at >> 3;
  v[i] = n;
  v[i + 1] = n + 1;
  v[i + 2] = n + 2;
  v[i + 3] = n + 3;
  v[i + 4] = n + 4;
  v[i + 5] = n + 5;
  v[i + 6] = n + 6;
  v[i + 7] = n + 7;
}

export const warmRecords = (records: number): number => Math.max(Math.floor(records / 5), 1000);

function ping(job: RingJob, m: RecordMemory): Figures {
  const producer = new RingProducer(m, job.forth, null);
  const consumer = new RingConsumer(m, job.back);
  const handler = new SummingHandler();
  const warm = warmRecords(job.records);
  const times = new Float64Array(job.records);
  let total = 0;
  for (let n = 0; n < warm + job.records; n++) {
    const before = monotonicNs();
    writeRecord(m, producer.tryClaim(), n);
    producer.commit();
    producer.publish();
    while (consumer.drain(handler, DRAIN_LIMIT) === 0);
    const elapsed = monotonicNs() - before;
    if (n < warm) continue;
    times[n - warm] = elapsed;
    total += elapsed;
  }
  consumer.flush();
  return figures(times, job.records, total, handler.sum);
}

function echo(job: RingJob, m: RecordMemory): void {
  const consumer = new RingConsumer(m, job.forth);
  const handler = new EchoHandler(new RingProducer(m, job.back, null));
  const total = job.records + warmRecords(job.records);
  let seen = 0;
  Atomics.store(m.i32, READY_I32, 1);
  while (seen < total) seen += consumer.drain(handler, DRAIN_LIMIT);
  consumer.flush();
}

/** Returns when it started, ns. */
function produce(job: RingJob, m: RecordMemory): number {
  const producer = new RingProducer(m, job.forth, null);
  const { records, batch } = job;
  const started = monotonicNs();
  for (let n = 0; n < records; ) {
    const end = Math.min(n + batch, records);
    for (; n < end; n++) {
      let at = producer.tryClaim();
      while (at === NO_SLOT) {
        producer.publish();
        at = producer.tryClaim();
      }
      writeRecord(m, at, n);
      producer.commit();
    }
    producer.publish();
  }
  return started;
}

function consume(job: RingJob, m: RecordMemory, handler: SummingHandler): number {
  const consumer = new RingConsumer(m, job.forth);
  let seen = 0;
  Atomics.store(m.i32, READY_I32, 1);
  while (seen < job.records) seen += consumer.drain(handler, DRAIN_LIMIT);
  consumer.flush();
  return monotonicNs();
}

function perform(job: RingJob, pinned: string): RingAnswer {
  const m = new RecordMemory(job.arena);
  const handler = new SummingHandler();
  let result: Figures | null = null;
  let atNs = 0;
  if (job.role === "ping" || job.role === "produce") while (Atomics.load(m.i32, READY_I32) === 0);
  if (job.role === "ping") result = ping(job, m);
  else if (job.role === "echo") echo(job, m);
  else if (job.role === "produce") atNs = produce(job, m);
  else atNs = consume(job, m, handler);
  return { figures: result, checksum: handler.sum, atNs, pinned };
}

let pinnedCpu = -1;
let pinReport = "";

if (!Bun.isMainThread)
  self.onmessage = (event: MessageEvent<RingJob>) => {
    const job = event.data;
    if (pinnedCpu !== job.cpu) {
      const result = pinThread(gettid(), job.cpu);
      pinReport = result.ok ? "" : result.error;
      pinnedCpu = job.cpu;
    }
    postMessage(perform(job, pinReport));
  };
