// The market data of a sweep, inflated once into uncompressed .npy files that every job maps (mapped-rows.ts), and cut
// into segments of equal time for walk-forward: each with the book at its beginning as a snapshot. Files are named by
// what they were made from and appear only when complete, so a killed sweep finds them again. Cold.
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { baseOfDayNs } from "../../core/clock.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH_SNAPSHOT } from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { MappedBlocks, type MappedRows } from "../../data/mapped-rows.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES, parseNpyHeader } from "../../data/npy.ts";
import { RowsWriter, writeRows } from "../../data/npz-write.ts";
import { openRowBlocks } from "../../data/row-blocks.ts";
import { RowOrder } from "../../data/row-order.ts";
import { readAt, withFile } from "../../data/zip.ts";
import { L3_FIFO } from "../../exchange/compat/queue-models.ts";
import { CompatAsset, type CompatAssetOptions, openFeed } from "../compat/compat-asset.ts";
import { BacktestConfigError } from "../compat/compat-config.ts";
import type { MarketRows } from "../fill-mids.ts";
import type { AssetRows } from "../run-backtest.ts";

/** Rows of one asset, cut at the same instants for all assets. */
export interface CachedAsset {
  readonly rows: MappedRows;
  /** First row of each segment, and the number of rows as the last element. */
  readonly cuts: readonly number[];
  /** Book at the beginning of each segment; null: the description's own. */
  readonly snapshots: readonly (string | null)[];
}

