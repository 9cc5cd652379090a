// A sink that also gives main its answers: each ControlReply is copied into a ring of its own, which holds more than
// main may have asked (layout.ts), so that an answer cannot be lost behind log lines. Main sees answers when the lane
// has written the board that shows what they say. Hot; execution lane; 0 bytes.
import { copyRecord, NO_SLOT, type RecordMemory, type RecordSink } from "../core/record.ts";
import { HEADER_KIND, KIND_CONTROL_REPLY } from "../wire/messages.gen.ts";

export class ReplyTap implements RecordSink {
  readonly memory: RecordMemory;
  /** Answers without a slot: 0 unless the bound in layout.ts is broken. */
  lost: number;
  /** An answer waits for publishAnswers(). */
  waiting: boolean;
  private readonly sink: RecordSink;
  private readonly replies: RecordSink;
  private claimed: number;

  constructor(sink: RecordSink, replies: RecordSink) {
    this.memory = sink.memory;
    this.lost = 0;
    this.waiting = false;
    this.sink = sink;
    this.replies = replies;
    this.claimed = 0;
  }

  hasRoom(count: number): boolean {
    return this.sink.hasRoom(count);
  }

  tryClaim(): number {
    this.claimed = this.sink.tryClaim();
    return this.claimed;
  }

  commit(): void {
    if (this.memory.u16[(this.claimed >> 1) + HEADER_KIND] === KIND_CONTROL_REPLY) this.answer();
    this.sink.commit();
  }

  publish(): void {
    this.sink.publish();
  }

  publishAnswers(): void {
    this.replies.publish();
    this.waiting = false;
  }

  private answer(): void {
    const at = this.replies.tryClaim();
    if (at === NO_SLOT) {
      this.lost++;
      return;
    }
    copyRecord(this.memory, this.claimed, this.replies.memory, at);
    this.replies.commit();
    this.waiting = true;
  }
}
