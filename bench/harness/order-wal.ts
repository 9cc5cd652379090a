// A WAL full of orders, as a busy day would leave it: each is placed, acknowledged and filled or cancelled, with the
// stamps, ids, prices and times of a real session. For benches and tests of the recorder.
import { join } from "node:path";
import { ManualClock } from "../../src/core/clock.ts";
import { Prng } from "../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../../src/core/record.ts";
import { sessionName } from "../../src/journal/segment.ts";
import { writeManifest } from "../../src/journal/session-manifest.ts";
import { WalWriter } from "../../src/journal/wal-writer.ts";
import type { Instrument } from "../../src/market/instrument.ts";
import * as code from "../../src/wire/codes.ts";
import * as wire from "../../src/wire/messages.gen.ts";

const BASE_NS = 1_732_147_200_000_000_000n; // 2024-11-21T00:00:00Z
const START_NS = 3600e9;
const BETWEEN_NS = 7200e9;
const NONCE_LO = 0x89abcdef;
const NONCE_HI = 0x1234;
/** Records of one order: sent 2, ack 2, then fill 2 + position 2 + report 2, or cancel 2 + report 2. */
const MOST_RECORDS = 10;

const instrument = (id: number, symbol: string, tickSize: string): Instrument => ({
  ...{ id, venue: "binance", symbol, base: symbol.slice(0, -4), quote: "USDT", settle: "USDT" },
  ...{ tickSize, lotSize: "0.001", contractSize: "1", pxDecimals: 2, qtyDecimals: 3 },
  ...{ minPxTicks: 1, maxPxTicks: 1e9, minQtyLots: 1, maxQtyLots: 1e6, minNotionalTickLots: 0 },
  ...{ orderTickStep: 1, percentUpE8: 0, percentDownE8: 0, makerFeeE8: 20_000, takerFeeE8: 50_000 },
  trading: true,
});

export interface OrderWal {
  readonly session: string;
  /** Sessions before it in the directory. */
  readonly index: number;
  readonly records: number;
  /** Rows of the orders table that a recorder makes of it. */
  readonly orderRows: number;
  readonly fills: number;
  /** Trades and best bids and offers, when asked for. */
  readonly marketRows: number;
}

export interface OrderWalOptions {
  readonly seed?: number;
  /** False: every order is cancelled, so that all rows are of orders. */
  readonly filled?: boolean;
  /** A trade per order as well. */
  readonly market?: boolean;
  /** And a best bid and offer. */
  readonly quotes?: boolean;
  /** A session that ended before in the same directory. */
  readonly earlier?: OrderWal;
  readonly segmentBytes?: number;
}

/** Writes `orders` orders to `<dataDir>/wal`, `perSecond` of them per second of the session's time. */
export function writeOrderWal(
  dataDir: string,
  orders: number,
  perSecond: number,
  {
    seed = 1,
    filled = true,
    market = false,
    quotes = false,
    earlier,
    segmentBytes = 1 << 26,
  }: OrderWalOptions = {},
): OrderWal {
  const dir = join(dataDir, "wal");
  const index = earlier === undefined ? 0 : earlier.index + 1;
  const nonceLo = NONCE_LO + index;
  const startNs = START_NS + index * BETWEEN_NS;
  const session = sessionName(BASE_NS + BigInt(startNs), nonceLo, NONCE_HI);
  writeManifest(dir, {
    session,
    env: "sim",
    schemaVersion: wire.SCHEMA_VERSION,
    baseNs: String(BASE_NS),
    createdUnixNs: String(BASE_NS + BigInt(startNs)),
    nonceLo,
    nonceHi: NONCE_HI,
    instruments: [instrument(1, "BTCUSDT", "0.10"), instrument(2, "ETHUSDT", "0.01")],
    strategies: ["house", "obi-mm", "tick-mm"],
    streams: { "1": "market", "2": "orders", "3": "telemetry", "4": "metrics" },
    replay: { assets: ["", "USDT"] },
  });
  const clock = new ManualClock(startNs);
  const writer = new WalWriter({
    ...{
      dir,
      startPosition: earlier?.records ?? 0,
      segmentBytes,
      fsync: "none",
      fsyncIntervalMs: 1000,
      clock,
    },
    session: { name: session, nonceLo, nonceHi: NONCE_HI, baseNs: BASE_NS },
  });
  writer.open();
  const maker = new OrderMaker(new Prng(seed), nonceLo, filled);
  const batch = Math.max(1, Math.floor(perSecond / 100));
  for (let made = 0; made < orders; ) {
    const some = Math.min(batch, orders - made, Math.floor(writer.maxBatchRecords / MOST_RECORDS));
    clock.advanceTo(clock.nowNs() + (some / perSecond) * 1e9);
    const count = maker.make(made + 1, some, clock.nowNs());
    writer.stage(2, maker.memory, 0, count, 0, count);
    if (market) {
      const trades = maker.trades(some, clock.nowNs(), quotes);
      writer.stage(1, maker.memory, 0, trades, 0, trades);
    }
    if (!writer.flush()) throw new Error(writer.status.error);
    made += some;
  }
  writer.close();
  return {
    session,
    index,
    records: writer.status.records,
    orderRows: maker.orderRows,
    fills: maker.fills,
    marketRows: maker.marketRows,
  };
}

class OrderMaker {
  readonly memory: RecordMemory = allocateRecordMemory(16_384);
  orderRows = 0;
  fills = 0;
  marketRows = 0;
  private readonly prng: Prng;
  private readonly nonceLo: number;
  private readonly filled: boolean;
  private at = 0;
  private sequence = 0;
  private mid = [0, 673_215, 264_210];

