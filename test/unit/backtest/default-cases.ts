// Runs of the default mode whose whole results are condensed to one line each: a random trader with hftbacktest's calls
// on seeded and recorded markets, across queue models, latencies, exchange models, one and two instruments, linear and
// inverse contracts. Equal lines mean: every state, order, fill and every answer that the trader got is the same.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { INSTRUMENT, LOOSE_RISK } from "../../../bench/harness/loose-limits.ts";
import { runDefault } from "../../../bench/peers/hftbacktest/own-default.ts";
import type { RunResult } from "../../../src/analytics/run-result.ts";
import { PipelineApi } from "../../../src/backtest/pipeline/pipeline-api.ts";
import { PipelineBacktest } from "../../../src/backtest/pipeline/pipeline-backtest.ts";
import { runDescribed } from "../../../src/cli/run-described.ts";
import { baseOfDayNs } from "../../../src/core/clock.ts";
import { Prng } from "../../../src/core/prng.ts";
import { readToml } from "../../../src/core/toml.ts";
import { EventFeed } from "../../../src/data/event-feed.ts";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { type EventSource, openRowBlocks } from "../../../src/data/row-blocks.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import { QUEUE_MODELS, type QueueModelName } from "../../../src/exchange/compat/queue-models.ts";
import { makeQueueModel } from "../../../src/exchange/queue/make-queue-model.ts";
import { KindLatency } from "../../../src/exchange/request-latency.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { randomMarket } from "./random-market.ts";

const ROOT = join(import.meta.dir, "../../..");
const TINY = join(ROOT, "test/data/golden/tiny");
const CAPTURE = join(ROOT, "test/data/npz/btcusdt_200k.npz");
const FEES = { kind: "value", makerE8: 20_000, takerE8: 50_000 } as const;
const LINEAR: Instrument = { ...INSTRUMENT, makerFeeE8: 20_000, takerFeeE8: 50_000, maxPxTicks: 1e9 };
const INVERSE: Instrument = { ...LINEAR, inverse: true, contractSize: "100", settle: "BTC" };
const SIZES = { tickSize: 0.1, lotSize: 0.001 };

export interface DefaultCase {
  readonly name: string;
  readonly run: () => string | Promise<string>;
}

export interface Terms {
  readonly queue: QueueModelName;
  readonly partialFills: boolean;
  readonly entryNs: number;
  readonly responseNs: number;
  readonly marketTimerNs: number;
  /** Steps by events instead of by time. */
  readonly byFeed: boolean;
  readonly instrument: Instrument;
}

const TERMS: Terms = {
  queue: "power",
  partialFills: true,
  entryNs: 3e6,
  responseNs: 1e6,
  marketTimerNs: 0,
  byFeed: false,
  instrument: LINEAR,
};

/** A seeded trader over the data until it ends, at most `steps` steps. */
export function runTrader(
  data: readonly EventSource[],
  seed: number,
  steps: number,
  given: Partial<Terms>,
): string {
  const terms = { ...TERMS, ...given };
  const hbt = new PipelineApi();
  const backtest = openBacktest(data, hbt, terms);
  hbt.attach(
    backtest,
    data.map(() => SIZES),
    true,
  );
  const trader = new RandomTrader(hbt, data.length, seed);
  for (let step = 0; step < steps && trader.step(terms.byFeed) !== 1; step++);
  const result = backtest.finish();
  hbt.close();
  return digest(result, trader.trace, JSON.stringify([...backtest.tally.denied]));
}

