// The same work by hand, for this one stream: what a tick-to-order loop costs when nothing is general. Decode, book,
// six-node graph (OBI 0.1 %, z-score 100, return, standard deviation 60, threshold, mid), quote, order bytes; no records,
// no journal, no checks, one instrument, its number format and field order taken for granted. The reference of
// pipeline.bench.ts: an absolute figure on a loaded or slow machine says little.
import type { BareBook } from "./bare-book.ts";

const HEAD_KIND_AT = 19;
const L_D = 0x64;
const POINT = 0x2e;
const COMMA = 0x2c;
const CLOSE = 0x5d;
const ZERO = 0x30;
const TIME_DIGITS = 13;
const DEPTH_TIME_AT = '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":'.length;
const TRADE_TIME_AT = '{"stream":"btcusdt@trade","data":{"e":"trade","E":'.length;
const BETWEEN_TIMES = ',"T":'.length;
const TO_ID = ',"s":"BTCUSDT","U":'.length;
const Z_WINDOW = 100;
const STD_WINDOW = 60;
const STOP_VOLATILITY = 0.0005;
const HALF_SPREAD_TICKS = 3;
const ALPHA_TICKS = 2;
const ALPHA_CAP = 3;
const VOLATILITY_MULT = 0.5;
const MIN_MOVE_TICKS = 8;
const ORDER =
  '{"id":"0000000000000000","method":"order.modify","params":{"symbol":"BTCUSDT","side":"BUY","orderId":8000000000,"quantity":"0.004","price":"00000.0","timestamp":1723075200000,"recvWindow":5000}}';
const ORDER_ID_END = '{"id":"0000000000000000'.length;
const PRICE_AT = ORDER.indexOf("00000.0");

export const BARE_DECODE = 1;
export const BARE_BOOK = 2;
export const BARE_GRAPH = 3;
export const BARE_ORDER = 4;

export class BareLoop {
  readonly book: BareBook;
  /** Requests written, and a hash of their prices. */
  orders = 0;
  hash = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly px = new Int32Array(16_384);
  private readonly qty = new Int32Array(16_384);
  private count = 0;
  private tradeSum = 0;
  private readonly obis = new Float64Array(Z_WINDOW);
  private readonly returns = new Float64Array(STD_WINDOW);
  private updates = 0;
  private obiSum = 0;
  private obiSquares = 0;
  private returnSum = 0;
  private returnSquares = 0;
  private lastMid = 0;
  private alpha = 0;
  private volatility = 0;
  private stop = 0;
  private readonly out = new TextEncoder().encode(ORDER);
  private ownBid = 0;
  private ownAsk = 0;

