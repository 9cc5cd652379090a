import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogueMarkdown, catalogueText } from "../../../src/cli/factors-list.ts";
import { BUILT_IN, Catalogue } from "../../../src/factor/catalogue.ts";

const REQUIRED =
  "BookSnapshot Trade MidPrice MicroPrice BestBid BestAsk MarkPrice Alpha RollingMean RollingStd RollingMin RollingMax RollingQuantile RollingSum EMA ZScore Diff Return Lag Clip OBI VWAP TWAP TradeFlow OFI BookPressure Spread TradeIntensity RealizedVolatility KyleLambda Threshold Crossover Composite Hysteresis".split(
    " ",
  );

describe("node catalogue", () => {
  test("holds every node type of the requirements", () => {
    const catalogue = new Catalogue();
    expect(REQUIRED.filter((name) => catalogue.type(name) === undefined)).toEqual([]);
  });

  test("states formula, unit, source and cost of every type", () => {
    for (const t of BUILT_IN) {
      for (const text of [t.summary, t.formula, t.unit, t.source, t.bound])
        expect(text.length).toBeGreaterThan(1);
      for (const p of t.params) expect(p.doc.length).toBeGreaterThan(1);
    }
  });

  test("docs/factors.md holds it as it is (`bun run factors list --markdown`)", () => {
    const docs = readFileSync(join(import.meta.dir, "../../../docs/factors.md"), "utf8");
    expect(docs).toContain(catalogueMarkdown());
  });

  test("`factors list` names each type with its parameters", () => {
    const text = catalogueText();
    for (const name of REQUIRED)
      expect(text).toContain(`\n${name}  (`.slice(name === "BookSnapshot" ? 1 : 0));
    expect(text).toContain("looking_depth: number 0…1, optional");
  });

  test("refuses two types of one name", () => {
    expect(() => new Catalogue([...BUILT_IN, BUILT_IN[0]!])).toThrow("declared twice");
  });
});
