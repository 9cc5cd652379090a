import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWalCommand } from "../../../src/cli/wal.ts";
import { allocateRecordMemory, RECORD_BYTES } from "../../../src/core/record.ts";
import { writeManifest } from "../../../src/journal/session-manifest.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import {
  encodeFill,
  encodeFillDetail,
  encodeGap,
  encodeTrade,
  FLAG_CONTINUATION,
  FLAG_MORE,
} from "../../../src/wire/messages.gen.ts";
import { BASE_NS, makeDir, makeSession, makeWriter, removeDir, segmentFiles } from "./wal-fixture.ts";

let dataDir: string;
let wal: string;
beforeEach(() => {
  dataDir = makeDir();
  wal = join(dataDir, "wal");
  mkdirSync(wal);
  const session = makeSession();
  const { writer } = makeWriter(wal, { session });
  writer.open();
  const m = allocateRecordMemory(8);
  for (let i = 0; i < 3; i++) {
    encodeTrade(m, 0, 1, 1, 0, i, 0, 0, 3600e9 + i, 673_215 + i, 12, 1, 0, i, 0);
    writer.stage(1, m, 0, 1, 0, 1);
    writer.flush();
  }
  encodeFill(m, 0, FLAG_MORE, 1, 1, 3, 0, 3601e9, 3601e9, 7, 1, 1, 0, 0, 673_215, 12, 5, 0);
  encodeFillDetail(m, RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 3, 0, 3601e9, 3601e9, 1, 0, 1, 0, 42, 673_215.5);
  writer.stage(2, m, 0, 2, 0, 2);
  encodeGap(m, 0, 1, 0, 0, 4, 0, 0, 3602e9, 9, 17, 1, 1);
  writer.stage(1, m, 0, 1, 0, 1);
  writer.close();
  writeManifest(wal, {
    session: session.name,
    env: "sim",
    schemaVersion: 1,
    baseNs: BASE_NS.toString(),
    createdUnixNs: BASE_NS.toString(),
    nonceLo: session.nonceLo,
    nonceHi: session.nonceHi,
    instruments: [
      { id: 1, symbol: "BTCUSDT", tickSize: "0.1", lotSize: "0.001", contractSize: "1" } as Instrument,
    ],
    strategies: ["house", "obi-mm"],
    streams: { 1: "market", 2: "orders" },
  });
});
afterEach(() => removeDir(dataDir));

function run(...argv: string[]): { code: number; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const code = runWalCommand(argv, { out: (line) => out.push(line), err: (line) => err.push(line) });
  return { code, out, err };
}

function exported(...argv: string[]): string[] {
  const file = join(dataDir, "out");
  expect(run("export", dataDir, "--out", file, ...argv).code).toBe(0);
  return readFileSync(file, "utf8").trim().split("\n");
}

describe("wal inspect", () => {
  test("shows segments, kinds, gaps and the time span, of a data directory or of its wal", () => {
    for (const dir of [dataDir, wal]) {
      const { code, out } = run("inspect", dir);
      expect(code).toBe(0);
      const text = out.join("\n");
      expect(text).toContain("1 segments, 5 batches, 6 records");
      expect(text).toMatch(/Trade +3/);
      expect(text).toMatch(/FillDetail +1/);
      expect(text).toContain("gaps: 1 (17 records given up by their producers)");
      expect(text).toContain("time 2024-11-21T01:00:00.000000000Z … 2024-11-21T01:00:02.000000000Z");
    }
  });

  test("as JSON", () => {
    const found = JSON.parse(run("inspect", dataDir, "--json").out[0]!);
    expect(found).toMatchObject({
      batches: 5,
      records: 6,
      kinds: { Trade: 3, Fill: 1, FillDetail: 1, Gap: 1 },
      streams: { 1: 4, 2: 2 },
      gaps: [{ position: 5, stream: 1, lostCount: 17, reason: 1 }],
      whole: true,
    });
  });
});

describe("wal verify", () => {
  test("is 0 for a whole WAL, 3 with file and offset for a damaged one", () => {
    expect(run("verify", dataDir)).toMatchObject({
      code: 0,
      out: ["whole: 1 segments, 5 batches, 6 records"],
    });
    const [file] = segmentFiles(wal);
    const bytes = readFileSync(file!);
    bytes[4096 + 64]! ^= 1;
    writeFileSync(file!, bytes);
    const { code, err } = run("verify", dataDir);
    expect(code).toBe(3);
    expect(err.join("\n")).toMatch(/-000000\.wal at 4096: corrupt, 128 bytes: checksum does not match/);
  });

  test("a torn tail is told as such", () => {
    appendFileSync(segmentFiles(wal)[0]!, "torn");
    const { code, err } = run("verify", dataDir);
    expect(code).toBe(3);
    expect(err[0]).toContain("torn, 4 bytes: batch header is cut at 4 of 64 bytes (cut by the next start)");
  });
});

describe("wal export", () => {
  test("jsonl: one object per record, names from the manifest", () => {
    const rows = exported("--format", "jsonl").map((line) => JSON.parse(line));
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatchObject({
      session: makeSession().name,
      position: 0,
      stream: "market",
      kind: "Trade",
      px: "67321.5",
      qty: "0.012",
    });
    expect(rows[3]).toMatchObject({ position: 3, stream: "orders", strategy: "obi-mm", tradeId: "5" });
    expect(rows[4]).toMatchObject({ fee: "0.00000042", midAtFill: "67321.55" });
  });

  test("by kind, stream and position", () => {
    expect(
      exported("--format", "jsonl", "--kind", "trade", "--from", "1").map(
        (line) => JSON.parse(line).position,
      ),
    ).toEqual([1, 2]);
    expect(
      exported("--format", "jsonl", "--stream", "2", "--to", "4").map((line) => JSON.parse(line).position),
    ).toEqual([3]);
  });

  test("csv: the fields of one kind", () => {
    const lines = exported("--format", "csv", "--kind", "Trade");
    expect(lines[0]).toBe(
      "session,position,stream,kind,flags,instrument,strategy,sequence,spare,exchTs,recvTs,px,qty,side,tradeType,tradeId",
    );
    expect(lines[1]).toEndWith(
      ",Trade,endOfEvent,BTCUSDT,house,0,0,,1732150800000000000,67321.5,0.012,buy,0,0",
    );
    expect(lines).toHaveLength(4);
  });
});

describe("usage errors exit 2 and say what is expected", () => {
  test.each([
    [["frobnicate", "x"], 'unknown command "frobnicate"'],
    [[], "no command"],
    [["inspect"], "inspect needs one DIR"],
    [["inspect", "/does/not/exist"], "/does/not/exist: no such directory"],
    [["inspect", "x", "--what"], "--what"],
    [["export", "DIR"], "--format jsonl, csv, parquet or npz"],
    [["export", "DIR", "--format", "csv"], "csv takes exactly one --kind"],
    [["export", "DIR", "--format", "jsonl", "--kind", "Tade"], 'unknown kind "Tade"'],
    [["export", "DIR", "--format", "jsonl", "--from", "-1"], "--from"],
  ])("%j", (argv, expected) => {
    const { code, err } = run(...argv.map((arg) => (arg === "DIR" ? dataDir : arg)));
    expect(code).toBe(2);
    expect(err.join("\n")).toContain(expected);
  });
});
