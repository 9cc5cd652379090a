// Position, cash and fees of one instrument from the fills that the trader has heard of, every one of them: the
// figures of the state series. Exact integers inside, doubles out. Cold: once per fill.
import { coinValue } from "../../exchange/fees.ts";
import { type Instrument, moneyUnit } from "../../market/instrument.ts";

export class FillAccount {
  numTrades = 0;
  private lots = 0;
  private volumeLots = 0;
  /** Money units: tick·lots, 1e-8 coins for inverse contracts. */
  private cashUnits = 0n;
  private valueUnits = 0n;
  private feeE8 = 0n;
  /** Read with every state row, so they are made when a fill changes them. */
  balance = 0;
  fee = 0;
  tradingValue = 0;
  private readonly instrument: Instrument;
  private readonly inverse: boolean;
  private readonly lotSize: number;
  private readonly contractSize: number;
  private readonly unitMantissa: bigint;
  private readonly unitScale: number;

  constructor(instrument: Instrument) {
    this.instrument = instrument;
    this.inverse = instrument.inverse === true;
    this.lotSize = Number(instrument.lotSize);
    this.contractSize = Number(instrument.contractSize);
    const unit = moneyUnit(instrument);
    this.unitMantissa = unit.mantissa;
    this.unitScale = 10 ** unit.decimals;
  }

  /** `side` +1 buy, −1 sell. */
  book(side: number, pxTicks: number, qtyLots: number, feeE8: number): void {
    this.numTrades++;
    this.lots += side * qtyLots;
    this.volumeLots += qtyLots;
    this.feeE8 += BigInt(feeE8);
    this.fee = Number(this.feeE8) / 1e8;
    const px = BigInt(pxTicks);
    const qty = BigInt(qtyLots);
    const value = this.inverse ? coinValue(this.instrument, qty, px) : px * qty;
    this.cashUnits -= side > 0 ? value : -value;
    this.valueUnits += value;
    this.balance = this.money(this.cashUnits);
    this.tradingValue = this.money(this.valueUnits);
  }

  /** Base units, contracts for inverse. */
  get position(): number {
    return units(this.lots, this.lotSize);
  }

  get tradingVolume(): number {
    return units(this.volumeLots, this.lotSize);
  }

  /** At a mid price; NaN when there is none and a position is held. */
  equity(mid: number): number {
    if (this.lots === 0) return (this.inverse ? -this.balance : this.balance) - this.fee;
    if (this.inverse) return -this.balance - (this.contractSize * this.position) / mid - this.fee;
    return this.balance + this.contractSize * this.position * mid - this.fee;
  }

  private money(units: bigint): number {
    return Number(units * this.unitMantissa) / this.unitScale;
  }
}

/** Lots in units without the noise of a product: 3 · 0.001 = 0.003. */
function units(lots: number, lotSize: number): number {
  const perUnit = Math.round(1 / lotSize);
  return lotSize < 1 && Math.abs(1 / lotSize - perUnit) < 1e-9 * perUnit ? lots / perUnit : lots * lotSize;
}
