// Faults of the venue through a running session, switched on over POST /sim/fault: each ends in a resync, nothing
// is quoted meanwhile, trading goes on, and the account is exact at the end. Takes about 20 s: real time-outs.
import { afterAll, expect, test } from "bun:test";
import { monotonicNs, realtimeNs } from "../../ffi/host.ts";
import { expectFillsOnce, expectSameAccount } from "../e2e/live-checks.ts";
import { endAll, LiveSession, makeDataDir, until, type WalRow, walRows } from "../e2e/live-session.ts";
import { type JournalLine, openOrders } from "../e2e/venue-oracle.ts";

afterAll(endAll);

const TOML = `
[sim]
speed = 4
[venue]
heartbeat_ms = 1000
reconnect_min_ms = 200
[risk]
freshness_ms = 500
`;
/** How long an order that was on its way may still arrive after FEED has called the book bad. */
const ON_ITS_WAY_NS = 250e6;
const FRESHNESS_NS = 500e6;
const STALL_MS = 2_500;
const MS_PER_NS = 1e-6;

const isPlace = (line: JournalLine): boolean =>
  line.k === "request" && (line["op"] === "order.place" || line["op"] === "POST /fapi/v1/order");

interface Window {
  readonly instrument: string | null;
  readonly fromNs: number;
  readonly toNs: number;
  readonly fromPosition: number;
  readonly toPosition: number;
}

/** Times in which an instrument (null: the account) was not SYNCED, after it first was; CLOCK_MONOTONIC ns. */
function badWindows(rows: readonly WalRow[]): Window[] {
  const offset = realtimeNs() - BigInt(Math.round(monotonicNs()));
  const mono = (row: WalRow): number => Number(BigInt(row["recvTs"]) - offset);
  const windows: Window[] = [];
  const began = new Map<string | null, WalRow>();
  const wasSynced = new Set<string | null>();
  for (const row of rows) {
    const instrument: string | null = row["instrument"];
    if (row["state"] === "synced") {
      const from = began.get(instrument);
      if (from !== undefined)
        windows.push({
          instrument,
          fromNs: mono(from),
          toNs: mono(row),
          fromPosition: from.position,
          toPosition: row.position,
        });
      began.delete(instrument);
      wasSynced.add(instrument);
    } else if (wasSynced.has(instrument) && !began.has(instrument)) began.set(instrument, row);
  }
  return windows;
}

/** After a fault: the wanted instrument (null = account) left SYNCED and came back, and both strategies place again. */
async function survives(live: LiveSession, fault: Record<string, unknown>): Promise<void> {
  const lines = live.journal().length;
  await live.fault(fault);
  await Bun.sleep(Number(fault["ms"] ?? 0) + 600);
  const ready = async () => (await live.get<{ ready: boolean }>("/health")).ready;
  await until(`readiness after ${JSON.stringify(fault)}`, ready, 15_000);
  const resumed = live.journal().length;
  const places = (from: number, symbol: string) =>
    live
      .journal()
      .slice(from)
      .some((line) => isPlace(line) && line["params"].symbol === symbol);
  for (const symbol of ["BTCUSDT", "ETHUSDT"])
    await until(`places of ${symbol} after ${JSON.stringify(fault)}`, () => places(resumed, symbol), 15_000);
  expect(live.journal().length).toBeGreaterThan(lines);
}

/** A venue that answers pings and sends nothing: from the age limit on nothing is placed and nothing works. */
function expectQuietInStall(lines: readonly JournalLine[]): void {
  const stall = lines.find((line) => line.k === "fault" && line["kind"] === "stall")!;
  const quietFrom = stall.mono + FRESHNESS_NS + ON_ITS_WAY_NS;
  const quietTo = stall.mono + STALL_MS * 1e6;
  expect(lines.filter((line) => isPlace(line) && line.mono > quietFrom && line.mono < quietTo)).toEqual([]);
  expect(openOrders(lines.filter((line) => line.mono < quietTo))).toEqual([]);
}

