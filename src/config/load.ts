// Loads the configuration: base → environment → user file → flags, checked as a whole. Every problem is
// reported together; nothing is thrown for bad input. Cold code.
import { availableParallelism } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { readToml, TomlSyntaxError, type TomlTable } from "../core/toml.ts";
import { crossProblems } from "./cross-checks.ts";
import { COMMAND_LINE, type Layer, MergedLayers } from "./layers.ts";
import { type ConfigError, schemaProblems } from "./problems.ts";
import {
  BACKTEST_SECTIONS,
  configSchema,
  ENVIRONMENTS,
  type Environment,
  type HotlaneConfig,
  RAW_KEYS,
} from "./schema.ts";

export interface LoadOptions {
  /** "sim" unless given. */
  readonly env?: string;
  /** The user's file (--config). */
  readonly file?: string;
  /** Keys as in TOML: `{ admin: { port: 8080 } }`. */
  readonly flags?: TomlTable;
  /** Where config/base.toml stands; the package's own unless given. */
  readonly root?: string;
  /** Cpus that lanes may be pinned to; those of this machine unless given. */
  readonly onlineCpus?: readonly number[];
}

/** One value and the layer that set it. */
export interface ConfigSource {
  readonly key: string;
  readonly value: unknown;
  readonly file: string;
  /** 0 for flags and for defaults of the schema. */
  readonly line: number;
}

export type LoadResult =
  | { readonly ok: true; readonly config: HotlaneConfig; readonly sources: readonly ConfigSource[] }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

const PACKAGE_ROOT = resolve(import.meta.dir, "../..");

export function loadConfig(options: LoadOptions = {}): LoadResult {
  const env = options.env ?? "sim";
  if (!(ENVIRONMENTS as readonly string[]).includes(env))
    return { ok: false, errors: [unknownEnvironment(env)] };
  const { layers, errors } = readLayers(env, options);
  if (errors.length > 0) return { ok: false, errors };
  const merged = new MergedLayers(layers);
  const checked = configSchema.safeParse(merged.value);
  const issues = checked.success ? [] : checked.error.issues;
  const refused = new Set(issues.map(sectionOf));
  const usable = checked.success
    ? checked
    : configSchema.safeParse(withBase(merged.value, layers[0]!, refused));
  if (!usable.success) return { ok: false, errors: inFileOrder(schemaProblems(merged, issues), layers) };
  const plain = camelKeys(usable.data) as HotlaneConfig;
  const config = resolvePaths({ ...plain, env: env as Environment }, merged);
  const onlineCpus = options.onlineCpus ?? Array.from({ length: availableParallelism() }, (_, i) => i);
  const problems = [
    ...schemaProblems(merged, issues),
    ...crossProblems(config, merged, { onlineCpus }, refused),
  ];
  if (problems.length > 0) return { ok: false, errors: inFileOrder(problems, layers) };
  return { ok: true, config: deepFreeze(config), sources: listSources(usable.data, merged) };
}

const sectionOf = (issue: { readonly path: readonly PropertyKey[] }): string => String(issue.path[0] ?? "");

/** The tree with refused sections (and unknown top-level keys) as base.toml has them: good enough to check the rest. */
function withBase(value: TomlTable, base: Layer, refused: ReadonlySet<string>): TomlTable {
  const entries = Object.keys(base.value).map((key) => [
    key,
    refused.has(key) ? base.value[key]! : value[key]!,
  ]);
  return Object.fromEntries(entries) as TomlTable;
}

function unknownEnvironment(env: string): ConfigError {
  const expected = `one of ${ENVIRONMENTS.join(", ")}`;
  return { file: COMMAND_LINE, line: 0, key: "--env", found: JSON.stringify(env), expected, message: "" };
}

