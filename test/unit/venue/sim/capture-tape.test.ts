import { expect, test } from "bun:test";
import { SortedBook } from "../../../../src/exchange/sorted-book.ts";
import { CaptureSource } from "../../../../src/venue/sim/capture-source.ts";
import { readCapture } from "../../../../src/venue/sim/capture-tape.ts";
import {
  MARKET_DEPTH,
  MARKET_TICKER,
  MARKET_TRADE,
  MarketMessage,
} from "../../../../src/venue/sim/market-source.ts";
import { BTCUSDT } from "../../../../src/venue/sim/symbol-spec.ts";

const packed = await Bun.file("src/data/captures/binance-usdm-btcusdt-20240808.gz").arrayBuffer();
const text = new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(packed)));
const tape = readCapture(text, BTCUSDT);

function bookText(book: SortedBook): string {
  let out = "";
  for (const side of [1, -1]) {
    for (let rank = 0; rank < book.levelCount(side); rank++)
      out += `${side}:${book.pxAtRank(side, rank)}:${book.qtyAtRank(side, rank)} `;
  }
  return out;
}

test("over two loops the ids chain, time never goes back, and the book after each seam is the first book", () => {
  const source = new CaptureSource(tape);
  const book = new SortedBook();
  source.fillInitialBook(book);
  const firstBook = bookText(book);
  const m = new MarketMessage();
  let previous = source.initialUpdateId;
  let lastTrade = 0;
  let lastTicker = 0;
  let lastNs = 0;
  let crossed = 0;
  const counts = [0, 0, 0];
  for (let i = 0; i < tape.count * 2; i++) {
    const at = source.nextAtNs();
    if (at < lastNs) throw new Error(`message ${i} goes back in time`);
    lastNs = at;
    source.read(m);
    counts[m.kind]!++;
    if (m.kind === MARKET_DEPTH) {
      if (m.previousId !== previous || m.firstId > m.finalId)
        throw new Error(`message ${i} breaks the chain`);
      previous = m.finalId;
      const { side, pxTicks, qtyLots } = source.levels;
      for (let l = m.levelFrom; l < m.levelTo; l++) book.applyDelta(side[l]!, pxTicks[l]!, qtyLots[l]!);
      if (book.bestTicks(1) >= book.bestTicks(-1)) crossed++;
    } else if (m.kind === MARKET_TRADE) {
      if (m.tradeNumber <= lastTrade) throw new Error(`message ${i}: trade id does not rise`);
      lastTrade = m.tradeNumber;
    } else if (m.kind === MARKET_TICKER) {
      if (m.finalId < lastTicker) throw new Error(`message ${i}: ticker id goes back`);
      lastTicker = m.finalId;
    }
    if (i === tape.count - 2 || i === tape.count * 2 - 2) expect(bookText(book)).toBe(firstBook);
  }
  expect(crossed).toBe(0);
  expect(counts).toEqual([6_546 * 2, 21_308 * 2, 66_047 * 2]);
  expect(previous).toBeLessThan(2 ** 53);
});

test("the texts with holes give back the capture's own message", () => {
  const line = text.split("\n").find((l) => l.includes('"pu":5123107856210'))!;
  const original = JSON.parse(line.slice(line.indexOf(" ") + 1)).data;
  const source = new CaptureSource(tape);
  const m = new MarketMessage();
  do source.read(m);
  while (m.kind !== MARKET_DEPTH);
  expect(JSON.parse(`{${m.body}`)).toEqual({ b: original.b, a: original.a });
  expect([m.firstId, m.finalId, m.previousId]).toEqual([original.U, original.u, original.pu]);
  expect(m.levelTo - m.levelFrom).toBe(original.b.length + original.a.length);
});

test("the seam touches only what the snapshot could know", () => {
  const seam = tape.count - 2;
  const levels = tape.levelFrom[seam + 1]! - tape.levelFrom[seam]!;
  expect(levels).toBeGreaterThan(0);
  expect(levels).toBeLessThan(4_000);
});

test("a capture without a snapshot, and an unknown message, are refused with the reason", () => {
  expect(() => readCapture("", BTCUSDT)).toThrow("no snapshot");
  const bad = '1 {"stream":"x","data":{"e":"kline","E":1,"T":1}}';
  expect(() => readCapture(bad, BTCUSDT)).toThrow("capture line 1: unknown message");
});
