// What a sweep and its job processes say to each other.
import type { AssetRows } from "../run-backtest.ts";
import type { Point } from "./points.ts";
import type { RunFigures } from "./run-figures.ts";

export interface JobSetup {
  /** Path of the description. */
  readonly config: string;
  readonly data: readonly string[];
  readonly markOuts: boolean;
}

export interface JobTask {
  readonly params: Point;
  /** By asset. */
  readonly rows: readonly AssetRows[];
}

export interface JobAnswer {
  readonly figures: RunFigures | null;
  readonly seconds: number;
  readonly failure: string | null;
}