function readLayers(env: string, options: LoadOptions): { layers: Layer[]; errors: ConfigError[] } {
  const config = join(options.root ?? PACKAGE_ROOT, "config");
  const files: [path: string, shownAs: string][] = [
    [join(config, "base.toml"), "config/base.toml"],
    [join(config, "env", `${env}.toml`), `config/env/${env}.toml`],
  ];
  if (options.file !== undefined) files.push([options.file, options.file]);
  const layers: Layer[] = [];
  const errors: ConfigError[] = [];
  for (const [path, shownAs] of files) {
    const layer = readLayer(path, shownAs);
    if ("message" in layer) errors.push(layer);
    else layers.push(layer);
  }
  if (options.flags !== undefined)
    layers.push({ file: COMMAND_LINE, dir: process.cwd(), value: options.flags });
  return { layers, errors };
}

function readLayer(path: string, shownAs: string): Layer | ConfigError {
  try {
    const document = readToml(path, shownAs);
    const own = Object.entries(document.value).filter(([key]) => !BACKTEST_SECTIONS.includes(key));
    return { file: shownAs, dir: dirname(resolve(path)), value: Object.fromEntries(own), document };
  } catch (error) {
    const at = { file: shownAs, line: 0, key: "", found: "", expected: "" };
    if (error instanceof TomlSyntaxError)
      return { ...at, line: error.line, message: `syntax error at column ${error.column}: ${error.reason}` };
    return {
      ...at,
      expected: "a readable TOML file",
      message: (error as NodeJS.ErrnoException).code ?? String(error),
    };
  }
}

function inFileOrder(errors: readonly ConfigError[], layers: readonly Layer[]): ConfigError[] {
  const rank = (error: ConfigError): number => layers.findIndex((layer) => layer.file === error.file);
  return [...errors].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.key.localeCompare(b.key));
}

const camelKey = (key: string): string => key.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      camelKey(key),
      (RAW_KEYS as readonly string[]).includes(key) ? inner : camelKeys(inner),
    ]),
  );
}

function resolvePaths(config: HotlaneConfig, merged: MergedLayers): HotlaneConfig {
  const from = (path: (string | number)[], value: string): string =>
    value === "" || isAbsolute(value) ? value : resolve(merged.origin(path).layer.dir, value);
  const dataDir = resolve(config.engine.dataDir === "" ? join("var", config.env) : config.engine.dataDir);
  return {
    ...config,
    engine: { ...config.engine, dataDir },
    venue: {
      ...config.venue,
      credentialsFile: from(["venue", "credentials_file"], config.venue.credentialsFile),
    },
    recorder: {
      ...config.recorder,
      passwordFile: from(["recorder", "password_file"], config.recorder.passwordFile),
    },
    alerts: { file: from(["alerts", "file"], config.alerts.file) },
    admin: { ...config.admin, tokenFile: from(["admin", "token_file"], config.admin.tokenFile) },
    strategies: config.strategies.map((strategy, i) => ({
      ...strategy,
      module: strategy.module.startsWith("builtin:")
        ? strategy.module
        : from(["strategies", i, "module"], strategy.module),
      graph: from(["strategies", i, "graph"], strategy.graph),
    })),
  };
}

function listSources(value: object, merged: MergedLayers): ConfigSource[] {
  const rows: ConfigSource[] = [];
  const visit = (node: unknown, path: (string | number)[], key: string): void => {
    if (Array.isArray(node) && node.some((item) => typeof item === "object")) {
      node.forEach((item, i) => {
        visit(item, [...path, i], `${key}[${i}]`);
      });
    } else if (typeof node === "object" && node !== null && !Array.isArray(node)) {
      for (const [name, inner] of Object.entries(node))
        visit(inner, [...path, name], key === "" ? name : `${key}.${name}`);
    } else {
      const { layer, line } = merged.origin(path);
      const written = merged.at(path) !== undefined;
      rows.push({ key, value: node, file: written ? layer.file : "default", line: written ? line : 0 });
    }
  };
  visit(value, [], "");
  return rows;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
