// User data stream of Binance USD-M: bytes → fields. Hot: execution lane; 0 bytes per message; two passes
// (scan, read). Refuses what it cannot read whole; never throws. Ids are two u32; the client order id is taken
// apart in place by ClientIdParser.
import type { Instrument } from "../../market/instrument.ts";
import { ClientIdParser } from "../../order/client-id.ts";
import { SIDE_BUY, SIDE_SELL } from "../../wire/codes.ts";
import { JsonObject } from "./json-object.ts";
import { ascii, DecimalReader, matches, NumberReader, SCAN_FAILED, skipString } from "./json-scan.ts";
import { execTypeOf, orderStateOf, REASON_OTHER, reasonOf } from "./order-codes.ts";
import { ScaleTable } from "./scale-table.ts";
import { SymbolTable } from "./symbol-table.ts";

export const ACCOUNT_ORDER = 1;
export const ACCOUNT_BALANCES = 2;
export const ACCOUNT_LISTEN_KEY_EXPIRED = 3;
/** Well-formed, and of no interest (margin call, configuration change, a reply). */
export const ACCOUNT_OTHER = 4;
export const ACCOUNT_MALFORMED = -1;
/** An order or position of an instrument that this session does not trade. */
export const ACCOUNT_UNKNOWN_SYMBOL = -2;

const E8_DECIMALS = 8;
const QUOTE = 0x22;
const MINUS = 0x2d;
const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const V_BUY = ascii('"BUY"');
const V_SELL = ascii('"SELL"');
const E_ORDER = ascii('"ORDER_TRADE_UPDATE"');
const E_ACCOUNT = ascii('"ACCOUNT_UPDATE"');
const E_EXPIRED = ascii('"listenKeyExpired"');
const N_DATA = ascii("data");
const N_WALLET = ascii("wb");
const N_CHANGE = ascii("bc");
const N_CROSS = ascii("cw");
const N_AMOUNT = ascii("pa");
const N_ENTRY = ascii("ep");

export class AccountDecoder {
  eventMs: number;
  transactionMs: number;
  /** Index of the instrument; −1 = none of ours. */
  index: number;
  /** ORDER: parts of the client id; all 0 when it is not one of ours. */
  readonly clientId: ClientIdParser;
  side: number;
  execType: number;
  orderState: number;
  reduceOnly: boolean;
  pxTicks: number;
  qtyLots: number;
  cumQtyLots: number;
  lastPxTicks: number;
  lastQtyLots: number;
  maker: boolean;
  /** 1e-8 of `feeAsset`, + paid. */
  feeE8: number;
  /** Index into the asset names, 0 = unknown. */
  feeAsset: number;
  orderIdLo: number;
  orderIdHi: number;
  tradeIdLo: number;
  tradeIdHi: number;
  tradeMs: number;
  /** ACCOUNT: index into ACCOUNT_REASONS; current balance or position of the walk. */
  reason: number;
  asset: number;
  walletE8: number;
  availableE8: number;
  changeE8: number;
  positionLots: number;
  entryPxE8: number;

  private readonly symbols: SymbolTable;
  private readonly assets: SymbolTable;
  private readonly scales: ScaleTable;
  private readonly number: NumberReader;
  private readonly decimal: DecimalReader;
  private readonly outer: JsonObject;
  private readonly data: JsonObject;
  private readonly fields: JsonObject;
  private bytes: Uint8Array;
  private end: number;
  private balanceAt: number;
  private positionAt: number;

