// A venue in plain code for tests of the execution handler: an order gateway whose reports and fills come back
// as records after a fixed delay, matched against a bbo that the test moves. Deterministic: seeded, no clock.

import { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, type RecordMemory, type RecordSink } from "../../../src/core/record.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { type OrderGateway, type OrderRequest, SEND_OK } from "../../../src/order/gateway.ts";
import { PrivateKillWord } from "../../../src/risk/kill-word.ts";
import type { RiskSettings } from "../../../src/risk/limits.ts";
import { ExecutionHandler } from "../../../src/strategy/execution-handler.ts";
import type { ExecutionOptions, StrategySetup } from "../../../src/strategy/execution-parts.ts";
import * as codes from "../../../src/wire/codes.ts";
import * as wire from "../../../src/wire/messages.gen.ts";

export const MS = 1e6;
export const NONCE = { lo: 7, hi: 1 };
export const TIMER_ID = 9;

/** Keeps a copy of every committed record. */
export class CollectSink implements RecordSink {
  readonly memory = allocateRecordMemory(64);
  readonly records: Uint8Array[] = [];
  full = false;
  private readonly slot = 8 * 64;

  hasRoom(): boolean {
    return !this.full;
  }
  tryClaim(): number {
    return this.slot;
  }
  commit(): void {
    this.records.push(this.memory.u8.slice(this.slot, this.slot + 64));
  }
  publish(): void {}

  /** Kinds of all records, in order. */
  kinds(): number[] {
    return this.records.map((r) => r[0]! | (r[1]! << 8));
  }
  /** Records of one kind as memories to wrap flyweights on (offset 0). */
  of(kind: number): RecordMemory[] {
    return this.records
      .filter((r) => (r[0]! | (r[1]! << 8)) === kind)
      .map((r) => {
        const m = allocateRecordMemory(64);
        m.u8.set(r, 0);
        return m;
      });
  }
}

export const RISK: RiskSettings = {
  freshnessMs: 3000,
  priceBandBps: 200,
  maxOrdersPer10s: 5000,
  maxOrdersPerMin: 30_000,
  cancelReserve: 5000,
  breakerRejects: 20,
  breakerWindowMs: 10_000,
  breakerPauseMs: 5000,
  resetMinuteUtc: 0,
  account: {
    maxPositionNotional: "500000",
    maxWorkingOrders: 200,
    dailyLossSoft: "250000",
    dailyLossHard: "400000",
    maxDrawdown: "400000",
    minMarginRatio: 1.5,
    maxLeverage: 20,
  },
  instrument: {
    maxOrderQty: "",
    maxOrderNotional: "50000",
    maxPositionQty: "",
    maxPositionNotional: "250000",
    maxWorkingOrders: 64,
  },
  strategy: {
    maxOrderNotional: "50000",
    maxPositionNotional: "200000",
    maxWorkingOrders: 32,
    dailyLoss: "250000",
  },
  storm: { warmLagMs: 250, stormLagMs: 1000, haltLagMs: 5000, holdMs: 1000, baselineMs: 600_000 },
};

export function instrument(id: number, over: Partial<Instrument> = {}): Instrument {
  return {
    id,
    venue: "test",
    symbol: id === 1 ? "BTCUSDT" : "ETHUSDT",
    base: "X",
    quote: "USDT",
    settle: "USDT",
    tickSize: "0.1",
    lotSize: "0.001",
    contractSize: "1",
    pxDecimals: 1,
    qtyDecimals: 3,
    minPxTicks: 1,
    maxPxTicks: 10_000_000,
    minQtyLots: 1,
    maxQtyLots: 1_000_000,
    minNotionalTickLots: 50_000,
    orderTickStep: 1,
    percentUpE8: 105_000_000,
    percentDownE8: 95_000_000,
    makerFeeE8: 20_000,
    takerFeeE8: 50_000,
    trading: true,
    ...over,
  };
}

interface VenueOrder extends OrderRequest {
  cum: number;
  live: boolean;
  id: number;
}

/** Delays, and how often things go wrong, per cent. */
export interface Manners {
  readonly delayNs: number;
  readonly rejectPercent: number;
  readonly unknownPercent: number;
  readonly fillFirstPercent: number;
  readonly partialPercent: number;
}

export const CALM: Manners = {
  delayNs: 2 * MS,
  rejectPercent: 0,
  unknownPercent: 0,
  fillFirstPercent: 0,
  partialPercent: 0,
};

