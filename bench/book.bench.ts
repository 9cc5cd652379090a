// The order book on the depth levels of the BTCUSDT capture: one level update, as messages bring them (a side of a
// message in one call), and one re-centring slice.
// Reference for updates: a Map of levels per side that looks for the next best by walking ticks; both sides
// must end every message with the same touch (the checksum).
import { join } from "node:path";
import { readCapture } from "../src/data/capture.ts";
import { ASK, BID, L2Book } from "../src/market/l2-book.ts";
import { type Bench, latencySide, loopSide, type Side } from "./harness.ts";

const CAPTURE = join(import.meta.dir, "../src/data/captures/binance-usdm-btcusdt-20240808.gz");

interface Levels {
  readonly side: Int32Array;
  readonly px: Float64Array;
  readonly qty: Float64Array;
  /** 1 on the last level of a message. */
  readonly last: Uint8Array;
}

interface DepthMessage {
  readonly e: string;
  readonly b: readonly (readonly [string, string])[];
  readonly a: readonly (readonly [string, string])[];
}

/** Levels of the first `messages` depth messages. */
async function captureLevels(messages: number): Promise<Levels> {
  const rows: [number, number, number, number][] = [];
  const decoder = new TextDecoder();
  let count = 0;
  for await (const { bytes } of readCapture(CAPTURE)) {
    if (count === messages) break;
    const text = decoder.decode(bytes);
    if (!text.includes('"depthUpdate"')) continue;
    const { data } = JSON.parse(text) as { data: DepthMessage };
    for (const [px, qty] of data.b) rows.push([BID, Math.round(+px * 10), Math.round(+qty * 1000), 0]);
    for (const [px, qty] of data.a) rows.push([ASK, Math.round(+px * 10), Math.round(+qty * 1000), 0]);
    if (rows.length > 0) rows.at(-1)![3] = 1;
    count++;
  }
  return {
    side: Int32Array.from(rows, (r) => r[0]),
    px: Float64Array.from(rows, (r) => r[1]),
    qty: Float64Array.from(rows, (r) => r[2]),
    last: Uint8Array.from(rows, (r) => r[3]),
  };
}

class MapBook {
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();
  private bid = -Infinity;
  private ask = Infinity;
  private lowest = Infinity;
  private highest = -Infinity;

  apply(side: number, px: number, qty: number): void {
    const levels = side > 0 ? this.bids : this.asks;
    if (qty !== 0) {
      levels.set(px, qty);
      if (px < this.lowest) this.lowest = px;
      if (px > this.highest) this.highest = px;
      if (side > 0 && px > this.bid) this.bid = px;
      if (side < 0 && px < this.ask) this.ask = px;
    } else if (levels.delete(px)) {
      while (side > 0 && this.bid >= this.lowest && !levels.has(this.bid)) this.bid--;
      while (side < 0 && this.ask <= this.highest && !levels.has(this.ask)) this.ask++;
    }
  }

  get touch(): number {
    return this.bid + this.ask;
  }
}

/** Goes through the levels again and again; the book is a new one at the start of each round. */
function updateSide(levels: Levels, make: () => (i: number) => number): Side {
  const count = levels.px.length;
  let apply = make();
  let i = 0;
  const run = (ops: number): number => {
    let sum = 0;
    for (let k = 0; k < ops; k++) {
      sum += apply(i);
      if (++i === count) i = 0;
    }
    return sum;
  };
  const opsPerSample = Math.min(2_000, count);
  const inner = loopSide(run, { opsPerSample, samples: Math.max(1, Math.floor(count / opsPerSample)) });
  return {
    ...inner,
    round: () => {
      apply = make();
      i = 0;
      return inner.round();
    },
  };
}

function ownUpdates({ side, px, qty, last }: Levels): () => (i: number) => number {
  const book = new L2Book();
  const values = Float64Array.from({ length: 2 * px.length }, (_, k) => (k % 2 === 0 ? px : qty)[k >> 1]!);
  return () => {
    book.clear();
    let from = 0;
    return (i) => {
      if (i === 0) from = 0;
      if (last[i] === 0 && side[i] === side[i + 1]) return 0;
      book.applyRun(side[i]!, values, 2 * from, 2, i + 1 - from);
      from = i + 1;
      if (last[i] === 0) return 0;
      book.maintain();
      const touch = book.bestBidTicks + book.bestAskTicks;
      return touch - touch === 0 ? touch : 0;
    };
  };
}

function mapUpdates({ side, px, qty, last }: Levels): () => (i: number) => number {
  return () => {
    const book = new MapBook();
    return (i) => {
      book.apply(side[i]!, px[i]!, qty[i]!);
      if (last[i] === 0) return 0;
      return book.touch - book.touch === 0 ? book.touch : 0;
    };
  };
}

/** A book of 2·1,500 levels whose touch runs 20,000 ticks up and down: every call of maintain moves a slice. */
function denseBook(levels: number): L2Book {
  const book = new L2Book({ farLevels: 1 << 16 });
  for (let k = 1; k <= levels; k++) {
    book.apply(BID, 600_000 - k, k);
    book.apply(ASK, 600_000 + k, k);
  }
  return book;
}

function sliceSide(samples: number): Side {
  const book = denseBook(15_000);
  let up = true;
  return latencySide(
    () => (book.maintain() ? 1 : 0),
    samples,
    () => {
      if (book.maintain()) return;
      // A touch far away makes the window want to move again.
      const px = up ? 640_000 : 560_000;
      book.apply(BID, 640_000, 0);
      book.apply(ASK, 560_000, 0);
      book.apply(up ? BID : ASK, px, 1);
      up = !up;
    },
  );
}

export const benches: readonly Bench[] = [
  {
    name: "book.update",
    question: "ns to apply one level of a real depth message, best prices kept",
    unit: "ns",
    compare: "mean" as const,
    sameChecksum: true,
    open: async (size) => {
      const levels = await captureLevels(size === "full" ? 6551 : 60);
      return {
        own: updateSide(levels, ownUpdates(levels)),
        reference: { name: "Map of levels", ...updateSide(levels, mapUpdates(levels)) },
      };
    },
  },
  {
    name: "book.recentre",
    question: "ns of one re-centring slice of a book with 30,000 levels",
    unit: "ns",
    compare: "p50",
    open: (size) => {
      const samples = size === "full" ? 20_000 : 200;
      return {
        own: sliceSide(samples),
        reference: null,
        missing: "the figure is absolute: p99.9 below 20 µs",
      };
    },
  },
];