  /** `assets[i]` is asset id i; element 0 stands for an unknown one. */
  constructor(instruments: readonly Instrument[], assets: readonly string[]) {
    this.eventMs = 0.5;
    this.transactionMs = 0.5;
    this.index = -1;
    this.clientId = new ClientIdParser();
    this.side = 0;
    this.execType = 0;
    this.orderState = 0;
    this.reduceOnly = false;
    this.pxTicks = 0.5;
    this.qtyLots = 0.5;
    this.cumQtyLots = 0.5;
    this.lastPxTicks = 0.5;
    this.lastQtyLots = 0.5;
    this.maker = false;
    this.feeE8 = 0.5;
    this.feeAsset = 0;
    this.orderIdLo = 0.5;
    this.orderIdHi = 0.5;
    this.tradeIdLo = 0.5;
    this.tradeIdHi = 0.5;
    this.tradeMs = 0.5;
    this.reason = 0;
    this.asset = 0;
    this.walletE8 = 0.5;
    this.availableE8 = 0.5;
    this.changeE8 = 0.5;
    this.positionLots = 0.5;
    this.entryPxE8 = 0.5;
    this.symbols = new SymbolTable(instruments.map((i) => i.symbol));
    this.assets = new SymbolTable(assets);
    this.scales = new ScaleTable(instruments, "place");
    this.number = new NumberReader();
    this.decimal = new DecimalReader();
    this.fields = new JsonObject();
    this.outer = new JsonObject(this.fields, "oa");
    this.data = new JsonObject(this.fields, "oa");
    this.bytes = new Uint8Array(0);
    this.end = 0;
    this.balanceAt = SCAN_FAILED;
    this.positionAt = SCAN_FAILED;
  }

  /** Decodes bytes[0 … end). Returns an ACCOUNT_… code. */
  decode(bytes: Uint8Array, end: number): number {
    this.bytes = bytes;
    this.end = end;
    this.index = -1;
    if (end > bytes.length || this.outer.scan(bytes, 0, end) !== end) return ACCOUNT_MALFORMED;
    let message = this.outer;
    const dataAt = message.named(N_DATA);
    if (dataAt !== SCAN_FAILED && bytes[dataAt] === OPEN_BRACE) {
      message = this.data;
      if (message.scan(bytes, dataAt, end) === SCAN_FAILED) return ACCOUNT_MALFORMED;
    }
    const eventAt = message.letter(0x65);
    if (eventAt === SCAN_FAILED) return ACCOUNT_OTHER;
    if (matches(bytes, eventAt, end, E_EXPIRED)) return ACCOUNT_LISTEN_KEY_EXPIRED;
    const isOrder = matches(bytes, eventAt, end, E_ORDER);
    if (!isOrder && !matches(bytes, eventAt, end, E_ACCOUNT)) return ACCOUNT_OTHER;
    this.eventMs = this.integerAt(message.letter(0x45));
    this.transactionMs = this.integerAt(message.letter(0x54));
    if (this.eventMs < 0 || this.transactionMs < 0) return ACCOUNT_MALFORMED;
    const orderAt = message.letter(0x6f);
    const accountAt = message.letter(0x61);
    // One object only can have been taken apart: a message with both is not the venue's.
    if (orderAt !== SCAN_FAILED && accountAt !== SCAN_FAILED) return ACCOUNT_MALFORMED;
    return isOrder ? this.readOrder(orderAt) : this.readAccount(accountAt);
  }

  /** Moves to the next balance of an ACCOUNT_UPDATE; false at the end. */
  nextBalance(): boolean {
    this.balanceAt = this.nextObject(this.balanceAt);
    if (this.balanceAt === SCAN_FAILED) return false;
    const f = this.fields;
    this.asset = this.assetAt(f.letter(0x61));
    this.walletE8 = this.signedAt(f.named(N_WALLET), E8_DECIMALS, 1);
    this.changeE8 = this.signedAt(f.named(N_CHANGE), E8_DECIMALS, 1);
    this.availableE8 = this.signedAt(f.named(N_CROSS), E8_DECIMALS, 1);
    return true;
  }

