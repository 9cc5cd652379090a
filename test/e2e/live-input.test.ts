// Wrong input to `bun run live`: one clear message, the right exit code, no stack trace, and nothing left running.
// About 10 s: each case is a process of its own.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, LiveSession, makeDataDir, runLive, startVenue, summaryOf } from "./live-session.ts";

afterAll(endAll);

const FAILED = 1;
const USAGE = 2;
/** Nothing of a wrong start takes longer; the request time-out of the venue is 3 s. */
const LONGEST_MS = 20_000;

/** Processes whose command line names the directory. */
function leftRunning(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(dir) ? [line] : [];
      } catch {
        return [];
      }
    });
}

function fillsInLog(dir: string): number {
  const cli = join(import.meta.dir, "../../src/cli/wal.ts");
  const args = [cli, "export", join(dir, "wal"), "--format", "jsonl", "--kind", "Fill"];
  const { stdout } = Bun.spawnSync([process.execPath, ...args]);
  return stdout.toString().split("\n").length - 1;
}

async function refuses(what: {
  readonly args?: readonly string[];
  readonly toml?: string;
  readonly dir?: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly code: number;
  readonly says: string;
}): Promise<void> {
  const own = makeDataDir();
  const dir = what.dir ?? own;
  for (const [name, content] of Object.entries(what.files ?? {})) writeFileSync(join(own, name), content);
  writeFileSync(join(own, "user.toml"), what.toml ?? "");
  const flags = ["--data-dir", dir, "--config", join(own, "user.toml"), "--json", ...(what.args ?? [])];
  const { code, err, out } = await runLive(flags);
  expect(err).toContain(what.says);
  expect({ code, out, stack: /\n\s+at /.test(err), secrets: err.includes("Secret") }).toEqual({
    ...{ code: what.code, out: "", stack: false, secrets: false },
  });
  expect(leftRunning(own)).toEqual([]);
}

const strategy = (more: string): string =>
  `[[strategies]]\nname = "mine"\ninstruments = ["BTCUSDT"]\n${more}\n`;

const OTHER_GRAPH = `
[graph]
name = "other"
version = "1"
[[nodes]]
id = "mid"
type = "MidPrice"
[outputs]
mid = "mid"
`;

test.each([
  ["a duration no timer can hold", { args: ["--for", "700h"], code: USAGE, says: "expected at most 596h" }],
  ["a duration", { args: ["--for", "garbage"], code: USAGE, says: "--for garbage: expected a duration" }],
  ["an option", { args: ["--nope"], code: USAGE, says: "--nope" }],
  ["an environment", { args: ["--env", "mars"], code: USAGE, says: '"mars"' }],
  ["a port number", { args: ["--port", "99999"], code: USAGE, says: "--port 99999" }],
  ["a key", { toml: "[engine]\nnope = 1\n", code: USAGE, says: "user.toml:2: engine.nope: unknown key" }],
  ["a value", { toml: '[sim]\nspeed = "fast"\n', code: USAGE, says: 'user.toml:2: sim.speed: found "fast"' }],
  ["TOML", { toml: "[sim\n", code: USAGE, says: "user.toml:1" }],
  [
    "a module",
    { toml: strategy('module = "builtin:nope"'), code: USAGE, says: "builtin:nope: no such strategy" },
  ],
  ["a module file", { toml: strategy('module = "./gone.ts"'), code: USAGE, says: "gone.ts" }],
  [
    "a graph file",
    { toml: strategy('module = "builtin:obi-mm"\ngraph = "gone.toml"'), code: USAGE, says: "gone.toml" },
  ],
  [
    "a graph",
    {
      toml: strategy('module = "builtin:obi-mm"\ngraph = "bad.toml"'),
      files: { "bad.toml": '[graph]\nname = "x"\nversion = "1"\n[[nodes]]\nid = "a"\ntype = "Nope"\n' },
      ...{ code: USAGE, says: 'node "a": unknown type "Nope"' },
    },
  ],
  [
    "a parameter",
    {
      toml: strategy('module = "builtin:tick-mm"\nparams = { nope = 1 }'),
      ...{ code: USAGE, says: "strategy mine: params.nope: unknown" },
    },
  ],
  [
    "a graph for the strategy",
    {
      toml: strategy('module = "builtin:obi-mm"\ngraph = "other.toml"'),
      files: { "other.toml": OTHER_GRAPH },
      ...{ code: USAGE, says: 'strategy mine: its graph has no output "alpha"; it has: mid' },
    },
  ],
  [
    "a venue's address",
    { toml: '[sim]\nurl = "http://10.1.2.3:80"\n', code: USAGE, says: "never leaves this machine" },
  ],
  ["credentials", { toml: '[sim]\nurl = "http://127.0.0.1:9"\n', code: USAGE, says: "no credentials" }],
  [
    "a kill file",
    { files: { kill: new Uint8Array(100) }, code: FAILED, says: "expected a kill word of 4096" },
  ],
] as const)("%s that is wrong is named", (_, what) => refuses(what), LONGEST_MS);

test(
  "a port in use is named before anything starts",
  async () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    await refuses({
      args: ["--port", String(other.port)],
      code: FAILED,
      says: `port ${other.port} on 127.0.0.1 is in use`,
    });
    other.stop(true);
  },
  LONGEST_MS,
);

test(
  "a data directory that cannot be made is named",
  async () => {
    const file = join(makeDataDir(), "file");
    writeFileSync(file, "");
    await refuses({
      dir: join(file, "sub"),
      code: FAILED,
      says: "cannot be used as data directory (ENOTDIR)",
    });
  },
  LONGEST_MS,
);

test(
  "a second process on a data directory is told who has it, and the first one goes on",
  async () => {
    const live = await LiveSession.start({ dir: makeDataDir() });
    await refuses({
      dir: live.dir,
      code: FAILED,
      says: `in use by another hotlane process (pid ${live.pid})`,
    });
    expect((await live.stop()).code).toBe(0);
    expect(leftRunning(live.dir)).toEqual([]);
  },
  LONGEST_MS,
);

test(
  "a venue that does not answer, or does not list the symbol, is said to",
  async () => {
    const venue = await startVenue(makeDataDir(), ["--symbols", "ETHUSDT"]);
    const toml = venue.toml();
    await refuses({ toml, code: USAGE, says: "BTCUSDT" });
    await venue.stop();
    await refuses({ toml, code: FAILED, says: "the venue does not answer" });
  },
  LONGEST_MS,
);

test(
  "a runtime that is killed leaves no venue behind",
  async () => {
    const live = await LiveSession.start({ dir: makeDataDir() });
    live.signal("SIGKILL");
    await live.end();
    const deadline = performance.now() + 5_000;
    while (leftRunning(live.dir).length > 0 && performance.now() < deadline) await Bun.sleep(20);
    expect(leftRunning(live.dir)).toEqual([]);
  },
  LONGEST_MS,
);

test("a disk with less room than asked for: market data is given up, counted and said; fills are all in the log", async () => {
  const dir = makeDataDir();
  const file = join(dir, "low.toml");
  writeFileSync(file, "[journal]\nmin_free_bytes = 1099511627776\n");
  const ended = await runLive(["--data-dir", dir, "--config", file, "--for", "5s", "--json"]);
  expect(ended.code).toBe(0);
  expect(ended.err).toContain("disk low: below 1099511627776 B free (journal.min_free_bytes)");
  const summary = summaryOf(ended);
  expect(summary.drops).toBeGreaterThan(0);
  expect(fillsInLog(dir)).toBe(summary.fills.count);
}, 40_000);
