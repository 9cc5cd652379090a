import { expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, copyRecord } from "../../../src/core/record.ts";

test("copyRecord copies any 512 bits exactly, NaN patterns included, also once optimised", () => {
  const from = allocateRecordMemory(64);
  const to = allocateRecordMemory(64);
  const prng = new Prng(1);
  // Words that a Float64Array move would canonicalise: signalling and negative NaNs, infinities.
  const special = [0x7ff00001, 0xfff00001, 0x7ff80000, 0xffffffff, 0x80000000, 0x7fffffff];
  let different = 0;
  for (let round = 0; round < 50_000; round++) {
    const source = prng.nextBelow(64) * 64;
    const target = prng.nextBelow(64) * 64;
    for (let w = 0; w < 16; w++)
      from.u32[(source >> 2) + w] = prng.nextBelow(4) === 0 ? special[prng.nextBelow(6)]! : prng.nextU32();
    copyRecord(from, source, to, target);
    for (let w = 0; w < 16; w++) if (from.u32[(source >> 2) + w] !== to.u32[(target >> 2) + w]) different++;
  }
  expect(different).toBe(0);
});

test("copyRecord touches its target record only", () => {
  const from = allocateRecordMemory(64);
  const to = allocateRecordMemory(64);
  from.u8.fill(1);
  copyRecord(from, 0, to, 128);
  expect(to.u8.findIndex((b) => b !== 0)).toBe(128);
  expect(to.u8.findLastIndex((b) => b !== 0)).toBe(191);
});
