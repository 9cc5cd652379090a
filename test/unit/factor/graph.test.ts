import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { BUILT_IN } from "../../../src/factor/catalogue.ts";
import { makeFactorState } from "../../../src/factor/factor-state.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";
import { GraphError, type GraphProblem, problemText } from "../../../src/factor/graph-error.ts";
import { compileToml, loadGraphFile } from "../../../src/factor/graph-toml.ts";
import type { Program } from "../../../src/factor/program.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";
import { randomMarket, toRows } from "./event-rows.ts";

const SEED = 90_210;
const EXAMPLE = join(import.meta.dir, "../../../config/graphs/obi_mm_factors.toml");
const DATA = { tickSize: "0.1", lotSize: "0.001" };

function problems(text: string): readonly GraphProblem[] {
  try {
    compileToml(text, "g.toml");
  } catch (error) {
    if (error instanceof GraphError) return error.problems;
    throw error;
  }
  return [];
}

const HEAD = '[graph]\nname = "g"\n';

describe("[context]", () => {
  const graph = (context: string): string =>
    `${HEAD}[[nodes]]\nid = "v"\nexpr = "vwap(10)"\n[outputs]\no = "v"\n[context]\n${context}`;
  const contextOf = (...texts: string[]) => {
    const graphs = texts.map((t, k) => ({ name: `g${k}`, program: compileToml(t, "g.toml"), instrument: 1 }));
    const instruments = [{ id: 1, symbol: "X", tickSize: "1", lotSize: "1" }];
    return makeFactorState({ instruments, graphs }).contexts[0]!.config;
  };

  test("sets what is kept; of several graphs the larger capacity and the shorter interval", () => {
    const one = graph(
      'trade_capacity = 1000\nhistory_levels = 5\nsnapshot_interval = "1s"\nhistory_duration = "2s"',
    );
    expect(contextOf(one)).toMatchObject({
      tradeCapacity: 1024,
      historyLevels: 5,
      snapshotIntervalNs: 1e9,
      historyDurationNs: 2e9,
    });
    const two = graph('trade_capacity = 5000\nsnapshot_interval = "500ms"');
    expect(contextOf(one, two)).toMatchObject({
      tradeCapacity: 8192,
      snapshotIntervalNs: 5e8,
      historyLevels: 5,
    });
  });

  test("names a wrong value with its line", () => {
    expect(problems(graph("trade_capacity = 0\nhistory_duration = 5\nx = 1")).map(problemText)).toEqual([
      "g.toml:11: unknown key x; expected snapshot_interval, history_duration, history_levels, trade_capacity, flow_capacity, integral_capacity",
      'g.toml:10: history_duration must be a duration such as "100ms"',
      "g.toml:9: trade_capacity must be an integer 1 … 16777216",
    ]);
  });

  test("an Alpha node makes its signal known", () => {
    const program = compileToml(
      `${HEAD}[[nodes]]\nid = "a"\nexpr = 'alpha("s")'\n[outputs]\no = "a"\n`,
      "g.toml",
    );
    const instruments = [{ id: 1, symbol: "X", tickSize: "1", lotSize: "1" }];
    const graphs = [{ name: "g", program, instrument: 1 }];
    const { alphas } = makeFactorState({ instruments, graphs, alphas: ["other"] });
    expect(alphas.names).toEqual(["other", "s"]);
  });
});

