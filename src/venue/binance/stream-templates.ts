// The beginnings of the messages that an instrument's streams send, as literals: one comparison then tells
// stream, event and instrument, where the general way walks over the stream name and hashes the symbol.
// Hot: feed lane; 0 bytes; at most TRIED_MAX instruments are tried, the last one that matched first.
import type { Instrument } from "../../market/instrument.ts";
import { Literal } from "./json-scan.ts";

export const NO_TEMPLATE = -1;
/** Instruments whose forms are tried before the general way. */
export const TRIED_MAX = 4;

/** Literals of one kind of message, by instrument index. */
export class StreamTemplates {
  /** From the message's first byte to its first value. */
  private readonly beginnings: Literal[];
  /** From the byte after a value, over the symbol, to the next value. */
  readonly symbols: Literal[];
  private guess: number;

  /** `stream`: `@trade`; `event`: `{"e":"trade","E":`; `afterSymbol`: `","t":`. */
  constructor(instruments: readonly Instrument[], stream: string, event: string, afterSymbol: string) {
    this.beginnings = instruments.map(
      (i) => new Literal(`{"stream":"${i.symbol.toLowerCase()}${stream}","data":${event}`),
    );
    this.symbols = instruments.map((i) => new Literal(`,"s":"${i.symbol}${afterSymbol}`));
    this.guess = 0;
  }

  /** Index of the instrument whose message begins like this one, or NO_TEMPLATE. */
  find(view: DataView, end: number): number {
    const count = this.beginnings.length;
    const tries = Math.min(count, TRIED_MAX);
    let index = this.guess;
    for (let n = 0; n < tries; n++) {
      if (this.beginnings[index]!.isAt(view, 0, end)) {
        this.guess = index;
        return index;
      }
      index = index + 1 === count ? 0 : index + 1;
    }
    return NO_TEMPLATE;
  }

  lengthOf(index: number): number {
    return this.beginnings[index]!.length;
  }
}
