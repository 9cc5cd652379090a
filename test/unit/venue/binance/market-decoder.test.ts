import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toSteps } from "../../../../src/core/decimal.ts";
import {
  MarketDecoder,
  MESSAGE_AGG_TRADE,
  MESSAGE_BOOK_TICKER,
  MESSAGE_DEPTH,
  MESSAGE_REPLY,
  MESSAGE_SNAPSHOT,
  MESSAGE_TRADE,
  REFUSED_MALFORMED,
  REFUSED_OFF_STEP,
  REFUSED_TOO_LARGE,
  REFUSED_UNKNOWN_EVENT,
  REFUSED_UNKNOWN_SYMBOL,
} from "../../../../src/venue/binance/market-decoder.ts";
import {
  type DepthSnapshot,
  type MarketTwin,
  marketTwin,
  parseExact,
} from "../../../../src/venue/binance/messages.ts";
import { bytesOf, captureMessages, INSTRUMENTS, id64 } from "./fixtures.ts";

const decoder = new MarketDecoder(INSTRUMENTS);
const text = new TextDecoder();

const EVENTS = ["", "depthUpdate", "trade", "aggTrade", "bookTicker", "markPriceUpdate"];

/** What the scanner left in its fields, in the twin's shape. */
function scanned(kind: number): MarketTwin {
  const d = decoder;
  const values: number[] = [];
  const ids: string[] = [];
  let bidCount = 0;
  if (kind === MESSAGE_DEPTH) {
    values.push(...d.levels.values.subarray(0, 2 * d.levels.count));
    ids.push(id64(d.firstLo, d.firstHi), id64(d.finalLo, d.finalHi), id64(d.previousLo, d.previousHi));
    bidCount = d.bidCount;
  } else if (kind === MESSAGE_TRADE || kind === MESSAGE_AGG_TRADE) {
    values.push(d.pxTicks, d.qtyLots, d.buyerIsMaker ? 1 : 0, d.isMarketTrade ? 1 : 0);
    ids.push(id64(d.idLo, d.idHi));
  } else if (kind === MESSAGE_BOOK_TICKER) {
    values.push(d.bidPxTicks, d.bidQtyLots, d.askPxTicks, d.askQtyLots);
    ids.push(id64(d.idLo, d.idHi));
  } else values.push(d.markPxE8, d.indexPxE8, d.fundingRateE8, d.nextFundingMs);
  return {
    event: EVENTS[kind]!,
    index: d.index,
    eventMs: d.eventMs,
    transactionMs: d.transactionMs,
    ids,
    values,
    bidCount,
  };
}

const SAMPLES = {
  depth:
    '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61510.90","0.000"]],"a":[["61800.30","2.510"]]}}',
  trade:
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}',
  agg: '{"e":"aggTrade","E":1723161256322,"s":"BTCUSDT","a":18446744073709551615,"p":"61800.30","q":"0.006","f":1,"l":2,"T":1723161256322,"m":true}',
  ticker:
    '{"e":"bookTicker","u":9007199254740993,"s":"SIMUSDT","b":"61800.20","B":"2","a":"61800.35","A":"2.000","T":1723161256313,"E":1723161256314}',
  mark: '{"e":"markPriceUpdate","E":1723161256000,"s":"BTCUSDT","p":"61800.12345678","i":"61799.00000000","P":"61798.1","r":"-0.00010000","T":1723190400000}',
};

function decodeText(message: string): number {
  const bytes = bytesOf(message);
  return decoder.decode(bytes, bytes.length);
}

