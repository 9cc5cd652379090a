import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/core/clock.ts";
import { RECORD_BYTES, type RecordMemory } from "../../src/core/record.ts";
import { CheckpointAgent, CheckpointWriter } from "../../src/engine/factor-checkpoint.ts";
import { restoreFactor, restoreStart } from "../../src/engine/factor-restore.ts";
import { STREAM_MARKET } from "../../src/engine/layout.ts";
import {
  captureCheckpoint,
  checkpointFiles,
  restoreCheckpoint,
  sealCheckpoint,
} from "../../src/factor/checkpoint.ts";
import { CheckpointSlices, COPY_TOO_LONG, copyBytes } from "../../src/factor/checkpoint-slices.ts";
import { type FactorState, makeFactorState } from "../../src/factor/factor-state.ts";
import { FactorGraph } from "../../src/factor/graph.ts";
import { FactorHandler } from "../../src/factor/handler.ts";
import { sessionName } from "../../src/journal/segment.ts";
import { WalWriter } from "../../src/journal/wal-writer.ts";
import { FEED_SYNCED } from "../../src/wire/codes.ts";
import { BASE_NS, type MarketEvent, randomMarket } from "../unit/factor/event-rows.ts";
import { CollectingSink, RecordFeed } from "../unit/factor/market-records.ts";
import { stageRecords } from "../unit/journal/wal-fixture.ts";

const dirs: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-slices-"));
  dirs.push(dir);
  return dir;
}
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const program = new FactorGraph("g")
  .addNode("mid", "MidPrice")
  .addNode("obi", "OBI", { looking_depth: 0.0005 })
  .addNode("z", "ZScore", { window: 20 })
  .addNode("vwap", "VWAP", { window: "2s" })
  .addNode("std", "RollingStd", { window: "3s" })
  .connect("obi", "z")
  .connect("mid", "std")
  .setOutput("z", "z")
  .setOutput("vwap", "vwap")
  .setOutput("std", "std")
  .compile();

function lane() {
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "X", tickSize: "0.1", lotSize: "0.001" }],
    graphs: [{ name: "g", program, instrument: 1 }],
    context: { tradeCapacity: 1024 },
  });
  const sink = new CollectingSink();
  return { state, sink, handler: new FactorHandler({ state, sink, baseNs: BASE_NS }) };
}

/** Sends events as records, numbered as FEED does; `also` sees each record after the handler. */
class Numbered {
  private next = 0;
  private readonly feed: RecordFeed;

  constructor(handler: FactorHandler, also: (m: RecordMemory, at: number) => unknown = () => {}) {
    this.feed = new RecordFeed({
      onRecord: (m, at) => {
        m.u32[(at >> 2) + 2] = this.next++;
        handler.onRecord(m, at);
        also(m, at);
      },
    });
  }

  synced(tsNs: number): void {
    this.feed.status(tsNs, FEED_SYNCED);
  }

  event(e: MarketEvent): void {
    if (e.levels.length > 0) this.feed.depth(e.tsNs, e.levels, true);
    for (const [i, [px, qty, side]] of e.trades.entries())
      this.feed.trade(e.tsNs, px, qty, side, i === e.trades.length - 1);
  }
}

const market = randomMarket(41, 600);
const differing = (a: FactorState, b: FactorState, from: number): number =>
  a.f64.findIndex((x, i) => i >= from && !Object.is(x, b.f64[i]));

describe("a checkpoint taken in slices", () => {
  test("holds what one pass over the state holds, and each slice is bounded", () => {
    const { state, handler } = lane();
    const source = new Numbered(handler);
    source.synced(1);
    for (const e of market) source.event(e);
    const levels = state.contexts[0]!.book.levelCount;
    expect(levels).toBeGreaterThan(200);
    const target = new Uint8Array(copyBytes(state, levels));
    const slices = new CheckpointSlices(state, BASE_NS, target);
    slices.begin();
    let steps = 1;
    let length = slices.step();
    for (; length === 0; length = slices.step()) steps++;
    expect(steps).toBeLessThanOrEqual(Math.ceil(state.f64.length / 8192) + Math.ceil(levels / 128) + 3);
    const whole = captureCheckpoint(state, BASE_NS, BASE_NS + BigInt(handler.nowNs));
    expect(length).toBe(whole.length);
    expect(Buffer.from(target.subarray(0, length - 32)).equals(whole.subarray(0, length - 32))).toBe(true);
    const small = new CheckpointSlices(state, BASE_NS, new Uint8Array(copyBytes(state, levels - 1)));
    small.begin();
    let result = 0;
    while (result === 0) result = small.step();
    expect(result).toBe(COPY_TOO_LONG);
  });

  test("starts again when an event comes between two slices, so the file is a state that was", () => {
    const dir = folder();
    const { state, handler } = lane();
    const start = { dir, intervalNs: 1e9, buffer: new SharedArrayBuffer(64 + copyBytes(state, 4096)) };
    const agent = new CheckpointAgent(start, handler, BASE_NS);
    const lines: string[] = [];
    const writer = new CheckpointWriter(start, {
      log: (_level: number, _code: number, text: string) => lines.push(text) > 0,
    } as never);
    const source = new Numbered(handler);
    source.synced(1);
    for (const e of market.slice(0, 100)) source.event(e);
    expect(agent.doWork()).toBe(0);
    for (const e of market.slice(100, 200)) {
      source.event(e);
      expect(agent.doWork()).toBeLessThanOrEqual(1);
    }
    expect(agent.restarts).toBeGreaterThan(10);
    expect(writer.doWork()).toBe(0);
    while (agent.doWork() === 1);
    expect(agent.hasWork()).toBe(false);
    expect(writer.doWork()).toBe(1);
    const [path] = checkpointFiles(dir);
    expect(lines).toEqual([expect.stringContaining(path!)]);
    const other = lane();
    restoreCheckpoint(other.state, readFileSync(path!));
    expect(differing(other.state, state, 0)).toBe(-1);
  });
});

