// Event rows of several instruments as one stream in the order of receive time; at equal times in the order given. Whole
// events only. Off the hot lanes; 0 bytes per row; per event one look at each source.
import type { RecordHandler } from "../core/record.ts";
import type { RowBlocks } from "../data/row-block.ts";
import { NpzSource, type NpzSourceOptions } from "./npz-source.ts";

export interface MergedInput {
  readonly blocks: RowBlocks;
  readonly options: NpzSourceOptions;
}

export class MergedSource {
  private readonly sources: readonly NpzSource[];
  /** ns since the epoch of session time 0: 00:00 UTC of the first day that any of them holds. */
  readonly baseNs: bigint;

  /** Reads the first block of each. Throws DataFileError for an empty or broken file. */
  constructor(inputs: readonly MergedInput[]) {
    this.sources = inputs.map(({ blocks, options }) => new NpzSource(blocks, options));
    const bases = this.sources.map((s) => s.baseNs);
    this.baseNs = bases.toSorted((a, b) => (a < b ? -1 : 1))[0]!;
    for (const source of this.sources) source.rebase(this.baseNs);
  }

  /** Rows read of all. */
  get rows(): number {
    return this.sources.reduce((sum, s) => sum + s.rows, 0);
  }

  /** See L3Levels. */
  get badIds(): number {
    return this.sources.reduce((sum, s) => sum + s.badIds, 0);
  }

  /** Sends up to about `rowLimit` rows, whole events only, to `handler`. False at the end of all. */
  pump(handler: RecordHandler, rowLimit: number): boolean {
    if (this.sources.length === 1) return this.sources[0]!.pump(handler, rowLimit);
    const end = this.rows + rowLimit;
    for (;;) {
      let first = this.sources[0]!;
      for (let k = 1; k < this.sources.length; k++) {
        if (this.sources[k]!.nextEventNs() < first.nextEventNs()) first = this.sources[k]!;
      }
      if (first.nextEventNs() === Infinity) return false;
      first.pump(handler, 0);
      if (this.rows >= end) return true;
    }
  }

  close(): void {
    for (const source of this.sources) source.close();
  }
}
