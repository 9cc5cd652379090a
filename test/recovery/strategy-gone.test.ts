// A strategy that is no longer configured: what it holds is house's from the next session on, once, whatever follows.
// About 12 s.
import { afterAll, expect, test } from "bun:test";
import type { PositionView } from "../../src/control/engine-control.ts";
import { endAll, LiveSession, until } from "../e2e/live-session.ts";
import { PLACE_BID, puppetToml, Stage } from "../simulation/fault-stage.ts";

afterAll(endAll);

/** House journals its open positions each second. */
const SNAPSHOT_MS = 1500;

test("its position goes to house once, over three sessions without it", async () => {
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
    stage.live = await LiveSession.start({ dir: stage.live.dir, toml });
    await stage.ready();
    await Bun.sleep(SNAPSHOT_MS);
    expect(await positions()).toEqual([held!.replace("puppet", "house")]);
    expect((await stage.live.stop()).code).toBe(0);
  }
  await stage.venue.stop();
}, 90_000);
