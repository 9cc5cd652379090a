import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { firstDifference, parseExactJson } from "../../../src/backtest/parity/exact-json.ts";
import { runParity } from "../../../src/backtest/parity/parity.ts";

const TINY = join(import.meta.dir, "../../data/golden/tiny");

test("every tiny reference of hftbacktest 2.4.4 is reproduced, field by field", () => {
  const cases = [...runParity(TINY, [])];
  expect(cases.filter((c) => c.difference !== null)).toEqual([]);
  expect(cases.length).toBe(216);
}, 30_000);

test("a reference with one changed digit is reported with line, field and both values", () => {
  const dir = mkdtempSync(join(tmpdir(), "parity-"));
  try {
    for (const file of ["bug14.case.json", "bug14.data.npz", "bug14.latency.npz"])
      cpSync(join(TINY, file), join(dir, file));
    const log = "bug14.risk.const.partial.hash.jsonl.gz";
    const lines = gunzipSync(readFileSync(join(TINY, log)))
      .toString()
      .trimEnd()
      .split("\n");
    const changed = lines.with(2, lines[2]!.replace(/"ts":(\d+)\d/, '"ts":$19'));
    writeFileSync(join(dir, log), gzipSync(changed.join("\n")));
    const [found] = [...runParity(dir, [])];
    expect(found?.difference).toMatch(/^line 3, ts: expected \d+9, got \d+$/);
    writeFileSync(join(dir, log), gzipSync(lines.slice(0, -1).join("\n")));
    expect([...runParity(dir, [])][0]?.difference).toMatch(/too many/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a folder without cases is refused", () => {
  expect(() => [...runParity(join(import.meta.dir), [])]).toThrow(/no parity cases/);
});

test("integers beyond 2^53 stay exact, doubles and strings are untouched", () => {
  const parsed = parseExactJson(
    '{"a":[1700000000000000001,0.009000000000000001,-0.0,"1700000000000000001"]}',
  );
  expect(parsed).toEqual({ a: [1700000000000000001n, 0.009000000000000001, -0, "1700000000000000001"] });
  expect(firstDifference(parsed, parseExactJson('{"a":[1700000000000000002,0,0,""]}'))).toBe("a[0]");
  expect(firstDifference(0, -0)).toBe("value");
  expect(firstDifference([1n], [1])).toBeNull();
});
