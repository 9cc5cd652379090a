// Plays a capture tape in a loop. Hot in the simulator: 0 objects per message.
import type { SortedBook } from "../../exchange/sorted-book.ts";
import type { CaptureTape } from "./capture-tape.ts";
import {
  type LevelArrays,
  MARKET_TICKER,
  MARKET_TRADE,
  type MarketMessage,
  type MarketSource,
} from "./market-source.ts";

export class CaptureSource implements MarketSource {
  readonly levels: LevelArrays;
  readonly initialUpdateId: number;
  private readonly tape: CaptureTape;
  private at = 0;
  private loopStartNs = 0;
  private idOffset = 0;
  private tradeOffset = 0;

  constructor(tape: CaptureTape) {
    this.tape = tape;
    this.levels = tape.levels;
    this.initialUpdateId = tape.initialUpdateId;
  }

  fillInitialBook(book: SortedBook): void {
    for (const [side, px, qty] of this.tape.initialBook) book.applyDelta(side, px, qty);
  }

  nextAtNs(): number {
    return this.loopStartNs + this.tape.atNs[this.at]!;
  }

  read(into: MarketMessage): void {
    const tape = this.tape;
    const i = this.at;
    const kind = tape.kind[i]!;
    into.kind = kind;
    into.lagMs = tape.lagMs[i]!;
    into.body = tape.body[i]!;
    if (kind === MARKET_TRADE) {
      into.tradeNumber = tape.finalId[i]! + this.tradeOffset;
      into.pxTicks = tape.pxTicks[i]!;
      into.qtyLots = tape.qtyLots[i]!;
      into.side = tape.side[i]!;
    } else {
      into.finalId = tape.finalId[i]! + this.idOffset;
      if (kind !== MARKET_TICKER) {
        into.firstId = tape.firstId[i]! + this.idOffset;
        into.previousId = tape.previousId[i]! + this.idOffset;
        into.levelFrom = tape.levelFrom[i]!;
        into.levelTo = tape.levelFrom[i + 1]!;
      }
    }
    if (++this.at === tape.count) this.startLoop();
  }

  private startLoop(): void {
    this.at = 0;
    this.loopStartNs += this.tape.durationNs;
    this.idOffset += this.tape.idsPerLoop;
    this.tradeOffset += this.tape.tradesPerLoop;
  }
}
