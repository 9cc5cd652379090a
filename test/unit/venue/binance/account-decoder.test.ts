import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toSteps } from "../../../../src/core/decimal.ts";
import { formatClientId, parseClientId } from "../../../../src/order/client-id.ts";
import {
  ACCOUNT_BALANCES,
  ACCOUNT_LISTEN_KEY_EXPIRED,
  ACCOUNT_MALFORMED,
  ACCOUNT_ORDER,
  ACCOUNT_OTHER,
  ACCOUNT_UNKNOWN_SYMBOL,
  AccountDecoder,
} from "../../../../src/venue/binance/account-decoder.ts";
import { type OrderTradeUpdate, parseExact } from "../../../../src/venue/binance/messages.ts";
import {
  REPLY_ERROR,
  REPLY_OK,
  REPLY_OTHER,
  ReplyDecoder,
} from "../../../../src/venue/binance/reply-decoder.ts";
import { RequestBudget } from "../../../../src/venue/binance/request-budget.ts";
import {
  EXEC_TRADE,
  ORDER_PARTIALLY_FILLED,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
} from "../../../../src/wire/codes.ts";
import { bytesOf, INSTRUMENTS, id64 } from "./fixtures.ts";

const decoder = new AccountDecoder(INSTRUMENTS, ["", "USDT", "BNB"]);
const CLIENT_ID = formatClientId({ nonceLo: 5, nonceHi: 9, strategy: 3, clientSeq: 4711 });

const order = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    e: "ORDER_TRADE_UPDATE",
    E: 1723161256322,
    T: 1723161256320,
    o: {
      s: "BTCUSDT",
      c: CLIENT_ID,
      S: "SELL",
      o: "LIMIT",
      f: "GTX",
      q: "0.025",
      p: "61800.30",
      ap: "61800.3",
      sp: "0",
      x: "TRADE",
      X: "PARTIALLY_FILLED",
      i: 1,
      l: "0.005",
      z: "0.010",
      L: "61800.30",
      N: "BNB",
      n: "-0.00012345",
      T: 1723161256319,
      t: 2,
      b: "0",
      a: "0",
      m: true,
      R: true,
      rp: "0",
      ...changes,
    },
    // Ids past 2^53 cannot pass through JSON.stringify as numbers.
  })
    .replace('"i":1', '"i":9100000000000001234')
    .replace('"t":2', '"t":18446744073709551615');

function decode(text: string): number {
  const bytes = bytesOf(text);
  return decoder.decode(bytes, bytes.length);
}

function expectTwin(text: string): void {
  const { o, E, T } = parseExact(text) as OrderTradeUpdate;
  const own = parseClientId(o.c);
  const d = decoder;
  const k = INSTRUMENTS[d.index]!;
  expect([d.eventMs, d.transactionMs, d.tradeMs, k.symbol]).toEqual([E, T, o.T, o.s]);
  expect([d.pxTicks, d.lastPxTicks]).toEqual([toSteps(o.p, k.tickSize), toSteps(o.L, k.tickSize)]);
  expect([d.qtyLots, d.cumQtyLots, d.lastQtyLots]).toEqual([o.q, o.z, o.l].map((q) => toSteps(q, k.lotSize)));
  expect([id64(d.orderIdLo, d.orderIdHi), id64(d.tradeIdLo, d.tradeIdHi)]).toEqual([o.i, o.t]);
  expect([d.clientId.clientSeq, d.clientId.strategy]).toEqual([own?.clientSeq ?? 0, own?.strategy ?? 0]);
  expect([d.maker, d.reduceOnly, d.side]).toEqual([o.m, o.R === true, o.S === "BUY" ? SIDE_BUY : SIDE_SELL]);
}

describe("ORDER_TRADE_UPDATE", () => {
  test("is read as JSON.parse reads it, ids past 2^53 included", () => {
    expect(decode(order())).toBe(ACCOUNT_ORDER);
    expectTwin(order());
    expect([decoder.execType, decoder.orderState]).toEqual([EXEC_TRADE, ORDER_PARTIALLY_FILLED]);
    expect([decoder.feeE8, decoder.feeAsset]).toEqual([-12345, 2]);
    expect([decoder.clientId.nonceLo, decoder.clientId.nonceHi]).toEqual([5, 9]);
  });

  test("of the combined form, of a foreign order and without a fee", () => {
    expect(
      decode(`{"stream":"key","data":${order({ c: "autoclose-17", N: undefined, n: undefined })}}`),
    ).toBe(ACCOUNT_ORDER);
    expect([decoder.clientId.clientSeq, decoder.feeE8, decoder.feeAsset]).toEqual([0, 0, 0]);
  });

  test.each([
    ["an unknown symbol", order({ s: "XYZUSDT" }), ACCOUNT_UNKNOWN_SYMBOL],
    ["no order", '{"e":"ORDER_TRADE_UPDATE","E":1,"T":1}', ACCOUNT_MALFORMED],
    ["a quantity between lots", order({ q: "0.0255" }), ACCOUNT_MALFORMED],
    ["no side", order({ S: "BOTH" }), ACCOUNT_MALFORMED],
    ["a number as price", order({ p: 61800.3 }), ACCOUNT_MALFORMED],
    ["another event", '{"e":"MARGIN_CALL","E":1}', ACCOUNT_OTHER],
    ["an expired key", '{"e":"listenKeyExpired","E":1,"listenKey":"x"}', ACCOUNT_LISTEN_KEY_EXPIRED],
    ["no JSON", "{]", ACCOUNT_MALFORMED],
  ])("%s", (_name, text, code) => {
    expect(decode(text)).toBe(code);
  });

  test("damaged messages are refused or read as JSON.parse reads them (seed 41)", () => {
    const source = bytesOf(order());
    let read = 0;
    fc.assert(
      fc.property(fc.nat(source.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = cut ? source.slice(0, at) : source.slice();
        if (!cut) bytes[at] = value;
        const padded = new Uint8Array(bytes.length + 32).fill(0x30);
        padded.set(bytes);
        if (decoder.decode(padded, bytes.length) !== ACCOUNT_ORDER) return;
        read++;
        expectTwin(new TextDecoder().decode(bytes));
      }),
      { seed: 41, numRuns: 4000 },
    );
    expect(read).toBeGreaterThan(50);
  });
});

