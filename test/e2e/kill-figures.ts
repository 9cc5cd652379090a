// How long a kill takes: from the store of the word to the last cancel in the venue's journal. HOTLANE_KILLS says how
// often it is tried.
import { monotonicNs } from "../../ffi/host.ts";
import { openKillWord } from "../../src/risk/kill-word.ts";
import { KILL_KILLED } from "../../src/wire/codes.ts";
import { until } from "./live-session.ts";
import { type JournalLine, openOrders } from "./venue-oracle.ts";

export const KILL_TRIES = Number(process.env["HOTLANE_KILLS"] ?? 5);

type Journal = () => readonly JournalLine[];

export interface KillFigures {
  /** ms to the last cancel. */
  readonly cancelMs: number;
  /** ms to the last place that still arrived; 0 = none did. */
  readonly placeMs: number;
}

/** Kills while orders work, by the word itself, and waits until none is open. */
export async function killOnce(dir: string, journal: Journal): Promise<KillFigures> {
  await until("working orders", () => openOrders(journal()).length > 0);
  const before = journal().length;
  const word = openKillWord(dir);
  const storedNs = monotonicNs();
  word.latch(KILL_KILLED, "test: kill", Date.now());
  // Looking at the journal takes the processor that the kill needs.
  await Bun.sleep(200);
  await until("no open order", () => openOrders(journal()).length === 0);
  await Bun.sleep(100);
  const after = journal().slice(before);
  const last = (is: (line: JournalLine) => boolean) => (after.findLast(is)?.mono ?? storedNs) - storedNs;
  const cancelMs = last((line) => line.k === "order" && line["X"] === "CANCELED") / 1e6;
  const placeMs = last((line) => line["op"] === "order.place") / 1e6;
  return { cancelMs, placeMs };
}

export function printKills(what: string, figures: readonly KillFigures[]): void {
  const cancels = figures.map((f) => f.cancelMs).sort((a, b) => a - b);
  const ms = (share: number) =>
    `${cancels[Math.min(cancels.length - 1, Math.floor(share * cancels.length))]!.toFixed(1)} ms`;
  const lastPlace = Math.max(...figures.map((f) => f.placeMs));
  console.log(
    `kill word → last cancel at the venue, ${what}, ${figures.length} tries: p50 ${ms(0.5)}, p90 ${ms(0.9)}, p99 ${ms(0.99)}, max ${ms(1)}; last place after ${lastPlace.toFixed(1)} ms`,
  );
}
