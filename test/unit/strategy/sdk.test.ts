import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { checkValues } from "../../../src/control/check-values.ts";
import { defineStrategy, definitionProblems } from "../../../src/strategy/define-strategy.ts";
import { loadStrategy } from "../../../src/strategy/load.ts";
import {
  describeParams,
  PARAM_OK,
  PARAM_OUT_OF_RANGE,
  PARAM_UNKNOWN,
  ParamSlots,
  slotValue,
} from "../../../src/strategy/params.ts";
import {
  patternBits,
  subscriptionBits,
  TOPIC_DEPTH,
  TOPIC_TICK,
  TOPIC_TRADE,
  TOPICS,
} from "../../../src/strategy/topics.ts";
import { readDecisions, WHY_KEPT, WHY_PLACED, WhyRing, whyValues } from "../../../src/strategy/why.ts";

const SEED = 41;
const schema = {
  qty: { type: "decimal", default: "0.002", min: "0.001", max: 1, step: "0.001", unit: "base" },
  levels: { type: "int", default: 2, min: 1, max: 5 },
  active: { type: "bool", default: true },
  mode: { type: "enum", default: "join", values: ["join", "improve"] },
} as const;

test("parameters become numbers; bad ones are all named with key, value and range", () => {
  const slots = new ParamSlots(schema, { mode: "improve", levels: 3 }, "strategy a: params");
  expect(slots.values).toEqual({ qty: 0.002, levels: 3, active: 1, mode: 1 });
  const make = () =>
    new ParamSlots(schema, { qty: "0.0015", levels: 2.5, mode: "jump", speed: 1 }, "strategy a: params");
  expect(make).toThrow("strategy a: params.qty = 0.0015: expected decimal in 0.001 … 1, step 0.001, base");
  expect(make).toThrow("strategy a: params.levels = 2.5: expected int in 1 … 5");
  expect(make).toThrow("strategy a: params.mode = jump: expected one of join, improve");
  expect(make).toThrow("strategy a: params.speed: unknown; known: qty, levels, active, mode");
});

test("a parameter set at run time stays in its range", () => {
  const slots = new ParamSlots(schema, {}, "p");
  expect(slots.set(0, 0.005)).toBe(PARAM_OK);
  expect(slots.set(0, 0.0005)).toBe(PARAM_OUT_OF_RANGE);
  expect(slots.set(1, Number.NaN)).toBe(PARAM_OUT_OF_RANGE);
  expect(slots.set(2, 2)).toBe(PARAM_OUT_OF_RANGE);
  expect(slots.set(3, 1)).toBe(PARAM_OK);
  expect(slots.set(3, 2)).toBe(PARAM_OUT_OF_RANGE);
  expect(slots.set(9, 1)).toBe(PARAM_UNKNOWN);
  expect([slots.get(0), slots.get(3)]).toEqual([0.005, 1]);
});

test(`the API's exact check and the lane's own agree on every value (seed ${SEED})`, () => {
  const described = describeParams(schema);
  const names = ["qty", "levels", "active", "mode"] as const;
  const given = fc.oneof(
    fc.integer({ min: -2, max: 7 }).map(String),
    fc.integer({ min: 0, max: 2000 }).map((n) => (n / 2000).toFixed(4)),
    fc.constantFrom("true", "false", "join", "improve", "", "1e3", "NaN", "0.001", "1"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...names), given, (name, text) => {
      const accepted = checkValues(described, { [name]: text }).ok;
      expect(!Number.isNaN(slotValue(schema[name], text))).toBe(accepted);
    }),
    { seed: SEED, numRuns: 1500 },
  );
});

test("patterns select topics, families and symbols; unknown ones are refused by name", () => {
  const family = Object.entries(TOPICS).filter(([t]) => t.startsWith("market_data."));
  expect(patternBits("market_data.*", "X")).toBe(family.reduce((bits, [, bit]) => bits | bit, 0));
  expect(patternBits("orderbook.*", "X")).toBe(TOPIC_DEPTH);
  expect(patternBits("market_data.trade.ETHUSDT", "ETHUSDT")).toBe(TOPIC_TRADE);
  expect(patternBits("market_data.trade.ETHUSDT", "BTCUSDT")).toBe(0);
  expect(patternBits("orderbook.*.BTCUSDT", "BTCUSDT")).toBe(TOPIC_DEPTH);
  expect(subscriptionBits(["system.tick", "market_data.trade"], "X")).toBe(TOPIC_TICK | TOPIC_TRADE);
  expect(() => subscriptionBits(["market.data"], "X")).toThrow('no topic matches "market.data"');
});

test("a definition is checked as a whole", () => {
  const make = () =>
    defineStrategy({
      name: "Bad Name",
      params: { x: { type: "int", default: 9, max: 5 } },
      subscribe: ["nothing.*"],
      tickParam: "y",
    });
  expect(make).toThrow("name: expected");
  expect(make).toThrow("params.x: default 9 is not int in … … 5");
  expect(make).toThrow('no topic matches "nothing.*"');
  expect(make).toThrow("y: expected the name of an int parameter");
  expect(definitionProblems(5)).toEqual(["expected the result of defineStrategy({ … })"]);
  expect(definitionProblems({ name: "a", params: {}, subscribe: [], quote: 5 })).toEqual([
    "quote: expected a function",
  ]);
});

test("strategies load by built-in name or path; what cannot be one is refused by name", async () => {
  expect((await loadStrategy("builtin:obi-mm")).name).toBe("obi-mm");
  await expect(loadStrategy("builtin:none")).rejects.toThrow(
    "builtin:none: no such strategy; known: builtin:obi-mm",
  );
  await expect(loadStrategy("/nowhere/x.ts")).rejects.toThrow("/nowhere/x.ts: cannot be imported");
  const example = join(import.meta.dir, "../../../src/core/assert.ts");
  await expect(loadStrategy(example)).rejects.toThrow("default export is no strategy");
});

test("why keeps the newest decisions of each strategy; a standing one does not push history out", () => {
  const values = new Float64Array(whyValues(3));
  const why = new WhyRing(values);
  for (let i = 0; i < 70; i++) why.note(1, i, WHY_PLACED, 1, 1, 100 + i, 5, 0);
  for (let i = 0; i < 500; i++) why.note(1, 1000 + i, WHY_KEPT, 1, 1, 42, 5, 0);
  why.note(2, 5, 12, 1, 2, 7, 3, 99);
  const decisions = readDecisions(values, 1);
  expect(decisions.length).toBe(64);
  expect([decisions[0]!.name, decisions[0]!.tsNs, decisions[1]!.pxTicks]).toEqual(["kept", 1499, 169]);
  expect(why.read(2)).toEqual([
    {
      tsNs: 5,
      code: 12,
      source: "gate",
      name: "positionStrategy",
      instrument: 1,
      side: 2,
      pxTicks: 7,
      qtyLots: 3,
      observed: 99,
    },
  ]);
  expect(why.read(0)).toEqual([]);
});

test("docs/strategy.md names every topic, and every example is a strategy that loads", async () => {
  const doc = await Bun.file(join(import.meta.dir, "../../../docs/strategy.md")).text();
  for (const topic of Object.keys(TOPICS)) expect(doc).toContain(`\`${topic}\``);
  for (const name of ["quoter", "event-driven", "clock-driven"]) {
    const loaded = await loadStrategy(join(import.meta.dir, `../../../examples/${name}.ts`));
    expect(definitionProblems(loaded)).toEqual([]);
  }
});
