// What the parts of a reconciliation share: a query that fails ends it ("not known" is never "none"), and the
// venue's texts in our numbers. Cold.
import { parseDecimal, scaleTo, toSteps } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";
import type { ReportWriter } from "../../order/report-writer.ts";
import type { VenueAccount, VenueResult } from "../contract.ts";

const U32 = 4294967296n;

/** What every part works with. */
export interface SyncContext {
  readonly instruments: readonly Instrument[];
  /** Asset id → name; element 0 stands for an unknown asset. */
  readonly assets: readonly string[];
  readonly account: VenueAccount;
  readonly writer: ReportWriter;
  readonly nowNs: () => number;
}

/** The reconciliation cannot go on; the message names the query. */
export class QueryError extends Error {
  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
  }
}

/** The answer's value. Throws QueryError. */
export function take<T>(what: string, result: VenueResult<T>): T {
  if (result.ok) return result.value;
  throw new QueryError(what, `${result.message} (HTTP ${result.status}, code ${result.code})`);
}

/** Throws QueryError when the record did not fit. */
export function written(what: string, fits: boolean): void {
  if (!fits) throw new QueryError(what, "the journal has no room");
}

export function twoU32(digits: string): { readonly lo: number; readonly hi: number } {
  const value = BigInt(digits);
  return { lo: Number(value % U32), hi: Number(value / U32) };
}

/** Decimal text in 1e-8; more decimals are cut. */
export function e8Of(text: string): number {
  const d = parseDecimal(text);
  return d.decimals <= 8 ? Number(scaleTo(d, 8)) : Math.trunc(Number(text) * 1e8);
}

export function signedSteps(text: string, step: string): number {
  return text.startsWith("-") ? -toSteps(text.slice(1), step) : toSteps(text, step);
}
