// What an execution costs, in 1e-8 of the settlement asset as the venue books it. Cold: once per fill.
import { type Instrument, inverseFactor } from "../market/instrument.ts";
import { assetE8PerTickLot, bookedFeeE8, coinFeeE8 } from "./fees.ts";

export interface FeeModel {
  /** value: rate of the traded value · qty: amount per base unit or contract · flat: amount per fill. */
  readonly kind: "value" | "qty" | "flat";
  /** Rates in 1e-8 (value), or amounts in 1e-8 of the settlement asset; negative = rebate. */
  readonly makerE8: number;
  readonly takerE8: number;
}

export class FeeSchedule {
  private readonly instrument: Instrument;
  private readonly model: FeeModel;
  private readonly e8PerTickLot: bigint;
  private readonly unitsPerLot: number;

  constructor(instrument: Instrument, model: FeeModel) {
    this.instrument = instrument;
    this.model = model;
    this.e8PerTickLot = assetE8PerTickLot(instrument);
    this.unitsPerLot = Number(instrument.lotSize);
  }

  /** Value of a position at a price, which may lie between ticks; 1e-8 of the settlement asset. */
  valueE8(pxTicks: number, lots: number): number {
    if (this.instrument.inverse !== true) return pxTicks * lots * Number(this.e8PerTickLot);
    const { numerator, denominator } = inverseFactor(this.instrument);
    return (Number(numerator) * lots) / (Number(denominator) * pxTicks);
  }

  feeE8(pxTicks: number, qtyLots: number, maker: boolean): number {
    const { kind, makerE8, takerE8 } = this.model;
    const rate = maker ? makerE8 : takerE8;
    if (kind === "flat") return rate;
    if (kind === "qty") return Math.round(rate * qtyLots * this.unitsPerLot);
    if (this.instrument.inverse === true)
      return Number(coinFeeE8(this.instrument, BigInt(qtyLots), BigInt(pxTicks), rate));
    const value = BigInt(pxTicks) * BigInt(qtyLots) * this.e8PerTickLot;
    return Number(bookedFeeE8(value, rate));
  }
}
