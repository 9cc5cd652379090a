// Ring hop between two pinned workers, against the same ring in Rust and against LMAX Disruptor 4.
//
//   round trip     ping ──ring──▶ echo          throughput     produce ──ring──▶ consume
//     (cpu A)      ping ◀──ring── echo (cpu B)                 (cpu A)           (cpu B)
//
// All sides: 64-byte records of eight doubles, capacity 4096, every double written and read (the checksum).
import { readdirSync, readFileSync } from "node:fs";
import { allowedCpus, setAffinity } from "../ffi/host.ts";
import { RecordMemory } from "../src/core/record.ts";
import { ArenaPlan } from "../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../src/ring/spsc-ring.ts";
import { buildPeer, Peer, type PeerBuild } from "./harness/peer.ts";
import { type RingAnswer, type RingJob, SummingHandler, writeRecord } from "./harness/ring-worker.ts";
import {
  type Bench,
  type BenchSize,
  type Figures,
  heapBytesPerOp,
  type Side,
  Unavailable,
} from "./harness.ts";

const CAPACITY = 4096;
const ROUND_TRIPS = { full: 100_000, tiny: 1000 } as const;
const RECORDS = { full: 4_000_000, tiny: 20_000 } as const;

const RUST: PeerBuild = {
  folder: "ring",
  build: ["cargo", "build", "--release", "--locked", "--quiet"],
  product: "target/release/ring-peer",
  run: ["./target/release/ring-peer"],
};
const DISRUPTOR: PeerBuild = {
  folder: "disruptor",
  build: ["mvn", "-q", "-B", "process-classes"],
  product: "target/dependency",
  run: ["java", "-XX:+UseSerialGC", "-cp", "target/classes:target/dependency/*", "hotlane.DisruptorPeer"],
};

function twoCpus(): [number, number] {
  const cpus = allowedCpus();
  if (cpus.length < 2) throw new Unavailable(`two cpus are needed, this process may use ${cpus.join(", ")}`);
  return [cpus.at(-2)!, cpus.at(-1)!];
}

/** Two workers and their rings. */
class RingPair {
  private readonly arena: SharedArrayBuffer;
  private readonly forth;
  private readonly back;
  private readonly workers: readonly [Worker, Worker];
  private readonly cpus: readonly [number, number];

  constructor() {
    const plan = new ArenaPlan();
    this.forth = planRing(plan, "forth", CAPACITY);
    this.back = planRing(plan, "back", CAPACITY);
    this.arena = new SharedArrayBuffer(plan.map().bytes);
    this.cpus = twoCpus();
    const start = () => new Worker(new URL("./harness/ring-worker.ts", import.meta.url).href);
    this.workers = [start(), start()];
  }

  private ask(side: 0 | 1, job: Pick<RingJob, "role" | "records" | "batch">): Promise<RingAnswer> {
    const worker = this.workers[side];
    const { arena, forth, back } = this;
    return new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<RingAnswer>) => {
        if (event.data.pinned !== "") console.error(`ring bench is not pinned: ${event.data.pinned}`);
        resolve(event.data);
      };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ ...job, arena, forth, back, cpu: this.cpus[side] } satisfies RingJob);
    });
  }

  /** Sending end on the first cpu, receiving end on the second. */
  async run(
    sender: RingJob["role"],
    receiver: RingJob["role"],
    records: number,
    batch: number,
  ): Promise<[RingAnswer, RingAnswer]> {
    Atomics.store(new Int32Array(this.arena), 40, 0);
    const received = this.ask(1, { role: receiver, records, batch });
    return [await this.ask(0, { role: sender, records, batch }), await received];
  }

  close(): void {
    for (const worker of this.workers) worker.terminate();
  }
}

