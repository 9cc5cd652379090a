// The market stream of our own write-ahead log → event rows of one symbol, over all sessions of the folder. A snapshot is
// a clear of both sides and its levels. Messages received in the same nanosecond are told apart by +1 ns, because rows of
// equal times are one event.
import { parseDecimal } from "../../core/decimal.ts";
import { RECORD_BYTES, type RecordMemory } from "../../core/record.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_BEST_ASK,
  KIND_BEST_BID,
  KIND_DEPTH,
  KIND_DEPTH_SNAPSHOT,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_DEPTH_CLEAR as ROW_CLEAR,
  KIND_MARK_PRICE as ROW_MARK_PRICE,
  KIND_TRADE as ROW_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { readManifests, type SessionManifest } from "../../journal/session-manifest.ts";
import { readWal } from "../../journal/wal-reader.ts";
import {
  Bbo,
  DepthClear,
  DepthDelta,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  KIND_BBO,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_GAP,
  KIND_MARK_PRICE,
  KIND_SNAPSHOT_BEGIN,
  KIND_TRADE,
  MarkPrice,
  SnapshotBegin,
  Trade,
} from "../../wire/messages.gen.ts";
import { ImportDraft, type ImportResult } from "./import-result.ts";

export interface WalImportOptions {
  /** Needed when the log holds several instruments. */
  readonly symbol?: string;
  readonly markPrice?: boolean;
  readonly bookTicker?: boolean;
  readonly baseLatencyNs?: bigint;
}

const MARKET_STREAM = "market";

/** Throws DataFileError for a folder without sessions, an unknown symbol or a damaged segment. */
export function importWal(dir: string, options: WalImportOptions = {}): ImportResult {
  const { bySession } = readManifests(dir);
  const symbol = options.symbol ?? onlySymbol(dir, [...bySession.values()]);
  const rows = new WalRows(options);
  const sessions = new Map([...bySession].map(([name, m]) => [name, sessionOf(m, symbol)]));
  if ([...sessions.values()].every((s) => s.instrument === 0))
    throw new DataFileError(dir, -1, `no session knows ${symbol}`);
  const { problems } = readWal(dir, ({ memory, at, count, stream }, { session: name, header }) => {
    const session = sessions.get(name);
    if (session === undefined || stream !== session.stream) return;
    rows.open(session, header.baseNs);
    for (let i = 0; i < count; i++) rows.add(memory, at + i * RECORD_BYTES);
  });
  const damage = problems.find((p) => p.kind === "corrupt" || p.kind === "overlap");
  if (damage !== undefined) throw new DataFileError(damage.file, -1, `at ${damage.offset}: ${damage.reason}`);
  rows.draft.gaps += problems.filter((p) => p.kind === "gap").length;
  return rows.draft.finish(options.baseLatencyNs);
}

const sideFlag = (side: number): number => (side > 0 ? EV_BUY : side < 0 ? EV_SELL : 0);

interface Session {
  /** 0: it does not know the symbol. */
  readonly instrument: number;
  readonly stream: number;
  readonly tick: Scale;
  readonly lot: Scale;
}

/** A step is numerator / denominator, so steps · n / d is the correctly rounded decimal. */
interface Scale {
  readonly numerator: number;
  readonly denominator: number;
}

function scaleOf(step: string): Scale {
  const { units, decimals } = parseDecimal(step);
  return { numerator: Number(units), denominator: 10 ** decimals };
}

function onlySymbol(dir: string, manifests: readonly SessionManifest[]): string {
  const symbols = [...new Set(manifests.flatMap((m) => m.instruments.map((i) => i.symbol)))];
  if (symbols.length === 1) return symbols[0]!;
  const what =
    symbols.length === 0 ? "holds no session" : `holds ${symbols.join(", ")}: name one with --symbol`;
  throw new DataFileError(dir, -1, what);
}

function sessionOf(manifest: SessionManifest, symbol: string): Session {
  const instrument = manifest.instruments.find((i) => i.symbol === symbol);
  const stream = Object.entries(manifest.streams).find(([, name]) => name === MARKET_STREAM)?.[0] ?? "0";
  const { tickSize = "1", lotSize = "1", id = 0 } = instrument ?? {};
  return { instrument: id, stream: Number(stream), tick: scaleOf(tickSize), lot: scaleOf(lotSize) };
}

