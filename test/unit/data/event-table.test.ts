import { expect, test } from "bun:test";
import fc from "fast-check";
import { EV_BUY, EV_EXCH, EV_LOCAL, KIND_DEPTH } from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";

const T = 1_700_000_000_000_000_000n;

function tableOf(times: readonly (readonly [number, number])[]): EventTable {
  const table = new EventTable(1);
  times.forEach(([exch, local], i) => {
    table.append(KIND_DEPTH | EV_BUY, T + BigInt(exch), T + BigInt(local), i, 1);
  });
  return table;
}

const cells = (table: EventTable): { ev: number; exch: bigint; local: bigint; px: number }[] => {
  const i64 = new BigInt64Array(table.bytes.buffer);
  const f64 = new Float64Array(table.bytes.buffer);
  return Array.from({ length: table.rows }, (_, r) => ({
    ev: Number(i64[r * 8]!),
    exch: i64[r * 8 + 1]!,
    local: i64[r * 8 + 2]!,
    px: f64[r * 8 + 3]!,
  }));
};

test("a slow recorder clock is corrected by the largest negative latency and the base latency", () => {
  const table = tableOf([
    [100, 40],
    [200, 210],
    [300, 230],
  ]);
  expect(table.correctLocalTimestamps(5n)).toBe(75n);
  expect(cells(table).map((c) => c.local - c.exch)).toEqual([15n, 85n, 5n]);
  expect(table.correctLocalTimestamps(5n)).toBe(0n);
});

test("event order: every row is once on each side, each side sorted and stable (seed 3)", () => {
  const time = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }));
  const property = fc.property(fc.array(time, { maxLength: 60 }), (times) => {
    const out = cells(tableOf(times).correctEventOrder());
    for (const [flag, key] of [
      [EV_EXCH, "exch"],
      [EV_LOCAL, "local"],
    ] as const) {
      const side = out.filter((c) => (c.ev & flag) !== 0);
      const at = key === "exch" ? 0 : 1;
      const expected = times.map((t, i) => [t[at]!, i] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      // Rows of equal times may pair with another row's copy; the sequence of times is what is defined.
      expect(side.map((c) => Number(c[key] - T))).toEqual(expected.map((e) => e[0]));
      expect(side.map((c) => c.px).sort((a, b) => a - b)).toEqual(times.map((_, i) => i));
    }
  });
  fc.assert(property, { seed: 3, numRuns: 200 });
});

test("rows in order stay single, with both flags", () => {
  const out = cells(
    tableOf([
      [1, 5],
      [2, 6],
      [3, 7],
    ]).correctEventOrder(),
  );
  expect(out.map((c) => (c.ev & (EV_EXCH | EV_LOCAL)) >>> 0)).toEqual([
    0xc000_0000, 0xc000_0000, 0xc000_0000,
  ]);
});
