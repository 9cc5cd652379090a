// What a restart takes over of limits and results, as RiskState records: written when it changes, read back at the
// next start. Fills and positions stand in records of their own; rates and rejects follow from OrderSent and
// OrderReport. Hot: execution lane; 0 bytes; per timer O(strategies + instruments).
//
// The day's figures move with every mark: at most one record a second, so that a kill -9 forgets at most a second of
// a new peak. Everything else is written when it happens.
import type { TwoLimbSums } from "../core/two-limb.ts";
import { HOUSE } from "../order/ledger.ts";
import {
  RISK_STATE_BREAKER,
  RISK_STATE_DAY,
  RISK_STATE_FUNDING,
  RISK_STATE_OTHER_FEES,
  RISK_STATE_STORM,
  RISK_STATE_STRATEGY_DAY,
  RISK_STATE_UNASSIGNED_FUNDING,
} from "../wire/codes.ts";
import { FLAG_SNAPSHOT } from "../wire/messages.gen.ts";
import type { ExecutionParts } from "./execution-parts.ts";

const DAY_EVERY_NS = 1e9;
const f64 = (n: number): Float64Array => new Float64Array(new ArrayBuffer(Math.max(n * 8, 4096)));

const isSome = (sums: TwoLimbSums, slot: number): boolean => sums.hi[slot] !== 0 || sums.lo[slot] !== 0;

export class CarryJournal {
  private readonly parts: ExecutionParts;
  private dayNs: number;
  private dayStart: number;
  private peak: number;
  private level: number;
  private storm: number;
  private breakerOpen: boolean;
  private readonly strategyStart: Float64Array;
  private readonly strategyHit: Uint8Array;

  constructor(parts: ExecutionParts) {
    this.parts = parts;
    this.dayNs = Number.NEGATIVE_INFINITY;
    this.dayStart = Number.NaN;
    this.peak = Number.NaN;
    this.level = parts.loss.level;
    this.storm = parts.storm.state;
    this.breakerOpen = false;
    this.strategyStart = f64(parts.strategyCount).fill(Number.NaN);
    this.strategyHit = new Uint8Array(new ArrayBuffer(Math.max(parts.strategyCount, 4096)));
  }

  /**
   * Once, at the first timer: sums that earlier sessions left and that nothing may ever move again, so that a log
   * whose old segments were given up still tells them.
   */
  open(nowNs: number): void {
    const { ledger, outputs } = this.parts;
    const { realized, fees, funding, otherFees, unassignedFunding } = ledger;
    if (isSome(unassignedFunding, 0)) this.fundingBooked(HOUSE, 0);
    for (let s = HOUSE; s < this.parts.strategyCount; s++) {
      for (let i = 1; i < this.parts.instrumentCount; i++) {
        const pair = ledger.pair(s, i);
        if (isSome(realized, pair) || isSome(fees, pair))
          outputs.position(ledger, s, i, 0, nowNs, FLAG_SNAPSHOT);
        if (isSome(funding, pair)) this.fundingBooked(s, i);
      }
      for (let asset = 0; asset < this.parts.options.assets.length; asset++)
        if (isSome(otherFees, ledger.otherFeeSlot(s, asset))) this.otherFeeBooked(s, asset);
    }
  }

  /** At each timer, after the guards have looked. */
  note(nowNs: number): void {
    this.noteStorm();
    this.noteBreaker(nowNs);
    const { loss } = this.parts;
    if (!loss.started) return;
    const moved = loss.dayStartE8 !== this.dayStart || loss.peakE8 !== this.peak;
    if (loss.level !== this.level || (moved && nowNs - this.dayNs >= DAY_EVERY_NS)) this.noteDay(nowNs);
    for (let s = HOUSE + 1; s < this.parts.strategyCount; s++) this.noteStrategy(s);
  }

