// A compiled graph, and its instances over an arena: one straight-line generated function (the fast path) and
// the plain interpreter of the same program (its oracle: bit for bit equal).
// Hot: factor lane; 0 bytes per update; one call per node in topological order.
//
// Words of an instance: | value of node 0 … n−1 | state of node 0 | state of node 1 | … |
import type { ContextConfig, InstrumentContext } from "./context.ts";
import type { CheckpointSpec, ContextSpec, Trigger } from "./graph.ts";
import type { GraphProblem } from "./graph-error.ts";
import type { NodePlan, NodeType, Step } from "./node-type.ts";
import { fill, recompute, renew, ringSum } from "./nodes/count-moments.ts";

export interface ProgramNode {
  /** Id of the (first) written node it stands for. */
  readonly label: string;
  readonly type: NodeType;
  readonly plan: NodePlan;
  readonly inputs: readonly number[];
  /** Index into the program's instruments. */
  readonly instrument: number;
  /** Identity for sharing. */
  readonly key: string;
}

export interface ProgramOutput {
  readonly name: string;
  readonly node: number;
}

/** Plain data apart from the step functions. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly trigger: Trigger;
  readonly checkpoint: CheckpointSpec;
  readonly context: ContextSpec;
  /** Symbols the sources read; "" (always first) = the instrument the graph runs on. */
  readonly instruments: readonly string[];
  readonly nodes: readonly ProgramNode[];
  readonly outputs: readonly ProgramOutput[];
  readonly warnings: readonly GraphProblem[];
  /** Changes whenever the meaning of the state changes. */
  readonly hash: string;
}

/** Arena words of one instance. */
export function programWords(program: Program): number {
  return program.nodes.reduce((words, node) => words + 1 + node.plan.words, 0);
}

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, 2)));

/** Names of the external signals that `program` reads. */
export function alphaNames(program: Program): string[] {
  return program.nodes.flatMap((node) => node.plan.needs?.alpha ?? []);
}

const ringCapacity = (asked: number[]): number => powerOfTwo(Math.max(...asked));

/** What several graphs ask of one context: the larger capacities, the shorter interval. */
export function mergeContexts(specs: readonly ContextSpec[]): Partial<ContextConfig> {
  const merge = (key: keyof ContextSpec, choose: (asked: number[]) => number): Partial<ContextConfig> => {
    const asked = specs.map((s) => s[key]).filter((v) => v !== undefined);
    return asked.length === 0 ? {} : { [key]: choose(asked) };
  };
  return {
    ...merge("snapshotIntervalNs", (asked) => Math.min(...asked)),
    ...merge("historyDurationNs", (asked) => Math.max(...asked)),
    ...merge("historyLevels", (asked) => Math.max(...asked)),
    ...merge("tradeCapacity", ringCapacity),
    ...merge("flowCapacity", ringCapacity),
    ...merge("integralCapacity", ringCapacity),
  };
}

/** Adds what the nodes of `program` need of its instrument number `instrument` to a context's capacities. */
export function addNeeds(config: ContextConfig, program: Program, instrument: number): ContextConfig {
  let k = config;
  for (const node of program.nodes) {
    const needs = node.plan.needs;
    if (needs === undefined || node.instrument !== instrument) continue;
    const pressure = needs.pressureLevels;
    k = {
      ...k,
      bands: k.bands + (needs.bands ?? 0),
      tradeCapacity: Math.max(k.tradeCapacity, powerOfTwo(needs.trades ?? 0)),
      flowLevels: Math.max(k.flowLevels, needs.flowLevels ?? 0),
      midIntegral: k.midIntegral || needs.midIntegral === true,
      pressureLevels:
        pressure === undefined || k.pressureLevels.includes(pressure)
          ? k.pressureLevels
          : [...k.pressureLevels, pressure],
      historyLevels: Math.max(k.historyLevels, needs.historyLevels ?? 0),
      historyDurationNs: Math.max(k.historyDurationNs, (needs.historyNs ?? 0) + k.snapshotIntervalNs),
    };
  }
  return k;
}

const PART_NODES = 12;
/** What the written-out code calls. */
const RARE = { fill, renew, recompute, ringSum, finite: (v: number): number => (v - v === 0 ? v : NaN) };

type Update = (nowNs: number) => void;

export class GraphInstance {
  readonly program: Program;
  private readonly f64: Float64Array;
  private readonly values: number;
  private readonly contexts: readonly InstrumentContext[];
  private readonly steps: readonly Step[];
  private readonly states: Int32Array;
  private readonly inputs: Int32Array;
  private readonly nodeContexts: readonly InstrumentContext[];
  private readonly outputWords: Int32Array;
  private readonly cutWords: Int32Array;
  private readonly generated: Update;

  /**
   * `offset`: first of programWords(program) zeroed words of `f64`. `contexts`: one per
   * program.instruments, in that order.
   */
  constructor(program: Program, f64: Float64Array, offset: number, contexts: readonly InstrumentContext[]) {
    this.program = program;
    this.f64 = f64;
    this.values = offset;
    this.contexts = contexts;
    const count = program.nodes.length;
    this.steps = program.nodes.map((n) => n.plan.step);
    this.states = new Int32Array(count);
    this.inputs = new Int32Array(count * 3).fill(-1);
    this.nodeContexts = program.nodes.map((n) => contexts[n.instrument]!);
    let state = offset + count;
    program.nodes.forEach((node, i) => {
      this.states[i] = state;
      node.plan.init?.(f64, state, this.nodeContexts[i]!);
      for (let k = 0; k < node.inputs.length; k++) this.inputs[i * 3 + k] = offset + node.inputs[k]!;
      f64[offset + i] = NaN;
      state += node.plan.words;
    });
    this.outputWords = Int32Array.from(program.outputs, (o) => offset + o.node);
    this.cutWords = Int32Array.from(this.cutters, (i) => this.states[i]! + program.nodes[i]!.plan.cutWord!);
    this.generated = this.generate();
  }

