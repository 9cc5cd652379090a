import { expect, test } from "bun:test";
import { join } from "node:path";
import { sampleMidTicks } from "../../../src/backtest/fill-mids.ts";
import { baseOfDayNs } from "../../../src/core/clock.ts";
import { Prng } from "../../../src/core/prng.ts";
import { EV_BUY, EV_EXCH, KIND_DEPTH, KIND_DEPTH_SNAPSHOT } from "../../../src/data/event-codes.ts";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";

const FILE = join(import.meta.dir, "../../data/npz/btcusdt_200k.npz");
/** The walk of the naive book is slow: the samples lie in the first rows. */
const ROWS = 40_000;

test("mids are those of a naive book over the exchange's rows, NaN beyond the data", () => {
  const seed = Date.now() % 1e6;
  const random = new Prng(seed);
  const { bytes, header } = loadRows(FILE, EVENT_FIELDS);
  const i64 = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const f64 = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const baseNs = baseOfDayNs(i64[1]!);
  const [first, last] = [i64[1]!, i64[ROWS * 8 + 1]!].map((ts) => Number(ts - baseNs));
  const times = Float64Array.from(
    { length: 60 },
    () => first! + random.nextFloat() * (last! - first!),
  ).sort();
  times[59] = Number(i64[(header.rows - 1) * 8 + 1]! - baseNs) + 1e12;
  const mids = sampleMidTicks({ data: [FILE], tickSize: 0.1, lotSize: 0.001 }, baseNs, times);

  const [bids, asks] = [new Map<number, number>(), new Map<number, number>()];
  let at = 0;
  for (let row = 0; row < header.rows && at < 59; row++) {
    const ev = Number(i64[row * 8]! & 0xffff_ffffn);
    if ((ev & EV_EXCH) === 0) continue;
    const ts = Number(i64[row * 8 + 1]! - baseNs);
    while (at < 59 && ts > times[at]!) {
      const mid = (Math.max(...bids.keys()) + Math.min(...asks.keys())) / 2;
      expect([seed, at, mids[at]!]).toEqual([seed, at, Number.isFinite(mid) ? mid : Number.NaN]);
      at++;
    }
    const kind = ev & 0xff;
    if (kind !== KIND_DEPTH && kind !== KIND_DEPTH_SNAPSHOT) continue;
    const tick = Math.round(f64[row * 8 + 3]! / 0.1);
    const [side, other, crosses] =
      (ev & EV_BUY) !== 0 ? [bids, asks, (t: number) => t <= tick] : [asks, bids, (t: number) => t >= tick];
    if (Math.round(f64[row * 8 + 4]! / 0.001) === 0) side.delete(tick);
    else {
      side.set(tick, 1);
      for (const t of other.keys()) if (crosses(t)) other.delete(t);
    }
  }
  expect(at).toBe(59);
  expect(mids[59]).toBeNaN();
});
