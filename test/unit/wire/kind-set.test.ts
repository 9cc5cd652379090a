import { describe, expect, test } from "bun:test";
import { KIND_LIMIT, KindSet } from "../../../src/wire/kind-set.ts";
import { MESSAGES } from "../../../src/wire/schema.ts";

describe("KindSet", () => {
  test("holds what was added and nothing else, kinds beyond 31 included", () => {
    const set = new KindSet([1, 31, 32, 200]);
    const held = Array.from({ length: KIND_LIMIT + 100 }, (_, kind) => kind).filter((kind) => set.has(kind));
    expect(held).toEqual([1, 31, 32, 200]);
  });

  test("takes another set in, and refuses a number that is no kind", () => {
    const set = new KindSet([2]);
    set.addAll(new KindSet([33, 64]));
    expect([2, 33, 64, 1, 32].map((kind) => set.has(kind))).toEqual([true, true, true, false, false]);
    for (const kind of [0, -1, KIND_LIMIT, Number.NaN]) expect(() => set.add(kind)).toThrow(/expected 1/);
  });

  test("has room for every declared kind", () => {
    expect(Math.max(...MESSAGES.map((message) => message.kind))).toBeLessThan(KIND_LIMIT);
  });
});