describe("against the JSON.parse twin", () => {
  test("every message of the capture is read, and as the twin reads it", () => {
    const counts = [0, 0, 0, 0, 0, 0];
    let snapshots = 0;
    for (const bytes of captureMessages()) {
      const kind = decoder.decode(bytes, bytes.length);
      if (kind === REFUSED_UNKNOWN_EVENT) {
        expect(decoder.decodeSnapshot(bytes, bytes.length, 0)).toBe(MESSAGE_SNAPSHOT);
        expectSnapshot(text.decode(bytes));
        snapshots++;
        continue;
      }
      if (kind <= 0) throw new Error(`refused ${kind}: ${text.decode(bytes).slice(0, 200)}`);
      counts[kind]!++;
      // The twin is 50 times slower than the scanner: every depth and trade, one ticker in eight.
      if (kind === MESSAGE_BOOK_TICKER && counts[kind]! % 8 !== 0) continue;
      const twin = marketTwin(text.decode(bytes), INSTRUMENTS);
      if (!Bun.deepEquals(scanned(kind), twin)) expect(scanned(kind)).toEqual(twin!);
    }
    expect(counts).toEqual([0, 6551, 21313, 0, 66089, 0]);
    expect(snapshots).toBe(1);
  }, 20_000);

  test.each(Object.entries(SAMPLES))("a %s message reads as the twin reads it", (_name, message) => {
    const kind = decodeText(message);
    expect(kind).toBeGreaterThan(0);
    expect(scanned(kind)).toEqual(marketTwin(message, INSTRUMENTS)!);
  });

  test("any field order reads the same (seed 11)", () => {
    const shuffled = fc.constantFrom(...Object.values(SAMPLES)).chain((message) => {
      const entries = fieldsOf(message);
      return fc.tuple(fc.shuffledSubarray(entries, { minLength: entries.length }), fc.boolean());
    });
    fc.assert(
      fc.property(shuffled, ([entries, combined]) => {
        const body = `{${entries.join(",")}}`;
        const message = combined ? `{"data":${body},"stream":"x@y"}` : body;
        const kind = decodeText(message);
        expect(kind).toBeGreaterThan(0);
        expect(scanned(kind)).toEqual(marketTwin(message, INSTRUMENTS)!);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  test("a trade of any numbers in a transport's buffer reads as the twin reads it, damaged or not (seed 13)", () => {
    const buffer = new Uint8Array(4096).fill(0x39);
    const digits = (most: number) => fc.integer({ min: 1, max: most }).chain((n) => fc.nat(10 ** n - 1));
    const trade = fc.record({
      ms: fc.oneof(fc.constant(1_723_161_256_322), fc.nat(2e12)),
      id: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), digits(13).map(BigInt)),
      px: digits(9),
      qty: digits(9),
      maker: fc.boolean(),
      damage: fc.option(fc.tuple(fc.nat(1000), fc.nat(255)), { freq: 3 }),
    });
    let read = 0;
    const property = fc.property(trade, ({ ms, id, px, qty, maker, damage }) => {
      const price = `${Math.floor(px / 10)}.${px % 10}0`;
      const lots = `${Math.floor(qty / 1000)}.${String(qty % 1000).padStart(3, "0")}`;
      const bytes = bytesOf(
        `{"stream":"btcusdt@trade","data":{"e":"trade","E":${ms},"T":${ms},"s":"BTCUSDT","t":${id},"p":"${price}","q":"${lots}","X":"MARKET","m":${maker}}}`,
      );
      if (damage !== null) bytes[damage[0] % (bytes.length - 1)] = damage[1];
      buffer.set(bytes);
      const kind = decoder.decode(buffer, bytes.length);
      buffer.fill(0x39, 0, bytes.length);
      if (damage === null) expect(kind).toBe(MESSAGE_TRADE);
      const twin = kind > 0 ? marketTwin(text.decode(bytes), INSTRUMENTS) : null;
      if (kind > 0) expect(scanned(kind)).toEqual(twin!);
      if (kind === MESSAGE_TRADE) read++;
    });
    fc.assert(property, { seed: 13, numRuns: 3000 });
    expect(read).toBeGreaterThan(1000);
  });

  test("a depth message of any times and ids in a transport's buffer reads as the twin reads it, damaged or not (seed 14)", () => {
    const buffer = new Uint8Array(4096).fill(0x39);
    const id = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.integer({ min: 1, max: 13 }).chain((n) => fc.nat(10 ** n - 1).map(BigInt)),
    );
    const depth = fc.record({
      ms: fc.oneof(fc.constant(1_723_161_256_322), fc.nat(2e12)),
      ids: fc.tuple(id, id, id),
      levels: fc.constantFrom("[]", '[["58710.20","0.014"]]', '[["1.00","12.000"],["58710.2","3"]]'),
      damage: fc.option(fc.tuple(fc.nat(1000), fc.nat(255)), { freq: 1 }),
      cut: fc.option(fc.nat(60), { freq: 1 }),
    });
    let read = 0;
    const property = fc.property(depth, ({ ms, ids, levels, damage, cut }) => {
      const bytes = bytesOf(
        `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":${ms},"T":${ms},"s":"BTCUSDT","U":${ids[0]},"u":${ids[1]},"pu":${ids[2]},"b":${levels},"a":${levels}}}`,
      );
      if (damage !== null) bytes[damage[0] % (bytes.length - 1)] = damage[1];
      buffer.set(bytes);
      // What an earlier, longer message left in the buffer is no part of this one.
      const end = bytes.length - (cut ?? 0);
      buffer[end - 1] = 0x7d;
      const kind = decoder.decode(buffer, end);
      const seen = text.decode(buffer.subarray(0, end));
      buffer.fill(0x39, 0, bytes.length);
      if (damage === null && cut === null) expect(kind).toBe(MESSAGE_DEPTH);
      if (kind > 0 && kind !== MESSAGE_REPLY) expect(scanned(kind)).toEqual(marketTwin(seen, INSTRUMENTS)!);
      if (kind === MESSAGE_DEPTH) read++;
    });
    fc.assert(property, { seed: 14, numRuns: 5000 });
    expect(read).toBeGreaterThan(1000);
  });

  test("a damaged message is refused or read as the twin reads it (seed 12)", () => {
    const pool = [...Object.values(SAMPLES).map(bytesOf), ...captureMessages().slice(0, 60)].filter(
      (m) => m.length < 6000,
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.nat(pool.length - 1),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.nat(4)), {
          minLength: 1,
          maxLength: 3,
        }),
        (which, edits) => {
          const damaged = edits.reduce(
            (bytes, [where, value, how]) => damage(bytes, where, value, how),
            pool[which]!,
          );
          // Valid JSON follows in the buffer: reading past the end would be seen as an acceptance.
          const padded = new Uint8Array(damaged.length + 64).fill(0x30);
          padded.set(damaged);
          const kind = decoder.decode(padded, damaged.length);
          if (kind <= 0 || kind === MESSAGE_REPLY) return;
          accepted++;
          expect(scanned(kind)).toEqual(marketTwin(text.decode(damaged), INSTRUMENTS)!);
        },
      ),
      { seed: 12, numRuns: 6000 },
    );
    expect(accepted).toBeGreaterThan(100);
  }, 20_000);
});

