// Native blocks as the real engine reads them: random rows of every column type, against JavaScript's own values.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Block } from "../../../src/record/block.ts";
import { blockRows } from "../../../src/record/block-rows.ts";
import { text } from "../../../src/record/columns.ts";
import type { TableSpec } from "../../../src/record/tables.ts";
import { LIBRARY, type OpenEngine, openEngine } from "../../e2e/embedded.ts";

const SPEC: TableSpec = {
  name: "every_type",
  doc: "",
  columns: [
    ["e", "Enum8('A' = 1, 'B' = -1)"],
    ["b", "Bool"],
    ["u16", "UInt16"],
    ["u32", "UInt32"],
    ["i32", "Int32"],
    ["i64", "Int64"],
    ["u64", "UInt64"],
    ["f", "Float64"],
    ["d64", "Decimal(18, 8)"],
    ["d128", "Decimal(38, 18)"],
    ["t", "DateTime64(9, 'UTC')"],
    ["s", "String"],
    ["lc", "LowCardinality(String)"],
    ["label", "String"],
  ].map(([name, type]) => ({
    ...{ name: name!, type: type!, codec: "", doc: "", repeats: name === "lc" || name === "label" },
  })),
  partitionBy: "t",
  orderBy: ["i64"],
  indices: [],
  ttl: "records",
};

const row = fc.record({
  e: fc.constantFrom(1, -1),
  b: fc.boolean(),
  u16: fc.nat(65_535),
  u32: fc.nat(0xffff_ffff),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  i64: fc.maxSafeInteger(),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  f: fc.double({ noNaN: true }),
  d64: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
  d128: fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
  t: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
  s: fc.string({ unit: "grapheme", maxLength: 300 }),
  lc: fc.string({ unit: "binary", maxLength: 5 }),
  label: fc.constantFrom(
    ...["", "BTCUSDT", "ETHUSDT", "x".repeat(200)].map((s) => ({ s, encoded: text(s) })),
  ),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

function blockOf(rows: readonly Row[]): Block {
  const block = new Block(SPEC);
  const c = block.columns as Record<string, Block["columns"][string]>;
  for (const r of rows) {
    block.rows++;
    c["e"]!.byte(r.e);
    c["b"]!.byte(r.b ? 1 : 0);
    c["u16"]!.int(r.u16);
    c["u32"]!.int(r.u32);
    c["i32"]!.int(r.i32);
    c["i64"]!.long(r.i64);
    c["u64"]!.words(Number(r.u64 & 0xffff_ffffn), Number(r.u64 >> 32n));
    c["f"]!.float(r.f);
    c["d64"]!.big(r.d64);
    c["d128"]!.big(r.d128);
    c["t"]!.big(r.t);
    c["s"]!.string(text(r.s));
    c["lc"]!.string(text(r.lc));
    c["label"]!.string(r.label.encoded);
  }
  return block;
}

const dir = mkdtempSync(join(tmpdir(), "hotlane-columns-"));
let open: OpenEngine | null = null;
afterAll(async () => {
  await open?.close();
  rmSync(dir, { recursive: true, force: true });
});

test.skipIf(LIBRARY === null)(
  "a block of random rows arrives in ClickHouse with every value",
  async () => {
    open = await openEngine(dir);
    await open.store.open();
    const columns = SPEC.columns.map((c) => `${c.name} ${c.type}`).join(", ");
    await open.store.command(
      `CREATE TABLE hotlane.every_type (n UInt32 MATERIALIZED rowNumberInAllBlocks(), ${columns}) ENGINE = Memory`,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 200 }), async (rows) => {
        await open!.store.command("TRUNCATE TABLE hotlane.every_type");
        const origin = { session: "", first: 0, end: 0, token: String(Math.random()) };
        await open!.store.insert(blockOf(rows), origin, false);
        const got = await open!.rows(
          `SELECT toInt8(e) AS e, b, u16, u32, i32, i64, toString(u64) AS u64, toString(reinterpretAsUInt64(f)) AS f,
           toString(d64) AS d64, toString(d128) AS d128, toString(reinterpretAsInt64(t)) AS t, hex(s) AS s, hex(lc) AS lc, label
           FROM hotlane.every_type ORDER BY n`,
        );
        expect(got).toEqual(rows.map(shown) as never);
      }),
      { numRuns: 20 },
    );
  },
  60_000,
);

const hex = (s: string): string => Buffer.from(s).toString("hex").toUpperCase();

function shown(r: Row): object {
  const bits = new BigUint64Array(Float64Array.of(r.f).buffer)[0]!;
  return {
    ...{ e: r.e, b: r.b, u16: r.u16, u32: r.u32, i32: r.i32, i64: String(r.i64), u64: String(r.u64) },
    f: String(bits),
    ...{
      d64: decimal(r.d64, 8),
      d128: decimal(r.d128, 18),
      t: String(r.t),
      s: hex(r.s),
      lc: hex(r.lc),
      label: r.label.s,
    },
  };
}

function decimal(units: bigint, decimals: number): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -decimals)}${fraction === "" ? "" : `.${fraction}`}`;
}

test("blockRows gives back what was put", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 50 }), (rows) => {
      const got = blockRows(blockOf(rows));
      expect(
        got.map((r) => [
          r["e"],
          r["b"],
          r["i64"],
          r["u64"],
          r["d64"],
          r["d128"],
          r["s"],
          r["lc"],
          r["label"],
        ]),
      ).toEqual(
        rows.map((r) => [
          ...[r.e === 1 ? "A" : "B", r.b, String(r.i64), String(r.u64)],
          ...[decimal(r.d64, 8), decimal(r.d128, 18), r.s, r.lc, r.label.s],
        ]),
      );
    }),
  );
});

test("a row that lacks a value is refused before it is sent", () => {
  const block = blockOf([]);
  block.rows = 1;
  expect(() => block.encode()).toThrow("every_type.e: 0 bytes for 1 rows");
});
