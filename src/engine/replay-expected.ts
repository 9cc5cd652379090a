// The sink that a replayed EXECUTION writes to: each record is held against the next one of the recorded
// stream, byte for byte, field by field of the schema. Excluded: what is measured and not derived (the stamps
// decided, gated, sent) and the journal's own numbering. Cold.
import {
  allocateRecordMemory,
  copyRecord,
  RECORD_BYTES,
  type RecordMemory,
  type RecordSink,
} from "../core/record.ts";
import { type FieldDescriptor, MESSAGE_DESCRIPTORS, type MessageDescriptor } from "../wire/messages.gen.ts";
import type { StreamCursor } from "./replay-cursor.ts";

const SLOTS = 64;
const BY_KIND = new Map<number, MessageDescriptor>(MESSAGE_DESCRIPTORS.map((d) => [d.kind, d]));
const EXCLUDED = new Set(["sequence", "spare", "decidedTsNs", "gatedTsNs", "sentTsNs"]);

/** First place where replay and record part. */
export interface Difference {
  /** WAL position of the recorded record; −1 = the recording ended before. */
  readonly position: number;
  /** Field names; empty when one of the two records is not there. */
  readonly fields: readonly string[];
  /** Copies in a memory of their own; null = none. */
  readonly recorded: RecordMemory | null;
  readonly replayed: RecordMemory | null;
}

export class ExpectedSink implements RecordSink {
  readonly memory: RecordMemory;
  difference: Difference | null;
  /** Records that were equal. */
  matched: number;
  /** Records written after the recording ended. */
  beyond: number;
  private readonly cursor: StreamCursor;
  private next: number;

  constructor(cursor: StreamCursor) {
    this.memory = allocateRecordMemory(SLOTS);
    this.difference = null;
    this.matched = 0;
    this.beyond = 0;
    this.cursor = cursor;
    this.next = 0;
  }

  hasRoom(_count: number): boolean {
    return true;
  }

  tryClaim(): number {
    return (this.next & (SLOTS - 1)) * RECORD_BYTES;
  }

  commit(): void {
    const at = this.tryClaim();
    this.next++;
    if (this.difference !== null) return;
    const { cursor } = this;
    if (!cursor.has) {
      this.beyond++;
      return;
    }
    const fields = differingFields(cursor.memory, cursor.at, this.memory, at);
    if (fields.length > 0) {
      this.difference = differ(cursor, fields, this.memory, at);
      return;
    }
    this.matched++;
    cursor.advance();
  }

  publish(): void {}
}

/** `replayed` null: the recorded record at the cursor was not produced. */
export function differ(
  cursor: StreamCursor,
  fields: readonly string[],
  replayed: RecordMemory | null,
  at: number,
): Difference {
  return {
    position: cursor.has ? cursor.position : -1,
    fields,
    recorded: cursor.has ? copyOf(cursor.memory, cursor.at) : null,
    replayed: replayed === null ? null : copyOf(replayed, at),
  };
}

function copyOf(m: RecordMemory, at: number): RecordMemory {
  const copy = allocateRecordMemory(1);
  copyRecord(m, at, copy, 0);
  return copy;
}

/** Names of the fields that differ; "kind" alone when the kinds do. */
export function differingFields(a: RecordMemory, aAt: number, b: RecordMemory, bAt: number): string[] {
  if (a.u16[aAt >> 1] !== b.u16[bAt >> 1]) return ["kind"];
  const descriptor = BY_KIND.get(a.u16[aAt >> 1]!);
  if (descriptor === undefined) return ["kind"];
  return descriptor.fields
    .filter((field) => !EXCLUDED.has(field.name) && !sameField(a, aAt, b, bAt, field))
    .map((field) => field.name);
}

/** Same bytes; any NaN equals any other (which bits a NaN has is up to the machine). */
function sameField(
  a: RecordMemory,
  aAt: number,
  b: RecordMemory,
  bAt: number,
  field: FieldDescriptor,
): boolean {
  const { offset, bytes } = field;
  if (field.type === "f64") {
    return Object.is(a.f64[(aAt + offset) >> 3]!, b.f64[(bAt + offset) >> 3]!);
  }
  for (let i = 0; i < bytes; i++) if (a.u8[aAt + offset + i] !== b.u8[bAt + offset + i]) return false;
  return true;
}