describe("refusals", () => {
  test("a truncated message is refused at every length", () => {
    for (const message of Object.values(SAMPLES)) {
      const bytes = bytesOf(message);
      for (let end = 0; end < bytes.length; end++) {
        const code = decoder.decode(bytes, end);
        expect(code).toBeLessThan(0);
      }
    }
  });

  test("a dropped field is refused", () => {
    for (const message of Object.values(SAMPLES)) {
      const entries = fieldsOf(message);
      for (let i = 0; i < entries.length; i++) {
        if (/^"(X|f|l|P)"/.test(entries[i]!)) continue;
        const rest = entries.filter((_, j) => j !== i);
        expect(decodeText(`{${rest.join(",")}}`)).toBeLessThan(0);
      }
    }
  });

  test.each([
    ["an unknown symbol", SAMPLES.depth.replace('"s":"BTCUSDT"', '"s":"XYZUSDT"'), REFUSED_UNKNOWN_SYMBOL],
    ["a price between two ticks", SAMPLES.depth.replace("58710.20", "58710.25"), REFUSED_OFF_STEP],
    [
      "a price that is no multiple of a 0.05 tick",
      SAMPLES.ticker.replace("61800.35", "61800.36"),
      REFUSED_OFF_STEP,
    ],
    ["a quantity between two lots", SAMPLES.trade.replace("0.006", "0.0061"), REFUSED_OFF_STEP],
    ["an unknown event", '{"e":"kline","E":1,"s":"BTCUSDT"}', REFUSED_UNKNOWN_EVENT],
    ["a key twice", SAMPLES.trade.replace('"m":false', '"m":false,"m":true'), REFUSED_MALFORMED],
    ["white space", SAMPLES.agg.replace(":", ": "), REFUSED_MALFORMED],
    ["a 65-bit id", SAMPLES.agg.replace("18446744073709551615", "18446744073709551616"), REFUSED_MALFORMED],
    ["a price past 2^53 ticks", SAMPLES.trade.replace("61800.30", "999999999999999.9"), REFUSED_MALFORMED],
    ["deep nesting", `{"x":${"[".repeat(64)}${"]".repeat(64)}}`, REFUSED_MALFORMED],
    ["an empty object", "{}", REFUSED_UNKNOWN_EVENT],
    ["text", "hello}", REFUSED_MALFORMED],
  ])("%s", (_name, message, code) => {
    expect(decodeText(message)).toBe(code);
  });

  test("more levels than fit", () => {
    const small = new MarketDecoder(INSTRUMENTS, 2);
    const bytes = bytesOf(SAMPLES.depth);
    expect(small.decode(bytes, bytes.length)).toBe(REFUSED_TOO_LARGE);
  });

  test("a huge message of digits ends in a refusal", () => {
    const bytes = bytesOf(SAMPLES.depth.replace("58710.20", "5".repeat(2_000_000)));
    expect(decoder.decode(bytes, bytes.length)).toBe(REFUSED_MALFORMED);
  });
});

