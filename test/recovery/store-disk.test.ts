// A disk that is really full under the embedded ClickHouse (a small tmpfs, where root may mount one): the recorder
// pauses with the server's words, the WAL keeps everything, and when there is room the rest arrives once. And what of
// the WAL may be given up: what the store has, after its hours, never more.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OrderWal, writeOrderWal } from "../../bench/harness/order-wal.ts";
import { JsonlStore } from "../../src/record/jsonl-store.ts";
import { Recorder, type RecorderOptions } from "../../src/record/recorder.ts";
import type { RowStore } from "../../src/record/row-store.ts";
import { LIBRARY, openEngine } from "../e2e/embedded.ts";
import { until } from "../e2e/live-session.ts";

const dirs: string[] = [];
const makeDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-store-disk-"));
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const MB = 1 << 20;
const DISK_MB = 64;
const LEFT_MB = 2;
const ORDERS = 40_000;
const PER_SECOND = 2000;
const SECONDS = 1000;

const run = (...command: string[]): boolean => Bun.spawnSync(command).exitCode === 0;
const mount = (at: string): boolean =>
  process.getuid?.() === 0 && run("mount", "-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", at);
const CANNOT_MOUNT = ((): boolean => {
  const probe = makeDir();
  const mounted = mount(probe);
  if (mounted) run("umount", probe);
  return !mounted;
})();

function makeRecorder(dir: string, store: RowStore, more: Partial<RecorderOptions> = {}): Recorder {
  return new Recorder({
    walDir: join(dir, "wal"),
    auditFile: join(dir, "audit.jsonl"),
    checkpointFile: join(dir, "checkpoint.json"),
    store,
    syncWal: true,
    keepHours: 0,
    diskLow: () => false,
    market: new Set(["trades"]),
    statusReasons: [],
    log: () => {},
    ...more,
  });
}

/** Bytes until nothing more fits but `leftMb`. */
function fill(file: string, disk: string, leftMb: number): void {
  const df = Bun.spawnSync(["df", "--output=avail", "-B1", disk]).stdout.toString();
  const free = Number(df.trim().split("\n").at(-1));
  writeFileSync(file, new Uint8Array(Math.max(0, free - leftMb * MB)));
}

test.skipIf(LIBRARY === null || CANNOT_MOUNT)(
  "ClickHouse on a full disk: paused with its words, nothing lost, goes on by itself when there is room",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, ORDERS, PER_SECOND);
    const disk = join(dir, "clickhouse");
    mkdirSync(disk);
    mount(disk);
    const engine = await openEngine(disk);
    try {
      await engine.store.open();
      fill(join(disk, "filler"), disk, LEFT_MB);
      const said: string[] = [];
      const recorder = makeRecorder(dir, engine.store, {
        log: (level, text) => said.push(`${level} ${text}`),
      });
      recorder.finish();
      const running = recorder.run();
      await until("the store to be full", () => recorder.figures().state === "storeFull", 60 * SECONDS);
      const paused = recorder.figures();
      expect(paused.alarm).toMatch(/\(243\)|No space left|ENOSPC/);
      expect(paused.lagMs).toBeGreaterThan(0);
      expect(said.join("\n")).toContain("the WAL keeps everything");
      rmSync(join(disk, "filler"));
      expect(await running).toBe(true);
      expect(recorder.figures()).toMatchObject({ state: "done", alarm: "" });
      await expectOnce(engine, wal);
    } finally {
      await engine.close();
      run("umount", disk);
    }
  },
  180 * SECONDS,
);

async function expectOnce(engine: Awaited<ReturnType<typeof openEngine>>, wal: OrderWal): Promise<void> {
  const [got] = await engine.rows(
    `SELECT (SELECT count() FROM hotlane.orders) AS orders, (SELECT uniqExact(wal_position, event) FROM hotlane.orders) AS single,
     (SELECT count() FROM hotlane.fills) AS fills, (SELECT sum(fills) FROM hotlane.fills_1m) AS counted,
     (SELECT sum(events) FROM hotlane.order_events_1m) AS events`,
  );
  const orders = String(wal.orderRows);
  const fills = String(wal.fills);
  expect(got as never).toEqual({ orders, single: orders, fills, counted: fills, events: orders } as never);
}

const HOUR_MS = 3_600_000;
const segments = (dir: string): string[] =>
  readdirSync(join(dir, "wal")).filter((file) => file.endsWith(".wal"));

test("segments go only when the store has them and their hours are over; the newest stay", async () => {
  const dir = makeDir();
  const first = writeOrderWal(dir, 10_000, PER_SECOND, { segmentBytes: MB / 2 });
  const second = writeOrderWal(dir, 500, PER_SECOND, { seed: 2, earlier: first });
  writeOrderWal(dir, 500, PER_SECOND, { seed: 3, earlier: second });
  const before = segments(dir);
  const old = new Date(Date.now() - 3 * HOUR_MS);
  for (const file of before) utimesSync(join(dir, "wal", file), old, old);
  const refusing: RowStore = {
    ...({} as RowStore),
    ...{ name: "away", open: async () => ({ id: "1", warnings: [] }), rollback: async () => {} },
    ...{ count: async () => 0, close: async () => {}, commit: async () => null },
    insert: async () => {
      throw new Error("away");
    },
  };
  const waiting = makeRecorder(dir, refusing, { keepHours: 1 });
  waiting.finish();
  const ended = waiting.run();
  await until("a refusal", () => waiting.figures().retries > 1);
  waiting.stop();
  expect(await ended).toBe(false);
  expect(segments(dir)).toEqual(before);

  for (const [keepHours, gone] of [
    [4, 0],
    [1, 1],
  ] as const) {
    rmSync(join(dir, "checkpoint.json"), { force: true });
    const recorder = makeRecorder(dir, new JsonlStore(join(dir, `jsonl-${keepHours}`)), { keepHours });
    recorder.finish();
    expect(await recorder.run()).toBe(true);
    expect(recorder.figures().rows["orders"]).toBeGreaterThan(first.orderRows);
    expect(before.length - segments(dir).length > 0 ? 1 : 0).toBe(gone);
  }
}, 60_000);
