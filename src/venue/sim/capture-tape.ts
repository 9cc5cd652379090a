// Reads a capture (`<receive ns> <raw JSON>` per line, one bare REST snapshot) into flat arrays and texts with
// holes, and closes it into a loop. The tape begins after the snapshot, where the book is known. Levels beyond
// the snapshot's range are not known there: they take their values from the end of the capture, so that the
// seam (the one depth event that turns the last book into the first) only touches the snapshot's range.

import { MARKET_DEPTH, MARKET_TICKER, MARKET_TRADE } from "./market-source.ts";
import type { SymbolSpec } from "./symbol-spec.ts";
import { pxText, qtyText } from "./symbol-spec.ts";

const SEAM_PAUSE_NS = 50_000_000;

export interface CaptureTape {
  readonly count: number;
  readonly kind: Uint8Array;
  /** ns since the tape's start. */
  readonly atNs: Float64Array;
  readonly lagMs: Int16Array;
  readonly firstId: Float64Array;
  readonly finalId: Float64Array;
  readonly previousId: Float64Array;
  readonly levelFrom: Int32Array;
  readonly pxTicks: Float64Array;
  readonly qtyLots: Float64Array;
  readonly side: Int8Array;
  readonly body: readonly string[];
  readonly levels: { side: Int8Array; pxTicks: Float64Array; qtyLots: Float64Array };
  readonly durationNs: number;
  /** Added to update ids (trade ids) with each loop. */
  readonly idsPerLoop: number;
  readonly tradesPerLoop: number;
  readonly initialUpdateId: number;
  readonly initialBook: readonly (readonly [side: number, pxTicks: number, qtyLots: number])[];
}

interface Row {
  kind: number;
  atNs: number;
  lagMs: number;
  firstId: number;
  finalId: number;
  previousId: number;
  levels: Level[];
  px: number;
  qty: number;
  side: number;
  body: string;
}

type Level = [side: number, pxTicks: number, qtyLots: number];
type Sides = [bids: Map<number, number>, asks: Map<number, number>];
type Message = { data: Record<string, unknown> & { e: string; E: number; T: number } };

interface Snapshot {
  lastUpdateId: number;
  bids: [string, string][];
  asks: [string, string][];
}

/** Throws Error naming the line when the capture is not what it should be. */
export function readCapture(text: string, spec: SymbolSpec): CaptureTape {
  const rows: Row[] = [];
  const early: Row[] = [];
  const now: Sides = [new Map(), new Map()];
  let snapshot: Snapshot | undefined;
  let initialId = 0;
  let first: Sides = now;
  forEachLine(text, (atNs, message, line) => {
    if (!("stream" in message)) {
      snapshot = message as unknown as Snapshot;
      initialId = startBook(now, snapshot, early, spec);
      first = [new Map(now[0]), new Map(now[1])];
      return;
    }
    const row = parseRow(atNs, message as unknown as Message, spec);
    if (row === null) throw new Error(`capture line ${line}: unknown message`);
    if (snapshot === undefined) {
      if (row.kind === MARKET_DEPTH) early.push(row);
      return;
    }
    if (row.kind === MARKET_DEPTH) applyLevels(now, row.levels);
    rows.push(row);
  });
  if (snapshot === undefined || rows.length === 0)
    throw new Error("capture has no snapshot or nothing after it");
  return closeLoop(rows, first, now, snapshot, initialId, spec);
}

function forEachLine(
  text: string,
  each: (atNs: number, message: Record<string, unknown>, line: number) => void,
): void {
  let firstNs: bigint | undefined;
  let from = 0;
  for (let line = 1; from < text.length; line++) {
    let end = text.indexOf("\n", from);
    if (end < 0) end = text.length;
    const space = text.indexOf(" ", from);
    if (space > from && space < end) {
      const stamp = BigInt(text.slice(from, space));
      firstNs ??= stamp;
      each(Number(stamp - firstNs), JSON.parse(text.slice(space + 1, end)), line);
    }
    from = end + 1;
  }
}

