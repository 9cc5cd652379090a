// Writes one array as .npz (deflated or stored) or bare .npy, so that numpy and hftbacktest read it: member
// `KEY.npy`, zip64 local header as numpy makes it (sizes are known only at the end and are patched in).
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { crc32, createDeflateRaw } from "node:zlib";
import { formatNpyHeader, type NpyField } from "./npy.ts";
import { METHOD_DEFLATE, METHOD_STORED } from "./zip.ts";

export interface NpzOptions {
  /** Name of the array; hftbacktest expects `data`. */
  readonly key?: string;
  readonly compress?: boolean;
}

const PIECE_BYTES = 1 << 20;
const U32_MAX = 0xffff_ffff;
const ZIP64_VERSION = 45;
const LOCAL_BYTES = 30;
const LOCAL_EXTRA_BYTES = 20;
/** 1980-01-01, so that equal rows give equal files. */
const DOS_DATE = 0x21;

/** Writes `rows` (whole rows of `fields`, little endian) to `path`; a path ending in .npy gets no archive. */
export async function writeRows(
  path: string,
  fields: readonly NpyField[],
  rows: Uint8Array,
  rowBytes: number,
  options: NpzOptions = {},
): Promise<void> {
  if (rows.length % rowBytes !== 0)
    throw new RangeError(`${rows.length} bytes are no whole rows of ${rowBytes}`);
  const header = formatNpyHeader(fields, rows.length / rowBytes);
  const file = await open(path, "w");
  try {
    if (path.endsWith(".npy")) {
      await file.write(header);
      for (const piece of pieces(rows)) await file.write(piece);
      return;
    }
    await writeArchive(file, header, rows, options);
  } finally {
    await file.close();
  }
}

type FileHandle = Awaited<ReturnType<typeof open>>;

async function writeArchive(
  file: FileHandle,
  header: Uint8Array,
  rows: Uint8Array,
  options: NpzOptions,
): Promise<void> {
  const name = new TextEncoder().encode(`${options.key ?? "data"}.npy`);
  const method = (options.compress ?? true) ? METHOD_DEFLATE : METHOD_STORED;
  const dataAt = LOCAL_BYTES + name.length + LOCAL_EXTRA_BYTES;
  let at = dataAt;
  let crc = 0;
  const plain = function* (): Generator<Uint8Array> {
    crc = crc32(header, crc);
    yield header;
    for (const piece of pieces(rows)) {
      crc = crc32(piece, crc);
      yield piece;
    }
  };
  const stored = method === METHOD_STORED ? plain() : Readable.from(plain()).pipe(createDeflateRaw());
  for await (const piece of stored as AsyncIterable<Uint8Array>) {
    await file.write(piece, 0, piece.length, at);
    at += piece.length;
  }
  const member: Member = {
    name,
    method,
    crc: crc >>> 0,
    bytes: header.length + rows.length,
    stored: at - dataAt,
  };
  await file.write(localHeader(member), 0, dataAt, 0);
  const tail = directory(member, at);
  await file.write(tail, 0, tail.length, at);
}

function* pieces(rows: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < rows.length; at += PIECE_BYTES) yield rows.subarray(at, at + PIECE_BYTES);
}

interface Member {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly bytes: number;
  readonly stored: number;
}

function localHeader(m: Member): Buffer {
  const out = Buffer.alloc(LOCAL_BYTES + m.name.length + LOCAL_EXTRA_BYTES);
  out.writeUInt32LE(0x04034b50, 0);
  out.writeUInt16LE(ZIP64_VERSION, 4);
  out.writeUInt16LE(m.method, 8);
  out.writeUInt16LE(DOS_DATE, 12);
  out.writeUInt32LE(m.crc, 14);
  out.writeUInt32LE(U32_MAX, 18);
  out.writeUInt32LE(U32_MAX, 22);
  out.writeUInt16LE(m.name.length, 26);
  out.writeUInt16LE(LOCAL_EXTRA_BYTES, 28);
  out.set(m.name, LOCAL_BYTES);
  const extra = LOCAL_BYTES + m.name.length;
  out.writeUInt16LE(1, extra);
  out.writeUInt16LE(16, extra + 2);
  out.writeBigUInt64LE(BigInt(m.bytes), extra + 4);
  out.writeBigUInt64LE(BigInt(m.stored), extra + 12);
  return out;
}

/** Central directory and its ends; zip64 records only where a size passes 32 bits. */
function directory(m: Member, at: number): Buffer {
  const wide = m.bytes >= U32_MAX || m.stored >= U32_MAX || at >= U32_MAX;
  const extraBytes = wide ? 20 : 0;
  const entryBytes = 46 + m.name.length + extraBytes;
  const out = Buffer.alloc(entryBytes + (wide ? 56 + 20 : 0) + 22);
  out.writeUInt32LE(0x02014b50, 0);
  out.writeUInt16LE(ZIP64_VERSION, 4);
  out.writeUInt16LE(ZIP64_VERSION, 6);
  out.writeUInt16LE(m.method, 10);
  out.writeUInt16LE(DOS_DATE, 14);
  out.writeUInt32LE(m.crc, 16);
  out.writeUInt32LE(wide ? U32_MAX : m.stored, 20);
  out.writeUInt32LE(wide ? U32_MAX : m.bytes, 24);
  out.writeUInt16LE(m.name.length, 28);
  out.writeUInt16LE(extraBytes, 30);
  out.set(m.name, 46);
  let end = entryBytes;
  if (wide) {
    const extra = 46 + m.name.length;
    out.writeUInt16LE(1, extra);
    out.writeUInt16LE(16, extra + 2);
    out.writeBigUInt64LE(BigInt(m.bytes), extra + 4);
    out.writeBigUInt64LE(BigInt(m.stored), extra + 12);
    writeEnd64(out, end, entryBytes, at);
    end += 76;
  }
  out.writeUInt32LE(0x06054b50, end);
  out.writeUInt16LE(1, end + 8);
  out.writeUInt16LE(1, end + 10);
  out.writeUInt32LE(wide ? U32_MAX : entryBytes, end + 12);
  out.writeUInt32LE(wide ? U32_MAX : at, end + 16);
  return out;
}

function writeEnd64(out: Buffer, end: number, entryBytes: number, at: number): void {
  out.writeUInt32LE(0x06064b50, end);
  out.writeBigUInt64LE(44n, end + 4);
  out.writeUInt16LE(ZIP64_VERSION, end + 12);
  out.writeUInt16LE(ZIP64_VERSION, end + 14);
  out.writeBigUInt64LE(1n, end + 24);
  out.writeBigUInt64LE(1n, end + 32);
  out.writeBigUInt64LE(BigInt(entryBytes), end + 40);
  out.writeBigUInt64LE(BigInt(at), end + 48);
  out.writeUInt32LE(0x07064b50, end + 56);
  out.writeBigUInt64LE(BigInt(at + entryBytes), end + 64);
  out.writeUInt32LE(1, end + 72);
}
