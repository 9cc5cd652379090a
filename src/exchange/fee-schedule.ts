// What an execution costs, in 1e-8 of the settlement asset as the venue books it. Cold: once per fill.
import type { Instrument } from "../market/instrument.ts";
import { assetE8PerTickLot, bookedFeeE8 } from "./fees.ts";

export interface FeeModel {
  /** value: rate of the traded value · qty: amount per base unit or contract · flat: amount per fill. */
  readonly kind: "value" | "qty" | "flat";
  /** Rates in 1e-8 (value), or amounts in 1e-8 of the settlement asset; negative = rebate. */
  readonly makerE8: number;
  readonly takerE8: number;
}

export class FeeSchedule {
  private readonly model: FeeModel;
  private readonly inverse: boolean;
  private readonly e8PerTickLot: bigint;
  private readonly unitsPerLot: number;
  /** Inverse: 1e-8 of the coin for one lot at one tick. */
  private readonly inverseE8: number;

  constructor(instrument: Instrument, model: FeeModel, inverse: boolean) {
    this.model = model;
    this.inverse = inverse;
    this.e8PerTickLot = inverse ? 0n : assetE8PerTickLot(instrument);
    this.unitsPerLot = Number(instrument.lotSize);
    const contract = Number(instrument.contractSize);
    this.inverseE8 = (1e8 * contract * this.unitsPerLot) / Number(instrument.tickSize);
  }

  /** Value of a position at a price, which may lie between ticks; 1e-8 of the settlement asset. */
  valueE8(pxTicks: number, lots: number): number {
    return this.inverse ? (this.inverseE8 * lots) / pxTicks : pxTicks * lots * Number(this.e8PerTickLot);
  }

  feeE8(pxTicks: number, qtyLots: number, maker: boolean): number {
    const { kind, makerE8, takerE8 } = this.model;
    const rate = maker ? makerE8 : takerE8;
    if (kind === "flat") return rate;
    if (kind === "qty") return Math.round(rate * qtyLots * this.unitsPerLot);
    if (this.inverse) return Math.round(((this.inverseE8 * qtyLots) / pxTicks) * (rate / 1e8));
    const value = BigInt(pxTicks) * BigInt(qtyLots) * this.e8PerTickLot;
    return Number(bookedFeeE8(value, rate));
  }
}
