// Latest state for display: a block of f64 values under a sequence lock, one writing lane, any number of
// readers. Writing is hot: 0 bytes, two Atomics.store per update. No decision reads a board.
//
//   offset 0              128
//   | version i32 | (pad) | values n × f64 |
//
// SYNC POINT version: odd while the writer is inside begin … end. BoardWriter.begin/end ↔ BoardReader.read:
// equal even versions before and after the copy mean that no write overlapped it.
import { assert } from "../core/assert.ts";
import type { ArenaPlan } from "../ring/arena.ts";

const VALUES_OFFSET = 128;
const READ_ATTEMPTS = 1000;

export interface BoardLocation {
  readonly name: string;
  readonly offset: number;
  readonly slots: number;
}

export function planBoard(plan: ArenaPlan, name: string, slots: number): BoardLocation {
  assert(Number.isInteger(slots) && slots > 0, "board needs slots");
  return { name, offset: plan.reserve(`board:${name}`, VALUES_OFFSET + slots * 8).offset, slots };
}

/** The writing side; exactly one lane holds it. Write `values` only between begin and end. */
export class BoardWriter {
  readonly values: Float64Array;
  private readonly version: Int32Array;
  private current: number;

  constructor(arena: ArrayBufferLike, location: BoardLocation) {
    this.values = new Float64Array(arena, location.offset + VALUES_OFFSET, location.slots);
    this.version = new Int32Array(arena, location.offset, 1);
    this.current = Atomics.load(this.version, 0);
    assert((this.current & 1) === 0, "board has another writer");
  }

  begin(): void {
    this.current = (this.current + 1) | 0;
    Atomics.store(this.version, 0, this.current);
  }

  end(): void {
    this.current = (this.current + 1) | 0;
    Atomics.store(this.version, 0, this.current);
  }
}

export class BoardReader {
  readonly slots: number;
  private readonly values: Float64Array;
  private readonly version: Int32Array;

  constructor(arena: ArrayBufferLike, location: BoardLocation) {
    this.slots = location.slots;
    this.values = new Float64Array(arena, location.offset + VALUES_OFFSET, location.slots);
    this.version = new Int32Array(arena, location.offset, 1);
  }

  /**
   * Copies one consistent state into `into` (at least `slots` long). False when the writer stayed inside an
   * update through every attempt (it died there, or never pauses); `into` is then not to be used.
   */
  read(into: Float64Array): boolean {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const before = Atomics.load(this.version, 0);
      if ((before & 1) !== 0) continue;
      for (let i = 0; i < this.slots; i++) into[i] = this.values[i]!;
      if (Atomics.load(this.version, 0) === before) return true;
    }
    return false;
  }
}
