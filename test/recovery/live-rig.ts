// What every recovery test ends in: one more session on the data directory, a clean end, and an account equal to
// the venue's journal: no fill missing or doubled, no order unaccounted for.
import { expect } from "bun:test";
import { join } from "node:path";
import { recoverWal } from "../../src/journal/recovery.ts";
import { expectFillsOnce, expectSameAccount } from "../e2e/live-checks.ts";
import { type LiveOptions, LiveSession, until } from "../e2e/live-session.ts";
import { type JournalLine, nonceOf, openOrders } from "../e2e/venue-oracle.ts";

/** How often each kind of break is made; more on demand (`bun run test:kill`). */
export const BREAKS = Number(process.env["HOTLANE_KILLS"] ?? 5);
export const SEED = Number(process.env["HOTLANE_SEED"] ?? 20261121);
export const PER_BREAK_MS = 8_000;
export const REST_MS = 30_000;
const LAST_LIFE_MS = 1_500;
const READY_MS = 20_000;

export async function expectWholeAccount(options: LiveOptions, journal: () => JournalLine[]): Promise<void> {
  const last = await LiveSession.start(options);
  await until("reconciliation", async () => (await last.get<{ ready: boolean }>("/health")).ready, READY_MS);
  await Bun.sleep(LAST_LIFE_MS);
  const { code, summary, err } = await last.stop();
  expect({ code, end: summary.end, err: code === 0 ? "" : err }).toEqual({ code: 0, end: "clean", err: "" });
  const lines = journal();
  expectSameAccount(summary, lines);
  await expectFillsOnce(options.dir, lines);
  expect(openOrders(lines)).toEqual([]);
  expect(journalledAsOpen(options.dir, lines)).toEqual([]);
  expect(sessionsOf(lines)).toBeGreaterThan(1);
  const asked = lines.filter((line) => line.k === "request" && line["op"] === "order.place");
  const ids = new Set(asked.map((line) => line["params"].newClientOrderId));
  expect(ids.size).toBe(asked.length);
}

/** Orders that the WAL holds as open and the venue has heard of: their end must have been journalled. */
function journalledAsOpen(dir: string, lines: readonly JournalLine[]): string[] {
  const heard = new Set(
    lines.filter((line) => line.k === "order").map((line) => line["c"].split("-").toSpliced(1, 1).join("-")),
  );
  return recoverWal(join(dir, "wal"), { repair: false })
    .openOrders.map((o) => `h${o.nonce.toString(36).padStart(11, "0")}-${o.clientSeq.toString(36)}`)
    .filter((id) => heard.has(id));
}

const sessionsOf = (lines: readonly JournalLine[]): number =>
  new Set(lines.filter((line) => line.k === "order").map((line) => nonceOf(line["c"]))).size;