  get outputCount(): number {
    return this.outputWords.length;
  }

  /** Value of output `index` after the last update; NaN = not ready. */
  output(index: number): number {
    return this.f64[this.outputWords[index]!]!;
  }

  /** Nodes with a time window that can lose samples. */
  private get cutters(): number[] {
    const { nodes } = this.program;
    return nodes.flatMap((node, i) => (node.plan.cutWord === undefined ? [] : [i]));
  }

  /** Samples that time windows lost because they were full. */
  get cuts(): number {
    let total = 0;
    for (let k = 0; k < this.cutWords.length; k++) total += this.f64[this.cutWords[k]!]!;
    return total;
  }

  /** The nodes that lost some (cold): label and number. */
  cutNodes(): (readonly [label: string, samples: number])[] {
    const all = this.cutters.map(
      (i, k) => [this.program.nodes[i]!.label, this.f64[this.cutWords[k]!]!] as const,
    );
    return all.filter(([, samples]) => samples > 0);
  }

  /** True when every instrument it reads is ready. */
  get ready(): boolean {
    for (let k = 0; k < this.contexts.length; k++) if (!this.contexts[k]!.ready) return false;
    return true;
  }

  reads(context: InstrumentContext): boolean {
    return this.contexts.includes(context);
  }

  /** One trigger at logical time `nowNs`. */
  update(nowNs: number): void {
    this.generated(nowNs);
  }

  /** The same by walking the flat program. */
  interpret(nowNs: number): void {
    const f64 = this.f64;
    const inputs = this.inputs;
    for (let k = 0; k < this.contexts.length; k++) this.contexts[k]!.nowNs = nowNs;
    for (let i = 0; i < this.steps.length; i++) {
      const x = inputs[i * 3]!;
      const y = inputs[i * 3 + 1]!;
      const z = inputs[i * 3 + 2]!;
      f64[this.values + i] = this.steps[i]!(
        f64,
        this.states[i]!,
        this.nodeContexts[i]!,
        x < 0 ? NaN : f64[x]!,
        y < 0 ? NaN : f64[y]!,
        z < 0 ? NaN : f64[z]!,
      );
    }
  }

  /**
   * Source of the generated function (cold): offsets and constants as literals, nodes with `code` written out. It is
   * cut into parts, because the optimising compiler takes long over long functions and refuses very long ones; a
   * part finds the values of earlier ones in the arena.
   */
  source(): string {
    const { nodes } = this.program;
    const parts: string[] = [];
    for (let first = 0; first < nodes.length; first += PART_NODES) {
      const last = Math.min(first + PART_NODES, nodes.length);
      parts.push(this.partSource(first, last));
    }
    const clocks = this.contexts.map((_, k) => `c${k}.nowNs = now;`).join(" ");
    if (parts.length === 1) return `return function update(now) { ${clocks}\n${parts[0]}\n};`;
    const functions = parts.map((body, k) => `function part${k}() {\n${body}\n}`).join("\n");
    const calls = parts.map((_, k) => `part${k}();`).join(" ");
    return `${functions}\nreturn function update(now) { ${clocks} ${calls} };`;
  }

  private partSource(first: number, last: number): string {
    const { nodes } = this.program;
    const lines: string[] = [];
    const known = new Set<number>();
    for (let i = first; i < last; i++) {
      const node = nodes[i]!;
      for (const k of node.inputs) {
        if (k < first && !known.has(k)) lines.push(`const v${k} = a[${this.values + k}];`);
        known.add(k);
      }
      lines.push(this.nodeSource(i));
    }
    return lines.join("\n");
  }

  private nodeSource(i: number): string {
    const node = this.program.nodes[i]!;
    const args = [0, 1, 2].map((k) => (k < node.inputs.length ? `v${node.inputs[k]}` : "NaN"));
    const s = this.states[i]!;
    const c = `c${node.instrument}`;
    const place = { a: this.f64, s, v: `v${i}`, x: args[0]!, y: args[1]!, c };
    const code = node.plan.code?.(place);
    const inline = node.plan.inline?.replace(/\b[xy]\b/g, (name) => args[name === "x" ? 0 : 1]!);
    const plain = `const v${i} = ${inline ?? `s${i}(a, ${s}, ${c}, ${args.join(", ")})`};`;
    const value = code === undefined ? plain : `let v${i} = NaN;\n{ ${code} }\n`;
    const store = this.isReadLater(i) ? `a[${this.values + i}] = v${i};` : "";
    return `${value} ${store} // ${node.type.name}`;
  }

  /** An output, or an input of a node in another part. */
  private isReadLater(i: number): boolean {
    const { nodes, outputs } = this.program;
    const part = Math.floor(i / PART_NODES);
    const reads = (n: ProgramNode, k: number): boolean =>
      Math.floor(k / PART_NODES) !== part && n.inputs.includes(i);
    return outputs.some((o) => o.node === i) || nodes.some(reads);
  }

  private generate(): Update {
    const steps = this.steps.map((_, i) => `const s${i} = steps[${i}];`).join("\n");
    const contexts = this.contexts.map((_, k) => `const c${k} = contexts[${k}];`).join("\n");
    const body = `"use strict";\n${steps}\n${contexts}\n${this.source()}`;
    const names = ["a", "steps", "contexts", ...Object.keys(RARE)];
    const values = [this.f64, this.steps, this.contexts, ...Object.values(RARE)];
    return new Function(...names, body)(...values) as Update;
  }
}