export class FakeVenue implements OrderGateway {
  ready = true;
  /** What place, cancel and modify return next. */
  sendCode = SEND_OK;
  readonly orders = new Map<number, VenueOrder>();
  readonly log: string[] = [];
  /** Position and fees by instrument and by strategy as the venue counts them. */
  readonly lots = new Map<string, number>();
  readonly paid = new Map<string, bigint>();
  readonly fees = new Map<string, bigint>();
  fills = 0;
  cancelAlls = 0;
  reconciles = 0;
  silent = false;
  private readonly queue: { due: number; run: () => void }[] = [];
  private readonly prng: Prng;
  private readonly manners: Manners;
  private readonly rig: Rig;
  private nextId = 1;

  constructor(rig: Rig, seed: number, manners: Manners) {
    this.rig = rig;
    this.prng = new Prng(seed);
    this.manners = manners;
  }

  place(r: OrderRequest): number {
    if (this.sendCode !== SEND_OK) return this.sendCode;
    const order: VenueOrder = { ...r, cum: 0, live: false, id: this.nextId++ };
    this.log.push(`place ${r.clientSeq} ${r.side} ${r.pxTicks} ${r.qtyLots}`);
    if (this.orders.has(r.clientSeq)) throw new Error("client id used twice");
    this.orders.set(r.clientSeq, order);
    this.later(() => {
      if (this.chance(this.manners.rejectPercent))
        return this.report(order, codes.EXEC_REJECTED, codes.ORDER_REJECTED);
      if (this.chance(this.manners.unknownPercent)) this.unknown(order);
      order.live = true;
      this.report(order, codes.EXEC_NEW, codes.ORDER_WORKING);
    });
    return SEND_OK;
  }

  cancel(r: OrderRequest): number {
    if (this.sendCode !== SEND_OK) return this.sendCode;
    this.log.push(`cancel ${r.clientSeq}`);
    const order = this.orders.get(r.clientSeq)!;
    this.later(() => {
      if (!order.live) return this.report(order, codes.EXEC_CANCEL_REJECTED, codes.ORDER_NONE);
      this.end(order);
    });
    return SEND_OK;
  }

  modify(r: OrderRequest): number {
    if (this.sendCode !== SEND_OK) return this.sendCode;
    this.log.push(`modify ${r.clientSeq} ${r.pxTicks} ${r.qtyLots}`);
    const order = this.orders.get(r.clientSeq)!;
    const { pxTicks, qtyLots } = r;
    this.later(() => {
      if (!order.live || qtyLots <= order.cum)
        return this.report(order, codes.EXEC_MODIFY_REJECTED, codes.ORDER_NONE);
      order.pxTicks = pxTicks;
      order.qtyLots = qtyLots;
      this.report(order, codes.EXEC_AMENDED, codes.ORDER_WORKING);
    });
    return SEND_OK;
  }

  reconcile(): void {
    this.reconciles++;
  }

  cancelAll(instrumentId: number): number {
    if (this.sendCode !== SEND_OK) return this.sendCode;
    this.cancelAlls++;
    this.later(() => {
      for (const order of this.orders.values())
        if (order.live && order.instrument === instrumentId) this.end(order);
    });
    return SEND_OK;
  }

  /** Delivers what is due. */
  poll(nowNs: number): void {
    while (this.queue.length > 0 && this.queue[0]!.due <= nowNs) this.queue.shift()!.run();
  }

  /** Trades against orders that the new touch reaches. */
  match(instrumentId: number, bid: number, ask: number): void {
    for (const order of this.orders.values()) {
      if (!order.live || order.instrument !== instrumentId) continue;
      const hit = order.side === codes.SIDE_BUY ? ask <= order.pxTicks : bid >= order.pxTicks;
      if (hit)
        this.fill(
          order,
          this.chance(this.manners.partialPercent) ? Math.ceil((order.qtyLots - order.cum) / 2) : 0,
        );
    }
  }

  /** Live orders at the venue. */
  live(): VenueOrder[] {
    return [...this.orders.values()].filter((o) => o.live);
  }

