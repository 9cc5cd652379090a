// Parameters of a strategy: a plain table of specs, values in numeric slots (bool 0/1, enum = index). The same
// table draws API and forms. Cold code; strategies read the values as plain numbers.
import { parseDecimal, scaleTo } from "../core/decimal.ts";

export interface ParamSpec {
  readonly type: "int" | "decimal" | "bool" | "enum";
  /** Number or decimal text; a boolean; one of `values`. */
  readonly default: number | string | boolean;
  readonly min?: number | string;
  readonly max?: number | string;
  /** Values are multiples of this, counted from 0. */
  readonly step?: number | string;
  readonly unit?: string;
  /** Choices of an enum. */
  readonly values?: readonly string[];
  readonly description?: string;
}

export type ParamsSchema = Readonly<Record<string, ParamSpec>>;
/** What strategies see: one number per parameter. */
export type ParamValues<P extends ParamsSchema> = { readonly [K in keyof P]: number };
export type GivenParams = Readonly<Record<string, number | string | boolean>>;

/** A spec as other programs read it: everything in text. */
export interface ParamDescription {
  readonly name: string;
  readonly type: ParamSpec["type"];
  readonly default: string;
  readonly min: string | null;
  readonly max: string | null;
  readonly step: string | null;
  readonly unit: string;
  readonly values: readonly string[];
  readonly description: string;
}

export const PARAM_OK = 0;
export const PARAM_UNKNOWN = 1;
export const PARAM_OUT_OF_RANGE = 2;

/** Decimals beyond the 15th are not kept: values are doubles. */
const MAX_DECIMALS = 15;
const NAME = /^[a-z][a-z0-9_]{0,47}$/;

/** What a parameter may be, in words: `decimal in 0.1 … 5, step 0.1, bps`. */
export function describeParam(spec: ParamSpec): string {
  if (spec.type === "bool") return "true or false";
  if (spec.type === "enum") return `one of ${(spec.values ?? []).join(", ")}`;
  const bounded = spec.min !== undefined || spec.max !== undefined;
  const range = bounded ? ` in ${spec.min ?? "…"} … ${spec.max ?? "…"}` : "";
  const step = spec.step === undefined ? "" : `, step ${spec.step}`;
  return `${spec.type}${range}${step}${spec.unit === undefined ? "" : `, ${spec.unit}`}`;
}

export function describeParams(schema: ParamsSchema): ParamDescription[] {
  return Object.entries(schema).map(([name, spec]) => ({
    name,
    type: spec.type,
    default: String(spec.default),
    min: spec.min === undefined ? null : String(spec.min),
    max: spec.max === undefined ? null : String(spec.max),
    step: spec.step === undefined ? null : String(spec.step),
    unit: spec.unit ?? "",
    values: spec.values ?? [],
    description: spec.description ?? "",
  }));
}

/** Problems of a schema itself: one line each. */
export function schemaProblems(schema: ParamsSchema): string[] {
  const problems: string[] = [];
  for (const [name, spec] of Object.entries(schema)) {
    if (!NAME.test(name)) problems.push(`params.${name}: expected a name of a-z, 0-9, _`);
    if (spec.type === "enum" && (spec.values ?? []).length === 0)
      problems.push(`params.${name}: an enum needs values`);
    if (Number.isNaN(slotValue(spec, spec.default)))
      problems.push(`params.${name}: default ${spec.default} is not ${describeParam(spec)}`);
  }
  return problems;
}

/** The value for a slot, or NaN when the spec does not allow it. Decimals are checked exactly. */
export function slotValue(spec: ParamSpec, given: number | string | boolean): number {
  if (spec.type === "bool") {
    if (given === true || given === "true") return 1;
    return given === false || given === "false" ? 0 : Number.NaN;
  }
  if (spec.type === "enum") {
    const index = (spec.values ?? []).indexOf(String(given));
    return index < 0 ? Number.NaN : index;
  }
  if (typeof given === "boolean") return Number.NaN;
  try {
    const value = scaled(given);
    if (spec.type === "int" && value % 10n ** BigInt(MAX_DECIMALS) !== 0n) return Number.NaN;
    if (spec.min !== undefined && value < scaled(spec.min)) return Number.NaN;
    if (spec.max !== undefined && value > scaled(spec.max)) return Number.NaN;
    if (spec.step !== undefined && value % scaled(spec.step) !== 0n) return Number.NaN;
  } catch {
    return Number.NaN;
  }
  return Number(given);
}

/** Exponents (1e-7 prints as that) are written out first. */
function scaled(value: number | string): bigint {
  const text = typeof value === "string" ? value : plainText(value);
  return scaleTo(parseDecimal(text), MAX_DECIMALS);
}

function plainText(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(MAX_DECIMALS) : text;
}

/** The parameters of one running strategy. */
export class ParamSlots<P extends ParamsSchema = ParamsSchema> {
  readonly schema: P;
  readonly names: readonly string[];
  /** Plain numbers by name, one final shape. */
  readonly values: ParamValues<P>;

  /** Throws RangeError with one line per problem, each naming key, value and what it may be. */
  constructor(schema: P, given: GivenParams, where: string) {
    this.schema = schema;
    this.names = Object.keys(schema);
    const values: Record<string, number> = {};
    const problems: string[] = [];
    for (const [name, spec] of Object.entries(schema)) {
      const value = slotValue(spec, given[name] ?? spec.default);
      if (Number.isNaN(value))
        problems.push(`${where}.${name} = ${given[name]}: expected ${describeParam(spec)}`);
      values[name] = value;
    }
    for (const name of Object.keys(given))
      if (schema[name] === undefined)
        problems.push(`${where}.${name}: unknown; known: ${this.names.join(", ") || "none"}`);
    if (problems.length > 0) throw new RangeError(problems.join("\n"));
    this.values = values as ParamValues<P>;
  }

  /** `value` as a slot number (bool 0/1, enum index). Changes nothing unless PARAM_OK. */
  set(index: number, value: number): number {
    const name = this.names[index];
    if (name === undefined) return PARAM_UNKNOWN;
    const spec = this.schema[name];
    let given: number | string | boolean = value;
    if (spec.type === "bool") given = value === 1 ? true : value === 0 ? false : "";
    if (spec.type === "enum") given = spec.values?.[value] ?? "";
    if (!Number.isFinite(value) || Number.isNaN(slotValue(spec, given))) return PARAM_OUT_OF_RANGE;
    (this.values as Record<string, number>)[name] = value;
    return PARAM_OK;
  }

  get(index: number): number {
    return (this.values as Record<string, number>)[this.names[index]] ?? Number.NaN;
  }
}
