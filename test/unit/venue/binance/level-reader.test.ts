// The generated level reader against the plain one and against JSON.parse, over forms of numbers, texts of any
// length, and damaged bytes.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseDecimal, toSteps } from "../../../../src/core/decimal.ts";
import { SCAN_FAILED } from "../../../../src/venue/binance/json-scan.ts";
import { DecimalForm, LevelForm } from "../../../../src/venue/binance/level-reader.ts";
import { LevelScanner } from "../../../../src/venue/binance/level-scan.ts";

const SEED = 61_803;
const BEFORE = '{"b":';

interface Form {
  readonly step: string;
  readonly textDecimals: number;
}

const form: fc.Arbitrary<Form> = fc
  .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 2 }), fc.constantFrom(1, 1, 1, 5))
  .map(([decimals, zeros, units]) => ({
    step: decimals === 0 ? String(units) : `0.${String(units).padStart(decimals, "0")}`,
    textDecimals: decimals + zeros,
  }));

/** A multiple of the step as the venue writes it. */
function text({ step, textDecimals }: Form, steps: number): string {
  const { units, decimals } = parseDecimal(step);
  const digits = (BigInt(steps) * units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals) + "0".repeat(textDecimals - decimals);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

const steps = fc.oneof(fc.nat(9), fc.nat(9_999), fc.nat(9_999_999), fc.nat(2_000_000_000));

const decimalForm = (f: Form): DecimalForm => new DecimalForm(parseDecimal(f.step), f.textDecimals);

interface Outcome {
  readonly after: number;
  readonly px: number[];
  readonly qty: number[];
  readonly offStep: boolean;
}

function scan(bytes: Uint8Array, end: number, form: LevelForm): Outcome {
  const scanner = new LevelScanner(64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const after = scanner.scan(bytes, view, BEFORE.length, end, form);
  const count = after === SCAN_FAILED ? 0 : scanner.count;
  const levels = Array.from({ length: count }, (_, i) => [...scanner.values.subarray(2 * i, 2 * i + 2)]);
  return {
    after,
    px: levels.map(([px]) => px!),
    qty: levels.map(([, qty]) => qty!),
    offStep: scanner.offStep,
  };
}

function forms(px: Form, qty: Form): { quick: LevelForm; plain: LevelForm } {
  const quick = new LevelForm(decimalForm(px), decimalForm(qty));
  return { quick, plain: { px: quick.px, qty: quick.qty, read: (_view, at) => at } };
}

const levels = fc.array(fc.tuple(steps, steps), { minLength: 1, maxLength: 12 });
const options = { seed: SEED, numRuns: 400 };

describe("level reader", () => {
  test(`reads what JSON.parse reads, for every number of decimals and digits (seed ${SEED})`, () => {
    const property = fc.property(form, form, levels, fc.nat(40), (px, qty, rows, behind) => {
      const json = rows.map(([p, q]) => [text(px, p), text(qty, q)] as const);
      const message = `${BEFORE}${JSON.stringify(json)}}`;
      const bytes = new TextEncoder().encode(message + "7".repeat(behind));
      const { after, ...read } = scan(bytes, message.length, forms(px, qty).quick);
      expect(after).toBe(message.length - 1);
      const parsed = (JSON.parse(message) as { b: [string, string][] }).b;
      expect(read.px).toEqual(parsed.map(([p]) => toSteps(p, px.step)));
      expect(read.qty).toEqual(parsed.map(([, q]) => toSteps(q, qty.step)));
    });
    fc.assert(property, options);
  });

  test(`refuses exactly what the plain reader refuses, whatever a byte is changed to (seed ${SEED})`, () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'0123456789.,"[]}{:-e \u0000\u00ff/9')), {
      minLength: 1,
      maxLength: 3,
    });
    const property = fc.property(form, form, levels, damage, fc.nat(40), (px, qty, rows, changes, behind) => {
      const json = rows.map(([p, q]) => [text(px, p), text(qty, q)]);
      const message = `${BEFORE}${JSON.stringify(json)}}`;
      const bytes = new TextEncoder().encode(message + '","0.1"],["1.0","2'.repeat(3).slice(0, behind));
      for (const [at, char] of changes)
        bytes[BEFORE.length + (at % (message.length - 1 - BEFORE.length))] = char.charCodeAt(0);
      const { quick, plain } = forms(px, qty);
      expect(scan(bytes, message.length, quick)).toEqual(scan(bytes, message.length, plain));
    });
    fc.assert(property, { ...options, numRuns: 1_500 });
  });

  test("reads no level behind the message's end, though the buffer holds some", () => {
    const message = `${BEFORE}[["1.0","2.000"],}`;
    const bytes = new TextEncoder().encode(`${message}["3.0","4.000"]]}`);
    const { quick } = forms({ step: "0.1", textDecimals: 1 }, { step: "0.001", textDecimals: 3 });
    expect(scan(bytes, message.length, quick).after).toBe(SCAN_FAILED);
  });
});
