import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { DataFileError } from "../../../src/data/data-file-error.ts";
import {
  EVENT_FIELDS,
  formatNpyHeader,
  ORDER_LATENCY_FIELDS,
  parseNpyHeader,
} from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { writeRows } from "../../../src/data/npz-write.ts";
import { openRowBlocks } from "../../../src/data/row-blocks.ts";

const REAL = join(import.meta.dir, "../../data/npz/btcusdt_200k.npz");
const dir = mkdtempSync(join(tmpdir(), "npz-"));
afterAll(() => rmSync(dir, { recursive: true }));

function randomRows(rows: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rows * 64);
  let x = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Every row of the source as bytes, through the block reader. */
function readBlocks(path: string, wholeBytesMax?: number): Buffer {
  const blocks = openRowBlocks([path], wholeBytesMax);
  const parts: Buffer[] = [];
  let fileRow = 0;
  try {
    for (let block = blocks.next(); block !== null; block = blocks.next()) {
      expect(block.fileRow).toBe(fileRow);
      fileRow += block.rows;
      const at = block.i32.byteOffset + block.first * 64;
      parts.push(Buffer.from(new Uint8Array(block.i32.buffer, at, block.rows * 64)));
    }
  } finally {
    blocks.close();
  }
  return Buffer.concat(parts);
}

test("a deflated archive made by numpy is read, whole and streamed alike", () => {
  const whole = loadRows(REAL, EVENT_FIELDS);
  expect(whole.header.rows).toBe(200_000);
  expect(whole.renamed).toEqual([]);
  expect(readBlocks(REAL).equals(whole.bytes)).toBe(true);
  expect(readBlocks(REAL, 0).equals(whole.bytes)).toBe(true);
});

test("what is written is read back: stored, deflated, bare .npy; streamed and whole (seed 7)", async () => {
  const property = fc.asyncProperty(fc.integer({ min: 0, max: 9000 }), fc.nat(), async (rows, seed) => {
    const bytes = randomRows(rows, seed);
    for (const [name, compress] of [
      ["s.npz", false],
      ["d.npz", true],
      ["b.npy", true],
    ] as const) {
      const path = join(dir, name);
      writeRows(path, EVENT_FIELDS, bytes, 64, { compress });
      expect(Buffer.compare(loadRows(path, EVENT_FIELDS).bytes, bytes)).toBe(0);
      expect(Buffer.compare(readBlocks(path, 0), bytes)).toBe(0);
    }
  });
  await fc.assert(property, { seed: 7, numRuns: 8 });
}, 30_000);

test("the rows of a written .npy begin at a multiple of 64, as numpy has it", () => {
  for (const rows of [0, 1, 99_999, 123_456_789_012]) {
    const header = formatNpyHeader(EVENT_FIELDS, rows);
    const parsed = parseNpyHeader(header, "x");
    expect(parsed.dataOffset).toBe(header.length);
    expect(header.length % 64).toBe(0);
    expect(parsed.rows).toBe(rows);
    expect(parsed.fields).toEqual([...EVENT_FIELDS]);
  }
});

function expectFault(path: string, pattern: RegExp): void {
  for (const wholeBytesMax of [undefined, 0]) {
    let error: unknown;
    try {
      readBlocks(path, wholeBytesMax);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(DataFileError);
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).toMatch(pattern);
  }
}

test("a wrong dtype is refused with what was expected and what was found, whole and streamed", async () => {
  const path = join(dir, "dtype.npz");
  writeRows(path, ORDER_LATENCY_FIELDS, randomRows(4, 1), 32);
  expectFault(path, /wrong dtype: expected .*px <f8.* found .*req_ts <i8/);
});

test("a damaged member is refused: bad CRC, truncation, another array's name", async () => {
  const path = join(dir, "bad.npz");
  writeRows(path, EVENT_FIELDS, randomRows(500, 3), 64, { compress: false });
  const good = readFileSync(path);
  const flipped = Buffer.from(good);
  flipped[5000] = flipped[5000]! ^ 1;
  writeFileSync(path, flipped);
  expectFault(path, /bad CRC/);
  writeFileSync(path, good.subarray(0, 9000));
  expectFault(path, /not a zip archive, or truncated/);
  writeRows(path, EVENT_FIELDS, randomRows(5, 3), 64, { key: "other" });
  expectFault(path, /no member data\.npy .*other\.npy/);
  writeFileSync(path, "hello");
  expectFault(path, /truncated|zip/);
});

test("a deflate stream that ends early is refused, whole and streamed", async () => {
  const path = join(dir, "cut.npz");
  writeRows(path, EVENT_FIELDS, randomRows(500, 9), 64);
  const bytes = readFileSync(path);
  // Zeroes inside the stream: an invalid block, or one that stops.
  bytes.fill(0, 4000, 12_000);
  writeFileSync(path, bytes);
  expectFault(path, /inflate|CRC|truncated|invalid|incorrect|unexpected/i);
});

test("an .npy shorter than its header says is refused with the row where it ends", async () => {
  const path = join(dir, "short.npy");
  writeRows(path, EVENT_FIELDS, randomRows(10, 5), 64);
  writeFileSync(path, readFileSync(path).subarray(0, -100));
  expect(() => loadRows(path, EVENT_FIELDS)).toThrow(/row 8: .* 10 rows need/);
});

test("Fortran order, two dimensions and unknown versions are refused", () => {
  const header = (dict: string): Uint8Array => {
    const bytes = formatNpyHeader(EVENT_FIELDS, 1);
    const text = `${dict.padEnd(bytes.length - 11)}\n`;
    bytes.set(new TextEncoder().encode(text), 10);
    return bytes;
  };
  const descr = "[('a', '<f8')]";
  expect(() =>
    parseNpyHeader(header(`{'descr': ${descr}, 'fortran_order': True, 'shape': (1,), }`), "x"),
  ).toThrow(/Fortran/);
  expect(() =>
    parseNpyHeader(header(`{'descr': ${descr}, 'fortran_order': False, 'shape': (1, 2), }`), "x"),
  ).toThrow(/one-dimensional/);
  expect(() =>
    parseNpyHeader(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"), "x"),
  ).toThrow(/record/);
  const version = formatNpyHeader(EVENT_FIELDS, 1);
  version[6] = 9;
  expect(() => parseNpyHeader(version, "x")).toThrow(/version 9/);
});

test("several files follow one another, small and streamed ones mixed", async () => {
  const a = randomRows(100, 1);
  const b = randomRows(9000, 2);
  const paths = [join(dir, "m0.npz"), join(dir, "m1.npz"), join(dir, "m2.npz")];
  writeRows(paths[0]!, EVENT_FIELDS, a, 64);
  writeRows(paths[1]!, EVENT_FIELDS, b, 64);
  writeRows(paths[2]!, EVENT_FIELDS, a, 64);
  const blocks = openRowBlocks([...paths, a], 64 * 1000);
  let rows = 0;
  const files: string[] = [];
  for (let block = blocks.next(); block !== null; block = blocks.next()) {
    rows += block.rows;
    if (files[files.length - 1] !== block.file) files.push(block.file);
  }
  blocks.close();
  expect(rows).toBe(9300);
  expect(files).toEqual([...paths, "memory"]);
});
