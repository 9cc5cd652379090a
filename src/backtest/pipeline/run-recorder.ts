// Collects a default-mode run as a RunResult: states on a grid of logical time, orders and fills as the exchange
// and its reports tell them. Cold, but for one comparison per event.

import {
  FILL_COLUMNS,
  makeTables,
  ORDER_COLUMNS,
  type ResultInstrument,
  type RunResult,
  STATE_COLUMNS,
} from "../../analytics/run-result.ts";
import type { ExchangeObserver, ModelFill } from "../../exchange/model-exchange.ts";
import type { Instrument } from "../../market/instrument.ts";
import { moneyUnit } from "../../market/instrument.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import type { ExecutionHandler } from "../../strategy/execution-handler.ts";
import {
  ACTION_PLACE,
  EXEC_AMENDED,
  EXEC_CANCEL_REJECTED,
  EXEC_MODIFY_REJECTED,
  ORDER_FILLED,
  ORDER_PENDING_NEW,
  SIDE_BUY,
} from "../../wire/codes.ts";
import { FillAccount } from "./fill-account.ts";
import { FillMidsQueue } from "./fill-mids-queue.ts";

const NEVER = Number.POSITIVE_INFINITY;
const S = placesOf(STATE_COLUMNS);
const O = placesOf(ORDER_COLUMNS);
const F = placesOf(FILL_COLUMNS);

export interface RecorderMarket {
  readonly instrument: Instrument;
}

export interface RecorderOptions {
  readonly markets: readonly RecorderMarket[];
  readonly strategies: readonly string[];
  /** Interval of the state rows, ns; Infinity: only `record` makes rows. */
  readonly stateIntervalNs: number;
}