test("gaps, cuts and stalls of the routes that decide what is quoted end in a resync; nothing is placed on a bad book or account", async () => {
  const live = await LiveSession.start({ dir: makeDataDir(), toml: TOML });
  await until("orders", () => live.journal().filter(isPlace).length > 20, 20_000);
  await survives(live, { kind: "gap", symbol: "BTCUSDT", count: 2 });
  await survives(live, { kind: "cut", route: "public" });
  await survives(live, { kind: "stall", route: "public", ms: STALL_MS });
  await survives(live, { kind: "cut", route: "private" });
  await survives(live, { kind: "cut", route: "api" });
  const { code, summary, err } = await live.stop();
  const lines = live.journal();
  expect({ code, end: summary.end, err: code === 0 ? "" : err }).toEqual({ code: 0, end: "clean", err: "" });
  expect(summary.feed.gaps).toBeGreaterThan(0);
  expect(summary.feed.reconnects).toBeGreaterThan(0);
  expectSameAccount(summary, lines);
  await expectFillsOnce(live.dir, lines);
  expect(openOrders(lines)).toEqual([]);

  const rows = await walRows(live.dir, ["FeedStatus", "OrderSent"]);
  const windows = badWindows(rows.filter((row) => row.kind === "FeedStatus"));
  const of = (instrument: string | null) => windows.filter((w) => w.instrument === instrument);
  expect(of("BTCUSDT").length).toBeGreaterThanOrEqual(3);
  expect(of("ETHUSDT").length).toBeGreaterThanOrEqual(2);
  expect(of(null).length).toBeGreaterThanOrEqual(1);
  const early = lines.filter(isPlace).flatMap((line) =>
    windows
      .filter((w) => w.instrument === null || w.instrument === line["params"].symbol)
      .filter((w) => line.mono > w.fromNs + ON_ITS_WAY_NS && line.mono < w.toNs)
      .map((w) => `${line["params"].symbol} ${(line.mono - w.fromNs) * MS_PER_NS} ms into a bad window`),
  );
  expect(early).toEqual([]);
  // The account's state and the orders are one stream: no tolerance at all.
  const sent = rows.filter((row) => row.kind === "OrderSent" && row["action"] === "place");
  for (const w of of(null))
    expect(sent.filter((row) => row.position > w.fromPosition && row.position < w.toPosition)).toEqual([]);
  expectQuietInStall(lines);
}, 90_000);

/** Longer than three heartbeats: a connection that answers pings and sends nothing is given up by then. */
const MARKET_STALL_MS = 4_500;

test("a /market route that is cut, then stalled, is replaced: trades come back, books and orders never stop", async () => {
  const live = await LiveSession.start({ dir: makeDataDir(), toml: TOML });
  await until("orders", () => live.journal().filter(isPlace).length > 20, 20_000);
  await survives(live, { kind: "cut", route: "market" });
  const stalledAt = live.journal().length;
  await survives(live, { kind: "stall", route: "market", ms: MARKET_STALL_MS });
  const { code, summary } = await live.stop();
  const lines = live.journal();
  expect({ code, end: summary.end, gaps: summary.feed.gaps }).toEqual({ code: 0, end: "clean", gaps: 0 });
  expect(summary.feed.reconnects).toBeGreaterThanOrEqual(2);
  expectSameAccount(summary, lines);
  await expectFillsOnce(live.dir, lines);

  const rows = await walRows(live.dir, ["FeedStatus", "Trade"]);
  expect(badWindows(rows.filter((row) => row.kind === "FeedStatus"))).toEqual([]);
  const tradeMs = rows
    .filter((row) => row.kind === "Trade")
    .map((row) => Number(BigInt(row["recvTs"]) / 1_000_000n));
  const pausesMs = tradeMs.slice(1).map((ms, i) => ms - tradeMs[i]!);
  const longest = Math.max(...pausesMs);
  expect(longest).toBeGreaterThan(MARKET_STALL_MS - 500);
  expect(tradeMs.length - 1 - pausesMs.indexOf(longest)).toBeGreaterThan(10);
  const stall = lines.slice(stalledAt).find((line) => line.k === "fault" && line["kind"] === "stall")!;
  const during = lines.filter(
    (l) => isPlace(l) && l.mono > stall.mono + 1e9 && l.mono < stall.mono + MARKET_STALL_MS * 1e6,
  );
  expect(during.length).toBeGreaterThan(0);
}, 90_000);
