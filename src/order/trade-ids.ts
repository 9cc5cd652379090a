// Trade ids already applied, per instrument: a fill counts once, however often and in whatever order it
// comes (stream, reply, query, recovery). The last `remembered` ids are known exactly; an id older than all
// of them counts as applied, which is safe because recovery starts from the last journalled fill minus an
// overlap far shorter than that.
// Hot: execution lane; 0 bytes; O(1) (hash, deletion by shifting back).
import { assert } from "../core/assert.ts";

/** Fresh: apply it. */
export const TRADE_FRESH = 0;
export const TRADE_DUPLICATE = 1;
/** Older than anything remembered: treated as applied, and counted apart. */
export const TRADE_TOO_OLD = 2;

const EMPTY = -1;

export class TradeIds {
  private readonly remembered: number;
  private readonly lo: Uint32Array;
  private readonly hi: Uint32Array;
  private readonly buckets: Int32Array;
  private readonly mask: number;
  private readonly counts: Float64Array;
  private readonly forgottenLo: Uint32Array;
  private readonly forgottenHi: Uint32Array;
  private readonly forgot: Uint8Array;

  /** `instruments`: number of ids, 0 included; `remembered`: a power of two. 16 bytes a remembered id. */
  constructor(instruments: number, remembered = 4096) {
    assert(remembered >= 2 && (remembered & (remembered - 1)) === 0, "remembered trade ids: power of two");
    this.remembered = remembered;
    this.lo = new Uint32Array(new ArrayBuffer(Math.max(4096, instruments * remembered * 4)));
    this.hi = new Uint32Array(new ArrayBuffer(Math.max(4096, instruments * remembered * 4)));
    this.buckets = new Int32Array(new ArrayBuffer(Math.max(4096, instruments * remembered * 8))).fill(EMPTY);
    this.mask = remembered * 2 - 1;
    this.counts = new Float64Array(new ArrayBuffer(Math.max(4096, instruments * 8)));
    this.forgottenLo = new Uint32Array(new ArrayBuffer(Math.max(4096, instruments * 4)));
    this.forgottenHi = new Uint32Array(new ArrayBuffer(Math.max(4096, instruments * 4)));
    this.forgot = new Uint8Array(new ArrayBuffer(Math.max(4096, instruments)));
  }

  /** Remembers the id; returns TRADE_FRESH exactly once per id. */
  take(instrument: number, idLo: number, idHi: number): number {
    const base = instrument * (this.mask + 1);
    let i = this.home(idLo, idHi);
    for (let at = this.buckets[base + i]; at !== EMPTY; at = this.buckets[base + i]) {
      if (this.lo[at] === idLo && this.hi[at] === idHi) return TRADE_DUPLICATE;
      i = (i + 1) & this.mask;
    }
    if (this.tooOld(instrument, idLo, idHi)) return TRADE_TOO_OLD;
    const count = this.counts[instrument];
    const at = instrument * this.remembered + (count % this.remembered);
    if (count >= this.remembered) {
      this.forget(instrument, at);
      // Deleting may have moved entries: look for the free bucket again.
      i = this.home(idLo, idHi);
      while (this.buckets[base + i] !== EMPTY) i = (i + 1) & this.mask;
    }
    this.lo[at] = idLo;
    this.hi[at] = idHi;
    this.buckets[base + i] = at;
    this.counts[instrument] = count + 1;
    return TRADE_FRESH;
  }

  /** True when take() would not call the id fresh. */
  knows(instrument: number, idLo: number, idHi: number): boolean {
    const base = instrument * (this.mask + 1);
    let i = this.home(idLo, idHi);
    for (let at = this.buckets[base + i]; at !== EMPTY; at = this.buckets[base + i]) {
      if (this.lo[at] === idLo && this.hi[at] === idHi) return true;
      i = (i + 1) & this.mask;
    }
    return this.tooOld(instrument, idLo, idHi);
  }

  private home(idLo: number, idHi: number): number {
    return (Math.imul(idLo ^ Math.imul(idHi, 0x9e3779b1), 0x85ebca6b) >>> 7) & this.mask;
  }

  private tooOld(instrument: number, idLo: number, idHi: number): boolean {
    if (this.forgot[instrument] === 0) return false;
    const hi = this.forgottenHi[instrument];
    return idHi < hi || (idHi === hi && idLo <= this.forgottenLo[instrument]);
  }

  /** Drops the oldest arrival; the largest id ever dropped is the mark of "too old". */
  private forget(instrument: number, at: number): void {
    const idLo = this.lo[at];
    const idHi = this.hi[at];
    if (!this.tooOld(instrument, idLo, idHi)) {
      this.forgottenLo[instrument] = idLo;
      this.forgottenHi[instrument] = idHi;
      this.forgot[instrument] = 1;
    }
    const base = instrument * (this.mask + 1);
    const mask = this.mask;
    let hole = this.home(idLo, idHi);
    while (this.buckets[base + hole] !== at) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; this.buckets[base + i] !== EMPTY; i = (i + 1) & mask) {
      const entry = this.buckets[base + i];
      const home = this.home(this.lo[entry], this.hi[entry]);
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      this.buckets[base + hole] = entry;
      hole = i;
    }
    this.buckets[base + hole] = EMPTY;
  }
}
