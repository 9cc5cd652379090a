// Margin of the account from what EXECUTION knows: wallet (Balance records), the ledger's result and the worst
// case of positions and working orders. An estimate on the safe side of the venue's own: every instrument
// counts with the larger of all buys and all sells being filled. Hot: 0 bytes; O(instruments).
import type { Ledger } from "../order/ledger.ts";

export interface MarginSettings {
  /** Initial margin as a share of value: 1 / leverage. */
  readonly initialRate: number;
  /** Maintenance margin as a share of value. */
  readonly maintenanceRate: number;
}

export class MarginAccount {
  /** NaN until a Balance was seen: margin is then not checked. */
  walletE8: number;
  private readonly initialRate: number;
  private readonly maintenanceRate: number;
  private bookedAtBalanceE8: number;

  constructor(settings: MarginSettings) {
    this.walletE8 = Number.NaN;
    this.initialRate = settings.initialRate;
    this.maintenanceRate = settings.maintenanceRate;
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

  /** Equity left when `valueE8` of positions and orders is margined; NaN while the wallet is unknown. */
  freeE8(ledger: Ledger, valueE8: number): number {
    return this.equityE8(ledger) - valueE8 * this.initialRate;
  }

  /** Equity over maintenance margin of `valueE8`; Infinity when flat, NaN while the wallet is unknown. */
  ratio(ledger: Ledger, valueE8: number): number {
    return this.equityE8(ledger) / (valueE8 * this.maintenanceRate);
  }
}
