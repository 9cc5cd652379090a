import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES } from "../../../src/core/record.ts";
import { type ExportContext, exportRecord, kindOf } from "../../../src/journal/export-record.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import {
  encodeBookStats,
  encodeFill,
  encodeFillDetail,
  encodeOrderSent,
  encodePosition,
  encodePositionDetail,
  encodeText,
  encodeTrade,
  MESSAGE_DESCRIPTORS,
  type MessageDescriptor,
} from "../../../src/wire/messages.gen.ts";
import { BASE_NS, randomRecord } from "./wal-fixture.ts";

const SEED = 60_606;
const BTC = { id: 1, symbol: "BTCUSDT", tickSize: "0.1", lotSize: "0.001", contractSize: "1" } as Instrument;
const known: ExportContext = {
  baseNs: BASE_NS,
  instrumentOf: (id) => (id === 1 ? BTC : undefined),
  strategyOf: (id) => (id === 0 ? "house" : "obi-mm"),
  assetOf: (id) => (id === 3 ? "BNB" : `#${id}`),
};
const unknown: ExportContext = {
  baseNs: BASE_NS,
  instrumentOf: () => undefined,
  strategyOf: (id) => `#${id}`,
  assetOf: (id) => `#${id}`,
};
const m = allocateRecordMemory(1);

describe("exportRecord", () => {
  test("a trade: ids beyond 2^53 whole, times as Unix ns, price and quantity in decimal text", () => {
    encodeTrade(
      m,
      0,
      1,
      1,
      0,
      9,
      0,
      1_500_000_000,
      2_000_000_001,
      673_215,
      12,
      -1,
      0,
      0xffffffff,
      0xfffffffe,
    );
    expect(exportRecord(m, 0, known, { position: 5 })).toEqual({
      position: 5,
      kind: "Trade",
      flags: "endOfEvent",
      instrument: "BTCUSDT",
      strategy: "house",
      sequence: 9,
      spare: 0,
      exchTs: "1732147201500000000",
      recvTs: "1732147202000000001",
      px: "67321.5",
      qty: "0.012",
      side: "sell",
      tradeType: 0,
      tradeId: "18446744069414584319",
    });
  });

  test("orders and fills: codes by name, fees in the fee asset, an absent mid is null", () => {
    encodeOrderSent(m, 0, 2 | 32, 1, 1, 9, 0, 0, 2, 7, 1, 2, 1, 0, 673_215, 12, 1_000);
    expect(exportRecord(m, 0, known)).toMatchObject({
      flags: "more|reduceOnly",
      strategy: "obi-mm",
      exchTs: null,
      clientSeq: 7,
      action: "place",
      side: "sell",
      tif: "gtx",
      orderType: "limit",
      triggerTs: "1732147200000001000",
    });
    encodeFill(m, 0, 2, 1, 1, 9, 0, 1, 2, 7, 1, 1, 0, 3, 673_215, 12, 5, 1);
    expect(exportRecord(m, 0, known)).toMatchObject({
      side: "buy",
      maker: true,
      source: "userStream",
      tradeId: "4294967301",
      feeAsset: "BNB",
    });
    encodeFillDetail(m, 0, 4, 1, 1, 9, 0, 1, 2, 1, 2, 3, 4, -12_345, Number.NaN);
    expect(exportRecord(m, 0, known)).toMatchObject({
      flags: "continuation",
      fee: "-0.00012345",
      midAtFill: null,
      venueOrderId: "8589934593",
    });
  });

  test("money: tick·lots and two-limb sums exactly, half ticks too", () => {
    encodePosition(m, 0, 2, 1, 1, 9, 0, 1, 2, -12, -8_078_580, -1, 4_503_599_627_370_495);
    expect(exportRecord(m, 0, known)).toMatchObject({ qty: "-0.012", cost: "-807.858", realized: "-0.0001" });
    encodePositionDetail(m, 0, 4, 1, 1, 9, 0, 1, 2, 3, 5, -7, 673_215);
    // 3 · 2^52 + 5 units of 1e-8 tick·lot, and a tick·lot is 0.0001.
    expect(exportRecord(m, 0, known)).toMatchObject({
      fees: "13510.798882111493",
      unrealized: "-0.0007",
      mark: "67321.5",
    });
    encodeBookStats(m, 0, 1, 1, 0, 9, 0, 1, 2, 673_215.5, 1, 10, 20);
    expect(exportRecord(m, 0, known)).toMatchObject({
      mid: "67321.55",
      spread: "0.1",
      bidDepth: "0.01",
      askDepth: "0.02",
    });
  });

  test("without the instrument's increments the integers stay, under their own names", () => {
    encodeTrade(m, 0, 1, 2, 0, 9, 0, 1, 2, 673_215, 12, 1, 0, 1, 0);
    expect(exportRecord(m, 0, known)).toMatchObject({ instrument: "#2", pxTicks: 673_215, qtyLots: 12 });
  });

  test("text is UTF-8 without its padding", () => {
    encodeText(m, 0, 4, 0, 0, 9, 0, 1, 2);
    m.u8.set(new TextEncoder().encode("größer"), 32);
    expect(exportRecord(m, 0, known)["bytes"]).toBe("größer");
  });

  test("an unknown kind shows its number and bytes", () => {
    m.u8.fill(0);
    m.u16[0] = 999;
    expect(exportRecord(m, 0, known)).toMatchObject({ kind: "#999", body: "00".repeat(48) });
  });

  test("kinds are found by name", () => {
    expect(kindOf("fill")).toBe(17);
    expect(kindOf("Nothing")).toBeUndefined();
  });
});

/** What a record says, read with DataView and BigInt from the descriptors, without units. */
function oracle(bytes: Uint8Array, message: MessageDescriptor): Record<string, unknown> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const out: Record<string, unknown> = {};
  for (const { name, type, offset } of message.fields) {
    if (type === "u8") out[name] = view.getUint8(offset);
    else if (type === "u16") out[name] = view.getUint16(offset, true);
    else if (type === "i32") out[name] = view.getInt32(offset, true);
    else if (type === "f64") out[name] = view.getFloat64(offset, true);
    else if (type === "u32" && name.endsWith("Lo"))
      out[name.slice(0, -2)] = view.getBigUint64(offset, true).toString();
    else if (type === "u32" && !name.endsWith("Hi")) out[name] = view.getUint32(offset, true);
  }
  return out;
}

/** Fields that keep name and number without a manifest. */
const PLAIN =
  /^(sequence|spare|levelCount|attempt|clientSeq|commandId|target|textLength|firstIndex|count|timerId|gaps|resyncs|lostCount|stream|firstSequence|value\d?|arg\d|pxTicks|qtyLots|.*(Ticks|Lots)|.*Id|clientNonce|transaction|rejectCode)$/;

test(`every kind of random record agrees with a DataView and BigInt oracle (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
      const record = randomRecord(new Prng(seed));
      // Finite doubles: exponents without the all-ones pattern.
      for (let at = 23; at < RECORD_BYTES; at += 8) record[at]! &= 0x3f;
      m.u8.set(record);
      const message = MESSAGE_DESCRIPTORS.find((d) => d.kind === m.u16[0])!;
      const row = exportRecord(m, 0, unknown);
      const expected = oracle(record, message);
      expect(row["kind"]).toBe(message.name);
      let compared = 0;
      for (const [name, value] of Object.entries(expected)) {
        if (!PLAIN.test(name)) continue;
        compared++;
        expect<unknown>([name, row[name]]).toEqual([name, value]);
      }
      expect(compared).toBeGreaterThanOrEqual(2);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