describe("the example of requirements document 2", () => {
  test("compiles as it stands to six nodes and three outputs", async () => {
    const program = await loadGraphFile(EXAMPLE);
    expect(program.nodes.map((n) => n.type.name).sort()).toEqual([
      "MidPrice",
      "OBI",
      "Return",
      "RollingStd",
      "Threshold",
      "ZScore",
    ]);
    expect(program.outputs.map((o) => o.name)).toEqual(["alpha", "volatility", "stop_loss"]);
    expect(program.trigger).toEqual({ on: "book" });
    expect(program.checkpoint).toEqual({ enabled: true, intervalSeconds: 300, dir: "./checkpoints" });
    expect(program.warnings).toEqual([]);
  });

  test("gives the same values written as expressions", () => {
    const rows = [toRows(randomMarket(4, 4_000))];
    const expr = `${HEAD}
[[nodes]]
id = "alpha"
expr = "zscore(obi(0.001), 100)"
[[nodes]]
id = "returns"
expr = "return(mid())"
[[nodes]]
id = "volatility"
type = "Expr"
[nodes.config]
expr = "std(returns, 60)"
[[nodes]]
id = "stop_loss"
expr = "threshold(volatility, returns, volatility_threshold = 3.0, change_threshold = 3)"
[outputs]
alpha = "alpha"
volatility = "volatility"
stop_loss = "stop_loss"
`;
    const written = updateBatch(compileToml(readFileSync(EXAMPLE, "utf8"), EXAMPLE), rows, DATA);
    const expressed = updateBatch(compileToml(expr, "e.toml"), rows, DATA);
    for (const name of ["alpha", "volatility", "stop_loss"]) {
      expect([...expressed.columns[name]!]).toEqual([...written.columns[name]!]);
    }
    expect(written.columns["stop_loss"]!.some((v) => v === 0)).toBe(true);
  });
});

describe("errors name file, line and node", () => {
  const node = (body: string): string => `${HEAD}[[nodes]]\nid = "n"\n${body}\n[outputs]\no = "n"\n`;
  const cases: readonly [what: string, text: string, line: number, message: string][] = [
    ["unknown type", node('type = "Obi"'), 3, 'unknown type "Obi"; did you mean OBI?'],
    [
      "missing input",
      node('type = "EMA"\n[nodes.config]\nspan = 5'),
      3,
      "missing input: EMA takes 1 (x), 0 given",
    ],
    [
      "superfluous input",
      node('type = "Spread"\ninputs = ["n2"]\n[[nodes]]\nid = "n2"\ntype = "Spread"'),
      3,
      "superfluous input: Spread takes none, 1 given",
    ],
    ["input that does not exist", node('type = "Diff"\ninputs = ["x"]'), 3, 'there is no node "x"'],
    [
      "bad parameter",
      node('type = "OBI"\n[nodes.config]\nlooking_depth = "deep"'),
      7,
      'parameter looking_depth: "deep" is not a number',
    ],
    [
      "parameter out of range",
      node('type = "OBI"\n[nodes.config]\nlooking_depth = 3'),
      7,
      "3 is out of range, expected 0 … 1",
    ],
    [
      "unknown parameter",
      node('type = "Spread"\n[nodes.config]\nwindow = 3'),
      7,
      "unknown parameter window; Spread takes none",
    ],
    ["missing parameter", node('type = "VWAP"'), 3, "missing parameter window"],
    [
      "parameters that exclude each other",
      node('type = "OBI"'),
      3,
      "needs exactly one of looking_depth and levels",
    ],
    [
      "an instrument for a transform",
      node('type = "Neg"\ninstrument = "A"\ninputs = ["n2"]\n[[nodes]]\nid = "n2"\ntype = "Spread"'),
      3,
      "Neg takes no instrument",
    ],
    ["an expression's syntax", node('expr = "mid( + 1"'), 5, "expr, character 6: expected a value"],
    [
      "an unknown function",
      node('expr = "1 + median(mid())"'),
      5,
      "expr, character 5: unknown function median",
    ],
    ["an unknown key", node('type = "Spread"\nwindow = 3'), 6, "unknown key window"],
    [
      "a bad trigger",
      '[graph]\nname = "g"\ntrigger = "often"\n[[nodes]]\nid = "n"\ntype = "Spread"\n[outputs]\no = "n"',
      3,
      'trigger "often"',
    ],
    [
      "an output without a node",
      `${HEAD}[[nodes]]\nid = "n"\ntype = "Spread"\n[outputs]\no = "m"`,
      7,
      'there is no node "m"',
    ],
    ["TOML syntax", `${HEAD}[[nodes]\n`, 3, ""],
    [
      "weights that do not fit",
      node(
        'type = "Composite"\ninputs = ["s"]\n[nodes.config]\nweights = [1, 2]\n[[nodes]]\nid = "s"\ntype = "Spread"',
      ),
      3,
      "2 weights for 1 inputs",
    ],
  ];
  for (const [what, text, line, message] of cases) {
    test(what, () => {
      const found = problems(text);
      expect(found.map((p) => p.line)).toEqual([line]);
      expect(problemText(found[0]!)).toContain(message);
      expect(problemText(found[0]!)).toStartWith(`g.toml:${line}: `);
    });
  }

  test("a cycle is shown as a path", () => {
    const text = `${HEAD}[[nodes]]\nid = "a"\ntype = "Diff"\ninputs = ["b"]\n[[nodes]]\nid = "b"\ntype = "Lag"\ninputs = ["a"]\n[outputs]\no = "a"`;
    const found = problems(text);
    expect(found).toEqual([{ file: "g.toml", line: 3, node: "a", message: "cycle: a → b → a" }]);
  });

  test("duplicate ids and several faults are reported together", () => {
    const text = `${HEAD}[[nodes]]\nid = "a"\ntype = "Spread"\n[[nodes]]\nid = "a"\ntype = "Nope"\n[[nodes]]\nid = "c"\ntype = "Nope"\n[outputs]\no = "a"`;
    expect(problems(text).map((p) => [p.line, p.node])).toEqual([
      [6, "a"],
      [9, "c"],
    ]);
  });

  test("a node that no output needs is a warning, and is not computed", () => {
    const text = `${HEAD}[[nodes]]\nid = "a"\ntype = "Spread"\n[[nodes]]\nid = "b"\ntype = "MidPrice"\n[outputs]\no = "a"`;
    const program = compileToml(text, "g.toml");
    expect(program.warnings.map(problemText)).toEqual(['g.toml:6: node "b": no output needs this node']);
    expect(program.nodes.length).toBe(1);
  });
});

