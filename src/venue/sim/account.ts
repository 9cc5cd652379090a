// The one trading account: wallet, positions, trades, income. Money is BigInt in 1e-8 USDT and exact, so what
// it says can be compared with a client's books to the last digit.
import { bookedFeeE8 } from "../../exchange/fees.ts";
import {
  bookFill,
  emptyPosition,
  initialMarginE8,
  type MarginPosition,
  positionMarginE8,
  unrealizedE8,
} from "../../exchange/margin-account.ts";
import type { FillFacts, VenueOrder } from "./order.ts";
import type { SymbolSpec } from "./symbol-spec.ts";

export interface AccountOptions {
  readonly startingBalanceE8: bigint;
  readonly leverage: number;
  /** 1e-8 of the traded value. */
  readonly makerFeeE8: number;
  readonly takerFeeE8: number;
  /** Pays the fees while there is enough of it, as a venue's own coin does; null = the quote currency pays. */
  readonly feeAsset: FeeAsset | null;
}

export interface FeeAsset {
  readonly name: string;
  /** Quote currency for one, 1e-8. */
  readonly priceE8: bigint;
  readonly startingBalanceE8: bigint;
}

interface PaidFee {
  readonly feeAsset: string;
  /** 1e-8 of it. */
  readonly feeE8: bigint;
}

export interface AccountTrade extends FillFacts {
  readonly symbol: string;
  readonly orderNumber: number;
  readonly clientId: string;
  readonly side: number;
  readonly timeMs: number;
}

export interface Income {
  readonly symbol: string;
  readonly type: "REALIZED_PNL" | "COMMISSION" | "FUNDING_FEE" | "TRANSFER";
  readonly asset: string;
  readonly amountE8: bigint;
  readonly timeMs: number;
  readonly transactionNumber: number;
  readonly tradeNumber: number;
}

const INCOME_KEPT = 20_000;
const TRADES_KEPT = 100_000;

/** Mark price of a symbol in 1e-8 ticks. */
export type MarkOf = (symbol: string) => bigint;

export class Account {
  readonly options: AccountOptions;
  readonly positions = new Map<string, MarginPosition>();
  readonly specs: ReadonlyMap<string, SymbolSpec>;
  walletE8: bigint;
  /** Of the fee asset; 0 without one. */
  feeWalletE8: bigint;
  /** Time of each position's last change, ms. */
  readonly changedMs = new Map<string, number>();
  lastTrade = 0;
  lastTransaction = 0;
  private readonly trades = new Map<string, AccountTrade[]>();
  private incomes: Income[] = [];
  private readonly markOf: MarkOf;

  constructor(options: AccountOptions, specs: ReadonlyMap<string, SymbolSpec>, markOf: MarkOf) {
    this.options = options;
    this.specs = specs;
    this.markOf = markOf;
    this.walletE8 = options.startingBalanceE8;
    this.feeWalletE8 = options.feeAsset?.startingBalanceE8 ?? 0n;
    for (const spec of specs.values())
      this.positions.set(spec.symbol, emptyPosition(spec.e8PerTickLot, options.leverage));
  }

  position(symbol: string): MarginPosition {
    return this.positions.get(symbol)!;
  }

  /** Books an execution: position, realised result, fee, wallet. */
  fill(order: VenueOrder, pxTicks: number, lots: number, maker: boolean, timeMs: number): AccountTrade {
    const spec = this.specs.get(order.symbol)!;
    const position = this.position(order.symbol);
    const valueE8 = BigInt(pxTicks) * BigInt(lots) * spec.e8PerTickLot;
    const rateE8 = maker ? this.options.makerFeeE8 : this.options.takerFeeE8;
    const { feeAsset, feeE8 } = this.payFee(spec, bookedFeeE8(valueE8, rateE8));
    const realized = bookFill(position, BigInt(order.side * lots), BigInt(pxTicks));
    const realizedE8 = realized * spec.e8PerTickLot;
    this.walletE8 += realizedE8;
    this.changedMs.set(order.symbol, timeMs);
    const trade: AccountTrade = {
      symbol: order.symbol,
      orderNumber: order.number,
      clientId: order.clientId,
      side: order.side,
      tradeNumber: ++this.lastTrade,
      pxTicks,
      lots,
      maker,
      feeAsset,
      feeE8,
      realizedE8,
      timeMs,
    };
    this.keepTrade(trade);
    if (realizedE8 !== 0n)
      this.addIncome("REALIZED_PNL", order.symbol, realizedE8, spec.quote, timeMs, trade.tradeNumber);
    if (feeE8 !== 0n) this.addIncome("COMMISSION", order.symbol, -feeE8, feeAsset, timeMs, trade.tradeNumber);
    return trade;
  }

