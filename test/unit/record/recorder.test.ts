// The recorder against the real engine: what it makes of a WAL, how it starts again, and what it does when the store
// is away, full or emptied. The oracle of rows is the WAL itself, as `wal export` reads it.
import { afterAll, afterEach, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeOrderWal } from "../../../bench/harness/order-wal.ts";
import { Prng } from "../../../src/core/prng.ts";
import type { Block } from "../../../src/record/block.ts";
import { JsonlStore } from "../../../src/record/jsonl-store.ts";
import type { RecorderOptions } from "../../../src/record/recorder.ts";
import { type BlockOrigin, type RowStore, StoreFullError } from "../../../src/record/row-store.ts";
import { LIBRARY, type OpenEngine, openEngine } from "../../e2e/embedded.ts";
import { makeRecorder, recordAll } from "./record-all.ts";

const dirs: string[] = [];
const engines: OpenEngine[] = [];
const makeDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-record-"));
  dirs.push(dir);
  return dir;
};
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const COMMAND = {
  command: "pause",
  target: "obi-mm",
  arguments: {},
  who: "api:desk",
  scope: "control",
  why: "drill",
};
const audit = (at: string, more: object = {}) =>
  `${JSON.stringify({ at, ...COMMAND, ok: true, code: "", message: "", before: { state: "Running" }, after: { state: "Paused" }, ...more })}\n`;

async function engineIn(dir: string): Promise<OpenEngine> {
  const engine = await openEngine(join(dir, "clickhouse"));
  engines.push(engine);
  return engine;
}

/** A store that does what `before` says first; its own state is the real store's. */
function through(
  store: RowStore,
  before: (block: Block, origin: BlockOrigin) => Promise<void> | void,
): RowStore {
  return {
    name: store.name,
    open: () => store.open(),
    count: (block, origin) => store.count(block, origin),
    insert: async (block, origin, inDoubt) => {
      await before(block, origin);
      return store.insert(block, origin, inDoubt);
    },
    heal: (block, origin) => store.heal(block, origin),
    commit: () => store.commit(),
    rollback: (committed) => store.rollback(committed),
    remove: (block, origin) => store.remove(block, origin),
    refill: () => store.refill(),
    close: async () => {},
  };
}

const ORDERS = 3000;
const PER_SECOND = 400;

test.skipIf(LIBRARY === null)(
  "orders, fills, positions and commands of a WAL are in the store once, also when it is recorded again",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, ORDERS, PER_SECOND);
    appendFileSync(
      join(dir, "audit.jsonl"),
      audit("2024-11-21T01:00:05.000Z") + audit("2024-11-21T01:00:06.000Z"),
    );
    const engine = await engineIn(dir);
    const first = await recordAll(
      dir,
      through(engine.store, () => {}),
    );
    expect(first.complete).toBe(true);
    expect(first.figures.rows).toEqual({
      ...{ orders: wal.orderRows, fills: wal.fills, positions: wal.fills, commands: 2, sessions: 1 },
    });
    rmSync(join(dir, "checkpoint.json"));
    const again = await recordAll(
      dir,
      through(engine.store, () => {}),
    );
    expect(again.complete).toBe(true);
    const [counts] = await engine.rows(
      `SELECT (SELECT count() FROM hotlane.orders) AS orders, (SELECT count() FROM hotlane.fills) AS fills,
       (SELECT sum(events) FROM hotlane.order_events_1m) AS events, (SELECT sum(fills) FROM hotlane.fills_1m) AS fillSum,
       (SELECT count() FROM hotlane.commands) AS commands, (SELECT count() FROM hotlane.orders_latest) AS latest`,
    );
    expect(counts).toEqual({
      ...{ orders: String(wal.orderRows), fills: String(wal.fills), events: String(wal.orderRows) },
      ...{ fillSum: String(wal.fills), commands: "2", latest: String(ORDERS) },
    });
    const [command] = await engine.rows(
      "SELECT who, why, before, after, session FROM hotlane.commands LIMIT 1",
    );
    expect(command).toEqual({
      ...{ who: "api:desk", why: "drill", before: '{"state":"Running"}', after: '{"state":"Paused"}' },
      session: wal.session,
    });
  },
  60_000,
);

