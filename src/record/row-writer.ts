// WAL records → rows of the store. Keeps the orders, the last mids and the trade ids seen, all of which is a
// function of the records alone and goes into the checkpoint; rows gather in a Batch until it is taken.
import { allocateRecordMemory, type RecordHandler, type RecordMemory } from "../core/record.ts";
import type { SessionManifest } from "../journal/session-manifest.ts";
import { HEADER_KIND } from "../wire/messages.gen.ts";
import { AccountRows } from "./account-rows.ts";
import type { Batch } from "./batch.ts";
import { type MarketKind, MarketRows } from "./market-rows.ts";
import { MidHistory, type SavedMids } from "./mid-history.ts";
import type { OrderFold } from "./order-fold.ts";
import { OrderRows } from "./order-rows.ts";
import { RowFrame } from "./row-frame.ts";
import { addSessionRow } from "./session-row.ts";
import type { SessionUnits } from "./session-units.ts";
import { StatusRows } from "./status-rows.ts";
import type { SavedTrades } from "./trades-seen.ts";

/** What the next record needs of those before it; JSON. */
export interface WriterState {
  readonly baseNs: string;
  readonly orders: ReturnType<OrderFold["state"]>;
  readonly mids: SavedMids;
  readonly trades: SavedTrades;
  readonly funding: Readonly<Record<string, string>>;
}

export interface RowWriterOptions {
  /** Which market data becomes rows. */
  readonly market: ReadonlySet<MarketKind>;
  /** Names of StrategyStatus.reason. */
  readonly statusReasons: readonly string[];
}

export class RowWriter implements RecordHandler {
  private baseNs = 0n;
  private readonly frame = new RowFrame();
  private readonly mids = new MidHistory();
  private readonly orders: OrderRows;
  private readonly account: AccountRows;
  private readonly market: MarketRows;
  private readonly status: StatusRows;

  constructor(options: RowWriterOptions) {
    const memory = allocateRecordMemory(1);
    this.orders = new OrderRows(this.frame, this.mids, memory);
    this.account = new AccountRows(this.frame, memory);
    this.market = new MarketRows(this.frame, options.market, this.mids, memory);
    this.status = new StatusRows(this.frame, options.statusReasons, memory);
  }

  /** What the records that follow mean. Times kept from an earlier session move to the new base. */
  startSession(units: SessionUnits): void {
    const deltaNs = this.baseNs === 0n ? 0 : Number(this.baseNs - units.baseNs);
    this.baseNs = units.baseNs;
    this.orders.fold.startSession(units, deltaNs);
    if (deltaNs !== 0) this.mids.rebase(deltaNs);
    this.frame.startSession(units);
  }

  /** Its row of `sessions`, at the position of the first record that is taken of it. */
  describeSession(manifest: SessionManifest, position: number): void {
    addSessionRow(this.frame, manifest, position);
  }

  /** WAL position of the record that comes next. */
  at(position: number): void {
    this.frame.position = position;
  }

  onRecord(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (this.orders.add(m, at, kind)) return;
    this.account.add(m, at, kind);
    this.market.add(m, at, kind);
    this.status.add(m, at, kind);
  }

  /** The rows since the last call. */
  take(): Batch {
    this.orders.finish();
    return this.frame.take();
  }

  /** The store has these rows: their memory serves the batches to come. */
  recycle(batch: Batch): void {
    this.frame.recycle(batch);
  }

  save(): WriterState {
    return {
      baseNs: this.baseNs.toString(),
      orders: this.orders.fold.state(),
      mids: this.mids.save(),
      trades: this.orders.trades.save(),
      funding: this.account.saveFunding(),
    };
  }

  restore(saved: WriterState): void {
    this.baseNs = BigInt(saved.baseNs);
    this.orders.fold.restore(saved.orders);
    this.mids.restore(saved.mids);
    this.orders.trades.restore(saved.trades);
    this.account.restoreFunding(saved.funding);
  }
}
