// Consumer of feed records as naive as can be: a Map per side, applied record by record.
import { RECORD_BYTES } from "../../../../src/core/record.ts";
import { FEED_SYNCED } from "../../../../src/wire/codes.ts";
import {
  DepthDelta,
  FeedStatus,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  HEADER_SEQUENCE,
  KIND_DEPTH_DELTA,
  KIND_FEED_STATUS,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
  SnapshotEnd,
} from "../../../../src/wire/messages.gen.ts";
import { type CollectingSink, id64 } from "./fixtures.ts";

export class RebuiltBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  readonly statuses: { state: number; reason: number }[] = [];
  updateId = "0";
  state = 0;
  events = 0;
  snapshots = 0;
  sequence = -1;
  onEvent: () => void = () => {};
  private readonly instrument: number;

  constructor(instrument: number) {
    this.instrument = instrument;
  }

  /** Applies and forgets what the sink holds. */
  consume(sink: CollectingSink): void {
    const m = sink.memory;
    for (let i = 0; i < sink.count; i++) this.apply(m, i * RECORD_BYTES);
    sink.drain();
  }

  private apply(m: CollectingSink["memory"], at: number): void {
    const sequence = m.u32[(at >> 2) + HEADER_SEQUENCE]!;
    if (this.sequence >= 0 && sequence !== this.sequence + 1)
      throw new Error(`sequence ${this.sequence} → ${sequence}`);
    this.sequence = sequence;
    if (m.u16[(at >> 1) + HEADER_INSTRUMENT] !== this.instrument) return;
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    const flags = m.u16[(at >> 1) + HEADER_FLAGS]!;
    if (kind === KIND_SNAPSHOT_BEGIN) {
      this.bids.clear();
      this.asks.clear();
    } else if (kind === KIND_SNAPSHOT_END) {
      const end = new SnapshotEnd(m).wrap(m, at);
      this.updateId = id64(end.updateIdLo, end.updateIdHi);
      this.snapshots++;
      this.onEvent();
    } else if (kind === KIND_DEPTH_DELTA) {
      const level = new DepthDelta(m).wrap(m, at);
      const side = level.side > 0 ? this.bids : this.asks;
      if (level.qtyLots === 0) side.delete(level.pxTicks);
      else side.set(level.pxTicks, level.qtyLots);
      if ((flags & FLAG_SNAPSHOT) === 0 && (flags & FLAG_END_OF_EVENT) !== 0) {
        this.updateId = id64(level.updateIdLo, level.updateIdHi);
        this.events++;
        this.onEvent();
      }
    } else if (kind === KIND_FEED_STATUS) {
      const status = new FeedStatus(m).wrap(m, at);
      this.state = status.state;
      this.statuses.push({ state: status.state, reason: status.reason });
    }
  }

  get isSynced(): boolean {
    return this.state === FEED_SYNCED;
  }

  /** Sorted `price quantity` lines of both sides: comparable text. */
  text(): string {
    const side = (map: Map<number, number>): string =>
      [...map]
        .sort((a, b) => a[0] - b[0])
        .map(([p, q]) => `${p}:${q}`)
        .join(",");
    return `${side(this.bids)}|${side(this.asks)}`;
  }
}
