// Book synchronisation against a venue that is a Map: every emitted event must leave the rebuilt book equal to
// the venue's at the same update id, whatever was lost, repeated, swapped or late on the way.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../../src/core/prng.ts";
import {
  BookSync,
  SNAPSHOT_APPLIED,
  SNAPSHOT_NOT_NEEDED,
  SNAPSHOT_TOO_OLD,
} from "../../../../src/venue/binance/book-sync.ts";
import { DepthBuffer } from "../../../../src/venue/binance/depth-buffer.ts";
import { FeedWriter } from "../../../../src/venue/binance/feed-writer.ts";
import {
  MarketDecoder,
  MESSAGE_DEPTH,
  MESSAGE_SNAPSHOT,
} from "../../../../src/venue/binance/market-decoder.ts";
import {
  FEED_REASON_GAP,
  FEED_REASON_OVERFLOW,
  FEED_RESYNCING,
  FEED_STALE,
  FEED_SYNCED,
} from "../../../../src/wire/codes.ts";
import { BTC, bytesOf, CollectingSink } from "./fixtures.ts";
import { RebuiltBook } from "./rebuilt-book.ts";

interface VenueEvent {
  readonly first: bigint;
  readonly final: bigint;
  readonly previous: bigint;
  readonly text: string;
}

/** A venue whose ids pass 2^53 and skip, as the real ones do. */
class NaiveVenue {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  readonly bookAt = new Map<string, string>();
  readonly events: VenueEvent[] = [];
  private readonly prng: Prng;
  private id = 9_007_199_254_740_990n;
  private previous = this.id;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  step(): VenueEvent {
    const first = this.id + 1n + BigInt(this.prng.nextBelow(5));
    const final = first + BigInt(this.prng.nextBelow(6));
    const bids = this.changes(this.bids, 6000);
    const asks = this.changes(this.asks, 6100);
    const event = {
      first,
      final,
      previous: this.previous,
      text: depthText(first, final, this.previous, bids, asks),
    };
    this.id = final;
    this.previous = final;
    this.bookAt.set(String(final), this.bookText());
    this.events.push(event);
    return event;
  }

  /** lastUpdateId may lie past the last event: ids of a book with nothing in between. */
  snapshot(): { id: bigint; text: string } {
    const id = this.id + BigInt(this.prng.nextBelow(2));
    this.bookAt.set(String(id), this.bookText());
    if (id > this.id) this.id = id;
    const side = (map: Map<number, number>) => [...map].map(([p, q]) => levelText(p, q)).join(",");
    return {
      id,
      text: `{"lastUpdateId":${id},"E":1,"T":1,"bids":[${side(this.bids)}],"asks":[${side(this.asks)}]}`,
    };
  }

  bookText(): string {
    const book = new RebuiltBook(0);
    for (const [p, q] of this.bids) book.bids.set(p, q);
    for (const [p, q] of this.asks) book.asks.set(p, q);
    return book.text();
  }

  private changes(side: Map<number, number>, from: number): string {
    const out: string[] = [];
    for (let i = 1 + this.prng.nextBelow(3); i > 0; i--) {
      const px = from + this.prng.nextBelow(40);
      const qty = this.prng.nextBelow(3) === 0 ? 0 : 1 + this.prng.nextBelow(5000);
      if (out.some((level) => level.startsWith(`["${(px / 10).toFixed(2)}"`))) continue;
      if (qty === 0) side.delete(px);
      else side.set(px, qty);
      out.push(levelText(px, qty));
    }
    return out.join(",");
  }
}

const levelText = (px: number, qty: number): string =>
  `["${(px / 10).toFixed(2)}","${(qty / 1000).toFixed(3)}"]`;

const depthText = (first: bigint, final: bigint, previous: bigint, bids: string, asks: string): string =>
  `{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":${first},"u":${final},"pu":${previous},"b":[${bids}],"a":[${asks}]}`;

class Rig {
  readonly sink: CollectingSink;
  readonly sync: BookSync;
  readonly decoder = new MarketDecoder([BTC]);
  readonly book = new RebuiltBook(1);
  nowNs = 1000;

  constructor(capacity = 4096, buffer = new DepthBuffer(4096, 256)) {
    this.sink = new CollectingSink(capacity);
    this.sync = new BookSync(1, new FeedWriter(this.sink, 0), buffer);
  }

