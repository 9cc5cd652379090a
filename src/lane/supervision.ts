// What EXECUTION must know of main without asking it: when main last ran, and until when the venue's dead-man's
// switch is armed. Two doubles in the arena's header; main writes, EXECUTION reads. An aligned double is never torn;
// a value that is one write old only makes EXECUTION more careful. Hot: 0 bytes; O(1).
import { GUARDED_UNTIL_F64, MAIN_BEAT_F64 } from "../ring/arena.ts";

export class Supervision {
  private readonly f64: Float64Array;

  constructor(arena: ArrayBufferLike) {
    this.f64 = new Float64Array(arena, 0, 16);
  }

  /** Main ran at this session time. */
  beat(nowNs: number): void {
    this.f64[MAIN_BEAT_F64] = nowNs;
  }

  /** Session ns; 0 before main's first beat. */
  get beatNs(): number {
    return this.f64[MAIN_BEAT_F64]!;
  }

  /** The venue will cancel by itself at this session time unless main renews; Infinity = no switch is wanted. */
  guard(untilNs: number): void {
    this.f64[GUARDED_UNTIL_F64] = untilNs;
  }

  get guardedUntilNs(): number {
    return this.f64[GUARDED_UNTIL_F64]!;
  }
}
