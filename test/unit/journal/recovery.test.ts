import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES } from "../../../src/core/record.ts";
import { recoverWal } from "../../../src/journal/recovery.ts";
import {
  encodeFill,
  encodeFillDetail,
  encodePosition,
  encodePositionDetail,
  FLAG_CONTINUATION,
  FLAG_MORE,
} from "../../../src/wire/messages.gen.ts";
import { Session, Truth } from "./session-fixture.ts";
import { makeDir, makeWriter, readBack, removeDir, segmentFiles } from "./wal-fixture.ts";

const SEED = 44_100;
let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

describe("recoverWal", () => {
  test(`finds positions, fills, open orders and counters of random sessions as the writer knew them (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, sessionCount) => {
          removeDir(dir);
          const truth = new Truth();
          const prng = new Prng(seed);
          const clientSeqs: number[] = [];
          for (let i = 0; i < sessionCount; i++) {
            const session = new Session(dir, truth, prng, i);
            for (let step = 0; step < 150; step++) session.step();
            session.writer.close();
            clientSeqs.push(session.clientSeq);
          }
          const found = recoverWal(dir);
          expect(found.problems).toEqual([]);
          expect(found.endPosition).toBe(truth.records);
          expect(found.sessions.map((s) => s.records).reduce((a, b) => a + b)).toBe(truth.records);
          for (const [i, s] of found.sessions.entries())
            expect(s.maxClientSeq).toBeGreaterThanOrEqual(clientSeqs[i]!);
          expect(
            Object.fromEntries(
              found.openOrders.map(
                ({ key, symbol, strategy, pxTicks, qtyLots, cumQtyLots, state, venueOrderId }) => [
                  key,
                  { symbol, strategy, pxTicks, qtyLots, cumQtyLots, state, venueOrderId },
                ],
              ),
            ),
          ).toEqual(Object.fromEntries(truth.orders));
          for (const i of found.instruments)
            expect({ max: i.maxTradeId, last: i.lastFillUnixNs, count: i.recentTradeIds.size }).toEqual(
              truth.fills.get(i.symbol)!,
            );
          expect(found.instruments.length).toBe(truth.fills.size);
          expect(
            Object.fromEntries(
              found.positions.map((p) => [
                `${p.strategy}/${p.symbol}`,
                { qty: p.qtyLots, since: p.fillsSince.map((f) => f.tradeId) },
              ]),
            ),
          ).toEqual(Object.fromEntries(truth.positions));
        },
      ),
      { seed: SEED, numRuns: 25 },
    );
  });

  test("carries the details: two-limb sums, mark, fee", () => {
    const { writer } = makeWriter(dir);
    writer.open();
    const memory = allocateRecordMemory(8);
    encodePosition(memory, 0, FLAG_MORE, 1, 1, 0, 0, 5, 6, -5, -35, 3, 4);
    encodePositionDetail(memory, RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 5, 6, 1, 2, 9, 500);
    encodeFill(memory, 2 * RECORD_BYTES, FLAG_MORE, 1, 1, 0, 0, 5, 6, 9, 2, 1, 0, 0, 500, 3, 7, 0);
    encodeFillDetail(memory, 3 * RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 5, 6, 1, 2, 0, 0, -42, 500.5);
    writer.stage(2, memory, 0, 4, 0, 4);
    writer.close();
    const [position] = recoverWal(dir).positions;
    expect(position).toMatchObject({
      strategy: "#1",
      symbol: "#1",
      qtyLots: -5,
      realizedHi: 3,
      realizedLo: 4,
      feesHi: 1,
      feesLo: 2,
      markTicks: 500,
      walPosition: 0,
    });
    expect(position!.fillsSince[0]).toMatchObject({
      side: 2,
      maker: true,
      feeE8: -42,
      tradeId: 7n,
      walPosition: 2,
    });
  });

  test("an absent or empty directory is an empty WAL", () => {
    expect(recoverWal(join(dir, "absent"))).toMatchObject({ endPosition: 0, sessions: [], problems: [] });
    expect(recoverWal(dir)).toMatchObject({ endPosition: 0, sessions: [], problems: [] });
  });
});

describe("repair", () => {
  function writeSome(): string {
    const truth = new Truth();
    const session = new Session(dir, truth, new Prng(1), 0);
    for (let step = 0; step < 40; step++) session.step();
    session.writer.close();
    return segmentFiles(dir).at(-1)!;
  }

  test("a torn tail is cut, kept beside the segment, and the WAL is whole again", () => {
    const file = writeSome();
    const size = statSync(file).size;
    const before = readBack(dir).records;
    appendFileSync(file, "a write that was cut by a kill");
    const found = recoverWal(dir);
    expect(found.cuts).toEqual([{ file, offset: size, bytes: 30, keptAs: `${file}.torn` }]);
    expect(readFileSync(`${file}.torn`, "utf8")).toBe("a write that was cut by a kill");
    const after = readBack(dir);
    expect(after.result.problems).toEqual([]);
    expect(after.records).toEqual(before);
    expect(recoverWal(dir).cuts).toEqual([]);
  });

  test("a segment killed before its header was whole is put aside", () => {
    const file = writeSome();
    const next = file.replace(
      /(\d{6})\.wal$/,
      (_, index: string) => `${String(Number(index) + 1).padStart(6, "0")}.wal`,
    );
    writeFileSync(next, "HLWS");
    const end = recoverWal(dir, { repair: false }).endPosition;
    const found = recoverWal(dir);
    expect(found.cuts).toMatchObject([{ file: next, offset: 0, bytes: 4 }]);
    expect(existsSync(next)).toBe(false);
    expect(found.endPosition).toBe(end);
    expect(recoverWal(dir)).toMatchObject({ problems: [], endPosition: end });
  });

  test("damage in the middle is reported with file and offset, and nothing is changed", () => {
    const file = writeSome();
    const bytes = readFileSync(file);
    bytes[4096 + 70]! ^= 1;
    writeFileSync(file, bytes);
    const found = recoverWal(dir);
    expect(found.problems[0]).toMatchObject({
      kind: "corrupt",
      file,
      offset: 4096,
      reason: "checksum does not match",
    });
    expect(found.cuts).toEqual([]);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});
