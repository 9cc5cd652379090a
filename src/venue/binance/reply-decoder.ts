// Replies of the WebSocket API: bytes → fields. Hot: execution lane; 0 bytes per reply; two passes. The reply
// names its request by the id we gave it: `<action>-<clientSeq>-<requestNo>`.
import type { Instrument } from "../../market/instrument.ts";
import { ORDER_UNKNOWN } from "../../wire/codes.ts";
import { JsonObject } from "./json-object.ts";
import { ascii, DecimalReader, matches, NumberReader, SCAN_FAILED, skipString } from "./json-scan.ts";
import { orderStateOf } from "./order-codes.ts";
import type { RequestBudget } from "./request-budget.ts";
import { ScaleTable } from "./scale-table.ts";

export const REPLY_MALFORMED = -1;
/** Not an answer to an order request (log-on, event). */
export const REPLY_OTHER = 0;
export const REPLY_OK = 1;
export const REPLY_ERROR = 2;

const QUOTE = 0x22;
const DASH = 0x2d;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const N_ID = ascii("id");
const N_STATUS = ascii("status");
const N_RESULT = ascii("result");
const N_ERROR = ascii("error");
const N_CODE = ascii("code");
const N_DATA = ascii("data");
const N_RETRY_AFTER = ascii("retryAfter");
const N_LIMITS = ascii("rateLimits");
const N_TYPE = ascii("rateLimitType");
const N_INTERVAL = ascii("interval");
const N_INTERVAL_NUM = ascii("intervalNum");
const N_COUNT = ascii("count");
const N_ORDER_ID = ascii("orderId");
const N_PRICE = ascii("price");
const N_ORIG_QTY = ascii("origQty");
const N_EXECUTED_QTY = ascii("executedQty");
const N_UPDATE_TIME = ascii("updateTime");
const V_WEIGHT = ascii('"REQUEST_WEIGHT"');
const V_SECOND = ascii('"SECOND"');
const V_LOGON = ascii('"logon"');

export class ReplyDecoder {
  action: number;
  clientSeq: number;
  requestNo: number;
  httpStatus: number;
  errorCode: number;
  isLogon: boolean;
  /** Venue time until which nothing may be sent (429, 418), ms; 0 = not said. */
  retryAfterMs: number;
  /** Set by readOrder. */
  orderIdLo: number;
  orderIdHi: number;
  orderState: number;
  pxTicks: number;
  qtyLots: number;
  cumQtyLots: number;
  updateMs: number;
  private readonly scales: ScaleTable;
  private readonly number: NumberReader;
  private readonly decimal: DecimalReader;
  private readonly outer: JsonObject;
  private readonly inner: JsonObject;
  private bytes: Uint8Array;
  private end: number;
  private resultAt: number;

  constructor(instruments: readonly Instrument[]) {
    this.action = 0;
    this.clientSeq = 0.5;
    this.requestNo = 0.5;
    this.httpStatus = 0;
    this.errorCode = 0;
    this.isLogon = false;
    this.retryAfterMs = 0;
    this.orderIdLo = 0.5;
    this.orderIdHi = 0.5;
    this.orderState = 0;
    this.pxTicks = 0.5;
    this.qtyLots = 0.5;
    this.cumQtyLots = 0.5;
    this.updateMs = 0.5;
    this.scales = new ScaleTable(instruments, "id");
    this.number = new NumberReader();
    this.decimal = new DecimalReader();
    this.outer = new JsonObject();
    this.inner = new JsonObject();
    this.bytes = new Uint8Array(0);
    this.end = 0;
    this.resultAt = SCAN_FAILED;
  }

  /** Reads the reply's head, and its rate limits into `budget`. Returns a REPLY_… code. */
  decode(bytes: Uint8Array, end: number, budget: RequestBudget, venueMs: number): number {
    this.bytes = bytes;
    this.end = end;
    this.isLogon = false;
    this.errorCode = 0;
    this.retryAfterMs = 0;
    if (end > bytes.length || this.outer.scan(bytes, 0, end) !== end) return REPLY_MALFORMED;
    const f = this.outer;
    const idAt = f.named(N_ID);
    const statusAt = f.named(N_STATUS);
    if (statusAt === SCAN_FAILED || this.number.integer(bytes, statusAt, end) === SCAN_FAILED)
      return REPLY_OTHER;
    this.httpStatus = this.number.value;
    this.resultAt = f.named(N_RESULT);
    const errorAt = f.named(N_ERROR);
    this.readLimits(f.named(N_LIMITS), budget, venueMs);
    if (errorAt !== SCAN_FAILED) this.readError(errorAt);
    this.isLogon = idAt !== SCAN_FAILED && matches(bytes, idAt, end, V_LOGON);
    if (this.isLogon || !this.readId(idAt)) return REPLY_OTHER;
    return this.httpStatus === 200 && errorAt === SCAN_FAILED ? REPLY_OK : REPLY_ERROR;
  }

