// [report] of a backtest's description: what returns refer to and how risk figures are sampled. Both modes.
import { z } from "zod";
import type { EquityOptions } from "../analytics/equity-metrics.ts";
import type { TomlDocument } from "../core/toml.ts";
import { parseDuration } from "../factor/duration.ts";
import { BacktestConfigError } from "./compat/compat-config.ts";

export const durationNs = z
  .string()
  .transform(parseDuration)
  .refine((ns) => ns > 0, "expected a duration such as 500ms, 10s, 5m");

const schema = z
  .strictObject({
    capital: z.number().positive().optional(),
    interval: durationNs.default(1e9),
    days_per_year: z.number().positive().default(365),
  })
  .default({ interval: 1e9, days_per_year: 365 });

/** Throws BacktestConfigError with every problem. */
export function reportConfig(document: TomlDocument): EquityOptions {
  const report = parseSection(document, "report", schema);
  return {
    capital: report.capital ?? null,
    intervalNs: report.interval,
    daysPerYear: report.days_per_year,
  };
}

/** One table of a description. Throws BacktestConfigError: file, line, key, what. */
export function parseSection<T>(document: TomlDocument, section: string, of: z.ZodType<T>): T {
  const parsed = of.safeParse(document.value[section]);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = [section, ...(issue.path as (string | number)[])];
    return `${document.file}:${document.locateNearest(path).line}: ${path.join(".")}: ${issue.message}`;
  });
  throw new BacktestConfigError(problems.join("\n"));
}
