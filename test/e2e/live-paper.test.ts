// `--env paper`: market data of a venue (here the simulated one, over its market routes only), orders matched inside
// the process, no credentials. The venue's journal must not know of a single order. About 20 s.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { PnlView } from "../../src/control/engine-control.ts";
import { recoverWal } from "../../src/journal/recovery.ts";
import { expectSameAccount } from "./live-checks.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  run,
  runLive,
  type SeparateVenue,
  startVenue,
  until,
  walRows,
} from "./live-session.ts";
import { type JournalLine, STEPS, scaled } from "./venue-oracle.ts";

afterAll(endAll);

const REPLAY = join(import.meta.dir, "../../src/cli/replay.ts");
const STRATEGIES = ["house", "obi-mm", "tick-mm"];
/** Nothing that could sign a request. */
const NO_CREDENTIALS = { HOTLANE_API_KEY: "", HOTLANE_API_SECRET: "", HOTLANE_PRIVATE_KEY: "" };

function toml(venue: SeparateVenue): string {
  const ws = venue.url.replace("http", "ws");
  return [
    "[venue]",
    `rest_url = "${venue.url}"`,
    `public_url = "${ws}/public"`,
    `market_url = "${ws}/market"`,
    "[sim]",
    'balance = "5000"',
    "",
  ].join("\n");
}

const start = (dir: string, venue: SeparateVenue) =>
  LiveSession.start({ dir, toml: toml(venue), args: ["--env", "paper"], env: NO_CREDENTIALS });

/** Fills of the WAL in the shape of the venue's journal. */
async function fillLines(dir: string): Promise<JournalLine[]> {
  const rows = await walRows(dir, ["Fill", "FillDetail"]);
  const steps = (text: string, decimals: number) => String(Math.round(Number(text) * 10 ** decimals));
  return rows.flatMap((row, i) => {
    if (row.kind !== "Fill") return [];
    const symbol: string = row["instrument"];
    const { tick, lot } = STEPS[symbol]!;
    return {
      ...{ k: "fill", n: i, mono: 0, ms: 0, s: symbol, side: row["side"] === "buy" ? 1 : -1 },
      feeAsset: "USDT",
      c: `h00000000000-${STRATEGIES.indexOf(row["strategy"]!)}-1`,
      q: steps(row["qty"], lot),
      px: steps(row["px"], tick),
      fee: steps(rows[i + 1]!["fee"], 8),
    };
  });
}

/** Nothing of ours at the venue but market data. */
function expectNoOrderAt(venue: SeparateVenue): void {
  const lines = venue.journal();
  const routes = lines.filter((line) => line.k === "connection").map((line) => line["route"]);
  expect(new Set(routes)).toEqual(new Set(["public", "market"]));
  const asked = lines.filter((line) => line.k === "request").map((line) => line["op"]);
  expect(asked.filter((op) => /order|listenKey|countdown|account|balance/i.test(op))).toEqual([]);
  expect(lines.filter((line) => line.k === "order" || line.k === "fill")).toEqual([]);
}

test("trades on the venue's market without a word to its order API; a kill -9 and a restart keep the account", async () => {
  const venue = await startVenue(makeDataDir(), ["--speed", "20"]);
  const dir = makeDataDir();
  const killed = await start(dir, venue);
  const fills = async (live: LiveSession) =>
    Number(/^hotlane_fills_total\S* (\d+)/m.exec(await live.text("/metrics"))?.[1] ?? 0);
  await until("fills", async () => (await fills(killed)) > 20, 20_000);
  killed.signal("SIGKILL");
  await killed.end();
  const left = recoverWal(join(dir, "wal"), { repair: false }).openOrders.length;

  const live = await start(dir, venue);
  await until("fills", async () => (await fills(live)) > 20, 20_000);
  const { code, summary, err } = await live.stop();
  expect({ code, end: summary.end, env: summary.env, drops: summary.drops }).toEqual({
    ...{ code: 0, end: "clean", env: "paper", drops: 0 },
  });
  expect(err).not.toContain("EXECUTION did not confirm");
  expect(summary.orders["rejected"]).toBeLessThan(summary.orders["sent"]! / 4);
  expectSameAccount(summary, await fillLines(dir));
  expectNoOrderAt(venue);
  // Orders of the killed session ended with it, and the journal says so.
  expect(left).toBeGreaterThan(0);
  expect(recoverWal(join(dir, "wal"), { repair: false }).openOrders).toEqual([]);
  const replay = await run(REPLAY, [join(dir, "wal"), "--verify"]);
  expect({ code: replay.code, out: replay.out.trim().split("\n").at(-1) }).toEqual({
    code: 0,
    out: "identical",
  });
  await venue.stop();
}, 60_000);