  /** Moves to the next position of an ACCOUNT_UPDATE; false at the end. `index` −1: not an instrument of ours. */
  nextPosition(): boolean {
    this.positionAt = this.nextObject(this.positionAt);
    if (this.positionAt === SCAN_FAILED) return false;
    const f = this.fields;
    this.index = this.symbolAt(f.letter(0x73));
    if (this.index < 0) return true;
    const k = this.index;
    this.positionLots = this.signedAt(
      f.named(N_AMOUNT),
      this.scales.qtyDecimals[k]!,
      this.scales.qtyStep[k]!,
    );
    const entryAt = f.named(N_ENTRY);
    const entry =
      entryAt === SCAN_FAILED ? -1 : this.decimal.truncated(this.bytes, entryAt + 1, this.end, E8_DECIMALS);
    this.entryPxE8 = entry < 0 ? Number.NaN : entry;
    return true;
  }

  private readOrder(at: number): number {
    const bytes = this.bytes;
    const f = this.fields;
    // The order's object has been taken apart with the message.
    if (at === SCAN_FAILED || bytes[at] !== OPEN_BRACE) return ACCOUNT_MALFORMED;
    this.index = this.symbolAt(f.letter(0x73));
    if (this.index < 0) return ACCOUNT_UNKNOWN_SYMBOL;
    const clientAt = f.letter(0x63);
    const clientEnd = this.textEnd(clientAt);
    if (clientEnd === SCAN_FAILED) return ACCOUNT_MALFORMED;
    this.clientId.parse(bytes, clientAt + 1, clientEnd);
    const executionAt = f.letter(0x78);
    const statusAt = f.letter(0x58);
    if (this.textEnd(executionAt) === SCAN_FAILED || this.textEnd(statusAt) === SCAN_FAILED)
      return ACCOUNT_MALFORMED;
    this.execType = execTypeOf(bytes, executionAt + 1, this.textEnd(executionAt));
    this.orderState = orderStateOf(bytes, statusAt + 1, this.textEnd(statusAt));
    this.side = this.sideAt(f.letter(0x53));
    const reduceAt = f.letter(0x52);
    this.reduceOnly = reduceAt !== SCAN_FAILED && bytes[reduceAt] === 0x74;
    return this.side !== 0 && this.readQuantities() && this.readExecution()
      ? ACCOUNT_ORDER
      : ACCOUNT_MALFORMED;
  }

  private readQuantities(): boolean {
    const f = this.fields;
    const k = this.index;
    const qtyDecimals = this.scales.qtyDecimals[k]!;
    const qtyStep = this.scales.qtyStep[k]!;
    this.pxTicks = this.signedAt(f.letter(0x70), this.scales.pxDecimals[k]!, this.scales.pxStep[k]!);
    this.qtyLots = this.signedAt(f.letter(0x71), qtyDecimals, qtyStep);
    this.cumQtyLots = this.signedAt(f.letter(0x7a), qtyDecimals, qtyStep);
    this.lastQtyLots = this.signedAt(f.letter(0x6c), qtyDecimals, qtyStep);
    this.lastPxTicks = this.signedAt(f.letter(0x4c), this.scales.pxDecimals[k]!, this.scales.pxStep[k]!);
    return (
      this.pxTicks >= 0 &&
      this.qtyLots >= 0 &&
      this.cumQtyLots >= 0 &&
      this.lastQtyLots >= 0 &&
      this.lastPxTicks >= 0
    );
  }

  private readExecution(): boolean {
    const f = this.fields;
    if (!this.idAt(f.letter(0x69))) return false;
    this.orderIdLo = this.number.lo;
    this.orderIdHi = this.number.hi;
    if (!this.idAt(f.letter(0x74))) return false;
    this.tradeIdLo = this.number.lo;
    this.tradeIdHi = this.number.hi;
    this.tradeMs = this.integerAt(f.letter(0x54));
    const makerAt = f.letter(0x6d);
    // Fees hang on it: a report without it is not read.
    const maker = makerAt === SCAN_FAILED ? 0 : this.bytes[makerAt]!;
    this.maker = maker === 0x74;
    if (!this.maker && maker !== 0x66) return false;
    const feeAt = f.letter(0x6e);
    // Absent or null when nothing was charged.
    const isCharged = feeAt !== SCAN_FAILED && this.bytes[feeAt] === QUOTE;
    this.feeE8 = isCharged ? this.signedAt(feeAt, E8_DECIMALS, 1) : 0;
    this.feeAsset = this.assetAt(f.letter(0x4e));
    return this.tradeMs >= 0 && !Number.isNaN(this.feeE8);
  }

