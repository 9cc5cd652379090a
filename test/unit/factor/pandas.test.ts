import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH, KIND_TRADE } from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";

type Event = readonly [
  tsNs: number,
  bidTicks: number,
  bidLots: number,
  askTicks: number,
  askLots: number,
  tradeTicks: number,
  tradeLots: number,
  side: number,
];
interface Stored {
  readonly events: readonly Event[];
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
}
/** Made by bench/peers/pandas/make_values.py. */
const stored = JSON.parse(
  readFileSync(join(import.meta.dir, "../../data/factors/pandas.json"), "utf8"),
) as Stored;

const BASE = 1_723_161_600_000_000_000n;

/** One level a side; the trade of an event is part of it. */
function rows(): Uint8Array {
  const table = new EventTable();
  const both = EV_EXCH | EV_LOCAL;
  let [bid, ask] = [0, 0];
  for (const [tsNs, bidTicks, bidLots, askTicks, askLots, tradeTicks, tradeLots, side] of stored.events) {
    const local = BASE + BigInt(tsNs);
    const add = (kind: number, ticks: number, lots: number): void =>
      table.append(both | kind, local - 1_000n, local, ticks / 10, lots / 1000);
    if (side !== 0) add(KIND_TRADE | (side > 0 ? EV_BUY : EV_SELL), tradeTicks, tradeLots);
    if (bid !== 0 && bid !== bidTicks) add(KIND_DEPTH | EV_BUY, bid, 0);
    if (ask !== 0 && ask !== askTicks) add(KIND_DEPTH | EV_SELL, ask, 0);
    add(KIND_DEPTH | EV_BUY, bidTicks, bidLots);
    add(KIND_DEPTH | EV_SELL, askTicks, askLots);
    [bid, ask] = [bidTicks, askTicks];
  }
  return table.bytes;
}

/** Column → node type, parameters, inputs (other columns). */
const NODES: Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>, ...string[]]>> = {
  mid: ["MidPrice", {}],
  spread: ["Spread", {}],
  obi: ["OBI", { levels: 1 }],
  micro: ["MicroPrice", {}],
  mean: ["RollingMean", { window: 50 }, "mid"],
  sum: ["RollingSum", { window: 50 }, "obi"],
  std: ["RollingStd", { window: 50 }, "mid"],
  std1: ["RollingStd", { window: 50, ddof: 1 }, "mid"],
  min: ["RollingMin", { window: 30 }, "mid"],
  max: ["RollingMax", { window: 30 }, "mid"],
  quantile: ["RollingQuantile", { window: 30, q: 0.3 }, "mid"],
  ema: ["EMA", { span: 20 }, "mid"],
  zscore: ["ZScore", { window: 100 }, "obi"],
  diff: ["Diff", { periods: 3 }, "mid"],
  lag: ["Lag", { periods: 5 }, "mid"],
  return: ["Return", {}, "mid"],
  log_return: ["Return", { kind: "log" }, "mid"],
  clip: ["Clip", { low: -0.25, high: 0.5 }, "obi"],
  mean_time: ["RollingMean", { window: "3s" }, "mid"],
  std_time: ["RollingStd", { window: "3s" }, "mid"],
  min_time: ["RollingMin", { window: "3s" }, "mid"],
  max_time: ["RollingMax", { window: "3s" }, "mid"],
  rv: ["RealizedVolatility", { window: 40 }, "mid"],
  volatility: ["RollingStd", { window: 60 }, "return"],
  threshold: [
    "Threshold",
    { volatility_threshold: 1.1, change_threshold: 2, window: 50 },
    "volatility",
    "return",
  ],
  ofi: ["OFI", { window: 10 }],
  vwap: ["VWAP", { window: 20 }],
  trade_flow: ["TradeFlow", { window: 20 }],
};

const graph = new FactorGraph("pandas");
for (const [name, [type, config]] of Object.entries(NODES)) graph.addNode(name, type, config);
for (const [name, [, , ...inputs]] of Object.entries(NODES)) {
  for (const input of inputs) graph.connect(input, name);
  graph.setOutput(name, name);
}
const { columns } = updateBatch(graph.compile(), [rows()], { tickSize: "0.1", lotSize: "0.001" });

for (const name of Object.keys(NODES)) {
  test(`${name} equals pandas within 1e-9 relative, ready at the same triggers`, () => {
    const wanted = stored.columns[name]!.map((v) => v ?? Number.NaN);
    const found = [...columns[name]!];
    expect(found.length).toBe(wanted.length);
    const finite = wanted.filter((v) => !Number.isNaN(v));
    expect(finite.length).toBeGreaterThan(100);
    // A difference of like numbers is judged against the size of its column, not against its own nearness to 0.
    const scale = finite.reduce((sum, v) => sum + Math.abs(v), 0) / finite.length;
    const wrong = found.findIndex((v, i) => {
      const w = wanted[i]!;
      if (Number.isNaN(w) || Number.isNaN(v)) return Number.isNaN(w) !== Number.isNaN(v);
      return Math.abs(v - w) > 1e-9 * Math.max(Math.abs(w), scale);
    });
    expect({ at: wrong, found: found[wrong], wanted: wanted[wrong] }).toEqual({
      at: -1,
      found: undefined,
      wanted: undefined,
    } as never);
  });
}
