// Zip archives as numpy writes them: stored or deflated members, zip64 when large. Sizes come from the central
// directory: numpy writes 0xFFFFFFFF and a zip64 extra into the local header.
// Format: PKWARE APPNOTE 4.3.6 – 4.3.16, 4.5.3.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DataFileError } from "./data-file-error.ts";

export const METHOD_STORED = 0;
export const METHOD_DEFLATE = 8;

export interface ZipMember {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** First byte of the member's data in the archive. */
  readonly dataOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const COMMENT_MAX_BYTES = 65_535;
const LOCATOR_BYTES = 20;
const FLAG_ENCRYPTED = 1;
const U32_MAX = 0xffff_ffff;
const U16_MAX = 0xffff;

/** Members of the archive open as `fd`, in directory order. Throws DataFileError. */
export function readZipDirectory(fd: number, file: string): ZipMember[] {
  const size = fstatSync(fd).size;
  const end = findEnd(fd, size, file);
  const directory = readAt(fd, end.directoryOffset, end.directoryBytes, file);
  const members: ZipMember[] = [];
  let at = 0;
  for (let i = 0; i < end.entries; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw new DataFileError(file, -1, `zip directory entry ${i} is damaged`);
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    members.push(parseEntry(fd, directory, at, nameBytes, extraBytes, size, file));
    at += 46 + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  }
  return members;
}

/** The member called `name`; throws DataFileError listing what is there. */
export function findMember(members: readonly ZipMember[], name: string, file: string): ZipMember {
  const member = members.find((m) => m.name === name);
  if (member !== undefined) return member;
  const present = members.map((m) => m.name).join(", ");
  throw new DataFileError(file, -1, `no member ${name} in the archive (present: ${present || "nothing"})`);
}

/** Runs `body` with the file open for reading; a missing file is a DataFileError. */
export function withFile<T>(file: string, body: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    throw new DataFileError(file, -1, (error as Error).message, { cause: error });
  }
  try {
    return body(fd);
  } finally {
    closeSync(fd);
  }
}

/** Exactly `length` bytes at `position`; throws DataFileError when the file is shorter. */
export function readAt(fd: number, position: number, length: number, file: string): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const got = readSync(fd, bytes, done, Math.min(length - done, 1 << 30), position + done);
    if (got === 0) throw new DataFileError(file, -1, `truncated: ${length} bytes expected at ${position}`);
    done += got;
  }
  return bytes;
}

interface DirectoryEnd {
  readonly entries: number;
  readonly directoryBytes: number;
  readonly directoryOffset: number;
}

function findEnd(fd: number, size: number, file: string): DirectoryEnd {
  const tailBytes = Math.min(size, END_BYTES + COMMENT_MAX_BYTES + LOCATOR_BYTES);
  const tail = readAt(fd, size - tailBytes, tailBytes, file);
  let at = tail.length - END_BYTES;
  while (at >= 0 && tail.readUInt32LE(at) !== END_SIGNATURE) at--;
  if (at < 0) throw new DataFileError(file, -1, "not a zip archive, or truncated (no end of directory)");
  const end = {
    entries: tail.readUInt16LE(at + 10),
    directoryBytes: tail.readUInt32LE(at + 12),
    directoryOffset: tail.readUInt32LE(at + 16),
  };
  const small = end.entries !== U16_MAX && end.directoryBytes !== U32_MAX && end.directoryOffset !== U32_MAX;
  const locator = at - LOCATOR_BYTES;
  if (small || locator < 0 || tail.readUInt32LE(locator) !== END64_LOCATOR_SIGNATURE) return end;
  const end64 = readAt(fd, Number(tail.readBigUInt64LE(locator + 8)), 56, file);
  if (end64.readUInt32LE(0) !== END64_SIGNATURE)
    throw new DataFileError(file, -1, "zip64 directory end is damaged");
  return {
    entries: Number(end64.readBigUInt64LE(32)),
    directoryBytes: Number(end64.readBigUInt64LE(40)),
    directoryOffset: Number(end64.readBigUInt64LE(48)),
  };
}

function parseEntry(
  fd: number,
  directory: Buffer,
  at: number,
  nameBytes: number,
  extraBytes: number,
  fileBytes: number,
  file: string,
): ZipMember {
  const name = directory.toString("utf8", at + 46, at + 46 + nameBytes);
  if ((directory.readUInt16LE(at + 8) & FLAG_ENCRYPTED) !== 0) {
    throw new DataFileError(file, -1, `member ${name} is encrypted`);
  }
  const extra = directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
  const wide = zip64Values(extra);
  let used = 0;
  const widen = (value: number): number => (value === U32_MAX && used < wide.length ? wide[used++]! : value);
  const bytes = widen(directory.readUInt32LE(at + 24));
  const compressedBytes = widen(directory.readUInt32LE(at + 20));
  const localOffset = widen(directory.readUInt32LE(at + 42));
  const local = readAt(fd, localOffset, 30, file);
  if (local.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw new DataFileError(file, -1, `local header of ${name} is damaged`);
  }
  const dataOffset = localOffset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (dataOffset + compressedBytes > fileBytes)
    throw new DataFileError(file, -1, `member ${name} is truncated`);
  return {
    name,
    method: directory.readUInt16LE(at + 10),
    crc: directory.readUInt32LE(at + 16),
    compressedBytes,
    bytes,
    dataOffset,
  };
}

/** The 8-byte values of the zip64 extra field (id 1): size, compressed size, offset, those that are needed. */
function zip64Values(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = extra.readUInt16LE(at);
    const length = extra.readUInt16LE(at + 2);
    if (id === 1) {
      const values: number[] = [];
      for (let i = 0; i + 8 <= Math.min(length, 24); i += 8)
        values.push(Number(extra.readBigUInt64LE(at + 4 + i)));
      return values;
    }
    at += 4 + length;
  }
  return [];
}
