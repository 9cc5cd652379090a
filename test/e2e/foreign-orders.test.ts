// Orders that no session of ours placed, found at the start and later, under each policy. About 15 s.
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import type { OrderView } from "../../src/control/engine-control.ts";
import { credentialsFromFile } from "../../src/venue/binance/credentials.ts";
import { BinanceRest } from "../../src/venue/binance/rest.ts";
import { puppetToml, STRATEGIES } from "../simulation/fault-stage.ts";
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
import { openOrders } from "./venue-oracle.ts";

const BY_HAND = "by-hand-1";
const FLAGS = ["--symbols", "ETHUSDT", "--rate-limit-factor", "50"];

let venue: SeparateVenue;
let rest: BinanceRest;

beforeEach(async () => {
  const dir = makeDataDir();
  venue = await startVenue(dir, FLAGS);
  rest = new BinanceRest({
    baseUrl: venue.url,
    credentials: await credentialsFromFile(`${dir}/credentials`),
    ...{ recvWindowMs: 5000, timeoutMs: 2000, nowMs: () => Date.now() },
    defaultFees: { makerFeeE8: 20_000, takerFeeE8: 50_000 },
  });
});
afterEach(() => venue.stop());
afterAll(endAll);

async function placeByHand(): Promise<void> {
  const placed = await rest.orderRequest("POST", {
    ...{ symbol: "ETHUSDT", newClientOrderId: BY_HAND, side: "BUY", type: "LIMIT", timeInForce: "GTC" },
    ...{ quantity: "0.040", price: "2600.00" },
  });
  if (!placed.ok) throw new Error(placed.message);
}

const start = (policy: string, dir = makeDataDir()): Promise<LiveSession> =>
  LiveSession.start({ dir, toml: puppetToml(venue), args: ["--set", `venue.foreign_orders="${policy}"`] });
const health = async (live: LiveSession) => (await live.get<{ ready: boolean }>("/health")).ready;
const fill = (lots: number) =>
  fetch(`${venue.url}/sim/fault`, {
    method: "POST",
    body: JSON.stringify({ kind: "fill", symbol: "ETHUSDT", lots }),
  });

async function expectCleanEnd(live: LiveSession): Promise<void> {
  const { code, summary } = await live.stop();
  const lines = venue.journal();
  expect({ code, open: openOrders(lines) }).toEqual({ code: 0, open: [] });
  expectSameAccount(summary, lines, STRATEGIES);
  await expectFillsOnce(live.dir, lines);
}

test("refuse: the start fails and names it; one that comes later denies new orders until it is gone", async () => {
  await placeByHand();
  const dir = makeDataDir();
  expect(start("refuse", dir)).rejects.toThrow(
    /exit 1[\s\S]*no session of this data directory placed: ETHUSDT by-hand-1/,
  );
  expect(openOrders(venue.journal())).toEqual([BY_HAND]);
  await rest.cancelAll("ETHUSDT");

  const live = await start("refuse", dir);
  await until("readiness", () => health(live));
  await placeByHand();
  await until("denial", async () => !(await health(live)));
  expect((await live.get<{ problems: string[] }>("/health")).problems.join()).toContain("reconcil");
  await rest.cancelAll("ETHUSDT");
  await until("readiness again", () => health(live));
  await expectCleanEnd(live);
}, 40_000);

test("cancel: it is gone before anything trades, and so is one that comes later", async () => {
  await placeByHand();
  const live = await start("cancel");
  expect(openOrders(venue.journal())).toEqual([]);
  await until("readiness", () => health(live));
  await placeByHand();
  await until("its end", () => openOrders(venue.journal()).length === 0);
  await expectCleanEnd(live);
}, 40_000);

test("adopt: house holds it, shows it, books its fills, and cancels it with everything else", async () => {
  await placeByHand();
  const live = await start("adopt");
  await until("readiness", () => health(live));
  const orders = () => live.get<OrderView[]>("/api/orders?open=true");
  await until("the order", async () => (await orders()).length === 1);
  expect((await orders())[0]).toMatchObject({
    strategy: "house",
    side: "buy",
    qty: "0.04",
    state: "working",
  });
  await fill(15);
  await until("its fill", async () => (await orders())[0]?.state === "partiallyFilled");
  expect((await ctl(live.dir, "cancel-all", "--why", "a test")).code).toBe(0);
  await until("its end", () => openOrders(venue.journal()).length === 0);
  await placeByHand();
  await until("the next one", async () => (await orders()).length === 1);
  await fill(40);
  await until("its end by trading", async () => (await orders()).length === 0);
  await expectCleanEnd(live);
}, 40_000);
