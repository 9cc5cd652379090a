import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ManualClock } from "../../../src/core/clock.ts";
import { allocateRecordMemory, type RecordHandler } from "../../../src/core/record.ts";
import { LaneLog, type Notice, NoticeReader } from "../../../src/lane/notices.ts";
import { MAX_TEXT_BYTES } from "../../../src/lane/text-run.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../../../src/ring/spsc-ring.ts";
import { LOG_WARN } from "../../../src/wire/codes.ts";
import {
  encodeFill,
  encodeFillDetail,
  FLAG_MORE,
  KIND_FILL,
  KIND_FILL_DETAIL,
} from "../../../src/wire/messages.gen.ts";

function rig(capacity: number) {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "notices:feed", capacity);
  const memory = allocateRecordMemory(plan.map().bytes / 64);
  const log = new LaneLog(new RingProducer(memory, ring, null), 3, new ManualClock(77));
  const consumer = new RingConsumer(memory, ring);
  const notices: Notice[] = [];
  const others: number[] = [];
  const rest: RecordHandler = { onRecord: (m, at) => void others.push(m.u16[at >> 1]!) };
  const reader = new NoticeReader((notice) => notices.push(notice), rest);
  const read = () => {
    while (consumer.availableNow() > 0) consumer.drain(reader, 100);
  };
  return { log, reader, notices, others, read };
}

describe("notices", () => {
  test("any text arrives whole with its numbers, up to the limit (seed 31)", () => {
    const property = fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 120 }), { maxLength: 20 }),
      (texts) => {
        const { log, notices, read, reader } = rig(64);
        for (const [i, text] of texts.entries()) {
          expect(log.log(LOG_WARN, i, text, i + 0.5, -i)).toBe(true);
          read();
          const whole = new TextEncoder().encode(text).length <= MAX_TEXT_BYTES;
          if (whole) expect(notices.at(-1)!.text).toBe(text);
          expect(notices.at(-1)).toMatchObject({
            level: LOG_WARN,
            code: i,
            lane: 3,
            recvTsNs: 77,
            arg0: i + 0.5,
          });
        }
        expect(notices.length).toBe(texts.length);
        expect(reader.torn).toBe(0);
      },
    );
    fc.assert(property, { seed: 31, numRuns: 60 });
  });

  test("a text beyond the limit is cut at a whole character and says so", () => {
    const { log, notices, read } = rig(64);
    log.log(LOG_WARN, 1, "é€😀".repeat(200));
    read();
    const text = notices[0]!.text;
    expect(text.endsWith("…")).toBe(true);
    expect("é€😀".repeat(200).startsWith(text.slice(0, -1))).toBe(true);
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(MAX_TEXT_BYTES);
    expect(text).not.toContain("\ufffd");
  });

  test("a full ring drops whole lines and counts them", () => {
    const { log, notices, read, reader } = rig(8);
    const accepted = Array.from({ length: 10 }, (_, i) => log.log(LOG_WARN, i, "x".repeat(60)));
    read();
    expect(accepted.filter(Boolean).length).toBe(2);
    expect(log.lost).toBe(8);
    expect(notices.map((n) => n.code)).toEqual([0, 1]);
    expect(reader.torn).toBe(0);
    expect(log.log(LOG_WARN, 11, "again")).toBe(true);
    read();
    expect(notices.at(-1)!.text).toBe("again");
  });

  test("copies of records pass between lines, heads with their continuations", () => {
    const { log, notices, others, read } = rig(64);
    const own = allocateRecordMemory(8);
    encodeFill(own, 0, FLAG_MORE, 1, 1, 9, 0, 0, 0, 1, 1, 1, 0, 0, 100, 2, 5, 0);
    encodeFillDetail(own, 64, 4, 1, 1, 9, 0, 0, 0, 1, 0, 2, 0, 0, 0);
    log.log(LOG_WARN, 1, "before");
    expect(log.copy(own, 0, 64)).toBe(true);
    log.log(LOG_WARN, 2, "");
    read();
    expect(others).toEqual([KIND_FILL, KIND_FILL_DETAIL]);
    expect(notices.map((n) => n.text)).toEqual(["before", ""]);
  });
});
