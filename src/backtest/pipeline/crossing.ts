// A row that crosses the other side says that the levels it passed are stale: the feed lost their deletion. The
// newer word counts, so both books of a backtest delete what was crossed (live, FEED resynchronises instead).
import { type EventChunk, OP_ASK, OP_BID, OP_MASK } from "../../data/event-chunk.ts";

interface Touch {
  bestTicks(side: number): number;
}

/**
 * Of a crossed book: the side (+1 bid, −1 ask) of the last row in [from, to) that reaches the other side's best; 0: it
 * was none of these.
 */
export function crossingSide(chunk: EventChunk, from: number, to: number, touch: Touch): number {
  const bid = touch.bestTicks(1);
  const ask = touch.bestTicks(-1);
  for (let row = to - 1; row >= from; row--) {
    if (!(chunk.levels[2 * row + 1]! > 0)) continue;
    const op = chunk.code[row]! & OP_MASK;
    if (op === OP_BID && chunk.key[row]! >= ask) return 1;
    if (op === OP_ASK && -chunk.key[row]! <= bid) return -1;
  }
  return 0;
}
