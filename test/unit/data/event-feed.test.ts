import { expect, test } from "bun:test";
import fc from "fast-check";
import { AT_EXCH, AT_LOCAL, LOT_POSITIVE, LOT_ZERO, OP_ASK, OP_MASK } from "../../../src/data/event-chunk.ts";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH } from "../../../src/data/event-codes.ts";
import { EventFeed, leastWithQuotient } from "../../../src/data/event-feed.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { MemoryBlocks } from "../../../src/data/row-blocks.ts";

const BASE = 1_723_075_200_000_000_000n;
const BOTH = EV_EXCH | EV_LOCAL;

interface Row {
  ev: number;
  exch: bigint;
  local: bigint;
  px: number;
  qty: number;
}

function feedOf(rows: readonly Row[], tickSize: number, lotSize: number, latencyOffsetNs = 0): EventFeed {
  const table = new EventTable();
  for (const r of rows) table.append(r.ev, r.exch, r.local, r.px, r.qty);
  const feed = new EventFeed(new MemoryBlocks(table.bytes, "rows"), { tickSize, lotSize, latencyOffsetNs });
  feed.setBase(BASE);
  return feed;
}

/** Rust's f64::round, from the decimal expansion of the double. */
const naiveRound = (x: number): number =>
  Math.sign(x) * Math.floor(Math.abs(x) + (Math.abs(x) % 1 >= 0.5 ? 1 - (Math.abs(x) % 1) : 0));

test("rows become ticks, lot signs and exact times (seed 11)", () => {
  const row = fc.record({
    kind: fc.constantFrom(EV_BUY, EV_SELL),
    sides: fc.constantFrom(EV_EXCH, EV_LOCAL, BOTH),
    step: fc.integer({ min: 0, max: 1_000_000_007 }),
    ticks: fc.integer({ min: 0, max: 2_000_000 }),
    halves: fc.constantFrom(0, 0, 0, 0.5, 0.49999999999999994, 0.25),
    lots: fc.constantFrom(0, 0.25, 0.5, 0.75, 1, 17, 1e6, -1, -0.25, Number.NaN),
  });
  const property = fc.property(
    fc.array(row, { minLength: 1, maxLength: 200 }),
    fc.constantFrom(0.1, 0.5, 0.01),
    (spec, tickSize) => {
      const lotSize = 0.001;
      let ts = BASE + 5n;
      const rows = spec.map((s) => {
        ts += BigInt(s.step);
        const px = (s.ticks + s.halves) * tickSize;
        return {
          ev: KIND_DEPTH | s.kind | s.sides,
          exch: ts,
          local: ts + 1_000_000n,
          px,
          qty: s.lots * lotSize,
        };
      });
      const feed = feedOf(rows, tickSize, lotSize, 7);
      const chunk = feed.advance(null)!;
      expect(chunk.rows).toBe(rows.length);
      let group = 0;
      rows.forEach((r, i) => {
        if (chunk.groupStart[group + 1] === i) group++;
        const tick = naiveRound(r.px / tickSize);
        const ask = (chunk.code[i]! & OP_MASK) === OP_ASK;
        expect(chunk.key[i]! + 0).toBe(ask ? 0 - tick : tick);
        const lot = Number.isNaN(r.qty) ? 0 : naiveRound(r.qty / lotSize);
        expect((chunk.code[i]! & LOT_POSITIVE) !== 0).toBe(lot > 0);
        expect((chunk.code[i]! & LOT_ZERO) !== 0).toBe(lot === 0);
        expect(BASE + BigInt(chunk.groupExchTs[group]!)).toBe(r.exch);
        expect(BASE + BigInt(chunk.groupLocalTs[group]!)).toBe(r.local + 7n);
        const sides = ((r.ev & EV_EXCH) !== 0 ? AT_EXCH : 0) | ((r.ev & EV_LOCAL) !== 0 ? AT_LOCAL : 0);
        expect(chunk.groupSides[group]).toBe(sides);
      });
    },
  );
  fc.assert(property, { seed: 11, numRuns: 60 });
});

test("the least quantity of a lot count is found exactly, whatever the lot size", () => {
  for (const lot of [0.001, 0.1, 1, 3, 1e-8, 0.0009765625, 7.3e-5]) {
    const least = leastWithQuotient(lot, 0.5);
    expect(least / lot).toBeGreaterThanOrEqual(0.5);
    const bits = new BigInt64Array(new Float64Array([least]).buffer);
    bits[0]!--;
    expect(new Float64Array(bits.buffer)[0]! / lot).toBeLessThan(0.5);
  }
});

test("unsorted rows are refused with file, row and column", () => {
  const ts = BASE + 1000n;
  const row = (exch: bigint, local: bigint, sides = BOTH): Row => ({
    ev: KIND_DEPTH | EV_BUY | sides,
    exch,
    local,
    px: 1,
    qty: 1,
  });
  expect(() => feedOf([row(ts, ts + 5n), row(ts - 1n, ts + 6n)], 0.1, 1).advance(null)).toThrow(
    /rows: row 1: exch_ts/,
  );
  expect(() => feedOf([row(ts, ts + 5n), row(ts, ts + 4n)], 0.1, 1).advance(null)).toThrow(
    /rows: row 1: local_ts/,
  );
  // A row of the other side only may be earlier.
  expect(feedOf([row(ts, ts + 5n), row(ts - 1n, ts + 6n, EV_LOCAL)], 0.1, 1).advance(null)?.rows).toBe(2);
});

test("times beyond 104 days and prices beyond 2^31 ticks are refused, not rounded", () => {
  const row = (exch: bigint, px: number): Row => ({
    ev: KIND_DEPTH | EV_BUY | BOTH,
    exch,
    local: exch,
    px,
    qty: 1,
  });
  expect(() => feedOf([row(BASE + 2n ** 53n, 1)], 0.1, 1).advance(null)).toThrow(/104 days/);
  expect(() => feedOf([row(BASE, 1e9)], 0.1, 1).advance(null)).toThrow(/ticks/);
});

test("chunks are reused once both readers have left them", () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({
    ev: KIND_DEPTH | EV_BUY | BOTH,
    exch: BASE + BigInt(i),
    local: BASE + BigInt(i),
    px: 1,
    qty: 1,
  }));
  const feed = feedOf(rows, 0.1, 1);
  let a = feed.advance(null);
  let b = feed.advance(null);
  const seen = new Set<unknown>();
  let count = 0;
  while (a !== null) {
    seen.add(a);
    count += a.rows;
    a = feed.advance(a);
    b = b === null ? null : feed.advance(b);
  }
  expect(count).toBe(20_000);
  expect(seen.size).toBeLessThanOrEqual(3);
});
