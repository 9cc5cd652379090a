// Funding of a paper account: at each of the venue's funding times a position pays (or receives) its value at the
// mark times the venue's rate. Hot: 0 bytes; O(1).
import { type Instrument, moneyUnit } from "../../market/instrument.ts";
import type { Ledger } from "../../order/ledger.ts";

const f64 = (n: number): Float64Array => new Float64Array(new ArrayBuffer(Math.max(4096, n * 8)));

export class PaperFunding {
  /** Session time of the last payment that due() gave. */
  paidAtNs: number;
  private readonly ledger: Ledger;
  private readonly markPxE8: Float64Array;
  private readonly rateE8: Float64Array;
  private readonly nextNs: Float64Array;
  /** 1e-8 of the settlement asset per lot and unit of price. */
  private readonly unitsPerLot: Float64Array;

  constructor(instruments: readonly Instrument[], ledger: Ledger) {
    this.paidAtNs = 0;
    this.ledger = ledger;
    this.markPxE8 = f64(instruments.length + 1);
    this.rateE8 = f64(instruments.length + 1);
    this.nextNs = f64(instruments.length + 1).fill(Number.NaN);
    this.unitsPerLot = f64(instruments.length + 1);
    for (const i of instruments) {
      const unit = moneyUnit(i);
      this.unitsPerLot[i.id] = Number(unit.mantissa) / 10 ** unit.decimals / Number(i.tickSize);
    }
  }

  /**
   * A MarkPrice record. While a payment is owed its rate stays: the venue names the next one as soon as it has paid,
   * which may be heard before due() is asked.
   */
  observe(instrument: number, markPxE8: number, rateE8: number, nextFundingTsNs: number): void {
    this.markPxE8[instrument] = markPxE8;
    const owed = this.nextNs[instrument]!;
    if (owed !== nextFundingTsNs && !Number.isNaN(owed)) return;
    this.rateE8[instrument] = rateE8;
    this.nextNs[instrument] = nextFundingTsNs;
  }

  /** What is to be paid now, 1e-8 of the settlement asset, + received; 0 = nothing. At most once per funding time. */
  due(instrument: number, nowNs: number): number {
    if (!(nowNs >= this.nextNs[instrument]!)) return 0;
    this.paidAtNs = this.nextNs[instrument]!;
    this.nextNs[instrument] = Number.NaN;
    const lots = this.ledger.netLots[instrument]!;
    const value = lots * this.unitsPerLot[instrument]! * (this.markPxE8[instrument]! / 1e8);
    return Math.round(-value * this.rateE8[instrument]!);
  }
}
