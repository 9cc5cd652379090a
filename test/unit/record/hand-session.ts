// A recorded session small enough to compute every figure by hand. Ticks of 0.5, lots of 0.1, so a tick·lot is 0.05
// USDT. Opening position 5 lots; a maker buy of 20 at 100, a taker sell of 30 of 40 at 105, a cancel, a refusal.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { allocateRecordMemory, RECORD_BYTES } from "../../../src/core/record.ts";
import { writeManifest } from "../../../src/journal/session-manifest.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import * as code from "../../../src/wire/codes.ts";
import * as wire from "../../../src/wire/messages.gen.ts";
import { BASE_NS, makeSession, makeWriter, stageRecords } from "../journal/wal-fixture.ts";

export const MS = 1e6;
/** Seconds after 01:00. */
export const s = (seconds: number): number => 3600e9 + seconds * 1e9;
const MARKET = 1;
const ORDERS = 2;

const X = {
  id: 1,
  venue: "binance",
  symbol: "XUSDT",
  base: "X",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.5",
  lotSize: "0.1",
  contractSize: "1",
} as Instrument;

type Encode = (m: ReturnType<typeof allocateRecordMemory>) => void;

/** `feeAsset`: 1 = USDT, 2 = BNB. */
export function writeHandSession(dataDir: string, feeAsset = 1): string {
  const dir = join(dataDir, "wal");
  mkdirSync(dir, { recursive: true });
  const session = makeSession();
  writeManifest(dir, {
    session: session.name,
    env: "sim",
    schemaVersion: 1,
    baseNs: String(BASE_NS),
    createdUnixNs: String(BASE_NS + 3_600_000_000_000n),
    nonceLo: session.nonceLo,
    nonceHi: session.nonceHi,
    instruments: [X],
    assets: ["", "USDT", "BNB"],
    strategies: ["house", "mm"],
    streams: { "1": "market", "2": "orders" },
  });
  const { writer } = makeWriter(dir);
  const put = (stream: number, ...records: Encode[]): void => {
    stageRecords(
      writer,
      stream,
      records.map((encode) => {
        const m = allocateRecordMemory(1);
        encode(m);
        return m.u8.slice(0, RECORD_BYTES);
      }),
    );
    writer.flush();
  };
  const { nonceLo, nonceHi } = session;
  const bbo = (at: number, bid: number, ask: number): void =>
    put(MARKET, (m) => wire.encodeBbo(m, 0, wire.FLAG_END_OF_EVENT, 1, 0, 0, 0, at, at + MS, bid, 5, ask, 5));
  const sent = (
    seq: number,
    action: number,
    side: number,
    px: number,
    qty: number,
    trigger: number,
    at: number,
    mid: number,
    eventExch = 0,
  ): void =>
    put(
      ORDERS,
      (m) =>
        wire.encodeOrderSent(
          m,
          0,
          wire.FLAG_MORE,
          1,
          1,
          0,
          0,
          eventExch,
          trigger,
          seq,
          action,
          side,
          1,
          0,
          px,
          qty,
          trigger,
        ),
      (m) =>
        wire.encodeOrderStamps(
          m,
          0,
          wire.FLAG_CONTINUATION,
          1,
          1,
          0,
          0,
          0,
          trigger,
          trigger + 0.1 * MS,
          trigger + 0.15 * MS,
          at,
          mid,
        ),
    );
  const report = (
    seq: number,
    exec: number,
    state: number,
    side: number,
    exch: number,
    recv: number,
    reject = 0,
  ): void =>
    put(
      ORDERS,
      (m) =>
        wire.encodeOrderReport(
          m,
          0,
          wire.FLAG_MORE,
          1,
          1,
          0,
          0,
          exch,
          recv,
          seq,
          exec,
          state,
          0,
          side,
          0,
          0,
          0,
        ),
      (m) =>
        wire.encodeOrderReportDetail(
          m,
          0,
          wire.FLAG_CONTINUATION,
          1,
          1,
          0,
          0,
          exch,
          recv,
          seq,
          0,
          nonceLo,
          nonceHi,
          reject,
          0,
          exch,
        ),
    );
  const fill = (
    seq: number,
    side: number,
    px: number,
    qty: number,
    maker: number,
    asset: number,
    feeE8: number,
    exch: number,
  ): void =>
    put(
      ORDERS,
      (m) =>
        wire.encodeFill(
          m,
          0,
          wire.FLAG_MORE,
          1,
          1,
          0,
          0,
          exch,
          exch + 2 * MS,
          seq,
          side,
          maker,
          0,
          asset,
          px,
          qty,
          seq,
          0,
        ),
      (m) =>
        wire.encodeFillDetail(
          m,
          0,
          wire.FLAG_CONTINUATION,
          1,
          1,
          0,
          0,
          exch,
          exch + 2 * MS,
          seq,
          0,
          nonceLo,
          nonceHi,
          feeE8,
          Number.NaN,
        ),
    );
  const position = (lots: number, at: number): void =>
    put(
      ORDERS,
      (m) => wire.encodePosition(m, 0, wire.FLAG_MORE, 1, 1, 0, 0, at, at, lots, 0, 0, 0),
      (m) => wire.encodePositionDetail(m, 0, wire.FLAG_CONTINUATION, 1, 1, 0, 0, at, at, 0, 0, 0, 0),
    );
  bbo(s(0), 99, 101);
  bbo(s(1), 100, 102);
  sent(1, code.ACTION_PLACE, code.SIDE_BUY, 100, 20, s(1) + MS, s(1) + 1.2 * MS, 101, s(1));
  bbo(s(2), 103, 105);
  sent(2, code.ACTION_PLACE, code.SIDE_SELL, 105, 40, s(2) + MS, s(2) + 1.4 * MS, 104, s(2));
  report(2, code.EXEC_NEW, code.ORDER_WORKING, code.SIDE_SELL, s(2) + 4 * MS, s(2) + 6 * MS);
  report(1, code.EXEC_NEW, code.ORDER_WORKING, code.SIDE_BUY, s(2) + 5 * MS, s(2) + 7 * MS);
  fill(1, code.SIDE_BUY, 100, 20, 1, feeAsset, 2e6, s(2.5));
  position(25, s(2.5) + 2 * MS);
  bbo(s(3), 101, 103);
  fill(2, code.SIDE_SELL, 105, 30, 0, 1, 30e6, s(3.5));
  // The venue tells a trade twice: once as it happens, once from its history.
  fill(2, code.SIDE_SELL, 105, 30, 0, 1, 30e6, s(3.5));
  position(-5, s(3.5) + 2 * MS);
  sent(2, code.ACTION_CANCEL, code.SIDE_SELL, 105, 40, s(4), s(4) + 0.2 * MS, 102);
  report(2, code.EXEC_CANCELED, code.ORDER_CANCELED, code.SIDE_SELL, s(4) + 3 * MS, s(4) + 5 * MS);
  sent(3, code.ACTION_PLACE, code.SIDE_BUY, 102, 10, s(5), s(5) + 0.2 * MS, 102);
  report(3, code.EXEC_REJECTED, code.ORDER_REJECTED, code.SIDE_BUY, s(5) + MS, s(5) + 2 * MS, -5022);
  put(ORDERS, (m) => wire.encodeFunding(m, 0, 0, 1, 0, 0, 0, s(6), s(6), 50e6, 0, 1, 0, 7, 0));
  bbo(s(3620), 105, 107);
  writer.close();
  return dir;
}