function openBacktest(data: readonly EventSource[], hbt: PipelineApi, terms: Terms): PipelineBacktest {
  const feeds = data.map((one) => new EventFeed(openRowBlocks([one]), { ...SIZES, latencyOffsetNs: 0 }));
  const baseNs = baseOfDayNs(feeds[0]!.firstExchTs()!);
  for (const feed of feeds) feed.setBase(baseNs);
  const latency = constantLatency(terms.entryNs, terms.responseNs);
  const { partialFills, instrument } = terms;
  const queue = makeQueueModel(terms.queue, SIZES.lotSize, 2);
  return new PipelineBacktest({
    markets: feeds.map((feed, i) => ({
      feed,
      instrument: { ...instrument, id: i + 1, symbol: `S${i}` },
      queue,
      fees: FEES,
      partialFills,
    })),
    baseNs,
    graphs: [],
    strategies: [hbt.setup(data.map((_, i) => i + 1))],
    subscriptions: [],
    risk: LOOSE_RISK,
    instrumentLimits: [],
    maxOrders: 64,
    assets: ["", instrument.settle],
    latency: new KindLatency({ place: latency, modify: latency, cancel: latency }, baseNs),
    walletE8: 100_000_000_000_000n,
    timerNs: 10e6,
    marketTimerNs: terms.marketTimerNs,
    stateIntervalNs: 50e6,
    onException: (_, error) => {
      throw error;
    },
  });
}

/** Submits, modifies, cancels near the touch and writes down all that it is told. */
class RandomTrader {
  readonly trace: string[] = [];
  private readonly hbt: PipelineApi;
  private readonly assets: number;
  private readonly random: Prng;
  private nextId = 1;

  constructor(hbt: PipelineApi, assets: number, seed: number) {
    this.hbt = hbt;
    this.assets = assets;
    this.random = new Prng(seed);
  }

  /** The code of the wait; 1: the data has ended. */
  step(byFeed: boolean): number {
    const { hbt } = this;
    const code = byFeed ? hbt.waitNextFeed(true, 5_000_000) : hbt.elapse(1 + this.upTo(8_000_000));
    for (let asset = 0; asset < this.assets; asset++) this.look(asset, code);
    if (code === 1) return code;
    const asset = this.upTo(this.assets);
    const { hasBid, hasAsk } = hbt.depth(asset);
    if (hasBid && hasAsk) this.act(asset);
    return code;
  }

  private upTo(n: number): number {
    return Math.floor(this.random.nextFloat() * n);
  }

  private look(asset: number, code: number): void {
    const { hbt } = this;
    const d = hbt.depth(asset);
    const s = hbt.stateValues(asset);
    const touch = [
      d.bestBidTick,
      d.bestAskTick,
      d.bestBidQty,
      d.bestAskQty,
      d.bidQtyAtTick(d.bestBidTick - 3),
    ];
    const latencies = [hbt.feedLatency(asset), hbt.orderLatency(asset), hbt.lastTradeCount(asset)];
    const account = [s.position, s.balance, s.fee, s.numTrades];
    this.trace.push([code, hbt.currentTimestamp, ...touch, ...account, ...latencies].join(" "));
  }

  private act(asset: number): void {
    const { hbt } = this;
    const what = this.upTo(100);
    const waits = this.upTo(10) === 0;
    if (what < 25) this.submit(asset, waits);
    else if (what < 50) this.change(asset, what < 40, waits);
    else if (what < 60) hbt.clearInactiveOrders(asset);
    if (this.upTo(200) === 0) hbt.clearLastTrades();
    for (const [id, o] of hbt.orders(asset))
      this.trace.push(
        [id, o.status, o.req, o.tick, o.qty, o.leaves, o.execQty, o.execTick, o.maker].join(" "),
      );
  }

  private submit(asset: number, waits: boolean): void {
    const { hbt } = this;
    const depth = hbt.depth(asset);
    const buys = this.upTo(2) === 1;
    const px = ((buys ? depth.bestBidTick : depth.bestAskTick) + this.upTo(7) - 3) * SIZES.tickSize;
    const qty = (1 + this.upTo(4000)) / 1000;
    const tif = [0, 0, 0, 1, 1, 2, 3][this.upTo(7)]!;
    const type = this.upTo(12) === 0 ? 1 : 0;
    const id = this.nextId++;
    const code = buys
      ? hbt.submitBuy(asset, id, px, qty, tif, type, waits)
      : hbt.submitSell(asset, id, px, qty, tif, type, waits);
    this.trace.push(`submit ${code} ${hbt.lastDenial}`);
  }