  depth(event: VenueEvent): void {
    const bytes = bytesOf(event.text);
    expect(this.decoder.decode(bytes, bytes.length)).toBe(MESSAGE_DEPTH);
    this.sync.onDepth(this.decoder, this.nowNs++);
  }

  snapshot(text: string): number {
    const bytes = bytesOf(text);
    expect(this.decoder.decodeSnapshot(bytes, bytes.length, 0)).toBe(MESSAGE_SNAPSHOT);
    return this.sync.onSnapshot(this.decoder, this.nowNs++);
  }

  consume(): void {
    this.book.consume(this.sink);
  }
}

describe("the venue's table", () => {
  test("events before the snapshot are dropped, the covering one is applied, the rest follows", () => {
    const venue = new NaiveVenue(1);
    const rig = new Rig();
    rig.sync.connected(0);
    for (let i = 0; i < 3; i++) rig.depth(venue.step());
    const snapshot = venue.snapshot();
    for (let i = 0; i < 3; i++) rig.depth(venue.step());
    expect(rig.snapshot(snapshot.text)).toBe(SNAPSHOT_APPLIED);
    for (let i = 0; i < 3; i++) rig.depth(venue.step());
    rig.consume();
    expect(rig.book.isSynced).toBe(true);
    expect(rig.book.text()).toBe(venue.bookText());
  });

  test("a snapshot older than the first buffered event is refused", () => {
    const venue = new NaiveVenue(2);
    const rig = new Rig();
    venue.step();
    const old = venue.snapshot();
    venue.step();
    rig.sync.connected(0);
    rig.depth(venue.step());
    expect(rig.snapshot(old.text)).toBe(SNAPSHOT_TOO_OLD);
    expect(rig.snapshot(venue.snapshot().text)).toBe(SNAPSHOT_APPLIED);
    rig.consume();
    expect(rig.book.text()).toBe(venue.bookText());
  });

  test("a missing event makes the book stale at once and nothing is emitted until the next snapshot", () => {
    const venue = new NaiveVenue(3);
    const rig = new Rig();
    rig.sync.connected(0);
    expect(rig.snapshot(venue.snapshot().text)).toBe(SNAPSHOT_APPLIED);
    rig.depth(venue.step());
    venue.step();
    rig.depth(venue.step());
    rig.consume();
    expect(rig.book.statuses.at(-1)).toEqual({ state: FEED_STALE, reason: FEED_REASON_GAP });
    const events = rig.book.events;
    rig.depth(venue.step());
    rig.consume();
    expect(rig.book.events).toBe(events);
    expect(rig.snapshot(venue.snapshot().text)).toBe(SNAPSHOT_APPLIED);
    rig.consume();
    expect(rig.book.text()).toBe(venue.bookText());
    expect(rig.sync.gaps).toBe(1);
  });

  test("a repeated event is counted and changes nothing", () => {
    const venue = new NaiveVenue(4);
    const rig = new Rig();
    rig.sync.connected(0);
    rig.snapshot(venue.snapshot().text);
    const event = venue.step();
    rig.depth(event);
    rig.depth(event);
    rig.depth(venue.step());
    rig.consume();
    expect([rig.sync.duplicates, rig.sync.gaps, rig.book.isSynced]).toEqual([1, 0, true]);
  });

  test("a snapshot that nobody waits for is ignored", () => {
    const venue = new NaiveVenue(5);
    const rig = new Rig();
    rig.sync.connected(0);
    rig.snapshot(venue.snapshot().text);
    expect(rig.snapshot(venue.snapshot().text)).toBe(SNAPSHOT_NOT_NEEDED);
  });
});

test("a snapshot without one event of the stream is not yet a synchronised book", () => {
  const venue = new NaiveVenue(9);
  const rig = new Rig();
  rig.sync.connected(0);
  rig.snapshot(venue.snapshot().text);
  rig.consume();
  expect([rig.book.isSynced, rig.book.text()]).toEqual([false, venue.bookText()]);
  rig.depth(venue.step());
  rig.consume();
  expect([rig.book.isSynced, rig.book.text()]).toEqual([true, venue.bookText()]);
});

