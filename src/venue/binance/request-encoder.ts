// Order requests of the WebSocket API as JSON bytes. Hot: execution lane; 0 bytes per request (HMAC: the two
// digests write into preallocated memory too); bounded by the longest request, below.
//
// A session that is logged on (Ed25519) sends no key and no signature. Otherwise each request carries both:
// the signature is over `k=v` of all other parameters in alphabetical order, so the parameters are written in
// that order and the signed text grows beside the JSON.
//
//   {"id":"1-4711-9","method":"order.place","params":{"apiKey":"…","newClientOrderId":"h…","price":"61800.3",
//    "quantity":"0.010","recvWindow":5000,"side":"BUY","symbol":"BTCUSDT","timeInForce":"GTX",
//    "timestamp":1723161255030,"type":"LIMIT","signature":"…"}}
import type { Instrument } from "../../market/instrument.ts";
import { type ClientIdEncoder, FIRST_ADOPTED_SEQ } from "../../order/client-id.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import { ACTION_CANCEL, ACTION_MODIFY, ACTION_PLACE, ORDER_TYPE_MARKET, SIDE_BUY } from "../../wire/codes.ts";
import type { AdoptedOrders } from "./adopted-orders.ts";
import { AsciiText, AsciiWriter } from "./ascii-writer.ts";
import { ScaleTable } from "./scale-table.ts";
import { SIGNED_BYTES_MAX, type Signer } from "./signer.ts";

/** Not an OrderAction: a question about an order. */
export const ACTION_STATUS = 9;

/** 11 parameters of at most 24 + 64 bytes, key and signature included: below 1.5 kB. */
const REQUEST_BYTES = 2048;

const K_ID = new AsciiText('{"id":"');
const K_DASH = new AsciiText("-");
const K_PLACE = new AsciiText('","method":"order.place","params":{');
const K_CANCEL = new AsciiText('","method":"order.cancel","params":{');
const K_MODIFY = new AsciiText('","method":"order.modify","params":{');
const K_STATUS = new AsciiText('","method":"order.status","params":{');
const K_END = new AsciiText("}}");
const QUOTE = new AsciiText('"');
const COMMA = new AsciiText(",");
const AND = new AsciiText("&");

/** A parameter's name as it stands in JSON (`"price":"`, or `"recvWindow":` for a number) and in the signed text. */
class Name {
  readonly json: AsciiText;
  readonly text: AsciiText;
  readonly quoted: boolean;

  constructor(name: string, quoted: boolean) {
    this.json = new AsciiText(quoted ? `"${name}":"` : `"${name}":`);
    this.text = new AsciiText(`${name}=`);
    this.quoted = quoted;
  }
}

const API_KEY = new Name("apiKey", true);
const NEW_CLIENT_ID = new Name("newClientOrderId", true);
const ORDER_ID = new Name("orderId", false);
const CLIENT_ID = new Name("origClientOrderId", true);
const PRICE = new Name("price", true);
const QUANTITY = new Name("quantity", true);
const RECV_WINDOW = new Name("recvWindow", false);
const REDUCE_ONLY = new Name("reduceOnly", true);
const SIDE = new Name("side", true);
const SYMBOL = new Name("symbol", true);
const TIF = new Name("timeInForce", true);
const TIMESTAMP = new Name("timestamp", false);
const TYPE = new Name("type", true);
const SIGNATURE = new Name("signature", true);

const V_TRUE = new AsciiText("true");
const V_BUY = new AsciiText("BUY");
const V_SELL = new AsciiText("SELL");
const V_LIMIT = new AsciiText("LIMIT");
const V_MARKET = new AsciiText("MARKET");
/** By TIF_… code. */
const V_TIFS = [new AsciiText("GTC"), new AsciiText("GTX"), new AsciiText("FOK"), new AsciiText("IOC")];

export class RequestEncoder {
  /** The request is json.bytes[0 … json.at). */
  readonly json: AsciiWriter;
  private readonly text: AsciiWriter;
  private readonly ids: ClientIdEncoder;
  private readonly apiKey: AsciiText;
  private readonly signer: Signer;
  private readonly recvWindowMs: number;
  private readonly adopted: AdoptedOrders;
  /** By instrument id. */
  private readonly symbols: AsciiText[];
  private readonly scales: ScaleTable;
  private signed: boolean;
  private first: boolean;
  private valueAt: number;

  constructor(
    instruments: readonly Instrument[],
    ids: ClientIdEncoder,
    apiKey: string,
    signer: Signer,
    recvWindowMs: number,
    adopted: AdoptedOrders,
  ) {
    const size = instruments.reduce((most, i) => Math.max(most, i.id), 0) + 1;
    this.json = new AsciiWriter(REQUEST_BYTES);
    this.text = new AsciiWriter(SIGNED_BYTES_MAX + 256);
    this.ids = ids;
    this.apiKey = new AsciiText(apiKey);
    this.signer = signer;
    this.recvWindowMs = recvWindowMs;
    this.adopted = adopted;
    this.symbols = new Array<AsciiText>(size).fill(new AsciiText(""));
    for (const i of instruments) this.symbols[i.id] = new AsciiText(i.symbol);
    this.scales = new ScaleTable(instruments, "id");
    this.signed = true;
    this.first = true;
    this.valueAt = 0;
  }

