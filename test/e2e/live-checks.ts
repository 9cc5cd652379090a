// A session's summary and WAL against the venue's journal: everything that must be equal, exactly.
import { expect } from "bun:test";
import type { SessionSummary } from "../../src/engine/summary.ts";
import { walRows } from "./live-session.ts";
import { e8Of, type Holding, holdings, type JournalLine, lotsOf, moneyOf, scaled } from "./venue-oracle.ts";

export const STRATEGIES = ["house", "obi-mm", "tick-mm"];

const NOTHING = { lots: 0n, cost: 0n, realized: 0n, feesE8: 0n };

/** Positions, realised results and fees, per strategy, house included. `lines`: all sessions. */
export function expectSameAccount(
  summary: SessionSummary,
  lines: readonly JournalLine[],
  strategies: readonly string[] = STRATEGIES,
): void {
  const wanted = holdings(lines);
  const shown = new Map(summary.positions.map((p) => [`${strategies.indexOf(p.strategy)} ${p.symbol}`, p]));
  for (const key of new Set([...wanted.keys(), ...shown.keys()])) {
    const symbol = key.split(" ")[1]!;
    const held = wanted.get(key) ?? NOTHING;
    const position = shown.get(key);
    const got = { key, lots: scaled(position?.qty ?? "0"), realized: scaled(position?.realized ?? "0") };
    expect(got).toEqual({ key, lots: lotsOf(symbol, held.lots), realized: moneyOf(symbol, held.realized) });
  }
  const all = [...wanted.values()];
  const total = (of: (h: Holding) => bigint) => all.reduce((sum, h) => sum + of(h), 0n);
  const pnl = summary.pnl["USDT"] ?? { realized: "0", fees: "0" };
  expect(scaled(pnl.fees), JSON.stringify(summary)).toBe(e8Of(total((h) => h.feesE8)));
  expect(scaled(pnl.realized)).toBe(total((h) => moneyOf(h.symbol, h.realized)));
}

/** Every fill of the venue stands in the WAL exactly once, with its order, price, quantity, side and fee. */
export async function expectFillsOnce(dir: string, lines: readonly JournalLine[]): Promise<void> {
  const rows = await walRows(dir, ["Fill", "FillDetail"]);
  const got = rows
    .filter((row) => row.kind === "Fill")
    .map((row) => `${row["instrument"]} ${row["tradeId"]} ${row["side"]} ${row["maker"]}`);
  const wanted = lines
    .filter((line) => line.k === "fill")
    .map((line) => `${line["s"]} ${line["id"]} ${line["side"] > 0 ? "buy" : "sell"} ${line["m"]}`);
  expect(got.sort()).toEqual(wanted.sort());
}
