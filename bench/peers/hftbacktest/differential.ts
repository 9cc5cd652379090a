// Runs the cases that cases.py made through our compat engine and compares every line with hftbacktest's log.
// usage: bun differential.ts OUT
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { firstDifference, showExact } from "../../../src/backtest/parity/exact-json.ts";
import { constantLatency, interpolatedLatency, loadLatencyTable } from "../../../src/exchange/compat/order-latency.ts";

const num = (x: number): unknown =>
  Number.isNaN(x) ? null : x === Infinity ? "inf" : x === -Infinity ? "-inf" : x;
const tickText = (x: number): string =>
  x >= 2 ** 63 ? "9223372036854775807" : x <= -(2 ** 63) ? "-9223372036854775808" : String(x);

function snap(h: CompatBacktest, k: number): unknown {
  const d = h.depth(k);
  const v = h.stateValues(k);
  const orders = [...h.orders(k).values()]
    .sort((a, b) => a.id - b.id)
    .map((o) => [
      o.id, o.side, o.status, o.req, tickText(o.tick), num(o.qty), num(o.leaves), num(o.execQty), tickText(o.execTick),
      String(h.toUnixNs(o.exchTs)), String(h.toUnixNs(o.localTs)), o.maker, o.tif, o.type,
    ]);
  const c = d.hasBid ? d.bestBidTick : d.hasAsk ? d.bestAskTick : null;
  const around: unknown[] = [];
  if (c !== null) for (let j = -4; j < 5; j++) around.push([num(d.bidQtyAtTick(c + j)), num(d.askQtyAtTick(c + j))]);
  return {
    bb: d.hasBid ? d.bestBidTick : null, ba: d.hasAsk ? d.bestAskTick : null, bbq: num(d.bestBidQty), baq: num(d.bestAskQty),
    around, pos: num(v.position), bal: num(v.balance), fee: num(v.fee), n: v.numTrades, vol: num(v.tradingVolume),
    val: num(v.tradingValue), trades: h.lastTradeCount(k),
    feed: h.feedLatency(k)?.map(String) ?? null, lat: h.orderLatency(k)?.map(String) ?? null, orders,
  };
}

function act(h: CompatBacktest, a: any[]): number {
  const k = a[2];
  switch (a[1]) {
    case "submit": return a[4] > 0 ? h.submitBuy(k, a[3], a[5], a[6], a[7], a[8], a[9]) : h.submitSell(k, a[3], a[5], a[6], a[7], a[8], a[9]);
    case "cancel": return h.cancel(k, a[3], a[4]);
    case "modify": return h.modify(k, a[3], a[4], a[5], a[6]);
    case "clear": h.clearInactiveOrders(k); return 0;
    default: return h.waitOrderResponse(k, a[3], a[4]);
  }
}

/**
 * What hftbacktest itself does not define: which of several fills of one row is answered last (random hash order),
 * hence order_latency's request time and the last digits of an inverse account; and order_latency of a response
 * whose arrival is past 2^53 ns (interpolation from a refused row), which we report rounded.
 */
function forgive(expected: any[], actual: any[], spec: any): void {
  expected?.forEach((e, k) => {
    const a = actual[k];
    if (e.lat !== null && a.lat !== null && e.lat[1] === a.lat[1] && near(e.lat[2], a.lat[2])) a.lat = e.lat;
    if (spec.assets[k].kind !== "inverse") return;
    for (const key of ["bal", "fee", "val"]) if (Math.abs(e[key] - a[key]) < 1e-12) a[key] = e[key];
  });
}

const near = (a: string, b: string): boolean => a === b || (Number(a) > 1.72e18 && Math.abs(Number(a) - Number(b)) < 1024);

function run(dir: string): string | null {
  const spec = JSON.parse(readFileSync(join(dir, "case.json"), "utf8"));
  const log = readFileSync(join(dir, "log.jsonl"), "utf8").trimEnd().split("\n").map((l) => JSON.parse(l));
  const h = new CompatBacktest(spec.assets.map((a: any) => ({
    data: a.data.map((f: string) => join(dir, f)), tickSize: a.tick, lotSize: a.lot, book: a.depth, roi: a.roi, assetKind: a.kind,
    contractSize: a.cs, feeKind: a.fee[0], makerFee: a.fee[1], takerFee: a.fee[2], queueModel: a.queue[0], queueParameter: a.queue[1] ?? 1,
    exchange: a.exch === "partial" ? "partialFill" : "noPartialFill",
    latency: a.lat[0] === "const" ? constantLatency(a.lat[1], a.lat[2]) : interpolatedLatency(loadLatencyTable([join(dir, a.lat[1])], a.lat[2])),
    feedLatencyOffsetNs: a.feedOffset, ...(a.snapshot === null ? {} : { initialSnapshot: join(dir, a.snapshot) }), keepTrades: true,
  })));
  let rc = h.elapse(0);
  let next = 0;
  const t0 = BigInt(spec.t0);
  for (let i = 0; i < log.length && !log[i].end; i++) {
    const line: any = { i, rc, ts: String(h.currentTimestamp), assets: spec.assets.map((_: unknown, k: number) => snap(h, k)) };
    const done: number[][] = [];
    if (rc === 0 || rc === 2 || rc === 3) {
      while (next < spec.actions.length && t0 + BigInt(Math.trunc(spec.actions[next][0] * 1e6)) <= h.currentTimestamp) {
        done.push([next, act(h, spec.actions[next])]);
        next++;
      }
    }
    line.done = done;
    forgive(log[i].assets, line.assets, spec);
    const path = firstDifference(log[i], line);
    if (path !== null) {
      const at = (v: any) => showExact((path.match(/[^.[\]]+/g) ?? []).reduce((x: any, key) => x?.[key], v));
      return `step ${i} ts ${line.ts}: ${path}: expected ${at(log[i])}, got ${at(line)}`;
    }
    if (rc !== 0 && rc !== 2 && rc !== 3) break;
    rc = spec.mode[0] === "feed" ? h.waitNextFeed(spec.mode[1], spec.mode[2]) : h.elapse(spec.mode[1]);
  }
  h.close();
  return null;
}

const root = process.argv[2]!;
let same = 0;
let failed = 0;
const different: string[] = [];
for (const name of readdirSync(root).filter((n) => existsSync(join(root, n, "log.jsonl"))).sort((a, b) => Number(a) - Number(b))) {
  const dir = join(root, name);
  if (existsSync(join(dir, "failed"))) failed++;
  let result: string | null;
  try {
    result = run(dir);
  } catch (error) {
    result = `threw ${(error as Error).stack}`;
  }
  if (result === null) same++;
  else different.push(`${name}${existsSync(join(dir, "failed")) ? " (peer crashed)" : ""}: ${result}`);
}
for (const line of different) console.log(line);
console.log(`${same} identical, ${different.length} different (${failed} crashed in the peer)`);
process.exit(different.length === 0 ? 0 : 3);
