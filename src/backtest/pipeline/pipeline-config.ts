// [backtest] of a configuration that is otherwise one of live trading: data and models per instrument. Everything
// is checked at once; each problem names file, line and key. Paths are relative to the TOML file.
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { parseDecimal, scaleTo, toSteps } from "../../core/decimal.ts";
import type { TomlDocument } from "../../core/toml.ts";
import type { EventSource } from "../../data/row-blocks.ts";
import {
  constantLatency,
  interpolatedLatency,
  type LatencyFactory,
  loadLatencyTable,
} from "../../exchange/compat/order-latency.ts";
import { L3_FIFO, QUEUE_MODELS } from "../../exchange/compat/queue-models.ts";
import type { FeeModel } from "../../exchange/fee-schedule.ts";
import { makeQueueModel } from "../../exchange/queue/make-queue-model.ts";
import type { QueueModel } from "../../exchange/queue/queue-model.ts";
import { riskAverseQueue } from "../../exchange/queue/risk-averse.ts";
import type { LatencyByKind } from "../../exchange/request-latency.ts";
import { inverseScale } from "../../market/contract-value.ts";
import { type Instrument, moneyUnit } from "../../market/instrument.ts";
import { recordedLatency } from "../against/recorded-latency.ts";
import { BacktestConfigError } from "../compat/compat-config.ts";
import { durationNs } from "../report-config.ts";
import type { FundingTerms } from "./market-funding.ts";

const DECIMAL = z.string().regex(/^\d{1,15}(\.\d{1,12})?$/, "expected a decimal number as text");
const POSITIVE = DECIMAL.refine((text) => Number(text) > 0, "expected more than 0");

const constant = z.strictObject({ model: z.literal("constant"), entry_ns: z.int(), response_ns: z.int() });
const interpolated = z.strictObject({
  model: z.literal("interpolated"),
  files: z.array(z.string()).min(1),
  offset_ns: z.int().default(0),
});
const oneLatency = z.discriminatedUnion("model", [constant, interpolated]);
const latency = z.union([
  oneLatency,
  z.strictObject({ model: z.literal("recorded"), wal: z.string() }),
  z.strictObject({
    model: z.literal("by-request"),
    place: oneLatency,
    modify: oneLatency,
    cancel: oneLatency,
  }),
]);
const market = z.strictObject({
  symbol: z.string(),
  data: z.array(z.string()).default([]),
  tick_size: POSITIVE,
  lot_size: POSITIVE,
  contract_size: POSITIVE.default("1"),
  kind: z.enum(["linear", "inverse"]).default("linear"),
  base: z.string().default(""),
  quote: z.string().default("USDT"),
  min_notional: DECIMAL.default("0"),
  fee: z
    .strictObject({
      model: z.enum(["value", "qty", "flat"]).default("value"),
      maker: z.number(),
      taker: z.number(),
    })
    .optional(),
  queue: z
    .strictObject({ model: z.enum([...QUEUE_MODELS, L3_FIFO]), n: z.number().optional() })
    .refine((q) => q.model !== L3_FIFO || q.n === undefined, `${L3_FIFO} takes no n`)
    .default({ model: "log2" }),
  initial_snapshot: z.string().optional(),
  exchange: z.enum(["no-partial-fill", "partial-fill"]).default("partial-fill"),
  feed_latency_offset_ns: z.int().default(0),
  funding: z
    .strictObject({
      interval: durationNs.default(28_800e9),
      rate: z
        .string()
        .regex(/^-?\d{1,3}(\.\d{1,8})?$/, "expected a decimal number as text, 8 decimals at most")
        .optional(),
    })
    .optional(),
});
const schema = z.strictObject({
  start_balance: POSITIVE.default("100000"),
  state_interval: durationNs.default(1e9),
  latency: latency.default({ model: "constant", entry_ns: 1_000_000, response_ns: 1_000_000 }),
  markets: z.array(market).min(1),
});

type MarketTable = z.infer<typeof market>;
type LatencyTableOf = z.infer<typeof oneLatency>;

/** What live trading says of an instrument; fees are rates as decimal text, "" = the default below. */
export interface DeclaredInstrument {
  readonly symbol: string;
  readonly makerFee: string;
  readonly takerFee: string;
}

