// Binance USD-M market messages: bytes → ticks, lots and ids in preallocated fields. Hot: feed lane; 0 bytes
// per message; one pass on the venue's own field order (of depth, in our own streams), two on any other. A message is
// read whole or refused with a REFUSED_… code; it never throws and never reads at or past `end`.
//
// Raw (`{"e":…}`) and combined (`{"stream":…,"data":{…}}`) forms are both accepted.
import { parseDecimal } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";
import { type DepthReader, depthReader, NOT_USUAL } from "./depth-reader.ts";
import { JsonObject } from "./json-object.ts";
import {
  ascii,
  DecimalReader,
  Literal,
  matches,
  NumberReader,
  SCAN_FAILED,
  skipString,
} from "./json-scan.ts";
import { DecimalForm, LevelForm } from "./level-reader.ts";
import { LevelScanner } from "./level-scan.ts";
import { NO_TEMPLATE, StreamTemplates, TRIED_MAX } from "./stream-templates.ts";
import { SymbolTable, UNKNOWN_SYMBOL } from "./symbol-table.ts";
import { type TradeReader, tradeReader } from "./trade-reader.ts";

export const MESSAGE_DEPTH = 1;
export const MESSAGE_TRADE = 2;
export const MESSAGE_AGG_TRADE = 3;
export const MESSAGE_BOOK_TICKER = 4;
export const MESSAGE_MARK_PRICE = 5;
/** Answer to a subscription request, or a snapshot from REST. */
export const MESSAGE_REPLY = 6;
export const MESSAGE_SNAPSHOT = 7;
export const REFUSED_MALFORMED = -1;
export const REFUSED_UNKNOWN_SYMBOL = -2;
/** A price or quantity that is no multiple of tick or lot: the instrument's definition is wrong or old. */
export const REFUSED_OFF_STEP = -3;
export const REFUSED_TOO_LARGE = -4;
export const REFUSED_UNKNOWN_EVENT = -5;

/** 16,384 levels = 13 times the largest message seen (1,226), 8 times a 1,000-level snapshot. */
export const LEVELS_MAX = 16_384;

const K_STREAM = new Literal('{"stream":');
const K_DATA = new Literal(',"data":');
const TRADE_EVENT = '{"e":"trade","E":';
const TICKER_EVENT = '{"e":"bookTicker","u":';
const K_TRADE = new Literal(TRADE_EVENT);
const K_TICKER = new Literal(TICKER_EVENT);
const K_T = new Literal(',"T":');
const K_S = new Literal(',"s":"');
const K_ASKS = new Literal(',"a":');
const K_TRADE_ID = new Literal('","t":');
const K_P = new Literal(',"p":"');
const K_Q = new Literal('","q":"');
const K_TYPE_MARKET = new Literal('","X":"MARKET","m":');
const K_TICKER_BID = new Literal('","b":"');
const K_TICKER_BID_QTY = new Literal('","B":"');
const K_TICKER_ASK = new Literal('","a":"');
const K_TICKER_ASK_QTY = new Literal('","A":"');
const K_TICKER_T = new Literal('","T":');
const K_E = new Literal(',"E":');
const V_TRUE = new Literal("true}");
const V_FALSE = new Literal("false}");
const V_MARKET = ascii('"MARKET"');
const E_DEPTH = ascii('"depthUpdate"');
const E_TRADE = ascii('"trade"');
const E_AGG_TRADE = ascii('"aggTrade"');
const E_TICKER = ascii('"bookTicker"');
const E_MARK = ascii('"markPriceUpdate"');
const N_DATA = ascii("data");
const N_PU = ascii("pu");
const N_RESULT = ascii("result");
const N_ERROR = ascii("error");
const N_LAST_UPDATE_ID = ascii("lastUpdateId");
const N_BIDS = ascii("bids");
const N_ASKS = ascii("asks");

const QUOTE = 0x22;
const MINUS = 0x2d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const L_A = 0x61;
const L_B = 0x62;
const L_E = 0x65;
const L_I = 0x69;
const L_M = 0x6d;
const L_P = 0x70;
const L_Q = 0x71;
const L_R = 0x72;
const L_S = 0x73;
const L_T = 0x74;
const L_U = 0x75;
const U_A = 0x41;
const U_B = 0x42;
const U_E = 0x45;
const U_T = 0x54;
const U_U = 0x55;
const U_X = 0x58;
const E8_DECIMALS = 8;

