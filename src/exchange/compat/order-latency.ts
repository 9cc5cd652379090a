// Order latencies (hftbacktest models/latency.rs): how long a request takes to the exchange and a response back.
// A negative entry latency means that the exchange refused the request and the trader learns it after |latency|.
// Interpolation is done in i64 and f64 as the original does it: BigInt, because rows with exch_ts = 0 lead to
// differences far beyond 2^53. A few calls per order, never per row.
import { DataFileError } from "../../data/data-file-error.ts";
import { ORDER_LATENCY_FIELDS } from "../../data/npy.ts";
import { loadRows } from "../../data/npz-file.ts";

/** Times in ns since the base given to `reset`. */
export interface OrderLatency {
  /** ns from the trader to the exchange for a request sent at `ts`. */
  entry(ts: number): number;
  /** ns from the exchange to the trader for a response sent at `ts`. */
  response(ts: number): number;
}

/** Makes one model per side: local and exchange move along the table on their own. */
export type LatencyFactory = (baseNs: bigint) => OrderLatency;

export function constantLatency(entryNs: number, responseNs: number): LatencyFactory {
  return () => ({ entry: () => entryNs, response: () => responseNs });
}

/** Rows of an order-latency table: three i64 columns and one unused, as stored. */
export interface LatencyTable {
  readonly req: BigInt64Array;
  readonly exch: BigInt64Array;
  readonly resp: BigInt64Array;
}

/** Loads and concatenates tables; `offsetNs` is added once to exch_ts and twice to resp_ts. */
export function loadLatencyTable(files: readonly string[], offsetNs = 0): LatencyTable {
  const parts = files.map((file) => {
    const { bytes } = loadRows(file, ORDER_LATENCY_FIELDS);
    return new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  });
  const table = latencyTable(parts, BigInt(offsetNs));
  if (table.req.length === 0) throw new DataFileError(files.join(", "), -1, "the latency table has no rows");
  return table;
}

/** From rows of 4 i64 (req_ts, exch_ts, resp_ts, padding). */
export function latencyTable(parts: readonly BigInt64Array[], offsetNs = 0n): LatencyTable {
  const rows = parts.reduce((sum, part) => sum + part.length / 4, 0);
  const table = {
    req: new BigInt64Array(rows),
    exch: new BigInt64Array(rows),
    resp: new BigInt64Array(rows),
  };
  let row = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 4) {
      table.req[row] = part[at]!;
      table.exch[row] = part[at + 1]! + offsetNs;
      table.resp[row] = part[at + 2]! + 2n * offsetNs;
      row++;
    }
  }
  return table;
}

export function interpolatedLatency(table: LatencyTable): LatencyFactory {
  return (baseNs) => new InterpolatedLatency(table, baseNs);
}

class InterpolatedLatency implements OrderLatency {
  private readonly table: LatencyTable;
  private readonly baseNs: bigint;
  private entryRow = 0;
  private responseRow = 0;

  constructor(table: LatencyTable, baseNs: bigint) {
    this.table = table;
    this.baseNs = baseNs;
  }

  entry(ts: number): number {
    const { req, exch, resp } = this.table;
    const t = this.baseNs + BigInt(ts);
    const last = req.length - 1;
    if (t < req[0]!) return Number(exch[0]! - req[0]!);
    for (;;) {
      const i = this.entryRow;
      if (i >= last) return Number(exch[last]! - req[last]!);
      if (req[i]! <= t && t < req[i + 1]!) {
        const refused = exch[i]! <= 0n || exch[i + 1]! <= 0n;
        const end = refused ? resp : exch;
        const ns = interpolate(t, req[i]!, end[i]! - req[i]!, req[i + 1]!, end[i + 1]! - req[i + 1]!);
        return Number(refused ? -ns : ns);
      }
      this.entryRow++;
    }
  }

  response(ts: number): number {
    const { exch, resp } = this.table;
    const t = this.baseNs + BigInt(ts);
    const last = exch.length - 1;
    if (t < exch[0]!) return Number(resp[0]! - exch[0]!);
    for (;;) {
      const i = this.responseRow;
      if (i >= last) return Number(resp[last]! - exch[last]!);
      if (exch[i]! <= t && t < exch[i + 1]!) {
        const ns = interpolate(t, exch[i]!, resp[i]! - exch[i]!, exch[i + 1]!, resp[i + 1]! - exch[i + 1]!);
        if (ns < 0n) throw new RangeError(`order latency table: negative response latency at row ${i}`);
        return Number(ns);
      }
      this.responseRow++;
    }
  }
}

/** ((y2−y1) as f64 / (x2−x1) as f64 · (x−x1) as f64) as i64 + y1; the cast truncates, the sum is i64. */
function interpolate(x: bigint, x1: bigint, y1: bigint, x2: bigint, y2: bigint): bigint {
  const product = (Number(y2 - y1) / Number(x2 - x1)) * Number(x - x1);
  return BigInt(Math.trunc(product)) + y1;
}
