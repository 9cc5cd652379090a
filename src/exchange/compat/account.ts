// Position, balance and fees of one asset in raw doubles, in hftbacktest's order of operations (state.rs,
// assettype.rs, models/fee.rs). Only fills with status Filled ever reach it.
import type { CompatOrder } from "./compat-order.ts";

export type AssetKind = "linear" | "inverse";
export type FeeKind = "value" | "qty" | "flat";

export interface AccountOptions {
  readonly kind: AssetKind;
  readonly contractSize: number;
  readonly feeKind: FeeKind;
  /** Rates (value, qty) or amounts per trade (flat); negative = rebate. */
  readonly makerFee: number;
  readonly takerFee: number;
}

export class Account {
  position = 0;
  balance = 0;
  fee = 0;
  numTrades = 0;
  tradingVolume = 0;
  tradingValue = 0;
  private readonly options: AccountOptions;

  constructor(options: AccountOptions) {
    this.options = options;
  }

  /** Applies the order's last execution; px = exec price. */
  applyFill(order: CompatOrder, tickSize: number): void {
    const px = order.execTick * tickSize;
    const qty = order.execQty;
    const { kind, contractSize, feeKind, makerFee, takerFee } = this.options;
    const amount = kind === "linear" ? contractSize * px * qty : (contractSize * qty) / px;
    const rate = order.maker ? makerFee : takerFee;
    this.position += qty * order.side;
    this.balance -= amount * order.side;
    this.fee += feeKind === "value" ? rate * amount : feeKind === "qty" ? rate * qty : rate;
    this.numTrades++;
    this.tradingVolume += qty;
    this.tradingValue += amount;
  }

  /** Value of the account at `price`, in quote (linear) or in the contract's coin (inverse). */
  equity(price: number): number {
    const { kind, contractSize } = this.options;
    if (kind === "linear") return this.balance + contractSize * this.position * price - this.fee;
    return -this.balance - (contractSize * this.position) / price - this.fee;
  }
}
