// `bun run ctl …`: an operator's commands to a running instance, found through `<data-dir>/run.json`.
// `kill` stores the kill word itself before it looks for anybody to talk to: it works with a dead API, a stuck
// process, or none. Exit codes: 0 ok, 1 failed, 2 usage, 4 unsafe (orders may be working).
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { CommandResult } from "../control/engine-control.ts";
import { killCommand } from "./ctl-kill.ts";
import { isRunning, rearmOffline } from "./ctl-rearm.ts";
import { CtlError, EXIT_FAILED, EXIT_OK, EXIT_UNSAFE, EXIT_USAGE, Session } from "./ctl-session.ts";
import {
  fillsText,
  latencyText,
  ordersText,
  positionsText,
  printable,
  resultText,
  statusText,
  valuesText,
  whyText,
} from "./ctl-tables.ts";

const USAGE = `usage: bun run ctl COMMAND [options]
  status | positions | latency         what runs, what it holds, how fast it is
  orders [--all] [--strategy S] | fills    newest first (--limit N)
  why STRATEGY                         the last decisions of quoter and gate
  top [--count N]                      status once a second until Ctrl-C
  pause [STRATEGY] [--keep]            stop quoting, cancel (--keep: leave orders); default: all strategies
  resume [STRATEGY] | stop [STRATEGY]
  cancel-all [STRATEGY]                cancel working orders; quoting goes on
  set STRATEGY [NAME=VALUE…]           show or set parameters
  limits STRATEGY [NAME=VALUE…]        show or set risk limits
  kill                                 kill word, cancel everything, deny every order
  emergency [--close]                  deny strategies, cancel, close positions if asked
  rearm                                after a kill: reconcile, then allow orders again (also when
                                       nothing runs: the next start reconciles before it trades)
  shutdown [--keep]                    end the process (--keep: leave orders at the venue)
options: --env sim|paper|live (default sim), --data-dir DIR (default var/<env>), --why TEXT, --json,
         --timeout SECONDS (default 10)`;

const ENVIRONMENTS = ["sim", "paper", "live"];
const DEFAULT_TIMEOUT_S = 10;
const MS = 1000;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        env: { type: "string", default: "sim" },
        "data-dir": { type: "string" },
        why: { type: "string", default: "" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        close: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        strategy: { type: "string" },
        limit: { type: "string", default: "200" },
        count: { type: "string" },
        timeout: { type: "string", default: String(DEFAULT_TIMEOUT_S) },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new CtlError(EXIT_USAGE, (error as Error).message);
  }
}

export type CtlOptions = ReturnType<typeof parse>["values"];

/** Its arguments: least and most. */
interface Command {
  readonly arguments: readonly [number, number];
  readonly run: (session: Session, rest: readonly string[], options: CtlOptions) => Promise<number>;
}

const show =
  <T>(path: (rest: readonly string[], options: CtlOptions) => string, text: (view: T) => string) =>
  async (session: Session, rest: readonly string[], options: CtlOptions): Promise<number> => {
    session.show(await session.get<T>(path(rest, options)), text);
    return EXIT_OK;
  };

const act =
  (path: string, body: (rest: readonly string[], options: CtlOptions) => object) =>
  async (session: Session, rest: readonly string[], options: CtlOptions): Promise<number> =>
    report(session, await session.command("POST", path, body(rest, options)));

const onStrategy = (path: string) =>
  act(path, ([strategy], options) => ({ strategy: strategy ?? "all", why: options.why }));

const COMMANDS: Readonly<Record<string, Command>> = {
  status: { arguments: [0, 0], run: show(() => "/api/status", statusText) },
  positions: { arguments: [0, 0], run: positions },
  latency: { arguments: [0, 0], run: show(() => "/api/latency", latencyText) },
  orders: { arguments: [0, 0], run: show((_, options) => ordersPath(options), ordersText) },
  fills: {
    arguments: [0, 0],
    run: show((_, options) => `/api/fills?limit=${encodeURIComponent(options.limit)}`, fillsText),
  },
  why: { arguments: [1, 1], run: show(([name]) => `/api/why/${encodeURIComponent(name!)}`, whyText) },
  top: { arguments: [0, 0], run: top },
  pause: {
    arguments: [0, 1],
    run: act("/api/pause", ([strategy], o) => ({
      strategy: strategy ?? "all",
      keepOrders: o.keep,
      why: o.why,
    })),
  },
  resume: { arguments: [0, 1], run: onStrategy("/api/resume") },
  stop: { arguments: [0, 1], run: onStrategy("/api/stop") },
  "cancel-all": { arguments: [0, 1], run: onStrategy("/api/cancel-all") },
  set: { arguments: [1, 100], run: values("params") },
  limits: { arguments: [1, 100], run: values("limits") },
  emergency: {
    arguments: [0, 0],
    run: act("/api/emergency-stop", (_, o) => ({ closePosition: o.close, why: o.why })),
  },
  rearm: { arguments: [0, 0], run: act("/api/rearm", (_, o) => ({ why: o.why })) },
  shutdown: { arguments: [0, 0], run: shutdown },
};

