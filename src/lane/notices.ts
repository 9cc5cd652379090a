// What lanes tell main: log lines and copies of records, over a lossy ring per lane (`notices:<lane>`). A full
// ring costs the lane nothing but a count. Writing a line allocates only what its caller's string did, so hot
// code logs constant strings with two numbers. Main reassembles lines and hands other records on.
import type { Clock } from "../core/clock.ts";
import {
  copyRecord,
  NO_SLOT,
  type RecordHandler,
  type RecordMemory,
  type RecordSink,
} from "../core/record.ts";
import { encodeLogLine, FLAG_END_OF_EVENT, FLAG_MORE, KIND_LOG_LINE, LogLine } from "../wire/messages.gen.ts";
import { isText, TextAssembler, TextBuffer, textRecords, writeTextRecords } from "./text-run.ts";

/** Only this sink's writes; a lane has one. */
export class LaneLog {
  private readonly sink: RecordSink;
  private readonly lane: number;
  private readonly clock: Clock;
  private readonly text = new TextBuffer();
  private sequence = 0;
  private lostLines = 0;

  /** `lane`: the number main knows this lane by. */
  constructor(sink: RecordSink, lane: number, clock: Clock) {
    this.sink = sink;
    this.lane = lane;
    this.clock = clock;
  }

  /** `level`: LOG_… of wire/codes.ts. Over MAX_TEXT_BYTES the text is cut. False when it did not fit. */
  log(level: number, code: number, text: string, arg0 = 0, arg1 = 0): boolean {
    this.text.set(text);
    const length = this.text.length;
    const now = this.clock.nowNs();
    if (!this.sink.hasRoom(1 + textRecords(length))) {
      this.lostLines++;
      return false;
    }
    this.sequence = (this.sequence + 1) | 0;
    const at = this.sink.tryClaim();
    const flags = length > 0 ? FLAG_MORE : FLAG_END_OF_EVENT;
    encodeLogLine(
      this.sink.memory,
      at,
      flags,
      0,
      0,
      this.sequence,
      0,
      0,
      now,
      level,
      code,
      this.lane,
      length,
      arg0,
      arg1,
    );
    this.sink.commit();
    writeTextRecords(this.sink, this.text.bytes, length, this.sequence, now);
    this.sink.publish();
    return true;
  }

  /** Sends a copy of a run of `count` records (a head and its continuations lie at `first` and `second`). Hot; 0 bytes. */
  copy(m: RecordMemory, first: number, second: number = NO_SLOT): boolean {
    const count = second === NO_SLOT ? 1 : 2;
    if (!this.sink.hasRoom(count)) {
      this.lostLines++;
      return false;
    }
    copyRecord(m, first, this.sink.memory, this.sink.tryClaim());
    this.sink.commit();
    if (second !== NO_SLOT) {
      copyRecord(m, second, this.sink.memory, this.sink.tryClaim());
      this.sink.commit();
    }
    this.sink.publish();
    return true;
  }

  /** Lines and copies that found no room. */
  get lost(): number {
    return this.lostLines;
  }
}

export interface Notice {
  readonly level: number;
  readonly code: number;
  readonly lane: number;
  readonly recvTsNs: number;
  readonly text: string;
  readonly arg0: number;
  readonly arg1: number;
}

/** Main's end of a notices ring. Cold. */
export class NoticeReader implements RecordHandler {
  private readonly onNotice: (notice: Notice) => void;
  private readonly others: RecordHandler | null;
  private readonly assembler = new TextAssembler();
  private head: Omit<Notice, "text"> | null = null;

  /** `others` receives every record that is not part of a log line. */
  constructor(onNotice: (notice: Notice) => void, others: RecordHandler | null = null) {
    this.onNotice = onNotice;
    this.others = others;
  }

  onRecord(m: RecordMemory, at: number): void {
    if (isText(m, at) && this.head !== null) {
      if (this.assembler.push(m, at)) this.emit();
      return;
    }
    const line = new LogLine(m).wrap(m, at);
    if (line.kind !== KIND_LOG_LINE) {
      this.others?.onRecord(m, at);
      return;
    }
    const { level, code, lane, recvTsNs, arg0, arg1 } = line;
    this.head = { level, code, lane, recvTsNs, arg0, arg1 };
    if (this.assembler.begin(m, at, line.textLength)) this.emit();
  }

  onBatchEnd(): void {
    this.others?.onBatchEnd?.();
  }

  /** Log lines that arrived without all of their text. */
  get torn(): number {
    return this.assembler.torn;
  }

  private emit(): void {
    const head = this.head!;
    this.head = null;
    this.onNotice({ ...head, text: this.assembler.text() });
  }
}
