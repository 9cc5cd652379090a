// The Binance connector against the simulated venue in a process of its own: the book it rebuilds, the orders
// it sends, the faults it survives. Runs longer than a unit test (about 15 s): the venue plays in real time.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RECORD_BYTES } from "../../src/core/record.ts";
import type { OrderRequest } from "../../src/order/gateway.ts";
import { SEND_KILLED, SEND_OK } from "../../src/order/gateway.ts";
import { Credentials } from "../../src/venue/binance/credentials.ts";
import type { DepthSnapshot } from "../../src/venue/binance/messages.ts";
import { parseExact } from "../../src/venue/binance/messages.ts";
import {
  EXEC_AMENDED,
  EXEC_CANCEL_REJECTED,
  EXEC_CANCELED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_STATUS,
  EXEC_TRADE,
  EXEC_UNKNOWN,
  FEED_REASON_HEARTBEAT,
  FEED_STALE,
  FEED_SYNCED,
  KILL_KILLED,
  ORDER_CANCELED,
  ORDER_REJECTED,
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_MARKET,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
  SOURCE_USER_STREAM,
  TIF_GTC,
  TIF_GTX,
} from "../../src/wire/codes.ts";
import {
  Fill,
  FillDetail,
  FLAG_RECOVERED,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  KIND_FEED_STATUS,
  KIND_FILL,
  KIND_ORDER_REPORT,
  KIND_POSITION,
  OrderReport,
  OrderReportDetail,
  Position,
} from "../../src/wire/messages.gen.ts";
import { id64 } from "../unit/venue/binance/fixtures.ts";
import { RebuiltBook } from "../unit/venue/binance/rebuilt-book.ts";
import { ConnectorRig, TEST_LINK, VenueProcess } from "./binance-rig.ts";

const SPEED = 20;
const LEVELS_COMPARED = 400;
const venue = new VenueProcess();
const ed25519 = generateKeyPairSync("ed25519");

beforeAll(async () => {
  const pem = join(venue.folder, "key.pem");
  writeFileSync(pem, ed25519.publicKey.export({ type: "spki", format: "pem" }));
  await venue.start("--speed", String(SPEED), "--ed25519-key", `ed-key=${pem}`);
}, 20_000);

afterAll(() => venue.stop());

const hmac = (): Credentials => new Credentials("hmac", "hotlane-sim", venue.secret);
const ed = (): Credentials =>
  new Credentials("ed25519", "ed-key", ed25519.privateKey.export({ type: "pkcs8", format: "pem" }) as string);

/** The best levels of a side as text, best first. */
function top(levels: readonly (readonly [number, number])[], sign: number): string {
  const sorted = [...levels].filter(([, q]) => q > 0).sort((a, b) => sign * (b[0] - a[0]));
  return sorted
    .slice(0, LEVELS_COMPARED)
    .map(([p, q]) => `${p}:${q}`)
    .join(",");
}

const scaled = (text: string, factor: number): number => Math.round(Number(text) * factor);

