// [sweep] of a backtest's description: which parameters to vary, how, and what to judge by. Everything is checked at
// once; each problem names file, line and key.
import { z } from "zod";
import type { TomlDocument } from "../../core/toml.ts";
import { BacktestConfigError } from "../compat/compat-config.ts";
import { parseSection } from "../report-config.ts";
import { OBJECTIVES, type Objective } from "./run-figures.ts";

const range = z.strictObject({
  from: z.number(),
  to: z.number(),
  /** grid: distance of points. */
  step: z.number().positive().optional(),
  /** random: uniform in the logarithm. */
  log: z.boolean().default(false),
  /** random: whole numbers. */
  integer: z.boolean().default(false),
});
const schema = z.strictObject({
  method: z.enum(["grid", "random"]).default("grid"),
  samples: z.int().positive().default(100),
  seed: z.int().nonnegative().default(1),
  objective: z.enum(OBJECTIVES).default("sharpe"),
  params: z.record(z.string(), z.union([z.array(z.number()).min(1), range])),
  walk_forward: z
    .strictObject({
      folds: z.int().positive(),
      train: z.int().positive().default(1),
      anchored: z.boolean().default(false),
    })
    .optional(),
});

export type ParamSpace = readonly number[] | z.infer<typeof range>;

/** The data is cut into `train` + `folds` segments of equal time; fold f is tested on segment train + f. */
export interface WalkForward {
  readonly folds: number;
  /** Segments of one training. */
  readonly train: number;
  /** Trainings begin at the start of the data instead of moving along. */
  readonly anchored: boolean;
}

export interface SweepConfig {
  readonly method: "grid" | "random";
  readonly samples: number;
  readonly seed: number;
  readonly objective: Objective;
  readonly params: Readonly<Record<string, ParamSpace>>;
  readonly walkForward: WalkForward | null;
}

/** Throws BacktestConfigError. */
export function sweepConfig(document: TomlDocument): SweepConfig {
  if (document.value["sweep"] === undefined)
    throw new BacktestConfigError(`${document.file}:1: sweep: a sweep needs [sweep] with [sweep.params]`);
  const { walk_forward, ...sweep } = parseSection(document, "sweep", schema);
  const problems = Object.entries(sweep.params).flatMap(([name, space]) => {
    const { line } = document.locateNearest(["sweep", "params", name]);
    const wrong = spaceProblem(space, sweep.method);
    return wrong === null ? [] : [`${document.file}:${line}: sweep.params.${name}: ${wrong}`];
  });
  if (Object.keys(sweep.params).length === 0)
    problems.push(
      `${document.file}:${document.locateNearest(["sweep"]).line}: sweep.params: names no parameter`,
    );
  if (problems.length > 0) throw new BacktestConfigError(problems.join("\n"));
  return { ...sweep, walkForward: walk_forward ?? null };
}

function spaceProblem(space: ParamSpace, method: "grid" | "random"): string | null {
  if (Array.isArray(space)) return new Set(space).size === space.length ? null : "a value stands twice";
  const { from, to, step, log } = space as z.infer<typeof range>;
  if (!(from < to)) return `from ${from} is not below to ${to}`;
  if (method === "grid" && step === undefined) return "a grid needs a list of values or a step";
  return log && from <= 0 ? `a logarithmic range begins above 0, not at ${from}` : null;
}
