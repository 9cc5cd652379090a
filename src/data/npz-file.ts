// Whole arrays out of .npz and .npy files, and where the rows of one lie in the file. Whole loading is for small
// members (tables, snapshots, an hour of events); event-rows.ts streams what is large.
import { crc32, inflateRawSync } from "node:zlib";
import { DataFileError } from "./data-file-error.ts";
import {
  checkFields,
  hasNpyMagic,
  NPY_HEADER_MAX_BYTES,
  type NpyField,
  type NpyHeader,
  parseNpyHeader,
} from "./npy.ts";
import { findMember, METHOD_DEFLATE, METHOD_STORED, readAt, readZipDirectory, withFile } from "./zip.ts";

/** One array in a file: the bytes of the .npy, still compressed or not. */
export interface ArrayLocation {
  readonly file: string;
  /** METHOD_STORED or METHOD_DEFLATE. */
  readonly method: number;
  readonly offset: number;
  readonly storedBytes: number;
  /** Length of the .npy when inflated. */
  readonly bytes: number;
  /** Checksum of the inflated .npy; undefined for a bare .npy file. */
  readonly crc: number | undefined;
}

export interface LoadedRows {
  readonly header: NpyHeader;
  /** The rows, 8-byte aligned, little endian. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Field names that differ from the expected ones. hftbacktest warns of them, too. */
  readonly renamed: readonly string[];
}

/** Finds array `key` (hftbacktest: `data`) of an .npz, or the one array of an .npy. Throws DataFileError. */
export function locateArray(file: string, key = "data"): ArrayLocation {
  return withFile(file, (fd) => {
    if (hasNpyMagic(readAt(fd, 0, 6, file))) {
      const bytes = Bun.file(file).size;
      return { file, method: METHOD_STORED, offset: 0, storedBytes: bytes, bytes, crc: undefined };
    }
    const member = findMember(readZipDirectory(fd, file), `${key}.npy`, file);
    if (member.method !== METHOD_STORED && member.method !== METHOD_DEFLATE) {
      throw new DataFileError(file, -1, `${member.name}: compression method ${member.method} is not known`);
    }
    return {
      file,
      method: member.method,
      offset: member.dataOffset,
      storedBytes: member.compressedBytes,
      bytes: member.bytes,
      crc: member.crc,
    };
  });
}

/** Loads all rows of array `key`. Throws DataFileError: wrong dtype, truncated, bad checksum. */
export function loadRows(file: string, expected: readonly NpyField[], key = "data"): LoadedRows {
  const location = locateArray(file, key);
  const npy = readArrayBytes(location);
  const header = parseNpyHeader(npy.subarray(0, NPY_HEADER_MAX_BYTES), file);
  const renamed = checkFields(header, expected, file);
  checkLength(header, npy.length, file);
  const at = npy.byteOffset + header.dataOffset;
  const length = header.rows * header.rowBytes;
  const aligned = at % 8 === 0;
  const bytes = aligned
    ? new Uint8Array(npy.buffer, at, length)
    : npy.slice(header.dataOffset, header.dataOffset + length);
  return { header, bytes, renamed };
}

/** Throws when `npyBytes` is not what the header says. */
export function checkLength(header: NpyHeader, npyBytes: number, file: string): void {
  const expected = header.dataOffset + header.rows * header.rowBytes;
  if (npyBytes === expected) return;
  const whole = Math.max(0, Math.floor((npyBytes - header.dataOffset) / header.rowBytes));
  const row = npyBytes < expected ? whole : -1;
  throw new DataFileError(file, row, `${npyBytes} bytes where ${header.rows} rows need ${expected}`);
}

function readArrayBytes(location: ArrayLocation): Uint8Array<ArrayBuffer> {
  const { file } = location;
  const stored = withFile(file, (fd) => readAt(fd, location.offset, location.storedBytes, file));
  let npy: Uint8Array<ArrayBuffer> = stored;
  if (location.method === METHOD_DEFLATE) {
    try {
      npy = inflateRawSync(stored, { maxOutputLength: Math.max(location.bytes, 1) });
    } catch (error) {
      throw new DataFileError(file, -1, `cannot inflate: ${(error as Error).message}`, { cause: error });
    }
  }
  if (npy.length !== location.bytes) {
    throw new DataFileError(file, -1, `member has ${npy.length} bytes, the directory says ${location.bytes}`);
  }
  if (location.crc !== undefined && crc32(npy) >>> 0 !== location.crc >>> 0) {
    throw new DataFileError(file, -1, "bad CRC: the member is damaged");
  }
  return npy;
}
