// Reader of raw captures: a line is `<receive time, 19 digits of ns since the epoch> <JSON message>`, the file
// plain or gzip (decided by its first bytes, not its name). Streams: memory is one chunk plus the longest line,
// whatever the length of the file. Cold code (import, simulated market, warm-up).
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";

/** One recorded message. `bytes` is a view that stays valid only until the next line is asked for. */
export interface CaptureLine {
  /** The recorder's receive time, ns since the Unix epoch. */
  readonly recvUnixNs: bigint;
  /** The message as it came from the venue: UTF-8 JSON, no line end. */
  readonly bytes: Uint8Array;
  /** 1-based. */
  readonly lineNumber: number;
}

/** Thrown for a line that is not `<time> <message>`, or a file that cannot be decompressed. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
/** 10^9 s until 2286: nanoseconds since the epoch have 19 digits from 2001 on. */
const TIME_DIGITS = 19;

/** Every line of a capture, in file order. Throws CaptureError naming file and line. */
export async function* readCapture(path: string): AsyncGenerator<CaptureLine, void, void> {
  let rest = new Uint8Array(0);
  let lineNumber = 0;
  for await (const chunk of decompressed(path)) {
    const bytes = rest.length === 0 ? chunk : concat(rest, chunk);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end === -1) break;
      lineNumber++;
      if (end > start) yield parseLine(path, lineNumber, bytes, start, end);
      start = end + 1;
    }
    rest = bytes.slice(start);
  }
  if (rest.length > 0) yield parseLine(path, lineNumber + 1, rest, 0, rest.length);
}

async function* decompressed(path: string): AsyncGenerator<Uint8Array, void, void> {
  const gzip = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 1 << 16 });
  const source = gzip ? file.pipe(createGunzip({ chunkSize: 1 << 18 })) : file;
  // pipe() does not forward errors: a read error must end the consumer, not hang it.
  if (source !== file) file.once("error", (error) => source.destroy(error));
  try {
    for await (const chunk of source) yield chunk as Uint8Array;
  } catch (error) {
    throw new CaptureError(`${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    file.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path).catch((error: Error) => {
    throw new CaptureError(`${path}: ${error.message}`, { cause: error });
  });
  try {
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

function parseLine(
  path: string,
  lineNumber: number,
  all: Uint8Array,
  start: number,
  end: number,
): CaptureLine {
  const separator = start + TIME_DIGITS;
  if (separator >= end || all[separator] !== SPACE) throw badLine(path, lineNumber);
  let high = 0;
  let low = 0;
  for (let i = start; i < separator; i++) {
    const digit = all[i]! - 48;
    if (digit < 0 || digit > 9) throw badLine(path, lineNumber);
    if (i - start < 10) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  const last = all[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
  return {
    recvUnixNs: BigInt(high) * 1_000_000_000n + BigInt(low),
    bytes: all.subarray(separator + 1, last),
    lineNumber,
  };
}

const badLine = (path: string, lineNumber: number): CaptureError =>
  new CaptureError(
    `${path}: line ${lineNumber}: expected a ${TIME_DIGITS}-digit receive time, a space, a message`,
  );

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
