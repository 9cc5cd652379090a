// Exact mids around fills: a second pass over the market data, by the exchange's clock, samples the book at each fill
// and at its mark-out horizons. States are recorded as rarely as the strategy likes, so they cannot tell. Cold.
import { MID_AFTER_NS, MID_COLUMNS, type RunResult } from "../analytics/run-result.ts";
import { RC_OK } from "../exchange/compat/codes.ts";
import { L3_FIFO } from "../exchange/compat/queue-models.ts";
import { CompatAsset, type CompatAssetOptions, openFeed } from "./compat/compat-asset.ts";

/** What a pass needs of an asset: its rows and its tick. */
export interface MarketRows
  extends Pick<
    CompatAssetOptions,
    "data" | "tickSize" | "lotSize" | "feedLatencyOffsetNs" | "initialSnapshot" | "queueModel"
  > {
  /** The rows are orders, not levels; of a compat asset its queue model says so. */
  readonly marketByOrder?: boolean;
}

/** Fills the mid columns of `result.fills`. `markets` by instrument. Throws DataFileError. */
export function setFillMids(result: RunResult, markets: readonly MarketRows[]): void {
  const { fills, baseNs } = result;
  const of = fills.values("instrument");
  const exch = fills.values("exchTsNs");
  for (const [instrument, market] of markets.entries()) {
    const wanted: { readonly row: number; readonly column: number; readonly ts: number }[] = [];
    for (let row = 0; row < fills.rows; row++)
      if (of[row] === instrument)
        for (let k = 0; k < MID_AFTER_NS.length; k++)
          wanted.push({ row, column: k, ts: exch[row]! + MID_AFTER_NS[k]! });
    wanted.sort((a, b) => a.ts - b.ts);
    const mids = sampleMidTicks(
      market,
      baseNs,
      Float64Array.from(wanted, (w) => w.ts),
    );
    for (const [i, { row, column }] of wanted.entries()) fills.at(MID_COLUMNS[column]!)[row] = mids[i]!;
  }
}

/** Mids in ticks at ascending instants, events of the instant included; NaN: a side is empty, or beyond the data. */
export function sampleMidTicks(market: MarketRows, baseNs: bigint, tsNs: Float64Array): Float64Array {
  const { data, tickSize, lotSize, feedLatencyOffsetNs, initialSnapshot, queueModel } = market;
  const options: CompatAssetOptions = {
    data,
    tickSize,
    lotSize,
    ...(feedLatencyOffsetNs === undefined ? {} : { feedLatencyOffsetNs }),
    ...(initialSnapshot === undefined ? {} : { initialSnapshot }),
    ...(queueModel === L3_FIFO ? { queueModel } : {}),
  };
  const mids = new Float64Array(tsNs.length).fill(Number.NaN);
  if (tsNs.length === 0) return mids;
  const asset = new CompatAsset(openFeed(options), options, baseNs);
  try {
    asset.start();
    const book = asset.exchangeBook;
    for (let i = 0; i < tsNs.length; i++) {
      asset.limit.ts = tsNs[i]!;
      if (asset.run(tsNs[i]!) !== RC_OK) break;
      if (asset.nextTs === Number.POSITIVE_INFINITY) break;
      if (book.hasBid && book.hasAsk) mids[i] = (book.bestBidTick + book.bestAskTick) / 2;
    }
  } finally {
    asset.close();
  }
  return mids;
}
