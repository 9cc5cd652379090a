import { expect, test } from "bun:test";
import { allocateRecordMemory, copyRecord, type RecordMemory } from "../../../src/core/record.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import { ModelExchange, type ModelMarketOptions } from "../../../src/exchange/model-exchange.ts";
import { LogProb2Queue } from "../../../src/exchange/queue/probability.ts";
import { KindLatency } from "../../../src/exchange/request-latency.ts";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";
import { FusedPipe } from "../../../src/lane/pipe.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import type { OrderRequest } from "../../../src/order/gateway.ts";
import {
  EXEC_CANCEL_REJECTED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_TRADE,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_TYPE_LIMIT,
  SIDE_BUY,
  SIDE_SELL,
  TIF_GTC,
  TIF_GTX,
} from "../../../src/wire/codes.ts";
import {
  Balance,
  Fill,
  FillDetail,
  KIND_BALANCE,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  OrderReport,
  OrderReportDetail,
} from "../../../src/wire/messages.gen.ts";

const INSTRUMENT: Instrument = {
  id: 1,
  venue: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.1",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 1,
  qtyDecimals: 3,
  minPxTicks: 1,
  maxPxTicks: 10_000_000,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  minNotionalTickLots: 0,
  orderTickStep: 1,
  percentUpE8: 0,
  percentDownE8: 0,
  makerFeeE8: 20_000,
  takerFeeE8: 50_000,
  trading: true,
};
const MS = 1e6;

/** Everything that arrived, in words: one string per record pair. */
class Listener {
  readonly seen: string[] = [];
  private readonly held: RecordMemory = allocateRecordMemory(1);

  onRecord(m: RecordMemory, at: number): void {
    const kind = m.u16[at >> 1]!;
    if (kind === KIND_BALANCE) this.seen.push(`wallet ${new Balance(m).wrap(m, at).walletE8}`);
    if (kind === KIND_ORDER_REPORT || kind === KIND_FILL) copyRecord(m, at, this.held, 0);
    if (kind === KIND_ORDER_REPORT_DETAIL) {
      const r = new OrderReport(this.held).wrap(this.held, 0);
      const d = new OrderReportDetail(m).wrap(m, at);
      this.seen.push(
        `${r.recvTsNs / MS} report ${r.clientSeq} exec ${r.execType} state ${r.orderState} cum ${r.cumQtyLots}/${r.qtyLots} code ${d.rejectCode}`,
      );
    }
    if (kind === KIND_FILL_DETAIL) {
      const f = new Fill(this.held).wrap(this.held, 0);
      const d = new FillDetail(m).wrap(m, at);
      this.seen.push(
        `${f.recvTsNs / MS} fill ${f.clientSeq} ${f.qtyLots}@${f.pxTicks} maker ${f.maker} fee ${d.feeE8} at ${f.exchTsNs / MS}`,
      );
    }
  }
}

function makeExchange(more: Partial<ModelMarketOptions> = {}) {
  const listener = new Listener();
  const time = { nowNs: 0 };
  const exchange = new ModelExchange({
    markets: [
      {
        instrument: INSTRUMENT,
        book: new SortedBook(),
        queue: new LogProb2Queue(),
        fees: { kind: "value", makerE8: 20_000, takerE8: 50_000 },
        partialFills: true,
        ...more,
      },
    ],
    latency: new KindLatency(
      {
        place: constantLatency(3 * MS, 2 * MS),
        modify: constantLatency(3 * MS, 2 * MS),
        cancel: constantLatency(5 * MS, 1 * MS),
      },
      0n,
    ),
    sink: new FusedPipe(listener),
    assets: ["", "USDT"],
    nonceLo: 7,
    nonceHi: 0,
    walletE8: 100_000_000_000n,
    nowNs: () => time.nowNs,
  });
  const { engine } = exchange.market(1);
  engine.onDepth(1, 1000, 10);
  engine.onDepth(-1, 1002, 10);
  engine.endDepth();
  const run = (untilNs: number) => {
    while (exchange.nextRequestNs <= untilNs) exchange.processRequest();
    while (exchange.nextReportNs <= untilNs) exchange.deliver();
  };
  return { exchange, engine, time, seen: listener.seen, run };
}

