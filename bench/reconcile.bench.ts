// A whole reconciliation of an account with 1,000 orders, over REST to a venue in its own process:
//
//   reconcile.listed   all of them are open and listed: orders, trades, positions twice, balances
//   reconcile.ended    all of them ended while nobody looked: each is asked for, 16 questions at a time
//
// The reference fetches the same answers with bare fetch and JSON.parse, as many at a time. Loopback: on a real
// venue the round trips come on top (about 70 of them one after the other in the second case).
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { allocateRecordMemory, type RecordSink } from "../src/core/record.ts";
import { startVenueProcess } from "../src/engine/venue-process.ts";
import type { Instrument } from "../src/market/instrument.ts";
import { ClientIdEncoder, formatClientId } from "../src/order/client-id.ts";
import type { OrderRequest } from "../src/order/gateway.ts";
import { type Credentials, credentialsFromFile } from "../src/venue/binance/credentials.ts";
import { BinanceGateway, newGatewayCounters } from "../src/venue/binance/gateway.ts";
import { BinanceRest } from "../src/venue/binance/rest.ts";
import { BunWebSocketTransport } from "../src/venue/transport/bun-websocket.ts";
import { LINK_DEFAULTS } from "../src/venue/transport/link.ts";
import { type Bench, type BenchSize, type Figures, figures, type OpenBench } from "./harness.ts";

const NONCE = { nonceLo: 4711, nonceHi: 1 };
const PER_SYMBOL = { full: 200, tiny: 10 } as const;
const ROUNDS = { full: 5, tiny: 1 } as const;
const SYMBOLS = ["AAUSDT", "BBUSDT", "CCUSDT", "DDUSDT", "EEUSDT"];
const AT_ONCE = 16;
const LATEST_NS = 60e9;
const NO_LATENCY = ["--entry-us", "0", "--response-us", "0", "--jitter", "0", "--rate-limit-factor", "1000"];

/** Room for everything; keeps only the last records. */
class OpenSink implements RecordSink {
  readonly memory = allocateRecordMemory(64);
  records = 0;

  hasRoom(): boolean {
    return true;
  }

  tryClaim(): number {
    return (this.records & 63) * 64;
  }

  commit(): void {
    this.records++;
  }

  publish(): void {}
}

interface Rig {
  readonly url: string;
  readonly credentials: Credentials;
  readonly rest: BinanceRest;
  readonly instruments: readonly Instrument[];
  readonly orders: readonly OrderRequest[];
  close(): Promise<void>;
}

const symbolOf = (rig: Rig, r: OrderRequest): string => rig.instruments[r.instrument - 1]!.symbol;
const clientIdOf = (r: OrderRequest): string =>
  formatClientId({ ...NONCE, strategy: r.strategy, clientSeq: r.clientSeq });

async function inGroups<T>(items: readonly T[], one: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(one));
}

