// A job process of a sweep: takes tasks from its parent one at a time, runs them, answers with figures. Ends with its
// parent.
import { runMetrics } from "../analytics/metrics.ts";
import { reportConfig } from "../backtest/report-config.ts";
import type { JobAnswer, JobSetup, JobTask } from "../backtest/sweep/job-protocol.ts";
import { runFigures } from "../backtest/sweep/run-figures.ts";
import { readToml } from "../core/toml.ts";
import { RC_END_OF_DATA } from "../exchange/compat/codes.ts";
import { runDescribed } from "./run-described.ts";

const setup = JSON.parse(process.argv[2]!) as JobSetup;
const document = readToml(setup.config);
const options = reportConfig(document);

async function answer(task: JobTask): Promise<JobAnswer> {
  const { params, rows } = task;
  const { data, markOuts } = setup;
  try {
    const { result, seconds } = await runDescribed(document, { data, params, rows, markOuts });
    const failure = result.failure ?? stopped(result.returnCode);
    return { figures: failure === null ? runFigures(runMetrics(result, options)) : null, seconds, failure };
  } catch (error) {
    return { figures: null, seconds: 0, failure: (error as Error).message };
  }
}

const stopped = (code: number | null): string | null =>
  code === null || code === RC_END_OF_DATA ? null : `the strategy stopped with code ${code}`;

process.on("disconnect", () => process.exit(0));
process.on("message", (task: JobTask) => {
  void answer(task).then((answered) => process.send!(answered));
});