  private readAccount(at: number): number {
    const bytes = this.bytes;
    const f = this.fields;
    if (at === SCAN_FAILED || bytes[at] !== OPEN_BRACE) return ACCOUNT_MALFORMED;
    const reasonAt = f.letter(0x6d);
    const reasonEnd = this.textEnd(reasonAt);
    this.reason = reasonEnd === SCAN_FAILED ? REASON_OTHER : reasonOf(bytes, reasonAt + 1, reasonEnd);
    this.balanceAt = this.arrayAt(f.letter(0x42));
    this.positionAt = this.arrayAt(f.letter(0x50));
    return ACCOUNT_BALANCES;
  }

  /** Position of the `[` of an array (the walk starts there), or SCAN_FAILED. */
  private arrayAt(at: number): number {
    return at !== SCAN_FAILED && this.bytes[at] === OPEN_BRACKET ? at : SCAN_FAILED;
  }

  /** Scans the object after the `[` or `,` at `at`; returns the position after it, or SCAN_FAILED at the end. */
  private nextObject(at: number): number {
    if (at === SCAN_FAILED || at >= this.end) return SCAN_FAILED;
    const c = this.bytes[at];
    if ((c !== OPEN_BRACKET && c !== COMMA) || this.bytes[at + 1] === CLOSE_BRACKET) return SCAN_FAILED;
    return this.fields.scan(this.bytes, at + 1, this.end);
  }

  /** Position of the closing quote of the string at `at`, or SCAN_FAILED. */
  private textEnd(at: number): number {
    if (at === SCAN_FAILED) return SCAN_FAILED;
    const after = skipString(this.bytes, at, this.end);
    return after === SCAN_FAILED ? SCAN_FAILED : after - 1;
  }

  private symbolAt(at: number): number {
    const end = this.textEnd(at);
    return end === SCAN_FAILED ? SCAN_FAILED : this.symbols.find(this.bytes, at + 1, end);
  }

  private assetAt(at: number): number {
    const end = this.textEnd(at);
    if (end === SCAN_FAILED) return 0;
    const index = this.assets.find(this.bytes, at + 1, end);
    return Math.max(index, 0);
  }

  private sideAt(at: number): number {
    if (matches(this.bytes, at, this.end, V_BUY)) return SIDE_BUY;
    return matches(this.bytes, at, this.end, V_SELL) ? SIDE_SELL : 0;
  }

  private integerAt(at: number): number {
    if (at === SCAN_FAILED) return SCAN_FAILED;
    const after = this.number.integer(this.bytes, at, this.end);
    return after !== SCAN_FAILED && this.endsValue(after) ? this.number.value : SCAN_FAILED;
  }

  private idAt(at: number): boolean {
    if (at === SCAN_FAILED) return false;
    const after = this.number.id(this.bytes, at, this.end);
    return after !== SCAN_FAILED && this.endsValue(after);
  }

  private endsValue(at: number): boolean {
    const c = at < this.end ? this.bytes[at]! : 0;
    return c === COMMA || c === CLOSE_BRACE;
  }

  /** `"-0.123"` at `at` in steps; NaN when it is no decimal text or no multiple of the step. */
  private signedAt(at: number, decimals: number, step: number): number {
    const bytes = this.bytes;
    if (at === SCAN_FAILED || bytes[at] !== QUOTE) return Number.NaN;
    const negative = bytes[at + 1] === MINUS;
    const units = this.decimal.unsigned(bytes, negative ? at + 2 : at + 1, this.end, decimals);
    if (units < 0 || units % step !== 0 || bytes[this.decimal.position] !== QUOTE) return Number.NaN;
    return negative && units !== 0 ? -units / step : units / step;
  }
}
