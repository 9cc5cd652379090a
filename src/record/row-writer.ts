// WAL records → rows of the store. Keeps the orders, the last mids and the trade ids seen, all of which is a
// function of the records alone and goes into the checkpoint; rows gather in a Batch until it is taken.
import { allocateRecordMemory, type RecordHandler, type RecordMemory } from "../core/record.ts";
import type { SessionManifest } from "../journal/session-manifest.ts";
import { HEADER_KIND } from "../wire/messages.gen.ts";
import { AccountRows } from "./account-rows.ts";
import { Batch } from "./batch.ts";
import { type MarketKind, MarketRows } from "./market-rows.ts";
import { MidHistory, type SavedMids } from "./mid-history.ts";
import type { OrderFold } from "./order-fold.ts";
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
  /** WAL position of the record at hand. */
  position = 0;
  private units: SessionUnits | null = null;
  private baseNs = 0n;
  private batch = new Batch();
  private readonly mids = new MidHistory();
  private readonly account: AccountRows;
  private readonly market: MarketRows;
  private readonly status: StatusRows;

  constructor(options: RowWriterOptions) {
    const memory = allocateRecordMemory(1);
    this.account = new AccountRows(this.mids);
    this.market = new MarketRows(options.market, this.mids, memory);
    this.status = new StatusRows(options.statusReasons, memory);
  }

  /** What the records that follow mean. Times kept from an earlier session move to the new base. */
  startSession(units: SessionUnits): void {
    const deltaNs = this.baseNs === 0n ? 0 : Number(this.baseNs - units.baseNs);
    this.baseNs = units.baseNs;
    this.account.fold.startSession(units.nonceLo, units.nonceHi, deltaNs);
    if (deltaNs !== 0) this.mids.rebase(deltaNs);
    this.units = units;
  }

  /** Its row of `sessions`, at the position of the first record that is taken of it. */
  describeSession(manifest: SessionManifest, units: SessionUnits, position: number): void {
    addSessionRow(this.batch, manifest, units, position);
  }

  onRecord(m: RecordMemory, at: number): void {
    const units = this.units!;
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (this.account.add(this.batch, m, at, kind, units, this.position)) return;
    this.market.add(this.batch, m, at, kind, units, this.position);
    this.status.add(this.batch, m, at, kind, units, this.position);
  }

  /** The rows since the last call. */
  take(): Batch {
    const { batch } = this;
    this.account.finish();
    this.batch = new Batch(batch);
    return batch;
  }

  save(): WriterState {
    return {
      baseNs: this.baseNs.toString(),
      orders: this.account.fold.state(),
      mids: this.mids.save(),
      trades: this.account.trades.save(),
      funding: this.account.saveFunding(),
    };
  }

  restore(saved: WriterState): void {
    this.baseNs = BigInt(saved.baseNs);
    this.account.fold.restore(saved.orders);
    this.mids.restore(saved.mids);
    this.account.trades.restore(saved.trades);
    this.account.restoreFunding(saved.funding);
  }
}
