import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocateRecordMemory, type RecordMemory } from "../../../src/core/record.ts";
import { generate, place } from "../../../src/wire/generate.ts";
import * as gen from "../../../src/wire/messages.gen.ts";
import { type FieldType, MESSAGES, type Message } from "../../../src/wire/schema.ts";

const HEADER = ["flags", "instrument", "strategy", "sequence", "spare", "exchTsNs", "recvTsNs"] as const;
const HEADER_TYPES: readonly FieldType[] = ["u16", "u16", "u16", "u32", "u32", "f64", "f64"];

function arbitraryOf(type: FieldType): fc.Arbitrary<number> {
  switch (type) {
    case "u8":
      return fc.integer({ min: 0, max: 255 });
    case "u16":
      return fc.integer({ min: 0, max: 65535 });
    case "u32":
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case "i32":
      return fc.integer();
    default:
      return fc.double();
  }
}

type Encode = (m: RecordMemory, at: number, ...values: number[]) => void;
type Flyweight = gen.RecordHeader & Record<string, number>;

const encoderOf = (message: Message): Encode =>
  (gen as unknown as Record<string, Encode>)[`encode${message.name}`]!;
const flyweightOf = (message: Message, m: RecordMemory, at: number): Flyweight => {
  const Class = (gen as unknown as Record<string, new (m: RecordMemory) => Flyweight>)[message.name]!;
  return new Class(m).wrap(m, at) as Flyweight;
};
const fieldsOf = (message: Message) =>
  message.body.filter((f) => f.type !== "text" && !f.name.startsWith("reserved"));

const AT = 3 * 64;

describe("generated messages", () => {
  test("the committed file is what the generator writes", async () => {
    const committed = await Bun.file(new URL("../../../src/wire/messages.gen.ts", import.meta.url)).text();
    expect(committed).toBe(generate());
  });

  for (const message of MESSAGES) {
    const fields = fieldsOf(message);
    const names = [...HEADER, ...fields.map((f) => f.name)];
    const values = fc.tuple(...HEADER_TYPES.map(arbitraryOf), ...fields.map((f) => arbitraryOf(f.type)));

    test(`${message.name} reads back what was encoded, and nothing outside it is touched (seed 7)`, () => {
      const m = allocateRecordMemory(8);
      const property = fc.property(values, (row) => {
        m.u8.fill(0xa5);
        encoderOf(message)(m, AT, ...row);
        const view = flyweightOf(message, m, AT);
        expect(view.kind).toBe(message.kind);
        names.forEach((name, i) => {
          expect(Object.is(view[name], row[i])).toBe(true);
        });
        for (let i = 0; i < 8 * 64; i++) {
          const inside = i >= AT && i < AT + 64;
          if (!inside) expect(m.u8[i]).toBe(0xa5);
        }
      });
      fc.assert(property, { seed: 7, numRuns: 15 });
    });

    test(`${message.name} setters change their own field only (seed 8)`, () => {
      const m = allocateRecordMemory(8);
      const property = fc.property(values, values, (before, after) => {
        encoderOf(message)(m, AT, ...before);
        const view = flyweightOf(message, m, AT);
        names.forEach((name, i) => {
          view[name as "spare"] = after[i]!;
          names.forEach((other, j) => {
            expect(Object.is(view[other], j <= i ? after[j] : before[j])).toBe(true);
          });
        });
      });
      fc.assert(property, { seed: 8, numRuns: 3 });
    });
  }

  test("reserved bytes are zeroed, whatever the slot held before", () => {
    const m = allocateRecordMemory(8);
    for (const message of MESSAGES.filter((x) => x.body.some((f) => f.name.startsWith("reserved")))) {
      m.u8.fill(0xff);
      encoderOf(message)(m, 0, ...Array(HEADER.length + fieldsOf(message).length).fill(1));
      for (const f of place(message.name, message.body, 32, 64)) {
        if (!f.name.startsWith("reserved")) continue;
        const bytes = { u8: 1, u16: 2, u32: 4, i32: 4, f64: 8, text: f.bytes ?? 0 }[f.type];
        expect([...m.u8.subarray(f.offset, f.offset + bytes)]).toEqual(Array(bytes).fill(0));
      }
    }
  });

  test("descriptors cover every message and agree with the flyweights", () => {
    expect(gen.MESSAGE_DESCRIPTORS.map((d) => [d.name, d.kind])).toEqual(
      MESSAGES.map((m) => [m.name, m.kind]),
    );
    for (const d of gen.MESSAGE_DESCRIPTORS)
      for (const f of d.fields) expect(f.offset + f.bytes).toBeLessThanOrEqual(64);
  });
});

describe("generator", () => {
  const message = (body: Message["body"], kind = 200): Message => ({
    name: "Odd",
    kind,
    since: 1,
    doc: "",
    body,
  });
  const u8 = { name: "a", type: "u8" } as const;
  const f64 = (name: string) => ({ name, type: "f64" }) as const;

  test("rejects a misaligned field", () => {
    expect(() => generate([message([u8, f64("b"), f64("c"), f64("d")])])).toThrow(
      "Odd.b: f64 at byte 33 is not aligned",
    );
  });
  test("rejects bodies that leave hidden padding or overflow", () => {
    expect(() => generate([message([f64("a")])])).toThrow("fields end at byte 40, expected 64");
    expect(() => generate([message(["a", "b", "c", "d", "e"].map(f64))])).toThrow("fields end at byte 72");
  });
  test("rejects duplicate fields, duplicate kinds and kinds out of range", () => {
    const four = ["a", "b", "c", "d"].map(f64);
    expect(() => generate([message([f64("a"), f64("a"), f64("c"), f64("d")])])).toThrow("declared twice");
    expect(() => generate([message(four), message(four)])).toThrow("kind 200 is taken");
    expect(() => generate([message(four, 0)])).toThrow("out of 1..255");
    expect(() => generate([message(four, 256)])).toThrow("out of 1..255");
  });
});
