import { expect, test } from "bun:test";
import { SortedBook } from "../../../../src/exchange/sorted-book.ts";
import { generatedSymbol } from "../../../../src/venue/sim/defaults.ts";
import { MARKET_DEPTH, MARKET_TRADE, MarketMessage } from "../../../../src/venue/sim/market-source.ts";

function play(symbol: string, seed: number, messages: number) {
  const { source } = generatedSymbol(symbol, seed);
  const book = new SortedBook();
  source.fillInitialBook(book);
  const m = new MarketMessage();
  let previous = source.initialUpdateId;
  let lastNs = 0;
  const texts: string[] = [];
  const counts = [0, 0, 0];
  for (let i = 0; i < messages; i++) {
    const at = source.nextAtNs();
    expect(at).toBeGreaterThanOrEqual(lastNs);
    lastNs = at;
    source.read(m);
    counts[m.kind]!++;
    texts.push(m.body);
    if (m.kind === MARKET_DEPTH) {
      expect(m.previousId).toBe(previous);
      expect(m.finalId).toBeGreaterThanOrEqual(m.firstId);
      previous = m.finalId;
      const { side, pxTicks, qtyLots } = source.levels;
      for (let l = m.levelFrom; l < m.levelTo; l++) book.applyDelta(side[l]!, pxTicks[l]!, qtyLots[l]!);
      expect(book.bestTicks(-1) - book.bestTicks(1)).toBe(1);
    } else if (m.kind === MARKET_TRADE) expect(m.qtyLots).toBeGreaterThan(0);
  }
  return { texts, book, counts, seconds: lastNs / 1e9 };
}

test("the book never crosses, its spread is one tick after each event, ids chain, the rate is as stated", () => {
  const { counts, seconds, book } = play("ETHUSDT", 1, 20_000);
  expect(counts[0]! / seconds).toBeGreaterThan(15);
  expect(counts[1]! / seconds).toBeGreaterThan(5);
  expect(book.levelCount(1)).toBeGreaterThan(300);
  expect(Math.abs(book.bestTicks(1) - 268_400)).toBeLessThan(40_000);
});

test("the same seed gives the same messages, another seed or symbol gives others", () => {
  const a = play("ETHUSDT", 1, 500).texts;
  expect(play("ETHUSDT", 1, 500).texts).toEqual(a);
  expect(play("ETHUSDT", 2, 500).texts).not.toEqual(a);
  expect(play("SOLUSDT", 1, 500).texts).not.toEqual(a);
});
