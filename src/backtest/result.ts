// The backtest's name for what it yields; the tables are those of every run.

export type { RunResult as BacktestResult } from "../analytics/run-result.ts";
export * from "../analytics/run-result.ts";
