import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runConfigCommand } from "../../../src/cli/config.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-config-cli-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// A file of its own strategies, so that these tests do not depend on the shipped graph.
const mine = join(dir, "mine.toml");
writeFileSync(mine, '[[strategies]]\nname = "one"\nmodule = "builtin:tick-mm"\ninstruments = ["BTCUSDT"]\n');

async function run(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runConfigCommand(argv, { out: (line) => out.push(line), err: (line) => err.push(line) });
  return { code, out, err };
}

describe("config check", () => {
  test("says what would run", async () => {
    expect(await run("check", "--config", mine)).toEqual({
      code: 0,
      out: ["ok: env sim, 2 instruments, 1 strategies"],
      err: [],
    });
  });

  test("exits 2 with every problem", async () => {
    const { code, err } = await run(
      "check",
      "--config",
      mine,
      "--set",
      "engine.timer_ms=0",
      "--set",
      "log.level=loud",
    );
    expect(code).toBe(2);
    expect(err).toEqual([
      'command line: engine.timer_ms: found 0, expected integer 1 … 1000 ms\ncommand line: log.level: found "loud", expected one of "trace", "debug", "info", "warn", "error", "fatal"',
      "2 problems",
    ]);
  });
});

describe("config show", () => {
  test("gives every value with the layer that set it", async () => {
    const { code, out } = await run("show", "--config", mine, "--set", "admin.port=8080");
    expect(code).toBe(0);
    expect(out.find((line) => line.startsWith("admin.port"))).toMatch(/^admin\.port = 8080 +# command line$/);
    expect(out.find((line) => line.startsWith("strategies[0].name"))).toEndWith(`# ${mine}:2`);
    expect(out.find((line) => line.startsWith("risk.freshness_ms"))).toMatch(/# config\/base\.toml:\d+$/);
  });

  test("as JSON", async () => {
    const { out } = await run("show", "--config", mine, "--json");
    const shown = JSON.parse(out[0]!) as { env: string; values: { key: string }[] };
    expect(shown.env).toBe("sim");
    expect(shown.values.length).toBeGreaterThan(80);
  });
});

describe("config build and sync", () => {
  const list = join(dir, "symbols.list");
  writeFileSync(list, "BTCUSDT\nSOLUSDT max_order_qty=5\n");

  test("build writes a layer that check accepts", async () => {
    expect((await run("build", list)).code).toBe(0);
    const layer = join(dir, "symbols.toml");
    writeFileSync(mine, `${readFileSync(mine, "utf8")}\n${readFileSync(layer, "utf8")}`);
    expect((await run("check", "--config", mine)).out).toEqual(["ok: env sim, 2 instruments, 1 strategies"]);
  });

  test("sync names the symbols that do not trade", async () => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        Response.json({
          symbols: [
            { symbol: "BTCUSDT", status: "TRADING" },
            { symbol: "SOLUSDT", status: "SETTLING" },
          ],
        }),
    });
    try {
      const address = `http://127.0.0.1:${server.port}`;
      const { code, out, err } = await run("sync", list, "--config", mine, "--set", `sim.url=${address}`);
      expect(code).toBe(1);
      expect(err).toEqual([`${list}: SOLUSDT: SETTLING`]);
      expect(out).toEqual([`1 of 2 symbols trade at ${address}`]);
    } finally {
      await server.stop(true);
    }
  });
});

describe("usage errors exit 2", () => {
  test.each([
    [[], "no command"],
    [["chek"], 'unknown command "chek"'],
    [["check", "extra"], "unexpected extra"],
    [["build"], "build needs one LIST"],
    [["check", "--set", "nonsense"], "expected section.key=value"],
    [["check", "--nope"], "--nope"],
  ])("%j", async (argv, expected) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err.join("\n")).toContain(expected);
  });
});
