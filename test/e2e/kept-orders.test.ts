// Orders that an orderly end leaves at the venue go on in the next session: they keep their place in the queue, count
// in its limits, and what they trade while nobody watches is booked to their strategy. After a crash nothing goes on.
// The venue's journal is the oracle. About 20 s.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PositionView } from "../../src/control/engine-control.ts";
import { recoverWal } from "../../src/journal/recovery.ts";
import { CANCEL, MOVE, PLACE_BID, Stage } from "../simulation/fault-stage.ts";
import { ctl, endAll, run, until } from "./live-session.ts";
import { openOrders } from "./venue-oracle.ts";

afterAll(endAll);

const WAL = join(import.meta.dir, "../../src/cli/wal.ts");
const REPLAY = join(import.meta.dir, "../../src/cli/replay.ts");

/** Ends the session and keeps its orders; `meanwhile` happens while nothing runs. */
async function keepAndRestart(stage: Stage, meanwhile: () => Promise<unknown>): Promise<void> {
  const { dir } = stage.live;
  expect((await ctl(dir, "shutdown", "--keep", "--why", "a test")).code).toBe(0);
  const { code, err } = await stage.live.end();
  expect({ code, told: err.includes("the next start on this data directory goes on with") }).toEqual({
    ...{ code: 0, told: true },
  });
  const replay = await run(REPLAY, [join(dir, "wal"), "--verify"]);
  expect({ code: replay.code, out: replay.out.trim().split("\n").at(-1) }).toEqual({
    ...{ code: 0, out: "identical" },
  });
  await meanwhile();
  await stage.restart();
}

/** In the store it is one order from its place to its end, over all sessions; no other order stays open there. */
async function expectOneHistory(dir: string, clientId: string): Promise<void> {
  const loaded = await run(WAL, ["load", dir, "--to", "jsonl", "--market", ""]);
  expect({ code: loaded.code, err: loaded.code === 0 ? "" : loaded.err }).toEqual({ code: 0, err: "" });
  const rows = readdirSync(join(dir, "jsonl"))
    .filter((file) => file.startsWith("orders-"))
    .sort()
    .flatMap((file) =>
      readFileSync(join(dir, "jsonl", file), "utf8")
        .trim()
        .split("\n"),
    )
    .map((line) => JSON.parse(line));
  const last = new Map(rows.map((row) => [row.client_order_id, row]));
  expect([...last.values()].map((row) => row.status).sort()).toEqual(["Canceled", "Canceled", "Filled"]);
  expect(last.get(clientId)).toMatchObject({ status: "Canceled", exec_qty: "0.025", strategy_id: "puppet" });
  const names = (id: string) =>
    new Set(rows.filter((r) => r.venue_order_id === id).map((r) => r.client_order_id));
  expect(names(last.get(clientId).venue_order_id)).toEqual(new Set([clientId]));
}

test("a kept order goes on over two restarts, filled in between and moved after; a crash ends it", async () => {
  const stage = await Stage.open(31);
  const journal = () => stage.venue.journal();
  const places = () => journal().filter((l) => l.k === "request" && l["op"] === "order.place").length;
  const shows = async (state: string, execQty: string) => {
    const is = async () => {
      const [order, more] = await stage.orders(true);
      return more === undefined && order?.state === state && order.execQty === execQty;
    };
    await until(`${state} ${execQty}`, is);
    expect((await stage.orders(true))[0]!.strategy).toBe("puppet");
  };
  const held = async () =>
    (await stage.live.get<PositionView[]>("/api/positions")).map((p) => `${p.strategy} ${p.qty}`);

  await stage.tell(PLACE_BID);
  await stage.inState("working");
  const kept = openOrders(journal());
  await keepAndRestart(stage, () => stage.fill(15));
  await shows("partiallyFilled", "0.015");
  expect(await held()).toEqual(["puppet 0.015"]);

  const price = (await stage.orders(true))[0]!.price;
  await stage.tell(MOVE, 100);
  await until("the move", async () => (await stage.orders(true))[0]!.price !== price);
  await keepAndRestart(stage, async () => {});
  await shows("partiallyFilled", "0.015");
  await stage.fill(10);
  await shows("partiallyFilled", "0.025");
  expect(await held()).toEqual(["puppet 0.025"]);
  // One order the whole time.
  expect({ open: openOrders(journal()), places: places() }).toEqual({ open: kept, places: 1 });

  await stage.killAndRestart(100);
  expect(openOrders(journal())).toEqual([]);
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  // Filled to its end while nobody watches.
  await keepAndRestart(stage, () => stage.fill(50));
  await until("the position", async () => (await held()).join() === "puppet 0.075");
  expect(await stage.orders(true)).toEqual([]);
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  await keepAndRestart(stage, async () => {});
  await stage.inState("working");
  await stage.tell(CANCEL);
  await until("its end", async () => openOrders(journal()).length === 0);
  await stage.close();
  expect(recoverWal(join(stage.live.dir, "wal"), { repair: false }).openOrders).toEqual([]);
  await expectOneHistory(stage.live.dir, kept[0]!);
}, 120_000);
