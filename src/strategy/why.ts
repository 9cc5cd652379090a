// The last decisions of gate and quoter per strategy, for `ctl why`: a ring of fixed rows in memory that the
// caller gives (the arena, so that main can read it; display only). Hot: execution lane; 0 bytes; O(1).
//
//   per strategy: | count | row 0: tsNs, code, instrument, side, pxTicks, qtyLots, observed, (spare) | row 1 | … |
import { DENY_NAMES } from "../wire/codes.ts";

/** A power of two: a remainder of doubles is a call. */
export const WHY_ROWS = 64;
const LAST_ROW = WHY_ROWS - 1;
const ROW = 8;
const STRIDE = 8 + WHY_ROWS * ROW;

/** Codes below 100 are the gate's DENY_… */
export const WHY_PLACED = 100;
export const WHY_MODIFIED = 101;
export const WHY_CANCELED = 102;
/** The order is within the minimum move of what is wanted. */
export const WHY_KEPT = 103;
/** The request budget has no room for it. */
export const WHY_BUDGET = 104;
/** It would cross an own order that is still there. */
export const WHY_OWN_CROSS = 105;
/** An earlier request of that order has no answer yet. */
export const WHY_IN_FLIGHT = 106;
/** The book is not synced, or silent for too long: working orders are cancelled. */
export const WHY_BOOK = 107;
/** A denial a moment ago: not tried again yet. */
export const WHY_BACKOFF = 108;
/** The callback threw: state Error. */
export const WHY_EXCEPTION = 109;
/** Killed: everything is cancelled. */
export const WHY_KILLED = 110;
export const WHY_NAMES = [
  "placed",
  "modified",
  "canceled",
  "kept",
  "budget",
  "ownCross",
  "inFlight",
  "book",
  "backoff",
  "exception",
  "killed",
] as const;

export interface Decision {
  readonly tsNs: number;
  readonly code: number;
  /** "gate" or "quoter". */
  readonly source: string;
  readonly name: string;
  readonly instrument: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly observed: number;
}

/** f64 values that the rings of `strategies` ids (0 included) need. */
export const whyValues = (strategies: number): number => strategies * STRIDE;

export class WhyRing {
  private readonly values: Float64Array;

  constructor(values: Float64Array) {
    this.values = values;
  }

  /** A repeat of the newest decision overwrites it, so a standing state does not push history out. */
  note(
    strategy: number,
    tsNs: number,
    code: number,
    instrument: number,
    side: number,
    pxTicks: number,
    qtyLots: number,
    observed: number,
  ): void {
    const v = this.values;
    const base = strategy * STRIDE;
    let count = v[base];
    const last = base + 8 + ((count - 1) & LAST_ROW) * ROW;
    const repeated =
      count > 0 &&
      v[last + 1] === code &&
      v[last + 2] === instrument &&
      v[last + 3] === side &&
      v[last + 4] === pxTicks;
    if (repeated) count--;
    const at = base + 8 + (count & LAST_ROW) * ROW;
    v[at] = tsNs;
    v[at + 1] = code;
    v[at + 2] = instrument;
    v[at + 3] = side;
    v[at + 4] = pxTicks;
    v[at + 5] = qtyLots;
    v[at + 6] = observed;
    v[base] = count + 1;
  }

  /** Cold, newest first. */
  read(strategy: number): Decision[] {
    return readDecisions(this.values, strategy);
  }
}

/** Cold; for the side that only reads. Rows may be torn while the lane writes: display only. */
export function readDecisions(values: Float64Array, strategy: number): Decision[] {
  const base = strategy * STRIDE;
  const count = values[base];
  const decisions: Decision[] = [];
  for (let i = count - 1; i >= Math.max(0, count - WHY_ROWS); i--) {
    const at = base + 8 + (i % WHY_ROWS) * ROW;
    const code = values[at + 1];
    decisions.push({
      tsNs: values[at],
      code,
      source: code < 100 ? "gate" : "quoter",
      name: (code < 100 ? DENY_NAMES[code] : WHY_NAMES[code - 100]) ?? String(code),
      instrument: values[at + 2],
      side: values[at + 3],
      pxTicks: values[at + 4],
      qtyLots: values[at + 5],
      observed: values[at + 6],
    });
  }
  return decisions;
}
