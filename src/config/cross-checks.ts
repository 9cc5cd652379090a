// What the schema cannot see: relations between keys, and between the configuration and this machine.
// Every check names the key that the user would change. Cold code.
import { existsSync } from "node:fs";
import { parseDecimal, scaleTo } from "../core/decimal.ts";
import type { TomlPath } from "../core/toml.ts";
import type { MergedLayers } from "./layers.ts";
import { type ConfigError, isSecretKey, problem, secretProblem } from "./problems.ts";
import type { HotlaneConfig } from "./schema.ts";

export interface Machine {
  readonly onlineCpus: readonly number[];
}

type Report = (path: TomlPath, expected: string, message?: string) => void;

type Section = Exclude<keyof HotlaneConfig, "env">;
type Check = (config: HotlaneConfig, report: Report, machine: Machine) => void;

/** Each check with the sections it reads: it is left out when the schema refused one of them. */
const CHECKS: readonly (readonly [reads: readonly Section[], check: Check])[] = [
  [["instruments"], checkInstruments],
  [["instruments", "strategies"], checkStrategies],
  [["lanes"], checkCpus],
  [["venue", "sim"], checkUrls],
  [["venue"], checkReconnect],
  [["risk", "engine"], checkOrders],
  [["risk"], checkRisk],
  [["strategies"], checkModules],
  [["venue"], checkCredentialsFile],
];

/** `refused`: sections that the schema refused; what stands there in `config` is a placeholder. */
export function crossProblems(
  config: HotlaneConfig,
  merged: MergedLayers,
  machine: Machine,
  refused: ReadonlySet<string>,
): ConfigError[] {
  const errors: ConfigError[] = [];
  const report: Report = (path, expected, message = "") =>
    errors.push(problem(merged, path, expected, message));
  for (const [reads, check] of CHECKS)
    if (!reads.some((section) => refused.has(section))) check(config, report, machine);
  if (!refused.has("strategies"))
    for (const path of secretPaths(config)) errors.push(secretProblem(merged, path));
  return errors;
}

function checkInstruments(config: HotlaneConfig, report: Report): void {
  const seen = new Set<string>();
  config.instruments.forEach(({ symbol }, i) => {
    if (seen.has(symbol)) report(["instruments", i, "symbol"], "each symbol once", "declared twice");
    seen.add(symbol);
  });
}

function checkStrategies(config: HotlaneConfig, report: Report): void {
  const declared = config.instruments.map((i) => i.symbol);
  const names = new Set<string>();
  config.strategies.forEach((strategy, i) => {
    if (names.has(strategy.name)) report(["strategies", i, "name"], "a name of its own", "name is taken");
    names.add(strategy.name);
    if (strategy.name === "house") report(["strategies", i, "name"], 'another name: "house" is strategy 0');
    strategy.instruments.forEach((symbol, j) => {
      const path = ["strategies", i, "instruments", j];
      if (!declared.includes(symbol))
        report(path, `a declared instrument (${declared.join(", ")})`, "not under [[instruments]]");
      if (strategy.instruments.indexOf(symbol) !== j) report(path, "each instrument once", "named twice");
    });
  });
}

function checkCpus(config: HotlaneConfig, report: Report, machine: Machine): void {
  for (const lane of ["feed", "factor", "execution", "writer"] as const) {
    const { cpu } = config.lanes[lane];
    if (cpu >= 0 && !machine.onlineCpus.includes(cpu))
      report(["lanes", lane, "cpu"], `-1 or a cpu of this machine (${machine.onlineCpus.join(", ")})`);
  }
}

const VENUE_URLS = ["rest_url", "public_url", "market_url", "private_url", "ws_api_url"] as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for addresses that cannot leave this machine. */
export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}

