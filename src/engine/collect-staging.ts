// What the collector's feed has emitted and its log has not taken yet.
import {
  allocateRecordMemory,
  NO_SLOT,
  RECORD_BYTES,
  type RecordMemory,
  type RunSink,
} from "../core/record.ts";
import type { WalWriter } from "../journal/wal-writer.ts";

const STAGED_RECORDS = 1 << 16;

/** Records between two turns; whole events only, because FEED asks for room first. */
export class CollectStaging implements RunSink {
  readonly memory: RecordMemory = allocateRecordMemory(STAGED_RECORDS);
  runLength = 0;
  private count = 0;

  hasRoom(count: number): boolean {
    return this.count + count <= STAGED_RECORDS;
  }

  tryClaim(): number {
    return this.count < STAGED_RECORDS ? this.count * RECORD_BYTES : NO_SLOT;
  }

  commit(): void {
    this.count++;
  }

  tryClaimRun(count: number): number {
    this.runLength = count;
    return this.hasRoom(count) ? this.count * RECORD_BYTES : NO_SLOT;
  }

  commitRun(): void {
    this.count += this.runLength;
  }

  publish(): void {}

  /** Into the log. What it cannot take now stays; false then. */
  drainInto(wal: WalWriter, stream: number): boolean {
    if (!wal.ready()) return false;
    for (let done = 0; done < this.count; ) {
      const take = Math.min(wal.room(), this.count - done);
      wal.stage(stream, this.memory, done * RECORD_BYTES, take, 0, take);
      if (!wal.flush()) {
        this.memory.u8.copyWithin(0, done * RECORD_BYTES, this.count * RECORD_BYTES);
        this.count -= done;
        return false;
      }
      done += take;
    }
    this.count = 0;
    return true;
  }
}
