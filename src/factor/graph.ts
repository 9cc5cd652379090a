// A factor graph as written (TOML or code), before it is compiled. Cold.
import { CATALOGUE, type Catalogue } from "./catalogue.ts";
import { compileGraph } from "./compile.ts";
import type { Program } from "./program.ts";

/** Where something was written; line 0 = built from code. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface NodeSpec {
  readonly id: string;
  readonly type: string;
  readonly inputs: readonly string[];
  /** As written; checked by the compiler. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Symbol; absent = the instrument that the graph runs on. */
  readonly instrument?: string;
  readonly place: Place;
  /** Lines of single config keys, for messages. */
  readonly configLines?: Readonly<Record<string, number>>;
}

export interface OutputSpec {
  readonly name: string;
  readonly node: string;
  readonly place: Place;
}

/** When a graph runs: see FactorHandler. */
export type Trigger =
  | { readonly on: "book" }
  | { readonly on: "trade" }
  | { readonly on: "interval"; readonly intervalNs: number };

export interface CheckpointSpec {
  readonly enabled: boolean;
  readonly intervalSeconds: number;
  /** Relative to the data directory. */
  readonly dir: string;
}

/** Capacities that a graph asks of the contexts it reads; what is absent stays as it is. */
export interface ContextSpec {
  readonly snapshotIntervalNs?: number;
  readonly historyDurationNs?: number;
  /** Levels per snapshot and side. */
  readonly historyLevels?: number;
  /** Trades kept. */
  readonly tradeCapacity?: number;
  /** Book events kept for order flow. */
  readonly flowCapacity?: number;
  /** Changes kept of a value that is averaged over time. */
  readonly integralCapacity?: number;
}

export interface GraphSpec {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly trigger: Trigger;
  readonly nodes: readonly NodeSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly checkpoint: CheckpointSpec;
  readonly context: ContextSpec;
}

export const NO_CHECKPOINT: CheckpointSpec = { enabled: false, intervalSeconds: 300, dir: "checkpoints" };

export interface CompileOptions {
  readonly catalogue?: Catalogue;
  /** Compute only these outputs (lazy); absent = all. */
  readonly outputs?: readonly string[];
}

interface DraftNode {
  readonly type: string;
  readonly inputs: string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly instrument: string | undefined;
}

/**
 * A graph built from code:
 *
 *   const program = new FactorGraph("spread_signal")
 *     .addNode("spread", "Spread")
 *     .addNode("z", "ZScore", { window: 100 })
 *     .connect("spread", "z")
 *     .setOutput("signal", "z")
 *     .compile();
 */
export class FactorGraph {
  private readonly graphName: string;
  private readonly trigger: Trigger;
  private readonly context: ContextSpec;
  private readonly drafts: { readonly id: string; readonly draft: DraftNode }[] = [];
  private readonly outputs: OutputSpec[] = [];

  constructor(name: string, trigger: Trigger = { on: "book" }, context: ContextSpec = {}) {
    this.graphName = name;
    this.trigger = trigger;
    this.context = context;
  }

  /** `config` as in `[nodes.config]`; `instrument`: symbol, absent = the graph's own. */
  addNode(
    id: string,
    type: string,
    config: Readonly<Record<string, unknown>> = {},
    instrument?: string,
  ): this {
    this.drafts.push({ id, draft: { type, inputs: [], config, instrument } });
    return this;
  }

  /** Appends `from` to the inputs of `to`. Throws RangeError when `to` was not added. */
  connect(from: string, to: string): this {
    const target = this.drafts.find((d) => d.id === to);
    if (target === undefined) throw new RangeError(`connect: no node "${to}"`);
    target.draft.inputs.push(from);
    return this;
  }

  setOutput(name: string, node: string): this {
    this.outputs.push({ name, node, place: { file: this.graphName, line: 0 } });
    return this;
  }

  spec(): GraphSpec {
    const place = { file: this.graphName, line: 0 };
    return {
      name: this.graphName,
      version: "1",
      file: this.graphName,
      trigger: this.trigger,
      nodes: this.drafts.map(({ id, draft }) => ({
        id,
        type: draft.type,
        inputs: draft.inputs,
        config: draft.config,
        ...(draft.instrument === undefined ? {} : { instrument: draft.instrument }),
        place,
      })),
      outputs: this.outputs,
      checkpoint: NO_CHECKPOINT,
      context: this.context,
    };
  }

  /** Throws GraphError with every problem found. */
  compile(options: CompileOptions = {}): Program {
    return compileGraph(this.spec(), { ...options, catalogue: options.catalogue ?? CATALOGUE });
  }
}
