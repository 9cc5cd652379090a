// `bun run config check|show|reference|build|sync`: what is configured, which layer said so, and whether it
// is right. Exit codes: 0 ok, 1 failed, 2 usage or configuration.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseSetting, setFlag } from "../config/layers.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { formatErrors, isSecretKey } from "../config/problems.ts";
import { REFERENCE_BEGIN, REFERENCE_END, renderReference } from "../config/reference.ts";
import { parseSymbols, renderSymbols } from "../config/symbols.ts";
import { readToml, type TomlTable } from "../core/toml.ts";

const ROOT = join(import.meta.dir, "../..");
const USAGE = `usage: bun run config <command> [options]
  check                    all problems at once: file, line, key, found, expected
  show [--json]            every value and the layer that set it
  build LIST [--out F]     a symbols list → a TOML layer with [[instruments]] (default: LIST with .toml)
  sync LIST                compare a symbols list with the venue's exchangeInfo (venue.rest_url)
  reference [--write]      the reference tables of docs/config.md
options: --env sim|paper|live, --config FILE, --set section.key=value (repeatable)`;

class UsageError extends Error {}

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

const console_: Output = { out: (line) => console.log(line), err: (line) => console.error(line) };

/** Runs one command; returns the exit code. */
export async function runConfigCommand(argv: readonly string[], output: Output = console_): Promise<number> {
  try {
    return await dispatch(argv, output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.err(`${USAGE}\n${error.message}`);
    return 2;
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        env: { type: "string" },
        config: { type: "string" },
        set: { type: "string", multiple: true },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        out: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof parse>["values"];

async function dispatch(argv: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help) {
    output.out(USAGE);
    return 0;
  }
  const [command, ...rest] = positionals;
  const list = command === "build" || command === "sync";
  if (rest.length !== (list ? 1 : 0))
    throw new UsageError(list ? `${command} needs one LIST` : `unexpected ${rest[0] ?? "end"}`);
  if (command === "check") return check(values, output);
  if (command === "show") return show(values, output);
  if (command === "reference") return reference(values.write, output);
  if (command === "build") return build(rest[0]!, values.out, output);
  if (command === "sync") return await sync(rest[0]!, values, output);
  throw new UsageError(command === undefined ? "no command" : `unknown command ${JSON.stringify(command)}`);
}

function loadOptions(values: Values): LoadOptions {
  const flags: TomlTable = {};
  for (const setting of values.set ?? []) {
    try {
      const { path, value } = parseSetting(setting);
      setFlag(flags, path, value);
    } catch (error) {
      throw new UsageError(`--set ${(error as Error).message}`);
    }
  }
  return {
    flags,
    ...(values.env === undefined ? {} : { env: values.env }),
    ...(values.config === undefined ? {} : { file: values.config }),
  };
}

function check(values: Values, output: Output): number {
  const result = loadConfig(loadOptions(values));
  if (!result.ok) {
    output.err(formatErrors(result.errors));
    output.err(`${result.errors.length} ${result.errors.length === 1 ? "problem" : "problems"}`);
    return 2;
  }
  const { config } = result;
  output.out(
    `ok: env ${config.env}, ${config.instruments.length} instruments, ${config.strategies.length} strategies`,
  );
  return 0;
}

function show(values: Values, output: Output): number {
  const result = loadConfig(loadOptions(values));
  if (!result.ok) {
    output.err(formatErrors(result.errors));
    return 2;
  }
  const rows = result.sources.map((s) => ({
    ...s,
    value: isSecretKey(s.key.split(".").at(-1)!) ? "***" : s.value,
  }));
  if (values.json) {
    output.out(JSON.stringify({ env: result.config.env, values: rows }));
    return 0;
  }
  const texts = rows.map((r) => `${r.key} = ${JSON.stringify(r.value)}`);
  const width = Math.min(60, Math.max(...texts.map((t) => t.length)));
  rows.forEach((r, i) => {
    output.out(`${texts[i]!.padEnd(width)}  # ${r.line > 0 ? `${r.file}:${r.line}` : r.file}`);
  });
  return 0;
}

function reference(write: boolean, output: Output): number {
  const text = renderReference(readToml(join(ROOT, "config/base.toml"), "config/base.toml").value);
  if (!write) {
    output.out(text);
    return 0;
  }
  const file = join(ROOT, "docs/config.md");
  const page = readFileSync(file, "utf8");
  const begin = page.indexOf(REFERENCE_BEGIN);
  const end = page.indexOf(REFERENCE_END);
  if (begin < 0 || end < begin) {
    output.err(`docs/config.md: no line ${REFERENCE_BEGIN} … ${REFERENCE_END}`);
    return 1;
  }
  writeFileSync(file, `${page.slice(0, begin)}${REFERENCE_BEGIN}\n\n${text}\n${page.slice(end)}`);
  return 0;
}

function readList(file: string): ReturnType<typeof parseSymbols> {
  if (!existsSync(file)) return { ok: false, errors: [`${file}: no such file`] };
  return parseSymbols(readFileSync(file, "utf8"), file);
}

function build(file: string, out: string | undefined, output: Output): number {
  const list = readList(file);
  if (!list.ok) {
    output.err(list.errors.join("\n"));
    return 2;
  }
  const target = out ?? `${file.replace(/\.list$/, "")}.toml`;
  writeFileSync(`${target}.new`, renderSymbols(list.rows, file));
  renameSync(`${target}.new`, target);
  output.out(
    `${target}: ${list.rows.length} instruments; use it with --config, or copy its tables into your file`,
  );
  return 0;
}

/** Answer of exchangeInfo, as far as it is read here. */
interface ExchangeInfo {
  readonly symbols: readonly { readonly symbol: string; readonly status: string }[];
}

async function sync(file: string, values: Values, output: Output): Promise<number> {
  const list = readList(file);
  const loaded = loadConfig(loadOptions(values));
  if (!list.ok || !loaded.ok) {
    output.err(
      [...(list.ok ? [] : list.errors), ...(loaded.ok ? [] : [formatErrors(loaded.errors)])].join("\n"),
    );
    return 2;
  }
  const { venue, sim } = loaded.config;
  const base = venue.restUrl !== "" ? venue.restUrl : sim.url;
  if (base === "")
    throw new UsageError("no venue to ask: give --env paper, or --set sim.url=http://127.0.0.1:PORT");
  const address = new URL("/fapi/v1/exchangeInfo", base).href;
  const reply = await fetchInfo(address);
  if (typeof reply === "string") {
    output.err(`${address}: ${reply}`);
    return 1;
  }
  const status = new Map(reply.symbols.map((s) => [s.symbol, s.status]));
  const off = list.rows.filter((row) => status.get(row.symbol) !== "TRADING");
  for (const row of off)
    output.err(`${file}: ${row.symbol}: ${status.get(row.symbol) ?? "unknown to the venue"}`);
  output.out(`${list.rows.length - off.length} of ${list.rows.length} symbols trade at ${base}`);
  return off.length > 0 ? 1 : 0;
}

async function fetchInfo(address: string): Promise<ExchangeInfo | string> {
  try {
    const reply = await fetch(address, { signal: AbortSignal.timeout(10_000) });
    if (!reply.ok) return `status ${reply.status}`;
    const info = (await reply.json()) as Partial<ExchangeInfo>;
    return Array.isArray(info.symbols) ? (info as ExchangeInfo) : "no symbols in the answer";
  } catch (error) {
    return (error as Error).message;
  }
}

if (import.meta.main) process.exit(await runConfigCommand(Bun.argv.slice(2)));
