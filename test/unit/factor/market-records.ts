// Builds market records for tests and collects what a handler writes.
import {
  allocateRecordMemory,
  copyRecord,
  type RecordHandler,
  type RecordMemory,
  type RecordSink,
} from "../../../src/core/record.ts";
import {
  Bbo,
  encodeAlpha,
  encodeDepthDelta,
  encodeFeedStatus,
  encodeMarkPrice,
  encodeTimer,
  encodeTrade,
  FLAG_END_OF_EVENT,
  KIND_BBO,
  KIND_SIGNAL,
  Signal,
} from "../../../src/wire/messages.gen.ts";

export type Level = readonly [side: number, pxTicks: number, qtyLots: number];

/** Feeds one handler with records it encodes in a scratch slot. */
export class RecordFeed {
  private readonly m: RecordMemory = allocateRecordMemory(1);
  private readonly handler: RecordHandler;
  readonly instrument: number;

  constructor(handler: RecordHandler, instrument = 1) {
    this.handler = handler;
    this.instrument = instrument;
  }

  private send(): void {
    this.handler.onRecord(this.m, 0);
  }

  depth(tsNs: number, levels: readonly Level[], end = true): void {
    levels.forEach(([side, px, qty], i) => {
      const flags = end && i === levels.length - 1 ? FLAG_END_OF_EVENT : 0;
      encodeDepthDelta(
        this.m,
        0,
        flags,
        this.instrument,
        0,
        0,
        0,
        tsNs - 5,
        tsNs,
        px,
        qty,
        side,
        levels.length,
        0,
        0,
      );
      this.send();
    });
  }

  trade(tsNs: number, px: number, qty: number, side: number, end = true): void {
    const flags = end ? FLAG_END_OF_EVENT : 0;
    encodeTrade(this.m, 0, flags, this.instrument, 0, 0, 0, tsNs - 5, tsNs, px, qty, side, 0, 0, 0);
    this.send();
  }

  status(tsNs: number, state: number, reason = 0): void {
    encodeFeedStatus(
      this.m,
      0,
      FLAG_END_OF_EVENT,
      this.instrument,
      0,
      0,
      0,
      0,
      tsNs,
      state,
      reason,
      0,
      0,
      0,
      0,
      0,
    );
    this.send();
  }

  mark(tsNs: number, mark: number, index: number, rate: number): void {
    encodeMarkPrice(
      this.m,
      0,
      FLAG_END_OF_EVENT,
      this.instrument,
      0,
      0,
      0,
      0,
      tsNs,
      mark * 1e8,
      index * 1e8,
      rate * 1e8,
      0,
    );
    this.send();
  }

  alpha(tsNs: number, index: number, value: number): void {
    encodeAlpha(this.m, 0, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, tsNs, index, 0, value, 0);
    this.send();
  }

  timer(tsNs: number): void {
    encodeTimer(this.m, 0, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, tsNs, 1, 0, tsNs);
    this.send();
  }
}

/** A sink with a bound that can be set, keeping every record. */
export class CollectingSink implements RecordSink {
  readonly memory = allocateRecordMemory(1);
  readonly records: RecordMemory[] = [];
  capacity = Infinity;
  published = 0;

  hasRoom(count: number): boolean {
    return this.records.length + count <= this.capacity;
  }

  tryClaim(): number {
    return this.hasRoom(1) ? 0 : -1;
  }

  commit(): void {
    const copy = allocateRecordMemory(1);
    copyRecord(this.memory, 0, copy, 0);
    this.records.push(copy);
  }

  publish(): void {
    this.published = this.records.length;
  }

  kinds(): number[] {
    return this.records.map((m) => m.u16[0]!);
  }

  flagsOf(index: number): number {
    return this.records[index]!.u16[1]!;
  }

  bbos(): number[][] {
    return this.records
      .filter((m) => m.u16[0] === KIND_BBO)
      .map((m) => {
        const b = new Bbo(m).wrap(m, 0);
        return [b.bidPxTicks, b.bidQtyLots, b.askPxTicks, b.askQtyLots];
      });
  }

  /** [recvTsNs, firstIndex, values…] of every Signal. */
  signals(): number[][] {
    return this.records
      .filter((m) => m.u16[0] === KIND_SIGNAL)
      .map((m) => {
        const s = new Signal(m).wrap(m, 0);
        return [m.f64[3]!, s.firstIndex, ...[s.value0, s.value1, s.value2].slice(0, s.count)];
      });
  }
}
