// A reader's place in a feed's chain of chunks: always on the next row of its side, or at the end.
// Hot: `skip` runs once per row.
import { AT_EXCH, type AT_LOCAL, type EventChunk } from "../../data/event-chunk.ts";
import type { EventFeed } from "../../data/event-feed.ts";

const NEVER = Number.POSITIVE_INFINITY;

export class ChunkCursor {
  chunk: EventChunk | null;
  row = 0;
  /** Time of the next row of this side, Infinity at the end of data. */
  nextTs = NEVER;
  private readonly feed: EventFeed;
  private readonly mask: number;

  constructor(feed: EventFeed, mask: typeof AT_EXCH | typeof AT_LOCAL) {
    this.feed = feed;
    this.mask = mask;
    this.chunk = feed.advance(null);
    this.settle();
  }

  /** From `row` on, finds the next row of this side, over chunks, and sets nextTs. Throws DataFileError. */
  settle(): void {
    while (this.chunk !== null) {
      const { code, rows } = this.chunk;
      let row = this.row;
      while (row < rows && (code[row]! & this.mask) === 0) row++;
      this.row = row;
      if (row < rows) {
        this.nextTs = this.mask === AT_EXCH ? this.chunk.exchTs[row]! : this.chunk.localTs[row]!;
        return;
      }
      this.chunk = this.feed.advance(this.chunk);
      this.row = 0;
    }
    this.nextTs = NEVER;
  }
}
