// The runs that a sweep has done, one JSON line each, synced: what makes a killed sweep go on where it was. Cold.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from "node:fs";
import type { Point } from "./points.ts";
import type { RunFigures } from "./run-figures.ts";

export interface RunOutcome {
  /** Point and segments: see runKey. */
  readonly key: string;
  readonly params: Point;
  /** Segments [from, to) of the data. */
  readonly from: number;
  readonly to: number;
  readonly figures: RunFigures | null;
  readonly seconds: number;
  /** Why there are no figures. */
  readonly failure: string | null;
}

export class RunLog {
  /** Successful runs by key; what failed is run again. */
  readonly done: ReadonlyMap<string, RunOutcome>;
  private readonly fd: number;

  constructor(file: string) {
    this.done = existsSync(file) ? readOutcomes(file) : new Map();
    this.fd = openSync(file, "a");
  }

  append(outcome: RunOutcome): void {
    writeSync(this.fd, `${JSON.stringify(outcome)}\n`);
    fdatasyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A line that a kill cut off is taken away, so that the next one begins at its own. */
function readOutcomes(file: string): Map<string, RunOutcome> {
  const bytes = readFileSync(file);
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < bytes.length) truncateSync(file, whole);
  const done = new Map<string, RunOutcome>();
  for (const line of bytes.subarray(0, whole).toString().split("\n")) {
    if (line === "") continue;
    const outcome = JSON.parse(line) as RunOutcome;
    if (outcome.failure === null) done.set(outcome.key, outcome);
  }
  return done;
}
