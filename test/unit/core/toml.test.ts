import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseToml, TomlSyntaxError, type TomlTable } from "../../../src/core/toml.ts";

const TEXT = `top = 1
[x.y]
b.c = { d = 1, e = [10, 20] }
"quoted key" = true

[[s]]
name = "first"
[s.params]
k = 1
[[s]]
name = "second"
`;

describe("parseToml", () => {
  const document = parseToml(TEXT, "a.toml");

  test("gives plain values", () => {
    expect(document.value).toEqual({
      top: 1,
      x: { y: { b: { c: { d: 1, e: [10, 20] } }, "quoted key": true } },
      s: [{ name: "first", params: { k: 1 } }, { name: "second" }],
    });
  });

  test.each([
    [["top"], 1, 1],
    [["x"], 2, 2],
    [["x", "y"], 2, 4],
    [["x", "y", "b", "c"], 3, 3],
    [["x", "y", "b", "c", "d"], 3, 9],
    [["x", "y", "b", "c", "e", 1], 3, 25],
    [["x", "y", "quoted key"], 4, 1],
    [["s"], 6, 3],
    [["s", 0], 6, 3],
    [["s", 0, "params", "k"], 9, 1],
    [["s", 1, "name"], 11, 1],
  ] as [(string | number)[], number, number][])("locates %j at %i:%i", (path, line, column) => {
    expect(document.locate(path)).toEqual({ line, column });
  });

  test("an absent key has no position, and the nearest enclosing table stands in for it", () => {
    expect(document.locate(["s", 1, "params"])).toBeNull();
    expect(document.locateNearest(["s", 1, "params"])).toEqual({ line: 10, column: 3 });
    expect(document.locateNearest(["nothing", "here"])).toEqual({ line: 1, column: 1 });
  });

  test("a syntax error names file, line and column", () => {
    const bad = () => parseToml("a = 1\nb = \n", "conf/x.toml");
    expect(bad).toThrow(TomlSyntaxError);
    expect(bad).toThrow(/^conf\/x\.toml:2:5: /);
  });

  test("an integer that a double cannot hold is an error, never rounded", () => {
    expect(() => parseToml("a = 9007199254740993\n", "x.toml")).toThrow(/^x\.toml:1:5: .*losslessly/);
  });
});

const SEED = 20240808;
const keyArbitrary = fc.stringMatching(/^[a-z]{1,4}$/);
const treeArbitrary = fc.letrec<{ table: TomlTable; leaf: number }>((tie) => ({
  leaf: fc.integer({ min: -1000, max: 1000 }),
  table: fc.dictionary(keyArbitrary, fc.oneof({ depthSize: "small" }, tie("leaf"), tie("table")), {
    maxKeys: 4,
  }) as fc.Arbitrary<TomlTable>,
})).table;

/** Writes a tree as dotted keys, one per line, and remembers the line of each leaf. */
function writeDotted(tree: TomlTable): { text: string; lines: Map<string, number> } {
  const rows: string[] = [];
  const lines = new Map<string, number>();
  const visit = (prefix: string[], table: TomlTable): void => {
    for (const [key, value] of Object.entries(table)) {
      const path = [...prefix, key];
      if (typeof value === "object") visit(path, value as TomlTable);
      else {
        rows.push(`${path.join(".")} = ${String(value)}`);
        lines.set(path.join("."), rows.length);
      }
    }
  };
  visit([], tree);
  return { text: `${rows.join("\n")}\n`, lines };
}

test(`every leaf of a random tree is found on its own line (seed ${SEED})`, () => {
  fc.assert(
    fc.property(treeArbitrary, (tree) => {
      const { text, lines } = writeDotted(tree);
      const document = parseToml(text, "random.toml");
      for (const [path, line] of lines) expect(document.locate(path.split("."))).toMatchObject({ line });
    }),
    { seed: SEED, numRuns: 100 },
  );
});