test.skipIf(LIBRARY === null)(
  "an insert whose answer is lost is repeated under its token and counts once, in the aggregates too",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, ORDERS, PER_SECOND);
    const engine = await engineIn(dir);
    const prng = new Prng(7);
    const store = through(engine.store, async (block, origin) => {
      if (prng.nextBelow(2) === 0) return;
      await engine.store.insert(block, origin, false);
      throw new Error("the answer was lost");
    });
    const { complete, figures } = await recordAll(dir, store);
    expect(complete).toBe(true);
    expect(figures.retries).toBeGreaterThan(3);
    const [counts] = await engine.rows(
      `SELECT (SELECT count() FROM hotlane.orders) AS orders, (SELECT count() FROM hotlane.fills) AS fills,
       (SELECT sum(events) FROM hotlane.order_events_1m) AS events, (SELECT sum(fills) FROM hotlane.fills_1m) AS fillSum`,
    );
    expect(counts).toEqual({
      ...{ orders: String(wal.orderRows), fills: String(wal.fills) },
      ...{ events: String(wal.orderRows), fillSum: String(wal.fills) },
    });
  },
  60_000,
);

test.skipIf(LIBRARY === null)(
  "an emptied store gets the whole WAL again, a migration of a newer hotlane is refused",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, 500, PER_SECOND);
    const engine = await engineIn(dir);
    await recordAll(
      dir,
      through(engine.store, () => {}),
    );
    await engine.store.command("DROP DATABASE hotlane SYNC");
    const { figures } = await recordAll(
      dir,
      through(engine.store, () => {}),
    );
    expect(figures.rows["orders"]).toBe(wal.orderRows);
    const [counted] = await engine.rows("SELECT count() AS n FROM hotlane.orders");
    expect(counted!["n"]).toBe(String(wal.orderRows));
    await engine.store.command(
      "INSERT INTO hotlane.schema_migrations (version, name) VALUES (9999, 'later')",
    );
    expect(engine.store.open()).rejects.toThrow("has schema version 9999");
  },
  60_000,
);

test.skipIf(LIBRARY === null)(
  "a database of an older hotlane gets the columns and tables that were added since",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, 200, PER_SECOND);
    const engine = await engineIn(dir);
    const { store } = engine;
    await store.open();
    for (const sql of [
      "DROP VIEW hotlane.orders_latest",
      "ALTER TABLE hotlane.orders DROP COLUMN event_time",
      "DROP TABLE hotlane.sessions SYNC",
      "DELETE FROM hotlane.schema_migrations WHERE version > 4",
    ])
      await store.command(sql);
    const { figures } = await recordAll(
      dir,
      through(store, () => {}),
    );
    expect(figures.rows["orders"]).toBe(wal.orderRows);
    const [counted] = await engine.rows(
      "SELECT (SELECT count() FROM hotlane.sessions) AS sessions, count() AS n, max(event_time) > 0 AS timed FROM hotlane.orders_latest",
    );
    expect(counted).toEqual({ sessions: "1", n: "200", timed: expect.anything() });
  },
  60_000,
);

test.skipIf(LIBRARY === null)(
  "market data that was not chosen at first is loaded later without doubling the rest",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, 300, PER_SECOND, { seed: 5, market: true, quotes: true });
    const engine = await engineIn(dir);
    await recordAll(
      dir,
      through(engine.store, () => {}),
      { market: new Set(["trades"] as const) },
    );
    const kinds = () =>
      engine.rows("SELECT kind, count() AS n FROM hotlane.market_data GROUP BY kind ORDER BY kind");
    expect(await kinds()).toEqual([{ kind: "Trade", n: String(wal.marketRows / 2) }]);
    const more = { askAlways: true, checkpointFile: join(dir, "all.json") };
    for (let run = 0; run < 2; run++) {
      rmSync(join(dir, "all.json"), { force: true });
      await recordAll(
        dir,
        through(engine.store, () => {}),
        more,
      );
      expect(await kinds()).toEqual([
        { kind: "Trade", n: String(wal.marketRows / 2) },
        { kind: "Bbo", n: String(wal.marketRows / 2) },
      ]);
    }
    const [counted] = await engine.rows(
      "SELECT count() AS n, (SELECT sum(events) FROM hotlane.order_events_1m) AS events FROM hotlane.orders",
    );
    expect(counted).toEqual({ n: String(wal.orderRows), events: String(wal.orderRows) });
  },
  60_000,
);

const AGGREGATES_AND_ROWS = `SELECT (SELECT count() FROM hotlane.orders) AS orders,
  (SELECT sum(events) FROM hotlane.order_events_1m) AS events, (SELECT count() FROM hotlane.fills) AS fills,
  (SELECT sum(fills) FROM hotlane.fills_1m) AS fillSum`;

