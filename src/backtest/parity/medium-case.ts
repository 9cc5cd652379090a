// Medium parity cases: the simple market maker over recorded data, one csv row per step, and the final state and
// configuration of each run in index.json.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  constantLatency,
  interpolatedLatency,
  loadLatencyTable,
} from "../../exchange/compat/order-latency.ts";
import { QUEUE_MODELS, type QueueModelName } from "../../exchange/compat/queue-models.ts";
import type { CompatAssetOptions } from "../compat/compat-asset.ts";
import { CompatBacktest } from "../compat/compat-backtest.ts";
import { firstDifference, parseExactJson, showExact } from "./exact-json.ts";
import { runSimpleMm, type SimpleMmParameters } from "./simple-mm.ts";

export interface MediumEntry {
  readonly config: MediumConfig;
  readonly final?: Readonly<Record<string, unknown>>;
  readonly rows?: number;
  readonly final_equity?: number;
}

interface MediumConfig extends SimpleMmParameters {
  readonly queue: readonly [QueueModelName, number | null];
  readonly lat: "const" | "intp";
  readonly exch: "partial" | "nopartial";
  readonly depth: "hash" | "roi";
  readonly src: string | readonly string[];
  readonly kind: "linear" | "inverse";
  readonly tick: number;
  readonly lot: number;
  readonly cs: number;
  readonly fees: readonly [number, number];
  readonly roi: readonly [number, number];
  /** Present in some sets: kind of fee, offsets in ns, snapshot file, latency table, constant latencies in ns. */
  readonly fee_model?: string;
  readonly feed_latency_offset?: number;
  readonly order_latency_offset?: number;
  readonly initial_snapshot?: string;
  readonly latency_file?: string;
  readonly constant_latency?: readonly [number, number];
}

const KNOWN_KEYS = new Set(
  (
    "queue lat exch depth src kind tick lot cs q half skew maxp fees roi fee_model feed_latency_offset " +
    "order_latency_offset initial_snapshot latency_file constant_latency"
  ).split(" "),
);
const CONSTANT_LATENCY_NS = 10_000_000;
const LATENCY_FILE = "order_latency_btcusdt_20240808.npz";
const COLUMNS = "timestamp,price,position,balance,fee,num_trades,trading_volume,trading_value,equity";

export function readMediumIndex(dir: string): Map<string, MediumEntry> {
  const text = readFileSync(join(dir, "index.json"), "utf8");
  return new Map(Object.entries(parseExactJson(text) as Record<string, MediumEntry>));
}

/** Null when identical, else where it first differs. `dataDirs`: where `src` is looked up. */
export function compareMediumCase(
  dir: string,
  file: string,
  entry: MediumEntry,
  dataDirs: readonly string[],
): string | null {
  const unknown = Object.keys(entry.config).filter((key) => !KNOWN_KEYS.has(key));
  if (unknown.length > 0) return `config: unknown ${unknown.join(", ")}`;
  const expected = readText(join(dir, file)).trimEnd().split("\n");
  if (expected[0] !== COLUMNS) return `line 1: expected columns ${COLUMNS}, found ${expected[0]}`;
  const compare = new RowComparison(expected);
  const backtest = new CompatBacktest([assetOf(entry.config, dataDirs)]);
  try {
    const rc = runSimpleMm(backtest, entry.config, (price, v) => {
      compare.row(backtest, price, [
        price,
        v.position,
        v.balance,
        v.fee,
        v.numTrades,
        v.tradingVolume,
        v.tradingValue,
        backtest.equity(0, price),
      ]);
    });
    return compare.end() ?? compareFinal(entry, backtest, rc, compare.rows, compare.lastEquity);
  } finally {
    backtest.close();
  }
}

/** The csv, or its gzip (test/data keeps them small). */
function readText(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8")
    : gunzipSync(readFileSync(`${path}.gz`)).toString("utf8");
}

