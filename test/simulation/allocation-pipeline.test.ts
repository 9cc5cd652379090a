// The promise of the hot path: from a message's bytes to an order's bytes nothing is allocated, so nothing is ever
// collected. Run in a process of its own (about 5 s): this one's heap belongs to the test runner.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { AllocationReport } from "../../bench/allocation.ts";

const ENTRY = join(import.meta.dir, "../../bench/allocation.ts");
const EVENTS = 1_000_000;
const HEAP_BLOCK_BYTES = 16_384;

test("a million messages become orders, acknowledgements and fills without a byte or a collection", async () => {
  const child = Bun.spawn([process.execPath, ENTRY, "--events", String(EVENTS)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  const report = JSON.parse(text) as AllocationReport;
  expect(report.events).toBeGreaterThanOrEqual(EVENTS);
  expect(report.requests).toBeGreaterThan(10_000);
  // The probes see what they are meant to see.
  expect(report.control).toBeGreaterThan(200_000);
  expect(report.controlCollections).toBeGreaterThan(10);
  expect(report.collections).toBe(0);
  // A late compilation may take a few kB of its own; one heap block in a million events is not an allocation.
  expect(report.growthBytes).toBeLessThan(HEAP_BLOCK_BYTES);
}, 60_000);