describe("market data", () => {
  let rig: ConnectorRig;
  let books: RebuiltBook[];
  let history: Map<string, string>[];

  beforeEach(async () => {
    rig = new ConnectorRig(venue.port, hmac());
    await rig.load(["BTCUSDT", "ETHUSDT"]);
    history = [new Map(), new Map()];
    books = [1, 2].map((id) => new RebuiltBook(id));
    for (const [i, book] of books.entries()) {
      book.onEvent = () => history[i]!.set(book.updateId, bookText(book));
    }
    rig.startFeed();
  });

  const consume = (): void => {
    const first = rig.feedSink.copy();
    const count = rig.feedSink.count;
    books[0]!.consume(rig.feedSink);
    books[1]!.consume({ ...rig.feedSink, memory: first, count, drain: () => {} } as typeof rig.feedSink);
  };
  const bookText = (b: RebuiltBook): string => `${top([...b.bids], 1)}|${top([...b.asks], -1)}`;

  /** Compares with the venue's own book at the same update id, as often as that can be caught. */
  async function compare(index: number, symbol: string, pxFactor: number, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const reply = parseExact(await venue.get(`/sim/book?symbol=${symbol}`)) as DepthSnapshot;
      await rig.until(
        `update ${reply.lastUpdateId}`,
        () => history[index]!.has(reply.lastUpdateId),
        3000,
        consume,
      );
      const side = (levels: DepthSnapshot["bids"]): [number, number][] =>
        levels.map(([p, q]) => [scaled(p, pxFactor), scaled(q, 1000)]);
      const expected = `${top(side(reply.bids), 1)}|${top(side(reply.asks), -1)}`;
      expect(history[index]!.get(reply.lastUpdateId)).toBe(expected);
    }
  }

  test("the rebuilt books equal the venue's at the same update id over 30 s of market", async () => {
    await rig.until("both synced", () => books.every((b) => b.isSynced), 4000, consume);
    await rig.until("30 s of market", () => books[0]!.events > 550, 6000, consume);
    await compare(0, "BTCUSDT", 10, 5);
    await compare(1, "ETHUSDT", 100, 2);
    const c = rig.feedCounters;
    expect([c.malformed, c.offStep, c.tooLarge, c.unknownEvents, c.unknownSymbols]).toEqual([0, 0, 0, 0, 0]);
    expect(rig.feed.writer.lostRecords).toBe(0);
    expect(books.map((b) => b.snapshots)).toEqual([1, 1]);
    rig.stop();
  }, 20_000);

  test.each(["gap", "malformed", "truncated"])(
    "after a %s the book is stale, then right again",
    async (kind) => {
      await rig.until("synced", () => books[0]!.isSynced, 4000, consume);
      await venue.fault({ kind, symbol: "BTCUSDT", count: 1 });
      await rig.until("stale", () => books[0]!.statuses.some((s) => s.state === FEED_STALE), 3000, consume);
      await rig.until("synced again", () => books[0]!.isSynced, 5000, consume);
      await compare(0, "BTCUSDT", 10, 1);
      rig.stop();
    },
    20_000,
  );

  test("a message of a megabyte is read and the book stays right", async () => {
    await rig.until("synced", () => books[0]!.isSynced, 4000, consume);
    await venue.fault({ kind: "huge", symbol: "BTCUSDT", count: 1 });
    const growths = (): number => rig.feed.publicLink.transport.counters.bufferGrowths;
    await rig.until("the huge message", () => growths() > 0, 4000, consume);
    await compare(0, "BTCUSDT", 10, 1);
    expect([books[0]!.isSynced, books[0]!.snapshots]).toEqual([true, 1]);
    rig.stop();
  }, 20_000);

  test("a stalled route is noticed by its silence", async () => {
    rig.stop();
    rig.feedSink.drain();
    for (const book of books) book.sequence = -1;
    rig.startFeed({ ...TEST_LINK, quietNs: 400e6 });
    await rig.until("synced", () => books[0]!.isSynced, 4000, consume);
    await venue.fault({ kind: "stall", route: "public", ms: 900 });
    const silent = (): boolean => books[0]!.statuses.some((s) => s.reason === FEED_REASON_HEARTBEAT);
    await rig.until("stale by heartbeat", silent, 3000, consume);
    await rig.until("synced again", () => books[0]!.isSynced, 5000, consume);
    await compare(0, "BTCUSDT", 10, 1);
    rig.stop();
  }, 20_000);

  test("a cut connection is replaced and the book is right again", async () => {
    await rig.until("synced", () => books[0]!.isSynced, 4000, consume);
    await venue.fault({ kind: "cut", route: "public" });
    await rig.until("stale", () => books[0]!.state === FEED_STALE, 3000, consume);
    await rig.until("synced again", () => books[0]!.isSynced, 5000, consume);
    await compare(0, "BTCUSDT", 10, 1);
    expect(rig.feed.publicLink.connects).toBe(2);
    rig.stop();
  }, 20_000);
});

