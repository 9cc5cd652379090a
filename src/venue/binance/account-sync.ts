// Reconciliation of the account after each (re)connect and now and then: orders, trades since the last known
// one, funding, positions, balances. Cold: REST. A query that fails means "not known", never "flat" or "none":
// the whole reconciliation is tried again.

import { FLAG_RECOVERED } from "../../wire/messages.gen.ts";
import type { VenuePosition } from "../contract.ts";
import type { FillSync } from "./fill-sync.ts";
import type { FundingSync } from "./funding-sync.ts";
import { REASON_OTHER } from "./order-codes.ts";
import type { OrderSync } from "./order-sync.ts";
import { e8Of, QueryError, type SyncContext, signedSteps, take, written } from "./sync-query.ts";
import { costTickLots } from "./user-stream.ts";

/** Looks at positions and trades until nothing moves between them. */
const STEADY_TRIES = 5;

export interface SyncParts {
  readonly orders: OrderSync;
  readonly fills: FillSync;
  readonly funding: FundingSync;
}

export type SyncResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

export class AccountSync {
  private readonly context: SyncContext;
  private readonly parts: SyncParts;

  constructor(context: SyncContext, parts: SyncParts) {
    this.context = context;
    this.parts = parts;
  }

  /** The message of a failure names the query. */
  run(withFunding: boolean): Promise<SyncResult> {
    return guarded(async () => {
      await this.parts.orders.run();
      await this.fillsAndPositions();
      if (withFunding) await this.parts.funding.run();
      await this.balances();
    });
  }

  /** Only what funding has been paid. */
  runFunding(): Promise<SyncResult> {
    return guarded(() => this.parts.funding.run());
  }

  /**
   * A position is comparable with the ledger only when no trade lies between the two looks: positions, trades,
   * positions again, until nothing has moved. RECOVERED says that the record may be compared exactly; in a
   * market that never rests it goes out unmarked, as an observation like the stream's.
   */
  private async fillsAndPositions(): Promise<void> {
    const { account } = this.context;
    const { fills } = this.parts;
    let before = take("positions", await account.positions());
    for (let tries = 1; ; tries++) {
      await fills.run();
      const epoch = fills.epoch;
      const after = take("positions", await account.positions());
      const steady = epoch === fills.epoch && this.sameHoldings(before, after);
      if (steady || tries === STEADY_TRIES) {
        this.writePositions(after, steady ? FLAG_RECOVERED : 0);
        return;
      }
      before = after;
    }
  }

  private sameHoldings(a: readonly VenuePosition[], b: readonly VenuePosition[]): boolean {
    return this.context.instruments.every(({ symbol }) => {
      const before = a.find((p) => p.symbol === symbol);
      const after = b.find((p) => p.symbol === symbol);
      return before?.quantity === after?.quantity && before?.updateTimeMs === after?.updateTimeMs;
    });
  }

  private writePositions(positions: readonly VenuePosition[], flags: number): void {
    const { instruments, nowNs, writer } = this.context;
    for (const instrument of instruments) {
      const position = positions.find((p) => p.symbol === instrument.symbol);
      const lots = position === undefined ? 0 : signedSteps(position.quantity, instrument.lotSize);
      const entryE8 = position === undefined ? 0 : Math.round(Number(position.entryPrice) * 1e8);
      const cost = costTickLots(lots, entryE8, Number(instrument.tickSize));
      const exchTsNs = position === undefined ? 0 : writer.sessionNs(position.updateTimeMs);
      written("positions", writer.writePosition(flags, instrument.id, exchTsNs, nowNs(), lots, cost));
    }
    writer.publish();
  }

  private async balances(): Promise<void> {
    const { account, assets, nowNs, writer } = this.context;
    for (const b of take("balances", await account.balances())) {
      const asset = assets.indexOf(b.asset);
      if (asset <= 0) continue;
      const wallet = e8Of(b.wallet);
      const available = e8Of(b.available);
      const fits = writer.writeBalance(FLAG_RECOVERED, 0, nowNs(), wallet, available, 0, asset, REASON_OTHER);
      written("balances", fits);
    }
    writer.publish();
  }
}

async function guarded(action: () => Promise<void>): Promise<SyncResult> {
  try {
    await action();
    return { ok: true };
  } catch (error) {
    if (error instanceof QueryError) return { ok: false, message: error.message };
    throw error;
  }
}
