// What is wrong with a configuration, all at once: file, line, key, what was found, what is expected.
// A value whose key smells of a secret is never repeated. Cold code.
import { z } from "zod";
import type { TomlPath } from "../core/toml.ts";
import type { MergedLayers } from "./layers.ts";
import { configSchema } from "./schema.ts";

export interface ConfigError {
  readonly file: string;
  /** From 1; 0 when there is no line (flags, a file that cannot be read). */
  readonly line: number;
  /** "risk.account.daily_loss_hard"; "" for the whole file. */
  readonly key: string;
  /** The value as TOML would write it, "missing", or "" when there is nothing to show. */
  readonly found: string;
  readonly expected: string;
  readonly message: string;
}

/** The part of a JSON Schema that is read here. */
export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly expected?: string;
  readonly default?: unknown;
  readonly additionalProperties?: unknown;
}

export const schemaTree = z.toJSONSchema(configSchema, { io: "input" }) as SchemaNode;

export function schemaAt(path: TomlPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = schemaTree;
  for (const part of path) node = typeof part === "number" ? node?.items : node?.properties?.[part];
  return node;
}

const SECRET = /secret|password|passphrase|credential|api_?key|private_?key|(^|_)token(_|$)/i;
/** Keys that hold the path of a secret, not the secret. */
const SECRET_PATHS = new Set(["credentials_file", "token_file", "password_file"]);
export const isSecretKey = (name: string): boolean => SECRET.test(name) && !SECRET_PATHS.has(name);

export const keyText = (path: TomlPath): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    "",
  );

const SHOWN = 60;

function foundText(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") {
    const clean = value.replace(/:\/\/[^/@\s]*@/, "://***@");
    return JSON.stringify(clean.length > SHOWN ? `${clean.slice(0, SHOWN)}…` : clean);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Date) return "a date";
  return typeof value === "object" ? "a table" : String(value);
}

export function problem(
  merged: MergedLayers,
  path: TomlPath,
  expected: string,
  message: string,
): ConfigError {
  const { layer, line } = merged.origin(path);
  const secret = path.some((part) => typeof part === "string" && isSecretKey(part));
  const found = secret ? "(not shown)" : foundText(merged.at(path));
  return { file: layer.file, line, key: keyText(path), found, expected, message };
}

/** zod's issues in our words. */
export function schemaProblems(merged: MergedLayers, issues: readonly z.core.$ZodIssue[]): ConfigError[] {
  return issues.flatMap((issue) => {
    const path = issue.path as (string | number)[];
    if (issue.code === "unrecognized_keys") return issue.keys.map((name) => unknownKey(merged, path, name));
    const node = schemaAt(path);
    const expected = node?.expected ?? kindOf(node) ?? "number, string or boolean";
    return [problem(merged, path, expected, "")];
  });
}

const kindOf = (node: SchemaNode | undefined): string | undefined =>
  node?.properties === undefined ? undefined : `table with ${Object.keys(node.properties).join(", ")}`;

function unknownKey(merged: MergedLayers, parent: TomlPath, name: string): ConfigError {
  const path = [...parent, name];
  if (isSecretKey(name)) return secretProblem(merged, path);
  const known = Object.keys(schemaAt(parent)?.properties ?? {});
  const near = nearest(name, known);
  const hint = near === null ? `one of ${known.join(", ")}` : `did you mean "${near}"?`;
  const { layer, line } = merged.origin(path);
  return { file: layer.file, line, key: keyText(path), found: "", expected: hint, message: "unknown key" };
}

export function secretProblem(merged: MergedLayers, path: TomlPath): ConfigError {
  const expected =
    "secrets in HOTLANE_API_KEY, HOTLANE_API_SECRET, HOTLANE_PRIVATE_KEY or a 0600 file (venue.credentials_file)";
  return problem(merged, path, expected, "a secret does not belong into configuration");
}

/** The candidate within two edits (or a third of the length), else null. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** One line per error: `file:line: key: message; found …, expected …`. */
export function formatErrors(errors: readonly ConfigError[]): string {
  return errors.map(formatError).join("\n");
}

function formatError(error: ConfigError): string {
  const place = error.line > 0 ? `${error.file}:${error.line}` : error.file;
  const found = error.found === "" ? "" : `found ${error.found}`;
  const expected =
    error.expected === "" ? "" : error.expected.endsWith("?") ? error.expected : `expected ${error.expected}`;
  const details = [found, expected].filter((s) => s !== "").join(", ");
  return [place, error.key, error.message, details].filter((s) => s !== "").join(": ");
}
