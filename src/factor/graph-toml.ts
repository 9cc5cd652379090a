// Reads a factor graph from TOML (requirements document 2, and `Expr`). Cold.
//
//   [graph] name, version, trigger = "book" | "trade" | "100ms", module = "./my-nodes.ts"
//   [[nodes]] id, type, inputs = […], instrument = "SYMBOL", [nodes.config] parameters
//   [outputs] name = "node id"
//   [checkpoint] enabled, interval_seconds, dir
//   [context] snapshot_interval, history_duration, history_levels, trade_capacity, flow_capacity, integral_capacity
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  parseToml,
  type TomlDocument,
  type TomlPath,
  TomlSyntaxError,
  type TomlValue,
} from "../core/toml.ts";
import { CATALOGUE, type Catalogue } from "./catalogue.ts";
import { compileGraph } from "./compile.ts";
import { parseDuration } from "./duration.ts";
import {
  type CheckpointSpec,
  type ContextSpec,
  type GraphSpec,
  NO_CHECKPOINT,
  type NodeSpec,
  type Trigger,
} from "./graph.ts";
import { GraphError, type GraphProblem } from "./graph-error.ts";
import type { Program } from "./program.ts";
import { loadUserNodes } from "./user-nodes.ts";

type Table = Readonly<Record<string, TomlValue>>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

class Reader {
  readonly problems: GraphProblem[] = [];
  private readonly document: TomlDocument;

  constructor(document: TomlDocument) {
    this.document = document;
  }

  line(path: TomlPath): number {
    return this.document.locateNearest(path).line;
  }

  report(path: TomlPath, node: string, message: string): void {
    this.problems.push({ file: this.document.file, line: this.line(path), node, message });
  }

  table(parent: Table, path: TomlPath): Table {
    const value = parent[path.at(-1) as string];
    if (isTable(value)) return value;
    if (value !== undefined) this.report(path, "", `${path.at(-1)} must be a table`);
    return {};
  }

  text(parent: Table, path: TomlPath, node: string, fallback: string | null): string {
    const value = parent[path.at(-1) as string];
    if (typeof value === "string" && value !== "") return value;
    if (value === undefined && fallback !== null) return fallback;
    this.report(path, node, value === undefined ? `missing ${path.at(-1)}` : `${path.at(-1)} must be a text`);
    return fallback ?? "";
  }

  onlyKeys(table: Table, path: TomlPath, node: string, known: readonly string[]): void {
    for (const key of Object.keys(table)) {
      if (!known.includes(key)) {
        this.report([...path, key], node, `unknown key ${key}; expected ${known.join(", ")}`);
      }
    }
  }
}

function readTrigger(reader: Reader, graph: Table): Trigger {
  const text = reader.text(graph, ["graph", "trigger"], "", "book");
  if (text === "book" || text === "trade") return { on: text };
  const intervalNs = parseDuration(text);
  if (!Number.isNaN(intervalNs)) return { on: "interval", intervalNs };
  reader.report(
    ["graph", "trigger"],
    "",
    `trigger "${text}" is not "book", "trade" or an interval such as "100ms"`,
  );
  return { on: "book" };
}

function readNode(reader: Reader, value: TomlValue, index: number, file: string): NodeSpec {
  const path = ["nodes", index];
  const table: Table = isTable(value) ? value : {};
  const place = { file, line: reader.line(path) };
  const id = reader.text(table, [...path, "id"], "", null);
  reader.onlyKeys(table, path, id, ["id", "type", "inputs", "instrument", "config", "expr"]);
  const inputs = table["inputs"] ?? [];
  const texts = Array.isArray(inputs) ? inputs.filter((i): i is string => typeof i === "string") : [];
  if (!Array.isArray(inputs) || texts.length !== inputs.length) {
    reader.report([...path, "inputs"], id, "inputs must be a list of node ids");
  }
  const config: Record<string, TomlValue> = { ...reader.table(table, [...path, "config"]) };
  const lines: Record<string, number> = {};
  for (const key of Object.keys(config)) lines[key] = reader.line([...path, "config", key]);
  if (table["expr"] !== undefined) {
    config["expr"] = table["expr"];
    lines["expr"] = reader.line([...path, "expr"]);
  }
  let instrument = table["instrument"] as unknown;
  if (instrument === undefined && config["instrument"] !== undefined) {
    instrument = config["instrument"];
    delete config["instrument"];
  }
  if (instrument !== undefined && typeof instrument !== "string") {
    reader.report([...path, "instrument"], id, "instrument must be a symbol");
  }
  return {
    id,
    type: reader.text(table, [...path, "type"], id, table["expr"] === undefined ? null : "Expr"),
    inputs: texts,
    config,
    ...(typeof instrument === "string" ? { instrument } : {}),
    place,
    configLines: lines,
  };
}

