// Collects a compat run as a RunResult: states at each record(), orders and fills as the exchange side makes
// them (so also the partial fills that hftbacktest's own account loses: states show its figures, fills what
// happened). Cold: per request, response and fill.

import {
  FILL_COLUMNS,
  type FillColumn,
  makeTables,
  ORDER_COLUMNS,
  type OrderColumn,
  type ResultInstrument,
  type RunResult,
  STATE_COLUMNS,
  type StateColumn,
} from "../../analytics/run-result.ts";
import {
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_NEW,
  STATUS_PARTIALLY_FILLED,
} from "../../exchange/compat/codes.ts";
import type { CompatOrder } from "../../exchange/compat/compat-order.ts";
import type { OrderWitness } from "../../exchange/compat/order-witness.ts";
import {
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_NONE,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_NEW,
  ORDER_WORKING,
} from "../../wire/codes.ts";
import type { CompatAssetOptions } from "./compat-asset.ts";
import type { CompatBacktest } from "./compat-backtest.ts";
import { type AssetName, COMPAT_VERSION } from "./compat-config.ts";

const S = columnsOf(STATE_COLUMNS);
const O = columnsOf(ORDER_COLUMNS);
const F = columnsOf(FILL_COLUMNS);

/** hftbacktest's status → ORDER_… */
const STATES = new Map([
  [STATUS_NEW, ORDER_WORKING],
  [STATUS_PARTIALLY_FILLED, ORDER_PARTIALLY_FILLED],
  [STATUS_FILLED, ORDER_FILLED],
  [STATUS_CANCELED, ORDER_CANCELED],
  [STATUS_EXPIRED, ORDER_EXPIRED],
]);

export class CompatRecorder {
  private readonly tables = makeTables();
  private readonly instruments: readonly ResultInstrument[];
  private readonly witnesses: readonly AssetWitness[];
  private startTsNs = Number.NaN;

  constructor(assets: readonly CompatAssetOptions[], names: readonly AssetName[]) {
    this.instruments = assets.map((asset, index) => ({
      index,
      ...names[index]!,
      tickSize: asset.tickSize,
      lotSize: asset.lotSize,
      contractSize: asset.contractSize ?? 1,
      kind: asset.assetKind ?? "linear",
    }));
    this.witnesses = assets.map((asset, index) => new AssetWitness(index, asset, this.tables));
  }

  /** What the backtest is made with, by asset. */
  witness(asset: number): OrderWitness {
    return this.witnesses[asset]!;
  }

  /** Appends the present state of every asset; price = mid, NaN on an empty side. */
  record(backtest: CompatBacktest): void {
    if (Number.isNaN(this.startTsNs)) this.startTsNs = backtest.currentTsNs;
    const { states } = this.tables;
    for (let asset = 0; asset < this.instruments.length; asset++) {
      const depth = backtest.depth(asset);
      const state = backtest.stateValues(asset);
      const mid = (depth.bestBid + depth.bestAsk) / 2;
      const row = states.add();
      states.set(row, S.tsNs, backtest.currentTsNs);
      states.set(row, S.instrument, asset);
      states.set(row, S.mid, mid);
      states.set(row, S.position, state.position);
      states.set(row, S.balance, state.balance);
      states.set(row, S.fee, state.fee);
      states.set(row, S.funding, 0);
      states.set(row, S.numTrades, state.numTrades);
      states.set(row, S.tradingVolume, state.tradingVolume);
      states.set(row, S.tradingValue, state.tradingValue);
      states.set(row, S.equity, backtest.equity(asset, mid));
    }
  }

  /** The mids around fills are left open: fill-mids.ts. */
  finish(backtest: CompatBacktest, returnCode: number): RunResult {
    const endTsNs = backtest.currentTsNs;
    return {
      mode: COMPAT_VERSION,
      baseNs: backtest.baseNs,
      startTsNs: this.startTsNs,
      // A fault before the first event: no time has passed.
      endTsNs: Number.isFinite(endTsNs) ? endTsNs : 0,
      rows: backtest.rows,
      instruments: this.instruments,
      strategies: ["strategy"],
      startBalance: {},
      ...this.tables,
      returnCode,
      failure: backtest.dataError?.message ?? null,
    };
  }
}

