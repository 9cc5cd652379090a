// Small parity cases: a list of actions driven through the compat engine, one line of state per step. The driver
// is the one that made the references (test/data/golden/README.md), step for step.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GTC, LIMIT, RC_MARKET_FEED, RC_OK, RC_ORDER_RESPONSE } from "../../exchange/compat/codes.ts";
import {
  constantLatency,
  interpolatedLatency,
  loadLatencyTable,
} from "../../exchange/compat/order-latency.ts";
import type { QueueModelName } from "../../exchange/compat/queue-models.ts";
import type { CompatAssetOptions } from "../compat/compat-asset.ts";
import { CompatBacktest } from "../compat/compat-backtest.ts";
import { firstDifference, parseExactJson, parseMarkedJson, showExact } from "./exact-json.ts";
import { stateLine, type TinyLine } from "./tiny-line.ts";

type Action = readonly [tMs: number, kind: string, ...args: number[]];

interface TinyCase {
  readonly t0: bigint;
  readonly tick_size: number;
  readonly lot_size: number;
  readonly maker_fee?: number;
  readonly taker_fee?: number;
  readonly fees?: readonly [number, number];
  readonly fee_model?: string;
  readonly asset?: string;
  readonly contract_size?: number;
  readonly mode: readonly ["feed" | "elapse", number];
  readonly roi: readonly [number, number];
  readonly constant_latency: readonly [number, number];
  readonly actions: readonly Action[];
}

/** Exponents of the power models in these cases. */
const QUEUE_PARAMETERS: Readonly<Record<string, number>> = { power: 2, power2: 3, power3: 3 };

/** CASE.QUEUE.LAT.EXCH.DEPTH.jsonl.gz */
const LOG_NAME =
  /^(.+?)\.(risk|log2?|power[23]?)\.(const|intp)\.(nopartial|partial)\.(hash|roi)\.jsonl(\.gz)?$/;

/** Null when identical, else where it first differs. Null name: not a log. */
export function compareTinyLog(dir: string, log: string): string | null {
  const name = LOG_NAME.exec(log);
  if (name === null) throw new Error(`${log} is no log of a tiny case`);
  const options = { queue: name[2]!, latency: name[3]!, exchange: name[4]!, depth: name[5]! };
  const expected = readLog(join(dir, log));
  const actual = runTinyCase(dir, name[1]!, options);
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    if (i >= expected.length) return `line ${i + 1}: ${actual.length - expected.length} lines too many`;
    if (i >= actual.length) return `line ${i + 1}: ${expected.length - actual.length} lines missing`;
    const path = firstDifference(expected[i], actual[i]);
    if (path !== null)
      return `line ${i + 1}, ${path}: expected ${at(expected[i], path)}, got ${at(actual[i], path)}`;
  }
  return null;
}

export const isTinyLog = (file: string): boolean => LOG_NAME.test(file);

function at(value: unknown, path: string): string {
  let found = value;
  for (const key of path.match(/[^.[\]]+/g) ?? []) {
    found = (found as Record<string, unknown> | undefined)?.[key];
  }
  return showExact(found);
}

function readLog(path: string): unknown[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseMarkedJson);
}

interface TinyOptions {
  readonly queue: string;
  readonly latency: string;
  readonly exchange: string;
  readonly depth: string;
}

function runTinyCase(dir: string, stem: string, options: TinyOptions): TinyLine[] {
  const spec = parseExactJson(readFileSync(join(dir, `${stem}.case.json`), "utf8")) as TinyCase;
  const backtest = new CompatBacktest([assetOf(dir, stem, spec, options)]);
  try {
    return drive(backtest, spec);
  } finally {
    backtest.close();
  }
}

function assetOf(dir: string, stem: string, spec: TinyCase, options: TinyOptions): CompatAssetOptions {
  const [entry, response] = spec.constant_latency;
  const parameter = QUEUE_PARAMETERS[options.queue];
  return {
    data: [join(dir, `${stem}.data.npz`)],
    tickSize: spec.tick_size,
    lotSize: spec.lot_size,
    book: options.depth === "roi" ? "roi" : "hash",
    roi: spec.roi,
    assetKind: spec.asset === "inverse" ? "inverse" : "linear",
    contractSize: spec.contract_size ?? 1,
    feeKind: spec.fee_model === "qty" || spec.fee_model === "flat" ? spec.fee_model : "value",
    makerFee: spec.maker_fee ?? spec.fees?.[0] ?? 0,
    takerFee: spec.taker_fee ?? spec.fees?.[1] ?? 0,
    queueModel: options.queue as QueueModelName,
    ...(parameter === undefined ? {} : { queueParameter: parameter }),
    exchange: options.exchange === "partial" ? "partialFill" : "noPartialFill",
    latency:
      options.latency === "intp"
        ? interpolatedLatency(loadLatencyTable([join(dir, `${stem}.latency.npz`)]))
        : constantLatency(entry, response),
    keepTrades: true,
  };
}

const goesOn = (rc: number): boolean => rc === RC_OK || rc === RC_MARKET_FEED || rc === RC_ORDER_RESPONSE;

function drive(backtest: CompatBacktest, spec: TinyCase): TinyLine[] {
  const lines: TinyLine[] = [];
  const times = spec.actions.map((action) => spec.t0 + BigInt(Math.trunc(action[0] * 1e6)));
  let next = 0;
  let before: TinyLine | null = null;
  let rc = backtest.elapse(0);
  for (let step = 0; ; step++) {
    const line = stateLine(backtest, rc, step);
    const done: [number, number][] = [];
    while (goesOn(rc) && next < times.length && times[next]! <= backtest.currentTimestamp) {
      done.push([next, act(backtest, spec.actions[next]!)]);
      next++;
    }
    if (done.length > 0 || !goesOn(rc) || changed(before, line)) {
      lines.push(done.length > 0 ? { ...line, actions: done } : line);
    }
    before = line;
    if (!goesOn(rc)) return lines;
    rc = spec.mode[0] === "feed" ? backtest.waitNextFeed(true, spec.mode[1]) : backtest.elapse(spec.mode[1]);
  }
}

/** Return code of an action; clear has none in the original and counts as 0. */
function act(backtest: CompatBacktest, action: Action): number {
  const [, kind, ...args] = action;
  switch (kind) {
    case "submit": {
      const [id, side, price, qty, tif = GTC, type = LIMIT] = args as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return side > 0
        ? backtest.submitBuy(0, id, price, qty, tif, type)
        : backtest.submitSell(0, id, price, qty, tif, type);
    }
    case "cancel":
      return backtest.cancel(0, args[0]!);
    case "modify":
      return backtest.modify(0, args[0]!, args[1]!, args[2]!);
    case "clear":
      backtest.clearInactiveOrders(0);
      return RC_OK;
    default:
      throw new Error(`unknown action ${kind}`);
  }
}

/** Whether the state differs; time, code and step number do not count. */
function changed(before: TinyLine | null, line: TinyLine): boolean {
  if (before === null) return true;
  for (const key of STATE_KEYS) {
    const [a, b] = [before[key], line[key]];
    if (!Object.is(a, b) && (typeof a !== "object" || firstDifference(a, b) !== null)) return true;
  }
  return false;
}

const STATE_KEYS =
  "bb ba bbq baq position balance fee num_trades trading_volume trading_value n_trades_seen feed_latency orders".split(
    " ",
  ) as readonly (keyof TinyLine)[];
