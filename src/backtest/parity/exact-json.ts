// JSON whose integers beyond 2^53 (timestamps in ns) stay exact: they become bigint.

/** Parses `text`; whole numbers of 16 digits and more become bigint, everything else is as in JSON.parse. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(quoteLongIntegers(text), (_key, value: unknown) =>
    isMarked(value) ? unmark(value) : value,
  );
}

/** The same without bigint: long integers stay marked strings, which `firstDifference` knows. Far quicker. */
export function parseMarkedJson(text: string): unknown {
  return JSON.parse(quoteLongIntegers(text));
}

function quoteLongIntegers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE-])-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : `"${MARK}${token}"`,
  );
}

const isMarked = (value: unknown): value is string => typeof value === "string" && value.startsWith(MARK);
const unmark = (value: string): bigint => BigInt(value.slice(MARK.length));

const MARK = "@i64:";

/** One line of text for messages. */
export function showExact(value: unknown): string {
  if (value === undefined) return "(absent)";
  if (isMarked(value)) return value.slice(MARK.length);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(showExact).join(", ")}]`;
  return JSON.stringify(value) ?? String(value);
}

/** Path of the first place where two values differ, or null. Numbers are compared as doubles, −0 apart from 0. */
export function firstDifference(expected: unknown, actual: unknown, path = ""): string | null {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return `${path}.length`;
    for (let i = 0; i < expected.length; i++) {
      const found = firstDifference(expected[i], actual[i], `${path}[${i}]`);
      if (found !== null) return found;
    }
    return null;
  }
  if (isRecord(expected) && isRecord(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const found = firstDifference(expected[key], actual[key], path === "" ? key : `${path}.${key}`);
      if (found !== null) return found;
    }
    return null;
  }
  return same(expected, actual) ? null : path === "" ? "value" : path;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An integer may be a bigint or marked text on one side: equal when the values are exactly equal. */
function same(a: unknown, b: unknown): boolean {
  if (isMarked(a)) return typeof b === "bigint" ? a.slice(MARK.length) === b.toString() : same(unmark(a), b);
  if (typeof a === "bigint" && typeof b === "number") return Number.isInteger(b) && BigInt(b) === a;
  if (typeof b === "bigint" && typeof a === "number") return same(b, a);
  return Object.is(a, b);
}
