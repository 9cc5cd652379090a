import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  LogProb2Queue,
  LogProbQueue,
  PowerProb2Queue,
  PowerProb3Queue,
  PowerProbQueue,
} from "../../../../src/exchange/queue/probability.ts";
import { riskAverseQueue } from "../../../../src/exchange/queue/risk-averse.ts";

test("LogProb2 moves the front by the part of a cancellation that stood ahead (hand-computed)", () => {
  const front = 30;
  const back = 70;
  const p = Math.log(1 + back) / Math.log(1 + back + front);
  expect(new LogProb2Queue().frontAfterDepth(front, 0, 100, 90)).toBe(front - (1 - p) * 10);
});

test("trades already taken off the front are not counted again as cancellations", () => {
  expect(new LogProb2Queue().frontAfterDepth(20, 10, 100, 90)).toBe(20);
});

test("newcomers stand behind: a growing level leaves the front alone", () => {
  expect(new LogProb2Queue().frontAfterDepth(20, 0, 100, 150)).toBe(20);
});

test("every model stays between 0 and the level's new quantity (seed 5)", () => {
  const models = [
    riskAverseQueue,
    new LogProbQueue(),
    new LogProb2Queue(),
    new PowerProbQueue(2),
    new PowerProb2Queue(2),
    new PowerProb3Queue(3),
  ];
  const lots = fc.integer({ min: 0, max: 1000 });
  const property = fc.property(lots, lots, lots, lots, (a, traded, prev, next) => {
    const front = Math.min(a, prev);
    for (const model of models) {
      const result = model.frontAfterDepth(front, traded, prev, next);
      expect(result).toBeGreaterThanOrEqual(0);
      expect(result).toBeLessThanOrEqual(next);
    }
  });
  fc.assert(property, { seed: 5, numRuns: 1000 });
});