interface Report {
  readonly clientSeq: number;
  readonly exec: number;
  readonly state: number;
  readonly source: number;
  readonly code: number;
  readonly cum: number;
  readonly px: number;
  readonly nonceLo: number;
}

/** Reads and keeps what the gateway wrote. */
class OrderLog {
  readonly reports: Report[] = [];
  readonly fills: {
    seq: number;
    qty: number;
    recovered: boolean;
    trade: string;
    nonceLo: number;
    fee: number;
  }[] = [];
  readonly positions = new Map<number, number>();
  readonly states: number[] = [];

  consume(rig: ConnectorRig): void {
    const sink = rig.orderSink;
    const m = sink.memory;
    for (let i = 0; i < sink.count; i++) {
      const at = i * RECORD_BYTES;
      const kind = m.u16[(at >> 1) + HEADER_KIND];
      const flags = m.u16[(at >> 1) + HEADER_FLAGS]!;
      const instrument = m.u16[(at >> 1) + HEADER_INSTRUMENT]!;
      if (kind === KIND_ORDER_REPORT) {
        const r = new OrderReport(m).wrap(m, at);
        const d = new OrderReportDetail(m).wrap(m, at + RECORD_BYTES);
        this.reports.push({
          clientSeq: r.clientSeq,
          exec: r.execType,
          state: r.orderState,
          source: r.source,
          code: d.rejectCode,
          cum: r.cumQtyLots,
          px: r.pxTicks,
          nonceLo: d.clientNonceLo,
        });
      } else if (kind === KIND_FILL) {
        const f = new Fill(m).wrap(m, at);
        const d = new FillDetail(m).wrap(m, at + RECORD_BYTES);
        this.fills.push({
          seq: f.clientSeq,
          qty: f.qtyLots,
          recovered: (flags & FLAG_RECOVERED) !== 0,
          trade: id64(f.tradeIdLo, f.tradeIdHi),
          nonceLo: d.clientNonceLo,
          fee: d.feeE8,
        });
      } else if (kind === KIND_POSITION) {
        this.positions.set(instrument, new Position(m).wrap(m, at).qtyLots);
      } else if (kind === KIND_FEED_STATUS) this.states.push(rig.gateway.account.state);
    }
    sink.drain();
  }

  has(clientSeq: number, exec: number): boolean {
    return this.reports.some((r) => r.clientSeq === clientSeq && r.exec === exec);
  }
}

