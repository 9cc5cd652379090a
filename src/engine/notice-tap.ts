// A sink that also sends main a copy of what people want to see: requests, reports, fills, denials, strategy
// states. Hot; execution lane; 0 bytes. The copies may be lost (main's ring is full), the records not.
import type { RecordMemory, RecordSink } from "../core/record.ts";
import type { LaneLog } from "../lane/notices.ts";
import { KindSet } from "../wire/kind-set.ts";
import {
  HEADER_KIND,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_ORDER_SENT,
  KIND_RISK_DENIED,
  KIND_STRATEGY_STATUS,
} from "../wire/messages.gen.ts";

const SHOWN = new KindSet([
  KIND_ORDER_SENT,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_RISK_DENIED,
  KIND_STRATEGY_STATUS,
]);

export class NoticeTap implements RecordSink {
  readonly memory: RecordMemory;
  private readonly sink: RecordSink;
  private readonly log: LaneLog;
  private claimed: number;

  constructor(sink: RecordSink, log: LaneLog) {
    this.memory = sink.memory;
    this.sink = sink;
    this.log = log;
    this.claimed = 0;
  }

  hasRoom(count: number): boolean {
    return this.sink.hasRoom(count);
  }

  tryClaim(): number {
    this.claimed = this.sink.tryClaim();
    return this.claimed;
  }

  /** The copy is made first: delivery inside commit may write records of its own. */
  commit(): void {
    const kind = this.memory.u16[(this.claimed >> 1) + HEADER_KIND]!;
    if (SHOWN.has(kind)) this.log.copy(this.memory, this.claimed);
    this.sink.commit();
  }

  publish(): void {
    this.sink.publish();
  }
}