  /** In the fee asset, rounded half up, if there is enough of it; rebates come in the quote currency. */
  private payFee({ quote }: SymbolSpec, quoteFeeE8: bigint): PaidFee {
    const asset = this.options.feeAsset;
    if (asset !== null && quoteFeeE8 > 0n) {
      const feeE8 = (quoteFeeE8 * 100_000_000n + asset.priceE8 / 2n) / asset.priceE8;
      if (feeE8 <= this.feeWalletE8) {
        this.feeWalletE8 -= feeE8;
        return { feeAsset: asset.name, feeE8 };
      }
    }
    this.walletE8 -= quoteFeeE8;
    return { feeAsset: quote, feeE8: quoteFeeE8 };
  }

  /** Longs pay a positive rate (1e-8). Returns the amount booked, 0 for a flat position. */
  chargeFunding(symbol: string, rateE8: bigint, timeMs: number): Income | null {
    const position = this.position(symbol);
    if (position.qtyLots === 0n) return null;
    const valueE8 = (position.qtyLots * this.markOf(symbol) * position.e8PerTickLot) / 100_000_000n;
    const amountE8 = -(valueE8 * rateE8) / 100_000_000n;
    this.walletE8 += amountE8;
    return this.addIncome("FUNDING_FEE", symbol, amountE8, this.specs.get(symbol)!.quote, timeMs, 0);
  }

  deposit(amountE8: bigint, timeMs: number): Income {
    this.walletE8 += amountE8;
    return this.addIncome("TRANSFER", "", amountE8, "USDT", timeMs, 0);
  }

  keepTrade(trade: AccountTrade): void {
    this.lastTrade = Math.max(this.lastTrade, trade.tradeNumber);
    let list = this.trades.get(trade.symbol);
    if (list === undefined) {
      list = [];
      this.trades.set(trade.symbol, list);
    }
    list.push(trade);
    if (list.length > TRADES_KEPT * 1.5) list.splice(0, list.length - TRADES_KEPT);
  }

  tradesOf(symbol: string): readonly AccountTrade[] {
    return this.trades.get(symbol) ?? [];
  }

  income(): readonly Income[] {
    return this.incomes;
  }

  keepIncome(income: Income): void {
    this.lastTransaction = Math.max(this.lastTransaction, income.transactionNumber);
    this.incomes.push(income);
    if (this.incomes.length > INCOME_KEPT * 1.5) this.incomes = this.incomes.slice(-INCOME_KEPT);
  }

  unrealizedE8(symbol: string): bigint {
    return unrealizedE8(this.position(symbol), this.markOf(symbol));
  }

  totalUnrealizedE8(): bigint {
    let sum = 0n;
    for (const symbol of this.positions.keys()) sum += this.unrealizedE8(symbol);
    return sum;
  }

  positionMarginE8(symbol: string): bigint {
    return positionMarginE8(this.position(symbol), this.markOf(symbol));
  }

  initialMarginE8(symbol: string): bigint {
    return initialMarginE8(this.position(symbol), this.markOf(symbol));
  }

  totalInitialMarginE8(): bigint {
    let sum = 0n;
    for (const symbol of this.positions.keys()) sum += this.initialMarginE8(symbol);
    return sum;
  }

  availableE8(): bigint {
    const free = this.walletE8 + this.totalUnrealizedE8() - this.totalInitialMarginE8();
    return free > 0n ? free : 0n;
  }

  /** True when an order of this value may be added: it fits the free margin or needs no more than is held. */
  hasMarginFor(symbol: string, side: number, valueTickLots: bigint): boolean {
    const position = this.position(symbol);
    const mark = this.markOf(symbol);
    const before = initialMarginE8(position, mark);
    const after = initialMarginE8(
      position,
      mark,
      side > 0 ? valueTickLots : 0n,
      side > 0 ? 0n : valueTickLots,
    );
    return after <= before || after - before <= this.availableE8();
  }

  private addIncome(
    type: Income["type"],
    symbol: string,
    amountE8: bigint,
    asset: string,
    timeMs: number,
    tradeNumber: number,
  ): Income {
    const transactionNumber = ++this.lastTransaction;
    const income = { symbol, type, asset, amountE8, timeMs, transactionNumber, tradeNumber };
    this.keepIncome(income);
    return income;
  }
}
