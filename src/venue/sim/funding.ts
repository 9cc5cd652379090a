// Funding at fixed times (multiples of the interval since the epoch): longs pay shorts when the rate is positive.

export interface FundingOptions {
  readonly intervalMs: number;
  /** 1e-8 of the position's value. */
  readonly rateE8: bigint;
}

export class Funding {
  readonly options: FundingOptions;
  nextMs: number;

  constructor(options: FundingOptions, nowMs: number) {
    this.options = options;
    this.nextMs = nextMultiple(nowMs, options.intervalMs);
  }

  /** True when a funding time has passed; moves on to the next one. */
  due(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false;
    this.nextMs = nextMultiple(nowMs, this.options.intervalMs);
    return true;
  }
}

const nextMultiple = (nowMs: number, intervalMs: number): number =>
  (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
