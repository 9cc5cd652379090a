// A session that starts when the account has used much of its minute: what counts are the account's own limits, which
// can be higher than the venue's usual ones. About 5 s.
import { afterAll, expect, test } from "bun:test";
import { endAll, LiveSession, makeDataDir, startVenue, until } from "../e2e/live-session.ts";

afterAll(endAll);

const DEPTH_WEIGHT = 20;
/** More than the usual 2,400 a minute; this account has twenty times that. */
const USED_WEIGHT = 3_000;
const READY_MS = 15_000;

test("it reconciles and trades, although the usual limits of a minute are used up", async () => {
  const venue = await startVenue(makeDataDir(), ["--speed", "4", "--rate-limit-factor", "20"]);
  for (let used = 0; used < USED_WEIGHT; used += DEPTH_WEIGHT)
    expect((await fetch(`${venue.url}/fapi/v1/depth?symbol=ETHUSDT&limit=1000`)).ok).toBe(true);
  const live = await LiveSession.start({ dir: makeDataDir(), toml: venue.toml() });
  await until("readiness", async () => (await live.get<{ ready: boolean }>("/health")).ready, READY_MS);
  const { code, summary } = await live.stop();
  expect({ code, end: summary.end }).toEqual({ code: 0, end: "clean" });
  expect(summary.feed.resyncs).toBe(0);
  await venue.stop();
}, 60_000);