  fill(order: VenueOrder, part = 0): void {
    const lots = part > 0 ? part : order.qtyLots - order.cum;
    order.cum += lots;
    const whole = order.cum === order.qtyLots;
    if (whole) order.live = false;
    this.fills++;
    const tradeId = this.fills;
    const state = whole ? codes.ORDER_FILLED : codes.ORDER_PARTIALLY_FILLED;
    const key = `${order.strategy}/${order.instrument}`;
    const signed = order.side === codes.SIDE_BUY ? lots : -lots;
    this.lots.set(key, (this.lots.get(key) ?? 0) + signed);
    this.paid.set(key, (this.paid.get(key) ?? 0n) + BigInt(signed) * BigInt(order.pxTicks));
    const feeE8 = lots * 1000 + tradeId;
    this.fees.set(key, (this.fees.get(key) ?? 0n) + BigInt(feeE8));
    const { cum, pxTicks } = order;
    const send = () => this.rig.fillRecord(order, lots, pxTicks, tradeId, feeE8);
    if (this.chance(this.manners.fillFirstPercent)) {
      this.later(send);
      this.later(() => this.report(order, codes.EXEC_TRADE, state, cum));
    } else {
      this.later(() => this.report(order, codes.EXEC_TRADE, state, cum));
      this.later(send);
      if (this.chance(this.manners.fillFirstPercent)) this.later(send);
    }
  }

  private end(order: VenueOrder): void {
    order.live = false;
    this.report(order, codes.EXEC_CANCELED, codes.ORDER_CANCELED);
  }

  /** A time-out first; the truth follows 20 ms later. */
  private unknown(order: VenueOrder): void {
    this.rig.reportRecord(order, codes.EXEC_UNKNOWN, codes.ORDER_UNKNOWN, 0);
  }

  private report(order: VenueOrder, exec: number, state: number, cum = order.cum): void {
    this.rig.reportRecord(order, exec, state, cum);
  }

  private later(run: () => void): void {
    if (this.silent) return;
    this.queue.push({ due: this.rig.nowNs + this.manners.delayNs, run });
  }

  private chance(percent: number): boolean {
    return percent > 0 && this.prng.nextBelow(100) < percent;
  }
}

/** A handler with its venue, sinks and a market that the test drives. */
export class Rig {
  readonly orders = new CollectSink();
  readonly telemetry = new CollectSink();
  readonly killWord = new PrivateKillWord();
  readonly kills: number[] = [];
  readonly exceptions: unknown[] = [];
  readonly handler: ExecutionHandler;
  readonly venue: FakeVenue;
  readonly m = allocateRecordMemory(64);
  nowNs = 1000 * MS;
  private sequence = 0;

  constructor(
    strategies: readonly StrategySetup[],
    over: Partial<ExecutionOptions> = {},
    manners: Manners = CALM,
    seed = 1,
  ) {
    this.venue = new FakeVenue(this, seed, manners);
    this.handler = new ExecutionHandler({
      instruments: [instrument(1), instrument(2)],
      strategies,
      risk: RISK,
      assets: ["", "USDT", "BNB"],
      nonceLo: NONCE.lo,
      nonceHi: NONCE.hi,
      maxOrders: 256,
      gateway: this.venue,
      orders: this.orders,
      telemetry: this.telemetry,
      killWord: this.killWord,
      latchKill: (reason) => this.kills.push(reason),
      stampNs: () => 0,
      timerId: TIMER_ID,
      onException: (_strategy, error) => this.exceptions.push(error),
      ...over,
    });
  }

  bbo(
    id: number,
    bid: number,
    ask: number,
    flags = wire.FLAG_END_OF_EVENT,
    exchTsNs = this.nowNs - MS,
  ): void {
    wire.encodeBbo(this.m, 0, flags, id, 0, this.next(), 0, exchTsNs, this.nowNs, bid, 5000, ask, 5000);
    this.handler.onRecord(this.m, 0);
  }

  signal(id: number, first: number, values: readonly number[], flags = wire.FLAG_END_OF_EVENT): void {
    const [a = 0, b = 0, c = 0] = values;
    wire.encodeSignal(this.m, 0, flags, id, 0, this.next(), 0, 0, this.nowNs, first, values.length, a, b, c);
    this.handler.onRecord(this.m, 0);
  }

  status(id: number, state: number): void {
    wire.encodeFeedStatus(
      this.m,
      0,
      wire.FLAG_END_OF_EVENT,
      id,
      0,
      this.next(),
      0,
      0,
      this.nowNs,
      state,
      0,
      0,
      0,
      0,
      0,
      0,
    );
    this.handler.onRecord(this.m, 0);
  }

  mark(id: number, px: number): void {
    wire.encodeMarkPrice(this.m, 0, 1, id, 0, this.next(), 0, 0, this.nowNs, px * 1e7, px * 1e7, 0, 0);
    this.handler.onRecord(this.m, 0);
  }

  timer(): void {
    wire.encodeTimer(this.m, 0, 0, 0, 0, this.next(), 0, 0, this.nowNs, TIMER_ID, 10 * MS, this.nowNs);
    this.handler.onRecord(this.m, 0);
  }

