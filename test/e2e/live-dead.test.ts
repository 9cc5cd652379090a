// A part of the runtime that dies, hangs, or does not run for a while: each case ends in a defined safe state. The
// venue's journal says what really happened to the orders. About 40 s.
import { afterAll, afterEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monotonicNs } from "../../ffi/host.ts";
import { openKillWord } from "../../src/risk/kill-word.ts";
import { KILL_ARMED, KILL_KILLED } from "../../src/wire/codes.ts";
import { KILL_TRIES, type KillFigures, killOnce, printKills } from "./kill-figures.ts";
import { expectFillsOnce, expectSameAccount } from "./live-checks.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  type SeparateVenue,
  startVenue,
  until,
} from "./live-session.ts";
import { type JournalLine, openOrders } from "./venue-oracle.ts";

const DEAD_MAN_MS = 3000;
const STALL_MS = 1000;
const STRATEGIES = `
[[strategies]]
name = "hangs"
module = "${join(import.meta.dir, "strategies/hangs.ts")}"
instruments = ["ETHUSDT"]
`;

let venue: SeparateVenue;
afterEach(() => venue.stop());
afterAll(endAll);

/** Trading, with orders at the venue; `faults` is where its strategy looks for what to do. */
async function trading(stallMs = STALL_MS): Promise<{ live: LiveSession; faults: string }> {
  venue = await startVenue(makeDataDir(), ["--speed", "2", "--rate-limit-factor", "20"]);
  const faults = makeDataDir();
  const live = await LiveSession.start({
    dir: makeDataDir(),
    toml: `${venue.toml()}dead_man_ms = ${DEAD_MAN_MS}\n${STRATEGIES}`,
    args: ["--set", `engine.stall_ms=${stallMs}`],
    env: { HOTLANE_TEST_FAULTS: faults },
  });
  await until("working orders", () => openOrders(venue.journal()).length >= 2);
  return { live, faults };
}

const cause = (faults: string, fault: string) => writeFileSync(join(faults, fault), "");
const end = (faults: string, fault: string) => rmSync(join(faults, fault));
const open = () => openOrders(venue.journal()).length;
const nothingOpen = (ms = 10_000) => until("no open order", () => open() === 0, ms);
const isPlace = (line: JournalLine) => line.k === "request" && line["op"] === "order.place";
const isEnd = (line: JournalLine) => line.k === "order" && line["X"] === "CANCELED";
const word = (live: LiveSession) => openKillWord(live.dir).view();

/** ms from `sinceNs` to the last cancel that the venue did, and to the last place that still arrived. */
function since(sinceNs: number): { cancelMs: number; placeMs: number } {
  const lines = venue.journal();
  const last = (is: (line: JournalLine) => boolean) =>
    Math.max(0, (lines.findLast(is)!.mono - sinceNs) / 1e6);
  return { cancelMs: last(isEnd), placeMs: last(isPlace) };
}

/** What every case ends in: nothing at the venue, nothing new, killed until somebody has looked. */
async function expectKilled(live: LiveSession): Promise<void> {
  await nothingOpen();
  const places = venue.journal().filter(isPlace).length;
  await Bun.sleep(300);
  expect(venue.journal().filter(isPlace).length).toBe(places);
  expect(word(live).state).toBe(KILL_KILLED);
}

/** The same account after the next start: nothing was lost. */
async function expectWholeAfterwards(dir: string): Promise<void> {
  expect((await ctl(dir, "rearm", "--why", "looked at it")).code).toBe(0);
  const again = await LiveSession.start({ dir, toml: venue.toml() + STRATEGIES });
  await until("working orders", () => open() > 0);
  const { code, summary } = await again.stop();
  expect(code).toBe(0);
  const lines = venue.journal();
  expectSameAccount(summary, lines, ["house", "hangs"]);
  await expectFillsOnce(dir, lines);
}

