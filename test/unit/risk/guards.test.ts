import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { Ledger } from "../../../src/order/ledger.ts";
import { killWordPath, openKillWord, openKillWordReader } from "../../../src/risk/kill-word.ts";
import {
  LIMIT_DAILY_LOSS,
  LIMIT_OK,
  LIMIT_ORDER_QTY,
  LIMIT_OUT_OF_RANGE,
  LIMIT_POSITION_NOTIONAL,
  LIMIT_UNKNOWN,
  RiskLimits,
} from "../../../src/risk/limits.ts";
import { LOSS_DRAWDOWN, LOSS_HARD, LOSS_NONE, LOSS_SOFT, LossGuard } from "../../../src/risk/loss-guard.ts";
import { MarginAccount } from "../../../src/risk/margin.ts";
import { RejectBreaker, RequestBudget, SlidingCount } from "../../../src/risk/rate.ts";
import {
  STORM_HALT,
  STORM_NORMAL,
  STORM_STORM,
  STORM_WARM,
  StormGuard,
} from "../../../src/risk/storm-guard.ts";
import { KILL_ARMED, KILL_EMERGENCY, KILL_KILLED, SIDE_BUY } from "../../../src/wire/codes.ts";
import { instrument, RISK } from "../strategy/fake-venue.ts";

const SEED = 23;
const S = 1e9;
const DAY = 86_400 * S;

