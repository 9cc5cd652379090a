import { expect, test } from "bun:test";
import { Prng } from "../../../../src/core/prng.ts";
import { drawLatencyNs, LatencyLine } from "../../../../src/venue/sim/latency-line.ts";

test("draws have the stated mean and repeat with the seed", () => {
  const model = { meanNs: 400_000, sigma: 0.25 };
  const draw = (seed: number) => {
    const random = new Prng(seed);
    return Array.from({ length: 20_000 }, () => drawLatencyNs(model, random));
  };
  const values = draw(1);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  expect(Math.abs(mean / 400_000 - 1)).toBeLessThan(0.02);
  expect(draw(1)).toEqual(values);
  expect(Math.min(...values)).toBeGreaterThan(0);
});

test("items leave in the order they came, none before its time", async () => {
  const nowNs = () => performance.now() * 1e6;
  const line = new LatencyLine({ meanNs: 500_000, sigma: 1 }, new Prng(3), nowNs);
  const left: number[] = [];
  const started = nowNs();
  for (let i = 0; i < 50; i++) line.push(() => left.push(i));
  await new Promise<void>((resolve) => line.push(resolve));
  expect(left).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(nowNs()).toBeGreaterThan(started);
  expect(line.length).toBe(0);
});

test("without latency an item passes at once, with a delay set later it does not", async () => {
  const line = new LatencyLine({ meanNs: 0, sigma: 0 }, new Prng(3), () => performance.now() * 1e6);
  let ran = 0;
  line.push(() => ran++);
  expect([ran, line.passesThrough]).toEqual([1, true]);
  line.extraNs = 5e6;
  line.push(() => ran++);
  expect([ran, line.passesThrough]).toEqual([1, false]);
  await line.wait();
  expect(ran).toBe(2);
});
