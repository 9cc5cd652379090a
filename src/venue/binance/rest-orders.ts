// Order requests as REST parameters: the second path, when the WebSocket API is down. Cold.
import { type Instrument, priceText, qtyText } from "../../market/instrument.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import { ACTION_CANCEL, ACTION_PLACE, ORDER_TYPE_MARKET, SIDE_BUY, TIF_NAMES } from "../../wire/codes.ts";
import type { Parameters } from "./rest.ts";

export interface RestOrder {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly parameters: Parameters;
}

/** How the venue knows an order. */
export type OrderName = { readonly origClientOrderId?: string; readonly orderId?: string };

export function restParameters(action: number, r: OrderRequest, i: Instrument, name: OrderName): RestOrder {
  const symbol = i.symbol;
  if (action === ACTION_CANCEL) return { method: "DELETE", parameters: { symbol, ...name } };
  const side = r.side === SIDE_BUY ? "BUY" : "SELL";
  const quantity = qtyText(i, r.qtyLots);
  if (action !== ACTION_PLACE) {
    const price = priceText(i, r.pxTicks);
    return { method: "PUT", parameters: { symbol, ...name, side, quantity, price } };
  }
  const isMarket = r.orderType === ORDER_TYPE_MARKET;
  const parameters = {
    symbol,
    newClientOrderId: name.origClientOrderId,
    side,
    type: isMarket ? "MARKET" : "LIMIT",
    timeInForce: isMarket ? undefined : TIF_NAMES[r.tif]?.toUpperCase(),
    quantity,
    price: isMarket ? undefined : priceText(i, r.pxTicks),
    reduceOnly: r.reduceOnly ? "true" : undefined,
  };
  return { method: "POST", parameters };
}
