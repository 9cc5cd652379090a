import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ManualClock } from "../../../src/core/clock.ts";
import { Prng } from "../../../src/core/prng.ts";
import { RECORD_BYTES, RecordMemory } from "../../../src/core/record.ts";
import { GAP_DISK_LOW, JournalAgent, type JournalInput } from "../../../src/journal/journal-agent.ts";
import { WAL_PAUSED, type WalOptions, WalWriter } from "../../../src/journal/wal-writer.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer, setRingStart } from "../../../src/ring/spsc-ring.ts";
import { encodeTimer, Gap, KIND_GAP } from "../../../src/wire/messages.gen.ts";
import { type Group, hexOf, makeDir, makeSession, randomGroup, readBack, removeDir } from "./wal-fixture.ts";

const SEED = 90_125;
let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

interface Bench {
  readonly memory: RecordMemory;
  readonly producers: readonly RingProducer[];
  readonly consumers: readonly RingConsumer[];
  readonly agent: JournalAgent;
  readonly writer: WalWriter;
  readonly clock: ManualClock;
}

/** Rings that begin shortly before the Int32 wrap, an agent, a writer. */
function build(capacities: readonly number[], options: Partial<WalOptions> = {}, minFreeBytes = 0): Bench {
  const plan = new ArenaPlan();
  const rings = capacities.map((capacity, i) => planRing(plan, `ring${i}`, capacity));
  const memory = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
  for (const ring of rings) setRingStart(memory, ring, 2 ** 31 - 20);
  const producers = rings.map((ring) => new RingProducer(memory, ring, null));
  const consumers = rings.map((ring) => new RingConsumer(memory, ring));
  const clock = new ManualClock(3600e9);
  const writer = new WalWriter({
    dir,
    session: makeSession(),
    startPosition: 0,
    segmentBytes: 1 << 20,
    fsync: "none",
    fsyncIntervalMs: 100,
    clock,
    ...options,
  });
  const inputs: JournalInput[] = consumers.map((consumer, i) => ({
    streamId: i + 1,
    consumer,
    sheddable: i > 0,
  }));
  const agent = new JournalAgent({ writer, inputs, clock, minFreeBytes, dir });
  agent.onStart();
  return { memory, producers, consumers, agent, writer, clock };
}

function put(producer: RingProducer, record: Uint8Array): boolean {
  const at = producer.tryClaim();
  if (at < 0) return false;
  producer.memory.u8.set(record, at);
  producer.commit();
  return true;
}

const putGroup = (producer: RingProducer, group: Group): boolean =>
  producer.hasRoom(group.length) && group.every((record) => put(producer, record));

function putTimer(producer: RingProducer, recvTsNs: number): void {
  const at = producer.tryClaim();
  encodeTimer(producer.memory, at, 1, 0, 0, 0, 0, 0, recvTsNs, 1, 10e6, recvTsNs);
  producer.commit();
  producer.publish();
}