  private change(asset: number, cancels: boolean, waits: boolean): void {
    const { hbt } = this;
    const ids = [...hbt.orders(asset).keys()];
    if (ids.length === 0) return;
    const id = ids[this.upTo(ids.length)]!;
    const px = (hbt.depth(asset).bestBidTick + this.upTo(5) - 2) * SIZES.tickSize;
    const qty = (1 + this.upTo(4000)) / 1000;
    const code = cancels ? hbt.cancel(asset, id, waits) : hbt.modify(asset, id, px, qty, waits);
    this.trace.push(`${cancels ? "cancel" : "modify"} ${code}`);
  }
}

/** Of the values as text: the bits of a NaN are the machine's own affair. */
function digest(result: RunResult, trace: readonly string[] = [], denied = ""): string {
  const hasher = new Bun.CryptoHasher("sha256");
  hasher.update(`${result.failure} ${result.rows} ${result.endTsNs} ${denied}\n`);
  for (const line of trace) hasher.update(`${line}\n`);
  const { states, orders, fills } = result;
  for (const table of [states, orders, fills])
    for (const name of table.names) hasher.update(`${table.values(name as never).join(" ")}\n`);
  const counts = `${trace.length} lines, ${states.rows} states, ${orders.rows} orders, ${fills.rows} fills`;
  return `${hasher.digest("hex").slice(0, 24)} ${counts}${result.failure === null ? "" : `: ${result.failure}`}`;
}

/** Every n-th of something, so that the models meet in many combinations. */
const every = (n: number, of: number): boolean => of % n === 0;

const randomTerms = (seed: number): Partial<Terms> => ({
  queue: QUEUE_MODELS[seed % QUEUE_MODELS.length]!,
  partialFills: !every(3, seed),
  entryNs: every(4, seed) ? 0 : 3e6,
  responseNs: every(5, seed) ? 0 : 1e6,
  byFeed: every(2, seed),
  marketTimerNs: every(6, seed) ? 7e6 : 0,
});

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

export function defaultCases(): DefaultCase[] {
  const tiny = readdirSync(TINY)
    .filter((file) => file.endsWith(".data.npz"))
    .sort();
  const capture = loadRows(CAPTURE, EVENT_FIELDS).bytes.slice(0, 60_000 * 64);
  return [
    ...tiny.flatMap((file) => [
      { name: `${file}, by time`, run: () => runTrader([join(TINY, file)], 1, 3000, { queue: "risk" }) },
      {
        name: `${file}, by feed`,
        run: () => runTrader([join(TINY, file)], 2, 3000, { queue: "log2", byFeed: true }),
      },
    ]),
    ...seeds(24).map((s) => ({
      name: `random market ${s}`,
      run: () => runTrader([randomMarket(s, 3000)], s * 7, 8000, randomTerms(s)),
    })),
    ...seeds(6).map((s) => ({
      name: `random inverse market ${s}`,
      run: () =>
        runTrader([randomMarket(s + 300, 3000)], s * 13, 8000, { ...randomTerms(s), instrument: INVERSE }),
    })),
    ...seeds(8).map((s) => ({
      name: `two random markets ${s}`,
      run: () =>
        runTrader([randomMarket(s + 100, 3000), randomMarket(s + 200, 2500)], s * 11, 8000, randomTerms(s)),
    })),
    ...seeds(4).map((s) => ({
      name: `capture ${s}`,
      run: () => runTrader([capture], s, 20_000, { ...randomTerms(s), byFeed: s > 2 }),
    })),
    ...(["replay", "maker"] as const).map((mode) => ({
      name: `bench: ${mode}`,
      run: () => {
        const { checksum, fills, orders } = runDefault(mode, CAPTURE);
        return `checksum ${checksum}, ${orders} orders, ${fills} fills`;
      },
    })),
    {
      name: "examples/backtest.toml",
      run: async () => digest((await runDescribed(readToml(join(ROOT, "examples/backtest.toml")))).result),
    },
  ];
}
