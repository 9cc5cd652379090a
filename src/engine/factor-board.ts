// What the market and the factors look like now, for people. The tap stands between FACTOR and its sink and
// copies each outgoing record's values to the board; the reader is main's. Hot part: factor lane, 0 bytes,
// O(1) per record. Nothing that decides reads it.
//
//   slots   0 … instruments × 10                      then one per factor output (registry index)
//   | bid, bidQty, ask, askQty, state, reason, gaps, resyncs, mark E8, last receive time | … | value | value | …
import type { RecordMemory, RecordSink } from "../core/record.ts";
import type { BoardReader, BoardWriter } from "../lane/board.ts";
import {
  BBO_ASK_PX_TICKS,
  BBO_ASK_QTY_LOTS,
  BBO_BID_PX_TICKS,
  BBO_BID_QTY_LOTS,
  FEED_STATUS_GAPS,
  FEED_STATUS_REASON,
  FEED_STATUS_RESYNCS,
  FEED_STATUS_STATE,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  HEADER_RECV_TS_NS,
  KIND_BBO,
  KIND_FEED_STATUS,
  KIND_MARK_PRICE,
  KIND_SIGNAL,
  MARK_PRICE_MARK_PX_E8,
  SIGNAL_COUNT,
  SIGNAL_FIRST_INDEX,
  SIGNAL_VALUE0,
} from "../wire/messages.gen.ts";

const SLOTS_PER_INSTRUMENT = 10;
const BID = 0;
const BID_QTY = 1;
const ASK = 2;
const ASK_QTY = 3;
const STATE = 4;
const REASON = 5;
const GAPS = 6;
const RESYNCS = 7;
const MARK_E8 = 8;
const RECV_TS = 9;

export function factorBoardSlots(instruments: number, outputs: number): number {
  return instruments * SLOTS_PER_INSTRUMENT + outputs;
}

/** Passes records on to `sink` and notes their values. Instrument ids are 1 … instruments. */
export class FactorBoardTap implements RecordSink {
  readonly memory: RecordMemory;
  private readonly sink: RecordSink;
  private readonly board: BoardWriter;
  private readonly instruments: number;
  private readonly outputsAt: number;
  private claimed: number;
  private dirty: boolean;

  constructor(sink: RecordSink, board: BoardWriter, instruments: number) {
    this.memory = sink.memory;
    this.sink = sink;
    this.board = board;
    this.instruments = instruments;
    this.outputsAt = instruments * SLOTS_PER_INSTRUMENT;
    this.claimed = 0;
    this.dirty = false;
    board.begin();
    board.values.fill(Number.NaN);
    for (let i = 0; i < instruments; i++)
      board.values.fill(0, i * SLOTS_PER_INSTRUMENT + STATE, (i + 1) * SLOTS_PER_INSTRUMENT);
    board.end();
  }

  hasRoom(count: number): boolean {
    return this.sink.hasRoom(count);
  }

  tryClaim(): number {
    this.claimed = this.sink.tryClaim();
    return this.claimed;
  }

  commit(): void {
    this.note(this.claimed);
    this.sink.commit();
  }

  publish(): void {
    if (this.dirty) {
      this.dirty = false;
      this.board.end();
    }
    this.sink.publish();
  }

  private note(at: number): void {
    const m = this.memory;
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind !== KIND_BBO && kind !== KIND_SIGNAL && kind !== KIND_FEED_STATUS && kind !== KIND_MARK_PRICE)
      return;
    if (!this.dirty) {
      this.dirty = true;
      this.board.begin();
    }
    if (kind === KIND_SIGNAL) this.noteSignal(m, at);
    else this.noteInstrument(m, at, kind);
  }

  private noteSignal(m: RecordMemory, at: number): void {
    const to = this.outputsAt + m.u32[(at >> 2) + SIGNAL_FIRST_INDEX]!;
    const count = m.u32[(at >> 2) + SIGNAL_COUNT]!;
    for (let i = 0; i < count; i++) this.board.values[to + i] = m.f64[(at >> 3) + SIGNAL_VALUE0 + i]!;
  }

  private noteInstrument(m: RecordMemory, at: number, kind: number): void {
    const id = m.u16[(at >> 1) + HEADER_INSTRUMENT]!;
    if (id < 1 || id > this.instruments) return;
    const values = this.board.values;
    const slot = (id - 1) * SLOTS_PER_INSTRUMENT;
    const f = at >> 3;
    values[slot + RECV_TS] = m.f64[f + HEADER_RECV_TS_NS]!;
    if (kind === KIND_BBO) {
      values[slot + BID] = m.f64[f + BBO_BID_PX_TICKS]!;
      values[slot + BID_QTY] = m.f64[f + BBO_BID_QTY_LOTS]!;
      values[slot + ASK] = m.f64[f + BBO_ASK_PX_TICKS]!;
      values[slot + ASK_QTY] = m.f64[f + BBO_ASK_QTY_LOTS]!;
    } else if (kind === KIND_FEED_STATUS) {
      values[slot + STATE] = m.u32[(at >> 2) + FEED_STATUS_STATE]!;
      values[slot + REASON] = m.u32[(at >> 2) + FEED_STATUS_REASON]!;
      values[slot + GAPS] = m.u32[(at >> 2) + FEED_STATUS_GAPS]!;
      values[slot + RESYNCS] = m.u32[(at >> 2) + FEED_STATUS_RESYNCS]!;
    } else {
      values[slot + MARK_E8] = m.f64[f + MARK_PRICE_MARK_PX_E8]!;
    }
  }
}

export interface InstrumentNow {
  /** NaN while unknown. */
  readonly bidPxTicks: number;
  readonly bidQtyLots: number;
  readonly askPxTicks: number;
  readonly askQtyLots: number;
  readonly feedState: number;
  readonly feedReason: number;
  readonly gaps: number;
  readonly resyncs: number;
  /** 0 = none yet. */
  readonly markPxE8: number;
  /** Session ns of the last change; 0 = none yet. */
  readonly recvTsNs: number;
}

/** Main's view. Keeps the last consistent copy when the writer is busy. */
export class FactorBoardView {
  private readonly reader: BoardReader;
  private readonly instruments: number;
  private readonly values: Float64Array;
  private readonly scratch: Float64Array;

  constructor(reader: BoardReader, instruments: number) {
    this.reader = reader;
    this.instruments = instruments;
    this.values = new Float64Array(reader.slots);
    this.scratch = new Float64Array(reader.slots);
  }

  refresh(): void {
    if (this.reader.read(this.scratch)) this.values.set(this.scratch);
  }

  instrument(id: number): InstrumentNow {
    const v = this.values.subarray((id - 1) * SLOTS_PER_INSTRUMENT, id * SLOTS_PER_INSTRUMENT);
    return {
      bidPxTicks: v[BID]!,
      bidQtyLots: v[BID_QTY]!,
      askPxTicks: v[ASK]!,
      askQtyLots: v[ASK_QTY]!,
      feedState: v[STATE]!,
      feedReason: v[REASON]!,
      gaps: v[GAPS]!,
      resyncs: v[RESYNCS]!,
      markPxE8: v[MARK_E8]!,
      recvTsNs: v[RECV_TS]!,
    };
  }

  /** NaN = not ready. */
  output(index: number): number {
    return this.values[this.instruments * SLOTS_PER_INSTRUMENT + index]!;
  }
}
