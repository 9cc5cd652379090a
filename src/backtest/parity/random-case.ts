// Random parity cases, made and logged through PyPI's hftbacktest by bench/peers/hftbacktest/cases.py: several
// assets and files, both books, all models, snapshots, offsets, waiting calls. A folder per case: case.json, data,
// log.jsonl (or .gz).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { AssetKind, FeeKind } from "../../exchange/compat/account.ts";
import { RC_MARKET_FEED, RC_OK, RC_ORDER_RESPONSE } from "../../exchange/compat/codes.ts";
import type { BookKind } from "../../exchange/compat/compat-book.ts";
import type { CompatOrder } from "../../exchange/compat/compat-order.ts";
import {
  constantLatency,
  interpolatedLatency,
  loadLatencyTable,
} from "../../exchange/compat/order-latency.ts";
import type { L3_FIFO, QueueModelName } from "../../exchange/compat/queue-models.ts";
import type { CompatAssetOptions } from "../compat/compat-asset.ts";
import { CompatBacktest } from "../compat/compat-backtest.ts";
import { firstDifference, showExact } from "./exact-json.ts";

interface RandomAsset {
  readonly data: readonly string[];
  readonly tick: number;
  readonly lot: number;
  readonly depth: BookKind;
  readonly roi: readonly [number, number];
  readonly kind: AssetKind;
  readonly cs: number;
  readonly fee: readonly [FeeKind, maker: number, taker: number];
  readonly queue: readonly [QueueModelName | typeof L3_FIFO, number | null];
  readonly exch: "partial" | "nopartial";
  readonly lat: readonly ["const", number, number] | readonly ["intp", string, number];
  readonly feedOffset: number;
  readonly snapshot: string | null;
}

type Action = readonly [tMs: number, kind: string, asset: number, ...args: (number | boolean)[]];

interface RandomSpec {
  readonly t0: string;
  readonly assets: readonly RandomAsset[];
  readonly mode: readonly ["feed", boolean, number] | readonly ["elapse", number];
  readonly actions: readonly Action[];
}

interface AssetState {
  readonly bal: unknown;
  readonly fee: unknown;
  readonly val: unknown;
  lat: readonly string[] | null;
  readonly [field: string]: unknown;
}

interface Line {
  readonly rc: number;
  readonly assets: AssetState[];
  readonly end?: boolean;
}

export const isRandomCase = (dir: string): boolean =>
  existsSync(join(dir, "case.json")) &&
  (existsSync(join(dir, "log.jsonl")) || existsSync(join(dir, "log.jsonl.gz")));

/** Null when identical, else where it first differs. */
export function compareRandomCase(dir: string): string | null {
  const spec = JSON.parse(readFileSync(join(dir, "case.json"), "utf8")) as RandomSpec;
  const backtest = new CompatBacktest(spec.assets.map((asset) => assetOf(dir, asset)));
  try {
    return compare(backtest, spec, readLog(dir));
  } finally {
    backtest.close();
  }
}

