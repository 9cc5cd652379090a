import { expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account } from "../../../../src/venue/sim/account.ts";
import { Journal } from "../../../../src/venue/sim/journal.ts";
import { replayJournal } from "../../../../src/venue/sim/journal-replay.ts";
import { OrderStore } from "../../../../src/venue/sim/order-store.ts";
import { BTCUSDT } from "../../../../src/venue/sim/symbol-spec.ts";
import { VenueClock } from "../../../../src/venue/sim/venue-clock.ts";

const OPTIONS = { startingBalanceE8: 1_000n, leverage: 20, feeAsset: null, makerFeeE8: 0, takerFeeE8: 0 };
const fresh = () => new Account(OPTIONS, new Map([["BTCUSDT", BTCUSDT]]), () => 0n);

function scratch(run: (path: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "venue-journal-"));
  try {
    run(join(dir, "deep", "journal.jsonl"));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const deposit = (wallet: number, tx: number) => ({ amount: "1", wallet: String(wallet), tx });

test("a line torn by a kill is cut, what stands before it counts, and the counter goes on", () => {
  scratch((path) => {
    const clock = new VenueClock();
    const first = new Journal(path, clock, "flush");
    first.write("deposit", deposit(2_000, 1));
    first.write("deposit", deposit(3_000, 2));
    first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    appendFileSync(path, '{"k":"deposit","n":3,"wal');
    const account = fresh();
    const replayed = replayJournal(path, account, new OrderStore());
    expect([account.walletE8, account.lastTransaction, replayed.counter]).toEqual([3_000n, 2, 2]);
    const second = new Journal(path, clock, "none");
    second.continueFrom(replayed.counter);
    second.write("stop", {});
    second.close();
    const lines = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((l) => JSON.parse(l));
    expect(lines.map((l) => l.n)).toEqual([1, 2, 3]);
    expect(lines.every((l) => l.mono > 0 && l.ms > 1.7e12)).toBe(true);
  });
});

test("a damaged line in the middle is an error that names file and line", () => {
  scratch((path) => {
    const journal = new Journal(path, new VenueClock(), "interval");
    journal.write("deposit", deposit(2_000, 1));
    journal.close();
    writeFileSync(path, `${readFileSync(path, "utf8")}nonsense\n{"k":"stop","n":2,"ms":1}\n`);
    expect(() => replayJournal(path, fresh(), new OrderStore())).toThrow(`${path}:2: not a journal line`);
  });
});

test("fills of a symbol that is not listed are refused with what to do", () => {
  scratch((path) => {
    const journal = new Journal(path, new VenueClock(), "none");
    journal.write("fill", { s: "SOLUSDT" });
    journal.close();
    expect(() => replayJournal(path, fresh(), new OrderStore())).toThrow("add it with --symbols");
  });
});

test("no file: an empty account and nothing written", () => {
  const journal = new Journal(null, new VenueClock(), "none");
  journal.write("deposit", deposit(1, 1));
  journal.close();
  expect(replayJournal("/nonexistent/journal", fresh(), new OrderStore())).toEqual({ counter: 0, lines: 0 });
});

test("a full disk is told once, and nothing is flushed after it", () => {
  const told: string[] = [];
  const journal = new Journal("/dev/full", new VenueClock(), "none", (error) => told.push(error.message));
  journal.write("stop", {});
  expect(() => journal.flush()).toThrow("/dev/full: the journal cannot be written: ENOSPC");
  expect(() => journal.flush()).toThrow("cannot be written");
  expect(told.length).toBe(1);
});
