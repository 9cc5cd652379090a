// A strategy's cache: everything it may know, as of the event at hand. Reading never allocates; everything is
// about `instrument` (the one the event is about) unless a method takes one. Values live in the execution
// lane's arrays: nothing here is a copy.
import { lotsWithin } from "../market/contract-value.ts";
import type { L2Book } from "../market/l2-book.ts";
import type { Ledger } from "../order/ledger.ts";
import { NO_ORDER, type OrderTable } from "../order/order-table.ts";
import type { RiskLimits } from "../risk/limits.ts";
import type { MarginAccount } from "../risk/margin.ts";
import type { MarketView } from "../risk/market-view.ts";
import type { StormGuard } from "../risk/storm-guard.ts";
import { ORDER_TYPE_LIMIT, SIDE_BUY, SIDE_SELL } from "../wire/codes.ts";
import type { OrderDesk } from "./order-desk.ts";
import type { ParamSlots, ParamsSchema, ParamValues } from "./params.ts";

export interface ContextParts<P extends ParamsSchema> {
  readonly strategy: number;
  readonly name: string;
  readonly instruments: readonly number[];
  readonly params: ParamSlots<P>;
  readonly factorCount: number;
  readonly alphaCount: number;
  readonly market: MarketView;
  readonly ledger: Ledger;
  readonly table: OrderTable;
  readonly limits: RiskLimits;
  readonly storm: StormGuard;
  readonly margin: MarginAccount;
  readonly desk: OrderDesk;
  /** Books of instruments with an orderbook.* subscription, by id. */
  readonly books: readonly (L2Book | null)[];
  /** Lots per base unit, by instrument id. */
  readonly lotsPerUnit: Float64Array;
  /** Order price step in ticks, by instrument id. */
  readonly tickStep: Float64Array;
}

export class StrategyContext<P extends ParamsSchema = ParamsSchema> {
  readonly strategy: number;
  readonly name: string;
  readonly instruments: readonly number[];
  /** Parameter values by name; bool 0/1, enum = index. Changed by control, never during a callback. */
  readonly params: ParamValues<P>;
  /** Factor outputs in the order of the definition's `factors`; NaN = not ready. */
  readonly factors: Float64Array;
  /** External signals in the order of `alphas`; NaN = none yet; times in `alphaTsNs`. */
  readonly alphas: Float64Array;
  readonly alphaTsNs: Float64Array;
  /** The instrument that the event is about. */
  instrument: number;
  /** Logical time, session ns. */
  nowNs: number;
  /** Of the last order event: slot (NO_ORDER when the table has let go of it), states, quantities. */
  orderSlot: number;
  orderClientSeq: number;
  orderStateBefore: number;
  orderState: number;
  orderSide: number;
  orderRejectCode: number;
  /** 0 for a report. */
  fillQtyLots: number;
  fillPxTicks: number;
  fillMaker: boolean;
  private readonly market: MarketView;
  private readonly ledger: Ledger;
  private readonly table: OrderTable;
  private readonly riskLimits: RiskLimits;
  private readonly storm: StormGuard;
  private readonly margin: MarginAccount;
  private readonly desk: OrderDesk;
  private readonly books: readonly (L2Book | null)[];
  private readonly lotsPerUnit: Float64Array;
  private readonly tickSteps: Float64Array;

  constructor(parts: ContextParts<P>) {
    this.strategy = parts.strategy;
    this.name = parts.name;
    this.instruments = parts.instruments;
    this.params = parts.params.values;
    this.factors = new Float64Array(new ArrayBuffer(4096), 0, parts.factorCount).fill(Number.NaN);
    this.alphas = new Float64Array(new ArrayBuffer(4096), 0, parts.alphaCount).fill(Number.NaN);
    this.alphaTsNs = new Float64Array(new ArrayBuffer(4096), 0, parts.alphaCount).fill(Number.NaN);
    this.instrument = parts.instruments[0] ?? 0;
    this.nowNs = 0;
    this.orderSlot = NO_ORDER;
    this.orderClientSeq = 0;
    this.orderStateBefore = 0;
    this.orderState = 0;
    this.orderSide = 0;
    this.orderRejectCode = 0;
    this.fillQtyLots = 0;
    this.fillPxTicks = 0;
    this.fillMaker = false;
    this.market = parts.market;
    this.ledger = parts.ledger;
    this.table = parts.table;
    this.riskLimits = parts.limits;
    this.storm = parts.storm;
    this.margin = parts.margin;
    this.desk = parts.desk;
    this.books = parts.books;
    this.lotsPerUnit = parts.lotsPerUnit;
    this.tickSteps = parts.tickStep;
  }

