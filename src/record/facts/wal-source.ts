// A data directory's log as a source of sessions: records decoded into events, numbers of each session translated by
// its manifest. Two walks over the segments, one for events, one for quotes. Cold.
import {
  allocateRecordMemory,
  copyRecord,
  type RecordHandler,
  type RecordMemory,
} from "../../core/record.ts";
import { readManifests, type SessionManifest } from "../../journal/session-manifest.ts";
import { type RecordPlace, readRecords, type SegmentFile } from "../../journal/wal-reader.ts";
import { FIRST_ADOPTED_SEQ } from "../../order/client-id.ts";
import * as wire from "../../wire/messages.gen.ts";
import {
  Names,
  type QuoteSink,
  type SessionEvents,
  type SessionSource,
  type Span,
} from "./session-source.ts";

const EVENT_KINDS: ReadonlySet<number> = new Set([
  wire.KIND_ORDER_SENT,
  wire.KIND_ORDER_STAMPS,
  wire.KIND_ORDER_REPORT,
  wire.KIND_ORDER_REPORT_DETAIL,
  wire.KIND_FILL,
  wire.KIND_FILL_DETAIL,
  wire.KIND_POSITION,
  wire.KIND_POSITION_DETAIL,
  wire.KIND_FUNDING,
  wire.KIND_GAP,
  wire.KIND_BBO,
]);
const QUOTE_KINDS: ReadonlySet<number> = new Set([wire.KIND_BBO]);

/** `walDir`: the directory of the segments. Throws the file system's error; RangeError: there is no session. */
export function walSource(walDir: string): SessionSource {
  const manifests = [...readManifests(walDir).bySession.values()];
  if (manifests.length === 0) throw new RangeError(`${walDir}: no session is recorded here`);
  const names = new Names(manifests.map((m) => ({ ...m, baseNs: BigInt(m.baseNs) })));
  const translations = new Translations(names, manifests);
  const notes: string[] = [];
  return {
    name: walDir,
    names,
    notes: () => notes,
    async events(_: Span, to: SessionEvents) {
      const decoder = new EventDecoder(translations, to);
      const { problems } = readRecords(walDir, decoder, decoder.place, { kinds: EVENT_KINDS });
      notes.push(...problems.map((p) => `WAL: ${p.kind} in ${p.file}: ${p.reason}`));
    },
    async quotes(_: Span, to: QuoteSink) {
      const decoder = new QuoteDecoder(translations, to);
      readRecords(walDir, decoder, decoder.place, { kinds: QUOTE_KINDS });
    },
  };
}

/** A session's own numbers in terms of the run's. */
interface Translation {
  readonly shiftNs: number;
  readonly nonce: string;
  readonly assets: readonly string[];
  /** −1: not known. */
  instrument(id: number): number;
  strategy(id: number): number;
}

class Translations {
  private readonly names: Names;
  private readonly manifests: readonly SessionManifest[];
  private readonly bySession = new Map<string, Translation>();

  constructor(names: Names, manifests: readonly SessionManifest[]) {
    this.names = names;
    this.manifests = manifests;
  }

  currencyOf(instrument: number): string {
    return this.names.instruments[instrument]!.currency;
  }

  of(segment: SegmentFile & { readonly header: { readonly baseNs: bigint } }): Translation {
    const known = this.bySession.get(segment.session);
    if (known !== undefined) return known;
    const { names } = this;
    const manifest = this.manifests.find((m) => m.session === segment.session);
    const instruments = new Map((manifest?.instruments ?? []).map((i) => [i.id, names.instrument(i.symbol)]));
    const strategies = (manifest?.strategies ?? []).map((name) => names.strategy(name));
    const made: Translation = {
      shiftNs: Number(segment.header.baseNs - names.baseNs),
      nonce: `${manifest?.nonceHi ?? 0}:${manifest?.nonceLo ?? 0}`,
      assets: manifest?.assets ?? [],
      instrument: (id) => instruments.get(id) ?? -1,
      strategy: (id) => strategies[id] ?? 0,
    };
    this.bySession.set(segment.session, made);
    return made;
  }
}