function checkUrls(config: HotlaneConfig, report: Report): void {
  const { venue } = config;
  const urls = [venue.restUrl, venue.publicUrl, venue.marketUrl, venue.privateUrl, venue.wsApiUrl];
  if (config.env === "sim") {
    VENUE_URLS.forEach((key, i) => {
      if (urls[i] !== "" && !isLoopbackUrl(urls[i]!))
        report(["venue", key], "a loopback address", "--env sim never leaves this machine");
    });
    if (config.sim.url !== "" && !isLoopbackUrl(config.sim.url))
      report(["sim", "url"], "a loopback address", "--env sim never leaves this machine");
    return;
  }
  const needed = config.env === "live" ? VENUE_URLS.length : 3;
  VENUE_URLS.slice(0, needed).forEach((key, i) => {
    if (urls[i] === "") report(["venue", key], "an address", `--env ${config.env} needs it`);
    else if (!/^(https|wss):/.test(urls[i]!) && !isLoopbackUrl(urls[i]!))
      report(["venue", key], "https:// or wss://", "no plain text beyond loopback");
  });
}

function checkReconnect({ venue }: HotlaneConfig, report: Report): void {
  if (venue.reconnectMinMs > venue.reconnectMaxMs)
    report(["venue", "reconnect_min_ms"], `at most venue.reconnect_max_ms = ${venue.reconnectMaxMs}`);
}

function checkOrders({ risk, engine }: HotlaneConfig, report: Report): void {
  if (risk.account.maxWorkingOrders > engine.maxOrders)
    report(["risk", "account", "max_working_orders"], `at most engine.max_orders = ${engine.maxOrders}`);
  if (risk.maxOrdersPerMin < risk.maxOrdersPer10s)
    report(["risk", "max_orders_per_min"], `at least risk.max_orders_per_10s = ${risk.maxOrdersPer10s}`);
}

/** a ≤ b for decimal texts. */
function atMost(a: string, b: string): boolean {
  const x = parseDecimal(a);
  const y = parseDecimal(b);
  const decimals = Math.max(x.decimals, y.decimals);
  return scaleTo(x, decimals) <= scaleTo(y, decimals);
}

function checkRisk(config: HotlaneConfig, report: Report): void {
  const { account, storm, strategy, instrument } = config.risk;
  if (!atMost(account.dailyLossSoft, account.dailyLossHard))
    report(["risk", "account", "daily_loss_soft"], `at most daily_loss_hard = ${account.dailyLossHard}`);
  if (!atMost(instrument.maxOrderNotional, instrument.maxPositionNotional))
    report(
      ["risk", "instrument", "max_order_notional"],
      `at most max_position_notional = ${instrument.maxPositionNotional}`,
    );
  if (!atMost(strategy.maxOrderNotional, strategy.maxPositionNotional))
    report(
      ["risk", "strategy", "max_order_notional"],
      `at most max_position_notional = ${strategy.maxPositionNotional}`,
    );
  if (storm.warmLagMs >= storm.stormLagMs)
    report(["risk", "storm", "warm_lag_ms"], `below storm_lag_ms = ${storm.stormLagMs}`);
  if (storm.stormLagMs >= storm.haltLagMs)
    report(["risk", "storm", "storm_lag_ms"], `below halt_lag_ms = ${storm.haltLagMs}`);
}

function checkModules(config: HotlaneConfig, report: Report): void {
  config.strategies.forEach((strategy, i) => {
    if (!strategy.enabled) return;
    if (strategy.module === "") report(["strategies", i, "module"], '"builtin:<name>" or a path');
    else if (!strategy.module.startsWith("builtin:") && !existsSync(strategy.module))
      report(["strategies", i, "module"], "an existing file", `no file ${strategy.module}`);
    if (strategy.graph !== "" && !existsSync(strategy.graph))
      report(["strategies", i, "graph"], "an existing file", `no file ${strategy.graph}`);
  });
}

function checkCredentialsFile(config: HotlaneConfig, report: Report): void {
  if (config.venue.credentialsFile !== "" && !existsSync(config.venue.credentialsFile))
    report(["venue", "credentials_file"], "an existing file", `no file ${config.venue.credentialsFile}`);
}

/** Secrets that hide where the schema does not look: parameters and limits. */
function* secretPaths(config: HotlaneConfig): Generator<TomlPath> {
  for (const [i, strategy] of config.strategies.entries())
    for (const table of ["params", "limits"] as const)
      for (const name of Object.keys(strategy[table]))
        if (isSecretKey(name)) yield ["strategies", i, table, name];
}
