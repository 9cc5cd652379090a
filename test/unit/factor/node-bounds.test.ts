// The bound on the operations of every node type, asserted: words of the arena and of the book that one update reads
// or writes, at worst, over a market that provokes the worst (jumps, equal values, outliers, bursts of trades, long
// silences). Counted by memory that counts, so a step that walks its window fails here whatever its speed.
import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { AlphaBoard } from "../../../src/factor/alpha-board.ts";
import { BUILT_IN } from "../../../src/factor/catalogue.ts";
import { contextWords, DEFAULT_CONTEXT, InstrumentContext } from "../../../src/factor/context.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";
import { addNeeds, GraphInstance, programWords } from "../../../src/factor/program.ts";
import { ASK, BID } from "../../../src/market/l2-book.ts";

const SEED = 2_024;
const UPDATES = 1_200;
const CAPACITY = 256;

interface Size {
  /** Inputs or trades in a window by count, levels of a level count. */
  readonly n: number;
  /** log2 of the trades, book events, changes or snapshots held, rounded up. */
  readonly log: number;
}

/** Words per update at worst. What is constant is constant for any window; `n` and `log` say what grows. */
const BOUNDS: Readonly<Record<string, (size: Size) => number>> = {
  // Values and constants: their inputs, their state, their value.
  ...Object.fromEntries(BUILT_IN.filter((t) => t.group === "operator").map((t) => [t.name, () => 6])),
  Composite: () => 8,
  Crossover: () => 8,
  Hysteresis: () => 8,
  Clip: () => 6,
  MidPrice: () => 1,
  BestBid: () => 1,
  BestAsk: () => 1,
  Spread: () => 1,
  MicroPrice: () => 6,
  MarkPrice: () => 4,
  Alpha: () => 5,
  Trade: () => 4,
  BookSnapshot: ({ n }) => 16 + 4 * n,
  Diff: () => 9,
  Return: () => 9,
  Lag: () => 9,
  EMA: () => 10,
  // A recomputation when an outlier left the window: two passes over it.
  RollingStd: ({ n }) => 32 + 2 * n,
  ZScore: ({ n }) => 36 + 2 * n,
  RollingMean: ({ n }) => 16 + n,
  RollingSum: ({ n }) => 16 + n,
  RealizedVolatility: ({ n }) => 24 + n,
  Threshold: ({ n }) => 20 + n,
  RollingMin: ({ log }) => 20 + 8 * log,
  RollingMax: ({ log }) => 20 + 8 * log,
  // Two searches, two memmoves of at most the window.
  RollingQuantile: ({ n, log }) => 28 + 2 * log + 4 * n,
  OBI: ({ n }) => 24 + 6 * n,
  VWAP: ({ log }) => 16 + log,
  TradeFlow: ({ log }) => 16 + log,
  TradeIntensity: ({ log }) => 16 + log,
  TWAP: ({ log }) => 20 + log,
  OFI: ({ log, n }) => 14 + log + 4 * n,
  BookPressure: ({ n }) => 8 + 8 * n,
  KyleLambda: () => 40,
};

/** Counts element reads and writes of a typed array; block moves count every element twice. */
class Counter {
  count = 0;

  watch<T extends Float64Array | Int32Array>(array: T): T {
    const counter = this;
    return new Proxy(array, {
      get(target, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) counter.count++;
        const value = Reflect.get(target, key, target) as unknown;
        if (typeof value !== "function") return value;
        return (...args: number[]) => {
          const [to = 0, from = 0, end = target.length] = args;
          if (key === "copyWithin")
            counter.count += 2 * Math.max(0, Math.min(end - from, target.length - to));
          return (value as (...a: number[]) => unknown).apply(target, args);
        };
      },
      set(target, key, value: number) {
        counter.count++;
        return Reflect.set(target, key, value, target);
      },
    });
  }
}

const CONFIGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  EMA: { span: 20 },
  Hysteresis: { low: 0, high: 1 },
  Const: { value: 1 },
  Alpha: { name: "a" },
};

function configOf(name: string, window: number, byTime: boolean): Record<string, unknown> {
  const type = BUILT_IN.find((t) => t.name === name)!;
  const config: Record<string, unknown> = { ...CONFIGS[name] };
  for (const p of type.params) {
    if (p.name === "levels") config["levels"] = Math.min(window, 16);
    if (p.name === "level") config["level"] = Math.min(window, 16);
    if (p.name === "periods") config["periods"] = window;
    if (p.name === "capacity") config["capacity"] = CAPACITY;
    if (p.name !== "window") continue;
    const timed = p.kind === "time" || (p.kind === "window" && byTime);
    if (p.kind !== "time" || p.optional !== true) config["window"] = timed ? `${window}s` : window;
  }
  return config;
}