export class MarketDecoder {
  /** Index into the instruments given to the constructor; −1 when the message named none of them. */
  index: number;
  eventMs: number;
  transactionMs: number;
  /** Depth: first and final update id of the event and the previous event's final id. Snapshot: final. */
  firstLo: number;
  firstHi: number;
  finalLo: number;
  finalHi: number;
  previousLo: number;
  previousHi: number;
  /** Depth and snapshot: bids, then asks. */
  readonly levels: LevelScanner;
  bidCount: number;
  /** Trade. */
  pxTicks: number;
  qtyLots: number;
  buyerIsMaker: boolean;
  isMarketTrade: boolean;
  /** Trade id; update id of a bookTicker. */
  idLo: number;
  idHi: number;
  /** bookTicker. */
  bidPxTicks: number;
  bidQtyLots: number;
  askPxTicks: number;
  askQtyLots: number;
  /** markPrice, 1e-8. */
  markPxE8: number;
  indexPxE8: number;
  fundingRateE8: number;
  nextFundingMs: number;

  private readonly symbols: SymbolTable;
  private readonly forms: LevelForm[];
  private readonly trades: StreamTemplates;
  private readonly tickers: StreamTemplates;
  /** By instrument index; the one whose message came last is tried first. */
  private readonly tradeReaders: (TradeReader | null)[];
  private tradeGuess: number;
  private readonly depthReaders: DepthReader[];
  private depthGuess: number;
  private readonly number: NumberReader;
  private readonly decimal: DecimalReader;
  private readonly outer: JsonObject;
  private readonly inner: JsonObject;
  private bytes: Uint8Array;
  /** The same memory, for literals; made anew only when the transport changes its buffer. */
  private view: DataView;
  private at: number;
  private end: number;
  private offStep: boolean;

  constructor(instruments: readonly Instrument[], levelsMax = LEVELS_MAX) {
    this.index = -1;
    this.eventMs = 0.5;
    this.transactionMs = 0.5;
    this.firstLo = 0.5;
    this.firstHi = 0.5;
    this.finalLo = 0.5;
    this.finalHi = 0.5;
    this.previousLo = 0.5;
    this.previousHi = 0.5;
    this.levels = new LevelScanner(levelsMax);
    this.bidCount = 0;
    this.pxTicks = 0.5;
    this.qtyLots = 0.5;
    this.buyerIsMaker = false;
    this.isMarketTrade = false;
    this.idLo = 0.5;
    this.idHi = 0.5;
    this.bidPxTicks = 0.5;
    this.bidQtyLots = 0.5;
    this.askPxTicks = 0.5;
    this.askQtyLots = 0.5;
    this.markPxE8 = 0.5;
    this.indexPxE8 = 0.5;
    this.fundingRateE8 = 0.5;
    this.nextFundingMs = 0.5;
    this.symbols = new SymbolTable(instruments.map((i) => i.symbol));
    this.forms = instruments.map((i) => {
      const px = new DecimalForm(parseDecimal(i.tickSize), i.pxDecimals);
      return new LevelForm(px, new DecimalForm(parseDecimal(i.lotSize), i.qtyDecimals));
    });
    this.trades = new StreamTemplates(instruments, "@trade", TRADE_EVENT, '","t":');
    this.tickers = new StreamTemplates(instruments, "@bookTicker", TICKER_EVENT, '","b":"');
    this.tradeReaders = instruments.map((i, k) => {
      const { px, qty } = this.forms[k]!;
      return tradeReader(i.symbol, px, qty);
    });
    this.tradeGuess = 0;
    this.depthReaders = instruments.map((i) => depthReader(i.symbol));
    this.depthGuess = 0;
    this.number = new NumberReader();
    this.decimal = new DecimalReader();
    this.outer = new JsonObject();
    this.inner = new JsonObject();
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
    this.end = 0;
    this.offStep = false;
  }

  /** Decodes the message bytes[0 … end). Returns a MESSAGE_… or REFUSED_… code; the rest is in the fields. */
  decode(bytes: Uint8Array, end: number): number {
    this.index = -1;
    if (end < 2 || end > bytes.length || bytes[end - 1] !== CLOSE_BRACE) return REFUSED_MALFORMED;
    if (this.bytes !== bytes) this.attach(bytes);
    this.end = end;
    this.at = 0;
    this.offStep = false;
    const kind = this.decodeKnownOrder();
    return kind !== 0 ? kind : this.decodeAnyOrder();
  }