const request = (
  clientSeq: number,
  side: number,
  pxTicks: number,
  qtyLots: number,
  tif = TIF_GTC,
): OrderRequest => ({
  clientSeq,
  instrument: 1,
  strategy: 1,
  side,
  tif,
  orderType: ORDER_TYPE_LIMIT,
  reduceOnly: false,
  pxTicks,
  qtyLots,
});

test("an order is accepted after the entry latency and heard of after the response latency", () => {
  const { exchange, time, seen, run } = makeExchange();
  time.nowNs = 10 * MS;
  exchange.place(request(1, SIDE_BUY, 1000, 5, TIF_GTX));
  expect(exchange.nextRequestNs).toBe(13 * MS);
  run(14 * MS);
  expect(seen).toEqual([]);
  run(15 * MS);
  expect(seen).toEqual([`15 report 1 exec ${EXEC_NEW} state 2 cum 0/5 code 0`]);
});

test("partial fills are reported one by one with fee and wallet, and add up", () => {
  const { exchange, engine, seen, run } = makeExchange();
  exchange.place(request(1, SIDE_BUY, 1000, 5));
  run(5 * MS);
  exchange.exchNs = 20 * MS;
  engine.onTrade(-1, 1000, 12);
  exchange.exchNs = 30 * MS;
  engine.onTrade(-1, 1000, 100);
  run(40 * MS);
  // Fee: 1000 · 2 tick·lots of 1e-4 USDT at 2 bps = 4e-5 USDT = 4000e-8.
  expect(seen.slice(1)).toEqual([
    `wallet ${100_000_000_000 - 4000}`,
    "22 fill 1 2@1000 maker 1 fee 4000 at 20",
    `22 report 1 exec ${EXEC_TRADE} state ${ORDER_PARTIALLY_FILLED} cum 2/5 code 0`,
    `wallet ${100_000_000_000 - 4000 - 6000}`,
    "32 fill 1 3@1000 maker 1 fee 6000 at 30",
    `32 report 1 exec ${EXEC_TRADE} state ${ORDER_FILLED} cum 5/5 code 0`,
  ]);
});

test("a cancel that meets a filled order is refused with the venue's code", () => {
  const { exchange, engine, time, seen, run } = makeExchange();
  exchange.place(request(1, SIDE_SELL, 1002, 5));
  run(5 * MS);
  time.nowNs = 19 * MS;
  exchange.cancel(request(1, SIDE_SELL, 1002, 5));
  exchange.exchNs = 20 * MS;
  engine.onTrade(1, 1003, 1);
  run(50 * MS);
  expect(seen.at(-2)).toBe(`22 report 1 exec ${EXEC_TRADE} state ${ORDER_FILLED} cum 5/5 code 0`);
  // The cancel arrived at 24 and was answered at 25.
  expect(seen.at(-1)).toBe(`25 report 1 exec ${EXEC_CANCEL_REJECTED} state 2 cum 0/5 code -2011`);
});

test("a post-only order that would take is refused", () => {
  const { exchange, seen, run } = makeExchange();
  exchange.place(request(1, SIDE_BUY, 1002, 5, TIF_GTX));
  run(10 * MS);
  expect(seen).toEqual([`5 report 1 exec ${EXEC_REJECTED} state 9 cum 0/5 code -5022`]);
});

test("without partial fills a maker trades whole when its queue is gone, a taker at the best price", () => {
  const { exchange, engine, seen, run } = makeExchange({ partialFills: false });
  exchange.place(request(1, SIDE_BUY, 1000, 5));
  exchange.place(request(2, SIDE_BUY, 1005, 50));
  run(5 * MS);
  expect(seen.filter((s) => s.includes("fill"))).toEqual(["5 fill 2 50@1002 maker 0 fee 250500 at 3"]);
  exchange.exchNs = 20 * MS;
  engine.onTrade(-1, 1000, 11);
  run(40 * MS);
  expect(seen.filter((s) => s.includes("fill")).at(-1)).toBe("22 fill 1 5@1000 maker 1 fee 10000 at 20");
});
