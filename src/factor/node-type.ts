// What a node type is: its documentation, its parameters, and how it becomes one step of a compiled program.
// The catalogue (catalogue.ts) holds every built-in type; a user's module adds types of the same shape.
import type { InstrumentContext } from "./context.ts";
import type { CodePlace } from "./nodes/count-code.ts";

/**
 * One update of one node. Hot: factor lane; 0 bytes; bounded as the type's `bound` says.
 * `a` is the state arena, `s` the first word of the node's state in it, `c` the context of its instrument,
 * x, y, z its inputs (NaN beyond the last). Returns NaN for "not ready". Must keep all state in `a`.
 */
export type Step = (
  a: Float64Array,
  s: number,
  c: InstrumentContext,
  x: number,
  y: number,
  z: number,
) => number;

export const MAX_INPUTS = 3;

export type NodeGroup = "source" | "transform" | "factor" | "signal" | "operator";

/** A window by number of inputs, or by time in ns. */
export interface Window {
  readonly by: "count" | "time";
  readonly size: number;
}

export type ParamKind = "number" | "integer" | "count" | "time" | "window" | "choice" | "text" | "numbers";
export type ParamValue = number | string | Window | readonly number[];

export interface ParamSpec {
  readonly name: string;
  readonly kind: ParamKind;
  readonly doc: string;
  readonly unit?: string;
  /** Absent = the parameter is required, unless `optional`. */
  readonly default?: ParamValue;
  readonly optional?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
}

/** Checked parameters of one node. */
export type Params = Readonly<Record<string, ParamValue | undefined>>;

/** What a node asks of the context of its instrument. */
export interface ContextNeeds {
  /** Trades that a window by count reaches back. */
  readonly trades?: number;
  /** Levels of order flow to keep. */
  readonly flowLevels?: number;
  readonly midIntegral?: boolean;
  /** Levels of a time-weighted book pressure. */
  readonly pressureLevels?: number;
  /** Levels of book snapshots to keep. */
  readonly historyLevels?: number;
  readonly historyNs?: number;
  /** Depth bands of the book. */
  readonly bands?: number;
  /** Name of an external signal that is read. */
  readonly alpha?: string;
}

export interface NodePlan {
  /** f64 words of state, zeroed at start. */
  readonly words: number;
  readonly step: Step;
  /** Writes constants and the initial state (cold). */
  readonly init?: (a: Float64Array, s: number, c: InstrumentContext) => void;
  readonly needs?: ContextNeeds;
  /** State word that counts the samples a time window lost because it was full; absent = it cannot. */
  readonly cutWord?: number;
  /** Expression over x and y that equals `step`, for the generated function. */
  readonly inline?: string;
  /** Statements that assign the value and equal `step` bit for bit, for the generated function. */
  readonly code?: (place: CodePlace) => string;
}

export interface NodeType {
  readonly name: string;
  readonly group: NodeGroup;
  /** Name in expressions. */
  readonly fn: string;
  readonly summary: string;
  readonly formula: string;
  readonly unit: string;
  readonly source: string;
  /** Operations per update, at worst. */
  readonly bound: string;
  readonly inputs: readonly string[];
  /** Any number of inputs ≥ inputs.length, folded pairwise by `fold`. */
  readonly variadic?: boolean;
  /** Takes `instrument`. */
  readonly perInstrument?: boolean;
  readonly params: readonly ParamSpec[];
  /** Cold. Returns a message instead when parameters exclude each other. */
  readonly plan: (p: Params) => NodePlan | string;
  /**
   * Variadic types: plan of the step that takes the accumulated value x and input number `index` as y;
   * index 0 has only y. Returns a message for a wrong number of inputs.
   */
  readonly fold?: (p: Params, index: number, count: number) => NodePlan | string;
}

export const numberOf = (p: Params, name: string): number => p[name] as number;
export const textOf = (p: Params, name: string): string => p[name] as string;
export const windowOf = (p: Params, name: string): Window => p[name] as Window;