  /** A REST depth snapshot of instrument `index`: `{"lastUpdateId":…,"E":…,"T":…,"bids":[…],"asks":[…]}`. */
  decodeSnapshot(bytes: Uint8Array, end: number, index: number): number {
    this.index = index;
    if (end < 2 || end > bytes.length || bytes[end - 1] !== CLOSE_BRACE) return REFUSED_MALFORMED;
    if (this.bytes !== bytes) this.attach(bytes);
    this.end = end;
    const fields = this.outer;
    if (fields.scan(bytes, 0, end) !== end) return REFUSED_MALFORMED;
    const idAt = fields.named(N_LAST_UPDATE_ID);
    const bidsAt = fields.named(N_BIDS);
    const asksAt = fields.named(N_ASKS);
    if (idAt < 0 || bidsAt < 0 || asksAt < 0) return REFUSED_MALFORMED;
    if (!this.wholeId(idAt)) return REFUSED_MALFORMED;
    this.finalLo = this.number.lo;
    this.finalHi = this.number.hi;
    this.eventMs = this.millis(fields.letter(U_E));
    this.transactionMs = this.millis(fields.letter(U_T));
    return this.bothSides(bidsAt, asksAt) ? MESSAGE_SNAPSHOT : this.levelRefusal();
  }

  private attach(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.number.view = this.view;
  }

  // ---- the venue's own field order

  private decodeKnownOrder(): number {
    if (this.quickTrade()) return MESSAGE_TRADE;
    if (this.quickDepth()) return MESSAGE_DEPTH;
    const kind = this.decodeTemplate();
    return kind !== 0 ? kind : this.decodeNamed();
  }

  private quickTrade(): boolean {
    const reader = this.tradeReaders[this.tradeGuess];
    if (reader === null || reader === undefined || !reader(this.view, this.end, this)) return false;
    this.index = this.tradeGuess;
    return true;
  }

  private quickDepth(): boolean {
    const readers = this.depthReaders;
    let index = this.depthGuess;
    for (let n = Math.min(readers.length, TRIED_MAX); n > 0; n--) {
      this.at = readers[index]!(this.view, this.end, this);
      if (this.at !== NOT_USUAL) {
        this.depthGuess = index;
        this.index = index;
        return this.depthLevels() && this.at === this.end - 1;
      }
      index = index + 1 === readers.length ? 0 : index + 1;
    }
    return false;
  }

  /** A message that begins exactly as one of our streams' messages do. */
  private decodeTemplate(): number {
    const view = this.view;
    const end = this.end;
    let kind = 0;
    let index = this.tickers.find(view, end);
    if (index !== NO_TEMPLATE) kind = this.fastTicker(this.begin(this.tickers, index));
    else {
      index = this.trades.find(view, end);
      if (index !== NO_TEMPLATE) {
        this.tradeGuess = index;
        kind = this.fastTrade(this.begin(this.trades, index));
      }
    }
    return kind !== 0 && this.at === end - 1 ? kind : 0;
  }

  /** Stands behind the template's beginning; gives its literal for the symbol. */
  private begin(templates: StreamTemplates, index: number): Literal {
    this.index = index;
    this.at = templates.lengthOf(index);
    return templates.symbols[index]!;
  }

  /** Tickers and trades in the venue's field order, whatever the stream is called; raw messages too. */
  private decodeNamed(): number {
    const bytes = this.bytes;
    let combined = false;
    this.at = 0;
    this.index = -1;
    if (K_STREAM.isAt(this.view, 0, this.end)) {
      const after = skipString(bytes, K_STREAM.length, this.end);
      if (after === SCAN_FAILED || !K_DATA.isAt(this.view, after, this.end)) return 0;
      this.at = after + K_DATA.length;
      combined = true;
    }
    const first = this.at + 6 < this.end ? bytes[this.at + 6]! : 0;
    let kind = 0;
    if (first === L_B && this.literal(K_TICKER)) kind = this.fastTicker(null);
    else if (first === L_T && this.literal(K_TRADE)) kind = this.fastTrade(null);
    if (kind === 0) return 0;
    return this.at === (combined ? this.end - 1 : this.end) ? kind : 0;
  }

  /** `,"s":"SYMBOL` and what follows it: by the template's literal, or by look-up. */
  private symbolThen(known: Literal | null, next: Literal): boolean {
    if (known !== null) return this.literal(known);
    return this.literal(K_S) && this.readSymbol() && this.literal(next);
  }

