// The bytes of one array in a file, stored or deflated, written straight into the caller's memory, with their checksum.
// Synchronous, for a thread that does nothing else. Deflate goes through the handle of node:zlib's stream: its public
// calls inflate either whole members or into buffers of their own, new ones each time (ADR 0015).
import { closeSync, openSync, readSync } from "node:fs";
import { constants, crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { DataFileError } from "./data-file-error.ts";
import type { ArrayLocation } from "./npz-file.ts";
import { METHOD_DEFLATE } from "./zip.ts";

const READ_BYTES = 1 << 18;

/** What node:zlib's own synchronous calls use. */
interface ZlibHandle {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
}

interface ZlibStream extends InflateRaw {
  readonly _handle: ZlibHandle;
  /** After a write: bytes of output that are free, bytes of input that are left. */
  readonly _writeState: Uint32Array;
}

export class ArrayReader {
  /** Bytes read so far, and their CRC-32. */
  bytes = 0;
  crc = 0;
  private readonly location: ArrayLocation;
  private readonly fd: number;
  private readonly inflate: ZlibStream | null;
  private readonly input: Uint8Array;
  private inputAt = 0;
  private inputBytes = 0;
  private filePosition: number;
  private fault: string | null = null;

  constructor(location: ArrayLocation) {
    this.location = location;
    this.fd = openSync(location.file, "r");
    this.filePosition = location.offset;
    const deflated = location.method === METHOD_DEFLATE;
    this.input = new Uint8Array(deflated ? READ_BYTES : 0);
    this.inflate = deflated ? (createInflateRaw() as ZlibStream) : null;
    if (this.inflate !== null)
      this.inflate._handle.onerror = (message) => {
        this.fault = message;
      };
  }

  /** Fills `length` bytes of `out`; fewer at the end of the array, or of what there is of it: `finish` tells which. */
  read(out: Uint8Array, at: number, length: number): number {
    let got = 0;
    while (got < length) {
      const more =
        this.inflate === null
          ? this.readFile(out, at + got, length - got)
          : this.inflateInto(this.inflate, out, at + got, length - got);
      if (more === 0) break;
      got += more;
    }
    this.bytes += got;
    this.crc = crc32(out.subarray(at, at + got), this.crc);
    return got;
  }

  /** After the last byte: throws DataFileError for what cannot be inflated, another length or another checksum. */
  finish(): void {
    const { file, bytes, crc } = this.location;
    if (this.fault !== null) throw new DataFileError(file, -1, `cannot inflate: ${this.fault}`);
    if (this.bytes !== bytes) {
      const what = `truncated: the member has ${this.bytes} bytes, the directory says ${bytes}`;
      throw new DataFileError(file, -1, what);
    }
    if (crc !== undefined && this.crc >>> 0 !== crc >>> 0)
      throw new DataFileError(file, -1, "bad CRC: the member is damaged");
  }

  close(): void {
    closeSync(this.fd);
    this.inflate?.close();
  }

  private inflateInto(stream: ZlibStream, out: Uint8Array, at: number, length: number): number {
    for (;;) {
      if (this.inputBytes === 0) {
        this.inputAt = 0;
        this.inputBytes = this.readFile(this.input, 0, this.input.length);
      }
      const had = this.inputBytes;
      stream._handle.writeSync(constants.Z_NO_FLUSH, this.input, this.inputAt, had, out, at, length);
      if (this.fault !== null) return 0;
      const got = length - stream._writeState[0]!;
      this.inputBytes = stream._writeState[1]!;
      this.inputAt += had - this.inputBytes;
      // Neither output nor input moved: the end of the stream, or of what there is of it.
      if (got > 0 || this.inputBytes === had) return got;
    }
  }

  private readFile(into: Uint8Array, at: number, most: number): number {
    const { offset, storedBytes } = this.location;
    const length = Math.min(most, offset + storedBytes - this.filePosition);
    if (length <= 0) return 0;
    const got = readSync(this.fd, into, at, length, this.filePosition);
    this.filePosition += got;
    return got;
  }
}
