// Lines of a text file, plain or gzip (decided by its first bytes, not its name). Streams: memory is one chunk plus the
// longest line, whatever the length of the file. Cold code.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { DataFileError } from "./data-file-error.ts";

export interface Line {
  /** Without its line end. A view that stays valid only until the next line is asked for. */
  readonly bytes: Uint8Array;
  /** 1-based. */
  readonly number: number;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** Every line that is not empty, in file order. Throws DataFileError for a file that cannot be read. */
export async function* readLines(path: string): AsyncGenerator<Line, void, void> {
  let rest = new Uint8Array(0);
  let number = 0;
  for await (const chunk of decompressed(path)) {
    const bytes = rest.length === 0 ? chunk : concat(rest, chunk);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end === -1) break;
      number++;
      if (end > start) yield line(bytes, start, end, number);
      start = end + 1;
    }
    rest = bytes.slice(start);
  }
  if (rest.length > 0) yield line(rest, 0, rest.length, number + 1);
}

const line = (bytes: Uint8Array, start: number, end: number, number: number): Line => ({
  bytes: bytes.subarray(start, bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end),
  number,
});

async function* decompressed(path: string): AsyncGenerator<Uint8Array, void, void> {
  const gzip = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 1 << 16 });
  const source = gzip ? file.pipe(createGunzip({ chunkSize: 1 << 18 })) : file;
  // pipe() does not forward errors: a read error must end the consumer, not hang it.
  if (source !== file) file.once("error", (error) => source.destroy(error));
  try {
    for await (const chunk of source) yield chunk as Uint8Array;
  } catch (error) {
    throw new DataFileError(path, -1, (error as Error).message, { cause: error });
  } finally {
    file.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path).catch((error: Error) => {
    throw new DataFileError(path, -1, error.message, { cause: error });
  });
  try {
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