  /** Both sides, from the bids' `[` to the message's own end. */
  private depthLevels(): boolean {
    this.levels.reset();
    if (!this.readLevels()) return false;
    this.bidCount = this.levels.count;
    return this.literal(K_ASKS) && this.readLevels() && this.bytes[this.at++] === CLOSE_BRACE;
  }

  private fastTrade(symbol: Literal | null): number {
    if (!this.readInteger()) return 0;
    this.eventMs = this.number.value;
    if (!this.literal(K_T) || !this.readInteger()) return 0;
    this.transactionMs = this.number.value;
    if (!this.symbolThen(symbol, K_TRADE_ID) || !this.readId()) return 0;
    this.idLo = this.number.lo;
    this.idHi = this.number.hi;
    if (!this.literal(K_P)) return 0;
    this.pxTicks = this.readPrice();
    if (this.pxTicks < 0 || !this.literal(K_Q)) return 0;
    this.qtyLots = this.readQuantity();
    if (this.qtyLots < 0 || !this.literal(K_TYPE_MARKET)) return 0;
    this.isMarketTrade = true;
    this.buyerIsMaker = this.literal(V_TRUE);
    return this.buyerIsMaker || this.literal(V_FALSE) ? MESSAGE_TRADE : 0;
  }

  private fastTicker(symbol: Literal | null): number {
    if (!this.readId()) return 0;
    this.idLo = this.number.lo;
    this.idHi = this.number.hi;
    if (!this.symbolThen(symbol, K_TICKER_BID)) return 0;
    this.bidPxTicks = this.readPrice();
    if (this.bidPxTicks < 0 || !this.literal(K_TICKER_BID_QTY)) return 0;
    this.bidQtyLots = this.readQuantity();
    if (this.bidQtyLots < 0 || !this.literal(K_TICKER_ASK)) return 0;
    this.askPxTicks = this.readPrice();
    if (this.askPxTicks < 0 || !this.literal(K_TICKER_ASK_QTY)) return 0;
    this.askQtyLots = this.readQuantity();
    if (this.askQtyLots < 0 || !this.literal(K_TICKER_T) || !this.readInteger()) return 0;
    this.transactionMs = this.number.value;
    if (!this.literal(K_E) || !this.readInteger()) return 0;
    this.eventMs = this.number.value;
    return this.bytes[this.at++] === CLOSE_BRACE ? MESSAGE_BOOK_TICKER : 0;
  }

  private literal(text: Literal): boolean {
    if (!text.isAt(this.view, this.at, this.end)) return false;
    this.at += text.length;
    return true;
  }

  private readInteger(): boolean {
    this.at = this.number.integer(this.bytes, this.at, this.end);
    return this.at !== SCAN_FAILED;
  }

  private readId(): boolean {
    this.at = this.number.id(this.bytes, this.at, this.end);
    return this.at !== SCAN_FAILED;
  }

  private readSymbol(): boolean {
    const bytes = this.bytes;
    let i = this.at;
    while (i < this.end && bytes[i] !== QUOTE) i++;
    this.index = this.symbols.find(bytes, this.at, i);
    this.at = i;
    return this.index !== UNKNOWN_SYMBOL;
  }

  private readLevels(): boolean {
    const { bytes, view, at, end, index } = this;
    this.at = this.levels.scan(bytes, view, at, end, this.forms[index]!);
    return this.at !== SCAN_FAILED;
  }

  private readPrice(): number {
    return this.readSteps(this.forms[this.index]!.px);
  }

  private readQuantity(): number {
    return this.readSteps(this.forms[this.index]!.qty);
  }

  /** Decimal text at `at` as a number of steps, or SCAN_FAILED; moves `at` past it. */
  private readSteps({ decimals, step }: DecimalForm): number {
    const units = this.decimal.unsigned(this.bytes, this.at, this.end, decimals);
    if (units < 0 || (step !== 1 && units % step !== 0)) {
      this.offStep = this.offStep || units >= 0 || this.decimal.inexact;
      return SCAN_FAILED;
    }
    this.at = this.decimal.position;
    return step === 1 ? units : units / step;
  }

  // ---- any field order