test("execution lane gone: the kill is latched, main cancels over its own connection, the process ends", async () => {
  const { live, faults } = await trading();
  cause(faults, "exit-execution");
  const ended = await live.end();
  expect({ code: ended.code, open: open() }).toEqual({ code: 1, open: 0 });
  expect(ended.err).toContain("lane fused: the worker is gone");
  await expectKilled(live);
  await expectWholeAfterwards(live.dir);
}, 90_000);

test("execution lane stuck inside a callback: a kill from outside empties the book without it", async () => {
  const { live, faults } = await trading();
  cause(faults, "hang-execution");
  await Bun.sleep(150);
  const sinceNs = monotonicNs();
  openKillWord(live.dir).latch(KILL_KILLED, "test: kill", Date.now());
  await nothingOpen();
  const { cancelMs, placeMs } = since(sinceNs);
  console.log(`kill word → last cancel, execution stuck: ${cancelMs.toFixed(1)} ms`);
  expect(placeMs).toBe(0);
  const ended = await live.end();
  expect({ code: ended.code, open: open() }).toEqual({ code: 1, open: 0 });
  await expectKilled(live);
  await expectWholeAfterwards(live.dir);
}, 90_000);

test(
  `execution lane stuck inside a callback: the kill empties the book without it, ${KILL_TRIES} times`,
  async () => {
    const { live, faults } = await trading(60_000);
    const figures: KillFigures[] = [];
    for (let i = 0; i < KILL_TRIES; i++) {
      cause(faults, "hang-execution");
      await Bun.sleep(150);
      figures.push(await killOnce(live.dir, venue.journal));
      end(faults, "hang-execution");
      await until("a rearm", async () => (await ctl(live.dir, "rearm", "--why", "next try")).code === 0);
      await until("working orders", () => open() >= 2);
    }
    printKills("execution stuck", figures);
    expect(figures.every((f) => f.placeMs === 0)).toBe(true);
    const { code, summary } = await live.stop();
    expect(code).toBe(0);
    expectSameAccount(summary, venue.journal(), ["house", "hangs"]);
  },
  60_000 + KILL_TRIES * 10_000,
);

test("execution lane stuck and nobody looks: its silence is the kill", async () => {
  const { live, faults } = await trading();
  cause(faults, "hang-execution");
  const ended = await live.end();
  expect({ code: ended.code, open: open() }).toEqual({ code: 1, open: 0 });
  expect(ended.err).toMatch(/lane fused: no heartbeat for \d+ ms/);
  expect(word(live).reason).toMatch(/lane fused: no heartbeat/);
  await expectKilled(live);
}, 90_000);

test("main stuck: EXECUTION latches the kill and cancels by itself, well before the dead-man's switch", async () => {
  const { live, faults } = await trading();
  const sinceNs = monotonicNs();
  cause(faults, "hang-main");
  await nothingOpen();
  const { cancelMs } = since(sinceNs);
  expect(cancelMs).toBeLessThan(DEAD_MAN_MS);
  expect(venue.journal().filter((line) => line.k === "fault")).toEqual([]);
  expect(word(live).reason).toMatch(/main has not run for \d+ ms/);
  // Main comes back to a killed session, which goes on until somebody ends it or rearms.
  end(faults, "hang-main");
  await expectKilled(live);
  expect((await ctl(live.dir, "rearm", "--why", "main is back")).code).toBe(0);
  await until("working orders", () => open() > 0);
  const { code, summary } = await live.stop();
  expect(code).toBe(0);
  expectSameAccount(summary, venue.journal(), ["house", "hangs"]);
}, 90_000);