function ordersPath(options: CtlOptions): string {
  const query = new URLSearchParams({ open: String(!options.all), limit: options.limit });
  if (options.strategy !== undefined) query.set("strategy", options.strategy);
  return `/api/orders?${query}`;
}

async function positions(session: Session): Promise<number> {
  const held = await session.get<Parameters<typeof positionsText>[0]>("/api/positions");
  const pnl = await session.get<Parameters<typeof positionsText>[1]>("/api/pnl");
  session.show({ positions: held, pnl }, () => positionsText(held, pnl));
  return EXIT_OK;
}

async function top(session: Session, _: readonly string[], options: CtlOptions): Promise<number> {
  const turns = options.count === undefined ? Number.POSITIVE_INFINITY : positive("count", options.count);
  const clear = process.stdout.isTTY ? "\x1b[H\x1b[2J" : "";
  for (let turn = 1; ; turn++) {
    const status = await session.get<Parameters<typeof statusText>[0]>("/api/status");
    session.show(status, (view) => `${clear}${statusText(view)}`);
    if (turn >= turns) return EXIT_OK;
    await Bun.sleep(MS);
  }
}

function values(kind: "params" | "limits"): Command["run"] {
  return async (session, [name, ...assignments], options) => {
    const path = `/api/strategies/${encodeURIComponent(name!)}/${kind}`;
    if (assignments.length === 0) {
      session.show(await session.get<Parameters<typeof valuesText>[0]>(path), valuesText);
      return EXIT_OK;
    }
    const given = Object.fromEntries(assignments.map(assignment));
    return report(session, await session.command("PUT", path, { values: given, why: options.why }));
  };
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new CtlError(EXIT_USAGE, `${JSON.stringify(text)}: expected NAME=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Ends when the process is gone: the engine answers when the end has begun. */
async function shutdown(session: Session, _: readonly string[], options: CtlOptions): Promise<number> {
  const result = await session.command("POST", "/api/shutdown", { keep: options.keep, why: options.why });
  const code = report(session, result);
  if (code !== EXIT_OK) return code;
  if (await session.ended()) return EXIT_OK;
  throw new CtlError(EXIT_UNSAFE, "the process has not ended in time; orders may be working at the venue");
}

function report(session: Session, result: CommandResult): number {
  session.show(result, resultText);
  if (result.ordersMayBeWorking) return EXIT_UNSAFE;
  if (result.ok) return EXIT_OK;
  return result.code === "invalid" || result.code === "notFound" ? EXIT_USAGE : EXIT_FAILED;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 1e6) return value;
  throw new CtlError(EXIT_USAGE, `--${name} ${JSON.stringify(text)}: expected a whole number from 1`);
}

function dataDirOf(options: CtlOptions): string {
  if (!ENVIRONMENTS.includes(options.env))
    throw new CtlError(
      EXIT_USAGE,
      `--env ${JSON.stringify(options.env)}: expected ${ENVIRONMENTS.join(", ")}`,
    );
  return options["data-dir"] ?? join("var", options.env);
}

/** Runs one command line; returns its exit code. */
export async function runCtl(
  argv: readonly string[],
  out: (text: string) => void = console.log,
): Promise<number> {
  const { values: options, positionals } = parse(argv);
  const [name, ...rest] = positionals;
  if (options.help) {
    out(USAGE);
    return EXIT_OK;
  }
  const dataDir = dataDirOf(options);
  const who = `ctl:${userInfo().username}`;
  if (name === "kill") {
    if (rest.length > 0)
      throw new CtlError(
        EXIT_USAGE,
        `kill takes no strategy, it kills everything; NOTHING WAS KILLED (stop STRATEGY stops one)`,
      );
    // A bad --timeout must not keep a kill from happening.
    const seconds = Number(options.timeout) > 0 ? Number(options.timeout) : DEFAULT_TIMEOUT_S;
    return await killCommand({
      dataDir,
      who,
      why: options.why,
      json: options.json,
      timeoutMs: seconds * MS,
      out,
    });
  }
  if (name === "rearm" && rest.length === 0 && !isRunning(dataDir))
    return rearmOffline({ dataDir, who, why: options.why, json: options.json, out });
  const command = name === undefined || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name];
  if (command === undefined)
    throw new CtlError(EXIT_USAGE, name === undefined ? "no command" : `no command ${JSON.stringify(name)}`);
  const [least, most] = command.arguments;
  if (rest.length < least || rest.length > most)
    throw new CtlError(
      EXIT_USAGE,
      `${name}: ${rest.length < least ? "a strategy is missing" : "too many arguments"}`,
    );
  const timeoutMs = positive("timeout", options.timeout) * MS;
  return await command.run(Session.open({ dataDir, who, json: options.json, timeoutMs, out }), rest, options);
}

if (import.meta.main) {
  try {
    process.exitCode = await runCtl(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CtlError)) throw error;
    if (error.exitCode === EXIT_USAGE && !error.fromEngine) console.error(USAGE);
    console.error(`ctl: ${printable(error.message)}`);
    process.exitCode = error.exitCode;
  }
}