describe.each([
  ["HMAC per request", hmac],
  ["Ed25519 log-on", ed],
] as const)("orders with %s", (_name, credentials) => {
  let rig: ConnectorRig;
  let log: OrderLog;
  let seq = 0;
  let bestBid = 0;

  const order = (changes: Partial<OrderRequest> = {}): OrderRequest => ({
    clientSeq: ++seq,
    instrument: 1,
    strategy: 3,
    side: SIDE_BUY,
    tif: TIF_GTX,
    orderType: ORDER_TYPE_LIMIT,
    reduceOnly: false,
    pxTicks: bestBid - 2000,
    qtyLots: 10,
    ...changes,
  });
  const market = (side: number): OrderRequest =>
    order({ side, tif: TIF_GTC, orderType: ORDER_TYPE_MARKET, pxTicks: 0 });
  const until = (what: string, done: () => boolean, limitMs = 4000): Promise<void> =>
    rig.until(what, done, limitMs, () => log.consume(rig));

  async function refreshBid(): Promise<void> {
    const ticker = JSON.parse(await venue.get("/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")) as {
      bidPrice: string;
    };
    bestBid = Math.round(Number(ticker.bidPrice) * 10);
  }

  beforeEach(async () => {
    await venue.fault({ kind: "clear" });
    rig = new ConnectorRig(venue.port, credentials());
    log = new OrderLog();
    await rig.load(["BTCUSDT"]);
    rig.startGateway();
    await until("ready", () => rig.gateway.ready);
    await refreshBid();
  });

  test("place, modify and cancel are answered and reported by the stream", async () => {
    const request = order();
    expect(rig.gateway.place(request)).toBe(SEND_OK);
    await until("accepted", () => log.has(request.clientSeq, EXEC_NEW));
    request.pxTicks -= 50;
    request.qtyLots = 12;
    expect(rig.gateway.modify(request)).toBe(SEND_OK);
    await until("amended", () =>
      log.reports.some((r) => r.exec === EXEC_AMENDED && r.px === request.pxTicks),
    );
    expect(rig.gateway.cancel(request)).toBe(SEND_OK);
    const canceled = (): boolean =>
      log.reports.some((r) => r.exec === EXEC_CANCELED && r.source === SOURCE_USER_STREAM);
    await until("cancelled", canceled);
    expect(log.reports.every((r) => r.nonceLo === rig.nonceLo && r.clientSeq === request.clientSeq)).toBe(
      true,
    );
    expect(rig.gateway.pending).toBe(0);
    expect([rig.orderCounters.restRequests, rig.orderCounters.malformedReplies]).toEqual([0, 0]);
    rig.stop();
  }, 15_000);

  test("a market order fills, and position and fee follow", async () => {
    const before = log.positions.get(1) ?? 0;
    const request = market(SIDE_BUY);
    expect(rig.gateway.place(request)).toBe(SEND_OK);
    await until("filled", () => log.fills.reduce((sum, f) => sum + f.qty, 0) === 10);
    await until("position", () => log.positions.get(1) === before + 10);
    expect(log.has(request.clientSeq, EXEC_TRADE)).toBe(true);
    expect(log.fills.every((f) => f.fee > 0 && f.nonceLo === rig.nonceLo)).toBe(true);
    expect(rig.gateway.place(market(SIDE_SELL))).toBe(SEND_OK);
    await until("flat again", () => log.positions.get(1) === before);
    rig.stop();
  }, 15_000);

  test("a refusal carries the venue's code", async () => {
    const request = order({ pxTicks: bestBid + 5000 });
    rig.gateway.place(request);
    await until("rejected", () => log.has(request.clientSeq, EXEC_REJECTED));
    expect(log.reports.at(-1)!.code).toBeLessThan(-1000);
    const nobody = order();
    rig.gateway.cancel(nobody);
    await until("cancel rejected", () => log.has(nobody.clientSeq, EXEC_CANCEL_REJECTED));
    expect(log.reports.at(-1)!.code).toBe(-2011);
    rig.stop();
  }, 15_000);

  test("the kill word stops places at the socket; cancels pass", async () => {
    const request = order();
    rig.gateway.place(request);
    await until("accepted", () => log.has(request.clientSeq, EXEC_NEW));
    rig.killWord = KILL_KILLED;
    expect(rig.gateway.place(order())).toBe(SEND_KILLED);
    expect(rig.gateway.modify(request)).toBe(SEND_KILLED);
    expect(rig.gateway.cancel(request)).toBe(SEND_OK);
    await until("cancelled", () => log.has(request.clientSeq, EXEC_CANCELED));
    rig.stop();
  }, 15_000);

  test("-1007 leaves the order unknown until the venue proves that it landed", async () => {
    await venue.fault({ kind: "unknown", count: 1, land: true });
    const request = order();
    rig.gateway.place(request);
    await until("unknown", () => log.has(request.clientSeq, EXEC_UNKNOWN));
    const proof = (): Report | undefined => log.reports.find((r) => r.exec === EXEC_STATUS);
    await until("proved", () => proof() !== undefined);
    expect(proof()!.state).toBe(ORDER_WORKING);
    expect(log.has(request.clientSeq, EXEC_REJECTED)).toBe(false);
    expect(rig.gateway.pending).toBe(0);
    rig.gateway.cancel(request);
    await until("cancelled", () => log.has(request.clientSeq, EXEC_CANCELED));
    rig.stop();
  }, 15_000);

  test("-1007 of an order that never landed is proved only after its validity has passed", async () => {
    await venue.fault({ kind: "unknown", count: 1, land: false });
    const request = order();
    const sentMs = performance.now();
    rig.gateway.place(request);
    const proof = (): Report | undefined => log.reports.find((r) => r.exec === EXEC_STATUS);
    await until("proved", () => proof() !== undefined, 9000);
    expect(proof()!.state).toBe(ORDER_REJECTED);
    expect(performance.now() - sentMs).toBeGreaterThan(3000);
    rig.stop();
  }, 15_000);
});

