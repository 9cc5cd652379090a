// What a recorded session is read from: its log or its store. Both tell the same events, in the order of the log, in
// one run's terms: instruments and strategies by index, times in ns since the run's base, NaN = not known. Cold.
import type { ResultInstrument } from "../../analytics/run-result.ts";

/** What of a session's manifest the analysis needs. */
export interface SessionInfo {
  readonly session: string;
  readonly baseNs: bigint;
  readonly instruments: readonly SessionInstrument[];
  /** Index = strategy id; [0] is "house". */
  readonly strategies: readonly string[];
}

export interface SessionInstrument {
  readonly id: number;
  readonly symbol: string;
  readonly base: string;
  readonly settle: string;
  readonly tickSize: string;
  readonly lotSize: string;
  readonly contractSize: string;
}

/** A request that left; `order` names its order. Requests that name none (cancel-all) are not told. */
export interface SentEvent {
  readonly order: string;
  readonly clientSeq: number;
  readonly instrument: number;
  readonly strategy: number;
  /** Codes of wire/codes.ts. */
  readonly action: number;
  readonly side: number;
  readonly orderType: number;
  readonly tif: number;
  /** NaN for market orders. */
  readonly pxTicks: number;
  readonly qtyLots: number;
  /** The venue's time of the market event that led to it. */
  readonly eventExchNs: number;
  readonly triggerNs: number;
  readonly decidedNs: number;
  readonly gatedNs: number;
  readonly sentNs: number;
  /** Mid at the decision, as the strategy saw it. */
  readonly decisionTicks: number;
}

export interface ReportEvent {
  readonly order: string;
  /** EXEC_… and ORDER_… of wire/codes.ts. */
  readonly execType: number;
  readonly orderState: number;
  readonly exchNs: number;
  readonly recvNs: number;
  readonly rejectCode: number;
}

export interface FillEvent {
  /** Venue's trade id; with the instrument, one execution. */
  readonly trade: string;
  readonly order: string;
  /** 0 = not an order of hotlane. */
  readonly clientSeq: number;
  readonly instrument: number;
  readonly strategy: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly maker: boolean;
  readonly exchNs: number;
  readonly recvNs: number;
  /** Settlement currency; NaN when paid in another asset. */
  readonly fee: number;
}

export interface PositionEvent {
  readonly instrument: number;
  readonly strategy: number;
  readonly qtyLots: number;
  readonly recvNs: number;
}

export interface FundingEvent {
  readonly instrument: number;
  readonly recvNs: number;
  /** Settlement currency, + received. */
  readonly amount: number;
}

export interface SessionEvents {
  sent(event: SentEvent): void;
  report(event: ReportEvent): void;
  fill(event: FillEvent): void;
  position(event: PositionEvent): void;
  funding(event: FundingEvent): void;
  /** A best bid and offer was received: the run spans these. */
  quoted(recvNs: number): void;
  /** Records that the log lacks. */
  gap(lost: number, recvNs: number): void;
}

/** Best bid and offer; each instrument's in the order received. NaN mid: a side was empty. */
export type QuoteSink = (instrument: number, exchNs: number, recvNs: number, midTicks: number) => void;

/** Of interest, ns since the run's base; infinite = open. */
export interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

export interface SessionSource {
  /** For error messages. */
  readonly name: string;
  readonly names: Names;
  /** Everything that can matter inside the span, possibly more. */
  events(span: Span, to: SessionEvents): Promise<void>;
  quotes(span: Span, to: QuoteSink): Promise<void>;
  /** What the reader should know, after both were read: damage, and what is not recorded. */
  notes(): readonly string[];
}

/** Instruments and strategies of several sessions by name; time 0 is the base of the first. */
export class Names {
  readonly baseNs: bigint;
  readonly sessions: readonly SessionInfo[];
  readonly instruments: ResultInstrument[] = [];
  /** Index + 1 = strategy id of the run; house is 0. */
  readonly strategies: string[] = [];

  /** `sessions` may not be empty. */
  constructor(sessions: readonly SessionInfo[]) {
    this.sessions = sessions;
    [this.baseNs] = sessions.map((s) => s.baseNs).sort((a, b) => (a < b ? -1 : 1)) as [bigint];
    for (const session of sessions) {
      for (const i of session.instruments) if (this.instrument(i.symbol) < 0) this.addInstrument(i);
      for (const name of session.strategies.slice(1))
        if (!this.strategies.includes(name)) this.strategies.push(name);
    }
  }

  /** −1: not known. */
  instrument(symbol: string): number {
    return this.instruments.findIndex((known) => known.symbol === symbol);
  }

  /** 0 for the house and for names that are not known. */
  strategy(name: string): number {
    return this.strategies.indexOf(name) + 1;
  }

  private addInstrument(i: SessionInstrument): void {
    this.instruments.push({
      index: this.instruments.length,
      symbol: i.symbol,
      currency: i.settle,
      tickSize: Number(i.tickSize),
      lotSize: Number(i.lotSize),
      contractSize: Number(i.contractSize),
      kind: i.settle === i.base && i.base !== "" ? "inverse" : "linear",
    });
  }
}
