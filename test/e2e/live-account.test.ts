// One netted account: two strategies on one instrument, a person who trades beside them, funding, a restart in the
// middle. The venue's journal is the oracle for each strategy, for house and for the account. About 20 s.
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expectFillsOnce, expectSameAccount } from "./live-checks.ts";
import { endAll, LiveSession, makeDataDir, startVenue, until } from "./live-session.ts";
import { e8Of, holdings, type JournalLine, nonceOf, openOrders, scaled } from "./venue-oracle.ts";

afterAll(endAll);

const strategy = (name: string, params: string) =>
  `[[strategies]]\nname = "${name}"\nmodule = "builtin:tick-mm"\ninstruments = ["ETHUSDT"]\nparams = {${params}}\n`;
const STRATEGIES = ["house", "near", "far"];
const TOML = `[[instruments]]
symbol = "ETHUSDT"
${strategy("near", "offset_ticks = 0, skew_ticks = 60")}
${strategy("far", "offset_ticks = 12, order_qty = 0.08")}`;

/** A person's own market order, with the account's key. */
async function manualOrder(url: string, dir: string, side: string, quantity: string): Promise<void> {
  const { apiKey, apiSecret } = JSON.parse(readFileSync(join(dir, "credentials"), "utf8"));
  const query = new URLSearchParams({
    ...{ symbol: "ETHUSDT", side, type: "MARKET", quantity, timestamp: String(Date.now()) },
  });
  const signature = new Bun.CryptoHasher("sha256", apiSecret).update(query.toString()).digest("hex");
  const answer = await fetch(`${url}/fapi/v1/order?${query}&signature=${signature}`, {
    method: "POST",
    headers: { "X-MBX-APIKEY": apiKey },
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Moments at which two orders of strategies could trade with each other. */
function crossings(lines: readonly JournalLine[]): number {
  const open = new Map<string, { side: string; px: number }>();
  let crossed = 0;
  for (const line of lines) {
    // Strategies are kept from each other, not from the person beside them.
    if (line.k !== "order" || nonceOf(line["c"]) === "") continue;
    const over = line["X"] !== "NEW" && line["X"] !== "PARTIALLY_FILLED";
    if (over) open.delete(line["c"]);
    else open.set(line["c"], { side: String(line["side"]), px: Number(line["px"]) });
    const prices = (buy: boolean) =>
      [...open.values()].filter((o) => Number(o.side) > 0 === buy).map((o) => o.px);
    if (Math.max(...prices(true)) >= Math.min(...prices(false))) crossed++;
  }
  return crossed;
}

test("attribution, house, funding and no self-match, over a restart", async () => {
  const venueDir = makeDataDir();
  const funding = ["--funding-ms", "1500", "--funding-rate", "0.001"];
  const venue = await startVenue(venueDir, ["--speed", "10", "--rate-limit-factor", "20", ...funding]);
  const dir = makeDataDir();
  const start = () => LiveSession.start({ dir, toml: venue.toml() + TOML });
  const count = (is: (line: JournalLine) => boolean) => venue.journal().filter(is).length;
  const paid = () => count((line) => line.k === "funding");

  let live = await start();
  const bothFill = () =>
    [...holdings(venue.journal()).values()].filter((h) => h.strategy > 0 && h.fills > 3).length === 2;
  await until("fills of both", bothFill, 30_000);
  await manualOrder(venue.url, venueDir, "BUY", "0.7");
  const before = paid();
  await until("funding", () => paid() > before + 1, 15_000);
  // The stream says that something was paid, the income history for what: it has a moment to answer.
  await Bun.sleep(500);
  const first = await live.stop();
  expect(first.code).toBe(0);
  // Nobody watches: what is paid now is found in the history by the next session.
  const unwatched = paid();
  await until("funding while nothing runs", () => paid() > unwatched, 10_000);
  live = await start();
  await until("working orders", () => openOrders(venue.journal()).length > 0);
  await manualOrder(venue.url, venueDir, "SELL", "0.2");
  const again = paid();
  await until("funding", () => paid() > again, 15_000);
  await Bun.sleep(500);
  const { code, summary } = await live.stop();
  expect(code).toBe(0);
  await venue.stop();

  const lines = venue.journal();
  expectSameAccount(summary, lines, STRATEGIES);
  await expectFillsOnce(dir, lines);
  const house = summary.positions.find((p) => p.strategy === "house")!;
  expect(scaled(house.qty)).toBe(scaled("0.5"));
  const amount = lines
    .filter((line) => line.k === "funding")
    .reduce((sum, line) => sum + BigInt(line["amount"]), 0n);
  expect(amount).not.toBe(0n);
  expect(scaled(summary.pnl["USDT"]!.funding)).toBe(e8Of(amount));
  expect(crossings(lines)).toBe(0);
}, 90_000);