test("what happened while the user stream was down is recovered once", async () => {
  const rig = new ConnectorRig(venue.port, hmac());
  const log = new OrderLog();
  const until = (what: string, done: () => boolean): Promise<void> =>
    rig.until(what, done, 6000, () => log.consume(rig));
  await rig.load(["BTCUSDT"]);
  rig.startGateway();
  await until("ready", () => rig.gateway.ready);
  const ticker = JSON.parse(await venue.get("/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")) as {
    bidPrice: string;
  };
  const request: OrderRequest = {
    clientSeq: 901,
    instrument: 1,
    strategy: 3,
    side: SIDE_BUY,
    tif: TIF_GTX,
    orderType: ORDER_TYPE_LIMIT,
    reduceOnly: false,
    pxTicks: Math.round(Number(ticker.bidPrice) * 10) - 3000,
    qtyLots: 10,
  };
  rig.gateway.place(request);
  await until("accepted", () => log.has(901, EXEC_NEW));
  rig.working = [request];
  // The venue goes on while we do not look: the stream ends, the order is cancelled and another one fills.
  rig.gateway.account.users.link.close(0);
  expect(rig.gateway.ready).toBe(false);
  // Of another session: nonce 1, clientSeq 259 = "77" in base 36.
  const clientId = `h${"1".padStart(11, "0")}-3-77`;
  const direct = {
    symbol: "BTCUSDT",
    side: "BUY",
    type: "MARKET",
    quantity: "0.010",
    newClientOrderId: clientId,
  };
  const placed = await rig.rest.orderRequest("POST", direct);
  expect(placed.ok).toBe(true);
  expect((await rig.rest.cancelAll("BTCUSDT")).ok).toBe(true);
  await until("reconciled", () => rig.gateway.ready);
  const recovered = log.fills.filter((f) => f.recovered && f.nonceLo === 1);
  expect(recovered.reduce((sum, f) => sum + f.qty, 0)).toBe(10);
  expect(recovered.every((f) => f.seq === 259)).toBe(true);
  // Nothing from before this session, and nothing twice.
  expect(log.fills.length).toBe(recovered.length);
  expect(new Set(recovered.map((f) => f.trade)).size).toBe(recovered.length);
  const status = log.reports.find((r) => r.clientSeq === 901 && r.exec === EXEC_STATUS);
  expect(status?.state).toBe(ORDER_CANCELED);
  expect(rig.gateway.account.state).toBe(FEED_SYNCED);
  await rig.rest.orderRequest("POST", { ...direct, side: "SELL", newClientOrderId: `${clientId}b` });
  rig.stop();
}, 20_000);

