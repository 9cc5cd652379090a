// Fills that wait for the mids of their mark-outs: those of the exchange's book by the exchange's clock, at the fill and
// at each horizon after it, taken as the run passes. Cold: a few times per fill.
import { type FillTable, MID_AFTER_NS, MID_COLUMNS } from "../../analytics/run-result.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** Fills that wait for the mid one horizon later, in the order of time. */
class Horizon {
  readonly column: (typeof MID_COLUMNS)[number];
  private readonly afterNs: number;
  private rows: number[] = [];
  private times: number[] = [];
  private head = 0;

  constructor(afterNs: number, column: (typeof MID_COLUMNS)[number]) {
    this.afterNs = afterNs;
    this.column = column;
  }

  get nextNs(): number {
    return this.head < this.times.length ? this.times[this.head]! : NEVER;
  }

  push(row: number, tsNs: number): void {
    this.rows.push(row);
    this.times.push(tsNs + this.afterNs);
  }

  pop(): number {
    const row = this.rows[this.head++]!;
    if (this.head === this.rows.length) {
      this.rows = [];
      this.times = [];
      this.head = 0;
    }
    return row;
  }
}

export class FillMidsQueue {
  /** The next instant of the exchange at which a mid is wanted. */
  nextNs = NEVER;
  private readonly fills: FillTable;
  private readonly horizons = MID_AFTER_NS.map((ns, k) => new Horizon(ns, MID_COLUMNS[k]!));

  constructor(fills: FillTable) {
    this.fills = fills;
  }

  /** A fill at the exchange, in the order of time. */
  push(row: number, exchNs: number): void {
    for (const horizon of this.horizons) horizon.push(row, exchNs);
    this.setNext();
  }

  /** The exchange's market events of `nextNs` are done. `midTicks` by index of the instrument; NaN: there is none. */
  take(midTicks: (instrument: number) => number): void {
    const { fills, nextNs } = this;
    const of = fills.at("instrument");
    for (const horizon of this.horizons)
      while (horizon.nextNs === nextNs) {
        const row = horizon.pop();
        fills.at(horizon.column)[row] = midTicks(of[row]!);
      }
    this.setNext();
  }

  private setNext(): void {
    let first = NEVER;
    for (const { nextNs } of this.horizons) if (nextNs < first) first = nextNs;
    this.nextNs = first;
  }
}