test("kill, rearm and emergency close work on the paper account", async () => {
  const venue = await startVenue(makeDataDir(), ["--speed", "20"]);
  const live = await start(makeDataDir(), venue);
  const orders = async () => (await live.get<unknown[]>("/api/orders?open=true")).length;
  type Position = { instrument: string; qty: string };
  const net = async () => {
    const sums = new Map<string, bigint>();
    for (const { instrument, qty } of await live.get<Position[]>("/api/positions"))
      sums.set(instrument, (sums.get(instrument) ?? 0n) + scaled(qty));
    return [...sums.values()].filter((sum) => sum !== 0n).length;
  };
  await until("orders", async () => (await orders()) > 0);
  expect((await ctl(live.dir, "kill", "--why", "a test")).out).toContain("confirmed");
  expect(await orders()).toBe(0);
  expect((await ctl(live.dir, "rearm", "--why", "looked")).code).toBe(0);
  await until("a position", async () => (await net()) > 0, 20_000);
  const closed = await ctl(live.dir, "emergency", "--close", "--why", "a test");
  expect({ code: closed.code, net: await net(), open: await orders() }).toEqual({ code: 0, net: 0, open: 0 });
  expectNoOrderAt(venue);
  const { code } = await live.stop();
  expect(code).toBe(0);
  await venue.stop();
}, 60_000);

const FUNDING_MS = 1000;
const RATE = 0.001;

test("funding is paid at the venue's times and rate on what is held, once, and stays over a restart", async () => {
  const flags = ["--speed", "20", "--funding-ms", String(FUNDING_MS), "--funding-rate", String(RATE)];
  const venue = await startVenue(makeDataDir(), flags);
  const dir = makeDataDir();
  const sums: bigint[] = [];
  for (let session = 0; session < 2; session++) {
    const live = await start(dir, venue);
    const funding = async () => scaled((await live.get<PnlView[]>("/api/pnl"))[0]?.funding ?? "0");
    let payments = 0;
    let last = await funding();
    await until(
      "payments",
      async () => {
        const now = await funding();
        if (now !== last) payments++;
        last = now;
        return payments >= 3;
      },
      30_000,
    );
    const { code, summary } = await live.stop();
    expect(code).toBe(0);
    sums.push(scaled(summary.pnl["USDT"]!.funding));
    expect(await fundingRows(dir)).toBe(sums.at(-1)!);
  }
  expect(sums[1]).not.toBe(sums[0]!);
  expectNoOrderAt(venue);
  const replay = await run(REPLAY, [join(dir, "wal"), "--verify"]);
  expect(replay.out.trim().split("\n").at(-1)).toBe("identical");
  await venue.stop();
}, 120_000);

/** Each payment is position · mark · rate at a mark heard around its time, at most one per time; returns their sum. */
async function fundingRows(dir: string): Promise<bigint> {
  const rows = await walRows(dir, ["Fill", "Funding", "MarkPrice"]);
  const held = new Map<string, bigint>();
  const seen = new Set<string>();
  let sum = 0n;
  for (const row of rows) {
    const symbol: string = row["instrument"];
    if (row.kind === "Fill")
      held.set(symbol, (held.get(symbol) ?? 0n) + (row["side"] === "buy" ? 1n : -1n) * scaled(row["qty"]));
    if (row.kind !== "Funding") continue;
    const atMs = Number(BigInt(row["exchTs"]) / 1_000_000n);
    expect(atMs % FUNDING_MS).toBe(0);
    expect(seen.has(`${symbol} ${atMs}`)).toBe(false);
    seen.add(`${symbol} ${atMs}`);
    const amounts = rows
      .filter((mark) => mark.kind === "MarkPrice" && mark["instrument"] === symbol)
      .filter((mark) => Math.abs(Number(BigInt(mark["recvTs"]) / 1_000_000n) - atMs) < 3 * FUNDING_MS)
      .map((mark) => Math.round((-Number(held.get(symbol)!) / 1e20) * Number(mark["markPx"]) * RATE * 1e8));
    const paid = Math.round(Number(row["amount"]) * 1e8);
    expect(amounts.some((amount) => Math.abs(amount - paid) <= 1)).toBe(true);
    sum += scaled(row["amount"]);
  }
  return sum;
}

test("paper needs addresses and says which", async () => {
  const refused = await runLive([
    "--env",
    "paper",
    "--set",
    "venue.public_url=",
    "--data-dir",
    makeDataDir(),
  ]);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("public_url");
});
