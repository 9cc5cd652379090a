// The wallet of an in-process exchange: what realised results and fees leave of the start balance. BigInt, exact;
// cold, once per fill. Inverse contracts settle in their coin: doubles, as their values are fractions.
import type { Instrument } from "../market/instrument.ts";
import { assetE8PerTickLot } from "./fees.ts";
import { bookFill, emptyPosition, type MarginPosition } from "./margin-account.ts";

interface WalletMarket {
  readonly instrument: Instrument;
  readonly inverse: boolean;
}

export interface WalletPosition {
  readonly instrument: number;
  /** Signed. */
  readonly lots: bigint;
  readonly costTickLots: bigint;
}

interface InversePosition {
  lots: number;
  /** Σ lots / price of the open quantity. */
  coins: number;
}

export class ExchangeWallet {
  private walletE8: bigint;
  private readonly linear = new Map<number, MarginPosition>();
  private readonly inverse = new Map<number, InversePosition & { readonly e8: number }>();

  constructor(markets: readonly WalletMarket[], walletE8: bigint) {
    this.walletE8 = walletE8;
    for (const { instrument, inverse } of markets) {
      if (!inverse) this.linear.set(instrument.id, emptyPosition(assetE8PerTickLot(instrument), 1));
      else {
        const perLot = Number(instrument.contractSize) * Number(instrument.lotSize);
        this.inverse.set(instrument.id, {
          lots: 0,
          coins: 0,
          e8: (1e8 * perLot) / Number(instrument.tickSize),
        });
      }
    }
  }

  /** 1e-8 of the settlement currency. */
  get e8(): number {
    return Number(this.walletE8);
  }

  /** Cold: as an earlier run left it. Linear contracts only: nothing else settles in one currency for all. */
  restore(walletE8: bigint, positions: readonly WalletPosition[]): void {
    this.walletE8 = walletE8;
    for (const { instrument, lots, costTickLots } of positions) {
      const position = this.linear.get(instrument);
      if (position === undefined) continue;
      position.qtyLots = lots;
      position.costTickLots = costTickLots;
    }
  }

  /** Funding: + received. */
  credit(amountE8: bigint): void {
    this.walletE8 += amountE8;
  }

  /** `lots` signed: + buy. */
  book(instrument: number, lots: number, pxTicks: number, feeE8: number): void {
    const position = this.linear.get(instrument);
    if (position !== undefined) {
      const realized = bookFill(position, BigInt(lots), BigInt(pxTicks));
      this.walletE8 += realized * position.e8PerTickLot - BigInt(feeE8);
    } else this.bookInverse(instrument, lots, pxTicks, feeE8);
  }

  private bookInverse(instrument: number, lots: number, pxTicks: number, feeE8: number): void {
    const position = this.inverse.get(instrument)!;
    const held = position.lots;
    let realized = 0;
    if (held !== 0 && held > 0 !== lots > 0) {
      const reduced = Math.sign(held) * Math.min(Math.abs(lots), Math.abs(held));
      const released = position.coins * (reduced / held);
      realized = released - reduced / pxTicks;
      position.coins -= released;
      position.lots -= reduced;
      const opened = lots + reduced;
      position.lots += opened;
      position.coins += opened / pxTicks;
    } else {
      position.lots += lots;
      position.coins += lots / pxTicks;
    }
    this.walletE8 += BigInt(Math.round(realized * position.e8)) - BigInt(feeE8);
  }
}
