// Parameters of order.place and order.modify, parsed and held against the filters. Decimal texts go straight to
// integers; nothing passes through a binary float.
import { type Decimal, parseDecimal, scaleTo } from "../../core/decimal.ts";
import { STP_EXPIRE_BOTH, STP_EXPIRE_MAKER, STP_EXPIRE_TAKER, STP_NONE } from "../../exchange/own-orders.ts";
import { ORDER_TYPE_LIMIT, ORDER_TYPE_MARKET, TIF_FOK, TIF_GTC, TIF_GTX, TIF_IOC } from "../../wire/codes.ts";
import {
  type ApiError,
  BAD_CLIENT_ID,
  BAD_ORDER_TYPE,
  BAD_SIDE,
  BAD_TIF,
  illegal,
  isError,
  missing,
  notionalTooSmall,
  PRICE_ABOVE_MAX,
  PRICE_BELOW_MIN,
  PRICE_OFF_TICK,
  priceAboveBand,
  priceBelowBand,
  QTY_ABOVE_MAX,
  QTY_BELOW_MIN,
  QTY_NOT_POSITIVE,
  QTY_OFF_STEP,
  TOO_PRECISE,
  WRONG_POSITION_SIDE,
} from "./api-error.ts";
import { markText, type SymbolSpec } from "./symbol-spec.ts";

export type Params = Readonly<Record<string, string>>;

export interface PlaceRequest {
  readonly side: number;
  readonly orderType: number;
  readonly tif: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly reduceOnly: boolean;
  readonly stp: number;
  /** Empty: the venue makes one. */
  readonly clientId: string;
  readonly fullReply: boolean;
}

// Maps, not objects: "constructor" is no time in force.
const TIFS: ReadonlyMap<string, number> = new Map([
  ["GTC", TIF_GTC],
  ["GTX", TIF_GTX],
  ["FOK", TIF_FOK],
  ["IOC", TIF_IOC],
]);
const STPS: ReadonlyMap<string, number> = new Map([
  ["NONE", STP_NONE],
  ["EXPIRE_TAKER", STP_EXPIRE_TAKER],
  ["EXPIRE_MAKER", STP_EXPIRE_MAKER],
  ["EXPIRE_BOTH", STP_EXPIRE_BOTH],
]);
const CLIENT_ID = /^[.A-Z:/a-z0-9_-]{1,36}$/;

export function parsePlace(p: Params, spec: SymbolSpec, defaultStp: number): PlaceRequest | ApiError {
  const side = parseSide(p["side"]);
  if (typeof side !== "number") return side;
  const type = p["type"];
  if (!type) return missing("type");
  if (type !== "LIMIT" && type !== "MARKET") return BAD_ORDER_TYPE;
  const market = type === "MARKET";
  const head = parseFlags(p, defaultStp);
  if ("code" in head) return head;
  let tif = TIF_GTC;
  if (!market) {
    if (!p["timeInForce"]) return missing("timeInForce");
    const known = TIFS.get(p["timeInForce"]);
    if (known === undefined) return BAD_TIF;
    tif = known;
  }
  const qtyLots = parseQty(p["quantity"], spec, market);
  if (typeof qtyLots !== "number") return qtyLots;
  const pxTicks = market ? 0 : parsePx(p["price"], spec);
  if (typeof pxTicks !== "number") return pxTicks;
  const orderType = market ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT;
  return { side, orderType, tif, pxTicks, qtyLots, ...head };
}

function parseFlags(p: Params, defaultStp: number) {
  const clientId = p["newClientOrderId"] ?? "";
  if (clientId !== "" && !CLIENT_ID.test(clientId)) return BAD_CLIENT_ID;
  if (p["positionSide"] !== undefined && p["positionSide"] !== "BOTH") return WRONG_POSITION_SIDE;
  const stp =
    p["selfTradePreventionMode"] === undefined ? defaultStp : STPS.get(p["selfTradePreventionMode"]);
  if (stp === undefined) return illegal("selfTradePreventionMode");
  if (p["reduceOnly"] !== undefined && !/^(true|false)$/i.test(p["reduceOnly"])) return illegal("reduceOnly");
  return {
    clientId,
    stp,
    reduceOnly: p["reduceOnly"]?.toLowerCase() === "true",
    fullReply: p["newOrderRespType"] === "RESULT",
  };
}

