// Rows of market_data, and the mids that fills are held against.
import type { RecordMemory } from "../core/record.ts";
import * as wire from "../wire/messages.gen.ts";
import type { Columns } from "./batch.ts";
import type { MidHistory } from "./mid-history.ts";
import type { RowFrame } from "./row-frame.ts";
import type { InstrumentUnits } from "./session-units.ts";
import { MARKET_KIND_ENUM, SIDE_ENUM } from "./tables.ts";

export const MARKET_KINDS = ["depth", "trades", "bbo", "mark"] as const;
export type MarketKind = (typeof MARKET_KINDS)[number];

export class MarketRows {
  private readonly frame: RowFrame;
  private readonly wanted: ReadonlySet<MarketKind>;
  private readonly mids: MidHistory;
  private readonly depth: wire.DepthDelta;
  private readonly clear: wire.DepthClear;
  private readonly trade: wire.Trade;
  private readonly bbo: wire.Bbo;
  private readonly mark: wire.MarkPrice;

  constructor(frame: RowFrame, wanted: ReadonlySet<MarketKind>, mids: MidHistory, memory: RecordMemory) {
    this.frame = frame;
    this.wanted = wanted;
    this.mids = mids;
    this.depth = new wire.DepthDelta(memory);
    this.clear = new wire.DepthClear(memory);
    this.trade = new wire.Trade(memory);
    this.bbo = new wire.Bbo(memory);
    this.mark = new wire.MarkPrice(memory);
  }

  add(m: RecordMemory, at: number, kind: number): void {
    switch (kind) {
      case wire.KIND_DEPTH_DELTA:
        if (this.wanted.has("depth")) this.addDepth(this.depth.wrap(m, at));
        return;
      case wire.KIND_DEPTH_CLEAR:
        if (this.wanted.has("depth")) this.addClear(this.clear.wrap(m, at));
        return;
      case wire.KIND_TRADE:
        if (this.wanted.has("trades")) this.addTrade(this.trade.wrap(m, at));
        return;
      case wire.KIND_BBO:
        this.addBbo(this.bbo.wrap(m, at));
        return;
      case wire.KIND_MARK_PRICE:
        if (this.wanted.has("mark")) this.addMark(this.mark.wrap(m, at));
        return;
      default:
    }
  }

  private addDepth(depth: wire.DepthDelta): void {
    const of = this.frame.units.instrument(depth.instrument);
    const snapshot = (depth.flags & wire.FLAG_SNAPSHOT) !== 0;
    const kind = snapshot ? MARKET_KIND_ENUM.SnapshotLevel : MARKET_KIND_ENUM.Depth;
    const c = this.begin(depth, of, kind, bookSide(depth.side));
    of.price(c["price"]!, depth.pxTicks);
    of.qty(c["qty"]!, depth.qtyLots);
    noAsk(c);
    c["venue_id"]!.words(depth.updateIdLo, depth.updateIdHi);
    this.frame.endAt(c, of);
  }

  private addClear(clear: wire.DepthClear): void {
    const of = this.frame.units.instrument(clear.instrument);
    const c = this.begin(clear, of, MARKET_KIND_ENUM.Clear, bookSide(clear.side));
    of.price(c["price"]!, clear.pxTicks);
    c["qty"]!.long(0);
    noAsk(c);
    c["venue_id"]!.long(0);
    this.frame.endAt(c, of);
  }

  private addTrade(trade: wire.Trade): void {
    const of = this.frame.units.instrument(trade.instrument);
    const c = this.begin(trade, of, MARKET_KIND_ENUM.Trade, bookSide(trade.side));
    of.price(c["price"]!, trade.pxTicks);
    of.qty(c["qty"]!, trade.qtyLots);
    noAsk(c);
    c["venue_id"]!.words(trade.tradeIdLo, trade.tradeIdHi);
    this.frame.endAt(c, of);
  }

  private addBbo(bbo: wire.Bbo): void {
    const { units } = this.frame;
    const mid = (bbo.bidPxTicks + bbo.askPxTicks) / 2;
    if (mid > 0) this.mids.add(units.symbolOf(bbo.instrument), bbo.exchTsNs || bbo.recvTsNs, mid);
    if (!this.wanted.has("bbo")) return;
    const of = units.instrument(bbo.instrument);
    const c = this.begin(bbo, of, MARKET_KIND_ENUM.Bbo, SIDE_ENUM.None);
    of.price(c["price"]!, bbo.bidPxTicks);
    of.qty(c["qty"]!, bbo.bidQtyLots);
    of.price(c["ask_price"]!, bbo.askPxTicks);
    of.qty(c["ask_qty"]!, bbo.askQtyLots);
    c["venue_id"]!.long(0);
    this.frame.endAt(c, of);
  }

  private addMark(mark: wire.MarkPrice): void {
    const of = this.frame.units.instrument(mark.instrument);
    const c = this.begin(mark, of, MARKET_KIND_ENUM.Mark, SIDE_ENUM.None);
    c["price"]!.long(integer(mark.markPxE8));
    c["qty"]!.long(0);
    c["ask_price"]!.long(integer(mark.indexPxE8));
    c["ask_qty"]!.long(integer(mark.fundingRateE8));
    c["venue_id"]!.long(0);
    this.frame.endAt(c, of);
  }

  private begin(record: wire.RecordHeader, of: InstrumentUnits, kind: number, side: number): Columns {
    const { units } = this.frame;
    const c = this.frame.row("market_data", record.recvTsNs);
    units.time(c["exch_time"]!, record.exchTsNs);
    units.time(c["local_time"]!, record.recvTsNs);
    c["symbol"]!.string(of.symbol);
    c["kind"]!.byte(kind);
    c["side"]!.byte(side);
    return c;
  }
}

const bookSide = (side: number): number =>
  side > 0 ? SIDE_ENUM.Buy : side < 0 ? SIDE_ENUM.Sell : SIDE_ENUM.None;
const integer = (value: number): number => (Number.isFinite(value) ? Math.round(value) : 0);

function noAsk(c: Columns): void {
  c["ask_price"]!.long(0);
  c["ask_qty"]!.long(0);
}
