// Funding payments, from the venue's income history only: the stream says that something was paid, the history
// says for which instrument, under which id, and also what was paid while nobody listened. Each is journalled
// once, by its transaction id. Cold: REST.
import { REASON_FUNDING_FEE } from "./order-codes.ts";
import { e8Of, type SyncContext, take, written } from "./sync-query.ts";

const PAGE = 1000;
/** Asked for again before the last known payment. */
const OVERLAP_MS = 60_000;
const REMEMBERED = 4096;

export class FundingSync {
  private readonly context: SyncContext;
  private readonly known: Set<string>;
  private sinceMs: number;

  /** `sinceMs`: payments before it are none of this account's sessions. */
  constructor(context: SyncContext, sinceMs: number) {
    this.context = context;
    this.known = new Set();
    this.sinceMs = sinceMs;
  }

  /** What earlier sessions have journalled. */
  setKnown(sinceMs: number, transactionIds: readonly string[]): void {
    this.sinceMs = sinceMs;
    for (const id of transactionIds) this.remember(id);
  }

  /** Throws QueryError. */
  async run(): Promise<void> {
    let fromMs = this.sinceMs;
    for (;;) {
      const page = take("funding", await this.context.account.funding(fromMs));
      for (const payment of page) {
        if (this.known.has(payment.transactionId)) continue;
        this.write(payment.symbol, payment.asset, payment.amount, payment.timeMs, payment.transactionId);
        this.remember(payment.transactionId);
        this.sinceMs = Math.max(this.sinceMs, payment.timeMs - OVERLAP_MS);
      }
      this.context.writer.publish();
      const lastMs = page.at(-1)?.timeMs ?? 0;
      // A page of one and the same millisecond cannot be passed by time; no account pays so much at once.
      if (page.length < PAGE || lastMs <= fromMs) return;
      fromMs = lastMs;
    }
  }

  private write(symbol: string, assetName: string, amount: string, timeMs: number, id: string): void {
    const { assets, instruments, nowNs, writer } = this.context;
    const instrument = instruments.find((i) => i.symbol === symbol)?.id ?? 0;
    const asset = Math.max(0, assets.indexOf(assetName));
    const fits = writer.writeFunding(
      instrument,
      timeMs,
      nowNs(),
      e8Of(amount),
      asset,
      REASON_FUNDING_FEE,
      id,
    );
    written(`funding ${id}`, fits);
  }

  private remember(id: string): void {
    this.known.add(id);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.values().next().value!);
  }
}
