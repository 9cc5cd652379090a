import { expect, test } from "bun:test";
import { join } from "node:path";
import { readCapture } from "../../../src/data/capture.ts";
import { ASK, BID, L2Book } from "../../../src/market/l2-book.ts";
import { NaiveBook } from "./naive-book.ts";

const CAPTURE = join(import.meta.dir, "../../../src/data/captures/binance-usdm-btcusdt-20240808.gz");

interface DepthUpdate {
  readonly e?: string;
  readonly b: readonly (readonly [string, string])[];
  readonly a: readonly (readonly [string, string])[];
}

test("equals a map of levels over every depth message of the whole capture, never crossed after one", async () => {
  const book = new L2Book();
  const naive = new NaiveBook();
  const ticks = (text: string): number => Math.round(Number(text) * 10);
  const lots = (text: string): number => Math.round(Number(text) * 1000);
  const decoder = new TextDecoder();
  let messages = 0;
  let crossed = 0;
  for await (const { bytes } of readCapture(CAPTURE)) {
    const text = decoder.decode(bytes);
    if (!text.includes('"depthUpdate"')) continue;
    const { data } = JSON.parse(text) as { data: DepthUpdate };
    for (const [px, qty] of data.b) {
      book.apply(BID, ticks(px), lots(qty));
      naive.apply(BID, ticks(px), lots(qty));
    }
    for (const [px, qty] of data.a) {
      book.apply(ASK, ticks(px), lots(qty));
      naive.apply(ASK, ticks(px), lots(qty));
    }
    book.maintain();
    messages++;
    if (book.crossed) crossed++;
    if (messages % 50 !== 0) continue;
    expect(book.bestBidTicks).toBe(naive.bestBid());
    expect(book.bestAskTicks).toBe(naive.bestAsk());
    expect(book.levelCount).toBe(naive.bids.size + naive.asks.size);
  }
  expect(messages).toBe(6551);
  expect(crossed).toBe(0);
  const bids: [number, number][] = [];
  for (let px = book.bestBidTicks; !Number.isNaN(px); px = book.nextBelow(BID, px))
    bids.push([px, book.qtyAt(BID, px)]);
  expect(bids).toEqual(naive.descendingBids());
  const asks: [number, number][] = [];
  for (let px = book.bestAskTicks; !Number.isNaN(px); px = book.nextAbove(ASK, px))
    asks.push([px, book.qtyAt(ASK, px)]);
  expect(asks).toEqual(naive.ascendingAsks());
}, 20_000);
