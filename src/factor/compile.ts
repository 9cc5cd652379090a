// From a written graph to a flat program: checks everything and reports all problems at once, expands
// expressions and folded nodes, shares equal sub-graphs, drops what no output needs, orders topologically. Cold.
import { createHash } from "node:crypto";
import type { Catalogue } from "./catalogue.ts";
import { type Expression, ExpressionError, parseExpression } from "./expression.ts";
import type { CompileOptions, GraphSpec, NodeSpec, Trigger } from "./graph.ts";
import { GraphError, type GraphProblem } from "./graph-error.ts";
import { MAX_INPUTS, type NodePlan, type NodeType, type Params, type Window } from "./node-type.ts";
import { checkParams } from "./params.ts";
import type { Program, ProgramNode, ProgramOutput } from "./program.ts";

/** A reference that could not be resolved; its problem is already reported. */
const BROKEN = -1;

class Lowering {
  readonly problems: GraphProblem[] = [];
  readonly nodes: ProgramNode[] = [];
  /** "" = the instrument the graph runs on. */
  readonly instruments: string[] = [""];
  private readonly byKey = new Map<string, number>();
  private readonly byId = new Map<string, NodeSpec>();
  private readonly lowered = new Map<string, number>();
  private readonly path: string[] = [];
  readonly used = new Set<string>();
  private readonly catalogue: Catalogue;
  private readonly file: string;
  private readonly trigger: Trigger;

  constructor(spec: GraphSpec, catalogue: Catalogue) {
    this.catalogue = catalogue;
    this.file = spec.file;
    this.trigger = spec.trigger;
    for (const node of spec.nodes) {
      const first = this.byId.get(node.id);
      if (first === undefined) this.byId.set(node.id, node);
      else this.report(node, `duplicate id, first used on line ${first.place.line}`);
    }
  }

  report(node: NodeSpec | null, message: string, line?: number): void {
    this.problems.push({
      file: node?.place.file ?? this.file,
      line: line ?? node?.place.line ?? 0,
      node: node?.id ?? "",
      message,
    });
  }

  /** The program node of a written node, BROKEN when it has problems. */
  reference(id: string, from: NodeSpec | null, line?: number): number {
    const node = this.byId.get(id);
    if (node === undefined) {
      this.report(from, `there is no node "${id}"`, line);
      return BROKEN;
    }
    if (from !== null) this.used.add(id);
    const known = this.lowered.get(id);
    if (known !== undefined) return known;
    const start = this.path.indexOf(id);
    if (start >= 0) {
      this.report(node, `cycle: ${[...this.path.slice(start), id].join(" → ")}`);
      return BROKEN;
    }
    this.path.push(id);
    const result = this.lower(node);
    this.path.pop();
    this.lowered.set(id, result);
    return result;
  }

  private lower(node: NodeSpec): number {
    if (node.type === "Expr") return this.lowerExpr(node);
    const type = this.catalogue.type(node.type);
    if (type === undefined) {
      this.report(node, `unknown type "${node.type}"${suggestion(node.type, this.catalogue)}`);
      return BROKEN;
    }
    const inputs = node.inputs.map((id) => this.reference(id, node));
    return this.make(node, type, node.config, inputs, node.instrument, "");
  }

  /** Checks one use of a type and interns it. `where`: prefix for messages inside expressions. */
  private make(
    node: NodeSpec,
    type: NodeType,
    config: Readonly<Record<string, unknown>>,
    inputs: readonly number[],
    instrument: string | undefined,
    where: string,
  ): number {
    const before = this.problems.length;
    const checked = checkParams(type, config, (key, message) =>
      this.report(node, where + message, node.configLines?.[key]),
    );
    const params = config["capacity"] === undefined ? this.sized(type, checked) : checked;
    if (instrument !== undefined && type.perInstrument !== true) {
      this.report(node, `${where}${type.name} takes no instrument`);
    }
    this.checkInputs(node, type, inputs.length, where);
    if (this.problems.length > before || inputs.includes(BROKEN)) return BROKEN;
    if (type.variadic === true) return this.fold(node, type, params, inputs, where);
    const plan = type.plan(params);
    if (typeof plan === "string") {
      this.report(node, where + plan);
      return BROKEN;
    }
    return this.intern(node.id, type, params, plan, inputs, instrument ?? "", "");
  }