export class RunRecorder implements ExchangeObserver {
  /** The next instant at which a state row is to be written. */
  dueNs = NEVER;
  private readonly tables = makeTables();
  /** Mids that fills wait for; whoever runs the exchange's market takes them. */
  readonly mids = new FillMidsQueue(this.tables.fills);
  private readonly options: RecorderOptions;
  private readonly instruments: readonly ResultInstrument[];
  private readonly accounts: readonly FillAccount[];
  /** 1e-8 tick·lots in the settlement currency. */
  private readonly fundingUnits: readonly number[];
  private readonly orderRows = new Map<number, number>();
  private execution: ExecutionHandler | null = null;
  private startNs = Number.NaN;
  /** Rows of fills that have reached the accounts. */
  private heard = 0;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.instruments = options.markets.map(({ instrument }, index) => ({
      index,
      symbol: instrument.symbol,
      currency: instrument.settle,
      tickSize: Number(instrument.tickSize),
      lotSize: Number(instrument.lotSize),
      contractSize: Number(instrument.contractSize),
      kind: instrument.inverse === true ? "inverse" : "linear",
    }));
    this.fundingUnits = options.markets.map(({ instrument }) => {
      const { mantissa, decimals } = moneyUnit(instrument);
      return Number(mantissa) / 10 ** (decimals + 8);
    });
    this.accounts = options.markets.map((m) => new FillAccount(m.instrument));
  }

  start(execution: ExecutionHandler, tsNs: number): void {
    this.execution = execution;
    this.startNs = tsNs;
    const { stateIntervalNs } = this.options;
    if (Number.isFinite(stateIntervalNs)) this.dueNs = Math.ceil(tsNs / stateIntervalNs) * stateIntervalNs;
  }

  /** Time is about to pass `tsNs`: writes what falls due before, with the market as it was. */
  advance(tsNs: number): void {
    while (this.dueNs < tsNs) {
      this.record(this.dueNs);
      this.dueNs += this.options.stateIntervalNs;
    }
  }

  finish(tsNs: number, rest: Pick<RunResult, "baseNs" | "rows" | "startBalance" | "failure">): RunResult {
    this.advance(tsNs);
    this.record(tsNs);
    return {
      mode: "default",
      ...rest,
      startTsNs: this.startNs,
      endTsNs: tsNs,
      instruments: this.instruments,
      strategies: this.options.strategies,
      ...this.tables,
      returnCode: null,
    };
  }

  /** The account of one instrument as the trader knows it at `tsNs`; time does not go back. */
  account(instrument: number, tsNs: number): FillAccount {
    this.hearFills(tsNs);
    return this.accounts[instrument - 1]!;
  }

  // --- the exchange tells ---------------------------------------------------------------------------------

  onRequest(request: OrderRequest, action: number, tsNs: number): void {
    if (action !== ACTION_PLACE) return;
    const { orders } = this.tables;
    const row = orders.add();
    this.orderRows.set(request.clientSeq, row);
    orders.set(row, O.instrument, request.instrument - 1);
    orders.set(row, O.strategy, request.strategy);
    orders.set(row, O.orderId, request.clientSeq);
    orders.set(row, O.side, request.side === SIDE_BUY ? 1 : -1);
    orders.set(row, O.type, request.orderType);
    orders.set(row, O.tif, request.tif);
    orders.set(row, O.pxTicks, request.pxTicks);
    orders.set(row, O.qtyLots, request.qtyLots);
    orders.set(row, O.requestTsNs, tsNs);
    orders.set(row, O.state, ORDER_PENDING_NEW);
    orders.set(row, O.filledLots, 0);
    orders.set(row, O.amends, 0);
    orders.set(row, O.rejectCode, 0);
  }

  onFill(fill: ModelFill): void {
    const { fills, orders } = this.tables;
    const row = fills.add();
    fills.set(row, F.instrument, fill.instrument - 1);
    fills.set(row, F.strategy, fill.strategy);
    fills.set(row, F.orderId, fill.clientSeq);
    fills.set(row, F.side, fill.side === SIDE_BUY ? 1 : -1);
    fills.set(row, F.pxTicks, fill.pxTicks);
    fills.set(row, F.qtyLots, fill.qtyLots);
    fills.set(row, F.maker, fill.maker ? 1 : 0);
    fills.set(row, F.exchTsNs, fill.exchNs);
    fills.set(row, F.localTsNs, fill.arrivalNs);
    fills.set(row, F.fee, fill.feeE8 / 1e8);
    fills.set(row, F.queueWaitNs, fill.exchNs - fill.restedNs);
    this.mids.push(row, fill.exchNs);
    const at = this.orderRows.get(fill.clientSeq);
    if (at !== undefined) orders.set(at, O.filledLots, orders.get(at, O.filledLots) + fill.qtyLots);
  }

  onReport(
    clientSeq: number,
    execType: number,
    orderState: number,
    rejectCode: number,
    exchNs: number,
    arrivalNs: number,
  ): void {
    const row = this.orderRows.get(clientSeq);
    if (row === undefined) return;
    const { orders } = this.tables;
    if (Number.isNaN(orders.get(row, O.responseTsNs))) {
      orders.set(row, O.exchTsNs, exchNs);
      orders.set(row, O.responseTsNs, arrivalNs);
    }
    // The order itself is as it was.
    if (execType === EXEC_CANCEL_REJECTED || execType === EXEC_MODIFY_REJECTED) return;
    if (execType === EXEC_AMENDED) orders.set(row, O.amends, orders.get(row, O.amends) + 1);
    orders.set(row, O.state, orderState);
    orders.set(row, O.rejectCode, rejectCode);
    if (orderState < ORDER_FILLED) return;
    orders.set(row, O.endTsNs, exchNs);
    this.orderRows.delete(clientSeq);
  }

  /** Fills whose report has arrived reach the accounts, in the order of arrival. */
  private hearFills(tsNs: number): void {
    const { fills } = this.tables;
    while (this.heard < fills.rows && fills.get(this.heard, F.localTsNs) <= tsNs) {
      const row = this.heard++;
      const account = this.accounts[fills.get(row, F.instrument)]!;
      account.book(
        fills.get(row, F.side),
        fills.get(row, F.pxTicks),
        fills.get(row, F.qtyLots),
        Math.round(fills.get(row, F.fee) * 1e8),
      );
    }
  }

  // --- rows -----------------------------------------------------------------------------------------------

  /** Appends the present state of every instrument. */
  record(tsNs: number): void {
    this.hearFills(tsNs);
    const { states } = this.tables;
    const { market, ledger } = this.execution!.parts;
    for (const { index, tickSize } of this.instruments) {
      const account = this.accounts[index]!;
      const mid = market.midTicks(index + 1) * tickSize;
      const funding = this.fundingOf(index + 1, ledger.strategies);
      const row = states.add();
      states.set(row, S.tsNs, tsNs);
      states.set(row, S.instrument, index);
      states.set(row, S.mid, mid);
      states.set(row, S.position, account.position);
      states.set(row, S.balance, account.balance);
      states.set(row, S.fee, account.fee);
      states.set(row, S.funding, funding);
      states.set(row, S.numTrades, account.numTrades);
      states.set(row, S.tradingVolume, account.tradingVolume);
      states.set(row, S.tradingValue, account.tradingValue);
      states.set(row, S.equity, account.equity(mid) + funding);
    }
  }

  private fundingOf(instrument: number, strategies: number): number {
    const { ledger } = this.execution!.parts;
    let sum = 0;
    for (let s = 0; s < strategies; s++) sum += ledger.funding.approximate(ledger.pair(s, instrument));
    return sum * this.fundingUnits[instrument - 1]!;
  }
}

function placesOf<C extends string>(names: readonly C[]): Record<C, number> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<C, number>;
}
