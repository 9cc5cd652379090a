// Funding through the whole system: what the venue pays is booked once, for the right instrument, whether somebody
// listened or not. Takes about 12 s: payments in real time.
import { afterAll, expect, test } from "bun:test";
import { PLACE_BID, Stage } from "../simulation/fault-stage.ts";
import { endAll, until, walRows } from "./live-session.ts";
import { e8Of, scaled } from "./venue-oracle.ts";

afterAll(endAll);

const EVERY_MS = 700;

test("payments while we listened, while the stream was cut and while we were dead are each booked once", async () => {
  const stage = await Stage.open(7, ["--funding-ms", String(EVERY_MS), "--funding-rate", "0.0001"]);
  const payments = () => stage.venue.journal().filter((line) => line.k === "funding");
  const paid = async (count: number) => {
    const wanted = payments().length + count;
    await until(`${count} payments`, () => payments().length >= wanted);
  };
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  await stage.fill(50);
  await paid(3);
  await stage.fault({ kind: "stall", route: "private", ms: 3 * EVERY_MS });
  await paid(3);
  await stage.killAndRestart(3 * EVERY_MS);
  await paid(2);
  // The one that is being paid while we look is looked for again.
  await until("the last payment to be booked", async () => {
    const rows = await walRows(stage.live.dir, ["Funding"]);
    return rows.length >= payments().length;
  });
  const { summary } = await stage.live.stop();
  const lines = payments();
  const rows = await walRows(stage.live.dir, ["Funding"]);
  expect(new Set(rows.map((row) => row["transaction"])).size).toBe(rows.length);
  expect(rows.every((row) => row["instrument"] === "ETHUSDT")).toBe(true);
  const booked = lines.slice(0, rows.length).reduce((sum, line) => sum + BigInt(line["amount"]), 0n);
  expect(scaled(summary.pnl["USDT"]!.funding)).toBe(e8Of(booked));
  expect(rows.length).toBeGreaterThanOrEqual(8);
  expect(lines.length - rows.length).toBeLessThanOrEqual(2);
  await stage.venue.stop();
}, 60_000);