describe("ACCOUNT_UPDATE", () => {
  const text =
    '{"e":"ACCOUNT_UPDATE","E":1723161256322,"T":1723161256320,"a":{"m":"ORDER","B":[{"a":"USDT","wb":"122624.12345678","cw":"100.12345678","bc":"-50.12345678"},{"a":"XRP","wb":"1","cw":"0","bc":"0"}],"P":[{"s":"BTCUSDT","pa":"-0.012","ep":"61800.1234567891","up":"0"},{"s":"OTHER","pa":"5","ep":"1","up":"0"}]}}';

  test("gives each balance and position in turn", () => {
    expect(decode(text)).toBe(ACCOUNT_BALANCES);
    expect(decoder.nextBalance()).toBe(true);
    expect([decoder.asset, decoder.walletE8, decoder.changeE8]).toEqual([1, 12262412345678, -5012345678]);
    expect(decoder.nextBalance()).toBe(true);
    expect(decoder.asset).toBe(0);
    expect(decoder.nextBalance()).toBe(false);
    expect(decoder.nextPosition()).toBe(true);
    expect([decoder.index, decoder.positionLots, decoder.entryPxE8]).toEqual([0, -12, 6180012345678]);
    expect(decoder.nextPosition()).toBe(true);
    expect(decoder.index).toBe(-1);
    expect(decoder.nextPosition()).toBe(false);
  });

  test("without balances or positions has none", () => {
    expect(decode('{"e":"ACCOUNT_UPDATE","E":1,"T":1,"a":{"m":"DEPOSIT","B":[],"P":[]}}')).toBe(
      ACCOUNT_BALANCES,
    );
    expect([decoder.nextBalance(), decoder.nextPosition()]).toEqual([false, false]);
  });
});

describe("replies of the WebSocket API", () => {
  const replies = new ReplyDecoder(INSTRUMENTS);
  const budget = new RequestBudget();
  const reply = (text: string): number => {
    const bytes = bytesOf(text);
    return replies.decode(bytes, bytes.length, budget, 1_723_161_255_000);
  };

  test("an accepted order with its rate limits", () => {
    const text =
      '{"id":"1-4711-77","status":200,"result":{"orderId":9100000000000001234,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"x","price":"61800.30","origQty":"0.025","executedQty":"0.000","updateTime":1723161255001},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400,"count":300},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":300,"count":250}]}';
    expect(reply(text)).toBe(REPLY_OK);
    expect([replies.action, replies.clientSeq, replies.requestNo]).toEqual([1, 4711, 77]);
    expect(replies.readOrder(1)).toBe(true);
    expect([replies.pxTicks, replies.qtyLots, replies.cumQtyLots, replies.orderState]).toEqual([
      618003,
      25,
      0,
      ORDER_WORKING,
    ]);
    expect(id64(replies.orderIdLo, replies.orderIdHi)).toBe("9100000000000001234");
    // 10 % of 300 are kept back: 300 − 250 − 30.
    expect([budget.ordersLeft(1_723_161_255_000), budget.weightLeft(1_723_161_255_000)]).toEqual([20, 2100]);
  });

  test("a refusal carries its code", () => {
    expect(reply('{"id":"2-5-6","status":400,"error":{"code":-2011,"msg":"Unknown order sent."}}')).toBe(
      REPLY_ERROR,
    );
    expect([replies.errorCode, replies.httpStatus, replies.clientSeq]).toEqual([-2011, 400, 5]);
  });

  test("a ban says until when, and nothing is sent before that; without a time the shortest one holds", () => {
    const untilMs = 1_723_161_400_000;
    const ban = `{"code":-1003,"msg":"IP banned until ${untilMs}.","data":{"serverTime":1723161255000,"retryAfter":${untilMs}}}`;
    expect(reply(`{"id":"1-5-6","status":418,"error":${ban}}`)).toBe(REPLY_ERROR);
    expect([replies.errorCode, replies.httpStatus, replies.retryAfterMs]).toEqual([-1003, 418, untilMs]);
    const fresh = new RequestBudget();
    fresh.blockUntil(1_723_161_255_000, 418, replies.retryAfterMs);
    expect([fresh.takeCancel(untilMs - 1), fresh.takeCancel(untilMs)]).toEqual([false, true]);
    expect(reply('{"id":"1-5-7","status":429,"error":{"code":-1015,"msg":"Too many new orders."}}')).toBe(
      REPLY_ERROR,
    );
    expect(replies.retryAfterMs).toBe(0);
    const silent = new RequestBudget();
    silent.blockUntil(0, 418, 0);
    expect([silent.takeOrder(119_999), silent.takeOrder(120_000)]).toEqual([false, true]);
  });

  test("the log-on and foreign ids are no order replies", () => {
    expect([reply('{"id":"logon","status":200,"result":{}}'), replies.isLogon]).toEqual([REPLY_OTHER, true]);
    expect(reply('{"id":7,"status":200,"result":{}}')).toBe(REPLY_OTHER);
    expect(reply('{"id":"1-2","status":200,"result":{}}')).toBe(REPLY_OTHER);
  });
});
