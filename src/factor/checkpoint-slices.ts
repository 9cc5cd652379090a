// A copy of a factor lane's state in bounded slices, taken while nothing happens: between two slices the lane
// looks at its ring, and when an event came meanwhile the copy starts again (the owner compares
// FactorHandler.version). So a copy is a state that was, and an event waits for one slice at most. No undo log,
// no shadow state: market data leaves gaps of milliseconds, a copy takes a fraction of one.
// Hot: factor lane; 0 bytes; a slice is ≤ 64 KiB of arena or ≤ 128 levels of a book (12 µs measured: bench checkpoint).
import { ASK, BID, type L2Book } from "../market/l2-book.ts";
import { HEADER_BYTES, MAGIC_BYTES, SUM_BYTES, stateIdentity } from "./checkpoint.ts";
import type { FactorState } from "./factor-state.ts";

const SLICE_WORDS = 8_192;
const SLICE_LEVELS = 128;

/** The copy is not complete. */
export const COPY_MORE = 0;
/** The books hold more levels than there is room for. */
export const COPY_TOO_LONG = -1;

const fixedBytes = (state: FactorState): number =>
  HEADER_BYTES + state.f64.byteLength + state.contexts.length * 8 + SUM_BYTES;

/** Bytes of a copy with `levels` book levels over all instruments. */
export const copyBytes = (state: FactorState, levels: number): number => fixedBytes(state) + levels * 16;

export class CheckpointSlices {
  private readonly state: FactorState;
  private readonly books: readonly L2Book[];
  private readonly length: number;
  private readonly baseNs: bigint;
  private readonly view: DataView;
  /** The same numbers as `view`, 8-byte aligned. */
  private readonly f64: Float64Array;
  private readonly u32: Uint32Array;
  private readonly from: readonly Float64Array[];
  private readonly to: readonly Float64Array[];
  private slice: number;
  private book: number;
  private side: number;
  /** Next level to copy; NaN = the side is done. */
  private px: number;
  /** Byte offset behind what is copied. */
  private at: number;
  private countsAt: number;
  private levels: number;

  /** `target`: copyBytes(state, levels) bytes, 8-byte aligned; written once here, so that its pages exist. */
  constructor(state: FactorState, baseNs: bigint, target: Uint8Array) {
    this.state = state;
    this.books = state.contexts.map((c) => c.book);
    this.length = target.byteLength;
    this.baseNs = baseNs;
    target.fill(1);
    target.set(MAGIC_BYTES, 0);
    target.set(stateIdentity(state), 8);
    this.view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    this.view.setBigInt64(40, baseNs, true);
    this.view.setUint32(56, state.f64.length, true);
    this.view.setUint32(60, state.contexts.length, true);
    const words = target.byteLength >> 3;
    this.f64 = new Float64Array(target.buffer, target.byteOffset, words);
    this.u32 = new Uint32Array(target.buffer, target.byteOffset, words * 2);
    const arena = this.f64.subarray(HEADER_BYTES >> 3, (HEADER_BYTES >> 3) + state.f64.length);
    const starts: number[] = [];
    for (let at = 0; at < arena.length; at += SLICE_WORDS) starts.push(at);
    this.from = starts.map((at) => state.f64.subarray(at, at + SLICE_WORDS));
    this.to = starts.map((at) => arena.subarray(at, at + SLICE_WORDS));
    this.slice = 0;
    this.book = 0;
    this.side = 0;
    this.px = NaN;
    this.at = 0;
    this.countsAt = 0;
    this.levels = 0;
  }

  begin(): void {
    this.slice = 0;
    this.book = 0;
    this.side = 0;
    this.at = HEADER_BYTES + this.state.f64.byteLength;
  }

  /** Copies one slice. COPY_MORE, COPY_TOO_LONG, or the length of the complete, unsealed checkpoint. */
  step(): number {
    if (this.slice < this.from.length) {
      this.to[this.slice]!.set(this.from[this.slice]!);
      this.slice++;
      return COPY_MORE;
    }
    if (this.book < this.books.length) return this.stepBook(this.books[this.book]!);
    this.view.setBigInt64(48, this.baseNs + BigInt(this.state.f64[0]!), true);
    return this.at + SUM_BYTES;
  }

  private stepBook(book: L2Book): number {
    if (this.side === 0) {
      this.countsAt = this.at;
      this.levels = book.levelCount;
      if (this.at + 8 + this.levels * 16 + SUM_BYTES > this.length) return COPY_TOO_LONG;
      this.u32[this.countsAt >> 2] = book.levelsOn(BID);
      this.u32[(this.countsAt >> 2) + 1] = book.levelsOn(ASK);
      this.at += 8;
      this.side = BID;
      this.px = book.bestBidTicks;
    }
    let left = SLICE_LEVELS;
    while (left-- > 0) {
      if (Number.isNaN(this.px)) {
        if (this.side === ASK) {
          this.side = 0;
          this.book++;
          return COPY_MORE;
        }
        this.side = ASK;
        this.px = book.bestAskTicks;
        continue;
      }
      this.f64[this.at >> 3] = this.px;
      this.f64[(this.at >> 3) + 1] = book.qtyAt(this.side, this.px);
      this.at += 16;
      this.px = this.side === BID ? book.nextBelow(BID, this.px) : book.nextAbove(ASK, this.px);
    }
    return COPY_MORE;
  }
}