/** A random graph over every built-in type, three quarters of it reachable. */
function randomGraph(seed: number): Program {
  const prng = new Prng(seed);
  const graph = new FactorGraph("random", { on: prng.nextBelow(2) === 0 ? "book" : "trade" });
  const ids: string[] = [];
  const count = 5 + prng.nextBelow(25);
  const pick = <T>(list: readonly T[]): T => list[prng.nextBelow(list.length)]!;
  const settings: Readonly<Record<string, () => Record<string, unknown>>> = {
    EMA: () => (prng.nextBelow(2) === 0 ? { span: 1 + prng.nextBelow(20) } : { half_life: "400ms" }),
    OBI: () => (prng.nextBelow(2) === 0 ? { looking_depth: 0.0005 } : { levels: 4 }),
    Const: () => ({ value: prng.nextNormal() }),
    Alpha: () => ({ name: "none" }),
    Hysteresis: () => ({ low: -0.1, high: 0.1 }),
  };
  for (let i = 0; i < count; i++) {
    const type = pick(BUILT_IN.filter((t) => i > 3 || t.inputs.length === 0));
    const config: Record<string, unknown> = settings[type.name]?.() ?? {};
    for (const p of type.params) {
      if (config[p.name] !== undefined || p.optional === true) continue;
      if (p.name === "window")
        config["window"] =
          p.kind === "time" || (p.kind === "window" && prng.nextBelow(2) === 0)
            ? "900ms"
            : 2 + prng.nextBelow(30);
    }
    graph.addNode(`n${i}`, type.name, config);
    const inputs = type.variadic === true ? 1 + prng.nextBelow(4) : type.inputs.length;
    for (let k = 0; k < inputs; k++) graph.connect(pick(ids), `n${i}`);
    ids.push(`n${i}`);
  }
  for (let k = 0; k < 1 + prng.nextBelow(6); k++) graph.setOutput(`o${k}`, pick(ids));
  return graph.compile();
}

