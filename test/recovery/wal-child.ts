// Child of wal-kill.test.ts and wal-disk.test.ts: journals numbered records through a ring and the agent until
// it is killed or has written enough. stdout: one line per turn, "<published> <position>", where `position`
// was acknowledged by the writer before the line was printed.
// Arguments: directory, seed, records (0 = for ever), start position, fsync policy.
import { writeSync } from "node:fs";
import { monotonicNs, realtimeNs } from "../../ffi/host.ts";
import { makeTimeBase, SessionClock } from "../../src/core/clock.ts";
import { Prng } from "../../src/core/prng.ts";
import { RecordMemory } from "../../src/core/record.ts";
import { JournalAgent } from "../../src/journal/journal-agent.ts";
import { sessionName } from "../../src/journal/segment.ts";
import { type FsyncPolicy, WAL_PAUSED, WalWriter } from "../../src/journal/wal-writer.ts";
import { ArenaPlan } from "../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../../src/ring/spsc-ring.ts";
import { encodeTrade, FLAG_CONTINUATION, FLAG_MORE } from "../../src/wire/messages.gen.ts";

const [dir, seed, limit, start, fsync] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  FsyncPolicy,
];
const prng = new Prng(Number(seed));
const plan = new ArenaPlan();
const ring = planRing(plan, "orders", 1024);
const memory = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
const producer = new RingProducer(memory, ring, null);
const consumer = new RingConsumer(memory, ring);
const base = makeTimeBase(realtimeNs(), monotonicNs());
const clock = new SessionClock(base, monotonicNs);
const nonceLo = Number(seed) >>> 0;
const session = { name: sessionName(realtimeNs(), nonceLo, 1), nonceLo, nonceHi: 1, baseNs: base.baseNs };
const writer = new WalWriter({
  dir,
  session,
  startPosition: Number(start),
  segmentBytes: 262_144,
  fsync,
  fsyncIntervalMs: 5,
  clock,
});
const agent = new JournalAgent({ writer, inputs: [{ streamId: 2, consumer }], clock, dir });

/** One group of 1 … 4 records; the trade id of each is its number in this session. */
function publishGroup(first: number): number {
  const size = 1 + prng.nextBelow(4);
  if (!producer.hasRoom(size)) return 0;
  for (let i = 0; i < size; i++) {
    const flags = (i > 0 ? FLAG_CONTINUATION : 0) | (i < size - 1 ? FLAG_MORE : 0);
    const at = producer.tryClaim();
    encodeTrade(memory, at, flags, 1, 0, first + i, 0, 0, clock.nowNs(), 1, 1, 1, 0, first + i, 0);
    producer.commit();
  }
  producer.publish();
  return size;
}

agent.onStart();
let published = 0;
let paused = false;
while (limit === "0" || published < Number(limit)) {
  for (let groups = prng.nextBelow(60); groups >= 0; groups--) published += publishGroup(published);
  agent.doWork();
  if (writer.status.state === WAL_PAUSED && !paused) writeSync(2, `paused: ${writer.status.error}\n`);
  paused = writer.status.state === WAL_PAUSED;
  writeSync(1, `${published} ${writer.status.position}\n`);
  if (paused) Bun.sleepSync(5);
}
agent.onClose();
writeSync(1, `${published} ${writer.status.position}\n`);
process.exit(writer.status.error === "" ? 0 : 1);