  constructor(prng: Prng, nonceLo: number, filled: boolean) {
    this.prng = prng;
    this.nonceLo = nonceLo;
    this.filled = filled;
  }

  /** `count` orders from client sequence `first`, around `nowNs`; the number of records at the start of `memory`. */
  make(first: number, count: number, nowNs: number): number {
    this.at = 0;
    for (let i = 0; i < count; i++) this.order(first + i, nowNs + i * 1000);
    return this.at / RECORD_BYTES;
  }

  /** A trade, and on wish a best bid and offer, per order. */
  trades(count: number, nowNs: number, quotes: boolean): number {
    const mid = this.mid[1]!;
    this.at = 0;
    for (let i = 0; i < count; i++) {
      const head = () => [this.memory, this.at, 1, 1, 0, this.next(), 0, nowNs - 1e6, nowNs] as const;
      wire.encodeTrade(...head(), ...([mid, 3, 1, 0, this.sequence, 0] as const));
      this.at += RECORD_BYTES;
      if (!quotes) continue;
      wire.encodeBbo(...head(), ...([mid, 5, mid + 1, 7] as const));
      this.at += RECORD_BYTES;
    }
    this.marketRows += this.at / RECORD_BYTES;
    return this.at / RECORD_BYTES;
  }

  private order(clientSeq: number, nowNs: number): void {
    const m = this.memory;
    const i = 1 + (clientSeq & 1);
    const side = this.prng.nextBelow(2) === 0 ? code.SIDE_BUY : code.SIDE_SELL;
    this.mid[i] = this.mid[i]! + this.prng.nextBelow(5) - 2;
    const mid = this.mid[i]! + 0.5;
    const px = side === code.SIDE_BUY ? this.mid[i]! : this.mid[i]! + 1;
    const qty = 1 + this.prng.nextBelow(50);
    const t = (after: number) => nowNs + after + this.prng.nextBelow(2000);
    const [decided, gated, sent] = [t(20_000), t(25_000), t(30_000)];
    const ack = t(700_000);
    this.sent(i, clientSeq, code.ACTION_PLACE, side, px, qty, nowNs, decided, gated, sent, mid);
    this.report(i, clientSeq, code.EXEC_NEW, code.ORDER_WORKING, side, px, qty, 0, ack);
    const end = t(5_000_000);
    if (this.prng.nextBelow(3) === 0 || !this.filled) {
      this.sent(i, clientSeq, code.ACTION_CANCEL, side, px, qty, end, end, end, end + 3000, mid);
      this.report(i, clientSeq, code.EXEC_CANCELED, code.ORDER_CANCELED, side, px, qty, 0, end + 600_000);
      this.orderRows += 4;
      return;
    }
    const fee = Math.round(px * qty * 2);
    const ids = this.next();
    wire.encodeFill(
      m,
      this.at,
      2,
      i,
      i,
      ids,
      0,
      end - 1e6,
      end,
      clientSeq,
      side,
      1,
      0,
      1,
      px,
      qty,
      clientSeq,
      7 + this.nonceLo - NONCE_LO,
    );
    this.at += RECORD_BYTES;
    wire.encodeFillDetail(
      ...([m, this.at, 4, i, i, ids, 0, end - 1e6, end] as const),
      ...([clientSeq, 9, this.nonceLo, NONCE_HI, fee, Number.NaN] as const),
    );
    this.at += RECORD_BYTES;
    wire.encodePosition(m, this.at, 2, i, i, this.next(), 0, end - 1e6, end, qty, px * qty, 0, 1234);
    this.at += RECORD_BYTES;
    wire.encodePositionDetail(m, this.at, 4, i, i, this.sequence, 0, end - 1e6, end, 0, fee, 12, px);
    this.at += RECORD_BYTES;
    this.report(i, clientSeq, code.EXEC_TRADE, code.ORDER_FILLED, side, px, qty, qty, end + 2000);
    this.orderRows += 3;
    this.fills++;
  }

  private next(): number {
    this.sequence = (this.sequence + 1) >>> 0;
    return this.sequence;
  }

  private sent(
    i: number,
    clientSeq: number,
    action: number,
    side: number,
    px: number,
    qty: number,
    nowNs: number,
    decided: number,
    gated: number,
    sent: number,
    mid: number,
  ): void {
    const sequence = this.next();
    wire.encodeOrderSent(
      ...([this.memory, this.at, 2, i, i, sequence, 0, 0, nowNs] as const),
      ...([clientSeq, action, side, 1, 0, px, qty, nowNs] as const),
    );
    this.at += RECORD_BYTES;
    wire.encodeOrderStamps(this.memory, this.at, 4, i, i, sequence, 0, 0, nowNs, decided, gated, sent, mid);
    this.at += RECORD_BYTES;
  }

  private report(
    i: number,
    clientSeq: number,
    exec: number,
    state: number,
    side: number,
    px: number,
    qty: number,
    cum: number,
    recvNs: number,
  ): void {
    const sequence = this.next();
    const exch = Math.floor((recvNs - 300_000) / 1e6) * 1e6;
    wire.encodeOrderReport(
      ...([this.memory, this.at, 2, i, i, sequence, 0, exch, recvNs] as const),
      ...([clientSeq, exec, state, 0, side, px, qty, cum] as const),
    );
    this.at += RECORD_BYTES;
    wire.encodeOrderReportDetail(
      ...([this.memory, this.at, 4, i, i, sequence, 0, exch, recvNs] as const),
      ...([clientSeq, 9, this.nonceLo, NONCE_HI, 0, code.ACTION_NONE, exch] as const),
    );
    this.at += RECORD_BYTES;
  }
}
