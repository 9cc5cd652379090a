// Reader of raw captures: a line is `<receive time, 19 digits of ns since the epoch> <JSON message>`, the file
// plain or gzip. Cold code (import, simulated market, warm-up).
import { DataFileError } from "./data-file-error.ts";
import { readLines } from "./lines.ts";

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

const SPACE = 32;
/** 10^9 s until 2286: nanoseconds since the epoch have 19 digits from 2001 on. */
const TIME_DIGITS = 19;

/** Every line of a capture, in file order. Throws CaptureError naming file and line. */
export async function* readCapture(path: string): AsyncGenerator<CaptureLine, void, void> {
  try {
    for await (const line of readLines(path)) yield parseLine(path, line.number, line.bytes);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    throw new CaptureError(error.message, { cause: error });
  }
}

function parseLine(path: string, lineNumber: number, all: Uint8Array): CaptureLine {
  if (TIME_DIGITS >= all.length || all[TIME_DIGITS] !== SPACE) throw badLine(path, lineNumber);
  let high = 0;
  let low = 0;
  for (let i = 0; i < TIME_DIGITS; i++) {
    const digit = all[i]! - 48;
    if (digit < 0 || digit > 9) throw badLine(path, lineNumber);
    if (i < 10) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  return {
    recvUnixNs: BigInt(high) * 1_000_000_000n + BigInt(low),
    bytes: all.subarray(TIME_DIGITS + 1),
    lineNumber,
  };
}

const badLine = (path: string, lineNumber: number): CaptureError =>
  new CaptureError(
    `${path}: line ${lineNumber}: expected a ${TIME_DIGITS}-digit receive time, a space, a message`,
  );