describe("one program, two executions", () => {
  test(`the generated function and the interpreter agree bit for bit on random graphs (seed ${SEED})`, () => {
    const rows = [toRows(randomMarket(9, 250))];
    fc.assert(
      fc.property(fc.nat(1 << 30), (seed) => {
        const program = randomGraph(seed);
        const fast = updateBatch(program, rows, DATA);
        const plain = updateBatch(program, rows, { ...DATA, interpret: true });
        for (const { name } of program.outputs) {
          const a = fast.columns[name]!;
          const b = plain.columns[name]!;
          expect(a.length).toBeGreaterThan(0);
          expect(a.findIndex((x, i) => !Object.is(x, b[i]))).toBe(-1);
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test(`asking for one output gives the values it has when all are computed (seed ${SEED})`, () => {
    const text = readFileSync(EXAMPLE, "utf8");
    const rows = [toRows(randomMarket(2, 400))];
    const lazy = compileToml(text, EXAMPLE, { outputs: ["volatility"] });
    expect(lazy.nodes.map((n) => n.label)).toEqual(["mid_price", "returns", "volatility"]);
    const all = updateBatch(compileToml(text, EXAMPLE), rows, DATA);
    expect([...updateBatch(lazy, rows, DATA).columns["volatility"]!]).toEqual([
      ...all.columns["volatility"]!,
    ]);
  });

  test("equal sub-graphs are computed once, also inside expressions", () => {
    const text = `${HEAD}[[nodes]]\nid = "m"\ntype = "MidPrice"\n[[nodes]]\nid = "a"\nexpr = "ema(mid(), 10) - mean(m, 5)"\n[[nodes]]\nid = "b"\nexpr = "mean(mid(), 5) * 2"\n[outputs]\na = "a"\nb = "b"`;
    const program = compileToml(text, "g.toml");
    expect(program.nodes.map((n) => n.type.name).sort()).toEqual([
      "Const",
      "EMA",
      "MidPrice",
      "Mul",
      "RollingMean",
      "Sub",
    ]);
  });

  test("expressions follow the precedence of arithmetic", () => {
    const value = (expr: string): number => {
      const program = compileToml(
        `${HEAD}[[nodes]]\nid = "n"\nexpr = "${expr}"\n[outputs]\no = "n"`,
        "g.toml",
      );
      return updateBatch(program, [toRows(randomMarket(1, 3))], DATA).columns["o"]![0]!;
    };
    expect(value("1 + 2 * 3 - 4 / 2")).toBe(5);
    expect(value("-(1 - 3) * 2 > 3")).toBe(1);
    expect(value("8 - 4 - 2")).toBe(2);
    expect(value("min(2, 1e1) <= -3")).toBe(0);
    expect(value("composite(1, 2, 3)")).toBe(6);
  });
});

describe("user nodes", () => {
  test("come from the module the graph names, keep declared state, and are part of expressions", async () => {
    const dir = mkdtempSync(join(tmpdir(), "hotlane-nodes-"));
    try {
      writeFileSync(
        join(dir, "nodes.ts"),
        `import { defineNode } from "hotlane";
export const nodes = [defineNode({
  name: "Leaky", inputs: ["x"], words: 2, summary: "leaky sum", formula: "s = rate*s + x",
  params: [{ name: "rate", kind: "number", min: 0, max: 1, doc: "kept share" }],
  init: (a, s, p) => { a[s] = p.rate; },
  step: (a, s, c, x) => { if (x - x !== 0) return NaN; a[s + 1] = a[s] * a[s + 1] + x; return a[s + 1]; },
})];`,
      );
      const graph = `[graph]\nname = "u"\nmodule = "./nodes.ts"\n[[nodes]]\nid = "n"\nexpr = "leaky(spread() * 0 + 1, 0.5)"\n[outputs]\no = "n"\n`;
      writeFileSync(join(dir, "g.toml"), graph);
      const program = await loadGraphFile(join(dir, "g.toml"));
      const { columns } = updateBatch(program, [toRows(randomMarket(3, 40))], DATA);
      expect([...columns["o"]!.filter((v) => !Number.isNaN(v)).slice(0, 4)]).toEqual([1, 1.5, 1.75, 1.875]);
      writeFileSync(join(dir, "bad.toml"), graph.replace("nodes.ts", "absent.ts"));
      expect(loadGraphFile(join(dir, "bad.toml"))).rejects.toThrow("cannot load the node module");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