function readLog(dir: string): Line[] {
  const plain = join(dir, "log.jsonl");
  const text = existsSync(plain)
    ? readFileSync(plain, "utf8")
    : gunzipSync(readFileSync(`${plain}.gz`)).toString();
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

function assetOf(dir: string, a: RandomAsset): CompatAssetOptions {
  const [queueModel, queueParameter] = a.queue;
  return {
    data: a.data.map((file) => join(dir, file)),
    tickSize: a.tick,
    lotSize: a.lot,
    book: a.depth,
    roi: a.roi,
    assetKind: a.kind,
    contractSize: a.cs,
    feeKind: a.fee[0],
    makerFee: a.fee[1],
    takerFee: a.fee[2],
    queueModel,
    ...(queueParameter === null ? {} : { queueParameter }),
    exchange: a.exch === "partial" ? "partialFill" : "noPartialFill",
    latency:
      a.lat[0] === "const"
        ? constantLatency(a.lat[1], a.lat[2])
        : interpolatedLatency(loadLatencyTable([join(dir, a.lat[1])], a.lat[2])),
    feedLatencyOffsetNs: a.feedOffset,
    ...(a.snapshot === null ? {} : { initialSnapshot: join(dir, a.snapshot) }),
    keepTrades: true,
  };
}

const goesOn = (rc: number): boolean => rc === RC_OK || rc === RC_MARKET_FEED || rc === RC_ORDER_RESPONSE;

function compare(backtest: CompatBacktest, spec: RandomSpec, log: readonly Line[]): string | null {
  const times = spec.actions.map((action) => BigInt(spec.t0) + BigInt(Math.trunc(action[0] * 1e6)));
  let next = 0;
  let rc = backtest.elapse(0);
  for (let i = 0; i < log.length && log[i]!.end !== true; i++) {
    const ts = String(backtest.currentTimestamp);
    const assets = spec.assets.map((_, k) => assetState(backtest, k));
    const done: [number, number][] = [];
    while (goesOn(rc) && next < times.length && times[next]! <= backtest.currentTimestamp) {
      done.push([next, act(backtest, spec.actions[next]!)]);
      next++;
    }
    const expected = log[i]!;
    forgive(expected, assets, spec);
    const actual = { i, rc, ts, assets, done };
    const path = firstDifference(expected, actual);
    if (path !== null) return `step ${i}, ${path}: expected ${at(expected, path)}, got ${at(actual, path)}`;
    if (!goesOn(rc)) return null;
    const { mode } = spec;
    rc = mode[0] === "feed" ? backtest.waitNextFeed(mode[1], mode[2]) : backtest.elapse(mode[1]);
  }
  return null;
}

function at(value: unknown, path: string): string {
  let found = value;
  for (const key of path.match(/[^.[\]]+/g) ?? [])
    found = (found as Record<string, unknown> | undefined)?.[key];
  return showExact(found);
}

function act(backtest: CompatBacktest, action: Action): number {
  const [, kind, asset, ...rest] = action;
  const args = rest as number[];
  const wait = rest[rest.length - 1] === true;
  switch (kind) {
    case "submit": {
      const [id, side, price, qty, tif, type] = args as [number, number, number, number, number, number];
      if (side > 0) return backtest.submitBuy(asset, id, price, qty, tif, type, wait);
      return backtest.submitSell(asset, id, price, qty, tif, type, wait);
    }
    case "cancel":
      return backtest.cancel(asset, args[0]!, wait);
    case "modify":
      return backtest.modify(asset, args[0]!, args[1]!, args[2]!, wait);
    case "clear":
      backtest.clearInactiveOrders(asset);
      return RC_OK;
    default:
      return backtest.waitOrderResponse(asset, args[0]!, args[1]!);
  }
}

const number = (x: number): unknown =>
  Number.isNaN(x) ? null : Number.isFinite(x) ? x : x > 0 ? "inf" : "-inf";

function tickText(tick: number): string {
  if (tick >= 2 ** 63) return "9223372036854775807";
  return tick <= -(2 ** 63) ? "-9223372036854775808" : String(tick);
}

function assetState(backtest: CompatBacktest, asset: number): AssetState {
  const depth = backtest.depth(asset);
  const values = backtest.stateValues(asset);
  const centre = depth.hasBid ? depth.bestBidTick : depth.hasAsk ? depth.bestAskTick : null;
  const around: unknown[] = [];
  for (let i = -4; centre !== null && i < 5; i++) {
    around.push([number(depth.bidQtyAtTick(centre + i)), number(depth.askQtyAtTick(centre + i))]);
  }
  return {
    bb: depth.hasBid ? depth.bestBidTick : null,
    ba: depth.hasAsk ? depth.bestAskTick : null,
    bbq: number(depth.bestBidQty),
    baq: number(depth.bestAskQty),
    around,
    pos: number(values.position),
    bal: number(values.balance),
    fee: number(values.fee),
    n: values.numTrades,
    vol: number(values.tradingVolume),
    val: number(values.tradingValue),
    trades: backtest.lastTradeCount(asset),
    feed: backtest.feedLatency(asset)?.map(String) ?? null,
    lat: backtest.orderLatency(asset)?.map(String) ?? null,
    orders: [...backtest.orders(asset).values()]
      .sort((a, b) => a.id - b.id)
      .map((o) => orderState(backtest, o)),
  };
}

function orderState(backtest: CompatBacktest, o: CompatOrder): unknown[] {
  return [
    o.id,
    o.side,
    o.status,
    o.req,
    tickText(o.tick),
    number(o.qty),
    number(o.leaves),
    number(o.execQty),
    tickText(o.execTick),
    String(backtest.toUnixNs(o.exchTs)),
    String(backtest.toUnixNs(o.localTs)),
    o.maker,
    o.tif,
    o.type,
  ];
}

/**
 * Takes over from the log what hftbacktest itself leaves to chance: which of several fills of one row is answered
 * last (random hash order), so order_latency's request time and the last digits of an inverse account's sums. And
 * what we report rounded: a response time past 2^53 ns (interpolation from a refused row leads years ahead).
 */
function forgive(expected: Line, actual: AssetState[], spec: RandomSpec): void {
  expected.assets.forEach((e, k) => {
    const a = actual[k]! as { -readonly [field in keyof AssetState]: AssetState[field] };
    if (e.lat !== null && a.lat !== null && e.lat[1] === a.lat[1] && sameInstant(e.lat[2]!, a.lat[2]!))
      a.lat = e.lat;
    if (spec.assets[k]!.kind !== "inverse") return;
    for (const key of ["bal", "fee", "val"] as const) {
      if (Math.abs((e[key] as number) - (a[key] as number)) < 1e-12) a[key] = e[key];
    }
  });
}

/** Beyond 1.709e18 (2^53 ns after the cases' day) times are doubles. */
const sameInstant = (a: string, b: string): boolean =>
  a === b || (Number(a) > 1.709e18 && Math.abs(Number(a) - Number(b)) < 1024);