/** Watches one asset; rows of orders and fills by hftbacktest's order id. */
class AssetWitness implements OrderWitness {
  private readonly asset: number;
  private readonly options: CompatAssetOptions;
  private readonly tables: ReturnType<typeof makeTables>;
  private readonly rows = new Map<number, number>();
  private readonly restingSince = new Map<number, number>();
  /** Fills whose report is not on its way yet. */
  private unreported: { readonly id: number; readonly row: number }[] = [];

  constructor(asset: number, options: CompatAssetOptions, tables: ReturnType<typeof makeTables>) {
    this.asset = asset;
    this.options = options;
    this.tables = tables;
  }

  onSubmit(order: CompatOrder, now: number): void {
    const { orders } = this.tables;
    const row = orders.add();
    this.rows.set(order.id, row);
    orders.set(row, O.instrument, this.asset);
    orders.set(row, O.strategy, 1);
    orders.set(row, O.orderId, order.id);
    orders.set(row, O.side, order.side);
    orders.set(row, O.type, order.type);
    orders.set(row, O.tif, order.tif);
    orders.set(row, O.pxTicks, order.tick);
    orders.set(row, O.qtyLots, this.lots(order.qty));
    orders.set(row, O.requestTsNs, now);
    orders.set(row, O.state, ORDER_PENDING_NEW);
    orders.set(row, O.filledLots, 0);
    orders.set(row, O.amends, 0);
    orders.set(row, O.rejectCode, 0);
  }

  onFill(order: CompatOrder, ts: number): void {
    const { fills, orders } = this.tables;
    const row = fills.add();
    const { makerFee = 0, takerFee = 0, feeKind = "value", assetKind, contractSize = 1 } = this.options;
    const px = order.execTick * this.options.tickSize;
    const value =
      assetKind === "inverse" ? (contractSize * order.execQty) / px : contractSize * px * order.execQty;
    const rate = order.maker ? makerFee : takerFee;
    fills.set(row, F.instrument, this.asset);
    fills.set(row, F.strategy, 1);
    fills.set(row, F.orderId, order.id);
    fills.set(row, F.side, order.side);
    fills.set(row, F.pxTicks, order.execTick);
    fills.set(row, F.qtyLots, this.lots(order.execQty));
    fills.set(row, F.maker, order.maker ? 1 : 0);
    fills.set(row, F.exchTsNs, ts);
    fills.set(
      row,
      F.fee,
      feeKind === "value" ? rate * value : feeKind === "qty" ? rate * order.execQty : rate,
    );
    if (order.maker) fills.set(row, F.queueWaitNs, ts - (this.restingSince.get(order.id) ?? Number.NaN));
    this.unreported.push({ id: order.id, row });
    const at = this.rows.get(order.id);
    if (at !== undefined)
      orders.set(at, O.filledLots, orders.get(at, O.filledLots) + this.lots(order.execQty));
  }

  onResponse(order: CompatOrder, arrival: number): void {
    const { fills, orders } = this.tables;
    for (const fill of this.unreported) if (fill.id === order.id) fills.set(fill.row, F.localTsNs, arrival);
    this.unreported = this.unreported.filter((fill) => fill.id !== order.id);
    const row = this.rows.get(order.id);
    if (row === undefined) return;
    if (Number.isNaN(orders.get(row, O.exchTsNs))) {
      orders.set(row, O.exchTsNs, order.exchTs);
      orders.set(row, O.responseTsNs, arrival);
    }
    const state = STATES.get(order.status) ?? ORDER_NONE;
    if (state === ORDER_WORKING && !this.restingSince.has(order.id))
      this.restingSince.set(order.id, order.exchTs);
    if (state !== ORDER_NONE) orders.set(row, O.state, state);
    if (state >= ORDER_FILLED) {
      orders.set(row, O.endTsNs, order.exchTs);
      this.restingSince.delete(order.id);
    }
  }

  onAmended(order: CompatOrder, ts: number): void {
    const row = this.rows.get(order.id);
    if (row !== undefined) this.tables.orders.set(row, O.amends, this.tables.orders.get(row, O.amends) + 1);
    this.restingSince.set(order.id, ts);
  }

  private lots(qty: number): number {
    return Math.round(qty / this.options.lotSize);
  }
}

function columnsOf<C extends StateColumn | OrderColumn | FillColumn>(names: readonly C[]): Record<C, number> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<C, number>;
}
