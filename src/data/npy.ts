// The .npy container: magic, version, length, a Python dict literal, data. Only what hftbacktest and numpy write
// for one-dimensional record arrays: C order, little endian, no padding between fields.
// Format: numpy.lib.format. hftbacktest reads version 1.0 only and compares field TYPES; names only warn.
import { DataFileError } from "./data-file-error.ts";

export interface NpyField {
  readonly name: string;
  /** numpy type code, e.g. `<u8`. */
  readonly type: string;
}

export interface NpyHeader {
  readonly fields: readonly NpyField[];
  readonly rows: number;
  readonly rowBytes: number;
  /** Where the rows begin, bytes from the start of the .npy. */
  readonly dataOffset: number;
}

/** Enough for the header of any file this program reads: 64 bytes would hold none, 4096 hold all. */
export const NPY_HEADER_MAX_BYTES = 4096;

export const EVENT_FIELDS: readonly NpyField[] = [
  { name: "ev", type: "<u8" },
  { name: "exch_ts", type: "<i8" },
  { name: "local_ts", type: "<i8" },
  { name: "px", type: "<f8" },
  { name: "qty", type: "<f8" },
  { name: "order_id", type: "<u8" },
  { name: "ival", type: "<i8" },
  { name: "fval", type: "<f8" },
];
export const EVENT_ROW_BYTES = 64;

export const ORDER_LATENCY_FIELDS: readonly NpyField[] = [
  { name: "req_ts", type: "<i8" },
  { name: "exch_ts", type: "<i8" },
  { name: "resp_ts", type: "<i8" },
  { name: "_padding", type: "<i8" },
];
export const ORDER_LATENCY_ROW_BYTES = 32;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const TYPE_BYTES: Readonly<Record<string, number>> = {
  "<u8": 8,
  "<i8": 8,
  "<f8": 8,
  "|u1": 1,
  "<i4": 4,
  "<f4": 4,
};

/** Where the rows begin, by the first 12 bytes of an .npy; what these are is checked by parseNpyHeader. */
export function npyDataOffset(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
}

export function hasNpyMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Header of the .npy that starts at `bytes[0]`. `bytes` needs to hold the header only.
 * Throws DataFileError when it is no .npy, or no one-dimensional C-order record array.
 */
export function parseNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  if (!hasNpyMagic(bytes)) throw new DataFileError(file, -1, "not an .npy (no numpy magic)");
  const major = bytes[6]!;
  if (major < 1 || major > 3) throw new DataFileError(file, -1, `.npy version ${major} is not known`);
  if (bytes.length < 12) throw new DataFileError(file, -1, "truncated .npy header");
  const dataOffset = npyDataOffset(bytes);
  if (dataOffset > Math.min(bytes.length, NPY_HEADER_MAX_BYTES)) {
    throw new DataFileError(file, -1, `truncated .npy header (${dataOffset} bytes expected)`);
  }
  const dict = new TextDecoder().decode(bytes.slice(major === 1 ? 10 : 12, dataOffset));
  return parseDict(dict, dataOffset, file);
}

function parseDict(dict: string, dataOffset: number, file: string): NpyHeader {
  const descr = /'descr'\s*:\s*(\[[^\]]*\]|'[^']*')/.exec(dict)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(dict)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(dict)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw new DataFileError(file, -1, `.npy header is not understood: ${dict.trim()}`);
  }
  if (order !== "False") throw new DataFileError(file, -1, "rows are in Fortran order, expected C order");
  const rows = /^\s*(\d+)\s*,\s*$/.exec(shape)?.[1];
  if (rows === undefined) throw new DataFileError(file, -1, `shape (${shape}) is not one-dimensional`);
  const fields = [...descr.matchAll(/\(\s*'([^']*)'\s*,\s*'([^']*)'\s*\)/g)].map((m) => ({
    name: m[1]!,
    type: m[2]!,
  }));
  let rowBytes = 0;
  for (const field of fields) rowBytes += TYPE_BYTES[field.type] ?? Number.NaN;
  if (fields.length === 0 || Number.isNaN(rowBytes)) {
    throw new DataFileError(file, -1, `dtype ${descr} is not a record of plain little-endian numbers`);
  }
  return { fields, rows: Number(rows), rowBytes, dataOffset };
}

/** Throws DataFileError when the field types differ from `expected`; returns the names that differ (a warning). */
export function checkFields(header: NpyHeader, expected: readonly NpyField[], file: string): string[] {
  const types = (fields: readonly NpyField[]): string => fields.map((f) => f.type).join(",");
  if (types(header.fields) !== types(expected)) {
    const want = expected.map((f) => `${f.name} ${f.type}`).join(", ");
    const have = header.fields.map((f) => `${f.name} ${f.type}`).join(", ");
    throw new DataFileError(file, -1, `wrong dtype: expected (${want}), found (${have})`);
  }
  return header.fields.filter((f, i) => f.name !== expected[i]!.name).map((f) => f.name);
}

/** Room for any number of rows, so that the header can be written before they are counted. */
const ROWS_DIGITS_MAX = 16;

/**
 * A version 1.0 header, padded so that the rows begin at a multiple of 64, as numpy writes it. Its length depends on
 * the fields alone.
 */
export function formatNpyHeader(fields: readonly NpyField[], rows: number): Uint8Array<ArrayBuffer> {
  const descr = fields.map((f) => `('${f.name}', '${f.type}')`).join(", ");
  const dict = `{'descr': [${descr}], 'fortran_order': False, 'shape': (${rows},), }`;
  const longest = dict.length - String(rows).length + ROWS_DIGITS_MAX;
  const total = Math.ceil((10 + longest + 1) / 64) * 64;
  const text = `${dict.padEnd(total - 10 - 1)}\n`;
  const out = new Uint8Array(total);
  out.set(MAGIC);
  out[6] = 1;
  new DataView(out.buffer).setUint16(8, text.length, true);
  out.set(new TextEncoder().encode(text), 10);
  return out;
}
