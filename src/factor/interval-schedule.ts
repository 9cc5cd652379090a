// When graphs with an interval trigger run: at its multiples since the Unix epoch, from the first one after the first
// record. The due times lie in the arena, so a checkpoint holds them. Hot: factor lane; 0 bytes; O(graphs) per instant.
import type { GraphSlot } from "./slots.ts";

export class IntervalSchedule {
  private readonly f64: Float64Array;
  readonly graphs: GraphSlot[];
  /** Session time of the next instant; Infinity before the first record. */
  nextDue: number;

  constructor(f64: Float64Array) {
    this.f64 = f64;
    this.graphs = [];
    this.nextDue = Infinity;
  }

  /** `firstNs`: receive time of the first record. */
  start(firstNs: number): void {
    for (let k = 0; k < this.graphs.length; k++) {
      const g = this.graphs[k]!;
      const passed = Math.floor((firstNs - g.phaseNs) / g.intervalNs);
      this.f64[g.dueWord] = (passed + 1) * g.intervalNs + g.phaseNs;
    }
    this.settle();
  }

  /** True when graph number `k` runs at `due`; its next instant is then set. */
  take(k: number, due: number): boolean {
    const g = this.graphs[k]!;
    if (this.f64[g.dueWord] !== due) return false;
    this.f64[g.dueWord] = due + g.intervalNs;
    return true;
  }

  /** After instants were taken, or restored. */
  settle(): void {
    let due = Infinity;
    for (let k = 0; k < this.graphs.length; k++) {
      const d = this.f64[this.graphs[k]!.dueWord]!;
      if (d < due) due = d;
    }
    this.nextDue = due;
  }
}