for (const [start, keepCheckpoint] of [
  ["with its checkpoint", true],
  ["without one", false],
] as const)
  test.skipIf(LIBRARY === null)(
    `what a server had of rows but not of aggregates when it died is mended by a start ${start}`,
    async () => {
      const dir = makeDir();
      const wal = writeOrderWal(dir, ORDERS, PER_SECOND);
      const engine = await engineIn(dir);
      let orders = 0;
      const dying: ReturnType<typeof makeRecorder> = makeRecorder(
        dir,
        through(engine.store, async (block, origin) => {
          if (block.table !== "orders" || ++orders !== 3) return;
          await engine.store.command("DETACH TABLE hotlane.order_events_1m_mv");
          await engine.store.insert(block, origin, false);
          await engine.store.command("ATTACH TABLE hotlane.order_events_1m_mv");
          dying.stop();
          throw new Error("the recorder and the server die here");
        }),
      );
      dying.finish();
      expect(await dying.run()).toBe(false);
      const [cut] = await engine.rows(AGGREGATES_AND_ROWS);
      expect(Number(cut!["events"])).toBeLessThan(Number(cut!["orders"]));
      if (!keepCheckpoint) rmSync(join(dir, "checkpoint.json"));
      expect((await recordAll(dir, engine.store)).complete).toBe(true);
      const whole = { orders: String(wal.orderRows), fills: String(wal.fills) };
      expect(await engine.rows(AGGREGATES_AND_ROWS)).toEqual([
        { ...whole, events: whole.orders, fillSum: whole.fills },
      ]);
    },
    60_000,
  );

test.skipIf(LIBRARY === null)(
  "a token that the server knows without having its rows does not cost them",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, 200, PER_SECOND);
    const first = await openEngine(join(dir, "clickhouse"));
    await recordAll(dir, first.store);
    const [part] = await first.rows(
      "SELECT path FROM system.parts WHERE database = 'hotlane' AND table = 'orders' AND active ORDER BY name LIMIT 1",
    );
    await first.close();
    rmSync(part!["path"]!, { recursive: true });
    rmSync(join(dir, "checkpoint.json"));
    const engine = await engineIn(dir);
    expect((await recordAll(dir, engine.store)).complete).toBe(true);
    const whole = { orders: String(wal.orderRows), fills: String(wal.fills) };
    expect(await engine.rows(AGGREGATES_AND_ROWS)).toEqual([
      { ...whole, events: whole.orders, fillSum: whole.fills },
    ]);
  },
  60_000,
);

test.skipIf(LIBRARY === null)(
  "a part that is broken on the disk is named at the next start, and loading everything brings its rows back",
  async () => {
    const dir = makeDir();
    const wal = writeOrderWal(dir, 200, PER_SECOND);
    const before = await openEngine(join(dir, "clickhouse"));
    await recordAll(
      dir,
      through(before.store, () => {}),
    );
    const [part] = await before.rows(
      "SELECT path FROM system.parts WHERE database = 'hotlane' AND table = 'fills' AND active LIMIT 1",
    );
    await before.close();
    for (const file of ["data.bin", "count.txt", "columns.txt"])
      if (existsSync(join(part!["path"]!, file))) writeFileSync(join(part!["path"]!, file), "x");
    const engine = await engineIn(dir);
    const told: string[] = [];
    const load = (more: Partial<RecorderOptions>) =>
      recordAll(
        dir,
        through(engine.store, () => {}),
        { log: (_, text) => told.push(text), ...more },
      );
    await load({});
    expect(told.filter((text) => text.includes("of fills is broken")).length).toBeGreaterThan(0);
    const missing = await engine.rows("SELECT count() AS n FROM hotlane.fills");
    expect(Number(missing[0]!["n"])).toBeLessThan(wal.fills);
    await load({ askAlways: true, checkpointFile: join(dir, "all.json") });
    const whole = await engine.rows(
      "SELECT count() AS n, (SELECT sum(fills) FROM hotlane.fills_1m) AS minutes FROM hotlane.fills",
    );
    expect(whole[0]).toEqual({ n: String(wal.fills), minutes: String(wal.fills) });
  },
  60_000,
);

test("every session of a log is recorded in one go, the last one as far as it is whole", async () => {
  const dir = makeDir();
  const first = writeOrderWal(dir, 300, PER_SECOND);
  const second = writeOrderWal(dir, 200, PER_SECOND, { seed: 2, earlier: first });
  const { complete, figures } = await recordAll(dir, new JsonlStore(join(dir, "jsonl")));
  expect(complete).toBe(true);
  expect(figures.rows["orders"]).toBe(first.orderRows + second.orderRows);
  expect(figures.rows["fills"]).toBe(first.fills + second.fills);
  const sessions = lines(join(dir, "jsonl")).map((line) => JSON.parse(line).session);
  expect([...new Set(sessions)].sort()).toEqual([first.session, second.session].sort());
});

