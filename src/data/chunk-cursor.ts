// A reader's place in a feed's chain of chunks: always on the next group of its side, or at the end.
import { AT_EXCH, type AT_LOCAL, type EventChunk } from "./event-chunk.ts";
import type { EventFeed } from "./event-feed.ts";

const NEVER = Number.POSITIVE_INFINITY;

export class ChunkCursor {
  chunk: EventChunk | null = null;
  group = 0;
  /** Next row of the group: its first, or the one that failed. */
  row = 0;
  /** Time of the next row of this side, Infinity at the end of data. */
  nextTs = NEVER;
  private readonly feed: EventFeed;
  private readonly side: typeof AT_EXCH | typeof AT_LOCAL;

  constructor(feed: EventFeed, side: typeof AT_EXCH | typeof AT_LOCAL) {
    this.feed = feed;
    this.side = side;
  }

  /** Goes to the first row. Until then there is none. Throws DataFileError. */
  start(): void {
    this.chunk = this.feed.advance(null);
    this.settle(0);
  }

  /** From `group` on, finds the next group of this side, over chunks. Throws DataFileError. */
  settle(group: number): void {
    this.group = group;
    while (this.chunk !== null) {
      const { groupSides, groups } = this.chunk;
      let next = this.group;
      while (next < groups && (groupSides[next]! & this.side) === 0) next++;
      this.group = next;
      if (next < groups) {
        this.row = this.chunk.groupStart[next]!;
        this.nextTs = this.side === AT_EXCH ? this.chunk.groupExchTs[next]! : this.chunk.groupLocalTs[next]!;
        return;
      }
      this.chunk = this.feed.advance(this.chunk);
      this.group = 0;
    }
    this.nextTs = NEVER;
  }
}
