import { expect, test } from "bun:test";
import fc from "fast-check";
import { checkValues, describeSpec } from "../../../src/control/check-values.ts";
import { PARAMETERS } from "../admin/memory-engine.ts";

test("values come back as canonical text", () => {
  expect(
    checkValues(PARAMETERS, { halfSpread: "02.50", levels: 3, postOnly: false, mode: "improve" }),
  ).toEqual({
    ok: true,
    values: { halfSpread: "2.5", levels: "3", postOnly: "false", mode: "improve" },
  });
});

test("every wrong value is named at once, with what was expected", () => {
  const checked = checkValues(PARAMETERS, {
    halfSpread: "2.55",
    levels: 11,
    postOnly: "yes",
    mode: "file:///etc/passwd",
    module: "evil.ts",
  });
  expect(checked.ok).toBe(false);
  if (checked.ok) return;
  expect(checked.problems.map((p) => [p.where, p.expected])).toEqual([
    ["halfSpread", "decimal in 0.1 … 5, step 0.1, bps"],
    ["levels", "int in 1 … 10"],
    ["postOnly", "true or false"],
    ["mode", "one of join, improve"],
    ["module", "halfSpread, levels, postOnly, mode"],
  ]);
});

test("numbers that are no plain decimals are refused", () => {
  const hostile = ["1e3", "NaN", "Infinity", "", "0x10", "--1", "1.5.", "9".repeat(100_000), "١"];
  for (const halfSpread of hostile) expect(checkValues(PARAMETERS, { halfSpread }).ok).toBe(false);
  expect(checkValues(PARAMETERS, { halfSpread: Number.NaN }).ok).toBe(false);
  expect(checkValues(PARAMETERS, { levels: "1.5" }).ok).toBe(false);
  expect(checkValues(PARAMETERS, { constructor: "1" }).ok).toBe(false);
});

test("a multiple of the step in the range passes and nothing else does (seed 41)", () => {
  const property = fc.property(fc.integer({ min: -100, max: 700 }), (hundredths) => {
    const text = `${hundredths < 0 ? "-" : ""}${Math.trunc(Math.abs(hundredths) / 100)}.${String(Math.abs(hundredths) % 100).padStart(2, "0")}`;
    const allowed = hundredths >= 10 && hundredths <= 500 && hundredths % 10 === 0;
    expect(checkValues(PARAMETERS, { halfSpread: text }).ok).toBe(allowed);
  });
  fc.assert(property, { seed: 41, numRuns: 500 });
});

test("a spec without bounds is described without them", () => {
  expect(describeSpec({ ...PARAMETERS[1]!, min: null, max: null })).toBe("int");
});
