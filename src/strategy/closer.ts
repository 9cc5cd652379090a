// Closes the account's positions in an emergency: reduce-only immediate-or-cancel orders of the controller
// (strategy 0), priced half a price band through the touch, repeated until every net position is flat.
// Owning lane: execution; 0 bytes; O(instruments) per timer while it runs.
import { lotsWithin } from "../market/contract-value.ts";
import { HOUSE } from "../order/ledger.ts";
import { NO_ORDER } from "../order/order-table.ts";
import {
  CONTROL_CLOSE_POSITIONS,
  KILL_EMERGENCY,
  ORDER_TYPE_LIMIT,
  SIDE_BUY,
  SIDE_SELL,
  TIF_IOC,
} from "../wire/codes.ts";
import { RESULT_DONE, RESULT_REFUSED } from "./controller.ts";
import type { ExecutionParts } from "./execution-parts.ts";

/** Between two attempts on an instrument. */
const RETRY_NS = 100e6;

export class Closer {
  private readonly parts: ExecutionParts;
  private readonly nextTryNs: Float64Array;
  private active: boolean;
  private commandId: number;

  constructor(parts: ExecutionParts) {
    this.parts = parts;
    this.nextTryNs = new Float64Array(new ArrayBuffer(Math.max(4096, parts.instrumentCount * 8)));
    this.active = false;
    this.commandId = 0;
  }

  /** RESULT_REFUSED unless EMERGENCY is latched; otherwise the reply comes when all positions are flat. */
  begin(commandId: number): number {
    if (this.parts.gate.killState !== KILL_EMERGENCY) return RESULT_REFUSED;
    this.active = true;
    this.commandId = commandId;
    this.nextTryNs.fill(Number.NEGATIVE_INFINITY);
    return RESULT_DONE;
  }

  /** At each timer. A kill during it, or a rearm, ends it with RESULT_REFUSED. */
  work(): void {
    if (!this.active) return;
    const { gate, ledger, desk } = this.parts;
    let open = 0;
    for (let i = 1; i < this.parts.instrumentCount; i++) {
      if (ledger.netLots[i] === 0) continue;
      open++;
      if (gate.killState === KILL_EMERGENCY && desk.nowNs >= this.nextTryNs[i]) this.close(i);
    }
    if (open === 0) this.end(RESULT_DONE);
    else if (gate.killState !== KILL_EMERGENCY) this.end(RESULT_REFUSED);
  }

  private close(instrument: number): void {
    const { ledger, limits, market, desk, table } = this.parts;
    const net = ledger.netLots[instrument];
    const side = net > 0 ? SIDE_SELL : SIDE_BUY;
    if (table.head(HOUSE, instrument, side) !== NO_ORDER) return;
    this.nextTryNs[instrument] = desk.nowNs + RETRY_NS;
    const step = limits.tickStep[instrument];
    const away = (market.midTicks(instrument) * limits.bandRatio) / 2;
    const px =
      net > 0
        ? Math.ceil((market.bidPxTicks[instrument] - away) / step) * step
        : Math.floor((market.askPxTicks[instrument] + away) / step) * step;
    if (!(px > 0)) return;
    const most = Math.min(
      limits.maxQtyLots[instrument],
      limits.instrumentOrderLots[instrument],
      lotsWithin(limits.inverse[instrument], limits.instrumentOrderTickLots[instrument], px),
    );
    const qty = Math.min(Math.abs(net), most);
    desk.place(HOUSE, instrument, side, px, qty, TIF_IOC, ORDER_TYPE_LIMIT, true);
  }

  private end(result: number): void {
    this.active = false;
    const { outputs, ledger, desk } = this.parts;
    const left = ledger.netLots.reduce((count, lots) => count + (lots === 0 ? 0 : 1), 0);
    outputs.controlReply(CONTROL_CLOSE_POSITIONS, this.commandId, HOUSE, result, 0, left, 0, desk.nowNs);
  }
}