function withDirectory(run: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-kill-"));
  try {
    run(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("the kill word is shared by everyone who maps it, private to its owner, and outlives its process", () => {
  withDirectory((dir) => {
    const word = openKillWord(dir);
    const lane = openKillWordReader(dir);
    expect([word.load(), word.view().reason]).toEqual([KILL_ARMED, ""]);
    expect(statSync(killWordPath(dir)).mode & 0o777).toBe(0o600);
    expect(word.latch(KILL_KILLED, "operator: fat finger", 1_700_000_000_000)).toBe(KILL_KILLED);
    expect(lane.load()).toBe(KILL_KILLED);
    const script = `const { openKillWord } = await import("${join(import.meta.dir, "../../../src/risk/kill-word.ts")}");
      const w = openKillWord("${dir}"); console.log(JSON.stringify(w.view())); w.rearm("checked", 5);`;
    const child = Bun.spawnSync([process.execPath, "-e", script]);
    expect(JSON.parse(child.stdout.toString())).toEqual({
      state: KILL_KILLED,
      reason: "operator: fat finger",
      sinceUnixMs: 1_700_000_000_000,
    });
    expect([lane.load(), word.view().reason]).toEqual([KILL_ARMED, "checked"]);
  });
});

test("emergency may become killed, killed never becomes emergency, the reason stays with its state", () => {
  withDirectory((dir) => {
    const word = openKillWord(dir);
    word.latch(KILL_EMERGENCY, "first", 1);
    expect([word.load(), word.view().reason]).toEqual([KILL_EMERGENCY, "first"]);
    word.latch(KILL_EMERGENCY, "again", 2);
    expect(word.view().reason).toBe("first");
    word.latch(KILL_KILLED, "stronger", 3);
    expect([word.load(), word.view().reason]).toEqual([KILL_KILLED, "stronger"]);
    word.latch(KILL_EMERGENCY, "weaker", 4);
    word.latch(KILL_KILLED, "repeated", 5);
    expect([word.load(), word.view().reason]).toEqual([KILL_KILLED, "stronger"]);
    word.rearm("é".repeat(2000), 6);
    expect(word.view().reason.length).toBeLessThanOrEqual(1024);
  });
});

test("a file that is no kill word is refused by name; an unknown value counts as killed", () => {
  withDirectory((dir) => {
    const path = killWordPath(dir);
    writeFileSync(path, "something else");
    expect(() => openKillWord(dir)).toThrow(`${path}: 14 bytes`);
    writeFileSync(path, Buffer.alloc(4096, 1));
    expect(() => openKillWord(dir)).toThrow("not a kill word");
    rmSync(path);
    const word = openKillWord(dir);
    new Int32Array(Bun.mmap(path, { shared: true }).buffer, 0, 1)[0] = 77;
    expect(word.load()).toBe(KILL_KILLED);
  });
});

test(`a sliding count is never below the true window and at most one bucket above it (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 80 }), (gaps) => {
      const count = new SlidingCount(10, 100);
      const times: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        count.add(now);
        times.push(now);
        const within = (span: number) => times.filter((t) => t > now - span).length;
        expect(count.count(now)).toBeGreaterThanOrEqual(within(1000));
        expect(count.count(now)).toBeLessThanOrEqual(within(1200));
      }
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test(`whatever is placed while the budget has room, every working order can still be cancelled (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.nat(20),
      fc.array(fc.nat(400), { maxLength: 200 }),
      (per, reserve, gaps) => {
        const budget = new RequestBudget(per, 10_000, reserve);
        const sent: number[] = [];
        let working = 0;
        let now = 0;
        for (const gap of gaps) {
          now += gap * 1e6;
          if (budget.room(now, working) < 1) continue;
          budget.orderSent(now);
          sent.push(now);
          working++;
          const recent = sent.filter((t) => t > now - 10 * S).length;
          expect(recent).toBeLessThanOrEqual(per);
          expect(recent + working).toBeLessThanOrEqual(per + reserve);
        }
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});

test("what the venue says of its budget binds until its time has passed", () => {
  const budget = new RequestBudget(100, 1000, 50);
  budget.observe(2, 5 * S);
  expect(budget.room(S, 0)).toBe(2);
  budget.orderSent(S);
  expect(budget.room(S, 0)).toBe(1);
  budget.observe(0, 5 * S);
  expect(budget.room(4 * S, 0)).toBe(0);
  expect(budget.room(5 * S, 0)).toBeGreaterThan(0);
});

test("the breaker opens at its limit, closes after its pause, and counts anew", () => {
  const breaker = new RejectBreaker(3, 10 * S, 5 * S);
  breaker.rejected(S);
  breaker.rejected(2 * S);
  expect(breaker.isOpen(2 * S)).toBe(false);
  breaker.rejected(3 * S);
  expect([breaker.isOpen(3 * S), breaker.isOpen(8 * S - 1), breaker.isOpen(8 * S)]).toEqual([
    true,
    true,
    false,
  ]);
  breaker.rejected(9 * S);
  expect([breaker.isOpen(9 * S), breaker.trips]).toEqual([false, 1]);
  breaker.rejected(30 * S);
  breaker.rejected(31 * S);
  expect(breaker.isOpen(31 * S)).toBe(false);
});

const STORM = { warmLagMs: 250, stormLagMs: 1000, haltLagMs: 5000, holdMs: 1000, baselineMs: 60_000 };

test("the storm guard rises at once, falls one state per hold time of calm, and never flutters", () => {
  const guard = new StormGuard(STORM);
  const lag = (ms: number, now: number) => {
    guard.seen(now - 50e6 - ms * 1e6, now);
    return guard.evaluate(now, false, false);
  };
  lag(0, S);
  expect(guard.state).toBe(STORM_NORMAL);
  expect(lag(300, 1.1 * S)).toBe(true);
  expect(guard.state).toBe(STORM_WARM);
  lag(6000, 1.2 * S);
  expect(guard.state).toBe(STORM_HALT);
  const seen: number[] = [];
  for (let t = 13; t < 60; t++) {
    lag(0, (t / 10) * S);
    if (seen.at(-1) !== guard.state) seen.push(guard.state);
  }
  expect(seen).toEqual([STORM_HALT, STORM_STORM, STORM_WARM, STORM_NORMAL]);
  expect(guard.evaluate(7 * S, true, false)).toBe(true);
  expect(guard.state).toBe(STORM_STORM);
});

test("a clock that is set back halts for one to two baselines, not for ever; set forward it changes nothing", () => {
  const guard = new StormGuard(STORM);
  const halted = (offsetMs: number, from: number, to: number) => {
    let last = Number.NaN;
    for (let t = from; t < to; t++) {
      guard.seen(t * S - 50e6 + offsetMs * 1e6, t * S);
      guard.evaluate(t * S, false, false);
      if (guard.state === STORM_HALT) last = t;
    }
    return last;
  };
  expect(halted(0, 1, 200)).toBeNaN();
  // The venue's clock is set back by 8 s: its stamps are 8 s older.
  expect(halted(-8000, 200, 500) - 200).toBeWithin(
    STORM.baselineMs / 1000,
    (2 * STORM.baselineMs) / 1000 + 3,
  );
  expect(guard.state).toBe(STORM_NORMAL);
  expect(halted(9000, 500, 900)).toBeNaN();
  expect(guard.state).toBe(STORM_NORMAL);
});

test("delay within the window stays measured from the least delay, by a naive look at all of it (seed 23)", () => {
  const prng = new Prng(23);
  const guard = new StormGuard({ ...STORM, holdMs: 0 });
  const lags: { t: number; lag: number }[] = [];
  for (let t = 1; t < 2000; t++) {
    const lag = (prng.nextBelow(40) === 0 ? 3000 : 0) + prng.nextBelow(200) + Math.floor(t / 400) * 500;
    lags.push({ t, lag });
    guard.seen(t * S - lag * 1e6, t * S);
    const delay = guard.lagNs / 1e6;
    const least = (windows: number) =>
      Math.min(...lags.filter((l) => t - l.t <= (windows * STORM.baselineMs) / 1000).map((l) => l.lag));
    expect(delay).toBeWithin(lag - least(1) - 0.001, lag - least(2) + 0.001);
    guard.evaluate(t * S, false, false);
  }
});

function newLimits(): RiskLimits {
  return new RiskLimits(
    RISK,
    [undefined, instrument(1), instrument(2, { lotSize: "0.01" })],
    [undefined, { name: "a", limits: { max_order_qty: "0.5", max_working_orders: 3 } }],
  );
}

test("limits are held in the gate's units, rounded down, and change only within their range", () => {
  const limits = newLimits();
  const pair = limits.instruments + 1;
  expect(limits.positionTickLots[pair]).toBe(200_000 * 10_000);
  expect(limits.positionTickLots[pair + 1]).toBe(200_000 * 1000);
  expect([limits.orderLots[pair], limits.orderLots[pair + 1]]).toEqual([500, 50]);
  expect(limits.strategyWorking[1]).toBe(3);
  expect(limits.setStrategyLimit(1, LIMIT_POSITION_NOTIONAL, 19_999)).toBe(LIMIT_OK);
  expect(limits.positionTickLots[pair]).toBe(1);
  expect(limits.setStrategyLimit(1, LIMIT_ORDER_QTY, 150_000)).toBe(LIMIT_OK);
  expect(limits.orderLots[pair]).toBe(1);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 60])
    expect(limits.setStrategyLimit(1, LIMIT_DAILY_LOSS, bad)).toBe(LIMIT_OUT_OF_RANGE);
  expect(limits.setStrategyLimit(1, 99, 1)).toBe(LIMIT_UNKNOWN);
  expect(limits.setStrategyLimit(0, LIMIT_DAILY_LOSS, 1)).toBe(LIMIT_UNKNOWN);
  expect(limits.strategyLimit(1, LIMIT_POSITION_NOTIONAL)).toBe(19_999);
});

test("wrong limits are all named at once", () => {
  const make = () =>
    new RiskLimits(
      RISK,
      [undefined, instrument(1)],
      [undefined, { name: "a", limits: { nonsense: 1, daily_loss: "-5" } }],
    );
  expect(make).toThrow("strategy a: limits.nonsense = 1: expected max_order_notional");
  expect(make).toThrow("strategy a: limits.daily_loss = -5: expected a number ≥ 0");
});

test("losses step from none to soft to hard; soft ends with the day, drawdown runs from the peak", () => {
  const limits = newLimits();
  limits.dailyLossSoftE8 = 100;
  limits.dailyLossHardE8 = 200;
  limits.maxDrawdownE8 = 1000;
  limits.setStrategyLimit(1, LIMIT_DAILY_LOSS, 50);
  const guard = new LossGuard(limits, 60);
  const ledger = new Ledger(2, [undefined, { feeScale: 1e4, unitE8: 1e4, settleAsset: 1, inverse: 0 }]);
  const at = (result: number, now: number) => {
    ledger.accountResultE8 = result;
    ledger.strategyResultE8[1] = result;
    guard.update(ledger, now);
    return guard.level;
  };
  expect(at(1000, DAY / 2)).toBe(LOSS_NONE);
  expect([at(960, DAY / 2), guard.strategyHit[1]]).toEqual([LOSS_NONE, 0]);
  expect([at(899, DAY / 2), guard.strategyHit[1]]).toEqual([LOSS_SOFT, 1]);
  expect(at(1000, DAY / 2)).toBe(LOSS_SOFT);
  // The day ends 60 minutes after 00:00 UTC.
  expect(at(899, DAY + 3599 * S)).toBe(LOSS_SOFT);
  expect([at(899, DAY + 3600 * S), guard.strategyHit[1]]).toEqual([LOSS_NONE, 0]);
  expect(at(690, DAY + 3601 * S)).toBe(LOSS_HARD);
  expect(at(-1, DAY + 3601 * S)).toBe(LOSS_DRAWDOWN);
  guard.rearm(ledger);
  expect(at(-1, DAY + 3602 * S)).toBe(LOSS_NONE);
  const next = new LossGuard(limits, 60);
  next.restoreDay(DAY + 3603 * S, guard.dayStartE8, guard.peakE8, guard.level);
  ledger.accountResultE8 = -150;
  next.update(ledger, DAY + 3603 * S);
  expect(next.level).toBe(LOSS_SOFT);
});

test("after a restart figures wait for the marks of positions, at most 10 s; the peak outlives the day, its start not", () => {
  const limits = newLimits();
  limits.dailyLossSoftE8 = 100;
  limits.maxDrawdownE8 = 1000;
  const guard = new LossGuard(limits, 0);
  guard.restoreDay(-S, 500, 900, LOSS_SOFT);
  guard.restoreStrategy(1, 500, 1);
  const ledger = new Ledger(2, [undefined, { feeScale: 1e4, unitE8: 1e4, settleAsset: 1, inverse: 0 }]);
  ledger.book(1, 1, SIDE_BUY, 1000, 1, false);
  // Without its mark the position seems to have gained what it did not.
  ledger.accountResultE8 = 5000;
  guard.update(ledger, S);
  expect([guard.level, guard.peakE8, guard.strategyHit[1]]).toEqual([LOSS_SOFT, 900, 1]);
  ledger.markTicks[1] = 1000;
  ledger.accountResultE8 = 450;
  // Yesterday's figures: a new day begins, the fall from the peak goes on.
  guard.update(ledger, 2 * S);
  expect([guard.level, guard.dayStartE8, guard.peakE8, guard.strategyHit[1]]).toEqual([
    LOSS_NONE,
    450,
    900,
    0,
  ]);
  ledger.accountResultE8 = -101;
  guard.update(ledger, 3 * S);
  expect(guard.level).toBe(LOSS_DRAWDOWN);
  const silent = new LossGuard(limits, 0);
  silent.restoreDay(S, 0, 0, LOSS_NONE);
  ledger.markTicks[1] = Number.NaN;
  silent.update(ledger, 2 * S);
  expect(silent.level).toBe(LOSS_NONE);
  silent.update(ledger, 12 * S);
  expect(silent.level).toBe(LOSS_SOFT);
});

test("equity is the wallet, what was booked since it was stated, and the unrealised result", () => {
  const margin = new MarginAccount(0.005);
  const ledger = new Ledger(2, [undefined, { feeScale: 1e4, unitE8: 1e4, settleAsset: 1, inverse: 0 }]);
  expect(margin.equityE8(ledger)).toBeNaN();
  ledger.book(1, 1, SIDE_BUY, 1000, 10, true);
  ledger.markTicks[1] = 1010;
  ledger.refresh();
  margin.observe(5e8, ledger);
  expect(margin.equityE8(ledger)).toBe(5e8 + 100 * 1e4);
  ledger.bookFee(1, 1, 1, 700);
  ledger.markTicks[1] = 990;
  ledger.refresh();
  expect(margin.equityE8(ledger)).toBe(5e8 - 100 * 1e4 - 700);
  expect(margin.freeE8(ledger, 5e6)).toBe(margin.equityE8(ledger) - 5e6);
  expect(margin.liquidationDistance(ledger, 1e9)).toBeCloseTo(margin.equityE8(ledger) / 1e9 - 0.005, 12);
  expect(margin.ratio(ledger, 0)).toBe(Number.POSITIVE_INFINITY);
});