describe("JournalAgent", () => {
  test(`brings every record of every ring into the WAL in ring order, groups whole, across the ring's wrap (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.constantFrom(2048, 4096, 1 << 20),
        (seed, stagingBytes) => {
          removeDir(dir);
          const prng = new Prng(seed);
          const { producers, agent } = build([16, 32], { stagingBytes, segmentBytes: 16_384 });
          const sent: string[][] = [[], []];
          for (let turn = 0; turn < 60; turn++) {
            const which = prng.nextBelow(2);
            const group = randomGroup(prng);
            if (putGroup(producers[which]!, group)) sent[which]!.push(...group.map(hexOf));
            if (prng.nextBelow(3) === 0) producers[which]!.publish();
            if (prng.nextBelow(4) === 0) agent.doWork();
          }
          for (const producer of producers) producer.publish();
          agent.onClose();
          const { records, result } = readBack(dir);
          expect(result.problems).toEqual([]);
          for (const stream of [1, 2])
            expect(records.filter((r) => r.stream === stream).map((r) => r.hex)).toEqual(sent[stream - 1]!);
          expect(agent.splitGroups).toBe(0);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  test("an unfinished group waits in its ring until its last record is published", () => {
    const { producers, consumers, agent, writer } = build([16]);
    const prng = new Prng(5);
    let group = randomGroup(prng);
    while (group.length < 3) group = randomGroup(prng);
    put(producers[0]!, group[0]!);
    put(producers[0]!, group[1]!);
    producers[0]!.publish();
    expect(agent.doWork()).toBe(0);
    expect(consumers[0]!.availableNow()).toBe(2);
    for (const record of group.slice(2)) put(producers[0]!, record);
    producers[0]!.publish();
    expect(agent.doWork()).toBe(group.length);
    expect(writer.status.batches).toBe(1);
    agent.onClose();
  });

  test("a group longer than a batch is split, counted, and not lost", () => {
    const { producers, agent } = build([16], { stagingBytes: 6 * RECORD_BYTES });
    const record = new Uint8Array(RECORD_BYTES);
    new DataView(record.buffer).setUint16(2, 2, true);
    for (let i = 0; i < 10; i++) put(producers[0]!, record);
    producers[0]!.publish();
    let written = 0;
    for (let i = 0; i < 20; i++) written += agent.doWork();
    expect(written).toBeGreaterThan(5);
    expect(agent.splitGroups).toBeGreaterThan(0);
    agent.onClose();
  });

  test("no input starves another: each has its share of a turn", () => {
    const { producers, agent } = build([64, 64], { stagingBytes: 32 * RECORD_BYTES });
    for (const producer of producers) for (let i = 0; i < 40; i++) putTimer(producer, 3600e9);
    agent.doWork();
    agent.onClose();
    const { records } = readBack(dir);
    expect(records.slice(0, 24).filter((r) => r.stream === 2).length).toBeGreaterThan(8);
    expect(records).toHaveLength(80);
  });

  test("the window is the age of the oldest record that was not yet written", () => {
    const { producers, agent, clock } = build([64]);
    putTimer(producers[0]!, clock.nowNs());
    clock.advanceTo(clock.nowNs() + 250_000);
    putTimer(producers[0]!, clock.nowNs());
    agent.doWork();
    expect(agent.unackedWindowUs).toBe(250);
    putTimer(producers[0]!, clock.nowNs());
    agent.doWork();
    expect(agent.unackedWindowUs).toBe(0);
    expect(agent.unackedWindowUsMax).toBe(250);
    agent.onClose();
  });
});

describe("a WAL that cannot be written", () => {
  test("keeps the records in their rings, says why, and goes on without loss when it can", () => {
    const blocked = join(dir, "wal");
    writeFileSync(blocked, "a file stands where the directory should be");
    const { producers, consumers, agent, writer, clock } = build([64], { dir: blocked });
    expect(writer.status).toMatchObject({ state: WAL_PAUSED, failures: 1 });
    expect(writer.status.error).toMatch(/wal: (a file stands in its place|not a directory)/);
    for (let i = 0; i < 10; i++) putTimer(producers[0]!, 3600e9 + i);
    for (let i = 0; i < 5; i++) {
      clock.advanceTo(clock.nowNs() + 1e9);
      expect(agent.doWork()).toBe(0);
    }
    expect(consumers[0]!.availableNow()).toBe(10);
    expect(agent.unackedWindowUs).toBeGreaterThan(4e6);
    rmSync(blocked);
    clock.advanceTo(clock.nowNs() + 5e9);
    expect(agent.doWork()).toBe(10);
    agent.onClose();
    expect(readBack(blocked).records).toHaveLength(10);
  });

  test("is retried with growing delay, not at every turn", () => {
    const blocked = join(dir, "wal");
    writeFileSync(blocked, "");
    const { producers, agent, writer, clock } = build([64], { dir: join(blocked, "inner") });
    putTimer(producers[0]!, 3600e9);
    for (let ms = 0; ms < 10_000; ms++) {
      clock.advanceTo(clock.nowNs() + 1e6);
      agent.doWork();
    }
    expect(writer.status.failures).toBeGreaterThan(4);
    expect(writer.status.failures).toBeLessThan(15);
    expect(agent.hasWork()).toBe(false);
  });

  test("at the end: one more attempt, and what is left is counted", () => {
    const blocked = join(dir, "wal");
    writeFileSync(blocked, "");
    const first = build([64], { dir: blocked });
    for (let i = 0; i < 3; i++) putTimer(first.producers[0]!, 3600e9);
    first.agent.doWork();
    first.agent.onClose();
    expect(first.agent.unwritten).toBe(3);
    const second = build([64], { dir: blocked });
    for (let i = 0; i < 3; i++) putTimer(second.producers[0]!, 3600e9);
    second.agent.doWork();
    rmSync(blocked);
    second.agent.onClose();
    expect(second.agent.unwritten).toBe(0);
    expect(readBack(blocked).records).toHaveLength(3);
  });

  test("unless root: a read-only directory is a pause with the reason", () => {
    const closed = makeDir();
    chmodSync(closed, 0o500);
    const { writer } = build([64], { dir: closed });
    if (process.getuid?.() !== 0) expect(writer.status.error).toContain("EACCES");
    chmodSync(closed, 0o700);
    removeDir(closed);
  });
});

describe("low disk space", () => {
  test("market data is given up between two Gap records, orders are not", () => {
    const { producers, agent, clock } = build([64, 64], {}, Number.MAX_SAFE_INTEGER);
    for (let i = 0; i < 7; i++) {
      putTimer(producers[0]!, 3600e9);
      putTimer(producers[1]!, 3600e9);
      clock.advanceTo(clock.nowNs() + 1e6);
      agent.doWork();
    }
    expect(agent.shedding).toBe(true);
    expect(agent.shedRecords).toBe(7);
    agent.onClose();
    const { records } = readBack(dir);
    expect(records.filter((r) => r.stream === 1)).toHaveLength(7);
    const gaps = records.filter((r) => r.stream === 2).map(({ hex }) => gapOf(hex));
    expect(gaps).toEqual([
      { kind: KIND_GAP, lostCount: 0, stream: 2, reason: GAP_DISK_LOW },
      { kind: KIND_GAP, lostCount: 7, stream: 2, reason: GAP_DISK_LOW },
    ]);
  });
});

function gapOf(hex: string) {
  const memory = new RecordMemory(new ArrayBuffer(RECORD_BYTES));
  memory.u8.set(Buffer.from(hex, "hex"));
  const { kind, lostCount, stream, reason } = new Gap(memory).wrap(memory, 0);
  return { kind, lostCount, stream, reason };
}