class EventDecoder implements RecordHandler {
  readonly place: Partial<RecordPlace> = {};
  private readonly translations: Translations;
  private readonly to: SessionEvents;
  /** A head until its continuation comes. */
  private readonly held = allocateRecordMemory(1);
  private readonly sent = new wire.OrderSent(this.held);
  private readonly stamps = new wire.OrderStamps(this.held);
  private readonly report = new wire.OrderReport(this.held);
  private readonly reportDetail = new wire.OrderReportDetail(this.held);
  private readonly fill = new wire.Fill(this.held);
  private readonly fillDetail = new wire.FillDetail(this.held);
  private readonly stand = new wire.Position(this.held);
  private readonly fund = new wire.Funding(this.held);
  private readonly gap = new wire.Gap(this.held);
  private readonly takenIn = new TakenIn();

  constructor(translations: Translations, to: SessionEvents) {
    this.translations = translations;
    this.to = to;
  }

  onRecord(m: RecordMemory, at: number): void {
    const t = this.translations.of(this.place.segment!);
    switch (m.u16[(at >> 1) + wire.HEADER_KIND]!) {
      case wire.KIND_BBO:
        this.to.quoted(m.f64[(at >> 3) + wire.HEADER_RECV_TS_NS]! + t.shiftNs);
        break;
      case wire.KIND_ORDER_STAMPS:
        this.onSent(t, this.sent.wrap(this.held, 0), this.stamps.wrap(m, at));
        break;
      case wire.KIND_ORDER_REPORT_DETAIL:
        this.onReport(t, this.report.wrap(this.held, 0), this.reportDetail.wrap(m, at));
        break;
      case wire.KIND_FILL_DETAIL:
        this.onFill(t, this.fill.wrap(this.held, 0), this.fillDetail.wrap(m, at));
        break;
      case wire.KIND_POSITION_DETAIL:
        this.onPosition(t, this.stand.wrap(this.held, 0));
        break;
      case wire.KIND_FUNDING:
        this.onFunding(t, this.fund.wrap(m, at));
        break;
      case wire.KIND_GAP:
        this.onGap(t, this.gap.wrap(m, at));
        break;
      default:
        copyRecord(m, at, this.held, 0);
    }
  }

  private onSent(t: Translation, sent: wire.OrderSent, stamps: wire.OrderStamps): void {
    const instrument = t.instrument(sent.instrument);
    if (instrument < 0 || sent.clientSeq === 0) return;
    const { shiftNs } = t;
    this.to.sent({
      order: this.takenIn.nameOf(`${t.nonce}:${sent.clientSeq}`),
      clientSeq: sent.clientSeq,
      instrument,
      strategy: t.strategy(sent.strategy),
      action: sent.action,
      side: sent.side,
      orderType: sent.orderType,
      tif: sent.tif,
      pxTicks: sent.pxTicks,
      qtyLots: sent.qtyLots,
      eventExchNs: known(sent.exchTsNs) + shiftNs,
      triggerNs: known(sent.triggerTsNs) + shiftNs,
      decidedNs: stamps.decidedTsNs + shiftNs,
      gatedNs: stamps.gatedTsNs + shiftNs,
      sentNs: stamps.sentTsNs + shiftNs,
      decisionTicks: known(stamps.midTicks),
    });
  }

  private onReport(t: Translation, report: wire.OrderReport, detail: wire.OrderReportDetail): void {
    this.to.report({
      order: this.takenIn.orderOf(report.clientSeq, detail),
      execType: report.execType,
      orderState: report.orderState,
      exchNs: known(detail.ackTsNs > 0 ? detail.ackTsNs : report.exchTsNs) + t.shiftNs,
      recvNs: report.recvTsNs + t.shiftNs,
      rejectCode: detail.rejectCode,
    });
  }