  /** With an interval trigger it is known how many samples a time window gets. */
  private sized(type: NodeType, params: Params): Params {
    const spec = type.params.find((p) => p.name === "capacity");
    const window = params["window"] as Window | undefined;
    if (spec === undefined || window?.by !== "time" || this.trigger.on !== "interval") return params;
    const samples = Math.ceil(window.size / this.trigger.intervalNs) + 1;
    const { min = 1, max = Infinity } = spec;
    return { ...params, capacity: Math.min(Math.max(samples, min), max) };
  }

  private checkInputs(node: NodeSpec, type: NodeType, given: number, where: string): void {
    const wanted = type.inputs.length;
    const names = type.inputs.join(", ");
    if (given < wanted) {
      this.report(node, `${where}missing input: ${type.name} takes ${wanted} (${names}), ${given} given`);
    } else if (given > wanted && type.variadic !== true) {
      const takes = wanted === 0 ? "none" : `${wanted} (${names})`;
      this.report(node, `${where}superfluous input: ${type.name} takes ${takes}, ${given} given`);
    }
  }

  private fold(
    node: NodeSpec,
    type: NodeType,
    params: Params,
    inputs: readonly number[],
    where: string,
  ): number {
    let accumulated = BROKEN;
    for (let i = 0; i < inputs.length; i++) {
      const plan = type.fold!(params, i, inputs.length);
      if (typeof plan === "string") {
        this.report(node, where + plan);
        return BROKEN;
      }
      const pair = [i === 0 ? inputs[0]! : accumulated, inputs[i]!];
      accumulated = this.intern(node.id, type, params, plan, pair, "", `${i}/${inputs.length}`);
    }
    return accumulated;
  }

  private intern(
    label: string,
    type: NodeType,
    params: Params,
    plan: NodePlan,
    inputs: readonly number[],
    instrument: string,
    part: string,
  ): number {
    const key = JSON.stringify([type.name, part, instrument, sorted(params), inputs]);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    let slot = this.instruments.indexOf(instrument);
    if (slot < 0) slot = this.instruments.push(instrument) - 1;
    this.nodes.push({ label, type, plan, inputs, instrument: slot, key });
    this.byKey.set(key, this.nodes.length - 1);
    return this.nodes.length - 1;
  }

  private lowerExpr(node: NodeSpec): number {
    const text = node.config["expr"];
    const line = node.configLines?.["expr"];
    for (const key of Object.keys(node.config)) {
      if (key !== "expr")
        this.report(node, `unknown parameter ${key}; Expr takes expr`, node.configLines?.[key]);
    }
    if (typeof text !== "string") {
      this.report(node, `missing parameter expr, e.g. expr = "zscore(obi(0.001), 100)"`, line);
      return BROKEN;
    }
    if (node.inputs.length > 0) this.report(node, "superfluous input: an Expr names its inputs in expr");
    if (node.instrument !== undefined) this.report(node, "Expr takes no instrument; give it to the calls");
    try {
      return this.expression(node, parseExpression(text));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.report(node, `expr, character ${error.at + 1}: ${error.message}`, line);
      return BROKEN;
    }
  }

  private expression(node: NodeSpec, e: Expression): number {
    switch (e.kind) {
      case "number":
        return this.make(node, this.catalogue.fn("const")!, { value: e.value }, [], undefined, "");
      case "text":
        throw new ExpressionError(`${JSON.stringify(e.value)} is not a value`, e.at);
      case "name":
        if (!this.byId.has(e.name) && this.catalogue.fn(e.name) !== undefined) {
          throw new ExpressionError(`there is no node "${e.name}"; a function is called: ${e.name}()`, e.at);
        }
        return this.reference(e.name, node, node.configLines?.["expr"]);
      case "call":
        return this.call(node, e);
    }
  }

  private call(node: NodeSpec, e: Expression & { kind: "call" }): number {
    const type = this.catalogue.fn(e.fn);
    if (type === undefined) throw new ExpressionError(`unknown function ${e.fn}`, e.at);
    const taken = type.variadic === true ? e.args.length : Math.min(type.inputs.length, e.args.length);
    const inputs = e.args.slice(0, taken).map((arg) => this.expression(node, arg));
    const config: Record<string, unknown> = {};
    let instrument: string | undefined;
    e.args.slice(taken).forEach((arg, k) => {
      const spec = type.params[k];
      if (spec === undefined) throw new ExpressionError(`too many arguments for ${e.fn}`, arg.at);
      config[spec.name] = literal(arg);
    });
    for (const { name, value } of e.named) {
      if (name === "instrument") instrument = String(literal(value));
      else if (Object.hasOwn(config, name)) throw new ExpressionError(`${name} is given twice`, value.at);
      else config[name] = literal(value);
    }
    return this.make(node, type, config, inputs, instrument, `${e.fn}(): `);
  }
}