  /** `bytes`: all messages, one behind the other; `book`: as the snapshot left it. */
  constructor(bytes: Uint8Array, book: BareBook) {
    this.book = book;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** What was computed by all messages so far. */
  get checksum(): number {
    return this.tradeSum + this.book.bid * 2 + this.book.ask + this.orders * 1e6 + this.hash;
  }

  /** The message at `at`, up to and with the stage. */
  handle(at: number, stage: number): void {
    if (this.bytes[at + HEAD_KIND_AT] !== L_D) {
      this.trade(at + TRADE_TIME_AT);
      return;
    }
    const bids = this.depth(at + DEPTH_TIME_AT);
    if (stage === BARE_DECODE) return;
    this.book.apply(this.px, this.qty, bids, this.count);
    if (stage === BARE_BOOK) return;
    this.graph();
    if (stage === BARE_ORDER) this.quote();
  }

  private four(at: number): number {
    const x = this.view.getInt32(at, true) & 0x0f0f0f0f;
    return Math.imul((Math.imul(x, 10) + (x >>> 8)) & 0x00ff00ff, (100 << 16) | 1) >>> 16;
  }

  private time(at: number): number {
    const high = this.four(at) * 10_000 + this.four(at + 4);
    return high * 100_000 + this.four(at + 8) * 10 + this.bytes[at + TIME_DIGITS - 1]! - ZERO;
  }

  private pastDigits(at: number): number {
    let i = at;
    while (this.bytes[i]! >= ZERO) i++;
    return i;
  }

  private lots(at: number, whole: number): number {
    const w = this.view.getInt32(at, true);
    return (whole * 1000 + ((w >>> 8) & 15) * 100 + ((w >>> 16) & 15) * 10 + ((w >>> 24) & 15)) | 0;
  }

  private trade(at: number): void {
    const { bytes } = this;
    const ms = this.time(at) + this.time(at + TIME_DIGITS + BETWEEN_TIMES);
    let i = this.pastDigits(at + 2 * TIME_DIGITS + BETWEEN_TIMES + TO_ID) + ',"p":"'.length;
    let px = 0;
    for (; bytes[i] !== POINT; i++) px = (px * 10 + bytes[i]! - ZERO) | 0;
    px = px * 10 + bytes[i + 1]! - ZERO;
    i += '.00","q":"'.length;
    let whole = 0;
    for (; bytes[i] !== POINT; i++) whole = (whole * 10 + bytes[i]! - ZERO) | 0;
    this.tradeSum = (this.tradeSum + px + this.lots(i, whole) + (ms % 1000)) | 0;
  }

  /** Returns the number of bids. */
  private depth(at: number): number {
    const ms = this.time(at) + this.time(at + TIME_DIGITS + BETWEEN_TIMES);
    let i = this.pastDigits(at + 2 * TIME_DIGITS + BETWEEN_TIMES + TO_ID);
    i = this.pastDigits(i + ',"u":'.length);
    i = this.pastDigits(i + ',"pu":'.length);
    this.tradeSum = (this.tradeSum + (ms % 1000)) | 0;
    this.count = 0;
    i = this.levels(i + ',"b":'.length);
    const bids = this.count;
    this.levels(i + ',"a":'.length);
    return bids;
  }

  private levels(at: number): number {
    const { bytes, px, qty } = this;
    let i = at;
    if (bytes[i + 1] === CLOSE) return i + 2;
    let k = this.count;
    do {
      let p = 0;
      let j = i + 3;
      if (bytes[j + 5] === POINT) {
        p = this.four(j) * 100 + (bytes[j + 4]! - ZERO) * 10 + bytes[j + 6]! - ZERO;
        j += '58710.20","'.length;
      } else {
        for (; bytes[j] !== POINT; j++) p = (p * 10 + bytes[j]! - ZERO) | 0;
        p = p * 10 + bytes[j + 1]! - ZERO;
        j += '.20","'.length;
      }
      let whole = 0;
      for (; bytes[j] !== POINT; j++) whole = (whole * 10 + bytes[j]! - ZERO) | 0;
      px[k] = p;
      qty[k++] = this.lots(j, whole);
      i = j + '.014"]'.length;
    } while (bytes[i] === COMMA);
    this.count = k;
    return i + 1;
  }

  private graph(): void {
    const { book, obis, returns } = this;
    const obi = book.imbalance();
    const n = this.updates++;
    const z = n % Z_WINDOW;
    const oldObi = obis[z]!;
    obis[z] = obi;
    this.obiSum += obi - oldObi;
    this.obiSquares += obi * obi - oldObi * oldObi;
    const mean = this.obiSum / Z_WINDOW;
    const variance = this.obiSquares / Z_WINDOW - mean * mean;
    this.alpha = n >= Z_WINDOW && variance > 0 ? (obi - mean) / Math.sqrt(variance) : Number.NaN;
    const mid = book.bid + book.ask;
    const r = this.lastMid === 0 ? 0 : mid / this.lastMid - 1;
    this.lastMid = mid;
    const s = n % STD_WINDOW;
    const oldReturn = returns[s]!;
    returns[s] = r;
    this.returnSum += r - oldReturn;
    this.returnSquares += r * r - oldReturn * oldReturn;
    const drift = this.returnSum / STD_WINDOW;
    const spread = this.returnSquares / STD_WINDOW - drift * drift;
    this.volatility = spread > 0 ? Math.sqrt(spread) : 0;
    this.stop = this.volatility > STOP_VOLATILITY ? 1 : 0;
  }

  private quote(): void {
    const { book, alpha } = this;
    if (Number.isNaN(alpha) || this.stop === 1) return;
    const mid = (book.bid + book.ask) / 2;
    const fair = mid + ALPHA_TICKS * Math.max(-ALPHA_CAP, Math.min(ALPHA_CAP, alpha));
    const half = HALF_SPREAD_TICKS + VOLATILITY_MULT * this.volatility * mid;
    const bid = Math.min(Math.floor(fair - half), book.bid);
    const ask = Math.max(Math.ceil(fair + half), book.ask);
    if (Math.abs(bid - this.ownBid) >= MIN_MOVE_TICKS) {
      this.ownBid = bid;
      this.request(bid);
    }
    if (Math.abs(ask - this.ownAsk) < MIN_MOVE_TICKS) return;
    this.ownAsk = ask;
    this.request(ask);
  }

  private request(px: number): void {
    const { out } = this;
    this.orders++;
    for (let x = this.orders, i = ORDER_ID_END - 1; x > 0; x = (x / 10) | 0, i--) out[i] = ZERO + (x % 10);
    out[PRICE_AT + 6] = ZERO + (px % 10);
    for (let x = (px / 10) | 0, i = PRICE_AT + 4; x > 0; x = (x / 10) | 0, i--) out[i] = ZERO + (x % 10);
    this.hash = (this.hash * 31 + px) % 1_000_003;
  }
}
