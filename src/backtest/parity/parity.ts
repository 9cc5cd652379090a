// All parity cases of a folder: tiny/ (one log per combination of models), medium/ (index.json + csv) and random/
// (a folder per case).
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { compareMediumCase, readMediumIndex } from "./medium-case.ts";
import { compareRandomCase, isRandomCase } from "./random-case.ts";
import { compareTinyLog, isTinyLog } from "./tiny-case.ts";

export interface ParityCase {
  readonly name: string;
  /** Null when identical, else where it first differs or why it cannot run. */
  readonly difference: string | null;
}

/** Runs case after case. Throws when `dir` has neither tiny/ nor medium/ nor cases itself. */
export function* runParity(dir: string, dataDirs: readonly string[]): Generator<ParityCase, void, void> {
  let found = false;
  for (const sub of ["tiny", "medium", "random", "."]) {
    const folder = join(dir, sub);
    if (!existsSync(folder)) continue;
    const logs = readdirSync(folder).filter(isTinyLog).sort();
    for (const log of logs) {
      found = true;
      yield check(join(sub, log), () => compareTinyLog(folder, log));
    }
    for (const name of readdirSync(folder).sort()) {
      if (!isRandomCase(join(folder, name))) continue;
      found = true;
      yield check(join(sub, name), () => compareRandomCase(join(folder, name)));
    }
    if (!existsSync(join(folder, "index.json"))) continue;
    for (const [file, entry] of readMediumIndex(folder)) {
      found = true;
      yield check(join(sub, file), () => compareMediumCase(folder, file, entry, [...dataDirs, folder]));
    }
  }
  if (!found)
    throw new Error(
      `${dir}: no parity cases (expected tiny/*.jsonl.gz, medium/index.json or random/*/case.json)`,
    );
}

/** A case that cannot run is different, with its reason. */
function check(name: string, compare: () => string | null): ParityCase {
  try {
    return { name, difference: compare() };
  } catch (error) {
    return { name, difference: `cannot run: ${(error as Error).message}` };
  }
}