function literal(e: Expression): number | string {
  if (e.kind === "number" || e.kind === "text") return e.value;
  if (e.kind === "name") return e.name;
  throw new ExpressionError("a parameter must be a literal", e.at);
}

const sorted = (params: Params): unknown[] =>
  Object.keys(params)
    .sort()
    .map((name) => [name, params[name]]);

function suggestion(name: string, catalogue: Catalogue): string {
  const near = catalogue.types.find((t) => t.name.toLowerCase() === name.toLowerCase() || t.fn === name);
  return near === undefined ? "; `factors list` prints the types" : `; did you mean ${near.name}?`;
}

/** Throws GraphError with every problem. */
export function compileGraph(spec: GraphSpec, options: CompileOptions & { catalogue: Catalogue }): Program {
  const lowering = new Lowering(spec, options.catalogue);
  const outputs: ProgramOutput[] = [];
  const seen = new Set<string>();
  for (const output of spec.outputs) {
    const at: NodeSpec = { id: output.name, type: "", inputs: [], config: {}, place: output.place };
    if (seen.has(output.name)) lowering.report(at, "duplicate output");
    seen.add(output.name);
    const node = lowering.reference(output.node, at);
    if (options.outputs === undefined || options.outputs.includes(output.name)) {
      outputs.push({ name: output.name, node });
    }
  }
  if (spec.outputs.length === 0) lowering.report(null, "the graph has no output", 1);
  for (const name of options.outputs ?? []) {
    if (!seen.has(name)) lowering.report(null, `there is no output "${name}"`);
  }
  const reached = new Set(lowering.used);
  for (const node of spec.nodes) lowering.reference(node.id, null);
  if (lowering.problems.length > 0) throw new GraphError(unique(lowering.problems));
  const warnings = spec.nodes
    .filter((node) => !reached.has(node.id))
    .map((n) => ({
      file: n.place.file,
      line: n.place.line,
      node: n.id,
      message: "no output needs this node",
    }));
  return prune(spec, lowering, outputs, warnings);
}

function unique(problems: readonly GraphProblem[]): GraphProblem[] {
  const seen = new Set<string>();
  return problems.filter((p) => {
    const key = JSON.stringify(p);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

/** Keeps the nodes that outputs need; interning made children before parents, so the order is topological. */
function prune(
  spec: GraphSpec,
  lowering: Lowering,
  outputs: readonly ProgramOutput[],
  warnings: readonly GraphProblem[],
): Program {
  const needed = new Set<number>();
  const visit = (index: number): void => {
    if (needed.has(index)) return;
    needed.add(index);
    for (const input of lowering.nodes[index]!.inputs) visit(input);
  };
  for (const output of outputs) visit(output.node);
  const order = [...needed].sort((a, b) => a - b);
  const renumbered = new Map(order.map((old, index) => [old, index]));
  const nodes = order.map((old) => {
    const node = lowering.nodes[old]!;
    return { ...node, inputs: node.inputs.map((i) => renumbered.get(i)!) };
  });
  const program = {
    name: spec.name,
    version: spec.version,
    trigger: spec.trigger,
    checkpoint: spec.checkpoint,
    context: spec.context,
    instruments: lowering.instruments,
    nodes,
    outputs: outputs.map((o) => ({ name: o.name, node: renumbered.get(o.node)! })),
    warnings,
  };
  return { ...program, hash: hashOf(program) };
}

/** Of everything that decides what the state words mean. */
function hashOf(program: Omit<Program, "hash">): string {
  const meaning = [
    program.trigger,
    program.instruments,
    program.nodes.map((n) => [n.key, n.inputs, n.instrument, n.plan.words]),
    program.outputs,
  ];
  return createHash("sha256").update(JSON.stringify(meaning)).digest("hex");
}

/** Every node type fits the step's signature: checked once per catalogue. */
export function assertArity(type: NodeType): void {
  if (type.variadic !== true && type.inputs.length > MAX_INPUTS) {
    throw new RangeError(`node type ${type.name} has more than ${MAX_INPUTS} inputs`);
  }
}