function readCheckpoint(reader: Reader, root: Table): CheckpointSpec {
  if (root["checkpoint"] === undefined) return NO_CHECKPOINT;
  const table = reader.table(root, ["checkpoint"]);
  reader.onlyKeys(table, ["checkpoint"], "", ["enabled", "interval_seconds", "dir"]);
  const enabled = table["enabled"] ?? true;
  const seconds = table["interval_seconds"] ?? NO_CHECKPOINT.intervalSeconds;
  if (typeof enabled !== "boolean")
    reader.report(["checkpoint", "enabled"], "", "enabled must be true or false");
  if (typeof seconds !== "number" || !(seconds >= 1)) {
    reader.report(["checkpoint", "interval_seconds"], "", "interval_seconds must be a number ≥ 1");
  }
  return {
    enabled: enabled === true,
    intervalSeconds: Number(seconds),
    dir: reader.text(table, ["checkpoint", "dir"], "", NO_CHECKPOINT.dir),
  };
}

const DURATIONS = { snapshot_interval: "snapshotIntervalNs", history_duration: "historyDurationNs" } as const;
const CAPACITIES = {
  history_levels: "historyLevels",
  trade_capacity: "tradeCapacity",
  flow_capacity: "flowCapacity",
  integral_capacity: "integralCapacity",
} as const;
const CAPACITY_MAX = 1 << 24;

function readContext(reader: Reader, root: Table): ContextSpec {
  const table = reader.table(root, ["context"]);
  reader.onlyKeys(table, ["context"], "", [...Object.keys(DURATIONS), ...Object.keys(CAPACITIES)]);
  const spec: Record<string, number> = {};
  for (const [key, name] of Object.entries(DURATIONS)) {
    const value = table[key];
    if (value === undefined) continue;
    spec[name] = typeof value === "string" ? parseDuration(value) : NaN;
    if (Number.isNaN(spec[name]))
      reader.report(["context", key], "", `${key} must be a duration such as "100ms"`);
  }
  for (const [key, name] of Object.entries(CAPACITIES)) {
    const value = table[key];
    if (value === undefined) continue;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= CAPACITY_MAX)
      spec[name] = value;
    else reader.report(["context", key], "", `${key} must be an integer 1 … ${CAPACITY_MAX}`);
  }
  return spec;
}

export interface GraphFile {
  readonly spec: GraphSpec;
  /** `[graph] module`, as written; "" = none. */
  readonly module: string;
}

/** Throws GraphError (every problem, with its line). `file` is used in messages. */
export function parseGraph(text: string, file: string): GraphFile {
  let document: TomlDocument;
  try {
    document = parseToml(text, file);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    throw new GraphError([{ file, line: error.line, node: "", message: error.reason }]);
  }
  const reader = new Reader(document);
  const root = document.value as Table;
  reader.onlyKeys(root, [], "", ["graph", "nodes", "outputs", "checkpoint", "context"]);
  const graph = reader.table(root, ["graph"]);
  reader.onlyKeys(graph, ["graph"], "", ["name", "version", "trigger", "module"]);
  const list = root["nodes"] ?? [];
  if (!Array.isArray(list)) reader.report(["nodes"], "", "nodes must be written as [[nodes]]");
  const nodes = (Array.isArray(list) ? list : []).map((n, i) => readNode(reader, n, i, file));
  const outputs = Object.entries(reader.table(root, ["outputs"])).map(([name, node]) => {
    if (typeof node !== "string") reader.report(["outputs", name], name, "an output names a node");
    return { name, node: String(node), place: { file, line: reader.line(["outputs", name]) } };
  });
  const spec: GraphSpec = {
    name: reader.text(graph, ["graph", "name"], "", null),
    version: reader.text(graph, ["graph", "version"], "", "1"),
    file,
    trigger: readTrigger(reader, graph),
    nodes,
    outputs,
    checkpoint: readCheckpoint(reader, root),
    context: readContext(reader, root),
  };
  const module = reader.text(graph, ["graph", "module"], "", "");
  if (reader.problems.length > 0) throw new GraphError(reader.problems);
  return { spec, module };
}

export interface LoadOptions {
  readonly catalogue?: Catalogue;
  readonly outputs?: readonly string[];
  /** Adds the mid price as a last output of this name (plots). */
  readonly midAs?: string;
}

function withMid(spec: GraphSpec, name: string | undefined): GraphSpec {
  if (name === undefined) return spec;
  const place = { file: spec.file, line: 0 };
  return {
    ...spec,
    nodes: [...spec.nodes, { id: name, type: "MidPrice", inputs: [], config: {}, place }],
    outputs: [...spec.outputs, { name, node: name, place }],
  };
}

/** Compiles graph text without user nodes. Throws GraphError. */
export function compileToml(text: string, file: string, options: LoadOptions = {}): Program {
  const { spec } = parseGraph(text, file);
  return compileGraph(withMid(spec, options.midAs), {
    ...options,
    catalogue: options.catalogue ?? CATALOGUE,
  });
}

/** Reads and compiles a graph file; its user module, when it names one, is imported relative to it. */
export async function loadGraphFile(path: string, options: LoadOptions = {}): Promise<Program> {
  const { spec, module } = parseGraph(await readFile(path, "utf8"), path);
  let catalogue = options.catalogue ?? CATALOGUE;
  if (module !== "") {
    const types = await loadUserNodes(resolve(dirname(path), module), path);
    catalogue = catalogue.with(types);
  }
  return compileGraph(withMid(spec, options.midAs), { ...options, catalogue });
}
