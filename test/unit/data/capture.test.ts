import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { CaptureError, readCapture } from "../../../src/data/capture.ts";

const SHARED = join(import.meta.dir, "../../../src/data/captures/binance-usdm-btcusdt-20240808.gz");

async function withFile<T>(content: Uint8Array | string, body: (path: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "capture-"));
  try {
    const path = join(dir, "capture");
    writeFileSync(path, content);
    return await body(path);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function collect(path: string): Promise<{ ns: bigint; text: string }[]> {
  const lines: { ns: bigint; text: string }[] = [];
  for await (const line of readCapture(path)) {
    lines.push({ ns: line.recvUnixNs, text: new TextDecoder().decode(line.bytes) });
  }
  return lines;
}

test("the shared capture is read line by line, equal to a plain split of the inflated file", async () => {
  const naive = gunzipSync(await Bun.file(SHARED).bytes())
    .toString("utf8")
    .trimEnd()
    .split("\n");
  const lines = await collect(SHARED);
  expect(lines.length).toBe(naive.length);
  for (let i = 0; i < naive.length; i++) {
    const [time] = naive[i]!.split(" ", 1);
    if (lines[i]!.ns !== BigInt(time!) || lines[i]!.text !== naive[i]!.slice(20)) {
      throw new Error(`line ${i + 1} differs`);
    }
  }
});

test("plain and gzip files, CRLF, empty lines and a missing last line end are read", async () => {
  const text = '1723161255030314667 {"a":1}\r\n\n1723161255030314668 {"b":2}';
  const expected = [
    { ns: 1723161255030314667n, text: '{"a":1}' },
    { ns: 1723161255030314668n, text: '{"b":2}' },
  ];
  expect(await withFile(text, collect)).toEqual(expected);
  expect(await withFile(gzipSync(text), collect)).toEqual(expected);
});

test("a line that is not a time and a message is refused with file and line", async () => {
  for (const bad of ["1723161255030314667\n", "17231612550303146 {}\n", "172316125503031466x {}\n"]) {
    const run = withFile(`1723161255030314667 {}\n${bad}`, collect);
    await expect(run).rejects.toThrow(CaptureError);
    await run.catch((e: Error) => expect(e.message).toContain("line 2"));
  }
});

test("a truncated gzip and a missing file are refused with the file name", async () => {
  const whole = gzipSync(`1723161255030314667 ${"x".repeat(5000)}\n`);
  await expect(withFile(whole.subarray(0, whole.length - 12), collect)).rejects.toThrow(CaptureError);
  await expect(collect("/nonexistent/capture.gz")).rejects.toThrow("/nonexistent/capture.gz");
});
