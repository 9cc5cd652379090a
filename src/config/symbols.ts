// A symbols list (one symbol per line, optional overrides, # comments) → a TOML layer with [[instruments]].
// For users who trade many instruments and keep the list apart from the rest. Cold code.
import { nearest } from "./problems.ts";

export interface SymbolRow {
  readonly symbol: string;
  readonly overrides: readonly (readonly [key: string, value: string])[];
}

export type SymbolsResult =
  | { readonly ok: true; readonly rows: readonly SymbolRow[] }
  | { readonly ok: false; readonly errors: readonly string[] };

const OVERRIDES = ["maker_fee", "taker_fee", "max_order_qty", "max_position_qty"];

/** `BTCUSDT maker_fee=0.0002 max_order_qty=0.5  # comment`; `file` is used in messages only. */
export function parseSymbols(text: string, file: string): SymbolsResult {
  const rows: SymbolRow[] = [];
  const errors: string[] = [];
  const seen = new Map<string, number>();
  text.split("\n").forEach((line, index) => {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    const symbol = words[0]!;
    if (symbol === "") return;
    const place = `${file}:${index + 1}`;
    if (!/^[A-Z0-9_]{2,32}$/.test(symbol))
      errors.push(`${place}: found "${symbol}", expected 2 … 32 characters A-Z, 0-9, _`);
    if (seen.has(symbol)) errors.push(`${place}: ${symbol} stands on line ${seen.get(symbol)} already`);
    seen.set(symbol, index + 1);
    rows.push({ symbol, overrides: words.slice(1).map((word) => parseOverride(word, place, errors)) });
  });
  if (rows.length === 0) errors.push(`${file}: no symbol`);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, rows };
}

function parseOverride(word: string, place: string, errors: string[]): [string, string] {
  const [key, value] = word.split("=", 2) as [string, string | undefined];
  if (!OVERRIDES.includes(key)) {
    const near = nearest(key, OVERRIDES);
    errors.push(
      `${place}: unknown key "${key}": ${near === null ? `one of ${OVERRIDES.join(", ")}` : `did you mean "${near}"?`}`,
    );
  } else if (value === undefined || !/^-?\d{1,15}(\.\d{1,12})?$/.test(value)) {
    errors.push(`${place}: ${key}: found ${JSON.stringify(value ?? "")}, expected a decimal`);
  }
  return [key, value ?? ""];
}

/** The layer as TOML text. `source` is named in its first line. */
export function renderSymbols(rows: readonly SymbolRow[], source: string): string {
  const tables = rows.map(({ symbol, overrides }) =>
    [
      "[[instruments]]",
      `symbol = "${symbol}"`,
      ...overrides.map(([key, value]) => `${key} = "${value}"`),
    ].join("\n"),
  );
  return `# Built from ${source} by \`bun run config build\`: do not edit.\n\n${tables.join("\n\n")}\n`;
}