  /** Reads the order in the result of a REPLY_OK about an order on `instrument`. False: it is not there. */
  readOrder(instrument: number): boolean {
    const { bytes, end, inner: f } = this;
    const at = this.resultAt;
    if (at === SCAN_FAILED || bytes[at] !== OPEN_BRACE || f.scan(bytes, at, end) === SCAN_FAILED)
      return false;
    const idAt = f.named(N_ORDER_ID);
    if (idAt === SCAN_FAILED || this.number.id(bytes, idAt, end) === SCAN_FAILED) return false;
    this.orderIdLo = this.number.lo;
    this.orderIdHi = this.number.hi;
    const statusAt = f.named(N_STATUS);
    const statusEnd = statusAt === SCAN_FAILED ? SCAN_FAILED : skipString(bytes, statusAt, end);
    this.orderState =
      statusEnd === SCAN_FAILED ? ORDER_UNKNOWN : orderStateOf(bytes, statusAt + 1, statusEnd - 1);
    const px = this.steps(
      f.named(N_PRICE),
      this.scales.pxDecimals[instrument]!,
      this.scales.pxStep[instrument]!,
    );
    const qtyDecimals = this.scales.qtyDecimals[instrument]!;
    const qtyStep = this.scales.qtyStep[instrument]!;
    const qty = this.steps(f.named(N_ORIG_QTY), qtyDecimals, qtyStep);
    const cum = this.steps(f.named(N_EXECUTED_QTY), qtyDecimals, qtyStep);
    this.pxTicks = px;
    this.qtyLots = qty;
    this.cumQtyLots = cum;
    const timeAt = f.named(N_UPDATE_TIME);
    const timed = timeAt !== SCAN_FAILED && this.number.integer(bytes, timeAt, end) !== SCAN_FAILED;
    this.updateMs = timed ? this.number.value : 0;
    return px >= 0 && qty >= 0 && cum >= 0;
  }

  private steps(at: number, decimals: number, step: number): number {
    if (at === SCAN_FAILED || this.bytes[at] !== QUOTE) return SCAN_FAILED;
    const units = this.decimal.unsigned(this.bytes, at + 1, this.end, decimals);
    return units >= 0 && units % step === 0 ? units / step : SCAN_FAILED;
  }

  /** `"1-4711-9"`. */
  private readId(at: number): boolean {
    const { bytes, end, number } = this;
    if (at === SCAN_FAILED || bytes[at] !== QUOTE) return false;
    let i = number.integer(bytes, at + 1, end);
    if (i === SCAN_FAILED || bytes[i] !== DASH) return false;
    this.action = number.value;
    i = number.integer(bytes, i + 1, end);
    if (i === SCAN_FAILED || bytes[i] !== DASH) return false;
    this.clientSeq = number.value;
    i = number.integer(bytes, i + 1, end);
    if (i === SCAN_FAILED || bytes[i] !== QUOTE) return false;
    this.requestNo = number.value;
    return true;
  }

  private readError(at: number): void {
    const { bytes, end, inner: f } = this;
    if (bytes[at] !== OPEN_BRACE || f.scan(bytes, at, end) === SCAN_FAILED) return;
    const codeAt = f.named(N_CODE);
    const dataAt = f.named(N_DATA);
    if (dataAt !== SCAN_FAILED && bytes[dataAt] === OPEN_BRACE && f.scan(bytes, dataAt, end) !== SCAN_FAILED)
      this.retryAfterMs = Math.max(0, this.integer(f.named(N_RETRY_AFTER)));
    if (codeAt === SCAN_FAILED) return;
    const negative = bytes[codeAt] === DASH;
    if (this.number.integer(bytes, negative ? codeAt + 1 : codeAt, end) === SCAN_FAILED) return;
    this.errorCode = negative ? -this.number.value : this.number.value;
  }

  private readLimits(at: number, budget: RequestBudget, venueMs: number): void {
    const { bytes, end, inner: f } = this;
    if (at === SCAN_FAILED || bytes[at] !== OPEN_BRACKET) return;
    let i = at;
    while ((bytes[i] === OPEN_BRACKET || bytes[i] === COMMA) && bytes[i + 1] === OPEN_BRACE) {
      i = f.scan(bytes, i + 1, end);
      if (i === SCAN_FAILED) return;
      const count = this.integer(f.named(N_COUNT));
      const intervals = this.integer(f.named(N_INTERVAL_NUM));
      if (count < 0) continue;
      if (matches(bytes, f.named(N_TYPE), end, V_WEIGHT)) budget.onWeightUsed(venueMs, count);
      else {
        const seconds = matches(bytes, f.named(N_INTERVAL), end, V_SECOND) ? intervals : intervals * 60;
        budget.onOrdersUsed(venueMs, seconds, count);
      }
    }
  }

  private integer(at: number): number {
    if (at === SCAN_FAILED) return SCAN_FAILED;
    return this.number.integer(this.bytes, at, this.end) === SCAN_FAILED ? SCAN_FAILED : this.number.value;
  }
}
