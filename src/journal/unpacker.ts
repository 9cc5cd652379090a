// Takes records out of a ring that holds packed levels (src/wire/level-records.ts), as records. Writer lane; 0 bytes;
// bounded by the memory given at start.
import { assert } from "../core/assert.ts";
import { LevelRun } from "../core/level-run.ts";
import { allocateRecordMemory, copyRecord, RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import { PACKED_LEVELS_MAX, packedCount, packedSlots, unpackLevels } from "../wire/level-records.ts";
import { HEADER_KIND, KIND_DEPTH_RUN } from "../wire/messages.gen.ts";

export class Unpacker {
  /** The records that `take` has made, from its start. */
  readonly memory: RecordMemory;
  /** Of the last `take`: ring slots that its records stand for, and how many records. */
  slots: number;
  records: number;
  private readonly capacity: number;
  private readonly consumer: RingConsumer;
  private readonly run: LevelRun;

  /** `capacity`: records at a time, PACKED_LEVELS_MAX at least. */
  constructor(consumer: RingConsumer, capacity: number) {
    assert(capacity >= PACKED_LEVELS_MAX, "no room to unpack a run of levels");
    this.memory = allocateRecordMemory(capacity);
    this.slots = 0;
    this.records = 0;
    this.capacity = capacity;
    this.consumer = consumer;
    this.run = new LevelRun(this.memory.f64);
  }

  /** Makes records of the ring's next slots; none are released. */
  take(): void {
    const { consumer, capacity, memory } = this;
    const from = consumer.memory;
    const available = consumer.available();
    let slots = 0;
    let records = 0;
    while (slots < available) {
      const at = consumer.offsetOf(slots);
      const isRun = from.u16[(at >> 1) + HEADER_KIND] === KIND_DEPTH_RUN;
      const count = isRun ? packedCount(from, at) : 1;
      if (records + count > capacity) break;
      if (isRun) unpackLevels(this.run, from, at, memory, records * RECORD_BYTES);
      else copyRecord(from, at, memory, records * RECORD_BYTES);
      slots += isRun ? packedSlots(count) : 1;
      records += count;
    }
    this.slots = slots;
    this.records = records;
  }
}