  kill(state: number): void {
    this.killWord.state = state as 0;
    wire.encodeObservation(
      this.m,
      0,
      0,
      0,
      0,
      this.next(),
      0,
      0,
      this.nowNs,
      codes.OBSERVED_KILL_WORD,
      state,
      0,
      0,
    );
    this.handler.onRecord(this.m, 0);
  }

  /** Returns the result of the reply to this command, or −1 while there is none. */
  control(code: number, target: number, arg0 = 0, arg1 = 0): () => number {
    const id = this.next();
    wire.encodeControl(this.m, 0, 0, 0, 0, id, 0, 0, this.nowNs, code, id, target, 0, arg0, arg1);
    this.handler.onRecord(this.m, 0);
    return () => {
      const reply = this.orders
        .of(wire.KIND_CONTROL_REPLY)
        .map((m) => new wire.ControlReply(m).wrap(m, 0))
        .find((r) => r.commandId === id);
      return reply === undefined ? -1 : reply.result;
    };
  }

  reportRecord(
    o: {
      clientSeq: number;
      instrument: number;
      strategy: number;
      side: number;
      pxTicks: number;
      qtyLots: number;
      id: number;
    },
    exec: number,
    state: number,
    cum: number,
    nonceLo = NONCE.lo,
  ): void {
    const sequence = this.next();
    wire.encodeOrderReport(
      this.m,
      0,
      wire.FLAG_MORE,
      o.instrument,
      o.strategy,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      o.clientSeq,
      exec,
      state,
      0,
      o.side,
      o.pxTicks,
      o.qtyLots,
      cum,
    );
    this.handler.onRecord(this.m, 0);
    wire.encodeOrderReportDetail(
      this.m,
      0,
      wire.FLAG_CONTINUATION,
      o.instrument,
      o.strategy,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      o.id,
      0,
      nonceLo,
      NONCE.hi,
      0,
      0,
      this.nowNs,
    );
    this.handler.onRecord(this.m, 0);
  }

  fillRecord(
    o: { clientSeq: number; instrument: number; strategy: number; side: number; id: number },
    lots: number,
    px: number,
    tradeId: number,
    feeE8: number,
    nonceLo = NONCE.lo,
    nonceHi = NONCE.hi,
  ): void {
    const sequence = this.next();
    wire.encodeFill(
      this.m,
      0,
      wire.FLAG_MORE,
      o.instrument,
      o.strategy,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      o.clientSeq,
      o.side,
      1,
      0,
      1,
      px,
      lots,
      tradeId,
      0,
    );
    this.handler.onRecord(this.m, 0);
    wire.encodeFillDetail(
      this.m,
      0,
      wire.FLAG_CONTINUATION,
      o.instrument,
      o.strategy,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      o.id,
      0,
      nonceLo,
      nonceHi,
      feeE8,
      Number.NaN,
    );
    this.handler.onRecord(this.m, 0);
  }

  venuePosition(id: number, lots: number, cost: number, flags: number): void {
    const sequence = this.next();
    wire.encodePosition(
      this.m,
      0,
      flags | wire.FLAG_MORE,
      id,
      0,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      lots,
      cost,
      0,
      0,
    );
    this.handler.onRecord(this.m, 0);
    wire.encodePositionDetail(
      this.m,
      0,
      flags | wire.FLAG_CONTINUATION,
      id,
      0,
      sequence,
      0,
      this.nowNs,
      this.nowNs,
      0,
      0,
      0,
      Number.NaN,
    );
    this.handler.onRecord(this.m, 0);
  }

  balance(walletE8: number): void {
    wire.encodeBalance(this.m, 0, 0, 0, 0, this.next(), 0, 0, this.nowNs, walletE8, walletE8, 0, 1, 0);
    this.handler.onRecord(this.m, 0);
  }

  /** Synced books with a touch, account reconciled: strategies run. */
  start(bid = 600_000, ask = 600_001): void {
    this.balance(1e14);
    this.status(1, codes.FEED_SYNCED);
    this.status(2, codes.FEED_SYNCED);
    this.bbo(1, bid, ask);
    this.bbo(2, bid, ask);
    this.status(0, codes.FEED_SYNCED);
  }

  /** Lets time pass in steps of 1 ms, a timer every 10 ms, the venue's answers when they are due. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.nowNs += MS;
      this.venue.poll(this.nowNs);
      if (Math.round(this.nowNs / MS) % 10 === 0) this.timer();
    }
  }

  private next(): number {
    return ++this.sequence;
  }
}
