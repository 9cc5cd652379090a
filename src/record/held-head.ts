// A record that is told by two: its head waits here until its detail, which follows it, comes.
import { allocateRecordMemory, copyRecord, type RecordMemory } from "../core/record.ts";

export class HeldHead {
  readonly memory: RecordMemory = allocateRecordMemory(1);
  /** WAL position of the head: where its row came from. */
  position = 0;
  private kind = 0;

  hold(m: RecordMemory, at: number, kind: number, position: number): void {
    copyRecord(m, at, this.memory, 0);
    this.kind = kind;
    this.position = position;
  }

  /** Once, when a head of this kind is held. */
  takes(kind: number): boolean {
    const match = this.kind === kind;
    this.kind = 0;
    return match;
  }
}
