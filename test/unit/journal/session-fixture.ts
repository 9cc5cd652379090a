// Random sessions of orders, fills and positions for the tests of recovery, with the truth beside them.
import type { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../../../src/core/record.ts";
import { writeManifest } from "../../../src/journal/session-manifest.ts";
import type { WalWriter } from "../../../src/journal/wal-writer.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import * as codes from "../../../src/wire/codes.ts";
import {
  encodeFill,
  encodeFillDetail,
  encodeOrderReport,
  encodeOrderReportDetail,
  encodeOrderSent,
  encodeOrderStamps,
  encodePosition,
  encodePositionDetail,
  encodeTrade,
  FLAG_CONTINUATION,
  FLAG_MORE,
} from "../../../src/wire/messages.gen.ts";
import { BASE_NS, makeSession, makeWriter } from "./wal-fixture.ts";

export const INSTRUMENT: Instrument = {
  id: 1,
  venue: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.1",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 1,
  qtyDecimals: 3,
  minPxTicks: 1,
  maxPxTicks: 1e7,
  minQtyLots: 1,
  maxQtyLots: 1e6,
  minNotionalTickLots: 0,
  orderTickStep: 1,
  percentUpE8: 0,
  percentDownE8: 0,
  makerFeeE8: 0,
  takerFeeE8: 0,
  trading: true,
};

const SYMBOLS = ["BTCUSDT", "ETHUSDT"] as const;
const STRATEGIES = ["house", "obi-mm", "tick-mm"] as const;

/** Journals one session's records and keeps the truth beside it, by names. */
export class Session {
  readonly memory: RecordMemory = allocateRecordMemory(8);
  readonly writer: WalWriter;
  readonly truth: Truth;
  readonly prng: Prng;
  readonly nonce: bigint;
  /** id → name; other sessions number them otherwise. */
  readonly symbols: readonly string[];
  readonly nonceLo: number;
  clientSeq = 0;
  private staged = 0;

  constructor(dir: string, truth: Truth, prng: Prng, number: number) {
    this.truth = truth;
    this.prng = prng;
    this.nonceLo = 1000 + number;
    this.nonce = (0x1234n << 32n) | BigInt(this.nonceLo);
    this.symbols = number % 2 === 0 ? ["", ...SYMBOLS] : ["", SYMBOLS[1], SYMBOLS[0]];
    const session = makeSession(this.nonceLo, 3600 + number * 60);
    this.writer = makeWriter(dir, { session, startPosition: truth.records, segmentBytes: 16_384 }).writer;
    this.writer.open();
    writeManifest(dir, {
      session: session.name,
      env: "sim",
      schemaVersion: 1,
      baseNs: BASE_NS.toString(),
      createdUnixNs: BASE_NS.toString(),
      nonceLo: session.nonceLo,
      nonceHi: session.nonceHi,
      instruments: this.symbols.slice(1).map((symbol, i) => ({ ...INSTRUMENT, id: i + 1, symbol })),
      strategies: STRATEGIES,
      streams: { 1: "market", 2: "orders" },
    });
  }

  step(): void {
    const instrument = 1 + this.prng.nextBelow(2);
    const strategy = 1 + this.prng.nextBelow(2);
    const choice = this.prng.nextBelow(6);
    if (choice === 0) this.trade(instrument);
    else if (choice === 1) this.place(instrument, strategy);
    else if (choice === 2) this.report();
    else if (choice === 3) this.fill(instrument, strategy);
    else if (choice === 4) this.position(instrument, strategy);
    else this.request();
    if (this.prng.nextBelow(4) === 0) this.writer.flush();
  }

  private stage(records: number): void {
    if (this.writer.room() < records) this.writer.flush();
    this.writer.stage(2, this.memory, 0, records, 0, records);
    this.truth.records += records;
    this.staged += records;
  }

  private trade(instrument: number): void {
    encodeTrade(this.memory, 0, 1, instrument, 0, 0, 0, 5, 6, 100, 1, 1, 0, 7, 0);
    this.stage(1);
  }

  private place(instrument: number, strategy: number): void {
    const seq = ++this.clientSeq;
    const px = this.prng.nextBelow(1000);
    encodeOrderSent(
      this.memory,
      0,
      FLAG_MORE,
      instrument,
      strategy,
      0,
      0,
      0,
      6,
      seq,
      codes.ACTION_PLACE,
      1,
      codes.TIF_GTX,
      0,
      px,
      10,
      5,
    );
    encodeOrderStamps(
      this.memory,
      RECORD_BYTES,
      FLAG_CONTINUATION,
      instrument,
      strategy,
      0,
      0,
      0,
      6,
      1,
      2,
      3,
      4,
    );
    this.stage(2);
    this.truth.orders.set(`${this.nonce}:${seq}`, {
      symbol: this.symbols[instrument]!,
      strategy: STRATEGIES[strategy]!,
      pxTicks: px,
      qtyLots: 10,
      cumQtyLots: 0,
      state: codes.ORDER_PENDING_NEW,
      venueOrderId: 0n,
    });
  }

  private request(): void {
    const [key, order] = this.pick();
    if (key === undefined || order === undefined) return;
    const seq = Number(key.split(":")[1]);
    const cancel = this.prng.nextBelow(2) === 0;
    const action = cancel ? codes.ACTION_CANCEL : codes.ACTION_MODIFY;
    encodeOrderSent(
      this.memory,
      0,
      FLAG_MORE,
      this.symbols.indexOf(order.symbol),
      1,
      0,
      0,
      0,
      6,
      seq,
      action,
      1,
      0,
      0,
      5,
      5,
      5,
    );
    encodeOrderStamps(this.memory, RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 0, 6, 1, 2, 3, 4);
    this.stage(2);
    order.state = cancel ? codes.ORDER_PENDING_CANCEL : codes.ORDER_PENDING_MODIFY;
  }

  private report(): void {
    const [key, order] = this.pick();
    if (key === undefined || order === undefined) return;
    const seq = Number(key.split(":")[1]);
    const state = [codes.ORDER_WORKING, codes.ORDER_CANCELED, codes.ORDER_UNKNOWN, codes.ORDER_FILLED][
      this.prng.nextBelow(4)
    ]!;
    const amended = this.prng.nextBelow(3) === 0;
    const venueOrderId = (BigInt(this.prng.nextU32()) << 32n) | BigInt(this.prng.nextU32());
    const px = this.prng.nextBelow(1000);
    const cum = this.prng.nextBelow(10);
    const exec = amended ? codes.EXEC_AMENDED : codes.EXEC_NEW;
    const [lo, hi] = [Number(venueOrderId & 0xffffffffn), Number(venueOrderId >> 32n)];
    encodeOrderReport(
      this.memory,
      0,
      FLAG_MORE,
      this.symbols.indexOf(order.symbol),
      1,
      0,
      0,
      5,
      6,
      seq,
      exec,
      state,
      0,
      1,
      px,
      20,
      cum,
    );
    encodeOrderReportDetail(
      this.memory,
      RECORD_BYTES,
      FLAG_CONTINUATION,
      1,
      1,
      0,
      0,
      5,
      6,
      lo,
      hi,
      this.nonceLo,
      0x1234,
      0,
      0,
      0,
    );
    this.stage(2);
    if (state === codes.ORDER_CANCELED || state === codes.ORDER_FILLED) {
      this.truth.orders.delete(key);
      return;
    }
    Object.assign(order, { state, cumQtyLots: Math.max(order.cumQtyLots, cum), venueOrderId });
    if (amended) Object.assign(order, { pxTicks: px, qtyLots: 20 });
  }

  private fill(instrument: number, strategy: number): void {
    const repeated = this.truth.lastTradeId > 0n && this.prng.nextBelow(4) === 0;
    // Beyond 2^53, so that a double would confuse neighbours.
    const tradeId = repeated ? this.truth.lastTradeId : (1n << 60n) + BigInt(this.truth.records);
    const symbol = repeated ? this.truth.lastTradeSymbol : this.symbols[instrument]!;
    const at = 1e9 * this.prng.nextBelow(1000);
    const id = this.symbols.indexOf(symbol);
    const [lo, hi] = [Number(tradeId & 0xffffffffn), Number(tradeId >> 32n)];
    encodeFill(this.memory, 0, FLAG_MORE, id, strategy, 0, 0, at, 6, 1, 1, 1, 0, 0, 500, 3, lo, hi);
    encodeFillDetail(
      this.memory,
      RECORD_BYTES,
      FLAG_CONTINUATION,
      id,
      strategy,
      0,
      0,
      at,
      6,
      1,
      2,
      this.nonceLo,
      0x1234,
      42,
      Number.NaN,
    );
    this.stage(2);
    if (repeated) return;
    this.truth.lastTradeId = tradeId;
    this.truth.lastTradeSymbol = symbol;
    const unixNs = BASE_NS + BigInt(at);
    const known = this.truth.fills.get(symbol);
    this.truth.fills.set(symbol, {
      max: tradeId,
      last: known !== undefined && known.last > unixNs ? known.last : unixNs,
      count: (known?.count ?? 0) + 1,
    });
    this.truth.positionOf(STRATEGIES[strategy]!, symbol).since.push(tradeId);
  }

  private position(instrument: number, strategy: number): void {
    const qty = this.prng.nextBelow(100) - 50;
    encodePosition(this.memory, 0, FLAG_MORE, instrument, strategy, 0, 0, 5, 6, qty, qty * 7, 3, 4);
    encodePositionDetail(
      this.memory,
      RECORD_BYTES,
      FLAG_CONTINUATION,
      instrument,
      strategy,
      0,
      0,
      5,
      6,
      1,
      2,
      9,
      500,
    );
    this.stage(2);
    Object.assign(this.truth.positionOf(STRATEGIES[strategy]!, this.symbols[instrument]!), {
      qty,
      since: [],
    });
  }

  /** A random open order of this session. */
  private pick(): [string, TrueOrder] | [undefined, undefined] {
    const own = [...this.truth.orders].filter(([key]) => key.startsWith(`${this.nonce}:`));
    return own[this.prng.nextBelow(Math.max(own.length, 1))] ?? [undefined, undefined];
  }
}

interface TrueOrder {
  symbol: string;
  strategy: string;
  pxTicks: number;
  qtyLots: number;
  cumQtyLots: number;
  state: number;
  venueOrderId: bigint;
}

export class Truth {
  records = 0;
  lastTradeId = 0n;
  lastTradeSymbol = "";
  readonly orders = new Map<string, TrueOrder>();
  readonly fills = new Map<string, { max: bigint; last: bigint; count: number }>();
  readonly positions = new Map<string, { qty: number; since: bigint[] }>();

  positionOf(strategy: string, symbol: string) {
    const key = `${strategy}/${symbol}`;
    const known = this.positions.get(key) ?? { qty: 0, since: [] };
    this.positions.set(key, known);
    return known;
  }
}
