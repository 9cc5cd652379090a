// Funding of one instrument at the exchange: at each multiple of the interval since the Unix epoch the position pays its
// value times the rate, longs to shorts when the rate is positive. Rate and mark price are those of the data as far as
// it has them (rows of kind 102 and 101), else the configured rate and the mid of the book. Cold: once per payment.
import { KIND_FUNDING_RATE, KIND_MARK_PRICE } from "../../data/event-codes.ts";

export interface FundingTerms {
  readonly intervalNs: number;
  /** 1e-8 per payment, until the data says another; NaN: nothing is paid before. */
  readonly rateE8: number;
}

const NEVER = Number.POSITIVE_INFINITY;

export class MarketFunding {
  /** The next payment, ns since the base; Infinity: none is ever due. */
  nextNs = NEVER;
  rateE8: number;
  /** Price units; NaN: the data has none. */
  markPx = Number.NaN;
  private readonly intervalNs: number;

  constructor(terms: FundingTerms | null) {
    this.intervalNs = terms?.intervalNs ?? NEVER;
    this.rateE8 = terms?.rateE8 ?? Number.NaN;
  }

  /** The run begins at `firstNs`; what was due at or before it is paid already. */
  start(firstNs: number, baseNs: bigint): void {
    if (this.intervalNs === NEVER) return;
    const interval = BigInt(this.intervalNs);
    const phase = Number((interval - (baseNs % interval)) % interval);
    this.nextNs = phase + (Math.floor((firstNs - phase) / this.intervalNs) + 1) * this.intervalNs;
  }

  observe(kind: number, px: number): void {
    if (kind === KIND_MARK_PRICE) this.markPx = px;
    else if (kind === KIND_FUNDING_RATE) this.rateE8 = px * 1e8;
  }

  paid(): void {
    this.nextNs += this.intervalNs;
  }
}