/** The most words that one update of the node touches, less `perTick` for each tick that the mid moved. */
function worst(name: string, config: Readonly<Record<string, unknown>>, perTick = 0): number {
  const type = BUILT_IN.find((t) => t.name === name)!;
  const graph = new FactorGraph(name).addNode("n", name, config).setOutput("o", "n");
  for (let k = 0; k < type.inputs.length; k++)
    graph.addNode(`in${k}`, "Alpha", { name: `x${k}` }).connect(`in${k}`, "n");
  const program = graph.compile();
  const capacities = { tradeCapacity: CAPACITY, flowCapacity: CAPACITY, integralCapacity: CAPACITY };
  const contextConfig = addNeeds({ ...DEFAULT_CONTEXT, ...capacities }, program, 0);
  const names = ["x0", "x1", "a"];
  const words = [AlphaBoard.words(names), contextWords(contextConfig), programWords(program)];
  const counter = new Counter();
  const f64 = counter.watch(new Float64Array(words.reduce((a, b) => a + b, 0)));
  const alphas = new AlphaBoard(names, f64, 0);
  const instrument = { id: 1, symbol: "X", tickSize: "0.1", lotSize: "0.001" };
  const context = new InstrumentContext(instrument, contextConfig, f64, words[0]!, alphas);
  const { book } = context;
  for (const [key, value] of Object.entries(book))
    if (value instanceof Float64Array || value instanceof Int32Array)
      Reflect.set(book, key, counter.watch(value as Float64Array));
  const instance = new GraphInstance(program, f64, words[0]! + words[1]!, [context]);
  return drive(context, alphas, counter, perTick, (now) => instance.interpret(now));
}

function drive(
  context: InstrumentContext,
  alphas: AlphaBoard,
  counter: Counter,
  perTick: number,
  update: (nowNs: number) => void,
): number {
  const prng = new Prng(SEED);
  const { book } = context;
  let [now, mid, most, midBefore] = [1e9, 600_000, 0, NaN];
  for (let k = 1; k <= 60; k++) {
    book.apply(BID, mid - k, k);
    book.apply(ASK, mid + k, k);
  }
  context.observe(0);
  context.assumeReady(now);
  for (let i = 0; i < UPDATES; i++) {
    now += prng.nextBelow(50) === 0 ? 90e9 : 1 + prng.nextBelow(200_000_000);
    const step = prng.nextBelow(3) - 1;
    mid += step;
    for (let k = 0; k < 4; k++) book.apply(BID, mid + k, 0);
    for (let k = 0; k < 4; k++) book.apply(ASK, mid - k, 0);
    book.apply(BID, mid - 1 - prng.nextBelow(3), 1 + prng.nextBelow(90));
    book.apply(ASK, mid + 1 + prng.nextBelow(3), 1 + prng.nextBelow(90));
    context.tick(now);
    context.onBookEvent(now);
    for (let k = prng.nextBelow(12); k > 0; k--) context.onTrade(now, mid, 1 + prng.nextBelow(9), 1);
    // Walks, constant stretches, and outliers of a million.
    const stretch = Math.floor(i / 500) % 3;
    const x = stretch === 0 ? 7 : 100 + prng.nextBelow(10) + (prng.nextBelow(40) === 0 ? 1e9 : 0);
    alphas.set(0, stretch === 2 ? UPDATES - i : x, now);
    alphas.set(1, x / 2, now);
    const moved = Math.abs(context.midPx - midBefore) / context.tickSize;
    midBefore = context.midPx;
    counter.count = 0;
    update(now);
    most = Math.max(most, counter.count - (i === 0 ? Infinity : perTick * moved));
  }
  return most;
}

/** Words that the output and the Alpha nodes of the inputs cost. */
const frame = (inputs: number): number => 2 + inputs * 6;

describe(`operations of one update, at worst (seed ${SEED})`, () => {
  test("every node type has a bound", () => {
    expect(Object.keys(BOUNDS).toSorted()).toEqual(BUILT_IN.map((t) => t.name).toSorted());
  });

  const log = Math.ceil(Math.log2(CAPACITY)) + 1;
  for (const { name, inputs } of BUILT_IN) {
    test(`${name} stays within its bound for windows of 8, 64 and 200`, () => {
      for (const n of [8, 64, 200]) {
        const levels = name === "OBI" || name === "BookPressure" || name === "OFI" || name === "BookSnapshot";
        const size = { n: levels ? Math.min(n, 16) : n, log };
        expect(worst(name, configOf(name, n, false))).toBeLessThanOrEqual(
          BOUNDS[name]!(size) + frame(inputs.length),
        );
      }
    });
  }

  // By time an update drops what has left the window, at most what it holds.
  for (const name of [
    "RollingMean",
    "RollingStd",
    "RollingSum",
    "ZScore",
    "RealizedVolatility",
    "Threshold",
  ]) {
    test(`${name} by time touches at most all it holds, once out and twice when recomputed`, () => {
      expect(worst(name, configOf(name, 20, true))).toBeLessThanOrEqual(60 + 8 * CAPACITY);
    });
  }
  for (const name of ["RollingMin", "RollingMax", "VWAP", "TradeFlow", "OFI"]) {
    test(`${name} by time is logarithmic in what is held`, () => {
      const size = { n: 16, log };
      const bound = BOUNDS[name]!(size) + frame(1);
      expect(worst(name, configOf(name, 20, true))).toBeLessThanOrEqual(bound);
    });
  }

  test("RollingQuantile by time takes a search and a memmove for each value that leaves", () => {
    expect(worst("RollingQuantile", configOf("RollingQuantile", 20, true))).toBeLessThanOrEqual(
      60 + CAPACITY * (20 + log + 2 * CAPACITY),
    );
  });

  test("OBI within a relative depth touches the book only for the ticks that its bounds moved", () => {
    expect(worst("OBI", { looking_depth: 0.001 }, 4)).toBeLessThanOrEqual(40);
  });
});
