// DESIGN 1: lanes and fused give identical outputs for one journal. 20,000 messages of the capture (snapshot,
// depth, trades, bookTicker) through three workers with rings that park, and through one worker with pipes:
// FACTOR's records and everything EXECUTION wrote and observed, byte for byte, stage stamps excluded.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD_BYTES } from "../../src/core/record.ts";
import { STREAM_ORDERS, STREAM_TELEMETRY } from "../../src/engine/layout.ts";
import {
  KIND_BBO,
  KIND_FILL,
  KIND_ORDER_SENT,
  KIND_POSITION,
  KIND_RISK_DENIED,
  KIND_SIGNAL,
} from "../../src/wire/messages.gen.ts";
import { countKind, factorRecords, marketJournal, runSession, streamRecords } from "./journal-rig.ts";

setDefaultTimeout(90_000);

const root = mkdtempSync(join(tmpdir(), "hotlane-lanes-fused-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Index of the first record that differs, or −1. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return Math.floor(at / RECORD_BYTES);
  return -1;
}

test("three lanes with rings and one fused lane give byte-identical outputs for one journal", async () => {
  const journal = await marketJournal(20_000);
  const [lanes, fused] = [join(root, "lanes"), join(root, "fused")];
  await runSession("lanes", lanes, journal);
  await runSession("fused", fused, journal);
  const outputs = streamRecords(lanes, STREAM_ORDERS);
  const denials = streamRecords(lanes, STREAM_TELEMETRY);
  // Something must have happened for the comparison to say anything.
  expect(countKind(factorRecords(lanes), KIND_BBO)).toBeGreaterThan(500);
  expect(countKind(factorRecords(lanes), KIND_SIGNAL)).toBeGreaterThan(1000);
  expect(countKind(outputs, KIND_ORDER_SENT)).toBeGreaterThan(500);
  expect(countKind(outputs, KIND_FILL)).toBeGreaterThan(20);
  expect(countKind(outputs, KIND_POSITION)).toBeGreaterThan(20);
  expect(countKind(denials, KIND_RISK_DENIED)).toBeGreaterThan(10);
  expect(firstDifference(factorRecords(lanes), factorRecords(fused))).toBe(-1);
  expect(firstDifference(outputs, streamRecords(fused, STREAM_ORDERS))).toBe(-1);
  expect(firstDifference(denials, streamRecords(fused, STREAM_TELEMETRY))).toBe(-1);
});
