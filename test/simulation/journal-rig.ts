// Sessions from a journal of market records: makes the journal from the capture, runs it through real workers
// in either topology, and reads what FACTOR and EXECUTION said.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bootNs } from "../../ffi/host.ts";
import { loadConfig } from "../../src/config/load.ts";
import { allocateRecordMemory, copyRecord, RECORD_BYTES, RecordMemory } from "../../src/core/record.ts";
import { planEngine } from "../../src/engine/engine-plan.ts";
import { LaneHandle } from "../../src/engine/lane-handle.ts";
import type { LaneStart } from "../../src/engine/lane-protocol.ts";
import { type EngineLayout, STREAM_MARKET, STREAM_NAMES } from "../../src/engine/layout.ts";
import { NOTHING_RESTORED } from "../../src/engine/recovered.ts";
import { replaySetup } from "../../src/engine/replay-setup.ts";
import type { EngineSettings } from "../../src/engine/settings.ts";
import { COUNTERS } from "../../src/engine/telemetry-names.ts";
import { walDir } from "../../src/engine/writer-lane.ts";
import { writeManifest } from "../../src/journal/session-manifest.ts";
import { readRecords } from "../../src/journal/wal-reader.ts";
import { GAP_RING_FULL } from "../../src/lane/journal-sink.ts";
import { LaneTelemetry } from "../../src/lane/telemetry.ts";
import { HOUSE_NAME } from "../../src/order/ledger.ts";
import { createArena, STOP_WORD_I32, WRITER_STOP_WORD_I32 } from "../../src/ring/arena.ts";
import { Doorbell } from "../../src/ring/doorbell.ts";
import { RingConsumer, type RingLocation } from "../../src/ring/spsc-ring.ts";
import { BinanceMarketData, newFeedCounters } from "../../src/venue/binance/market-data.ts";
import type { Transport, TransportHandler } from "../../src/venue/contract.ts";
import { LINK_DEFAULTS } from "../../src/venue/transport/link.ts";
import {
  encodeGap,
  FLAG_END_OF_EVENT,
  HEADER_RECV_TS_NS,
  KIND_ORDER_STAMPS,
  ORDER_STAMPS_DECIDED_TS_NS,
  ORDER_STAMPS_GATED_TS_NS,
  ORDER_STAMPS_SENT_TS_NS,
  SCHEMA_VERSION,
} from "../../src/wire/messages.gen.ts";
import { BTC, CollectingSink, captureLines } from "../unit/venue/binance/fixtures.ts";

export type Topology = "lanes" | "fused";

const ROOT = resolve(import.meta.dir, "../..");
const NS_PER_DAY = 86_400_000_000_000n;
/** Fixed, so that two sessions give the same order ids. */
const SESSION = { nonceLo: 0x1234_5678, nonceHi: 0x1234, text: "20240808T235415Z-0journalrig" };
const SETTLED_MS = 40_000;
/** The journal comes as fast as it is read, not as the venue sent it: nothing may be lost for want of room. */
const RING_RECORDS = {
  factor_ring_records: 1 << 17,
  market_ring_records: 1 << 18,
  orders_ring_records: 1 << 17,
  telemetry_ring_records: 1 << 17,
};
/** 20,000 messages of the capture give some 130,000. */
const JOURNAL_RECORDS = 1 << 18;

export interface MarketJournal {
  readonly bytes: Uint8Array;
  /** Records of each message. */
  readonly counts: Uint32Array;
  /** 00:00 UTC of its day. */
  readonly baseNs: bigint;
}

/** The first `messages` of the capture as FEED writes them, received when they were recorded. */
export async function marketJournal(messages: number): Promise<MarketJournal> {
  const lines = captureLines().slice(0, messages);
  const firstNs = BigInt(lines[0]!.recvUnixNs);
  const baseNs = firstNs - (firstNs % NS_PER_DAY);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, 40));
  const snapshot = lines.find((line) => text(line.bytes).startsWith('{"lastUpdateId"'))!;
  let nowNs = Number(firstNs - baseNs);
  const handlers: TransportHandler[] = [];
  const sink = new CollectingSink(JOURNAL_RECORDS);
  const stream = new BinanceMarketData({
    instruments: [BTC],
    publicUrl: "ws://journal/public",
    marketUrl: "ws://journal/market",
    sink,
    baseMs: Number(baseNs / 1_000_000n),
    nowNs: () => nowNs,
    connect: (handler) => deadTransport(handler, handlers),
    snapshots: async () => ({ ok: true, value: snapshot.bytes }),
    link: LINK_DEFAULTS,
    timerNs: 0,
    seed: 1,
    counters: newFeedCounters(),
    decodeTimes: null,
  });
  const counts: number[] = [];
  let written = 0;
  stream.start();
  for (const line of lines) {
    nowNs = Number(BigInt(line.recvUnixNs) - baseNs);
    if (line !== snapshot) {
      const route = /@(depth|bookTicker)/.test(text(line.bytes)) ? 0 : 1;
      handlers[route]!.onText(line.bytes, line.bytes.length, nowNs);
    }
    stream.poll(nowNs);
    await Promise.resolve();
    if (sink.count === written) continue;
    counts.push(sink.count - written);
    written = sink.count;
  }
  return { bytes: sink.memory.u8.slice(0, written * RECORD_BYTES), counts: new Uint32Array(counts), baseNs };
}

