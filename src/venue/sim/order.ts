// An order as the venue keeps it, and the texts it is told in. Texts are built by hand because ids are numbers
// above 2^53, which JSON.stringify cannot print; every string in them is from a restricted alphabet.
import { ORDER_TYPE_MARKET } from "../../wire/codes.ts";
import { idText } from "./big-id.ts";
import { e8Text, fixedText, pxText, qtyText, type SymbolSpec } from "./symbol-spec.ts";

export type OrderStatus =
  | "NEW"
  | "PARTIALLY_FILLED"
  | "FILLED"
  | "CANCELED"
  | "EXPIRED"
  | "EXPIRED_IN_MATCH"
  | "REJECTED";

export interface VenueOrder {
  /** Running number; printed by idText. */
  readonly number: number;
  readonly clientId: string;
  readonly symbol: string;
  /** +1 buy, -1 sell. */
  readonly side: number;
  readonly orderType: number;
  readonly tif: number;
  readonly reduceOnly: boolean;
  stp: number;
  pxTicks: number;
  qtyLots: number;
  executedLots: number;
  /** Σ price·lots of the executions, tick·lots. */
  executedTickLots: bigint;
  status: OrderStatus;
  readonly createdMs: number;
  updatedMs: number;
  /** Slot in the matching engine, -1 when closed. */
  slot: number;
}

export const TIF_TEXT = ["GTC", "GTX", "FOK", "IOC"] as const;
export const STP_TEXT = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] as const;

export const isOpen = (o: VenueOrder): boolean => o.status === "NEW" || o.status === "PARTIALLY_FILLED";
export const sideText = (side: number): string => (side > 0 ? "BUY" : "SELL");
export const typeText = (o: VenueOrder): string => (o.orderType === ORDER_TYPE_MARKET ? "MARKET" : "LIMIT");

function orderPx(s: SymbolSpec, o: VenueOrder): string {
  return o.orderType === ORDER_TYPE_MARKET ? fixedText(0, s.pxDecimals) : pxText(s, o.pxTicks);
}

/** Average price with the venue's extra decimals, rounded down. */
export function averageText(s: SymbolSpec, o: VenueOrder): string {
  if (o.executedLots === 0) return fixedText(0, s.pxDecimals);
  const extra = 3;
  const units = o.executedTickLots * BigInt(s.unitsPerTick * 10 ** extra);
  return fixedText(Number(units / BigInt(o.executedLots)), s.pxDecimals + extra);
}

/** The reply to place, cancel, modify (`ack`) and to queries, which also tell what was executed. */
export function orderReplyText(s: SymbolSpec, o: VenueOrder, ack: boolean): string {
  const executed = qtyText(s, o.executedLots);
  const quote = e8Text(o.executedTickLots * s.e8PerTickLot);
  const fills = ack ? "" : `"avgPrice":"${averageText(s, o)}","cumQuote":"${quote}","time":${o.createdMs},`;
  return (
    `{"orderId":${idText(o.number)},"symbol":"${o.symbol}","status":"${o.status}","clientOrderId":"${o.clientId}",` +
    `"price":"${orderPx(s, o)}",${fills}"origQty":"${qtyText(s, o.qtyLots)}","executedQty":"${executed}",` +
    `"cumQty":"${executed}","timeInForce":"${TIF_TEXT[o.tif]}","type":"${typeText(o)}","reduceOnly":${o.reduceOnly},` +
    `"closePosition":false,"side":"${sideText(o.side)}","positionSide":"BOTH","stopPrice":"0.00",` +
    `"workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"${typeText(o)}","priceMatch":"NONE",` +
    `"selfTradePreventionMode":"${STP_TEXT[o.stp]}","goodTillDate":0,"updateTime":${o.updatedMs}}`
  );
}

export interface FillFacts {
  readonly tradeNumber: number;
  readonly pxTicks: number;
  readonly lots: number;
  readonly maker: boolean;
  readonly feeAsset: string;
  /** 1e-8 of the fee asset. */
  readonly feeE8: bigint;
  readonly realizedE8: bigint;
}

/** ORDER_TRADE_UPDATE. `execution` is field x; `fill` is null unless it is a TRADE. */
export function orderUpdateText(
  s: SymbolSpec,
  o: VenueOrder,
  execution: string,
  fill: FillFacts | null,
  nowMs: number,
): string {
  const none = fixedText(0, s.pxDecimals);
  const fee = fill === null ? "" : `"N":"${fill.feeAsset}","n":"${e8Text(fill.feeE8)}",`;
  return (
    `{"e":"ORDER_TRADE_UPDATE","E":${nowMs},"T":${o.updatedMs},"o":{"s":"${o.symbol}","c":"${o.clientId}",` +
    `"S":"${sideText(o.side)}","o":"${typeText(o)}","f":"${TIF_TEXT[o.tif]}","q":"${qtyText(s, o.qtyLots)}",` +
    `"p":"${orderPx(s, o)}","ap":"${averageText(s, o)}","sp":"${none}","x":"${execution}","X":"${o.status}",` +
    `"i":${idText(o.number)},"l":"${qtyText(s, fill?.lots ?? 0)}","z":"${qtyText(s, o.executedLots)}",` +
    `"L":"${fill === null ? none : pxText(s, fill.pxTicks)}",${fee}"T":${o.updatedMs},` +
    `"t":${fill === null ? "0" : idText(fill.tradeNumber)},"b":"0","a":"0","m":${fill?.maker ?? false},` +
    `"R":${o.reduceOnly},"wt":"CONTRACT_PRICE","ot":"${typeText(o)}","ps":"BOTH","cp":false,` +
    `"rp":"${e8Text(fill?.realizedE8 ?? 0n)}","pP":false,"si":0,"ss":0,"V":"${STP_TEXT[o.stp]}","pm":"NONE","gtd":0,"er":"0"}}`
  );
}
