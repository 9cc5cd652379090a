// The orders that the table holds as not over, as requests: what a reconciliation proves one by one. Cold.
import type { OrderRequest } from "../order/gateway.ts";
import { NO_ORDER, type OrderTable } from "../order/order-table.ts";
import { SIDE_BUY, SIDE_SELL } from "../wire/codes.ts";

export function workingRequests(table: OrderTable): OrderRequest[] {
  const found: OrderRequest[] = [];
  for (let instrument = 1; instrument < table.instruments; instrument++)
    for (const side of [SIDE_BUY, SIDE_SELL])
      for (let o = table.instrumentHead(instrument, side); o !== NO_ORDER; o = table.nextOfInstrument[o]!)
        found.push({
          clientSeq: table.clientSeq[o]!,
          instrument,
          strategy: table.strategy[o]!,
          side,
          tif: table.tif[o]!,
          orderType: table.orderType[o]!,
          reduceOnly: table.reduceOnly[o] === 1,
          pxTicks: table.pxTicks[o]!,
          qtyLots: table.qtyLots[o]!,
        });
  return found;
}
