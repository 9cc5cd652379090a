// A backtest description (TOML) with compat = "hftbacktest-2.4.4". Everything is checked at once; each problem
// names file, line and key. Paths are relative to the TOML file.
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { TomlDocument } from "../../core/toml.ts";
import {
  constantLatency,
  interpolatedLatency,
  loadLatencyTable,
} from "../../exchange/compat/order-latency.ts";
import { L3_FIFO, QUEUE_MODELS } from "../../exchange/compat/queue-models.ts";
import type { CompatAssetOptions } from "./compat-asset.ts";

export const COMPAT_VERSION = "hftbacktest-2.4.4";

const constant = z.strictObject({ model: z.literal("constant"), entry_ns: z.int(), response_ns: z.int() });
const interpolated = z.strictObject({
  model: z.literal("interpolated"),
  files: z.array(z.string()).min(1),
  offset_ns: z.int().default(0),
});
const asset = z.strictObject({
  symbol: z.string().min(1).optional(),
  currency: z.string().min(1).optional(),
  data: z.array(z.string()).default([]),
  tick_size: z.number().positive(),
  lot_size: z.number().positive(),
  book: z.enum(["hash", "roi"]).default("hash"),
  roi: z.tuple([z.number(), z.number()]).optional(),
  kind: z.enum(["linear", "inverse"]).default("linear"),
  contract_size: z.number().positive().default(1),
  fee: z
    .strictObject({
      model: z.enum(["value", "qty", "flat"]).default("value"),
      maker: z.number(),
      taker: z.number(),
    })
    .default({ model: "value", maker: 0, taker: 0 }),
  queue: z
    .strictObject({ model: z.enum([...QUEUE_MODELS, L3_FIFO]), n: z.number().optional() })
    .default({ model: "log2" }),
  exchange: z.enum(["no-partial-fill", "partial-fill"]).default("no-partial-fill"),
  latency: z.discriminatedUnion("model", [constant, interpolated]).default({
    model: "constant",
    entry_ns: 0,
    response_ns: 0,
  }),
  feed_latency_offset_ns: z.int().default(0),
  initial_snapshot: z.string().optional(),
  keep_trades: z.boolean().default(false),
});
const schema = z.strictObject({
  compat: z.literal(COMPAT_VERSION),
  strategy: z.strictObject({ module: z.string(), params: z.record(z.string(), z.number()).default({}) }),
  assets: z.array(asset).min(1),
  // Read by report-config.ts and sweep-config.ts.
  report: z.unknown().optional(),
  sweep: z.unknown().optional(),
});

type AssetTable = z.infer<typeof asset>;

export interface CompatRunConfig {
  /** Absolute path of the strategy's module. */
  readonly module: string;
  readonly params: Readonly<Record<string, number>>;
  readonly assets: readonly CompatAssetOptions[];
  readonly names: readonly AssetName[];
}

export interface AssetName {
  readonly symbol: string;
  /** Of balance, fee and equity. */
  readonly currency: string;
}

/** All problems of a description, one per line. */
export class BacktestConfigError extends Error {
  override readonly name = "BacktestConfigError";
}

/** `data`, when not empty, replaces the data of the only asset (`--data`). Throws BacktestConfigError. */
export function compatConfig(document: TomlDocument, data: readonly string[]): CompatRunConfig {
  const parsed = schema.safeParse(document.value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const { line } = document.locateNearest(issue.path as (string | number)[]);
      return `${document.file}:${line}: ${issue.path.join(".") || "file"}: ${issue.message}`;
    });
    throw new BacktestConfigError(problems.join("\n"));
  }
  const { strategy, assets } = parsed.data;
  const path = (file: string): string => resolve(dirname(document.file), file);
  const problems: string[] = [];
  const line = (...at: (string | number)[]): string => `${document.file}:${document.locateNearest(at).line}`;
  if (data.length > 0 && assets.length !== 1) {
    problems.push(`${line("assets")}: --data needs exactly one asset, ${assets.length} are described`);
  }
  const requireFile = (file: string, ...at: (string | number)[]): void => {
    if (!existsSync(file)) problems.push(`${line(...at)}: ${at.join(".")}: no file ${file}`);
  };
  requireFile(path(strategy.module), "strategy", "module");
  const files = assets.map((a, i) => {
    const own = data.length > 0 ? data.map((file) => resolve(file)) : a.data.map(path);
    if (own.length === 0)
      problems.push(`${line("assets", i)}: assets.${i}.data: no file given, here or by --data`);
    for (const file of own) requireFile(file, "assets", i, "data");
    if (a.initial_snapshot !== undefined)
      requireFile(path(a.initial_snapshot), "assets", i, "initial_snapshot");
    if (a.latency.model === "interpolated")
      for (const file of a.latency.files) requireFile(path(file), "assets", i, "latency");
    if (a.book === "roi" && a.roi === undefined)
      problems.push(`${line("assets", i, "book")}: a roi book needs roi = [lower, upper]`);
    if (a.queue.model === L3_FIFO && a.exchange === "partial-fill")
      problems.push(
        `${line("assets", i, "exchange")}: assets.${i}.exchange: l3-fifo has no partial fills: "no-partial-fill" is expected`,
      );
    return own;
  });
  if (problems.length > 0) throw new BacktestConfigError(problems.join("\n"));
  return {
    module: path(strategy.module),
    params: strategy.params,
    assets: assets.map((a, i) => assetOptions(a, files[i]!, path)),
    names: assets.map((a, i) => ({
      symbol: a.symbol ?? `asset${i}`,
      currency: a.currency ?? (a.kind === "linear" ? "quote" : "base"),
    })),
  };
}

function assetOptions(
  a: AssetTable,
  data: readonly string[],
  path: (file: string) => string,
): CompatAssetOptions {
  const { latency } = a;
  return {
    data,
    tickSize: a.tick_size,
    lotSize: a.lot_size,
    book: a.book,
    ...(a.roi === undefined ? {} : { roi: a.roi }),
    assetKind: a.kind,
    contractSize: a.contract_size,
    feeKind: a.fee.model,
    makerFee: a.fee.maker,
    takerFee: a.fee.taker,
    queueModel: a.queue.model,
    ...(a.queue.n === undefined ? {} : { queueParameter: a.queue.n }),
    exchange: a.exchange === "partial-fill" ? "partialFill" : "noPartialFill",
    latency:
      latency.model === "constant"
        ? constantLatency(latency.entry_ns, latency.response_ns)
        : interpolatedLatency(loadLatencyTable(latency.files.map(path), latency.offset_ns)),
    feedLatencyOffsetNs: a.feed_latency_offset_ns,
    ...(a.initial_snapshot === undefined ? {} : { initialSnapshot: path(a.initial_snapshot) }),
    keepTrades: a.keep_trades,
  };
}