  private decodeAnyOrder(): number {
    const bytes = this.bytes;
    const end = this.end;
    this.offStep = false;
    this.index = -1;
    if (this.outer.scan(bytes, 0, end) !== end) return REFUSED_MALFORMED;
    let fields = this.outer;
    const dataAt = fields.named(N_DATA);
    if (dataAt !== SCAN_FAILED) {
      if (bytes[dataAt] !== OPEN_BRACE) return REFUSED_UNKNOWN_EVENT;
      fields = this.inner;
      if (fields.scan(bytes, dataAt, end) === SCAN_FAILED) return REFUSED_MALFORMED;
    }
    const eventAt = fields.letter(L_E);
    if (eventAt === SCAN_FAILED) return this.replyOrUnknown(fields);
    if (matches(bytes, eventAt, end, E_DEPTH)) return this.slowDepth(fields);
    if (matches(bytes, eventAt, end, E_TRADE)) return this.slowTrade(fields, L_T, MESSAGE_TRADE);
    if (matches(bytes, eventAt, end, E_AGG_TRADE)) return this.slowTrade(fields, L_A, MESSAGE_AGG_TRADE);
    if (matches(bytes, eventAt, end, E_TICKER)) return this.slowTicker(fields);
    if (matches(bytes, eventAt, end, E_MARK)) return this.slowMark(fields);
    return REFUSED_UNKNOWN_EVENT;
  }

  private replyOrUnknown(fields: JsonObject): number {
    const isReply = fields.named(N_RESULT) !== SCAN_FAILED || fields.named(N_ERROR) !== SCAN_FAILED;
    return isReply ? MESSAGE_REPLY : REFUSED_UNKNOWN_EVENT;
  }

  private slowDepth(fields: JsonObject): number {
    const refusal = this.envelope(fields);
    if (refusal !== 0) return refusal;
    if (!this.wholeId(fields.letter(U_U))) return REFUSED_MALFORMED;
    this.firstLo = this.number.lo;
    this.firstHi = this.number.hi;
    if (!this.wholeId(fields.letter(L_U))) return REFUSED_MALFORMED;
    this.finalLo = this.number.lo;
    this.finalHi = this.number.hi;
    if (!this.wholeId(fields.named(N_PU))) return REFUSED_MALFORMED;
    this.previousLo = this.number.lo;
    this.previousHi = this.number.hi;
    if (!this.bothSides(fields.letter(L_B), fields.letter(L_A))) return this.levelRefusal();
    // The next ones of this instrument are likely near.
    this.depthGuess = this.index;
    return MESSAGE_DEPTH;
  }

  private slowTrade(fields: JsonObject, idKey: number, kind: number): number {
    const refusal = this.envelope(fields);
    if (refusal !== 0) return refusal;
    if (!this.wholeId(fields.letter(idKey))) return REFUSED_MALFORMED;
    this.idLo = this.number.lo;
    this.idHi = this.number.hi;
    this.pxTicks = this.quotedPrice(fields.letter(L_P));
    this.qtyLots = this.quotedQuantity(fields.letter(L_Q));
    if (this.pxTicks < 0 || this.qtyLots < 0) return this.valueRefusal();
    const typeAt = fields.letter(U_X);
    this.isMarketTrade = typeAt === SCAN_FAILED || matches(this.bytes, typeAt, this.end, V_MARKET);
    const makerAt = fields.letter(L_M);
    if (makerAt === SCAN_FAILED) return REFUSED_MALFORMED;
    // The scan has proved the literal; its first letter tells which.
    const first = this.bytes[makerAt]!;
    if (first !== L_T && first !== 0x66) return REFUSED_MALFORMED;
    this.buyerIsMaker = first === L_T;
    return kind;
  }

  private slowTicker(fields: JsonObject): number {
    const refusal = this.envelope(fields);
    if (refusal !== 0) return refusal;
    if (!this.wholeId(fields.letter(L_U))) return REFUSED_MALFORMED;
    this.idLo = this.number.lo;
    this.idHi = this.number.hi;
    this.bidPxTicks = this.quotedPrice(fields.letter(L_B));
    this.bidQtyLots = this.quotedQuantity(fields.letter(U_B));
    this.askPxTicks = this.quotedPrice(fields.letter(L_A));
    this.askQtyLots = this.quotedQuantity(fields.letter(U_A));
    const valid =
      this.bidPxTicks >= 0 && this.bidQtyLots >= 0 && this.askPxTicks >= 0 && this.askQtyLots >= 0;
    return valid ? MESSAGE_BOOK_TICKER : this.valueRefusal();
  }

