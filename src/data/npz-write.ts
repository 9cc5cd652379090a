// Writes one array as .npz (deflated or stored) or bare .npy, so that numpy and hftbacktest read it: member
// `KEY.npy`, zip64 local header as numpy makes it. Rows are written as they come and memory is one piece: what stands
// before the rows and is known only at the end (their number, sizes, checksum) has its room and is put right there.
//
//   | zip local header | stored block: .npy header | deflated pieces, each ended on a byte | end block | directory |
//
// A file appears under its name when it is complete; until then it is NAME.part.
import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import { constants, crc32, deflateRawSync } from "node:zlib";
import { combineCrc32 } from "./crc32-combine.ts";
import { formatNpyHeader, type NpyField } from "./npy.ts";
import { METHOD_DEFLATE, METHOD_STORED } from "./zip.ts";

export interface NpzOptions {
  /** Name of the array; hftbacktest expects `data`. */
  readonly key?: string;
  readonly compress?: boolean;
}

const PIECE_BYTES = 1 << 19;
const U32_MAX = 0xffff_ffff;
const ZIP64_VERSION = 45;
const LOCAL_BYTES = 30;
const LOCAL_EXTRA_BYTES = 20;
/** Type and length of a stored deflate block. */
const STORED_BLOCK_BYTES = 5;
/** An empty deflate block that is the last one. */
const END_BLOCK = Uint8Array.of(3, 0);
/** 1980-01-01, so that equal rows give equal files. */
const DOS_DATE = 0x21;

/** Writes `rows` (whole rows of `fields`, little endian) to `path`; a path ending in .npy gets no archive. */
export function writeRows(
  path: string,
  fields: readonly NpyField[],
  rows: Uint8Array,
  rowBytes: number,
  options: NpzOptions = {},
): void {
  const writer = new RowsWriter(path, fields, rowBytes, options);
  writer.write(rows);
  writer.close();
}

/** Rows in the making. Blocks while it writes; throws the file's fault. */
export class RowsWriter {
  readonly path: string;
  private readonly fields: readonly NpyField[];
  private readonly rowBytes: number;
  private readonly fd: number;
  /** Absent for a bare .npy. */
  private readonly member: { readonly name: Uint8Array; readonly method: number } | null;
  private readonly headerAt: number;
  private readonly piece = new Uint8Array(PIECE_BYTES);
  private held = 0;
  private end: number;
  private crc = 0;
  private bytes = 0;

  constructor(path: string, fields: readonly NpyField[], rowBytes: number, options: NpzOptions = {}) {
    this.path = path;
    this.fields = fields;
    this.rowBytes = rowBytes;
    const name = new TextEncoder().encode(`${options.key ?? "data"}.npy`);
    const method = (options.compress ?? true) ? METHOD_DEFLATE : METHOD_STORED;
    this.member = path.endsWith(".npy") ? null : { name, method };
    const local = this.member === null ? 0 : LOCAL_BYTES + name.length + LOCAL_EXTRA_BYTES;
    this.headerAt = local + (this.deflates ? STORED_BLOCK_BYTES : 0);
    this.end = this.headerAt + formatNpyHeader(fields, 0).length;
    this.fd = openSync(`${path}.part`, "w");
  }

  /** Rows written so far. */
  get rows(): number {
    return this.bytes / this.rowBytes;
  }

  private get deflates(): boolean {
    return this.member?.method === METHOD_DEFLATE;
  }

  /** Appends whole rows (copied). */
  write(rows: Uint8Array): void {
    if (rows.length % this.rowBytes !== 0)
      throw new RangeError(`${rows.length} bytes are no whole rows of ${this.rowBytes}`);
    for (let at = 0; at < rows.length; ) {
      const take = Math.min(PIECE_BYTES - this.held, rows.length - at);
      this.piece.set(rows.subarray(at, at + take), this.held);
      this.held += take;
      at += take;
      if (this.held === PIECE_BYTES) this.flush();
    }
    this.bytes += rows.length;
  }

  /** Completes the file and gives it its name. */
  close(): void {
    this.flush();
    const header = formatNpyHeader(this.fields, this.rows);
    this.put(header, this.headerAt);
    if (this.member !== null) this.closeArchive(header);
    closeSync(this.fd);
    renameSync(`${this.path}.part`, this.path);
  }

  private closeArchive(header: Uint8Array): void {
    const { name, method } = this.member!;
    const dataAt = LOCAL_BYTES + name.length + LOCAL_EXTRA_BYTES;
    if (this.deflates) {
      this.put(storedBlock(header.length), dataAt);
      this.append(END_BLOCK);
    }
    const member: Member = {
      name,
      method,
      crc: combineCrc32(crc32(header), this.crc, this.bytes),
      bytes: header.length + this.bytes,
      stored: this.end - dataAt,
    };
    this.put(localHeader(member), 0);
    this.append(directory(member, this.end));
  }

  private flush(): void {
    const rows = this.piece.subarray(0, this.held);
    this.held = 0;
    if (rows.length === 0) return;
    this.crc = crc32(rows, this.crc);
    this.append(this.deflates ? deflateRawSync(rows, { finishFlush: constants.Z_SYNC_FLUSH }) : rows);
  }

  private append(bytes: Uint8Array): void {
    this.put(bytes, this.end);
    this.end += bytes.length;
  }

  private put(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.fd, bytes, done, bytes.length - done, at + done);
    }
  }
}

/** Head of a deflate block of `bytes` uncompressed bytes that is not the last one. */
function storedBlock(bytes: number): Uint8Array {
  const out = new Uint8Array(STORED_BLOCK_BYTES);
  const view = new DataView(out.buffer);
  view.setUint16(1, bytes, true);
  view.setUint16(3, ~bytes & 0xffff, true);
  return out;
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
