// Rows of market_data, and the mids that fills are held against.
import type { RecordMemory } from "../core/record.ts";
import * as wire from "../wire/messages.gen.ts";
import { type Batch, type Columns, origin } from "./batch.ts";
import type { MidHistory } from "./mid-history.ts";
import type { InstrumentUnits, SessionUnits } from "./session-units.ts";
import { MARKET_KIND_ENUM, SIDE_ENUM } from "./tables.ts";

export const MARKET_KINDS = ["depth", "trades", "bbo", "mark"] as const;
export type MarketKind = (typeof MARKET_KINDS)[number];

export class MarketRows {
  private readonly wanted: ReadonlySet<MarketKind>;
  private readonly mids: MidHistory;
  private readonly depth: wire.DepthDelta;
  private readonly clear: wire.DepthClear;
  private readonly trade: wire.Trade;
  private readonly bbo: wire.Bbo;
  private readonly mark: wire.MarkPrice;

  constructor(wanted: ReadonlySet<MarketKind>, mids: MidHistory, memory: RecordMemory) {
    this.wanted = wanted;
    this.mids = mids;
    this.depth = new wire.DepthDelta(memory);
    this.clear = new wire.DepthClear(memory);
    this.trade = new wire.Trade(memory);
    this.bbo = new wire.Bbo(memory);
    this.mark = new wire.MarkPrice(memory);
  }

  add(batch: Batch, m: RecordMemory, at: number, kind: number, units: SessionUnits, position: number): void {
    switch (kind) {
      case wire.KIND_DEPTH_DELTA:
        if (this.wanted.has("depth")) this.addDepth(batch, m, at, units, position);
        return;
      case wire.KIND_DEPTH_CLEAR:
        if (this.wanted.has("depth")) this.addClear(batch, m, at, units, position);
        return;
      case wire.KIND_TRADE:
        if (this.wanted.has("trades")) this.addTrade(batch, m, at, units, position);
        return;
      case wire.KIND_BBO:
        this.addBbo(batch, m, at, units, position);
        return;
      case wire.KIND_MARK_PRICE:
        if (this.wanted.has("mark")) this.addMark(batch, m, at, units, position);
        return;
      default:
    }
  }

  private addDepth(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const depth = this.depth.wrap(m, at);
    const of = units.instrument(depth.instrument);
    const snapshot = (depth.flags & wire.FLAG_SNAPSHOT) !== 0;
    const kind = snapshot ? MARKET_KIND_ENUM.SnapshotLevel : MARKET_KIND_ENUM.Depth;
    const c = head(batch, depth, units, of, kind, bookSide(depth.side));
    of.price(c["price"]!, depth.pxTicks);
    of.qty(c["qty"]!, depth.qtyLots);
    noAsk(c);
    c["venue_id"]!.words(depth.updateIdLo, depth.updateIdHi);
    tail(c, of, units, position);
  }

  private addClear(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const clear = this.clear.wrap(m, at);
    const of = units.instrument(clear.instrument);
    const c = head(batch, clear, units, of, MARKET_KIND_ENUM.Clear, bookSide(clear.side));
    of.price(c["price"]!, clear.pxTicks);
    c["qty"]!.long(0);
    noAsk(c);
    c["venue_id"]!.long(0);
    tail(c, of, units, position);
  }

  private addTrade(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const trade = this.trade.wrap(m, at);
    const of = units.instrument(trade.instrument);
    const c = head(batch, trade, units, of, MARKET_KIND_ENUM.Trade, bookSide(trade.side));
    of.price(c["price"]!, trade.pxTicks);
    of.qty(c["qty"]!, trade.qtyLots);
    noAsk(c);
    c["venue_id"]!.words(trade.tradeIdLo, trade.tradeIdHi);
    tail(c, of, units, position);
  }

  private addBbo(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const bbo = this.bbo.wrap(m, at);
    const mid = (bbo.bidPxTicks + bbo.askPxTicks) / 2;
    if (mid > 0) this.mids.add(units.symbolOf(bbo.instrument), bbo.exchTsNs || bbo.recvTsNs, mid);
    if (!this.wanted.has("bbo")) return;
    const of = units.instrument(bbo.instrument);
    const c = head(batch, bbo, units, of, MARKET_KIND_ENUM.Bbo, SIDE_ENUM.None);
    of.price(c["price"]!, bbo.bidPxTicks);
    of.qty(c["qty"]!, bbo.bidQtyLots);
    of.price(c["ask_price"]!, bbo.askPxTicks);
    of.qty(c["ask_qty"]!, bbo.askQtyLots);
    c["venue_id"]!.long(0);
    tail(c, of, units, position);
  }

  private addMark(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const mark = this.mark.wrap(m, at);
    const of = units.instrument(mark.instrument);
    const c = head(batch, mark, units, of, MARKET_KIND_ENUM.Mark, SIDE_ENUM.None);
    c["price"]!.long(integer(mark.markPxE8));
    c["qty"]!.long(0);
    c["ask_price"]!.long(integer(mark.indexPxE8));
    c["ask_qty"]!.long(integer(mark.fundingRateE8));
    c["venue_id"]!.long(0);
    tail(c, of, units, position);
  }
}

const bookSide = (side: number): number =>
  side > 0 ? SIDE_ENUM.Buy : side < 0 ? SIDE_ENUM.Sell : SIDE_ENUM.None;
const integer = (value: number): number => (Number.isFinite(value) ? Math.round(value) : 0);

function head(
  batch: Batch,
  record: wire.RecordHeader,
  units: SessionUnits,
  of: InstrumentUnits,
  kind: number,
  side: number,
): Columns {
  const c = batch.row("market_data", units.day(record.recvTsNs));
  units.time(c["exch_time"]!, record.exchTsNs);
  units.time(c["local_time"]!, record.recvTsNs);
  c["symbol"]!.string(of.symbol);
  c["kind"]!.byte(kind);
  c["side"]!.byte(side);
  return c;
}

function noAsk(c: Columns): void {
  c["ask_price"]!.long(0);
  c["ask_qty"]!.long(0);
}

function tail(c: Columns, of: InstrumentUnits, units: SessionUnits, position: number): void {
  c["venue"]!.string(of.venue);
  origin(c, units, position);
}
