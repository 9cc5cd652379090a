// The default mode's exchange, driven by a recorded session instead of rows: the same requests, the same market
// messages, in an order that the caller knows. What it fills is what the backtest would have filled. Cold.
import { DenseBook } from "../../exchange/dense-book.ts";
import { ModelExchange } from "../../exchange/model-exchange.ts";
import { LogProb2Queue } from "../../exchange/queue/probability.ts";
import { FusedPipe } from "../../lane/pipe.ts";
import type { Instrument } from "../../market/instrument.ts";
import { ACTION_CANCEL, ACTION_MODIFY, ACTION_PLACE } from "../../wire/codes.ts";
import type { DepthMessage, RecordedFill, SentRequest, TradeMessage } from "./recorded-session.ts";

const AT_ONCE = { entryNs: () => 0, responseNs: () => 0 };

export class ExecutionModel {
  readonly fills: RecordedFill[] = [];
  private readonly exchange: ModelExchange;
  private nowNs = 0;

  constructor(instruments: readonly Instrument[]) {
    this.exchange = new ModelExchange({
      markets: instruments.map((instrument) => ({
        instrument,
        book: new DenseBook(),
        // The simulated venue's model: lots.
        queue: new LogProb2Queue(),
        fees: { kind: "value", makerE8: instrument.makerFeeE8, takerE8: instrument.takerFeeE8 },
        partialFills: true,
      })),
      latency: AT_ONCE,
      sink: new FusedPipe({ onRecord: () => {} }),
      assets: ["", ...new Set(instruments.map((i) => i.settle))],
      nonceLo: 1,
      nonceHi: 0,
      walletE8: 0n,
      nowNs: () => this.nowNs,
      observer: {
        onRequest: () => {},
        onReport: () => {},
        onFill: ({ clientSeq, strategy, instrument, side, pxTicks, qtyLots, maker, feeE8 }) =>
          this.fills.push({ clientSeq, strategy, instrument, side, pxTicks, qtyLots, maker, feeE8 }),
      },
    });
  }

  depth(instrument: number, message: DepthMessage): void {
    const { engine } = this.exchange.market(instrument);
    if (message.snapshot) engine.onClear();
    for (const { side, pxTicks, qtyLots } of message.levels) engine.onDepth(side, pxTicks, qtyLots);
    engine.endDepth();
    this.drain();
  }

  trade(instrument: number, { side, pxTicks, qtyLots }: TradeMessage): void {
    this.exchange.market(instrument).engine.onTrade(side, pxTicks, qtyLots);
    this.drain();
  }

  request({ action, request }: SentRequest): void {
    if (action === ACTION_PLACE) this.exchange.place(request);
    else if (action === ACTION_MODIFY) this.exchange.modify(request);
    else if (action === ACTION_CANCEL) this.exchange.cancel(request);
    while (this.exchange.nextRequestNs <= this.nowNs) this.exchange.processRequest();
    this.drain();
  }

  /** A cancel that the session did not send itself (main's own, at the end). */
  cancel(request: SentRequest["request"]): void {
    this.request({ action: ACTION_CANCEL, request, sentNs: 0, answeredNs: 0, rejectCode: 0 });
  }

  private drain(): void {
    while (this.exchange.nextReportNs <= this.nowNs) this.exchange.deliver();
  }
}