test("a user stream that answers pings and tells nothing is given up, and what it kept back is recovered", async () => {
  const rig = new ConnectorRig(venue.port, hmac());
  const log = new OrderLog();
  const until = (what: string, done: () => boolean): Promise<void> =>
    rig.until(what, done, 9000, () => log.consume(rig));
  await rig.load(["BTCUSDT"]);
  rig.startGateway();
  await until("ready", () => rig.gateway.ready);
  await venue.fault({ kind: "gap", route: "private", count: 1_000_000 });
  const request: OrderRequest = {
    ...{ clientSeq: 970, instrument: 1, strategy: 3, side: SIDE_BUY, tif: TIF_GTC },
    ...{ orderType: ORDER_TYPE_MARKET, reduceOnly: false, pxTicks: 0, qtyLots: 5 },
  };
  rig.gateway.place(request);
  await until("accepted", () => log.has(970, EXEC_NEW));
  expect(log.fills.filter((f) => f.seq === 970)).toEqual([]);
  await until("given up", () => rig.orderCounters.deafStreams === 1);
  expect(rig.gateway.ready).toBe(false);
  await venue.fault({ kind: "clear" });
  await until("reconciled", () => rig.gateway.ready);
  const recovered = log.fills.filter((f) => f.seq === 970);
  expect(recovered.reduce((sum, f) => sum + f.qty, 0)).toBe(5);
  expect(recovered.every((f) => f.recovered)).toBe(true);
  rig.stop();
}, 30_000);

test("with the WebSocket API down, orders go over REST", async () => {
  const rig = new ConnectorRig(venue.port, hmac());
  const log = new OrderLog();
  const until = (what: string, done: () => boolean): Promise<void> =>
    rig.until(what, done, 6000, () => log.consume(rig));
  await rig.load(["BTCUSDT"]);
  rig.startGateway();
  await until("ready", () => rig.gateway.ready);
  const ticker = JSON.parse(await venue.get("/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")) as {
    bidPrice: string;
  };
  rig.gateway.orders.stop();
  const request: OrderRequest = {
    clientSeq: 950,
    instrument: 1,
    strategy: 3,
    side: SIDE_BUY,
    tif: TIF_GTX,
    orderType: ORDER_TYPE_LIMIT,
    reduceOnly: false,
    pxTicks: Math.round(Number(ticker.bidPrice) * 10) - 3000,
    qtyLots: 10,
  };
  expect(rig.gateway.place(request)).toBe(SEND_OK);
  await until("accepted", () => log.has(950, EXEC_NEW));
  expect(rig.gateway.cancel(request)).toBe(SEND_OK);
  await until("cancelled", () => log.has(950, EXEC_CANCELED));
  expect(rig.orderCounters.restRequests).toBe(2);
  rig.stop();
}, 20_000);

test("a WebSocket API that takes orders and says nothing is given up: the proof comes over REST", async () => {
  const rig = new ConnectorRig(venue.port, hmac());
  const log = new OrderLog();
  const until = (what: string, done: () => boolean): Promise<void> =>
    rig.until(what, done, 8000, () => log.consume(rig));
  await rig.load(["BTCUSDT"]);
  rig.startGateway();
  await until("ready", () => rig.gateway.ready && rig.gateway.orders.isOpen);
  const ticker = JSON.parse(await venue.get("/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")) as {
    bidPrice: string;
  };
  await venue.fault({ kind: "stall", route: "api", ms: 60_000 });
  const request: OrderRequest = {
    clientSeq: 960,
    instrument: 1,
    strategy: 3,
    side: SIDE_BUY,
    tif: TIF_GTX,
    orderType: ORDER_TYPE_LIMIT,
    reduceOnly: false,
    pxTicks: Math.round(Number(ticker.bidPrice) * 10) - 3000,
    qtyLots: 10,
  };
  expect(rig.gateway.place(request)).toBe(SEND_OK);
  await until("unknown", () => log.has(960, EXEC_UNKNOWN));
  await until("the proof", () => log.has(960, EXEC_STATUS));
  expect(rig.orderCounters.proofs).toBe(1);
  expect(rig.gateway.orders.disconnects).toBe(1);
  expect(rig.gateway.cancel(request)).toBe(SEND_OK);
  await until("cancelled", () => log.has(960, EXEC_CANCELED));
  await venue.fault({ kind: "clear" });
  rig.stop();
}, 20_000);
