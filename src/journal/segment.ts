// Layout of a WAL segment file. Little-endian; records keep their 64-byte alignment in the file.
//
//   0              4096
//   | header page  | batch | batch | …
//
//   header   0 magic u32 | 4 format u32 | 8 schema u32 | 12 header bytes u32 | 16 base ns i64 | 24 nonce u64
//           32 segment index u32 | 36 stream u32 (0 = all) | 40 first position u64 | 48 created unix ns i64
//           56 zero | 60 crc32 of bytes 0…59
//   batch    0 magic u32 | 4 stream u32 | 8 record count u32 | 12 crc32 | 16 first position u64
//           24 written at f64 (session ns) | 32 nonce u64 | 40 segment index u32 | 44 zero … 63
//           64 record count × 64-byte records
//
// A WAL position counts records in a directory, over all sessions. A batch's crc covers its header (crc as 0)
// and its records; nonce and segment index tie it to its file, so stale disk blocks are never taken for data.
import { RECORD_BYTES } from "../core/record.ts";

export const SEGMENT_HEADER_BYTES = 4096;
export const BATCH_HEADER_BYTES = 64;
export const FORMAT_VERSION = 1;
/** Records of the largest batch: 1 MiB; what a reader must be able to hold at once. */
export const MAX_BATCH_RECORDS = 16_384;
export const MAX_BATCH_BYTES = BATCH_HEADER_BYTES + MAX_BATCH_RECORDS * RECORD_BYTES;

const SEGMENT_MAGIC = 0x53574c48; // "HLWS"
export const BATCH_MAGIC = 0x42574c48; // "HLWB"
const TWO_32 = 0x1_0000_0000;
const HEADER_CRC_OFFSET = 60;

/** Element indexes of a batch header's fields, from (offset >> 2) or (offset >> 3). */
export const BATCH_STREAM_U32 = 1;
export const BATCH_COUNT_U32 = 2;
export const BATCH_CRC_U32 = 3;
export const BATCH_POSITION_U32 = 4;
export const BATCH_WRITTEN_F64 = 3;
export const BATCH_NONCE_U32 = 8;
export const BATCH_SEGMENT_U32 = 10;

export interface SegmentHeader {
  readonly schemaVersion: number;
  /** Session base, ns since the Unix epoch. */
  readonly baseNs: bigint;
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly index: number;
  /** 0: batches of several streams. */
  readonly stream: number;
  readonly firstPosition: number;
  readonly createdUnixNs: bigint;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(SEGMENT_HEADER_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, header.schemaVersion, true);
  view.setUint32(12, SEGMENT_HEADER_BYTES, true);
  view.setBigInt64(16, header.baseNs, true);
  view.setUint32(24, header.nonceLo, true);
  view.setUint32(28, header.nonceHi, true);
  view.setUint32(32, header.index, true);
  view.setUint32(36, header.stream, true);
  view.setBigUint64(40, BigInt(header.firstPosition), true);
  view.setBigInt64(48, header.createdUnixNs, true);
  view.setUint32(HEADER_CRC_OFFSET, Bun.hash.crc32(bytes.subarray(0, HEADER_CRC_OFFSET)), true);
  return bytes;
}

/** The header, or what is wrong with it. `bytes`: the start of the file, possibly cut short. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_BYTES)
    return `header is cut at ${bytes.length} of ${SEGMENT_HEADER_BYTES} bytes`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) return "not a WAL segment (magic)";
  if (view.getUint32(HEADER_CRC_OFFSET, true) !== Bun.hash.crc32(bytes.subarray(0, HEADER_CRC_OFFSET)))
    return "header checksum does not match";
  const format = view.getUint32(4, true);
  if (format !== FORMAT_VERSION) return `format version ${format}, expected ${FORMAT_VERSION}`;
  return {
    schemaVersion: view.getUint32(8, true),
    baseNs: view.getBigInt64(16, true),
    nonceLo: view.getUint32(24, true),
    nonceHi: view.getUint32(28, true),
    index: view.getUint32(32, true),
    stream: view.getUint32(36, true),
    firstPosition: Number(view.getBigUint64(40, true)),
    createdUnixNs: view.getBigInt64(48, true),
  };
}

/** `20241121T070801Z-0zik0zj3aq7`: start in UTC and nonce in base 36; sorts by time. */
export function sessionName(startUnixNs: bigint, nonceLo: number, nonceHi: number): string {
  const utc = new Date(Number(startUnixNs / 1_000_000n)).toISOString();
  const stamp = `${utc.slice(0, 19).replaceAll("-", "").replaceAll(":", "")}Z`;
  return `${stamp}-${(nonceHi * TWO_32 + nonceLo).toString(36).padStart(11, "0")}`;
}

export function segmentFileName(session: string, stream: number, index: number): string {
  return `${session}-${stream}-${String(index).padStart(6, "0")}.wal`;
}

const FILE_NAME = /^(.+)-(\d+)-(\d{6,})\.wal$/;

export interface SegmentName {
  readonly session: string;
  readonly stream: number;
  readonly index: number;
}

/** null: not a segment's name. */
export function parseSegmentFileName(file: string): SegmentName | null {
  const match = FILE_NAME.exec(file);
  if (match === null) return null;
  return { session: match[1]!, stream: Number(match[2]), index: Number(match[3]) };
}

/** The first position of the batch whose header stands at byte `at`. */
export function batchPosition(u32: Uint32Array, at: number): number {
  return u32[(at >> 2) + BATCH_POSITION_U32]! + u32[(at >> 2) + BATCH_POSITION_U32 + 1]! * TWO_32;
}

export function setBatchPosition(u32: Uint32Array, at: number, position: number): void {
  const hi = Math.floor(position / TWO_32);
  u32[(at >> 2) + BATCH_POSITION_U32] = position - hi * TWO_32;
  u32[(at >> 2) + BATCH_POSITION_U32 + 1] = hi;
}
