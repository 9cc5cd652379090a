// Building blocks of the configuration schema. Each field carries, as zod metadata, what the reference page
// and an error message say of it: what is expected, in which unit, what it is for. Cold code.
import { z } from "zod";

export interface FieldMeta {
  readonly description: string;
  /** "integer 1 … 1000 ms", as errors and docs/config.md print it. */
  readonly expected: string;
}

const withUnit = (text: string, unit: string): string => (unit === "" ? text : `${text} ${unit}`);

export function int(min: number, max: number, unit: string, description: string) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ description, expected: withUnit(`integer ${min} … ${max}`, unit) } satisfies FieldMeta);
}

export function real(min: number, max: number, unit: string, description: string) {
  return z
    .number()
    .min(min)
    .max(max)
    .meta({ description, expected: withUnit(`number ${min} … ${max}`, unit) } satisfies FieldMeta);
}

/** Ring capacities: a power of two. */
export function powerOfTwo(min: number, max: number, unit: string, description: string) {
  const expected = withUnit(`power of two ${min} … ${max}`, unit);
  return z
    .int()
    .min(min)
    .max(max)
    .refine((n) => (n & (n - 1)) === 0, { message: expected })
    .meta({ description, expected } satisfies FieldMeta);
}

export function bool(description: string) {
  return z.boolean().meta({ description, expected: "true or false" } satisfies FieldMeta);
}

export function choice<const T extends readonly [string, ...string[]]>(values: T, description: string) {
  const expected = values.map((v) => `"${v}"`).join(", ");
  return z.enum(values).meta({ description, expected: `one of ${expected}` } satisfies FieldMeta);
}

export function text(expected: string, description: string) {
  return z.string().meta({ description, expected } satisfies FieldMeta);
}

export function name(pattern: RegExp, expected: string, description: string) {
  return z
    .string()
    .regex(pattern)
    .meta({ description, expected } satisfies FieldMeta);
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,12})?$/;

/** Money and quantities: decimal text, never a binary float; a TOML number is taken by its shortest text. */
export function decimal(unit: string, description: string, options: { readonly optional?: boolean } = {}) {
  const none = options.optional === true;
  const expected = withUnit(`decimal ≥ 0${none ? ' or "" for none' : ""}`, unit);
  return z
    .union([z.string(), z.number()])
    .transform(String)
    .refine((s) => (none && s === "") || (DECIMAL.test(s) && !s.startsWith("-")), { message: expected })
    .meta({ description, expected } satisfies FieldMeta);
}

/** A signed decimal (fees: a rebate is negative). */
export function signedDecimal(unit: string, description: string) {
  const expected = withUnit("decimal", unit);
  return z
    .union([z.string(), z.number()])
    .transform(String)
    .refine((s) => s === "" || DECIMAL.test(s), { message: expected })
    .meta({ description, expected: `${expected} or "" for the venue's` } satisfies FieldMeta);
}

/** An address, or "" where the environment leaves it open. No user info: secrets never stand in configuration. */
export function url(schemes: readonly string[], description: string) {
  const expected = `${schemes.map((s) => `${s}://`).join(" or ")} address without user or password, or ""`;
  return z
    .string()
    .refine((s) => s === "" || isPlainUrl(s, schemes), { message: expected })
    .meta({ description, expected } satisfies FieldMeta);
}

function isPlainUrl(value: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(value)) return false;
  const parsed = new URL(value);
  return schemes.includes(parsed.protocol.slice(0, -1)) && parsed.username === "" && parsed.password === "";
}

const scalar = z.union([z.number(), z.string(), z.boolean()]);

/** A table that somebody else's schema reads (a strategy's parameters and limits): plain values only. */
export function rawTable(description: string) {
  return z
    .record(z.string(), scalar)
    .default({})
    .meta({ description, expected: "table of numbers, strings and booleans" } satisfies FieldMeta);
}
