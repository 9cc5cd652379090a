import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../../../src/core/record.ts";
import { recoverWal } from "../../../src/journal/recovery.ts";
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
import {
  BASE_NS,
  makeDir,
  makeSession,
  makeWriter,
  readBack,
  removeDir,
  segmentFiles,
} from "./wal-fixture.ts";

const SEED = 44_100;
let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

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
class Session {
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

  constructor(truth: Truth, prng: Prng, number: number) {
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

class Truth {
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

describe("recoverWal", () => {
  test(`finds positions, fills, open orders and counters of random sessions as the writer knew them (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, sessionCount) => {
          removeDir(dir);
          const truth = new Truth();
          const prng = new Prng(seed);
          const clientSeqs: number[] = [];
          for (let i = 0; i < sessionCount; i++) {
            const session = new Session(truth, prng, i);
            for (let step = 0; step < 150; step++) session.step();
            session.writer.close();
            clientSeqs.push(session.clientSeq);
          }
          const found = recoverWal(dir);
          expect(found.problems).toEqual([]);
          expect(found.endPosition).toBe(truth.records);
          expect(found.sessions.map((s) => s.records).reduce((a, b) => a + b)).toBe(truth.records);
          for (const [i, s] of found.sessions.entries())
            expect(s.maxClientSeq).toBeGreaterThanOrEqual(clientSeqs[i]!);
          expect(
            Object.fromEntries(
              found.openOrders.map(
                ({ key, symbol, strategy, pxTicks, qtyLots, cumQtyLots, state, venueOrderId }) => [
                  key,
                  { symbol, strategy, pxTicks, qtyLots, cumQtyLots, state, venueOrderId },
                ],
              ),
            ),
          ).toEqual(Object.fromEntries(truth.orders));
          for (const i of found.instruments)
            expect({ max: i.maxTradeId, last: i.lastFillUnixNs, count: i.recentTradeIds.size }).toEqual(
              truth.fills.get(i.symbol)!,
            );
          expect(found.instruments.length).toBe(truth.fills.size);
          expect(
            Object.fromEntries(
              found.positions.map((p) => [
                `${p.strategy}/${p.symbol}`,
                { qty: p.qtyLots, since: p.fillsSince.map((f) => f.tradeId) },
              ]),
            ),
          ).toEqual(Object.fromEntries(truth.positions));
        },
      ),
      { seed: SEED, numRuns: 25 },
    );
  });

  test("carries the details: two-limb sums, mark, fee", () => {
    const { writer } = makeWriter(dir);
    writer.open();
    const memory = allocateRecordMemory(8);
    encodePosition(memory, 0, FLAG_MORE, 1, 1, 0, 0, 5, 6, -5, -35, 3, 4);
    encodePositionDetail(memory, RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 5, 6, 1, 2, 9, 500);
    encodeFill(memory, 2 * RECORD_BYTES, FLAG_MORE, 1, 1, 0, 0, 5, 6, 9, 2, 1, 0, 0, 500, 3, 7, 0);
    encodeFillDetail(memory, 3 * RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 5, 6, 1, 2, 0, 0, -42, 500.5);
    writer.stage(2, memory, 0, 4, 0, 4);
    writer.close();
    const [position] = recoverWal(dir).positions;
    expect(position).toMatchObject({
      strategy: "#1",
      symbol: "#1",
      qtyLots: -5,
      realizedHi: 3,
      realizedLo: 4,
      feesHi: 1,
      feesLo: 2,
      markTicks: 500,
      walPosition: 0,
    });
    expect(position!.fillsSince[0]).toMatchObject({
      side: 2,
      maker: true,
      feeE8: -42,
      tradeId: 7n,
      walPosition: 2,
    });
  });

  test("an absent or empty directory is an empty WAL", () => {
    expect(recoverWal(join(dir, "absent"))).toMatchObject({ endPosition: 0, sessions: [], problems: [] });
    expect(recoverWal(dir)).toMatchObject({ endPosition: 0, sessions: [], problems: [] });
  });
});

describe("repair", () => {
  function writeSome(): string {
    const truth = new Truth();
    const session = new Session(truth, new Prng(1), 0);
    for (let step = 0; step < 40; step++) session.step();
    session.writer.close();
    return segmentFiles(dir).at(-1)!;
  }

  test("a torn tail is cut, kept beside the segment, and the WAL is whole again", () => {
    const file = writeSome();
    const size = statSync(file).size;
    const before = readBack(dir).records;
    appendFileSync(file, "a write that was cut by a kill");
    const found = recoverWal(dir);
    expect(found.cuts).toEqual([{ file, offset: size, bytes: 30, keptAs: `${file}.torn` }]);
    expect(readFileSync(`${file}.torn`, "utf8")).toBe("a write that was cut by a kill");
    const after = readBack(dir);
    expect(after.result.problems).toEqual([]);
    expect(after.records).toEqual(before);
    expect(recoverWal(dir).cuts).toEqual([]);
  });

  test("a segment killed before its header was whole is put aside", () => {
    const file = writeSome();
    const next = file.replace(
      /(\d{6})\.wal$/,
      (_, index: string) => `${String(Number(index) + 1).padStart(6, "0")}.wal`,
    );
    writeFileSync(next, "HLWS");
    const end = recoverWal(dir, { repair: false }).endPosition;
    const found = recoverWal(dir);
    expect(found.cuts).toMatchObject([{ file: next, offset: 0, bytes: 4 }]);
    expect(existsSync(next)).toBe(false);
    expect(found.endPosition).toBe(end);
    expect(recoverWal(dir)).toMatchObject({ problems: [], endPosition: end });
  });

  test("damage in the middle is reported with file and offset, and nothing is changed", () => {
    const file = writeSome();
    const bytes = readFileSync(file);
    bytes[4096 + 70]! ^= 1;
    writeFileSync(file, bytes);
    const found = recoverWal(dir);
    expect(found.problems[0]).toMatchObject({
      kind: "corrupt",
      file,
      offset: 4096,
      reason: "checksum does not match",
    });
    expect(found.cuts).toEqual([]);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});
