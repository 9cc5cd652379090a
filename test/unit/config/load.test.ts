import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadOptions, type LoadResult, loadConfig } from "../../../src/config/load.ts";
import { formatErrors } from "../../../src/config/problems.ts";
import { schemaKeys } from "../../../src/config/reference.ts";
import { readToml, type TomlTable } from "../../../src/core/toml.ts";

const ROOT = join(import.meta.dir, "../../..");
let root: string;
let mine: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "hotlane-config-"));
  cpSync(join(ROOT, "config"), join(root, "config"), { recursive: true });
  mkdirSync(join(root, "config/graphs"), { recursive: true });
  writeFileSync(join(root, "config/graphs/obi_mm_factors.toml"), '[graph]\nname = "g"\n');
  mine = join(root, "mine.toml");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const load = (options: LoadOptions = {}): LoadResult => loadConfig({ root, onlineCpus: [0, 1], ...options });

function loadOk(options: LoadOptions = {}) {
  const result = load(options);
  if (!result.ok) throw new Error(formatErrors(result.errors));
  return result;
}

/** Loads with `text` as the user's file and gives the error lines, its path written as mine.toml. */
function errorsOf(text: string, options: LoadOptions = {}): string[] {
  writeFileSync(mine, text);
  const result = load({ file: mine, ...options });
  return result.ok
    ? []
    : formatErrors(result.errors).replaceAll(mine, "mine.toml").replaceAll(root, "ROOT").split("\n");
}

