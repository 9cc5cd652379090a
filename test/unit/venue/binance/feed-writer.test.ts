// Levels written in runs against the generated encoder, byte by byte.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { allocateRecordMemory, RECORD_BYTES } from "../../../../src/core/record.ts";
import { FeedWriter } from "../../../../src/venue/binance/feed-writer.ts";
import { encodeDepthDelta, FLAG_END_OF_EVENT, FLAG_SNAPSHOT } from "../../../../src/wire/messages.gen.ts";
import { CollectingSink } from "./fixtures.ts";

const SEED = 4_711;
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

test(`levels are the records that the encoder writes one by one, the last one ending the event (seed ${SEED})`, () => {
  const message = fc.record({
    bids: fc.nat(7),
    asks: fc.nat(7),
    first: fc.nat(3),
    sequence: u32,
    instrument: fc.integer({ min: 1, max: 65_535 }),
    lo: u32,
    hi: u32,
    flags: fc.constantFrom(0, FLAG_SNAPSHOT),
  });
  const property = fc.property(message, ({ bids, asks, first, sequence, instrument, lo, hi, flags }) => {
    const count = bids + asks;
    const sink = new CollectingSink(32);
    const writer = new FeedWriter(sink, 0);
    writer.sequence = sequence;
    const values = Float64Array.from({ length: 64 }, (_, k) => (k % 2 === 0 ? 618_000 + k / 2 : k * 7));
    writer.levels(values, 2 * first, bids, count, flags, instrument, 17.5, 18.5, lo, hi);
    const expected = allocateRecordMemory(count);
    for (let k = 0; k < count; k++) {
      const f = flags === 0 && k === count - 1 ? FLAG_END_OF_EVENT : flags;
      const side = k < bids ? 1 : -1;
      const n = (sequence + k) >>> 0;
      const at = k * RECORD_BYTES;
      const p = values[2 * (first + k)]!;
      encodeDepthDelta(
        expected,
        at,
        f,
        instrument,
        0,
        n,
        0,
        17.5,
        18.5,
        p,
        values[2 * (first + k) + 1]!,
        side,
        count,
        lo,
        hi,
      );
    }
    expect(sink.count).toBe(count);
    expect(writer.sequence).toBe((sequence + count) >>> 0);
    const bytes = count * RECORD_BYTES;
    expect(sink.memory.u8.subarray(0, bytes)).toEqual(expected.u8.subarray(0, bytes));
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
});