test("main and execution stuck: the venue's dead-man's switch ends the orders", async () => {
  const { live, faults } = await trading();
  const sinceNs = monotonicNs();
  cause(faults, "hang-main");
  cause(faults, "hang-execution");
  await nothingOpen();
  const { cancelMs, placeMs } = since(sinceNs);
  console.log(`main and execution stuck → last cancel by the dead-man's switch: ${cancelMs.toFixed(0)} ms`);
  expect(cancelMs).toBeLessThan(DEAD_MAN_MS + 1000);
  expect(placeMs).toBeLessThan(500);
  expect(venue.journal().some((line) => line.k === "fault" && line["fault"] === "countdown")).toBe(true);
  live.signal("SIGKILL");
  await live.end();
  // Whether the kill was latched depends on who hung first; nothing else may trade before the next start's checks.
  if (word(live).state === KILL_ARMED) openKillWord(live.dir).latch(KILL_KILLED, "test", Date.now());
  await expectWholeAfterwards(live.dir);
}, 90_000);

test("SIGSTOP: the dead-man's switch acts; after SIGCONT nothing quotes before books and account are new", async () => {
  const { live } = await trading();
  const stoppedNs = monotonicNs();
  live.signal("SIGSTOP");
  await nothingOpen();
  const { cancelMs } = since(stoppedNs);
  console.log(`SIGSTOP → last cancel by the dead-man's switch: ${cancelMs.toFixed(0)} ms`);
  expect(cancelMs).toBeLessThan(DEAD_MAN_MS + 500);
  await Bun.sleep(1500);
  const before = venue.journal().length;
  live.signal("SIGCONT");
  await until("orders again", () => open() > 0, 15_000);
  const woken = venue.journal().slice(before);
  const firstPlace = woken.findIndex(isPlace);
  const opened = (route: string) =>
    woken.findIndex((line) => line.k === "connection" && line["op"] === "open" && line["route"] === route);
  // New connections, a new snapshot after the public one, a new countdown: all before the first order.
  for (const route of ["public", "market", "private", "api"]) expect(opened(route)).toBeWithin(0, firstPlace);
  const { code, summary, err } = await live.stop();
  expect({ code, end: summary.end }).toEqual({ code: 0, end: "clean" });
  expect(err).toContain("main was held up");
  expectSameAccount(summary, venue.journal(), ["house", "hangs"]);
}, 90_000);

test("a short suspension, which the dead-man's switch survives, is answered the same way", async () => {
  const { live } = await trading();
  live.signal("SIGSTOP");
  await Bun.sleep(STALL_MS + 400);
  const before = venue.journal().length;
  live.signal("SIGCONT");
  const isNew = (line: JournalLine) =>
    line.k === "connection" && line["op"] === "open" && line["route"] === "public";
  await until("new connections", () => venue.journal().slice(before).some(isNew));
  await until("orders again", () => venue.journal().slice(before).some(isPlace), 15_000);
  const woken = venue.journal().slice(before);
  expect(woken.findIndex(isNew)).toBeLessThan(woken.findIndex(isPlace));
  const { code } = await live.stop();
  expect(code).toBe(0);
  // The switch: armed before the first order, renewed all the time, disarmed at the orderly end.
  const lines = venue.journal();
  const countdowns = lines.filter(
    (line) => line.k === "request" && line["op"].includes("countdownCancelAll"),
  );
  expect(countdowns[0]!.n).toBeLessThan(lines.find(isPlace)!.n);
  expect(countdowns.filter((line) => Number(line["params"].countdownTime) > 0).length).toBeGreaterThan(2 * 2);
  const last = new Map(
    countdowns.map((line) => [line["params"].symbol, Number(line["params"].countdownTime)]),
  );
  expect([...last.values()]).toEqual([0, 0]);
}, 90_000);

test("kill -9 of everything: the dead-man's switch ends the orders, and the next start finds the same account", async () => {
  const { live } = await trading();
  const sinceNs = monotonicNs();
  live.signal("SIGKILL");
  await live.end();
  await nothingOpen();
  expect(since(sinceNs).cancelMs).toBeLessThan(DEAD_MAN_MS + 500);
  await ctl(live.dir, "kill", "--why", "nothing runs");
  await expectWholeAfterwards(live.dir);
}, 90_000);
