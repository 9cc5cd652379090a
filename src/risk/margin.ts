// Margin of the account from what EXECUTION knows: wallet (Balance records), the ledger's result and the worst
// case of positions and working orders. An estimate on the safe side of the venue's own: every instrument
// counts with the larger of all buys and all sells being filled. Hot: execution lane; 0 bytes; O(1).
import type { Ledger } from "../order/ledger.ts";

export class MarginAccount {
  /** NaN until a Balance was seen: margin is then not checked. */
  walletE8: number;
  /** Maintenance margin as a share of value. */
  readonly maintenanceRate: number;
  private bookedAtBalanceE8: number;

  constructor(maintenanceRate: number) {
    this.walletE8 = Number.NaN;
    this.maintenanceRate = maintenanceRate;
    this.bookedAtBalanceE8 = 0;
  }

  /** The wallet as the venue states it: realised results, fees and funding up to now are in it. */
  observe(walletE8: number, ledger: Ledger): void {
    this.walletE8 = walletE8;
    this.bookedAtBalanceE8 = ledger.accountResultE8 - ledger.accountUnrealizedE8;
  }

  /** Wallet, what was booked since, and the unrealised result. */
  equityE8(ledger: Ledger): number {
    return this.walletE8 + (ledger.accountResultE8 - this.bookedAtBalanceE8);
  }

  /** Equity left beside an initial margin; NaN while the wallet is unknown. */
  freeE8(ledger: Ledger, initialE8: number): number {
    return this.equityE8(ledger) - initialE8;
  }

  /** Equity over maintenance margin of `valueE8`; Infinity when flat, NaN while the wallet is unknown. */
  ratio(ledger: Ledger, valueE8: number): number {
    return this.equityE8(ledger) / (valueE8 * this.maintenanceRate);
  }

  /**
   * How far all prices may move against the positions, as a share of price, until equity is down to the maintenance
   * margin: (equity − m·value) / value. Coin-margined, where value and loss grow as the price falls:
   * (equity − m·value) / (equity + value), exact for long positions, on the safe side for others. Infinity when flat,
   * NaN while the wallet is unknown.
   */
  liquidationDistance(ledger: Ledger, valueE8: number): number {
    if (valueE8 === 0) return Number.POSITIVE_INFINITY;
    const equity = this.equityE8(ledger);
    if (ledger.coinMargined) return (equity - this.maintenanceRate * valueE8) / (equity + valueE8);
    return equity / valueE8 - this.maintenanceRate;
  }
}
