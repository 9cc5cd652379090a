// What an operator does to a running instance: kill, rearm (with and without an instance), signals, shutdown.
// The venue's journal says what really happened. HOTLANE_KILLS tries of the kill print their figures. About 20 s.
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KILL_TRIES, type KillFigures, killOnce, printKills } from "./kill-figures.ts";
import { expectSameAccount } from "./live-checks.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  runLive,
  startVenue,
  summaryOf,
  until,
} from "./live-session.ts";
import { type JournalLine, openOrders } from "./venue-oracle.ts";

afterAll(endAll);

/** BTCUSDT and ETHUSDT quotes stay put for long at this speed, so that every try finds working orders. */
const CALM = "[sim]\nspeed = 2\n";

/** Quotes far from the touch that hardly ever move: they rest whenever the test looks, and do not fill. */
const FAR = `
[[strategies]]
name = "tick-mm"
module = "builtin:tick-mm"
instruments = ["ETHUSDT"]
params = { offset_ticks = 1000, min_move_ticks = 600 }
`;

const working = (live: LiveSession) => openOrders(live.journal()).length;
const someWork = (live: LiveSession) => until("working orders", () => working(live) > 0);
const places = (lines: readonly JournalLine[]) =>
  lines.filter((line) => line.k === "request" && line["op"] === "order.place").length;

test(
  `the kill word empties the account's book, ${KILL_TRIES} times, and only rearm lets orders out again`,
  async () => {
    // More kills a minute than the request weight of the real venue would carry.
    const venue = await startVenue(makeDataDir(), ["--speed", "2", "--rate-limit-factor", "20"]);
    const live = await LiveSession.start({ dir: makeDataDir(), toml: venue.toml() });
    const figures: KillFigures[] = [];
    for (let i = 0; i < KILL_TRIES; i++) {
      figures.push(await killOnce(live.dir, venue.journal));
      const quiet = places(venue.journal());
      await Bun.sleep(150);
      expect(places(venue.journal())).toBe(quiet);
      const rearmed = await ctl(live.dir, "rearm", "--why", "next try");
      expect({ code: rearmed.code, err: rearmed.err }).toEqual({ code: 0, err: "" });
    }
    printKills("all well", figures);
    await until("working orders", () => openOrders(venue.journal()).length > 0);
    const { code, summary } = await live.stop();
    expect({ code, drops: summary.drops }).toEqual({ code: 0, drops: 0 });
    expectSameAccount(summary, venue.journal());
    await venue.stop();
  },
  30_000 + KILL_TRIES * 6_000,
);

test("pause stops orders and cancels them while messages go on; resume lets them out", async () => {
  const live = await LiveSession.start({ dir: makeDataDir(), toml: CALM });
  await someWork(live);
  expect((await ctl(live.dir, "pause")).code).toBe(0);
  await until("no open order", () => working(live) === 0);
  const before = places(live.journal());
  const messages = async () => {
    const text = await live.text("/metrics");
    return Number(/^hotlane_feed_messages_total\S* (\d+)/m.exec(text)?.[1]);
  };
  const heard = await messages();
  await Bun.sleep(300);
  expect(places(live.journal())).toBe(before);
  expect(await messages()).toBeGreaterThan(heard);
  expect((await ctl(live.dir, "resume")).code).toBe(0);
  await someWork(live);
  const { code, summary } = await live.stop();
  expect(code).toBe(0);
  expectSameAccount(summary, live.journal());
}, 30_000);

test("a killed directory does not start until it is rearmed, which needs no running instance", async () => {
  const dir = makeDataDir();
  const live = await LiveSession.start({ dir, toml: CALM });
  await someWork(live);
  const killed = await ctl(dir, "kill", "--why", "enough");
  expect({ code: killed.code, out: killed.out.includes("confirmed") }).toEqual({ code: 0, out: true });
  expect(working(live)).toBe(0);
  const running = await live.stop();
  expect(running.code).toBe(0);
  const starts = live.journal().filter((line) => line.k === "start").length;

  const refused = await runLive(["--data-dir", dir, "--port", "0", "--json"]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain(`ctl rearm --env sim --data-dir ${dir}`);
  expect(live.journal().filter((line) => line.k === "start").length).toBe(starts);

  const elsewhere = await ctl(makeDataDir(), "rearm");
  expect({ code: elsewhere.code, says: elsewhere.err.includes("no kill word here") }).toEqual({
    ...{ code: 1, says: true },
  });
  expect((await ctl(dir, "rearm", "--why", "looked at it")).code).toBe(0);
  const audit = readFileSync(join(dir, "audit.jsonl"), "utf8").trimEnd().split("\n").at(-1)!;
  expect(JSON.parse(audit)).toMatchObject({ command: "rearm", ok: true, why: "looked at it" });

  const again = await LiveSession.start({ dir, toml: CALM });
  await someWork(again);
  const ended = await again.stop();
  expect(ended.code).toBe(0);
  expectSameAccount(ended.summary, again.journal());
}, 40_000);

test("two signals at once are one; a later second one ends at once and says that orders may work", async () => {
  const twice = await LiveSession.start({ dir: makeDataDir(), toml: CALM });
  await someWork(twice);
  twice.signal("SIGINT");
  twice.signal("SIGINT");
  const clean = await twice.end();
  expect({ code: clean.code, end: summaryOf(clean).end, open: working(twice) }).toEqual({
    ...{ code: 0, end: "clean", open: 0 },
  });

  const stuck = await LiveSession.start({ dir: makeDataDir(), toml: CALM + FAR });
  await someWork(stuck);
  await stuck.fault({ kind: "http5xx", count: 1000, status: 503 });
  await stuck.fault({ kind: "stall", route: "api", ms: 30_000 });
  await stuck.fault({ kind: "stall", route: "private", ms: 30_000 });
  stuck.signal("SIGTERM");
  await Bun.sleep(800);
  stuck.signal("SIGTERM");
  const ended = await stuck.end();
  expect(ended.code).toBe(4);
  expect(ended.err).toContain("orders may be working");
}, 40_000);

test("ctl shutdown leaves nothing; --keep leaves orders, and the next start goes on with them", async () => {
  const venueDir = makeDataDir();
  const venue = await startVenue(venueDir, ["--speed", "2"]);
  const dir = makeDataDir();
  const start = () => LiveSession.start({ dir, toml: venue.toml() + FAR });
  const open = () => openOrders(venue.journal());
  let live = await start();
  await until("working orders", () => open().length > 0);
  expect((await ctl(dir, "shutdown")).code).toBe(0);
  expect({ code: (await live.end()).code, open: open() }).toEqual({ code: 0, open: [] });

  live = await start();
  await until("working orders", () => open().length > 0);
  expect((await ctl(dir, "shutdown", "--keep")).code).toBe(0);
  const kept = await live.end();
  expect(kept.code).toBe(0);
  expect(kept.err).toContain("working orders stay at the venue");
  const left = open();
  expect(left.length).toBeGreaterThan(0);

  live = await start();
  const ended = await live.stop();
  expect(ended.err).toContain(
    `${left.length} orders that the session before kept go on with their strategies`,
  );
  const lines = venue.journal();
  expect(openOrders(lines)).toEqual([]);
  expectSameAccount(ended.summary, lines);
  await venue.stop();
}, 40_000);
