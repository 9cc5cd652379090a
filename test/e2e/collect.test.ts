// `bun run collect` against the simulated venue: a real venue process, real sockets, the real log and files.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importWal } from "../../src/backtest/import/wal-market.ts";
import { EVENT_FIELDS } from "../../src/data/npy.ts";
import { loadRows } from "../../src/data/npz-file.ts";

const CLI = join(import.meta.dir, "../../src/cli");
const dir = mkdtempSync(join(tmpdir(), "hotlane-collect-"));
const KIND_CLEAR = 3;

let venue: ReturnType<typeof Bun.spawn>;
let url = "";

beforeAll(async () => {
  const child = Bun.spawn(
    [
      process.execPath,
      join(CLI, "venue.ts"),
      "--port",
      "0",
      "--speed",
      "3",
      "--journal",
      join(dir, "v/journal.jsonl"),
      "--credentials-file",
      join(dir, "v/credentials"),
    ],
    { stdout: "pipe", stderr: "ignore", stdin: "ignore" },
  );
  venue = child;
  const { value } = await child.stdout.getReader().read();
  url = `http://127.0.0.1:${(JSON.parse(new TextDecoder().decode(value).split("\n")[0]!) as { port: number }).port}`;
}, 30_000);
afterAll(async () => {
  venue.kill("SIGTERM");
  await venue.exited;
  rmSync(dir, { recursive: true, force: true });
});

/** Without any credential in the environment. */
function collect(name: string, ...args: string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("HOTLANE_")));
  return Bun.spawn(
    [
      process.execPath,
      join(CLI, "collect.ts"),
      "--data-dir",
      join(dir, name),
      "--set",
      `sim.url=${url}`,
      "--json",
      ...args,
    ],
    { env: env as Record<string, string>, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
  );
}

const files = (name: string): string[] =>
  readdirSync(join(dir, name, "npz"))
    .filter((f) => f.endsWith(".npz"))
    .sort();

interface Row {
  readonly kind: number;
  readonly local: bigint;
  /** Without the time: files and log are corrected each by itself. */
  readonly text: string;
}

/** Rows of the local side, as the trader sees them. */
function localRows(bytes: Uint8Array): Row[] {
  const i64 = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const out: Row[] = [];
  for (let r = 0; r < bytes.length / 64; r++) {
    const ev = i64[r * 8]!;
    if ((ev & 0x4000_0000n) === 0n) continue;
    const word = (k: number): bigint => i64[r * 8 + k]!;
    out.push({
      kind: Number(ev & 0xffn),
      text: [ev & 0x3000_00ffn, word(3), word(4)].join(" "),
      local: word(2),
    });
  }
  return out;
}

describe("bun run collect", () => {
  test("files of several periods hold what the log holds, each beginning with the whole book", async () => {
    const run = collect("a", "--for", "4500ms", "--rotate", "1s", "--symbols", "BTCUSDT");
    expect(await run.exited).toBe(0);
    const summary = JSON.parse((await new Response(run.stdout).text()).trim().split("\n").at(-1)!) as Record<
      string,
      number
    >;
    expect(summary).toMatchObject({ gaps: 0, lost: 0 });
    expect(summary["messages"]).toBeGreaterThan(100);
    const names = files("a");
    expect(names.length).toBeGreaterThanOrEqual(4);
    const parts = names.map((f) => localRows(loadRows(join(dir, "a/npz", f), EVENT_FIELDS).bytes));
    // The first file may end before the venue's snapshot came: there is no book to begin the next one with.
    const carried = parts.map((_, k) => parts.slice(0, k).some((p) => p.some((r) => r.kind === KIND_CLEAR)));
    expect(carried.at(-1)).toBe(true);
    parts.forEach((part, k) => {
      if (carried[k]) expect(part[0]!.kind).toBe(KIND_CLEAR);
    });
    const log = localRows(importWal(join(dir, "a/wal"), { markPrice: true, bookTicker: true }).table.bytes);
    const joined = parts.flatMap((part, k) => (carried[k] ? part.slice(bookRows(part)) : part));
    expect(joined.map((r) => r.text)).toEqual(log.map((r) => r.text));
  }, 60_000);

  test("killed at once, the next start makes the file that is missing; two at a time are refused", async () => {
    const first = collect("b", "--symbols", "BTCUSDT", "--rotate", "100d");
    await Bun.sleep(3000);
    const second = collect("b", "--symbols", "BTCUSDT");
    expect(await second.exited).toBe(1);
    expect(await new Response(second.stderr).text()).toContain("in use by another hotlane process");
    first.kill("SIGKILL");
    await first.exited;
    expect(files("b")).toEqual([]);
    const again = collect("b", "--for", "1500ms", "--symbols", "BTCUSDT", "--rotate", "100d");
    expect(await again.exited).toBe(0);
    const held = files("b").map((f) => loadRows(join(dir, "b/npz", f), EVENT_FIELDS).header.rows);
    const log = importWal(join(dir, "b/wal"), { markPrice: true, bookTicker: true });
    expect(held).toEqual([log.table.rows]);
  }, 60_000);

  test("wrong usage and a venue that is not there end with words", async () => {
    const period = collect("c", "--rotate", "often");
    expect(await period.exited).toBe(2);
    expect(await new Response(period.stderr).text()).toContain("--rotate often: expected a duration");
    const symbol = collect("c", "--symbols", "NOSUCH");
    expect(await symbol.exited).toBe(2);
    expect(await new Response(symbol.stderr).text()).toContain("NOSUCH");
  }, 60_000);
});

/** A clear of both sides and the levels of its time: what the file begins with. */
function bookRows(part: readonly Row[]): number {
  const next = part.findIndex((r) => r.local !== part[0]!.local);
  return next < 0 ? part.length : next;
}
