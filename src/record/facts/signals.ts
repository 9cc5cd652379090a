// The values of factor signals when orders were decided: signals are not journalled, so the session's own graphs run
// again over its market stream, as replay does it. Cold.
import type { SessionFacts } from "../../analytics/session-facts.ts";
import { allocateRecordMemory, type RecordMemory, type RecordSink } from "../../core/record.ts";
import { restoreStart } from "../../engine/factor-restore.ts";
import { STREAM_MARKET } from "../../engine/layout.ts";
import { StreamCursor } from "../../engine/replay-cursor.ts";
import { readReplaySetup, recordedGraphs } from "../../engine/replay-setup.ts";
import { makeFactorState } from "../../factor/factor-state.ts";
import { FactorHandler } from "../../factor/handler.ts";
import { makeSignalRegistry, type SignalEntry } from "../../factor/signal-registry.ts";
import { readManifests, type SessionManifest } from "../../journal/session-manifest.ts";
import { listSegments, type SegmentFile } from "../../journal/wal-reader.ts";
import { ACTION_PLACE } from "../../wire/codes.ts";
import * as wire from "../../wire/messages.gen.ts";
import type { SessionInfo } from "./session-source.ts";

/** An order of the session at hand and when it was decided, in the session's own time. */
interface Decision {
  readonly order: number;
  readonly symbol: string;
  readonly triggerNs: number;
}

/** Adds `signals`: the value of every output on the order's own instrument. Sessions without graphs add nothing. */
export async function addSignals(
  walDir: string,
  sessions: readonly SessionInfo[],
  facts: SessionFacts,
): Promise<SessionFacts> {
  const manifests = readManifests(walDir).bySession;
  const signals = new Map<string, Float64Array>();
  const notes = [...facts.notes];
  const bySession = Map.groupBy(listSegments(walDir), (segment) => segment.session);
  for (const [session, segments] of bySession) {
    const manifest = manifests.get(session);
    if (manifest === undefined || !sessions.some((known) => known.session === session)) continue;
    const decisions = decisionsOf(facts, manifest, segments);
    if (decisions.length === 0) continue;
    try {
      await replaySignals(manifest, segments, decisions, signals, facts.result.orders.rows);
    } catch (error) {
      notes.push(`${session}: signals could not be computed again: ${(error as Error).message}`);
    }
  }
  return { ...facts, signals, notes };
}

/** In the order of time; those of other sessions lie outside of this one's span. */
function decisionsOf(
  facts: SessionFacts,
  manifest: SessionManifest,
  segments: readonly SegmentFile[],
): Decision[] {
  const { requests, result } = facts;
  const base = segments[0]!.header?.baseNs ?? BigInt(manifest.baseNs);
  const shiftNs = Number(base - result.baseNs);
  const startNs = Number(BigInt(manifest.createdUnixNs) - base);
  const [action, trigger, order, of] = [
    requests.values("action"),
    requests.values("triggerNs"),
    requests.values("order"),
    requests.values("instrument"),
  ];
  const decisions: Decision[] = [];
  for (let row = 0; row < requests.rows; row++) {
    const triggerNs = trigger[row]! - shiftNs;
    if (action[row] !== ACTION_PLACE || !(triggerNs >= startNs)) continue;
    decisions.push({ order: order[row]!, symbol: result.instruments[of[row]!]!.symbol, triggerNs });
  }
  return decisions.sort((a, b) => a.triggerNs - b.triggerNs);
}

async function replaySignals(
  manifest: SessionManifest,
  segments: readonly SegmentFile[],
  decisions: readonly Decision[],
  signals: Map<string, Float64Array>,
  orders: number,
): Promise<void> {
  const setup = readReplaySetup(manifest.replay);
  if (setup === null || setup.graphs.length === 0) return;
  const graphs = await recordedGraphs(setup.graphs, () => {});
  const { entries } = makeSignalRegistry(graphs);
  const state = makeFactorState({ instruments: manifest.instruments, graphs });
  const restored = restoreStart(state, segments[0]!.file, manifest.session);
  const sink = new SignalSink(entries.length);
  const factor = new FactorHandler({ state, sink, baseNs: BigInt(manifest.baseNs) });
  if (restored) factor.onRestored();
  const sampler = new Sampler(manifest, entries, sink.values, signals, orders);
  const market = new StreamCursor(segments, STREAM_MARKET);
  try {
    let next = 0;
    for (; market.has; market.advance()) {
      const recvNs = market.memory.f64[(market.at >> 3) + wire.HEADER_RECV_TS_NS]!;
      for (; next < decisions.length && decisions[next]!.triggerNs < recvNs; next++)
        sampler.take(decisions[next]!);
      if (next === decisions.length) return;
      factor.onRecord(market.memory, market.at);
    }
    for (; next < decisions.length; next++) sampler.take(decisions[next]!);
  } finally {
    market.close();
  }
}

class Sampler {
  private readonly bySymbol: ReadonlyMap<string, readonly SignalEntry[]>;
  private readonly values: Float64Array;
  private readonly signals: Map<string, Float64Array>;
  private readonly orders: number;

  constructor(
    manifest: SessionManifest,
    entries: readonly SignalEntry[],
    values: Float64Array,
    signals: Map<string, Float64Array>,
    orders: number,
  ) {
    this.bySymbol = new Map(
      manifest.instruments.map((i) => [i.symbol, entries.filter((e) => e.instrument === i.id)]),
    );
    this.values = values;
    this.signals = signals;
    this.orders = orders;
  }

  take({ order, symbol }: Decision): void {
    for (const { graph, output, index } of this.bySymbol.get(symbol) ?? []) {
      const name = `${graph.split("/")[0]} ${output}`;
      let column = this.signals.get(name);
      if (column === undefined) {
        column = new Float64Array(this.orders).fill(Number.NaN);
        this.signals.set(name, column);
      }
      column[order] = this.values[index]!;
    }
  }
}

/** Keeps the last value of every signal; everything else that FACTOR writes is dropped. */
class SignalSink implements RecordSink {
  readonly memory: RecordMemory = allocateRecordMemory(1);
  readonly values: Float64Array;
  private readonly signal = new wire.Signal(this.memory);

  constructor(count: number) {
    this.values = new Float64Array(count).fill(Number.NaN);
  }

  hasRoom(): boolean {
    return true;
  }

  tryClaim(): number {
    return 0;
  }

  commit(): void {
    if (this.memory.u16[wire.HEADER_KIND] !== wire.KIND_SIGNAL) return;
    const { firstIndex, count, value0, value1, value2 } = this.signal.wrap(this.memory, 0);
    this.values[firstIndex] = value0;
    if (count > 1) this.values[firstIndex + 1] = value1;
    if (count > 2) this.values[firstIndex + 2] = value2;
  }

  publish(): void {}
}