/** The journal as it is when records before `message` did not fit into their ring. */
export function withGap(journal: MarketJournal, message: number): MarketJournal {
  const before = journal.counts.subarray(0, message).reduce((sum, n) => sum + n, 0) * RECORD_BYTES;
  const gap = allocateRecordMemory(1);
  const recvTsNs = new Float64Array(journal.bytes.slice(before, before + RECORD_BYTES).buffer)[
    HEADER_RECV_TS_NS
  ]!;
  encodeGap(gap, 0, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, recvTsNs, 0, 7, STREAM_MARKET, GAP_RING_FULL);
  const { bytes, counts } = journal;
  return {
    ...journal,
    bytes: Buffer.concat([
      bytes.subarray(0, before),
      gap.u8.subarray(0, RECORD_BYTES),
      bytes.subarray(before),
    ]),
    counts: new Uint32Array([...counts.subarray(0, message), 1, ...counts.subarray(message)]),
  };
}

function deadTransport(handler: TransportHandler, handlers: TransportHandler[]): Transport {
  handlers.push(handler);
  return {
    counters: { messages: 0, bytes: 0, bufferGrowths: 0, binaryFrames: 0 },
    bufferedAmount: 0,
    isOpen: true,
    connect: () => handler.onOpen(),
    sendText: () => true,
    ping: () => {},
    terminate: () => {},
    poll: () => 0,
  };
}

export function settingsOf(topology: Topology, dataDir: string): EngineSettings {
  const engine = { data_dir: dataDir, warmup_messages: 0, ...RING_RECORDS };
  const flags = { engine, lanes: { topology } };
  const loaded = loadConfig({ env: "sim", flags });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const { config } = loaded;
  return {
    ...config,
    instruments: [config.instruments[0]!],
    strategies: config.strategies.map((s) => ({
      ...s,
      instruments: ["BTCUSDT"],
      params:
        s.name === "tick-mm"
          ? { order_qty: "0.004", max_position: "0.02", min_move_ticks: 1, tick_ms: 50 }
          : { min_move_ticks: 1, levels: 2, max_position: "0.02" },
      limits: { max_working_orders: 5 },
    })),
  };
}

/** Every lane of a session on `settings`, with a manifest beside its journal. */
export async function laneStarts(settings: EngineSettings, baseNs: bigint): Promise<LaneStart[]> {
  const dir = walDir(settings.engine.dataDir);
  mkdirSync(dir, { recursive: true });
  const plan = await planEngine(settings, [BTC]);
  const assets = ["", "USDT"];
  const restored = NOTHING_RESTORED;
  writeManifest(dir, {
    session: SESSION.text,
    env: "sim",
    schemaVersion: SCHEMA_VERSION,
    baseNs: String(baseNs),
    createdUnixNs: String(baseNs),
    nonceLo: SESSION.nonceLo,
    nonceHi: SESSION.nonceHi,
    instruments: [BTC],
    strategies: [HOUSE_NAME, ...plan.strategies.map((s) => s.name)],
    streams: Object.fromEntries(STREAM_NAMES.map((name, id) => [String(id), name])),
    replay: await replaySetup(settings, plan, assets, restored),
  });
  const { lanes } = plan.placement;
  const shared = {
    arena: createArena(plan.layout.arena, SCHEMA_VERSION, baseNs, bootNs()),
    layout: plan.layout,
    settings,
    instruments: [BTC],
    assets,
    session: SESSION,
    graphs: plan.graphs,
    registry: plan.registry,
    strategies: plan.strategies,
    subscriptions: plan.subscriptions,
    marketTimerNs: plan.marketTimerNs,
    walPosition: 0,
    restored,
    checkpoint: null,
    parks: Object.fromEntries(lanes.map((lane) => [lane.name, lane.wait === "park"])),
    roleLanes: Object.fromEntries(
      lanes.flatMap((lane) => lane.agents.map((role) => [role, lane.name])),
    ) as LaneStart["roleLanes"],
  };
  return lanes.map((placement, laneNumber) => ({ ...shared, placement, laneNumber }));
}