/** Snapshot plus the events that arrived before it and reach past it. Returns the book's update id. */
function startBook(book: Sides, snapshot: Snapshot, early: Row[], spec: SymbolSpec): number {
  applyLevels(book, parseLevels(1, snapshot.bids, spec));
  applyLevels(book, parseLevels(-1, snapshot.asks, spec));
  let id = snapshot.lastUpdateId;
  for (const row of early) {
    if (row.finalId < snapshot.lastUpdateId) continue;
    applyLevels(book, row.levels);
    id = row.finalId;
  }
  return id;
}

function applyLevels(book: Sides, levels: Level[]): void {
  for (const [side, px, qty] of levels) {
    const map = side > 0 ? book[0] : book[1];
    if (qty > 0) map.set(px, qty);
    else map.delete(px);
  }
}

function parseLevels(side: number, rows: [string, string][], spec: SymbolSpec): Level[] {
  return rows.map(([px, qty]) => [side, toTicks(px, spec), toLots(qty, spec)]);
}

// The texts come from a machine and have at most the printed decimals: rounding a double is exact here.
const toTicks = (text: string, spec: SymbolSpec): number =>
  Math.round((Number(text) * 10 ** spec.pxDecimals) / spec.unitsPerTick);
const toLots = (text: string, spec: SymbolSpec): number =>
  Math.round((Number(text) * 10 ** spec.qtyDecimals) / spec.unitsPerLot);

function parseRow(atNs: number, message: Message, spec: SymbolSpec): Row | null {
  const d = message.data;
  const row: Row = {
    kind: MARKET_DEPTH,
    atNs,
    lagMs: d.E - d.T,
    firstId: 0,
    finalId: 0,
    previousId: 0,
    levels: [],
    px: 0,
    qty: 0,
    side: 0,
    body: "",
  };
  if (d.e === "depthUpdate") return depthRow(row, d, spec);
  if (d.e === "trade") return tradeRow(row, d, spec);
  if (d.e !== "bookTicker") return null;
  row.kind = MARKET_TICKER;
  row.finalId = d["u"] as number;
  row.body = `"b":"${d["b"]}","B":"${d["B"]}","a":"${d["a"]}","A":"${d["A"]}"`;
  return row;
}

function depthRow(row: Row, d: Message["data"], spec: SymbolSpec): Row {
  row.firstId = d["U"] as number;
  row.finalId = d["u"] as number;
  row.previousId = d["pu"] as number;
  const bids = d["b"] as [string, string][];
  const asks = d["a"] as [string, string][];
  row.levels = [...parseLevels(1, bids, spec), ...parseLevels(-1, asks, spec)];
  row.body = `"b":${JSON.stringify(bids)},"a":${JSON.stringify(asks)}}`;
  return row;
}

function tradeRow(row: Row, d: Message["data"], spec: SymbolSpec): Row {
  row.kind = MARKET_TRADE;
  row.finalId = d["t"] as number;
  row.px = toTicks(d["p"] as string, spec);
  row.qty = toLots(d["q"] as string, spec);
  row.side = d["m"] === true ? -1 : 1;
  row.body = `"p":"${d["p"]}","q":"${d["q"]}"`;
  return row;
}

/** Levels beyond the snapshot's range get their last values. */
function completeFirst(first: Sides, last: Sides, snapshot: Snapshot, spec: SymbolSpec): void {
  const lowest = toTicks(snapshot.bids.at(-1)![0], spec);
  const highest = toTicks(snapshot.asks.at(-1)![0], spec);
  for (const [px, qty] of last[0]) if (px < lowest) first[0].set(px, qty);
  for (const [px, qty] of last[1]) if (px > highest) first[1].set(px, qty);
  for (const px of [...first[0].keys()]) if (px < lowest && !last[0].has(px)) first[0].delete(px);
  for (const px of [...first[1].keys()]) if (px > highest && !last[1].has(px)) first[1].delete(px);
}