describe("the shipped files", () => {
  test.each(["sim", "paper", "live"])("env %s loads without problems", (env) => {
    expect(loadOk({ env }).config.env as string).toBe(env);
  });

  test("sim is the default and runs two strategies on two instruments", () => {
    const { config } = loadOk();
    expect(config.env).toBe("sim");
    expect(config.instruments.map((i) => i.symbol)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(config.strategies.map((s) => [s.name, s.module, s.instruments.join()])).toEqual([
      ["obi-mm", "builtin:obi-mm", "BTCUSDT"],
      ["tick-mm", "builtin:tick-mm", "ETHUSDT"],
    ]);
    expect(config.engine.dataDir).toBe(join(process.cwd(), "var/sim"));
    expect(config.strategies[0]!.graph).toBe(join(root, "config/graphs/obi_mm_factors.toml"));
  });

  test("base.toml sets every key of the schema", () => {
    const base = readToml(join(ROOT, "config/base.toml")).value;
    const missing = schemaKeys().filter(
      (key) =>
        key.split(".").reduce<unknown>((node, part) => (node as TomlTable | undefined)?.[part], base) ===
        undefined,
    );
    expect(missing).toEqual([]);
  });

  test("live does not trade unless a file of the user's allows it", () => {
    expect(loadOk({ env: "live" }).config.engine.allowLive).toBe(false);
  });
});

describe("layers", () => {
  test("a later layer wins key by key, and each value knows its file and line", () => {
    writeFileSync(mine, "[engine]\ntimer_ms = 20\n\n[risk.account]\nmax_working_orders = 7\n");
    const { config, sources } = loadOk({ file: mine, flags: { engine: { timer_ms: 30 } } });
    expect(config.engine.timerMs).toBe(30);
    expect(config.risk.account.maxWorkingOrders).toBe(7);
    expect(config.risk.account.minMarginRatio).toBe(1.5);
    const origin = (key: string) => sources.find((s) => s.key === key);
    expect(origin("engine.timer_ms")).toMatchObject({ value: 30, file: "command line", line: 0 });
    expect(origin("risk.account.max_working_orders")).toMatchObject({ file: mine, line: 5 });
    expect(origin("risk.freshness_ms")).toMatchObject({ file: "config/base.toml" });
    expect(origin("strategies[0].enabled")).toMatchObject({ value: true, file: "default" });
  });

  test("arrays of tables are replaced as a whole", () => {
    writeFileSync(
      mine,
      '[[strategies]]\nname = "one"\nmodule = "builtin:tick-mm"\ninstruments = ["BTCUSDT"]\n',
    );
    expect(loadOk({ file: mine }).config.strategies.map((s) => s.name)).toEqual(["one"]);
  });

  test("params and limits keep their keys as written", () => {
    writeFileSync(
      mine,
      '[[strategies]]\nname = "one"\nmodule = "builtin:x"\ninstruments = ["BTCUSDT"]\nparams = { half_spread_ticks = 3, on = true }\nlimits = { max_qty = "0.1" }\n',
    );
    const [strategy] = loadOk({ file: mine }).config.strategies;
    expect(strategy!.params).toEqual({ half_spread_ticks: 3, on: true });
    expect(strategy!.limits).toEqual({ max_qty: "0.1" });
  });

  test("a module path starts from the file that names it", () => {
    mkdirSync(join(root, "elsewhere"), { recursive: true });
    writeFileSync(join(root, "elsewhere/s.ts"), "");
    const file = join(root, "elsewhere/c.toml");
    writeFileSync(file, '[[strategies]]\nname = "one"\nmodule = "./s.ts"\ninstruments = ["BTCUSDT"]\n');
    expect(loadOk({ file }).config.strategies[0]!.module).toBe(join(root, "elsewhere/s.ts"));
  });

  test("money may be a bare number and stays decimal text", () => {
    writeFileSync(mine, "[risk.instrument]\nmax_order_qty = 0.1\n");
    expect(loadOk({ file: mine }).config.risk.instrument.maxOrderQty).toBe("0.1");
  });

  test("the result is frozen", () => {
    const { config } = loadOk();
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.risk.account) && Object.isFrozen(config.strategies),
    ).toBe(true);
  });

  test("a key named __proto__ is an unknown key and changes no prototype", () => {
    expect(errorsOf('["__proto__"]\npolluted = 1\n').join()).toContain("__proto__: unknown key");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("errors name file, line, key, what was found and what is expected", () => {
  test("all at once, in the order of the file", () => {
    const text = `[engine]
tmer_ms = 5
timer_ms = 0
feed_ring_records = 10000

[lanes.feed]
cpu = 9
wait = "sleep"

[risk]
price_band_bps = "wide"

[admin]
port = 70000
colour = true

[journal]
fsync = "always"
segment_bytes = 1.5
`;
    expect(errorsOf(text)).toEqual([
      'mine.toml:2: engine.tmer_ms: unknown key: did you mean "timer_ms"?',
      "mine.toml:3: engine.timer_ms: found 0, expected integer 1 … 1000 ms",
      "mine.toml:4: engine.feed_ring_records: found 10000, expected power of two 8192 … 4194304 records",
      'mine.toml:8: lanes.feed.wait: found "sleep", expected one of "auto", "spin", "yield", "park"',
      'mine.toml:11: risk.price_band_bps: found "wide", expected number 1 … 5000 bps',
      "mine.toml:14: admin.port: found 70000, expected integer 0 … 65535",
      "mine.toml:15: admin.colour: unknown key: expected one of enabled, host, port, token_file",
      'mine.toml:18: journal.fsync: found "always", expected one of "none", "interval", "batch"',
      "mine.toml:19: journal.segment_bytes: found 1.5, expected integer 65536 … 1073741824 bytes",
    ]);
  });

  test("relations are checked beside the schema, in every section that the schema accepts", () => {
    const text = `[lanes.feed]
cpu = 9
[venue]
reconnect_min_ms = 5000
reconnect_max_ms = 1000
[risk.account]
daily_loss_soft = "9"
daily_loss_hard = "8.5"
[log]
level = "loud"
[[instruments]]
symbol = "BTCUSDT"
[[instruments]]
symbol = "BTCUSDT"
`;
    const base = readFileSync(join(import.meta.dir, "../../../config/base.toml"), "utf8").split("\n");
    const line = base.indexOf('instruments = ["ETHUSDT"]') + 1;
    expect(errorsOf(text)).toEqual([
      `config/base.toml:${line}: strategies[1].instruments[0]: not under [[instruments]]: found "ETHUSDT", expected a declared instrument (BTCUSDT, BTCUSDT)`,
      "mine.toml:2: lanes.feed.cpu: found 9, expected -1 or a cpu of this machine (0, 1)",
      "mine.toml:4: venue.reconnect_min_ms: found 5000, expected at most venue.reconnect_max_ms = 1000",
      'mine.toml:7: risk.account.daily_loss_soft: found "9", expected at most daily_loss_hard = 8.5',
      'mine.toml:10: log.level: found "loud", expected one of "trace", "debug", "info", "warn", "error", "fatal"',
      'mine.toml:14: instruments[1].symbol: declared twice: found "BTCUSDT", expected each symbol once',
    ]);
  });

  test("strategies: names, modules, graphs, instruments, missing keys", () => {
    const text = `[[strategies]]
name = "a"
module = "./no.ts"
graph = "no.toml"
instruments = ["SOLUSDT", "BTCUSDT", "BTCUSDT"]
[[strategies]]
name = "a"
module = "builtin:x"
instruments = ["BTCUSDT"]
[strategies.params]
api_secret = "hunter2"
`;
    expect(errorsOf(text)).toEqual([
      'mine.toml:3: strategies[0].module: no file ROOT/no.ts: found "./no.ts", expected an existing file',
      'mine.toml:4: strategies[0].graph: no file ROOT/no.toml: found "no.toml", expected an existing file',
      'mine.toml:5: strategies[0].instruments[0]: not under [[instruments]]: found "SOLUSDT", expected a declared instrument (BTCUSDT, ETHUSDT)',
      'mine.toml:5: strategies[0].instruments[2]: named twice: found "BTCUSDT", expected each instrument once',
      'mine.toml:7: strategies[1].name: name is taken: found "a", expected a name of its own',
      "mine.toml:11: strategies[1].params.api_secret: a secret does not belong into configuration: found (not shown), expected secrets in HOTLANE_API_KEY, HOTLANE_API_SECRET, HOTLANE_PRIVATE_KEY or a 0600 file (venue.credentials_file)",
    ]);
    expect(errorsOf('[[strategies]]\nname = "a"\nmodule = "builtin:x"\n')).toEqual([
      "mine.toml:1: strategies[0].instruments: found missing, expected 1 … 64 symbols",
    ]);
  });

  test("a secret is refused and never repeated", () => {
    const lines = errorsOf('[venue]\napi_key = "hunter2"\nrest_url = "https://me:hunter2@example.com"\n', {
      env: "paper",
    });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).not.toContain("me:");
  });

  test("a syntax error names line and column; an unreadable file names itself; both are reported together", () => {
    expect(errorsOf("[engine]\ntimer_ms = = 3\n")[0]).toMatch(/^mine\.toml:2: syntax error at column \d+: /);
    const result = load({ file: join(root, "absent.toml") });
    expect(!result.ok && formatErrors(result.errors)).toEndWith(
      "absent.toml: ENOENT: expected a readable TOML file",
    );
  });

  test("an unknown environment is named with the known ones", () => {
    const result = load({ env: "prod" });
    expect(!result.ok && formatErrors(result.errors)).toBe(
      'command line: --env: found "prod", expected one of sim, paper, live',
    );
  });

  test("a flag is blamed on the command line", () => {
    const result = load({ flags: { engine: { timer_ms: 0 } } });
    expect(!result.ok && formatErrors(result.errors)).toBe(
      "command line: engine.timer_ms: found 0, expected integer 1 … 1000 ms",
    );
  });
});

describe("addresses", () => {
  const remote = [
    "http://10.0.0.1:80",
    "http://example.com",
    "http://127.0.0.1.example.com",
    "http://[::2]:1",
  ];
  test.each(remote)("env sim refuses %s", (url) => {
    const result = load({ flags: { sim: { url } } });
    expect(!result.ok && formatErrors(result.errors)).toContain("--env sim never leaves this machine");
  });

  test.each(["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"])(
    "env sim accepts %s",
    (url) => {
      expect(loadOk({ flags: { sim: { url } } }).config.sim.url).toBe(url);
    },
  );

  test("env sim refuses a real venue's addresses, all of them", () => {
    const { venue } = loadOk({ env: "live" }).config;
    const flags = {
      venue: {
        rest_url: venue.restUrl,
        public_url: venue.publicUrl,
        market_url: venue.marketUrl,
        private_url: venue.privateUrl,
        ws_api_url: venue.wsApiUrl,
      },
    };
    const result = load({ flags });
    expect(!result.ok && result.errors.map((e) => e.key)).toEqual([
      "venue.market_url",
      "venue.private_url",
      "venue.public_url",
      "venue.rest_url",
      "venue.ws_api_url",
    ]);
  });

  test("live needs every address, encrypted beyond loopback", () => {
    const result = load({
      env: "live",
      flags: { venue: { ws_api_url: "", rest_url: "http://example.com" } },
    });
    expect(!result.ok && formatErrors(result.errors).split("\n")).toEqual([
      'command line: venue.rest_url: no plain text beyond loopback: found "http://example.com", expected https:// or wss://',
      'command line: venue.ws_api_url: --env live needs it: found "", expected an address',
    ]);
  });
});