  private slowMark(fields: JsonObject): number {
    const refusal = this.envelope(fields);
    if (refusal !== 0) return refusal;
    this.nextFundingMs = this.transactionMs;
    this.transactionMs = this.eventMs;
    this.markPxE8 = this.quotedUnits(fields.letter(L_P));
    this.indexPxE8 = this.quotedUnits(fields.letter(L_I));
    if (this.markPxE8 < 0 || this.indexPxE8 < 0) return this.valueRefusal();
    return this.readFundingRate(fields.letter(L_R)) ? MESSAGE_MARK_PRICE : this.valueRefusal();
  }

  /** `"0.00010000"`, `"-0.0001"`, or `""` where there is no funding. */
  private readFundingRate(at: number): boolean {
    const bytes = this.bytes;
    if (at === SCAN_FAILED || bytes[at] !== QUOTE) return false;
    this.fundingRateE8 = 0;
    if (bytes[at + 1] === QUOTE) return true;
    const negative = bytes[at + 1] === MINUS;
    const units = this.unitsUpTo(negative ? at + 2 : at + 1);
    this.fundingRateE8 = negative && units > 0 ? -units : units;
    return units >= 0;
  }

  /** Event times and symbol; 0, or the code of the refusal. */
  private envelope(fields: JsonObject): number {
    const symbolAt = fields.letter(L_S);
    if (symbolAt === SCAN_FAILED || this.bytes[symbolAt] !== QUOTE) return REFUSED_MALFORMED;
    this.at = symbolAt + 1;
    if (!this.readSymbol()) return REFUSED_UNKNOWN_SYMBOL;
    this.eventMs = this.millis(fields.letter(U_E));
    this.transactionMs = this.millis(fields.letter(U_T));
    return this.eventMs >= 0 && this.transactionMs >= 0 ? 0 : REFUSED_MALFORMED;
  }

  private millis(at: number): number {
    if (at === SCAN_FAILED) return SCAN_FAILED;
    const after = this.number.integer(this.bytes, at, this.end);
    return after !== SCAN_FAILED && this.endsValue(after) ? this.number.value : SCAN_FAILED;
  }

  private wholeId(at: number): boolean {
    if (at === SCAN_FAILED) return false;
    const after = this.number.id(this.bytes, at, this.end);
    return after !== SCAN_FAILED && this.endsValue(after);
  }

  /** A number must end where its JSON value ends: `1.5` and `1e3` are not ids. */
  private endsValue(at: number): boolean {
    const c = at < this.end ? this.bytes[at]! : 0;
    return c === 0x2c || c === CLOSE_BRACE;
  }

  private quotedPrice(at: number): number {
    return this.quotedSteps(at, this.forms[this.index]!.px);
  }

  private quotedQuantity(at: number): number {
    return this.quotedSteps(at, this.forms[this.index]!.qty);
  }

  private quotedSteps(at: number, form: DecimalForm): number {
    if (at === SCAN_FAILED || this.bytes[at] !== QUOTE) return SCAN_FAILED;
    this.at = at + 1;
    const value = this.readSteps(form);
    return value >= 0 && this.bytes[this.at] === QUOTE ? value : SCAN_FAILED;
  }

  private quotedUnits(at: number): number {
    return at === SCAN_FAILED || this.bytes[at] !== QUOTE ? SCAN_FAILED : this.unitsUpTo(at + 1);
  }

  private unitsUpTo(at: number): number {
    const units = this.decimal.unsigned(this.bytes, at, this.end, E8_DECIMALS);
    if (units < 0) this.offStep = this.offStep || this.decimal.inexact;
    return units >= 0 && this.bytes[this.decimal.position] === QUOTE ? units : SCAN_FAILED;
  }

  private bothSides(bidsAt: number, asksAt: number): boolean {
    this.levels.reset();
    if (bidsAt === SCAN_FAILED || asksAt === SCAN_FAILED) return false;
    this.at = bidsAt;
    if (!this.readLevels()) return false;
    this.bidCount = this.levels.count;
    this.at = asksAt;
    return this.readLevels();
  }

  private levelRefusal(): number {
    if (this.levels.tooMany) return REFUSED_TOO_LARGE;
    return this.levels.offStep ? REFUSED_OFF_STEP : REFUSED_MALFORMED;
  }

  private valueRefusal(): number {
    return this.offStep ? REFUSED_OFF_STEP : REFUSED_MALFORMED;
  }
}