function assetOf(config: MediumConfig, dataDirs: readonly string[]): CompatAssetOptions {
  const [queue, parameter] = config.queue;
  if (!QUEUE_MODELS.includes(queue)) throw new Error(`unknown queue model ${queue}`);
  const sources = typeof config.src === "string" ? [config.src] : config.src;
  const table = findData(config.latency_file ?? LATENCY_FILE, config.lat === "intp" ? dataDirs : []);
  const [entryNs, responseNs] = config.constant_latency ?? [CONSTANT_LATENCY_NS, CONSTANT_LATENCY_NS];
  const snapshot = config.initial_snapshot;
  return {
    data: sources.map((source) => requireData(source, dataDirs)),
    tickSize: config.tick,
    lotSize: config.lot,
    book: config.depth,
    roi: config.roi,
    assetKind: config.kind,
    contractSize: config.cs,
    feeKind: feeKindOf(config.fee_model),
    makerFee: config.fees[0],
    takerFee: config.fees[1],
    queueModel: queue,
    ...(parameter === null ? {} : { queueParameter: parameter }),
    exchange: config.exch === "partial" ? "partialFill" : "noPartialFill",
    latency:
      table === null
        ? constantLatency(entryNs, responseNs)
        : interpolatedLatency(loadLatencyTable([table], config.order_latency_offset ?? 0)),
    feedLatencyOffsetNs: config.feed_latency_offset ?? 0,
    ...(snapshot === undefined ? {} : { initialSnapshot: requireData(snapshot, dataDirs) }),
  };
}

function feeKindOf(name: string | undefined): "value" | "qty" | "flat" {
  switch (name) {
    case undefined:
    case "value":
    case "trading_value":
      return "value";
    case "qty":
    case "quantity":
    case "trading_qty":
      return "qty";
    case "flat":
    case "flat_per_trade":
      return "flat";
    default:
      throw new Error(`unknown fee model ${name}`);
  }
}

function findData(file: string, dirs: readonly string[]): string | null {
  return dirs.map((dir) => join(dir, file)).find(existsSync) ?? null;
}

function requireData(file: string, dirs: readonly string[]): string {
  const found = findData(file, dirs);
  if (found === null) throw new Error(`${file} is not in ${dirs.join(" or ")} (give its folder with --data)`);
  return found;
}

/** Compares step by step, so that a difference is known without holding the run. */
class RowComparison {
  rows = 0;
  lastEquity = Number.NaN;
  private readonly expected: readonly string[];
  private difference: string | null = null;

  constructor(expected: readonly string[]) {
    this.expected = expected;
  }

  row(backtest: CompatBacktest, _price: number, values: readonly number[]): void {
    this.rows++;
    this.lastEquity = values[values.length - 1]!;
    if (this.difference !== null) return;
    const line = this.expected[this.rows];
    if (line === undefined) {
      this.difference = `line ${this.rows + 1}: more lines than expected`;
      return;
    }
    const cells = line.split(",");
    const names = COLUMNS.split(",");
    const ts = backtest.currentTimestamp;
    if (cells[0] !== String(ts)) this.fail(names[0]!, cells[0]!, String(ts));
    for (let i = 0; i < values.length && this.difference === null; i++) {
      const cell = cells[i + 1] ?? "";
      const expected = cell === "" || cell === "nan" ? Number.NaN : Number(cell);
      if (!Object.is(expected, values[i])) this.fail(names[i + 1]!, cell, showExact(values[i]));
    }
  }

  end(): string | null {
    if (this.difference !== null || this.rows === this.expected.length - 1) return this.difference;
    return `line ${this.rows + 2}: ${this.expected.length - 1 - this.rows} lines missing`;
  }

  private fail(column: string, expected: string, actual: string): void {
    this.difference ??= `line ${this.rows + 1}, ${column}: expected ${expected}, got ${actual}`;
  }
}

function compareFinal(
  entry: MediumEntry,
  backtest: CompatBacktest,
  rc: number,
  rows: number,
  equity: number,
): string | null {
  const values = backtest.stateValues(0);
  const depth = backtest.depth(0);
  const actual: Record<string, unknown> = {
    rc,
    ts: backtest.currentTimestamp,
    position: values.position,
    balance: values.balance,
    fee: values.fee,
    num_trades: values.numTrades,
    trading_volume: values.tradingVolume,
    trading_value: values.tradingValue,
    best_bid_tick: depth.hasBid ? depth.bestBidTick : null,
    best_ask_tick: depth.hasAsk ? depth.bestAskTick : null,
  };
  for (const [key, expected] of Object.entries(entry.final ?? {})) {
    const path = firstDifference(expected, actual[key], `final.${key}`);
    if (path !== null)
      return `index.json, ${path}: expected ${showExact(expected)}, got ${showExact(actual[key])}`;
  }
  if (entry.rows !== undefined && entry.rows !== rows)
    return `index.json, rows: expected ${entry.rows}, got ${rows}`;
  if (entry.final_equity !== undefined && !Object.is(entry.final_equity, equity)) {
    return `index.json, final_equity: expected ${entry.final_equity}, got ${equity}`;
  }
  return null;
}