export interface MarketSetup {
  readonly instrument: Instrument;
  readonly data: readonly EventSource[];
  readonly tickSize: number;
  readonly lotSize: number;
  readonly feedLatencyOffsetNs: number;
  readonly partialFills: boolean;
  readonly fees: FeeModel;
  /** Not asked with a market by order. */
  readonly queue: QueueModel;
  readonly marketByOrder: boolean;
  /** The book to begin with: rows whose times do not count. */
  readonly initialSnapshot?: string;
  /** Null: nothing is paid. */
  readonly funding: FundingTerms | null;
}

export interface PipelineConfig {
  readonly markets: readonly MarketSetup[];
  readonly latency: LatencyByKind;
  readonly walletE8: bigint;
  readonly stateIntervalNs: number;
}

/** Binance USD-M without a discount. */
const DEFAULT_MAKER = "0.0002";
const DEFAULT_TAKER = "0.0005";

/** `data`, when not empty, replaces the data of the only market (`--data`). Throws BacktestConfigError. */
export function pipelineConfig(
  document: TomlDocument,
  declared: readonly DeclaredInstrument[],
  data: readonly string[],
): PipelineConfig {
  const at = (...path: (string | number)[]): string =>
    `${document.file}:${document.locateNearest(["backtest", ...path]).line}: ${["backtest", ...path].join(".")}`;
  const parsed = schema.safeParse(document.value["backtest"] ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${at(...(issue.path as string[]))}: ${issue.message}`,
    );
    throw new BacktestConfigError(problems.join("\n"));
  }
  const { markets } = parsed.data;
  const path = (file: string): string => resolve(dirname(document.file), file);
  const problems: string[] = [];
  const requireFile = (file: string, ...where: (string | number)[]): void => {
    if (!existsSync(file)) problems.push(`${at(...where)}: no file ${file}`);
  };
  if (data.length > 0 && markets.length !== 1)
    problems.push(`${at("markets")}: --data needs exactly one market, ${markets.length} are described`);
  for (const { symbol } of declared)
    if (!markets.some((m) => m.symbol === symbol))
      problems.push(`${at("markets")}: no market for ${symbol}, which [[instruments]] declares`);
  markets.forEach((m, i) => {
    if (!declared.some((d) => d.symbol === m.symbol))
      problems.push(`${at("markets", i, "symbol")}: ${m.symbol} is not under [[instruments]]`);
    const files = data.length > 0 ? data.map((file) => resolve(file)) : m.data.map(path);
    if (files.length === 0) problems.push(`${at("markets", i)}: no data, here or by --data`);
    for (const file of files) requireFile(file, "markets", i, "data");
    if (m.initial_snapshot !== undefined)
      requireFile(path(m.initial_snapshot), "markets", i, "initial_snapshot");
  });
  const given = parsed.data.latency;
  if (given.model === "recorded") requireFile(path(given.wal), "latency", "wal");
  for (const [key, one] of latencies(given))
    if (one.model === "interpolated") for (const file of one.files) requireFile(path(file), "latency", key);
  problems.push(...moneyProblems(markets, at));
  if (problems.length > 0) throw new BacktestConfigError(problems.join("\n"));
  const factory = (one: LatencyTableOf): LatencyFactory =>
    one.model === "constant"
      ? constantLatency(one.entry_ns, one.response_ns)
      : interpolatedLatency(loadLatencyTable(one.files.map(path), one.offset_ns));
  const kinds = new Map(latencies(given));
  const kind = (name: string): LatencyFactory => factory(kinds.get(name)!);
  return {
    markets: declared.map((d, i) => {
      const m = markets.find((one) => one.symbol === d.symbol)!;
      const files = data.length > 0 ? data.map((file) => resolve(file)) : m.data.map(path);
      const snapshot = m.initial_snapshot === undefined ? undefined : path(m.initial_snapshot);
      return marketSetup(m, d, i + 1, files, snapshot);
    }),
    latency:
      given.model === "recorded"
        ? recordedLatency(path(given.wal))
        : { place: kind("place"), modify: kind("modify"), cancel: kind("cancel") },
    walletE8: scaleTo(parseDecimal(parsed.data.start_balance), 8),
    stateIntervalNs: parsed.data.state_interval,
  };
}

/** One account has one settlement currency, and money must come out whole. */
function moneyProblems(
  markets: readonly MarketTable[],
  at: (...path: (string | number)[]) => string,
): string[] {
  const problems: string[] = [];
  markets.forEach((m, i) => {
    if (m.kind === "inverse" && m.base === "")
      problems.push(`${at("markets", i)}: an inverse market needs base, the coin that it settles in`);
    try {
      inverseScale(instrumentOf(m, 1, 0, 0));
    } catch (error) {
      problems.push(`${at("markets", i)}: ${(error as Error).message}`);
    }
  });
  const currencies = new Set(markets.map((m) => instrumentOf(m, 1, 0, 0).settle));
  if (currencies.size > 1)
    problems.push(
      `${at("markets")}: one account has one settlement currency, these markets settle in ${[...currencies].join(", ")}`,
    );
  return problems;
}

function latencies(table: z.infer<typeof latency>): (readonly [kind: string, LatencyTableOf])[] {
  if (table.model === "recorded") return [];
  if (table.model !== "by-request")
    return ["place", "modify", "cancel"].map((kind) => [kind, table] as const);
  return [
    ["place", table.place],
    ["modify", table.modify],
    ["cancel", table.cancel],
  ];
}

function marketSetup(
  m: MarketTable,
  declared: DeclaredInstrument,
  id: number,
  data: readonly string[],
  initialSnapshot: string | undefined,
): MarketSetup {
  const rate = (text: string, otherwise: string): number =>
    toSteps(text === "" ? otherwise : text, "0.00000001");
  const maker = rate(declared.makerFee, DEFAULT_MAKER);
  const taker = rate(declared.takerFee, DEFAULT_TAKER);
  const e8 = (value: number): number => Math.round(value * 1e8);
  return {
    instrument: instrumentOf(m, id, maker, taker),
    data,
    tickSize: Number(m.tick_size),
    lotSize: Number(m.lot_size),
    feedLatencyOffsetNs: m.feed_latency_offset_ns,
    partialFills: m.exchange === "partial-fill",
    fees:
      m.fee === undefined
        ? { kind: "value", makerE8: maker, takerE8: taker }
        : { kind: m.fee.model, makerE8: e8(m.fee.maker), takerE8: e8(m.fee.taker) },
    queue:
      m.queue.model === L3_FIFO
        ? riskAverseQueue
        : makeQueueModel(m.queue.model, Number(m.lot_size), m.queue.n),
    marketByOrder: m.queue.model === L3_FIFO,
    ...(initialSnapshot === undefined ? {} : { initialSnapshot }),
    funding:
      m.funding === undefined
        ? null
        : {
            intervalNs: m.funding.interval,
            rateE8: m.funding.rate === undefined ? Number.NaN : e8(Number(m.funding.rate)),
          },
  };
}

function instrumentOf(m: MarketTable, id: number, makerFeeE8: number, takerFeeE8: number): Instrument {
  const inverse = m.kind === "inverse";
  const base = m.base === "" ? m.symbol.replace(m.quote, "") : m.base;
  const instrument: Instrument = {
    id,
    venue: "backtest",
    symbol: m.symbol,
    base,
    quote: m.quote,
    settle: inverse ? base : m.quote,
    tickSize: m.tick_size,
    lotSize: m.lot_size,
    contractSize: m.contract_size,
    inverse,
    pxDecimals: parseDecimal(m.tick_size).decimals,
    qtyDecimals: parseDecimal(m.lot_size).decimals,
    minPxTicks: 1,
    maxPxTicks: 2 ** 31 - 1,
    minQtyLots: 1,
    maxQtyLots: 2 ** 31 - 1,
    minNotionalTickLots: 0,
    orderTickStep: 1,
    percentUpE8: 0,
    percentDownE8: 0,
    makerFeeE8,
    takerFeeE8,
    trading: true,
  };
  return { ...instrument, minNotionalTickLots: moneyUnits(m.min_notional, instrument) };
}

/** Money as decimal text in whole money units, rounded up. */
function moneyUnits(text: string, instrument: Instrument): number {
  const money = parseDecimal(text);
  const unit = moneyUnit(instrument);
  const numerator = money.units * 10n ** BigInt(unit.decimals);
  const denominator = unit.mantissa * 10n ** BigInt(money.decimals);
  return Number((numerator + denominator - 1n) / denominator);
}
