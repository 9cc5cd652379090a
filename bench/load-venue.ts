// The venue of bench/load.ts as a process of its own: SimVenue with limits raised, no latencies added, every
// depth update's send time journalled. `--depth-only` plays the capture's depth messages alone. `--polls`: its event
// loop never sleeps, as a venue's does not: the waking up of this process is no part of what is measured. Prints
// {"ready":true,"port":N,"pid":…} and ends with its parent's stdin.
import { parseArgs } from "node:util";
import type { SortedBook } from "../src/exchange/sorted-book.ts";
import { simCredentials } from "../src/venue/sim/credentials.ts";
import { captureSymbol, defaultVenueOptions } from "../src/venue/sim/defaults.ts";
import { MARKET_DEPTH, MarketMessage, type MarketSource } from "../src/venue/sim/market-source.ts";
import { SimVenue } from "../src/venue/sim/sim-venue.ts";

const LIMIT_FACTOR = 10_000;

/** The depth messages of another source, at their own times. */
class DepthOnly implements MarketSource {
  readonly levels: MarketSource["levels"];
  readonly initialUpdateId: number;
  private readonly inner: MarketSource;
  private readonly next = new MarketMessage();
  private nextNs = 0;

  constructor(inner: MarketSource) {
    this.inner = inner;
    this.levels = inner.levels;
    this.initialUpdateId = inner.initialUpdateId;
    this.advance();
  }

  fillInitialBook(book: SortedBook): void {
    this.inner.fillInitialBook(book);
  }

  nextAtNs(): number {
    return this.nextNs;
  }

  read(into: MarketMessage): void {
    Object.assign(into, this.next);
    this.advance();
  }

  private advance(): void {
    do {
      this.nextNs = this.inner.nextAtNs();
      this.inner.read(this.next);
    } while (this.next.kind !== MARKET_DEPTH);
  }
}

const { values } = parseArgs({
  options: {
    speed: { type: "string", default: "1" },
    journal: { type: "string" },
    credentials: { type: "string" },
    "depth-only": { type: "boolean", default: false },
    polls: { type: "boolean", default: false },
  },
});
const usual = defaultVenueOptions();
const { spec, source } = await captureSymbol();
const none = { meanNs: 0, sigma: 0 };
const venue = new SimVenue({
  ...usual,
  ...simCredentials(values.credentials!, undefined, undefined),
  account: { ...usual.account, startingBalanceE8: 1_000_000_000n * 100_000_000n },
  speed: Number(values.speed),
  symbols: [{ spec, source: values["depth-only"] ? new DepthOnly(source) : source }],
  rateLimits: {
    ...usual.rateLimits,
    weightPerMinute: usual.rateLimits.weightPerMinute * LIMIT_FACTOR,
    ordersPer10s: usual.rateLimits.ordersPer10s * LIMIT_FACTOR,
    ordersPerMinute: usual.rateLimits.ordersPerMinute * LIMIT_FACTOR,
  },
  latency: { entry: none, response: none, market: none },
  journalPath: values.journal!,
  journalMarket: true,
});
const poll = (): void => void setImmediate(poll);
if (values.polls) poll();
console.log(JSON.stringify({ ready: true, port: venue.start(), pid: process.pid }));
await new Promise<void>((resolve) => {
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.stdin.on("end", () => resolve());
  process.stdin.on("close", () => resolve());
  process.stdin.resume();
});
await venue.stop();
process.exit(0);
