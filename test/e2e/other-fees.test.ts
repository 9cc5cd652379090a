// Fees in a coin of the venue's own until it is used up, then in the settlement currency: through ledger, WAL, results,
// metrics and store, live, over a kill and for what traded while nobody listened. The venue's journal is the oracle.
// About 10 s.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PnlView } from "../../src/control/engine-control.ts";
import { PLACE_BID, Stage, TAKE } from "../simulation/fault-stage.ts";
import { expectSameAccount } from "./live-checks.ts";
import { endAll, run, until, walRows } from "./live-session.ts";
import { e8Of, type JournalLine, otherFees, scaled } from "./venue-oracle.ts";

afterAll(endAll);

const WAL = join(import.meta.dir, "../../src/cli/wal.ts");
/** A maker fill of 10 lots costs about 0.0000088 of it, a taker's of 50 about 0.00011: enough for some of them. */
const COIN = ["--fee-asset", "BNB", "--fee-asset-price", "603.7", "--fee-asset-balance", "0.000145"];

test("each fee is booked once in the asset that paid it, and a restart keeps the sums", async () => {
  const stage = await Stage.open(41, COIN);
  const fills = () => stage.venue.journal().filter((line) => line.k === "fill");
  const booked = async (asset: string) => {
    const rows = await stage.live.get<PnlView[]>("/api/pnl");
    return scaled(rows.find((row) => row.currency === asset)?.fees ?? "0");
  };
  const paid = () => e8Of(otherFees(stage.venue.journal()).get("BNB") ?? 0n);
  const same = () => until("the fees", async () => (await booked("BNB")) === paid());

  await stage.tell(PLACE_BID);
  await stage.inState("working");
  await stage.fill(10);
  await until("a fill", () => fills().length === 1);
  await same();
  const text = await stage.live.text("/metrics");
  const metric = Number(/^hotlane_pnl\{[^}]*currency="BNB"[^}]*part="fees"[^}]*\} (\S+)/m.exec(text)?.[1]);
  expect(metric).toBeCloseTo(Number(paid()) / 1e20, 8);

  await stage.killAndRestart(0);
  await same();
  await stage.tell(PLACE_BID);
  await stage.inState("working");
  stage.live.signal("SIGKILL");
  await stage.live.end();
  await stage.fill(10);
  await stage.fill(10);
  await stage.killAndRestart(0);
  await same();
  // The coin runs out somewhere here.
  await stage.tell(TAKE, 500);
  await until("a taker's fill", () => fills().some((line) => line["m"] === false));
  await stage.tell(TAKE, 500);
  await until("fees in both", () => fills().some((line) => line["feeAsset"] === "USDT"));
  await same();

  const { dir } = stage.live;
  const { summary, code } = await stage.live.stop();
  expect(code).toBe(0);
  const lines = stage.venue.journal();
  await stage.venue.stop();
  expectSameAccount(summary, lines, ["house", "puppet"]);
  expect(scaled(summary.pnl["BNB"]!.fees)).toBe(paid());
  expect(paid()).toBeGreaterThan(0n);
  expect(await feesInWal(dir)).toEqual(feesAtVenue(lines));
  expect(await feesInStore(dir)).toEqual(feesAtVenue(lines));
}, 90_000);

const feesAtVenue = (lines: readonly JournalLine[]): string[] =>
  lines
    .filter((line) => line.k === "fill")
    .map((line) => `${line["id"]} ${line["feeAsset"]} ${e8Of(BigInt(line["fee"]))}`)
    .sort();

async function feesInWal(dir: string): Promise<string[]> {
  const rows = await walRows(dir, ["Fill", "FillDetail"]);
  return rows
    .flatMap((row, k) =>
      row.kind === "Fill" ? `${row["tradeId"]} ${row["feeAsset"]} ${scaled(rows[k + 1]!["fee"])}` : [],
    )
    .sort();
}

async function feesInStore(dir: string): Promise<string[]> {
  const loaded = await run(WAL, ["load", dir, "--to", "jsonl", "--market", ""]);
  expect({ code: loaded.code, err: loaded.code === 0 ? "" : loaded.err }).toEqual({ code: 0, err: "" });
  return readdirSync(join(dir, "jsonl"))
    .filter((file) => file.startsWith("fills-"))
    .flatMap((file) =>
      readFileSync(join(dir, "jsonl", file), "utf8")
        .trim()
        .split("\n"),
    )
    .map((line) => JSON.parse(line))
    .map((row) => `${row.fill_id} ${row.fee_asset} ${scaled(row.fee)}`)
    .sort();
}
