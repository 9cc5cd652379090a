// What the order path learns while it handles a record, and no record announced: that the gateway refused a
// request, that the kill word is set at the gate's last look. Each is journalled as an Observation at the place
// where it took effect, so that a replay takes the same turn there. Nothing is written when all goes well.
// Hot: execution lane; 0 bytes.
import { NO_SLOT, type RecordSink } from "../core/record.ts";
import { type OrderGateway, type OrderRequest, SEND_OK } from "../order/gateway.ts";
import type { KillWordReader } from "../risk/kill-word.ts";
import {
  ACTION_CANCEL,
  ACTION_CANCEL_ALL,
  ACTION_MODIFY,
  ACTION_PLACE,
  KILL_ARMED,
  OBSERVED_KILL_AT_SEND,
  OBSERVED_SEND_REFUSED,
} from "../wire/codes.ts";
import { encodeObservation, FLAG_END_OF_EVENT } from "../wire/messages.gen.ts";

/** Whose logical time the observations carry: the order desk. */
export interface LogicalTime {
  readonly nowNs: number;
}

const BEFORE_START: LogicalTime = { nowNs: 0 };

/** Stands between the order desk and the gateway, which is built after it: nothing trades before `open`. */
export class WitnessedGateway implements OrderGateway {
  private readonly journal: RecordSink;
  private gateway: OrderGateway | null = null;
  private time: LogicalTime = BEFORE_START;

  constructor(journal: RecordSink) {
    this.journal = journal;
  }

  open(gateway: OrderGateway, time: LogicalTime): void {
    this.gateway = gateway;
    this.time = time;
  }

  get ready(): boolean {
    return this.gateway!.ready;
  }

  place(request: OrderRequest): number {
    return this.note(this.gateway!.place(request), ACTION_PLACE, request.instrument, request.clientSeq);
  }

  cancel(request: OrderRequest): number {
    return this.note(this.gateway!.cancel(request), ACTION_CANCEL, request.instrument, request.clientSeq);
  }

  modify(request: OrderRequest): number {
    return this.note(this.gateway!.modify(request), ACTION_MODIFY, request.instrument, request.clientSeq);
  }

  cancelAll(instrument: number): number {
    return this.note(this.gateway!.cancelAll(instrument), ACTION_CANCEL_ALL, instrument, 0);
  }

  reconcile(): void {
    this.gateway!.reconcile();
  }

  private note(sent: number, action: number, instrument: number, clientSeq: number): number {
    if (sent !== SEND_OK)
      observe(this.journal, this.time.nowNs, OBSERVED_SEND_REFUSED, instrument, sent, action, clientSeq);
    return sent;
  }
}

/** The kill word for the order desk. */
export class WitnessedKillWord implements KillWordReader {
  private readonly word: KillWordReader;
  private readonly journal: RecordSink;
  private time: LogicalTime = BEFORE_START;

  constructor(word: KillWordReader, journal: RecordSink) {
    this.word = word;
    this.journal = journal;
  }

  open(time: LogicalTime): void {
    this.time = time;
  }

  load(): number {
    const word = this.word.load();
    if (word !== KILL_ARMED) observe(this.journal, this.time.nowNs, OBSERVED_KILL_AT_SEND, 0, word, 0, 0);
    return word;
  }
}

function observe(
  sink: RecordSink,
  nowNs: number,
  code: number,
  instrument: number,
  value0: number,
  value1: number,
  value2: number,
): void {
  const at = sink.tryClaim();
  if (at === NO_SLOT) return;
  encodeObservation(
    sink.memory,
    at,
    FLAG_END_OF_EVENT,
    instrument,
    0,
    0,
    0,
    0,
    nowNs,
    code,
    value0,
    value1,
    value2,
  );
  sink.commit();
}