/** Text that changes when a file does. */
export function dataFingerprint(files: readonly string[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${resolve(file)}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Throws DataFileError, or the file system's error (a full disk). `onRows`: as rows are inflated. */
export function cacheMarkets(
  markets: readonly MarketRows[],
  dir: string,
  segments: number,
  onRows: (rows: number) => void,
): CachedAsset[] {
  if (segments > 1 && markets.some((m) => m.marketByOrder === true || m.queueModel === L3_FIFO))
    throw new BacktestConfigError(
      "a walk-forward cuts the data where books of levels begin: not for l3-fifo",
    );
  mkdirSync(dir, { recursive: true });
  const cached: MappedRows[] = [];
  for (const market of markets) cached.push(inflate(market, dir, onRows));
  const cuts = segments === 1 ? [] : cutTimes(cached, segments);
  return markets.map((market, i) => cutAsset(market, cached[i]!, cuts));
}

/** Rows of segments [from, to) for a run. */
export function segmentRows(asset: CachedAsset, from: number, to: number): AssetRows {
  const { rows, cuts, snapshots } = asset;
  const firstRow = cuts[from]!;
  const snapshot = snapshots[from]!;
  return {
    data: [{ ...rows, firstRow, rows: cuts[to]! - firstRow }],
    ...(snapshot === null ? {} : { initialSnapshot: snapshot }),
  };
}

function inflate(market: MarketRows, dir: string, onRows: (rows: number) => void): MappedRows {
  const files = market.data.filter((source) => typeof source === "string");
  const file = join(dir, `${dataFingerprint(files)}.npy`);
  if (!existsSync(file)) {
    try {
      writeNpy(file, market, onRows);
    } catch (error) {
      rmSync(`${file}.part`, { force: true });
      throw error;
    }
  }
  const head = withFile(file, (fd) => readAt(fd, 0, EVENT_ROW_BYTES * 8, file));
  const { rows, dataOffset } = parseNpyHeader(head, file);
  return { file, dataOffset, firstRow: 0, rows };
}

function writeNpy(file: string, market: MarketRows, onRows: (rows: number) => void): void {
  const writer = new RowsWriter(file, EVENT_FIELDS, EVENT_ROW_BYTES);
  const blocks = openRowBlocks(market.data);
  const order = new RowOrder();
  let rows = 0;
  try {
    for (let block = blocks.next(); block !== null; block = blocks.next()) {
      // Here, where the user's file and row are known: the jobs only see the cached copy.
      order.check(block);
      const { buffer, byteOffset } = block.i32;
      const at = byteOffset + block.first * EVENT_ROW_BYTES;
      writer.write(new Uint8Array(buffer as ArrayBuffer, at, block.rows * EVENT_ROW_BYTES));
      rows += block.rows;
      onRows(block.rows);
    }
    if (rows === 0) throw new DataFileError(String(market.data[0]), -1, "no rows, here or in a later file");
    writer.close();
  } finally {
    blocks.close();
  }
}

/** Exchange times that cut the data of all assets into segments of equal duration, ns since the epoch. */
function cutTimes(assets: readonly MappedRows[], segments: number): bigint[] {
  let [first, last] = [2n ** 63n, -(2n ** 63n)];
  for (const asset of assets) {
    const [from, to] = exchSpan(asset);
    if (from < first) first = from;
    if (to > last) last = to;
  }
  const span = last - first + 1n;
  return Array.from({ length: segments - 1 }, (_, i) => first + (span * BigInt(i + 1)) / BigInt(segments));
}

function exchSpan(asset: MappedRows): [first: bigint, last: bigint] {
  let [first, last] = [2n ** 63n, -(2n ** 63n)];
  eachRow(asset, EV_EXCH, (_, ts) => {
    if (ts < first) first = ts;
    if (ts > last) last = ts;
    return true;
  });
  if (first > last) throw new DataFileError(asset.file, -1, "no row is an event at the exchange");
  return [first, last];
}

/** Rows that happen at the exchange (`side` EV_EXCH, exch_ts) or the trader (EV_LOCAL, local_ts); ends on false. */
function eachRow(
  asset: MappedRows,
  side: number,
  visit: (row: number, ts: bigint) => boolean,
  fromRow = asset.firstRow,
): void {
  const column = side === EV_EXCH ? 1 : 2;
  const blocks = new MappedBlocks({ ...asset, firstRow: fromRow, rows: asset.rows - fromRow });
  for (let block = blocks.next(); block !== null; block = blocks.next()) {
    const { i32, first, fileRow } = block;
    const i64 = new BigInt64Array(i32.buffer, i32.byteOffset, i32.length >> 1);
    for (let i = 0; i < block.rows; i++) {
      if ((i32[(first + i) * 16]! & side) === 0) continue;
      if (!visit(fileRow + i, i64[(first + i) * 8 + column]!)) return;
    }
  }
}

/** Time of the first row of a side from `row` on; `otherwise` when there is none. */
function firstTime(asset: MappedRows, side: number, row: number, otherwise: bigint): bigint {
  let found = otherwise;
  const take = (_: number, ts: bigint): boolean => {
    found = ts;
    return false;
  };
  eachRow(asset, side, take, row);
  return found;
}

function cutAsset(market: MarketRows, rows: MappedRows, times: readonly bigint[]): CachedAsset {
  const cuts = [0];
  eachRow(rows, EV_EXCH, (row, ts) => {
    while (cuts.length <= times.length && ts >= times[cuts.length - 1]!) cuts.push(row);
    return cuts.length <= times.length;
  });
  while (cuts.length <= times.length + 1) cuts.push(rows.rows);
  const snapshots = times.length === 0 ? [] : writeSnapshots(market, rows, times, cuts);
  return { rows, cuts, snapshots: [null, ...snapshots] };
}

/** The exchange's book just before each instant, as rows of an initial snapshot. */
function writeSnapshots(
  market: MarketRows,
  rows: MappedRows,
  times: readonly bigint[],
  cuts: readonly number[],
): string[] {
  const { tickSize, lotSize, initialSnapshot } = market;
  const options: CompatAssetOptions = {
    data: [rows],
    tickSize,
    lotSize,
    ...(initialSnapshot === undefined ? {} : { initialSnapshot }),
  };
  const feed = openFeed(options);
  const baseNs = baseOfDayNs(feed.firstExchTs()!);
  const asset = new CompatAsset(feed, options, baseNs);
  asset.start();
  const files: string[] = [];
  for (const [i, ts] of times.entries()) {
    const before = Number(ts - baseNs) - 1;
    asset.limit.ts = before;
    asset.run(before);
    // The times of the segment's first rows, so that the snapshot may also stand before them as rows.
    const exch = firstTime(rows, EV_EXCH, cuts[i + 1]!, ts);
    const local = firstTime(rows, EV_LOCAL, cuts[i + 1]!, ts);
    const both = KIND_DEPTH_SNAPSHOT + EV_EXCH + EV_LOCAL;
    const table = new EventTable();
    const level = (ev: number, sign: number) => (key: number, qty: number) =>
      table.append(both + ev, exch, local, sign * key * tickSize, qty);
    asset.exchangeBook.bid.forEachLevel(level(EV_BUY, 1));
    asset.exchangeBook.ask.forEachLevel(level(EV_SELL, -1));
    const file = rows.file.replace(/\.npy$/, `-cut${i + 1}of${times.length}.npy`);
    writeRows(file, EVENT_FIELDS, table.bytes, EVENT_ROW_BYTES);
    files.push(file);
  }
  asset.close();
  return files;
}