function seamLevels(first: Sides, last: Sides): Level[] {
  const levels: Level[] = [];
  for (const index of [0, 1] as const) {
    const side = index === 0 ? 1 : -1;
    for (const px of last[index].keys()) if (!first[index].has(px)) levels.push([side, px, 0]);
    for (const [px, qty] of first[index]) if (last[index].get(px) !== qty) levels.push([side, px, qty]);
  }
  return levels.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
}

function seamRow(levels: Level[], atNs: number, lastId: number, spec: SymbolSpec): Row {
  const text = (side: number) =>
    levels
      .filter((l) => l[0] === side)
      .map(([, px, qty]) => `["${pxText(spec, px)}","${qtyText(spec, qty)}"]`)
      .join(",");
  return {
    kind: MARKET_DEPTH,
    atNs,
    lagMs: 1,
    firstId: lastId + 1,
    finalId: lastId + 2,
    previousId: lastId,
    levels,
    px: 0,
    qty: 0,
    side: 0,
    body: `"b":[${text(1)}],"a":[${text(-1)}]}`,
  };
}

function tickerRow(first: Sides, seam: Row, spec: SymbolSpec): Row {
  const bid = Math.max(...first[0].keys());
  const ask = Math.min(...first[1].keys());
  const bidText = `"b":"${pxText(spec, bid)}","B":"${qtyText(spec, first[0].get(bid)!)}"`;
  const askText = `"a":"${pxText(spec, ask)}","A":"${qtyText(spec, first[1].get(ask)!)}"`;
  return { ...seam, kind: MARKET_TICKER, levels: [], lagMs: 0, body: `${bidText},${askText}` };
}

function closeLoop(
  rows: Row[],
  first: Sides,
  last: Sides,
  snapshot: Snapshot,
  initialId: number,
  spec: SymbolSpec,
): CaptureTape {
  completeFirst(first, last, snapshot, spec);
  const startNs = rows[0]!.atNs;
  const lastDepth = rows.findLast((r) => r.kind === MARKET_DEPTH)!;
  const trades = rows.filter((r) => r.kind === MARKET_TRADE);
  const seam = seamRow(seamLevels(first, last), rows.at(-1)!.atNs + SEAM_PAUSE_NS, lastDepth.finalId, spec);
  rows.push(seam, tickerRow(first, seam, spec));
  const tape = flatten(rows, startNs);
  return {
    ...tape,
    durationNs: seam.atNs + SEAM_PAUSE_NS - startNs,
    idsPerLoop: seam.finalId - initialId,
    tradesPerLoop: trades.length === 0 ? 0 : trades.at(-1)!.finalId - trades[0]!.finalId + 1,
    initialUpdateId: initialId,
    initialBook: [
      ...[...first[0]].map(([px, qty]): Level => [1, px, qty]),
      ...[...first[1]].map(([px, qty]): Level => [-1, px, qty]),
    ],
  };
}

function flatten(rows: Row[], startNs: number) {
  const count = rows.length;
  const levelCount = rows.reduce((sum, r) => sum + r.levels.length, 0);
  const levels = {
    side: new Int8Array(levelCount),
    pxTicks: new Float64Array(levelCount),
    qtyLots: new Float64Array(levelCount),
  };
  const levelFrom = new Int32Array(count + 1);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    levelFrom[i] = at;
    for (const [side, px, qty] of row.levels) {
      levels.side[at] = side;
      levels.pxTicks[at] = px;
      levels.qtyLots[at++] = qty;
    }
  }
  levelFrom[count] = at;
  return {
    count,
    kind: Uint8Array.from(rows, (r) => r.kind),
    atNs: Float64Array.from(rows, (r) => r.atNs - startNs),
    lagMs: Int16Array.from(rows, (r) => r.lagMs),
    firstId: Float64Array.from(rows, (r) => r.firstId),
    finalId: Float64Array.from(rows, (r) => r.finalId),
    previousId: Float64Array.from(rows, (r) => r.previousId),
    levelFrom,
    pxTicks: Float64Array.from(rows, (r) => r.px),
    qtyLots: Float64Array.from(rows, (r) => r.qty),
    side: Int8Array.from(rows, (r) => r.side),
    body: rows.map((r) => r.body),
    levels,
  };
}
