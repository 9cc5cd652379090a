// The wallet of an in-process exchange: what realised results and fees leave of the start balance. BigInt, exact;
// cold, once per fill. Inverse contracts are booked in 1e-8 of their coin, each execution rounded as by the venue
// (coinValue), so a wallet is the oracle of the trader's ledger there too.
import type { Instrument } from "../market/instrument.ts";
import { assetE8PerTickLot, coinValue } from "./fees.ts";
import { bookFill, type CostOf } from "./margin-account.ts";

export interface WalletPosition {
  readonly instrument: number;
  /** Signed. */
  readonly lots: bigint;
  readonly costTickLots: bigint;
}

interface Holding {
  qtyLots: bigint;
  costTickLots: bigint;
  readonly e8PerUnit: bigint;
  readonly costOf: CostOf | undefined;
}

export class ExchangeWallet {
  private walletE8: bigint;
  private readonly holdings = new Map<number, Holding>();

  constructor(instruments: readonly Instrument[], walletE8: bigint) {
    this.walletE8 = walletE8;
    for (const i of instruments) {
      const costOf: CostOf | undefined =
        i.inverse === true ? (lots, pxTicks) => -coinValue(i, lots, pxTicks) : undefined;
      this.holdings.set(i.id, { qtyLots: 0n, costTickLots: 0n, e8PerUnit: assetE8PerTickLot(i), costOf });
    }
  }

  /** 1e-8 of the settlement currency. */
  get e8(): number {
    return Number(this.walletE8);
  }

  /** Cold: as an earlier run left it. */
  restore(walletE8: bigint, positions: readonly WalletPosition[]): void {
    this.walletE8 = walletE8;
    for (const { instrument, lots, costTickLots } of positions) {
      const holding = this.holdings.get(instrument);
      if (holding === undefined) continue;
      holding.qtyLots = lots;
      holding.costTickLots = costTickLots;
    }
  }

  /** Funding: + received. */
  credit(amountE8: bigint): void {
    this.walletE8 += amountE8;
  }

  /** `lots` signed: + buy. */
  book(instrument: number, lots: number, pxTicks: number, feeE8: number): void {
    const holding = this.holdings.get(instrument)!;
    const realized = bookFill(holding, BigInt(lots), BigInt(pxTicks), holding.costOf);
    this.walletE8 += realized * holding.e8PerUnit - BigInt(feeE8);
  }
}
