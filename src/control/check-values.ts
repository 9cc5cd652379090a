// Checks parameter and limit values against their schema, exactly (decimals never pass through a float), for
// every channel that sets them. All problems at once. Only numbers, switches and choices exist: a schema has
// no kind that could carry a path, URL or module name.
import { type Decimal, formatDecimal, parseDecimal, scaleTo } from "../core/decimal.ts";
import type { ValueSpec } from "./engine-control.ts";

export interface ValueProblem {
  readonly what: string;
  /** Name of the value. */
  readonly where: string;
  readonly expected: string;
}

export type CheckedValues =
  | { readonly ok: true; readonly values: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly problems: readonly ValueProblem[] };

/** `given`: as a client sent them. The result's values are canonical text ("0.5", "true", "join"). */
export function checkValues(
  schema: readonly ValueSpec[],
  given: Readonly<Record<string, string | number | boolean>>,
): CheckedValues {
  const values: Record<string, string> = {};
  const problems: ValueProblem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const spec = schema.find((s) => s.name === name);
    if (spec === undefined) {
      const known = schema.map((s) => s.name).join(", ") || "nothing can be set here";
      problems.push({ what: "unknown name", where: name, expected: known });
      continue;
    }
    const canonical = canonicalValue(spec, String(value));
    if (canonical === null)
      problems.push({
        what: `cannot be ${JSON.stringify(value)}`,
        where: name,
        expected: describeSpec(spec),
      });
    else values[name] = canonical;
  }
  return problems.length === 0 ? { ok: true, values } : { ok: false, problems };
}

/** What a value may be, in words: `decimal in 0.1 … 5, step 0.1, bps`. */
export function describeSpec(spec: ValueSpec): string {
  if (spec.type === "bool") return "true or false";
  if (spec.type === "enum") return `one of ${spec.values.join(", ")}`;
  const range = spec.min === null && spec.max === null ? "" : ` in ${spec.min ?? "…"} … ${spec.max ?? "…"}`;
  const step = spec.step === null ? "" : `, step ${spec.step}`;
  return `${spec.type}${range}${step}${spec.unit === "" ? "" : `, ${spec.unit}`}`;
}

/** null = not allowed. */
function canonicalValue(spec: ValueSpec, text: string): string | null {
  if (spec.type === "bool") return text === "true" || text === "false" ? text : null;
  if (spec.type === "enum") return spec.values.includes(text) ? text : null;
  const value = decimalOrNull(text);
  if (value === null) return null;
  if (spec.type === "int" && value.decimals > 0) return null;
  if (spec.min !== null && compare(value, parseDecimal(spec.min)) < 0) return null;
  if (spec.max !== null && compare(value, parseDecimal(spec.max)) > 0) return null;
  if (spec.step !== null && !isMultiple(value, parseDecimal(spec.step))) return null;
  return formatDecimal(value.units, value.decimals);
}

/** Longer text is no number that anything here can hold, and BigInt would take its time over it. */
const MAX_NUMBER_CHARACTERS = 40;

function decimalOrNull(text: string): Decimal | null {
  if (text.length > MAX_NUMBER_CHARACTERS) return null;
  try {
    return parseDecimal(text);
  } catch {
    return null;
  }
}

function common(a: Decimal, b: Decimal): readonly [bigint, bigint] {
  const decimals = Math.max(a.decimals, b.decimals);
  return [scaleTo(a, decimals), scaleTo(b, decimals)];
}

function compare(a: Decimal, b: Decimal): number {
  const [left, right] = common(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function isMultiple(value: Decimal, step: Decimal): boolean {
  const [v, s] = common(value, step);
  return s > 0n && v % s === 0n;
}