test("damage in the middle of the last segment is told once, and what follows it is recorded", async () => {
  const dir = makeDir();
  const wal = writeOrderWal(dir, 300, PER_SECOND);
  const [segment] = readdirSync(join(dir, "wal")).filter((name) => name.endsWith(".wal"));
  const file = join(dir, "wal", segment!);
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 4;
  writeFileSync(file, bytes);
  const told: string[] = [];
  const { complete, figures } = await recordAll(dir, new JsonlStore(join(dir, "jsonl")), {
    log: (_, text) => told.push(text),
  });
  expect({ complete, damagedBytes: figures.damagedBytes > 0 }).toEqual({
    complete: true,
    damagedBytes: true,
  });
  expect(told.filter((text) => text.includes("checksum does not match"))).toHaveLength(1);
  const positions = lines(join(dir, "jsonl")).map((line) => Number(JSON.parse(line).wal_position));
  expect(Math.max(...positions)).toBeGreaterThan(wal.records * 0.9);
  expect(positions.some((position) => position < wal.records * 0.4)).toBe(true);
});

test("a damaged end of a segment that another one follows is counted: it was whole once", async () => {
  const dir = makeDir();
  const wal = writeOrderWal(dir, 2000, PER_SECOND, { segmentBytes: 1 << 18 });
  const segments = readdirSync(join(dir, "wal"))
    .filter((name) => name.endsWith(".wal"))
    .sort();
  expect(segments.length).toBeGreaterThan(1);
  const file = join(dir, "wal", segments[0]!);
  const bytes = readFileSync(file);
  bytes[bytes.length - 8] = bytes[bytes.length - 8]! ^ 4;
  writeFileSync(file, bytes);
  const { complete, figures } = await recordAll(dir, new JsonlStore(join(dir, "jsonl")));
  expect({ complete, damaged: figures.damagedBytes > 0 }).toEqual({ complete: true, damaged: true });
  expect(figures.rows["orders"]).toBeLessThan(wal.orderRows);
});

test("a full store pauses the recorder with an alarm, and it goes on when there is room", async () => {
  const dir = makeDir();
  writeOrderWal(dir, 500, PER_SECOND);
  let full = true;
  const store = through(new JsonlStore(join(dir, "jsonl")), () => {
    if (full) throw new StoreFullError("disk full");
  });
  const recorder = makeRecorder(dir, store);
  recorder.finish();
  const run = recorder.run();
  while (recorder.figures().state !== "storeFull") await Bun.sleep(5);
  expect(recorder.figures().alarm).toBe("disk full");
  expect(recorder.figures().lagMs).toBeGreaterThan(0);
  full = false;
  expect(await run).toBe(true);
  expect(recorder.figures()).toMatchObject({ state: "done", alarm: "", lagMs: 0 });
});

test("while the disk is low market data is left out with an alarm and everything else is recorded", async () => {
  const dir = makeDir();
  const wal = writeOrderWal(dir, 300, PER_SECOND, { seed: 3, market: true });
  const { figures } = await recordAll(dir, new JsonlStore(join(dir, "jsonl")), { diskLow: () => true });
  expect(figures.rows["market_data"]).toBeUndefined();
  expect(figures.rows["orders"]).toBe(wal.orderRows);
  expect(figures.shedRows).toBe(wal.marketRows);
  expect(figures.alarm).toContain("market rows not recorded");
});

const lines = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => readFileSync(join(dir, name), "utf8").trimEnd().split("\n"));

test("jsonl: kills anywhere between two commits leave the same files as an undisturbed run", async () => {
  const dir = makeDir();
  const wal = writeOrderWal(dir, 1500, PER_SECOND / 2);
  await recordAll(dir, new JsonlStore(join(dir, "whole")), { checkpointFile: join(dir, "whole.json") });
  const wanted = lines(join(dir, "whole"));
  expect(wanted.length).toBe(wal.orderRows + 2 * wal.fills + 1);
  const prng = new Prng(11);
  for (let kill = 0; kill < 8; kill++) {
    let left = prng.nextBelow(6);
    const recorder = makeRecorder(
      dir,
      through(new JsonlStore(join(dir, "killed")), () => {
        // As after kill -9: nothing further is written, not even the checkpoint.
        if (left-- <= 0) return new Promise<never>(() => {});
        return undefined;
      }),
    );
    recorder.finish();
    void recorder.run();
    await Bun.sleep(30);
    recorder.stop();
  }
  expect((await recordAll(dir, new JsonlStore(join(dir, "killed")))).complete).toBe(true);
  expect(lines(join(dir, "killed"))).toEqual(wanted);
}, 30_000);