  /** A funding payment was booked to the pair; instrument 0 = to nobody. */
  fundingBooked(strategy: number, instrument: number): void {
    const { ledger } = this.parts;
    if (instrument === 0) {
      const { hi, lo } = ledger.unassignedFunding;
      this.write(HOUSE, 0, RISK_STATE_UNASSIGNED_FUNDING, 0, hi[0], lo[0], 0);
      return;
    }
    const pair = ledger.pair(strategy, instrument);
    const { hi, lo } = ledger.funding;
    this.write(strategy, instrument, RISK_STATE_FUNDING, 0, hi[pair], lo[pair], 0);
  }

  /** A fee was paid in another asset than the instrument settles in. */
  otherFeeBooked(strategy: number, asset: number): void {
    const { ledger } = this.parts;
    const slot = ledger.otherFeeSlot(strategy, asset);
    const { hi, lo } = ledger.otherFees;
    this.write(strategy, 0, RISK_STATE_OTHER_FEES, asset, hi[slot], lo[slot], 0);
  }

  private noteDay(nowNs: number): void {
    const { loss } = this.parts;
    this.dayNs = nowNs;
    this.dayStart = loss.dayStartE8;
    this.peak = loss.peakE8;
    this.level = loss.level;
    this.write(HOUSE, 0, RISK_STATE_DAY, 0, this.dayStart, this.peak, this.level);
  }

  private noteStrategy(strategy: number): void {
    const { loss } = this.parts;
    const start = loss.strategyStartE8[strategy];
    const hit = loss.strategyHit[strategy];
    if (start === this.strategyStart[strategy] && hit === this.strategyHit[strategy]) return;
    this.strategyStart[strategy] = start;
    this.strategyHit[strategy] = hit;
    this.write(strategy, 0, RISK_STATE_STRATEGY_DAY, 0, start, hit, 0);
  }

  private noteStorm(): void {
    const { storm } = this.parts;
    if (storm.state === this.storm) return;
    this.write(HOUSE, 0, RISK_STATE_STORM, 0, storm.state, this.storm, storm.calledByNs);
    this.storm = storm.state;
  }

  private noteBreaker(nowNs: number): void {
    const { breaker } = this.parts;
    const open = breaker.isOpen(nowNs);
    if (open === this.breakerOpen) return;
    this.breakerOpen = open;
    this.write(HOUSE, 0, RISK_STATE_BREAKER, 0, open ? 1 : 0, breaker.openUntil, breaker.trips);
  }

  private write(
    strategy: number,
    instrument: number,
    code: number,
    index: number,
    value0: number,
    value1: number,
    value2: number,
  ): void {
    const { outputs, desk } = this.parts;
    outputs.riskState(strategy, instrument, code, index, value0, value1, value2, desk.nowNs);
  }
}

/** A RiskState of an earlier session in the numbers and the time of this one. */
export interface CarriedState {
  readonly code: number;
  readonly strategy: number;
  readonly instrument: number;
  readonly index: number;
  readonly value0: number;
  readonly value1: number;
  readonly value2: number;
  /** When it was written, ns of this session (negative before its first day). */
  readonly tsNs: number;
}

/** Cold: before the first record of a session. */
export function restoreCarried(parts: ExecutionParts, states: readonly CarriedState[]): void {
  const { ledger, loss, storm, breaker } = parts;
  for (const { code, strategy, instrument, index, value0, value1, value2, tsNs } of states) {
    switch (code) {
      case RISK_STATE_DAY:
        loss.restoreDay(tsNs, value0, value1, value2);
        break;
      case RISK_STATE_STRATEGY_DAY:
        loss.restoreStrategy(strategy, value0, value1);
        break;
      case RISK_STATE_STORM:
        storm.state = value0;
        break;
      case RISK_STATE_BREAKER:
        breaker.restore(value1, value2);
        break;
      case RISK_STATE_FUNDING:
        ledger.funding.addLimbs(ledger.pair(strategy, instrument), value0, value1);
        break;
      case RISK_STATE_OTHER_FEES:
        ledger.otherFees.addLimbs(ledger.otherFeeSlot(strategy, index), value0, value1);
        break;
      case RISK_STATE_UNASSIGNED_FUNDING:
        ledger.unassignedFunding.addLimbs(0, value0, value1);
        break;
    }
  }
}