class WalRows {
  readonly draft: ImportDraft;
  private readonly table = new EventTable(1 << 16);
  private readonly options: WalImportOptions;
  private session: Session | null = null;
  private baseNs = 0n;
  private lastLocal = 0n;
  private local = 0n;
  /** The record before ended its event. */
  private ended = true;

  constructor(options: WalImportOptions) {
    this.options = options;
    this.draft = new ImportDraft(this.table);
  }

  open(session: Session, baseNs: bigint): void {
    this.session = session;
    this.baseNs = baseNs;
  }

  add(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind === KIND_GAP) this.draft.gaps++;
    if (m.u16[(at >> 1) + HEADER_INSTRUMENT] !== this.session!.instrument) return;
    this.draft.messages++;
    const flags = m.u16[(at >> 1) + HEADER_FLAGS]!;
    this.rowsOf(m, at, kind, (flags & FLAG_SNAPSHOT) !== 0);
    this.ended = (flags & FLAG_END_OF_EVENT) !== 0;
  }

  private rowsOf(m: RecordMemory, at: number, kind: number, snapshot: boolean): void {
    if (kind === KIND_DEPTH_DELTA) {
      const r = new DepthDelta(m).wrap(m, at);
      const row = (snapshot ? KIND_DEPTH_SNAPSHOT : KIND_DEPTH) | sideFlag(r.side);
      this.row(r, row, this.px(r.pxTicks), this.qty(r.qtyLots));
    } else if (kind === KIND_DEPTH_CLEAR) {
      const r = new DepthClear(m).wrap(m, at);
      this.row(r, ROW_CLEAR | sideFlag(r.side), this.px(r.pxTicks), 0);
    } else if (kind === KIND_SNAPSHOT_BEGIN) {
      this.row(new SnapshotBegin(m).wrap(m, at), ROW_CLEAR, 0, 0);
    } else if (kind === KIND_TRADE) {
      const r = new Trade(m).wrap(m, at);
      this.row(r, ROW_TRADE | sideFlag(r.side), this.px(r.pxTicks), this.qty(r.qtyLots));
    } else if (kind === KIND_MARK_PRICE) this.markPrice(new MarkPrice(m).wrap(m, at));
    else if (kind === KIND_BBO) this.bookTicker(new Bbo(m).wrap(m, at));
  }

  private markPrice(r: MarkPrice): void {
    if (this.options.markPrice !== true) {
      this.draft.skip("MarkPrice");
      return;
    }
    this.row(r, KIND_INDEX_PRICE, r.indexPxE8 / 1e8, 0);
    this.row(r, ROW_MARK_PRICE, r.markPxE8 / 1e8, 0);
    this.row(r, KIND_FUNDING_RATE, r.fundingRateE8 / 1e8, 0);
  }

  private bookTicker(r: Bbo): void {
    if (this.options.bookTicker !== true) {
      this.draft.skip("Bbo");
      return;
    }
    this.row(r, KIND_BEST_BID, this.px(r.bidPxTicks), this.qty(r.bidQtyLots));
    this.row(r, KIND_BEST_ASK, this.px(r.askPxTicks), this.qty(r.askQtyLots));
  }

  private px(ticks: number): number {
    const { numerator, denominator } = this.session!.tick;
    return (ticks * numerator) / denominator;
  }

  private qty(lots: number): number {
    const { numerator, denominator } = this.session!.lot;
    return (lots * numerator) / denominator;
  }

  private row(
    r: { readonly exchTsNs: number; readonly recvTsNs: number },
    ev: number,
    px: number,
    qty: number,
  ): void {
    if (this.ended) {
      const received = this.baseNs + BigInt(r.recvTsNs);
      this.local = received > this.lastLocal ? received : this.lastLocal + 1n;
      this.lastLocal = this.local;
      this.ended = false;
    }
    this.table.append(ev, this.baseNs + BigInt(r.exchTsNs), this.local, px, qty);
  }
}