export interface ModifyRequest {
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
}

export function parseModify(p: Params, spec: SymbolSpec): ModifyRequest | ApiError {
  const side = parseSide(p["side"]);
  if (typeof side !== "number") return side;
  const qtyLots = parseQty(p["quantity"], spec, false);
  if (typeof qtyLots !== "number") return qtyLots;
  const pxTicks = parsePx(p["price"], spec);
  if (typeof pxTicks !== "number") return pxTicks;
  return { side, qtyLots, pxTicks };
}

function parseSide(text: string | undefined): number | ApiError {
  if (!text) return missing("side");
  if (text === "BUY") return 1;
  return text === "SELL" ? -1 : BAD_SIDE;
}

function parseNumber(text: string | undefined, name: string): Decimal | ApiError {
  if (!text) return missing(name);
  if (text.length > 40 || !/^[+-]?\d+(\.\d*)?$/.test(text)) return illegal(name);
  return parseDecimal(text);
}

/** Steps of 10^-decimals × unitsPerStep, or the refusal. */
function toSteps(d: Decimal, decimals: number, unitsPerStep: number, off: ApiError): number | ApiError {
  if (d.decimals > decimals) return TOO_PRECISE;
  const units = scaleTo(d, decimals);
  return units % BigInt(unitsPerStep) === 0n ? Number(units / BigInt(unitsPerStep)) : off;
}

function parsePx(text: string | undefined, spec: SymbolSpec): number | ApiError {
  const px = parseNumber(text, "price");
  if (isError(px)) return px;
  const ticks = toSteps(px, spec.pxDecimals, spec.unitsPerTick, PRICE_OFF_TICK);
  if (typeof ticks !== "number") return ticks;
  if (ticks < spec.minPxTicks) return PRICE_BELOW_MIN;
  return ticks > spec.maxPxTicks ? PRICE_ABOVE_MAX : ticks;
}

function parseQty(text: string | undefined, spec: SymbolSpec, market: boolean): number | ApiError {
  const qty = parseNumber(text, "quantity");
  if (isError(qty)) return qty;
  if (qty.units <= 0n) return QTY_NOT_POSITIVE;
  const lots = toSteps(qty, spec.qtyDecimals, spec.unitsPerLot, QTY_OFF_STEP);
  if (typeof lots !== "number") return lots;
  if (lots < spec.minQtyLots) return QTY_BELOW_MIN;
  return lots > (market ? spec.maxMarketQtyLots : spec.maxQtyLots) ? QTY_ABOVE_MAX : lots;
}

/** PERCENT_PRICE of a limit order: a buy not above mark·up, a sell not below mark·down. */
export function checkBand(
  spec: SymbolSpec,
  side: number,
  pxTicks: number,
  markTicksE8: bigint,
): ApiError | null {
  const px = BigInt(pxTicks) * 100_000_000n;
  const limit =
    (markTicksE8 * scaleTo(parseDecimal(side > 0 ? spec.percentUp : spec.percentDown), 4)) / 10_000n;
  if (side > 0) return px > limit ? priceAboveBand(markText(spec, limit)) : null;
  return px < limit ? priceBelowBand(markText(spec, limit)) : null;
}

export function checkNotional(spec: SymbolSpec, pxTicksE8: bigint, qtyLots: number): ApiError | null {
  const valueE8 = (pxTicksE8 * BigInt(qtyLots) * spec.e8PerTickLot) / 100_000_000n;
  return valueE8 < scaleTo(parseDecimal(spec.minNotional), 8) ? notionalTooSmall(spec.minNotional) : null;
}