  /** NaN while that side is empty or unknown. */
  get bidPxTicks(): number {
    return this.market.bidPxTicks[this.instrument];
  }
  get bidQtyLots(): number {
    return this.market.bidQtyLots[this.instrument];
  }
  get askPxTicks(): number {
    return this.market.askPxTicks[this.instrument];
  }
  get askQtyLots(): number {
    return this.market.askQtyLots[this.instrument];
  }
  /** Half-integer. */
  get midTicks(): number {
    return this.market.midTicks(this.instrument);
  }
  get spreadTicks(): number {
    return this.askPxTicks - this.bidPxTicks;
  }
  /** NaN until known. */
  get markTicks(): number {
    return this.ledger.markTicks[this.instrument];
  }
  get lastTradePxTicks(): number {
    return this.market.lastTradePxTicks[this.instrument];
  }
  get lastTradeQtyLots(): number {
    return this.market.lastTradeQtyLots[this.instrument];
  }
  /** Aggressor: +1 buy, −1 sell, 0 none yet. */
  get lastTradeSide(): number {
    return this.market.lastTradeSide[this.instrument];
  }
  get fundingRateE8(): number {
    return this.market.fundingRateE8[this.instrument];
  }
  /** Book synced. */
  get synced(): boolean {
    return this.market.isSynced(this.instrument);
  }
  /** Own book of an orderbook.* subscription, else null. */
  get book(): L2Book | null {
    return this.books[this.instrument];
  }
  /** This strategy's position, signed lots. */
  get positionLots(): number {
    return this.ledger.qtyLots[this.ledger.pair(this.strategy, this.instrument)];
  }
  /** The account's net position, signed lots. */
  get netPositionLots(): number {
    return this.ledger.netLots[this.instrument];
  }
  /** Average price of the position; NaN when flat. */
  get averagePxTicks(): number {
    return this.ledger.averagePxTicks(this.strategy, this.instrument);
  }
  get unrealizedTickLots(): number {
    return this.ledger.unrealizedTickLots(this.strategy, this.instrument);
  }
  /** Tick·lots, before fees; exact below 2^53. */
  get realizedTickLots(): number {
    return this.ledger.realized.approximate(this.ledger.pair(this.strategy, this.instrument));
  }
  /** Result of this strategy as of the last timer or fill, 1e-8 of the settlement currency. */
  get resultE8(): number {
    return this.ledger.strategyResultE8[this.strategy];
  }
  /** Wallet of the account, 1e-8; NaN until known. */
  get walletE8(): number {
    return this.margin.walletE8;
  }
  /** STORM_… state. */
  get stormState(): number {
    return this.storm.state;
  }
  /** Order price step in ticks. */
  get tickStep(): number {
    return this.tickSteps[this.instrument];
  }
  /** Most lots that this strategy may hold on this instrument. */
  get maxPositionLots(): number {
    const pair = this.strategy * this.riskLimits.instruments + this.instrument;
    const mid = this.midTicks;
    const { positionLots, positionTickLots, inverse } = this.riskLimits;
    const byValue = mid > 0 ? lotsWithin(inverse[this.instrument], positionTickLots[pair], mid) : 0;
    return Math.min(positionLots[pair], byValue);
  }

  /** Value of a limit by its index in STRATEGY_LIMITS: 1e-8 of money or base units, or a count; −1 = none. */
  limit(index: number): number {
    return this.riskLimits.strategyLimit(this.strategy, index);
  }

  /** Lots of a quantity in base units, rounded down (exact for up to 8 decimals). */
  lots(quantity: number): number {
    return Math.floor((Math.round(quantity * 1e8) * this.lotsPerUnit[this.instrument]) / 1e8 + 1e-9);
  }

  /** Live orders of this strategy: `for (let o = ctx.firstBid; o !== NO_ORDER; o = ctx.nextOrder(o))`. */
  get firstBid(): number {
    return this.table.head(this.strategy, this.instrument, SIDE_BUY);
  }
  get firstAsk(): number {
    return this.table.head(this.strategy, this.instrument, SIDE_SELL);
  }
  nextOrder(slot: number): number {
    return this.table.next[slot];
  }
  orderPxTicks(slot: number): number {
    return this.table.pxTicks[slot];
  }
  orderLeavesLots(slot: number): number {
    return this.table.qtyLots[slot] - this.table.cumQtyLots[slot];
  }
  /** ORDER_… state. */
  stateOf(slot: number): number {
    return this.table.state[slot];
  }
  get workingOrders(): number {
    return this.table.liveOfStrategy[this.strategy];
  }

  /**
   * Places a limit order for ctx.instrument through the gate. Returns its slot, or NO_ORDER when it was denied
   * or not sent (the reason is in `lastDenyCode` and in `ctl why`).
   */
  place(side: number, pxTicks: number, qtyLots: number, tif: number, reduceOnly = false): number {
    return this.desk.place(
      this.strategy,
      this.instrument,
      side,
      pxTicks,
      qtyLots,
      tif,
      ORDER_TYPE_LIMIT,
      reduceOnly,
    );
  }
  /** Moves a working order; `qtyLots` is its new total quantity. False: denied, not sent, or not possible now. */
  modify(slot: number, pxTicks: number, qtyLots: number): boolean {
    return this.ownsOrder(slot) && this.desk.modify(slot, pxTicks, qtyLots);
  }
  /** The cancel is repeated until its outcome is proven. */
  cancel(slot: number): void {
    if (this.ownsOrder(slot)) this.desk.requestCancel(slot);
  }
  cancelAll(): void {
    this.desk.requestCancelOf(this.strategy, 0);
  }
  get lastDenyCode(): number {
    return this.desk.lastDenyCode;
  }

  private ownsOrder(slot: number): boolean {
    return slot !== NO_ORDER && this.table.isLive(slot) && this.table.strategy[slot] === this.strategy;
  }
}
