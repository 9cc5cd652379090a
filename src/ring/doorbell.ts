// Wakes a parked lane. One doorbell per lane, in the arena: a bell word that counts rings and a parked flag
// on lines of their own. A producer pays one Atomics.load per publish, and a notify only when the lane sleeps.
//
// SYNC POINT parked/cursor: the sleeper stores parked = 1, then looks at its rings again, then waits on the
// bell value it read BEFORE that look; the producer stores its cursor, then loads parked. Both are seq-cst,
// so either the producer sees parked = 1 and rings, or the sleeper sees the new cursor and does not sleep.

export const DOORBELL_BYTES = 256;

export class Doorbell {
  readonly i32: Int32Array;
  readonly bell: number;
  readonly parked: number;

  /** `offset`: byte offset of DOORBELL_BYTES in the arena. */
  constructor(arena: ArrayBufferLike, offset: number) {
    this.i32 = new Int32Array(arena);
    this.bell = offset >> 2;
    this.parked = (offset + 128) >> 2;
  }

  /** Producer side, after a publish. */
  ring(): void {
    if (Atomics.load(this.i32, this.parked) !== 0) this.wake();
  }

  /** Rings whatever the flag says (stop, control). */
  wake(): void {
    Atomics.add(this.i32, this.bell, 1);
    Atomics.notify(this.i32, this.bell);
  }

  /** Sleeper side: announce, and return the bell value to wait on. */
  prepare(): number {
    const seen = Atomics.load(this.i32, this.bell);
    Atomics.store(this.i32, this.parked, 1);
    return seen;
  }

  /** Sleeper side: awake, by whatever. */
  unpark(): void {
    Atomics.store(this.i32, this.parked, 0);
  }
}