/** Runs the journal to its end and stops. */
export async function runSession(topology: Topology, dataDir: string, journal: MarketJournal): Promise<void> {
  const starts = await laneStarts(settingsOf(topology, dataDir), journal.baseNs);
  writeFileSync(join(dataDir, "market.bin"), journal.bytes);
  writeFileSync(join(dataDir, "counts.bin"), new Uint8Array(journal.counts.buffer));
  const failures: string[] = [];
  const events = {
    onPinned: () => {},
    onFailed: (lane: string, reason: string) => failures.push(`${lane}: ${reason}`),
  };
  const handles = starts.map((start) => {
    const { name } = start.placement;
    const own = name === "factor" || name === "writer";
    const entry = own ? `workers/${name}.ts` : "test/simulation/journal-worker.ts";
    return new LaneHandle(start, join(ROOT, entry), events);
  });
  const { arena, layout } = starts[0]!;
  try {
    await Promise.all(handles.map((lane) => lane.ready));
    for (const lane of [...handles].reverse()) lane.go();
    await consumed(arena, layout, topology, journal, failures);
    await stopLanes(starts[0]!, handles);
    if (failures.length > 0) throw new Error(failures.join("\n"));
  } finally {
    for (const lane of handles) lane.terminate();
  }
}

/** The writer last: it takes what the others leave. */
async function stopLanes({ arena, layout }: LaneStart, handles: readonly LaneHandle[]): Promise<void> {
  const words = new Int32Array(arena);
  for (const [group, word] of [
    [handles.filter((l) => l.name !== "writer"), STOP_WORD_I32],
    [handles.filter((l) => l.name === "writer"), WRITER_STOP_WORD_I32],
  ] as const) {
    Atomics.store(words, word, 1);
    for (const bell of Object.values(layout.doorbells)) new Doorbell(arena, bell).ring();
    await Promise.all(group.map((lane) => lane.done));
  }
}

/** Until FEED has sent everything and nobody has anything left to read. */
async function consumed(
  arena: SharedArrayBuffer,
  layout: EngineLayout,
  topology: Topology,
  journal: MarketJournal,
  failures: readonly string[],
): Promise<void> {
  const memory = new RecordMemory(arena);
  const feed = new LaneTelemetry(arena, layout.telemetry.feed).counters;
  const isEmpty = (ring: RingLocation) => new RingConsumer(memory, ring).availableNow() === 0;
  const rings = topology === "lanes" ? [layout.rings.market, layout.rings.signals] : [];
  const deadline = performance.now() + SETTLED_MS;
  let quiet = 0;
  while (quiet < 3) {
    if (failures.length > 0) throw new Error(failures.join("\n"));
    if (performance.now() > deadline) throw new Error("the journal was not consumed in time");
    await Bun.sleep(20);
    const done = feed[COUNTERS.feed.indexOf("messages")] === journal.counts.length;
    quiet = done && rings.every(isEmpty) ? quiet + 1 : 0;
  }
}

/** FACTOR's records, 64 bytes each. */
export const factorRecords = (dataDir: string): Uint8Array => readFileSync(join(dataDir, "factor.bin"));

/** A stream of the session's WAL, the stage stamps blanked. */
export function streamRecords(dataDir: string, stream: number): Uint8Array {
  const found: Uint8Array[] = [];
  const copy = new RecordMemory(new ArrayBuffer(RECORD_BYTES));
  readRecords(
    walDir(dataDir),
    {
      onRecord(m, at) {
        copyRecord(m, at, copy, 0);
        if (copy.u16[0] === KIND_ORDER_STAMPS)
          for (const field of [ORDER_STAMPS_DECIDED_TS_NS, ORDER_STAMPS_GATED_TS_NS, ORDER_STAMPS_SENT_TS_NS])
            copy.f64[field] = 0;
        found.push(copy.u8.slice());
      },
    },
    {},
    { streams: new Set([stream]) },
  );
  return Buffer.concat(found);
}

/** How many records of a kind. */
export function countKind(records: Uint8Array, kind: number): number {
  let count = 0;
  for (let at = 0; at < records.length; at += RECORD_BYTES)
    if (records[at]! + records[at + 1]! * 256 === kind) count++;
  return count;
}