  private onFill(t: Translation, fill: wire.Fill, detail: wire.FillDetail): void {
    const instrument = t.instrument(fill.instrument);
    if (instrument < 0) return;
    const currency = this.translations.currencyOf(instrument);
    const order = this.takenIn.orderOf(fill.clientSeq, detail);
    this.to.fill({
      trade: `${fill.tradeIdHi}:${fill.tradeIdLo}`,
      order,
      clientSeq: Number(order.slice(order.lastIndexOf(":") + 1)),
      instrument,
      strategy: t.strategy(fill.strategy),
      side: fill.side,
      pxTicks: fill.pxTicks,
      qtyLots: fill.qtyLots,
      maker: fill.maker === 1,
      exchNs: fill.exchTsNs + t.shiftNs,
      recvNs: fill.recvTsNs + t.shiftNs,
      fee: t.assets[fill.feeAsset] === currency ? detail.feeE8 / 1e8 : Number.NaN,
    });
  }

  private onPosition(t: Translation, stand: wire.Position): void {
    const instrument = t.instrument(stand.instrument);
    if (instrument < 0 || (stand.flags & wire.FLAG_VENUE) !== 0) return;
    const { qtyLots, recvTsNs } = stand;
    const strategy = t.strategy(stand.strategy);
    this.to.position({ instrument, strategy, qtyLots, recvNs: recvTsNs + t.shiftNs });
  }

  private onFunding(t: Translation, funding: wire.Funding): void {
    const instrument = t.instrument(funding.instrument);
    if (instrument < 0) return;
    const { amountE8, recvTsNs } = funding;
    this.to.funding({ instrument, recvNs: recvTsNs + t.shiftNs, amount: amountE8 / 1e8 });
  }

  private onGap(t: Translation, gap: wire.Gap): void {
    this.to.gap(gap.lostCount, gap.recvTsNs + t.shiftNs);
  }
}

class QuoteDecoder implements RecordHandler {
  readonly place: Partial<RecordPlace> = {};
  private readonly translations: Translations;
  private readonly to: QuoteSink;
  private readonly bbo = new wire.Bbo(allocateRecordMemory(1));

  constructor(translations: Translations, to: QuoteSink) {
    this.translations = translations;
    this.to = to;
  }

  onRecord(m: RecordMemory, at: number): void {
    const t = this.translations.of(this.place.segment!);
    const { instrument: id, exchTsNs, recvTsNs, bidPxTicks, askPxTicks } = this.bbo.wrap(m, at);
    const instrument = t.instrument(id);
    if (instrument >= 0)
      this.to(instrument, exchTsNs + t.shiftNs, recvTsNs + t.shiftNs, (bidPxTicks + askPxTicks) / 2);
  }
}

const known = (value: number): number => (value > 0 ? value : Number.NaN);

/** What reports and fills say of the order that they are about. */
export interface OrderNamed {
  readonly clientNonceLo: number;
  readonly clientNonceHi: number;
  readonly venueOrderIdLo: number;
  readonly venueOrderIdHi: number;
}

/** An order that a session kept has another number in the session that took it in: it stays the order that it was. */
export class TakenIn {
  /** By the venue's id. */
  private readonly placed = new Map<string, string>();
  private readonly former = new Map<string, string>();

  nameOf(order: string): string {
    return this.former.get(order) ?? order;
  }

  orderOf(clientSeq: number, of: OrderNamed): string {
    const order = `${of.clientNonceHi}:${of.clientNonceLo}:${clientSeq}`;
    const venue = `${of.venueOrderIdHi}:${of.venueOrderIdLo}`;
    const known = this.placed.get(venue);
    if (known === undefined) {
      if (venue !== NO_VENUE_ID) this.placed.set(venue, order);
      return order;
    }
    if (clientSeq >= FIRST_ADOPTED_SEQ && known !== order) this.former.set(order, known);
    return this.nameOf(order);
  }
}

const NO_VENUE_ID = "0:0";