  /**
   * Encodes a place, cancel, modify or status request (`action`) into `json`. `requestNo` makes the id unique;
   * `signed` false in a session that is logged on.
   */
  encode(action: number, r: OrderRequest, requestNo: number, venueMs: number, signed: boolean): void {
    this.begin(action, r.clientSeq, requestNo, signed);
    this.name(action, r);
    if (action === ACTION_PLACE || action === ACTION_MODIFY) this.priceAndQuantity(r);
    this.number(RECV_WINDOW, this.recvWindowMs);
    if (action === ACTION_PLACE && r.reduceOnly) this.value(REDUCE_ONLY, V_TRUE);
    if (action === ACTION_PLACE || action === ACTION_MODIFY) {
      this.value(SIDE, r.side === SIDE_BUY ? V_BUY : V_SELL);
    }
    this.value(SYMBOL, this.symbols[r.instrument]!);
    const isMarket = r.orderType === ORDER_TYPE_MARKET;
    if (action === ACTION_PLACE && !isMarket) this.value(TIF, V_TIFS[r.tif]!);
    this.number(TIMESTAMP, venueMs);
    if (action === ACTION_PLACE) this.value(TYPE, isMarket ? V_MARKET : V_LIMIT);
    this.finish();
  }

  private name(action: number, r: OrderRequest): void {
    const orderId = r.clientSeq >= FIRST_ADOPTED_SEQ ? this.adopted.textOf(r.clientSeq) : null;
    if (orderId !== null) {
      this.value(ORDER_ID, orderId);
      return;
    }
    this.openParameter(action === ACTION_PLACE ? NEW_CLIENT_ID : CLIENT_ID);
    this.json.at = this.ids.encode(this.json.bytes, this.json.at, r.strategy, r.clientSeq);
    this.closeParameter(true);
  }

  private begin(action: number, clientSeq: number, requestNo: number, signed: boolean): void {
    const json = this.json;
    json.at = 0;
    this.text.at = 0;
    this.signed = signed;
    this.first = true;
    json.literal(K_ID);
    json.integer(action);
    json.literal(K_DASH);
    json.integer(clientSeq);
    json.literal(K_DASH);
    json.integer(requestNo);
    if (action === ACTION_PLACE) json.literal(K_PLACE);
    else if (action === ACTION_CANCEL) json.literal(K_CANCEL);
    else if (action === ACTION_MODIFY) json.literal(K_MODIFY);
    else json.literal(K_STATUS);
    if (signed) this.value(API_KEY, this.apiKey);
  }

  private priceAndQuantity(r: OrderRequest): void {
    const k = r.instrument;
    if (r.orderType !== ORDER_TYPE_MARKET) {
      this.openParameter(PRICE);
      this.json.decimal(r.pxTicks * this.scales.pxStep[k]!, this.scales.pxDecimals[k]!);
      this.closeParameter(true);
    }
    this.openParameter(QUANTITY);
    this.json.decimal(r.qtyLots * this.scales.qtyStep[k]!, this.scales.qtyDecimals[k]!);
    this.closeParameter(true);
  }

  private value(name: Name, text: AsciiText): void {
    this.openParameter(name);
    this.json.literal(text);
    this.closeParameter(name.quoted);
  }

  private number(name: Name, value: number): void {
    this.openParameter(name);
    this.json.integer(value);
    this.closeParameter(false);
  }

  private openParameter(name: Name): void {
    if (!this.first) {
      this.json.literal(COMMA);
      if (this.signed) this.text.literal(AND);
    }
    this.first = false;
    this.json.literal(name.json);
    if (this.signed) this.text.literal(name.text);
    this.valueAt = this.json.at;
  }

  private closeParameter(quoted: boolean): void {
    if (this.signed) this.text.copy(this.json.bytes, this.valueAt, this.json.at);
    if (quoted) this.json.literal(QUOTE);
  }

  private finish(): void {
    const json = this.json;
    if (this.signed) {
      json.literal(COMMA);
      json.literal(SIGNATURE.json);
      json.at = this.sign(json.bytes, json.at);
      json.literal(QUOTE);
    }
    json.literal(K_END);
  }

  private sign(out: Uint8Array, at: number): number {
    const { text, signer } = this;
    if (signer.kind === "hmac") return signer.signInto(text.bytes, 0, text.at, out, at);
    // Ed25519 without a log-on: allocates, and only happens until the log-on has been answered.
    const base64 = signer.signText(Buffer.from(text.bytes.buffer, 0, text.at).toString("latin1"));
    for (let i = 0; i < base64.length; i++) out[at + i] = base64.charCodeAt(i);
    return at + base64.length;
  }
}