describe("bounds", () => {
  test("an event that does not fit the sink makes the book stale, never partial", () => {
    const venue = new NaiveVenue(6);
    const rig = new Rig(64);
    rig.sync.connected(0);
    rig.snapshot(venue.snapshot().text);
    rig.consume();
    while (rig.sync.isLive) rig.depth(venue.step());
    rig.consume();
    rig.sync.poll(rig.nowNs);
    rig.consume();
    expect(rig.book.statuses.at(-1)).toEqual({ state: FEED_STALE, reason: FEED_REASON_OVERFLOW });
    expect(rig.book.text()).toBe(venue.bookAt.get(rig.book.updateId)!);
    expect(rig.sync.needsSnapshot).toBe(true);
  });

  test("buffered events wait for room in the sink and keep their order", () => {
    const venue = new NaiveVenue(7);
    const rig = new Rig(24);
    rig.sync.connected(0);
    const snapshot = venue.snapshot();
    for (let i = 0; i < 30; i++) rig.depth(venue.step());
    expect(rig.snapshot(snapshot.text)).toBe(SNAPSHOT_APPLIED);
    expect(rig.sync.isLive).toBe(false);
    for (let i = 0; i < 20 && !rig.sync.isLive; i++) {
      rig.consume();
      rig.sync.poll(rig.nowNs++);
    }
    rig.consume();
    rig.sync.poll(rig.nowNs++);
    rig.consume();
    expect([rig.book.isSynced, rig.book.text()]).toEqual([true, venue.bookText()]);
  });

  test("a full buffer is counted and the resync still ends", () => {
    const venue = new NaiveVenue(8);
    const rig = new Rig(4096, new DepthBuffer(20, 8));
    rig.sync.connected(0);
    for (let i = 0; i < 40; i++) rig.depth(venue.step());
    expect(rig.sync.bufferOverflows).toBeGreaterThan(0);
    expect(rig.snapshot(venue.snapshot().text)).toBe(SNAPSHOT_APPLIED);
    rig.consume();
    expect(rig.book.text()).toBe(venue.bookText());
  });
});

test("every emitted event equals the venue's book at its id, for any loss, repeat, swap and delay (seed 21)", () => {
  const action = fc.oneof(
    { weight: 20, arbitrary: fc.constant("step") },
    { weight: 1, arbitrary: fc.constantFrom("lose", "repeat", "swap", "cut") },
    { weight: 4, arbitrary: fc.constantFrom("snapshot", "late", "deliver") },
    { weight: 2, arbitrary: fc.constant("consume") },
  );
  let syncs = 0;
  fc.assert(
    fc.property(fc.nat(1e6), fc.array(action, { minLength: 30, maxLength: 200 }), (seed, actions) => {
      const venue = new NaiveVenue(seed);
      const rig = new Rig();
      let held: string | null = null;
      rig.book.onEvent = () => {
        const expected = venue.bookAt.get(rig.book.updateId);
        if (expected !== rig.book.text()) throw new Error(`book differs at ${rig.book.updateId}`);
      };
      rig.sync.connected(0);
      for (const what of actions) {
        if (what === "step") rig.depth(venue.step());
        else if (what === "lose") venue.step();
        else if (what === "repeat" && venue.events.length > 1) rig.depth(venue.events.at(-2)!);
        else if (what === "swap") {
          const first = venue.step();
          rig.depth(venue.step());
          rig.depth(first);
        } else if (what === "cut") {
          rig.sync.disconnected(2, rig.nowNs++);
          rig.sync.connected(rig.nowNs++);
        } else if (what === "snapshot") rig.snapshot(venue.snapshot().text);
        else if (what === "late") held = venue.snapshot().text;
        else if (what === "deliver" && held !== null) rig.snapshot(held);
        else if (what === "consume") rig.consume();
      }
      // A chain broken on the way, inside the buffer, or by the last event needs a snapshot each.
      for (let i = 0; i < 3; i++) {
        rig.depth(venue.step());
        rig.consume();
        if (!rig.sync.needsSnapshot) continue;
        rig.sync.snapshotRequested(rig.nowNs++);
        rig.snapshot(venue.snapshot().text);
      }
      rig.consume();
      expect([rig.sync.state, rig.book.state]).toEqual([FEED_SYNCED, FEED_SYNCED]);
      expect(rig.book.statuses[0]!.state).toBe(FEED_RESYNCING);
      syncs++;
    }),
    { seed: 21, numRuns: 300 },
  );
  expect(syncs).toBe(300);
});