test("the answer to a subscription is told apart", () => {
  expect(decodeText('{"result":null,"id":1}')).toBe(MESSAGE_REPLY);
});

function expectSnapshot(message: string): void {
  const snapshot = parseExact(message) as DepthSnapshot;
  const { levels } = decoder;
  expect(id64(decoder.finalLo, decoder.finalHi)).toBe(snapshot.lastUpdateId);
  expect(decoder.transactionMs).toBe(snapshot.T);
  expect([decoder.bidCount, levels.count]).toEqual([
    snapshot.bids.length,
    snapshot.bids.length + snapshot.asks.length,
  ]);
  const expected = [...snapshot.bids, ...snapshot.asks];
  expect([...levels.values.subarray(0, 2 * levels.count)]).toEqual(
    expected.flatMap(([p, q]) => [toSteps(p, "0.10"), toSteps(q, "0.001")]),
  );
}

/** The fields of the message's data object as `"key":value` texts. */
function fieldsOf(message: string): string[] {
  const data = message.startsWith('{"stream"') ? message.slice(message.indexOf('"data":') + 7, -1) : message;
  const fields: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 1; i < data.length; i++) {
    const c = data[i]!;
    if (c === "[") depth++;
    if (c === "]") depth--;
    if ((c === "," && depth === 0) || i === data.length - 1) {
      fields.push(data.slice(start, i));
      start = i + 1;
    }
  }
  return fields;
}

function damage(bytes: Uint8Array, where: number, value: number, how: number): Uint8Array {
  if (bytes.length < 4) return bytes;
  const at = Math.floor(where * (bytes.length - 1));
  if (how === 0) return bytes.slice(0, at);
  const copy = bytes.slice();
  if (how === 1) copy[at] = value;
  else if (how === 2) copy[at] = copy[at]! ^ (1 << (value & 7));
  else if (how === 3) {
    // A digit for a digit: the damage that stays plausible.
    let i = at;
    while (i < copy.length - 1 && !(copy[i]! >= 0x30 && copy[i]! <= 0x39)) i++;
    copy[i] = 0x30 + (value % 10);
  } else copy.copyWithin(at, Math.min(at + (value & 15), copy.length));
  return copy;
}