/** A venue on which 1,000 orders of this session have been placed. */
async function openRig(size: BenchSize): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-reconcile-"));
  const entry = join(import.meta.dir, "../src/cli/venue.ts");
  const args = ["--symbols", SYMBOLS.join(","), ...NO_LATENCY];
  const venue = await startVenueProcess({ entry, dataDir: dir, args, startTimeoutMs: 20_000 });
  const url = `http://127.0.0.1:${venue.port}`;
  const credentials = (await credentialsFromFile(venue.credentialsFile))!;
  const rest = new BinanceRest({
    baseUrl: url,
    credentials,
    ...{ recvWindowMs: 5000, timeoutMs: 10_000, nowMs: () => Date.now() },
    defaultFees: { makerFeeE8: 20_000, takerFeeE8: 50_000 },
  });
  const listed = await rest.instruments(SYMBOLS, 1);
  if (!listed.ok) throw new Error(listed.message);
  const orders = listed.value.flatMap((instrument, k) =>
    Array.from({ length: PER_SYMBOL[size] }, (_, i) => ({
      ...{ clientSeq: k * PER_SYMBOL[size] + i + 1, instrument: instrument.id, strategy: 1, side: 1 },
      ...{ tif: 0, orderType: 0, reduceOnly: false, pxTicks: 9_700, qtyLots: 250 },
    })),
  );
  const rig: Rig = {
    ...{ url, credentials, rest, instruments: listed.value, orders },
    close: async () => {
      await venue.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await inGroups(orders, async (order) => {
    const placed = await rest.orderRequest("POST", {
      ...{ symbol: symbolOf(rig, order), newClientOrderId: clientIdOf(order), side: "BUY", type: "LIMIT" },
      ...{ timeInForce: "GTC", quantity: "0.250", price: "97.00" },
    });
    if (!placed.ok) throw new Error(placed.message);
  });
  return rig;
}

/** Time from the loss of sight to SYNCED, ns. */
async function reconcile(gateway: BinanceGateway, nowNs: () => number): Promise<number> {
  const started = monotonicNs();
  gateway.reconcile();
  while (!gateway.account.isSynced || gateway.pending > 0) {
    gateway.poll(nowNs());
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (monotonicNs() - started > LATEST_NS) throw new Error("the reconciliation did not end");
  }
  return monotonicNs() - started;
}

async function timed(rounds: number, ops: number, one: () => Promise<number>): Promise<Figures> {
  const times = new Float64Array(rounds);
  let total = 0;
  for (let i = 0; i < rounds; i++) {
    times[i] = await one();
    total += times[i]!;
  }
  return figures(times, rounds, total, ops);
}

async function ask(rig: Rig, path: string, parameters: Record<string, string>): Promise<unknown> {
  const query = new URLSearchParams({ ...parameters, timestamp: String(Date.now()) }).toString();
  const signature = createHmac("sha256", rig.credentials.revealSecret()).update(query).digest("hex");
  const headers = { "X-MBX-APIKEY": rig.credentials.revealApiKey() };
  return JSON.parse(
    await (await fetch(`${rig.url}${path}?${query}&signature=${signature}`, { headers })).text(),
  );
}

async function bareAnswers(rig: Rig, ended: boolean): Promise<number> {
  const started = monotonicNs();
  await Promise.all(SYMBOLS.map((symbol) => ask(rig, "/fapi/v1/openOrders", { symbol })));
  if (ended)
    await inGroups(rig.orders, (order) =>
      ask(rig, "/fapi/v1/order", { symbol: symbolOf(rig, order), origClientOrderId: clientIdOf(order) }),
    );
  await ask(rig, "/fapi/v3/positionRisk", {});
  for (const symbol of SYMBOLS) await ask(rig, "/fapi/v1/userTrades", { symbol });
  await ask(rig, "/fapi/v3/positionRisk", {});
  await ask(rig, "/fapi/v1/income", { incomeType: "FUNDING_FEE" });
  await ask(rig, "/fapi/v3/balance", {});
  return monotonicNs() - started;
}

async function openBench(size: BenchSize, ended: boolean): Promise<OpenBench> {
  const rig = await openRig(size);
  const baseMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const nowNs = () => Math.round((performance.timeOrigin - baseMs + performance.now()) * 1e6);
  const ws = rig.url.replace("http", "ws");
  const gateway = new BinanceGateway({
    instruments: rig.instruments,
    assets: ["", "USDT"],
    credentials: rig.credentials,
    ids: new ClientIdEncoder(NONCE.nonceLo, NONCE.nonceHi),
    rest: rig.rest,
    sink: new OpenSink(),
    ...{ baseMs, nowNs, seed: 1, recvWindowMs: 5000, orderTimeoutNs: 10e9 },
    connect: (handler) => new BunWebSocketTransport(handler, nowNs),
    link: LINK_DEFAULTS,
    wsApiUrl: `${ws}/ws-fapi/v1`,
    privateUrl: `${ws}/private`,
    killWord: () => 0,
    counters: newGatewayCounters(),
    reconcileEveryNs: Number.POSITIVE_INFINITY,
    foreignOrders: "refuse",
    workingOrders: () => rig.orders,
  });
  gateway.start();
  await reconcile(gateway, nowNs);
  if (ended) for (const symbol of SYMBOLS) await rig.rest.cancelAll(symbol);
  return {
    own: {
      round: () => timed(ROUNDS[size], rig.orders.length, () => reconcile(gateway, nowNs)),
      close: async () => {
        gateway.stop();
        await rig.close();
      },
    },
    reference: {
      name: "bare fetch and JSON.parse",
      round: () => timed(ROUNDS[size], rig.orders.length, () => bareAnswers(rig, ended)),
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "reconcile.listed",
    question: "ns to reconcile an account with 1,000 open orders",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 1,
    open: (size) => openBench(size, false),
  },
  {
    name: "reconcile.ended",
    question: "ns to reconcile when 1,000 orders have ended unseen",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 1,
    open: (size) => openBench(size, true),
  },
];
