// Node types from a user's TypeScript module, named by `[graph] module` in the graph file. Cold.
//
//   import { defineNode } from "hotlane";
//   export const nodes = [defineNode({
//     name: "Decay", fn: "decay", inputs: ["x"], words: 1, summary: "…", formula: "…",
//     params: [{ name: "rate", kind: "number", min: 0, max: 1, doc: "…" }],
//     init: (state, s, params) => { state[s] = params.rate; },
//     step: (state, s, context, x) => …,
//   })];

import { providePackage } from "../core/package-module.ts";
import { assertArity } from "./compile.ts";
import type { InstrumentContext } from "./context.ts";
import { GraphError } from "./graph-error.ts";
import type { ContextNeeds, NodeGroup, NodeType, ParamSpec, Params, Step } from "./node-type.ts";

export interface UserNode {
  readonly name: string;
  /** Name in expressions; default: the name in lower case. */
  readonly fn?: string;
  readonly group?: NodeGroup;
  readonly inputs: readonly string[];
  readonly params?: readonly ParamSpec[];
  /** f64 words of state: all the state the node may keep. Part of checkpoints. */
  readonly words: number | ((params: Params) => number);
  readonly summary: string;
  readonly formula: string;
  readonly unit?: string;
  readonly source?: string;
  readonly bound?: string;
  readonly perInstrument?: boolean;
  readonly needs?: ContextNeeds;
  readonly init?: (state: Float64Array, s: number, params: Params, context: InstrumentContext) => void;
  readonly step: Step;
}

/** Throws RangeError when the declaration cannot work. */
export function defineNode(node: UserNode): NodeType {
  if (!/^[A-Za-z]\w*$/.test(node.name))
    throw new RangeError(`${JSON.stringify(node.name)} is not a node name`);
  const type: NodeType = {
    name: node.name,
    group: node.group ?? "factor",
    fn: node.fn ?? node.name.toLowerCase(),
    summary: node.summary,
    formula: node.formula,
    unit: node.unit ?? "",
    source: node.source ?? "user module",
    bound: node.bound ?? "the module's",
    inputs: node.inputs,
    ...(node.perInstrument === true ? { perInstrument: true } : {}),
    params: node.params ?? [],
    plan: (p) => ({
      words: typeof node.words === "number" ? node.words : node.words(p),
      step: node.step,
      init: (a, s, c) => node.init?.(a, s, p, c),
      ...(node.needs === undefined ? {} : { needs: node.needs }),
    }),
  };
  assertArity(type);
  return type;
}

const isNodeType = (value: unknown): value is NodeType =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as NodeType).name === "string" &&
  typeof (value as NodeType).plan === "function";

/** The types a module exports as `nodes`. Throws GraphError naming the graph file. */
export async function loadUserNodes(path: string, graphFile: string): Promise<readonly NodeType[]> {
  const fail = (message: string): GraphError =>
    new GraphError([{ file: graphFile, line: 1, node: "", message }]);
  providePackage();
  let exported: { nodes?: unknown };
  try {
    exported = (await import(path)) as { nodes?: unknown };
  } catch (error) {
    throw fail(`cannot load the node module ${path}: ${(error as Error).message}`);
  }
  const { nodes } = exported;
  if (!Array.isArray(nodes) || !nodes.every(isNodeType)) {
    throw fail(`the node module ${path} must export nodes: a list of defineNode(…)`);
  }
  return nodes;
}