describe("a start of the engine", () => {
  const SESSION = { nonceLo: 7, nonceHi: 8, text: "next" };

  /** A session that journals `events`, with a checkpoint after `at` of them; returns its state. */
  function session(dir: string, events: readonly MarketEvent[], at: number): FactorState {
    const { state, handler } = lane();
    const own = { nonceLo: 3_000_000_001, nonceHi: 9, text: "first" };
    const options = { dir, walDir: join(dir, "wal"), baseNs: BASE_NS, session: own, note: () => {} };
    expect(restoreFactor(state, options)).toBe(false);
    const wal = new WalWriter({
      dir: options.walDir,
      session: { ...own, name: sessionName(BASE_NS, own.nonceLo, own.nonceHi), baseNs: BASE_NS },
      startPosition: 0,
      segmentBytes: 1 << 20,
      fsync: "none",
      fsyncIntervalMs: 100,
      clock: new ManualClock(1e9),
    });
    wal.open();
    const records: Uint8Array[] = [];
    const source = new Numbered(handler, (m, at) => records.push(m.u8.slice(at, at + RECORD_BYTES)));
    source.synced(1);
    const buffer = new SharedArrayBuffer(64 + copyBytes(state, 4096));
    const start = { dir, intervalNs: 1e18, buffer };
    const agent = new CheckpointAgent(start, handler, BASE_NS);
    const writer = new CheckpointWriter(start, { log: () => true } as never);
    events.forEach((e, i) => {
      source.event(e);
      if (i !== at) return;
      agent.onClose();
      writer.doWork();
    });
    stageRecords(wal, STREAM_MARKET, records);
    wal.close();
    return state;
  }

  test("restores the newest checkpoint and what the journal holds after it: as if never stopped, bit for bit", () => {
    const dir = folder();
    const before = session(dir, market.slice(0, 400), 250);
    const { state } = lane();
    const notes: string[] = [];
    const options = {
      dir,
      walDir: join(dir, "wal"),
      baseNs: BASE_NS,
      session: SESSION,
      note: (t: string) => notes.push(t),
    };
    expect(restoreFactor(state, options)).toBe(true);
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(/^factors restored from .* and \d{3,} journal records/);
    const stopped = lane();
    restoreCheckpoint(stopped.state, sealCheckpoint(captureCheckpoint(before, BASE_NS, 1n)));
    stopped.state.contexts[0]!.setReady(false, stopped.state.f64[0]!);
    expect(differing(state, stopped.state, 4)).toBe(-1);
    expect(state.contexts[0]!.book.levelCount).toBe(before.contexts[0]!.book.levelCount);
    const replayed = lane();
    expect(restoreStart(replayed.state, join(dir, "wal", "any.wal"), "next")).toBe(true);
    expect(differing(replayed.state, state, 0)).toBe(-1);
  });

  test("without a usable checkpoint rebuilds from the journal, bit for bit", () => {
    const dir = folder();
    const before = session(dir, market.slice(0, 300), 250);
    for (const path of checkpointFiles(dir)) rmSync(path);
    const { state } = lane();
    const notes: string[] = [];
    const note = (t: string): void => void notes.push(t);
    const walDir = join(dir, "wal");
    expect(restoreFactor(state, { dir, walDir, baseNs: BASE_NS, session: SESSION, note })).toBe(true);
    expect(notes[0]).toMatch(/^factors restored from the journal alone: \d{3,} journal records$/);
    const stopped = lane();
    restoreCheckpoint(stopped.state, sealCheckpoint(captureCheckpoint(before, BASE_NS, 1n)));
    stopped.state.contexts[0]!.setReady(false, stopped.state.f64[0]!);
    expect(differing(state, stopped.state, 4)).toBe(-1);
  });

  test("of another day, or without the journal, says what it leaves out", () => {
    const dir = folder();
    session(dir, market.slice(0, 120), 100);
    const notes: string[] = [];
    const note = (t: string): void => void notes.push(t);
    const walDir = join(dir, "wal");
    const day = 86_400_000_000_000n;
    expect(restoreFactor(lane().state, { dir, walDir, baseNs: BASE_NS + day, session: SESSION, note })).toBe(
      false,
    );
    expect(notes.pop()).toContain("another day");
    const elsewhere = join(dir, "elsewhere");
    expect(
      restoreFactor(lane().state, { dir, walDir: elsewhere, baseNs: BASE_NS, session: SESSION, note }),
    ).toBe(true);
    expect(notes[0]).toContain("the checkpoint alone is used");
  });
});
