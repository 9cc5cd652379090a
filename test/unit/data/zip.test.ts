import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { writeRows } from "../../../src/data/npz-write.ts";

const dir = mkdtempSync(join(tmpdir(), "zip-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Rewrites the directory of a one-member archive as an archive above 4 GiB has it: every size in zip64 records. */
function widen(small: Buffer): Buffer {
  const end = small.length - 22;
  const at = small.readUInt32LE(end + 16);
  const nameBytes = small.readUInt16LE(at + 28);
  const entry = Buffer.alloc(46 + nameBytes + 28);
  small.copy(entry, 0, at, at + 46 + nameBytes);
  const [stored, bytes, local] = [
    small.readUInt32LE(at + 20),
    small.readUInt32LE(at + 24),
    small.readUInt32LE(at + 42),
  ];
  for (const field of [20, 24, 42]) entry.writeUInt32LE(0xffff_ffff, field);
  entry.writeUInt16LE(28, 30);
  const extra = 46 + nameBytes;
  entry.writeUInt16LE(1, extra);
  entry.writeUInt16LE(24, extra + 2);
  entry.writeBigUInt64LE(BigInt(bytes), extra + 4);
  entry.writeBigUInt64LE(BigInt(stored), extra + 12);
  entry.writeBigUInt64LE(BigInt(local), extra + 20);
  const tail = Buffer.alloc(56 + 20 + 22);
  tail.writeUInt32LE(0x06064b50, 0);
  tail.writeBigUInt64LE(1n, 32);
  tail.writeBigUInt64LE(BigInt(entry.length), 40);
  tail.writeBigUInt64LE(BigInt(at), 48);
  tail.writeUInt32LE(0x07064b50, 56);
  tail.writeBigUInt64LE(BigInt(at + entry.length), 64);
  tail.writeUInt32LE(0x06054b50, 76);
  tail.writeUInt16LE(0xffff, 76 + 10);
  tail.writeUInt32LE(0xffff_ffff, 76 + 12);
  tail.writeUInt32LE(0xffff_ffff, 76 + 16);
  return Buffer.concat([small.subarray(0, at), entry, tail]);
}

test("zip64 sizes and offsets are read from the directory's extra field and the zip64 end", async () => {
  const path = join(dir, "wide.npz");
  const rows = new Uint8Array(640).map((_, i) => i);
  for (const compress of [true, false]) {
    writeRows(path, EVENT_FIELDS, rows, 64, { compress });
    writeFileSync(path, widen(readFileSync(path)));
    expect(Buffer.compare(loadRows(path, EVENT_FIELDS).bytes, rows)).toBe(0);
  }
});

test("an archive comment does not hide the end of the directory", async () => {
  const path = join(dir, "comment.npz");
  writeRows(path, EVENT_FIELDS, new Uint8Array(64), 64);
  const bytes = readFileSync(path);
  bytes.writeUInt16LE(5, bytes.length - 2);
  writeFileSync(path, Buffer.concat([bytes, Buffer.from("hello")]));
  expect(loadRows(path, EVENT_FIELDS).header.rows).toBe(1);
});

test("encrypted members and unknown compression methods are refused", async () => {
  const path = join(dir, "odd.npz");
  writeRows(path, EVENT_FIELDS, new Uint8Array(64), 64);
  const bytes = readFileSync(path);
  const at = bytes.readUInt32LE(bytes.length - 22 + 16);
  const encrypted = Buffer.from(bytes);
  encrypted.writeUInt16LE(1, at + 8);
  writeFileSync(path, encrypted);
  expect(() => loadRows(path, EVENT_FIELDS)).toThrow(/encrypted/);
  const lzma = Buffer.from(bytes);
  lzma.writeUInt16LE(14, at + 10);
  writeFileSync(path, lzma);
  expect(() => loadRows(path, EVENT_FIELDS)).toThrow(/method 14/);
});
