// What stands between a start and real orders: `--env live` needs a word in the configuration and credentials, and
// shows the account before the first order; `--env sim` never leaves this machine. About 10 s.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import {
  endAll,
  LiveSession,
  makeDataDir,
  runLive,
  type SeparateVenue,
  startVenue,
  until,
} from "./live-session.ts";
import { openOrders } from "./venue-oracle.ts";

afterAll(endAll);

const NO_CREDENTIALS = { HOTLANE_API_KEY: "", HOTLANE_API_SECRET: "", HOTLANE_PRIVATE_KEY: "" };

/** A venue's addresses, which happen to be loopback. */
function addresses(venue: SeparateVenue): Record<string, string> {
  const ws = venue.url.replace("http", "ws");
  return {
    rest_url: venue.url,
    public_url: `${ws}/public`,
    market_url: `${ws}/market`,
    private_url: `${ws}/private`,
    ws_api_url: `${ws}/ws-fapi/v1`,
  };
}

const flags = (venue: SeparateVenue): string[] =>
  Object.entries(addresses(venue)).flatMap(([key, url]) => ["--set", `venue.${key}=${url}`]);

test("live without allow_live, or without credentials, is refused before anything is asked of the venue", async () => {
  const venue = await startVenue(makeDataDir());
  const live = (...more: string[]) =>
    runLive(["--env", "live", "--data-dir", makeDataDir(), ...flags(venue), ...more], NO_CREDENTIALS);
  const unarmed = await live();
  expect({ code: unarmed.code, says: unarmed.err.includes("allow_live") }).toEqual({ code: 2, says: true });
  const unsigned = await live("--set", "engine.allow_live=true");
  expect({ code: unsigned.code, says: unsigned.err.includes("no credentials") }).toEqual({
    code: 2,
    says: true,
  });
  expect(venue.journal().filter((line) => line.k === "request" || line.k === "connection")).toEqual([]);
  await venue.stop();
}, 30_000);

test("live shows account, positions and limits before the first order leaves", async () => {
  const venueDir = makeDataDir();
  const venue = await startVenue(venueDir, ["--speed", "4", "--balance", "12345"]);
  const toml = [
    "allow_live = true",
    "[venue]",
    `credentials_file = "${join(venueDir, "credentials")}"`,
    ...Object.entries(addresses(venue)).map(([key, url]) => `${key} = "${url}"`),
    "",
  ].join("\n");
  const live = await LiveSession.start({ dir: makeDataDir(), toml, args: ["--env", "live"] });
  await until("working orders", () => openOrders(venue.journal()).length > 0);
  const { code, err } = await live.stop();
  expect(code).toBe(0);
  type Line = { msg: string; time: string; balances?: unknown[]; account?: object; leverage?: object };
  const lines = err.split("\n").flatMap((line): Line[] => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const shown = (message: string) => lines.find((line) => line.msg === message)!;
  expect(shown("live account").balances).toEqual([
    { asset: "USDT", wallet: "12345.00000000", available: "12345.00000000" },
  ]);
  expect(shown("live account").leverage).toEqual({ BTCUSDT: 20, ETHUSDT: 20 });
  expect(shown("live limits").account).toMatchObject({ dailyLossHard: "100", maxDrawdown: "100" });
  const firstPlace = venue.journal().find((line) => line["op"] === "order.place")!;
  for (const message of [
    "LIVE: real orders on this account",
    "live account",
    "live positions",
    "live limits",
  ])
    expect(Date.parse(shown(message).time)).toBeLessThanOrEqual(firstPlace.ms);
  await venue.stop();
}, 40_000);

test("sim refuses an address beyond this machine", async () => {
  for (const setting of ["sim.url=http://192.0.2.1:1", "venue.rest_url=https://fapi.binance.com"]) {
    const refused = await runLive(["--set", setting, "--data-dir", makeDataDir()]);
    expect({ code: refused.code, says: refused.err.includes("loopback") }).toEqual({ code: 2, says: true });
  }
}, 20_000);