/** The same calls in one thread: what they allocate. */
function ringBytesPerOp(): number {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "bytes", CAPACITY);
  const m = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
  const producer = new RingProducer(m, ring, null);
  const consumer = new RingConsumer(m, ring);
  const handler = new SummingHandler();
  return heapBytesPerOp((ops) => {
    for (let n = 0; n < ops; n++) {
      writeRecord(m, producer.tryClaim(), n);
      producer.commit();
      producer.publish();
      consumer.drain(handler, 256);
    }
    return handler.sum;
  });
}

function roundTripSide(size: BenchSize): Side {
  const pair = new RingPair();
  return {
    round: async () => (await pair.run("ping", "echo", ROUND_TRIPS[size], 1))[0].figures!,
    bytesPerOp: ringBytesPerOp,
    close: () => pair.close(),
  };
}

function throughputSide(size: BenchSize, batch: number): Side {
  const pair = new RingPair();
  return {
    async round(): Promise<Figures> {
      const [sent, received] = await pair.run("produce", "consume", RECORDS[size], batch);
      const ns = (received.atNs - sent.atNs) / RECORDS[size];
      return { p50: ns, p99: ns, p999: ns, perSecond: 1e9 / ns, checksum: received.checksum };
    },
    bytesPerOp: ringBytesPerOp,
    close: () => pair.close(),
  };
}

type Reference = { reference: (Side & { name: string }) | null; missing?: string };

function rustReference(size: BenchSize, command: (cpus: readonly [number, number]) => string): Reference {
  const missing = buildPeer(RUST, size === "full");
  if (missing !== null) return { reference: null, missing };
  const peer = new Peer(RUST);
  const line = command(twoCpus());
  return {
    reference: { name: "the same ring in Rust", round: () => peer.ask(line), close: () => peer.close() },
  };
}

async function disruptorReference(size: BenchSize, batch: number): Promise<Reference> {
  const missing = buildPeer(DISRUPTOR, size === "full");
  if (missing !== null) return { reference: null, missing };
  const peer = new Peer(DISRUPTOR);
  await peer.answer();
  pinJavaThreads(peer.pid);
  return {
    reference: {
      name: "LMAX Disruptor 4",
      round: () => peer.ask(`throughput ${RECORDS[size]} ${batch}`),
      close: () => peer.close(),
    },
  };
}

/** Java cannot pin its threads: they are found by name and pinned from here. */
function pinJavaThreads(pid: number): void {
  const [first, second] = twoCpus();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${tid}/comm`, "utf8").trim();
    if (name === "ring-prod") setAffinity(Number(tid), [first]);
    if (name === "ring-cons") setAffinity(Number(tid), [second]);
  }
}

export const benches: readonly Bench[] = [
  {
    name: "ring.roundTrip",
    question: "one record there and back between two pinned workers",
    unit: "ns",
    compare: "p50",
    maxRatio: 1.15,
    sameChecksum: true,
    open: (size) => ({
      own: roundTripSide(size),
      ...rustReference(size, ([a, b]) => `rtt ${ROUND_TRIPS[size]} ${a} ${b}`),
    }),
  },
  {
    name: "ring.batch1",
    question: "one record one way, published singly",
    unit: "ns",
    compare: "perSecond",
    sameChecksum: true,
    warmUpRounds: 3,
    open: async (size) => ({ own: throughputSide(size, 1), ...(await disruptorReference(size, 1)) }),
  },
  {
    name: "ring.batch16",
    question: "one record one way, published by sixteen",
    unit: "ns",
    compare: "perSecond",
    maxRatio: 1 / 1.2,
    sameChecksum: true,
    warmUpRounds: 3,
    open: async (size) => ({ own: throughputSide(size, 16), ...(await disruptorReference(size, 16)) }),
  },
  {
    name: "ring.batch16Rust",
    question: "one record one way, published by sixteen, against Rust",
    unit: "ns",
    compare: "perSecond",
    sameChecksum: true,
    warmUpRounds: 3,
    open: (size) => ({
      own: throughputSide(size, 16),
      ...rustReference(size, ([a, b]) => `throughput ${RECORDS[size]} 16 ${a} ${b}`),
    }),
  },
];
