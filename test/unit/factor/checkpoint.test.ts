import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  captureCheckpoint,
  checkpointFiles,
  restoreCheckpoint,
  restoreNewest,
  saveCheckpoint,
  sealCheckpoint,
} from "../../../src/factor/checkpoint.ts";
import { makeFactorState } from "../../../src/factor/factor-state.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";
import { FactorHandler } from "../../../src/factor/handler.ts";
import type { Program } from "../../../src/factor/program.ts";
import { rebuildFromHistory, recover } from "../../../src/factor/recovery.ts";
import { BASE_NS, randomMarket, toRows } from "./event-rows.ts";
import { CollectingSink } from "./market-records.ts";

const dirs: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-factor-"));
  dirs.push(dir);
  return dir;
}
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const SOURCE = { instrument: 1, tickSize: 0.1, lotSize: 0.001 };

/** One node of every kind of state. */
function richProgram(on: "book" | "interval" = "book"): Program {
  const trigger = on === "book" ? ({ on } as const) : ({ on, intervalNs: 250_000_000 } as const);
  const g = new FactorGraph("rich", trigger)
    .addNode("mid", "MidPrice")
    .addNode("obi", "OBI", { looking_depth: 0.0005 });
  const add = (id: string, type: string, config: Record<string, unknown>, input?: string): void => {
    g.addNode(id, type, config).setOutput(id, id);
    if (input !== undefined) g.connect(input, id);
  };
  add("z", "ZScore", { window: 20 }, "obi");
  add("std", "RollingStd", { window: "3s" }, "mid");
  add("max", "RollingMax", { window: "2s" }, "mid");
  add("median", "RollingQuantile", { window: 15 }, "mid");
  add("ema", "EMA", { half_life: "1s" }, "mid");
  add("vwap", "VWAP", { window: "2s" });
  add("twap", "TWAP", { window: "2s" });
  add("ofi", "OFI", { window: 10, levels: 3 });
  add("kyle", "KyleLambda", { window: 12 });
  add("pressure", "BookPressure", { levels: 3, window: "1s" });
  add("past", "BookSnapshot", { level: 1, age: "1s" });
  return g.compile();
}

function lane(program: Program) {
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "X", tickSize: "0.1", lotSize: "0.001" }],
    graphs: [{ name: "rich", program, instrument: 1 }],
    context: { tradeCapacity: 1024, flowCapacity: 1024, integralCapacity: 1024 },
  });
  const sink = new CollectingSink();
  const handler = new FactorHandler({ state, sink, baseNs: BASE_NS, assumeSynced: true });
  return { state, sink, handler };
}

const market = randomMarket(77, 400);
const head = toRows(market.slice(0, 250));
const all = toRows(market);

describe("checkpoints of a factor lane", () => {
  for (const on of ["book", "interval"] as const) {
    test(`restored and continued, a ${on} graph gives the outputs of an uninterrupted run, bit for bit`, () => {
      const program = richProgram(on);
      const whole = lane(program);
      rebuildFromHistory(whole.handler, [all], SOURCE);
      const first = lane(program);
      rebuildFromHistory(first.handler, [head], SOURCE);
      const dir = folder();
      const bytes = captureCheckpoint(first.state, BASE_NS, 250n);
      saveCheckpoint(dir, sealCheckpoint(bytes), 250n);
      const second = lane(program);
      const result = recover(second.handler, dir, [all], SOURCE);
      expect(result.checkpoint).toBe(checkpointFiles(dir)[0]!);
      const before = first.sink.signals();
      expect([...before, ...second.sink.signals()]).toEqual(whole.sink.signals());
      expect(before.length).toBeGreaterThan(100);
      expect(second.sink.signals().at(-1)!.some(Number.isNaN)).toBe(false);
      expect(second.state.f64.findIndex((x, i) => !Object.is(x, whole.state.f64[i]))).toBe(-1);
    });
  }

  test("cut at any byte, the newest file is passed over for the one before", () => {
    const program = richProgram();
    const { state, handler } = lane(program);
    rebuildFromHistory(handler, [head], SOURCE);
    const dir = folder();
    const good = sealCheckpoint(captureCheckpoint(state, BASE_NS, 1n));
    saveCheckpoint(dir, good, 1n);
    const newest = saveCheckpoint(dir, good, 2n);
    const older = checkpointFiles(dir)[1]!;
    const cuts = [
      0,
      1,
      7,
      8,
      39,
      63,
      64,
      65,
      96,
      ...Array.from({ length: 40 }, (_, i) => Math.floor((good.length * i) / 40)),
    ];
    for (const cut of [...cuts, good.length - 33, good.length - 32, good.length - 1]) {
      writeFileSync(newest, good.subarray(0, cut));
      const skipped: string[] = [];
      expect(restoreNewest(state, dir, (path) => skipped.push(path))?.path).toBe(older);
      expect(skipped).toEqual([newest]);
    }
    const flipped = readFileSync(older);
    flipped[5_000]! ^= 4;
    writeFileSync(newest, flipped);
    expect(restoreNewest(state, dir, () => {})?.path).toBe(older);
  });

  test("refuses a checkpoint of another graph or of other capacities, naming the reason", () => {
    const a = lane(richProgram());
    const bytes = sealCheckpoint(captureCheckpoint(a.state, BASE_NS, 1n));
    const other = lane(new FactorGraph("rich").addNode("m", "MidPrice").setOutput("m", "m").compile());
    expect(() => restoreCheckpoint(other.state, bytes)).toThrow("other graphs");
  });

  test("a folder without checkpoints means rebuilding from the start", () => {
    const { handler, sink } = lane(richProgram());
    const result = recover(handler, join(folder(), "none"), [head], SOURCE);
    expect(result).toEqual({ checkpoint: null, skipped: [], rows: head.length / 64 });
    expect(sink.signals().length).toBeGreaterThan(100);
  });

  test("keeps the newest files only", () => {
    const { state } = lane(richProgram());
    const dir = folder();
    const bytes = sealCheckpoint(captureCheckpoint(state, BASE_NS, 1n));
    for (let i = 1n; i <= 5n; i++) saveCheckpoint(dir, bytes, i, 2);
    expect(checkpointFiles(dir).map((p) => p.slice(-7))).toEqual(["05.ckpt", "04.ckpt"]);
  });
});
