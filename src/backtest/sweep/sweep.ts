// A sweep: all points over all training ranges, then the best of each fold over the range after it. Runs that the log
// holds are not run again. Cold.
import { Jobs } from "./jobs.ts";
import { type Point, pointKey, sweepPoints } from "./points.ts";
import { type CachedAsset, segmentRows } from "./row-cache.ts";
import { needsMarkOuts, score } from "./run-figures.ts";
import type { RunLog, RunOutcome } from "./run-log.ts";
import type { SweepConfig, WalkForward } from "./sweep-config.ts";

export interface SweepParts {
  readonly config: SweepConfig;
  /** Path of the description, and what replaces its data. */
  readonly description: string;
  readonly data: readonly string[];
  readonly assets: readonly CachedAsset[];
  readonly log: RunLog;
  readonly jobs: number;
  /** File of the job program. */
  readonly jobProgram: string;
  /** Before the first run: how many are needed and how many of them are logged already. */
  readonly onStart: (runs: number, logged: number) => void;
  readonly onRun: (outcome: RunOutcome) => void;
}

/** A fold of a walk-forward: the point that training chose, there and on the data after it. */
export interface Fold {
  readonly train: RunOutcome;
  readonly test: RunOutcome;
}

export interface SweepResult {
  /** Best first; with walk-forward: of all trainings. */
  readonly runs: readonly RunOutcome[];
  readonly folds: readonly Fold[];
}

interface Task {
  readonly key: string;
  readonly params: Point;
  readonly from: number;
  readonly to: number;
}

/** Segments that the data must be cut into. */
export const segmentsOf = (walk: WalkForward | null): number => (walk === null ? 1 : walk.train + walk.folds);

export async function runSweep(parts: SweepParts): Promise<SweepResult> {
  const { config } = parts;
  const points = sweepPoints(config);
  const trainings = trainingRanges(config.walkForward);
  const runner = new Runner(parts);
  const tasks = trainings.flatMap(([from, to]) => points.map((params) => taskOf(params, from, to)));
  const tests = config.walkForward?.folds ?? 0;
  const logged = tasks.filter((task) => parts.log.done.has(task.key)).length;
  parts.onStart(tasks.length + tests, logged);
  const runs = ranked(await runner.run(tasks), config);
  if (config.walkForward === null) return { runs, folds: [] };
  const best = trainings.map(([from, to]) => runs.find((run) => run.from === from && run.to === to)!);
  const tested = await runner.run(best.map(({ params, to }) => taskOf(params, to, to + 1)));
  return { runs, folds: best.map((train, i) => ({ train, test: tested[i]! })) };
}

function trainingRanges(walk: WalkForward | null): [from: number, to: number][] {
  if (walk === null) return [[0, 1]];
  return Array.from({ length: walk.folds }, (_, f) => [walk.anchored ? 0 : f, f + walk.train]);
}

const taskOf = (params: Point, from: number, to: number): Task => ({
  key: `${pointKey(params)} @${from}-${to}`,
  params,
  from,
  to,
});

function ranked(runs: readonly RunOutcome[], { objective }: SweepConfig): RunOutcome[] {
  // The sort is stable: equal scores stay in the order of the points.
  return [...runs].sort((a, b) => {
    const [x, y] = [score(a.figures, objective), score(b.figures, objective)];
    return x === y ? 0 : y - x;
  });
}

class Runner {
  private readonly parts: SweepParts;

  constructor(parts: SweepParts) {
    this.parts = parts;
  }

  /** Outcomes in the order of the tasks. */
  async run(tasks: readonly Task[]): Promise<RunOutcome[]> {
    const { log, assets, onRun, config, description, data } = this.parts;
    const outcomes = new Map<string, RunOutcome>();
    for (const { key } of tasks) {
      const logged = log.done.get(key);
      if (logged !== undefined) outcomes.set(key, logged);
    }
    const setup = { config: description, data, markOuts: needsMarkOuts(config.objective) };
    const jobs = new Jobs(this.parts.jobs, this.parts.jobProgram, setup);
    const kill = (): void => jobs.kill();
    process.on("exit", kill);
    try {
      await jobs.run(
        tasks.filter(({ key }) => !outcomes.has(key)),
        ({ params, from, to }) => ({ params, rows: assets.map((asset) => segmentRows(asset, from, to)) }),
        (task, answer) => {
          const outcome = { ...task, ...answer };
          outcomes.set(task.key, outcome);
          log.append(outcome);
          onRun(outcome);
        },
      );
    } finally {
      process.off("exit", kill);
      jobs.kill();
    }
    return tasks.map(({ key }) => outcomes.get(key)!);
  }
}
