// What sessions take over of earlier ones when those are no longer what they were: a strategy is not configured any
// more, the segments of its sessions were given up. About 20 s.
import { afterAll, expect, test } from "bun:test";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import type { PnlView, PositionView } from "../../src/control/engine-control.ts";
import { listSegments } from "../../src/journal/wal-reader.ts";
import { endAll, until } from "../e2e/live-session.ts";
import { PLACE_ASK, PLACE_BID, puppetToml, Stage } from "../simulation/fault-stage.ts";

afterAll(endAll);

/** House journals its open positions each second. */
const SNAPSHOT_MS = 1500;

test("what a strategy held that is gone goes to house once, over three sessions without it", async () => {
  const stage = await Stage.open(53);
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  await stage.fill(50);
  const positions = async () =>
    (await stage.live.get<PositionView[]>("/api/positions")).map((p) => `${p.strategy} ${p.qty} ${p.fees}`);
  await until("the position", async () => (await positions()).length === 1);
  const [held] = await positions();
  expect((await stage.live.stop()).code).toBe(0);
  const toml = puppetToml(stage.venue).replace('name = "puppet"', 'name = "heir"');
  for (let session = 0; session < 3; session++) {
    await stage.restart(toml);
    await Bun.sleep(SNAPSHOT_MS);
    expect(await positions()).toEqual([held!.replace("puppet", "house")]);
    expect((await stage.live.stop()).code).toBe(0);
  }
  await stage.venue.stop();
}, 90_000);

/** Segments of all sessions but the newest, as `recorder.wal_keep_hours` gives them up. */
function giveUpOldSegments(dir: string): number {
  const segments = listSegments(join(dir, "wal"));
  const newest = segments.at(-1)!.session;
  const old = segments.filter((segment) => segment.session !== newest);
  for (const { file } of old) unlinkSync(file);
  return old.length;
}

test("results, fees, funding and fees in other assets outlive the segments of the sessions that made them", async () => {
  const coin = ["--fee-asset", "BNB", "--fee-asset-balance", "0.00001"];
  const stage = await Stage.open(59, [...coin, "--funding-ms", "700", "--funding-rate", "0.001"]);
  const pnl = async () => (await stage.live.get<PnlView[]>("/api/pnl")).map(({ net: _, ...sums }) => sums);
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  await stage.fill(10);
  await stage.fill(40);
  await until("funding", async () => (await pnl()).some((row) => row.funding !== "0"));
  await stage.tell(PLACE_ASK);
  await stage.inState("working");
  await stage.fill(50);
  await until(
    "a flat book",
    async () => (await stage.live.get<PositionView[]>("/api/positions"))[0]!.qty === "0",
  );
  expect((await stage.live.stop()).code).toBe(0);
  await stage.restart();
  const before = await pnl();
  expect(before.find((row) => row.currency === "USDT")!.realized).not.toBe("0");
  expect(before.map((row) => row.currency).sort()).toEqual(["BNB", "USDT"]);
  for (let session = 0; session < 2; session++) {
    expect((await stage.live.stop()).code).toBe(0);
    expect(giveUpOldSegments(stage.live.dir)).toBeGreaterThan(0);
    await stage.restart();
    await Bun.sleep(SNAPSHOT_MS);
    expect(await pnl()).toEqual(before);
  }
  await stage.live.stop();
  await stage.venue.stop();
}, 90_000);
