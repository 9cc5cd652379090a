// Daily loss and drawdown. Results come from the ledger's last refresh; a day starts at the configured minute
// after 00:00 UTC. Hot: execution lane, once per timer and per fill; 0 bytes; O(strategies).
import type { Ledger } from "../order/ledger.ts";
import type { RiskLimits } from "./limits.ts";

export const LOSS_NONE = 0;
/** Beyond the soft daily limit: orders may only reduce until the day ends. */
export const LOSS_SOFT = 1;
/** Beyond the hard daily limit: kill. */
export const LOSS_HARD = 2;
/** Beyond the drawdown from the peak: kill. */
export const LOSS_DRAWDOWN = 3;

const NS_PER_MINUTE = 60e9;
const NS_PER_DAY = 86_400e9;
/** Figures wait so long for the marks of restored positions. */
const MARK_PATIENCE_NS = 10e9;

export class LossGuard {
  /** LOSS_… of the account. */
  level: number;
  /** 1e-8 of the settlement currency; ≥ 0 is a loss. */
  dailyLossE8: number;
  drawdownE8: number;
  /** 1 once a strategy passed its own daily limit; until the next day or a rearm. */
  readonly strategyHit: Uint8Array;
  readonly strategyLossE8: Float64Array;
  /** Result at the start of the day, by strategy. */
  readonly strategyStartE8: Float64Array;
  private readonly limits: RiskLimits;
  private readonly resetNs: number;
  private dayStart: number;
  private peak: number;
  private day: number;
  private patientUntilNs: number;

  constructor(limits: RiskLimits, resetMinuteUtc: number) {
    const bytes = Math.max(limits.strategies * 8, 4096);
    this.level = LOSS_NONE;
    this.dailyLossE8 = 0;
    this.drawdownE8 = 0;
    this.strategyHit = new Uint8Array(new ArrayBuffer(bytes));
    this.strategyLossE8 = new Float64Array(new ArrayBuffer(bytes));
    this.limits = limits;
    this.resetNs = resetMinuteUtc * NS_PER_MINUTE;
    this.strategyStartE8 = new Float64Array(new ArrayBuffer(bytes));
    this.dayStart = 0;
    this.peak = 0;
    this.day = Number.NaN;
    this.patientUntilNs = Number.NaN;
  }

  /** `nowNs`: session time, whose zero is 00:00 UTC. */
  update(ledger: Ledger, nowNs: number): void {
    if (!this.knowsResults(ledger, nowNs)) return;
    const day = this.dayOf(nowNs);
    if (day !== this.day) this.startDay(ledger, day);
    const result = ledger.accountResultE8;
    if (result > this.peak) this.peak = result;
    this.dailyLossE8 = this.dayStart - result;
    this.drawdownE8 = this.peak - result;
    const limits = this.limits;
    if (this.drawdownE8 > limits.maxDrawdownE8) this.level = LOSS_DRAWDOWN;
    else if (this.dailyLossE8 > limits.dailyLossHardE8) this.level = Math.max(this.level, LOSS_HARD);
    else if (this.dailyLossE8 > limits.dailyLossSoftE8) this.level = Math.max(this.level, LOSS_SOFT);
    for (let s = 1; s < limits.strategies; s++) {
      const loss = this.strategyStartE8[s] - ledger.strategyResultE8[s];
      this.strategyLossE8[s] = loss;
      if (loss > limits.strategyDailyLossE8[s]) this.strategyHit[s] = 1;
    }
  }

  /** After a rearm the losses so far are accepted: figures start anew. */
  rearm(ledger: Ledger): void {
    this.startDay(ledger, this.day);
    this.peak = ledger.accountResultE8;
    this.level = LOSS_NONE;
  }

  /**
   * Cold: as an earlier session wrote them at `tsNs` (this session's time). The start of the day holds while it is
   * still that day, the peak beyond it. 1e-8 of the settlement currency.
   */
  restoreDay(tsNs: number, dayStartE8: number, peakE8: number, level: number): void {
    this.day = this.dayOf(tsNs);
    this.dayStart = dayStartE8;
    this.peak = peakE8;
    this.level = level;
  }

  restoreStrategy(strategy: number, startE8: number, hit: number): void {
    this.strategyStartE8[strategy] = startE8;
    this.strategyHit[strategy] = hit;
  }

  /** False until the first figures are there, restored or measured. */
  get started(): boolean {
    return !Number.isNaN(this.day);
  }

  get dayStartE8(): number {
    return this.dayStart;
  }

  get peakE8(): number {
    return this.peak;
  }

  private dayOf(nowNs: number): number {
    return Math.floor((nowNs - this.resetNs) / NS_PER_DAY);
  }

  /**
   * After a start positions are held before their marks are known: a result without them would be a peak or a loss
   * that never was. An instrument that stays silent holds the figures up for a while only.
   */
  private knowsResults(ledger: Ledger, nowNs: number): boolean {
    if (Number.isNaN(this.patientUntilNs)) this.patientUntilNs = nowNs + MARK_PATIENCE_NS;
    return nowNs >= this.patientUntilNs || ledger.isMarked;
  }

  /** The very first day of a session begins at the restored result; the peak outlives the day. */
  private startDay(ledger: Ledger, day: number): void {
    if (Number.isNaN(this.day)) this.peak = ledger.accountResultE8;
    this.day = day;
    this.dayStart = ledger.accountResultE8;
    this.strategyHit.fill(0);
    for (let s = 0; s < this.limits.strategies; s++) this.strategyStartE8[s] = ledger.strategyResultE8[s];
    if (this.level === LOSS_SOFT) this.level = LOSS_NONE;
  }
}
