// The HTTP server of one running engine: binds the app to a loopback port, makes the session's tokens, and says
// in run.json where it is. Stopping ends every stream and takes the file away.
import type { AuditSink } from "../control/audit-log.ts";
import type { EngineControl } from "../control/engine-control.ts";
import { processStartTicks, type RunInfo, removeRunFile, writeRunFile } from "../control/run-file.ts";
import { createApp } from "./app.ts";
import { HostGuard } from "./host-guard.ts";
import { LiveFeed, liveState } from "./live-feed.ts";
import { LoopLag } from "./loop-lag.ts";
import { statusPage } from "./page.ts";
import { generateTokens, TokenCheck, type TokenPair } from "./tokens.ts";

export interface AdminOptions {
  /** Audited by the caller (control/audited-control.ts), as other channels share it. */
  readonly control: EngineControl;
  readonly audit: AuditSink;
  readonly dataDir: string;
  readonly env: string;
  readonly version: string;
  /** Default 127.0.0.1. An address for all interfaces needs `extraHosts`. */
  readonly host?: string;
  /** Default 0: any free port; run.json says which. */
  readonly port?: number;
  /** Further names that clients may use in Host and Origin. */
  readonly extraHosts?: readonly string[];
  /** Default: two new random ones. */
  readonly tokens?: TokenPair;
  readonly livePeriodMs?: number;
  readonly onError: (error: Error, where: string) => void;
}

export interface AdminServer {
  readonly url: string;
  readonly run: RunInfo;
  /** The page with its token in the fragment, which browsers keep to themselves. Not for logs. */
  readonly pageUrl: string;
  stop(): Promise<void>;
}

const ALL_INTERFACES = new Set(["0.0.0.0", "::", "[::]"]);
/** More than the live period: a stream that still lives is never idle for this long. */
const IDLE_TIMEOUT_S = 30;

/** Throws Error in an operator's words when the address cannot be used. */
export function startAdmin(options: AdminOptions): AdminServer {
  const host = options.host ?? "127.0.0.1";
  const tokens = options.tokens ?? generateTokens();
  if (tokens.control === tokens.read) throw new Error("[admin] the control and read tokens must differ");
  if (ALL_INTERFACES.has(host) && (options.extraHosts ?? []).length === 0)
    throw new Error(
      `[admin] host ${host} means every interface; expected one address, 127.0.0.1 unless needed`,
    );
  const live = new LiveFeed(() => liveState(options.control), options.onError, options.livePeriodMs);
  const lag = new LoopLag();
  const server = bind(host, options.port ?? 0, options, tokens, live, lag);
  const url = `http://${inUrl(host)}:${server.port}`;
  const run: RunInfo = {
    pid: process.pid,
    host,
    port: server.port!,
    token: tokens.control,
    readToken: tokens.read,
    env: options.env,
    startedAt: new Date().toISOString(),
    startTicks: processStartTicks(process.pid) ?? 0,
    dataDir: options.dataDir,
  };
  const remove = () => removeRunFile(run);
  try {
    writeRunFile(run);
  } catch (error) {
    void server.stop(true);
    throw error;
  }
  process.on("exit", remove);
  lag.start();
  return {
    url,
    run,
    pageUrl: `${url}/#token=${encodeURIComponent(tokens.control)}`,
    stop: async () => {
      process.off("exit", remove);
      remove();
      lag.stop();
      live.stop();
      await server.stop(true);
    },
  };
}

/** An IPv6 address stands in brackets in URLs and Host headers. */
const inUrl = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

function bind(
  host: string,
  port: number,
  options: AdminOptions,
  tokens: TokenPair,
  live: LiveFeed,
  lag: LoopLag,
): Bun.Server<undefined> {
  // The guard needs the port, which is known once the server listens: until then nobody is answered.
  let handle: (request: Request) => Response | Promise<Response> = () => new Response(null, { status: 503 });
  const server = listen(host, port, (request) => handle(request));
  const app = createApp({
    control: options.control,
    audit: options.audit,
    guard: new HostGuard(server.port!, [inUrl(host), ...(options.extraHosts ?? [])]),
    tokens: new TokenCheck(tokens),
    live,
    lag,
    page: statusPage(),
    version: options.version,
    onError: options.onError,
  });
  handle = (request) => app.fetch(request);
  return server;
}

function listen(
  hostname: string,
  port: number,
  fetch: (request: Request) => Response | Promise<Response>,
): Bun.Server<undefined> {
  try {
    // `development: false` alone makes Bun 1.4.5 share the port with whoever binds it next (SO_REUSEPORT).
    const sharing = { development: false, reusePort: false } as const;
    return Bun.serve({ hostname, port, fetch, idleTimeout: IDLE_TIMEOUT_S, ...sharing });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const why = code === "EADDRINUSE" ? "is in use" : `cannot be used (${message})`;
    throw new Error(`[admin] port ${port} on ${hostname} ${why}; expected a free port, or 0 for any`);
  }
}
