import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";

/** sfc32 as published, in BigInt. */
function* reference(seed: number): Generator<number> {
  const mask = 0xffff_ffffn;
  let a = BigInt(seed | 0) & mask;
  let b = BigInt((seed / 0x1_0000_0000) | 0) & mask;
  let c = 0x9e3779b9n;
  let counter = 1n;
  const step = (): number => {
    const t = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((c << 21n) | (c >> 11n)) & mask;
    c = (c + t) & mask;
    return Number(t);
  };
  for (let i = 0; i < 15; i++) step();
  for (;;) yield step();
}

describe("Prng", () => {
  for (const seed of [0, 1, 42, 2 ** 31, 2 ** 40 + 17]) {
    test(`equals sfc32 in BigInt arithmetic for seed ${seed}`, () => {
      const prng = new Prng(seed);
      const oracle = reference(seed);
      for (let i = 0; i < 1000; i++) expect(prng.nextU32()).toBe(oracle.next().value as number);
    });
  }

  test("different seeds give different streams", () => {
    const first = new Set([0, 1, 2, 3, 2 ** 33].map((seed) => new Prng(seed).nextU32()));
    expect(first.size).toBe(5);
  });

  test("uniform and normal draws have their moments", () => {
    const prng = new Prng(9);
    const n = 200_000;
    let sum = 0;
    let normal = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const u = prng.nextFloat();
      expect(u >= 0 && u < 1).toBe(true);
      sum += u;
      const z = prng.nextNormal();
      normal += z;
      squares += z * z;
    }
    expect(Math.abs(sum / n - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(normal / n)).toBeLessThan(0.01);
    expect(Math.abs(squares / n - 1)).toBeLessThan(0.02);
  });

  test("nextBelow reaches every value and no other", () => {
    const prng = new Prng(4);
    const seen = new Set(Array.from({ length: 1000 }, () => prng.nextBelow(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});
