import { expect, test } from "bun:test";
import { join } from "node:path";

function run(events: number, mode: string): { bytesPerEvent: number; orders: number; fills: number } {
  const child = Bun.spawnSync([
    process.execPath,
    join(import.meta.dir, "allocation-run.ts"),
    String(events),
    mode,
  ]);
  expect(child.stderr.toString()).toBe("");
  return JSON.parse(child.stdout.toString());
}

test("execution allocates nothing per event: quotes, gate, orders, reports, fills, ledger (1M events)", () => {
  const result = run(1_000_000, "");
  expect(result.orders).toBeGreaterThan(3000);
  expect(result.fills).toBeGreaterThan(300);
  expect(result.bytesPerEvent).toBeLessThan(0.1);
}, 60_000);

test("the measure sees one small object per event", () => {
  expect(run(200_000, "control").bytesPerEvent).toBeGreaterThan(8);
}, 60_000);
