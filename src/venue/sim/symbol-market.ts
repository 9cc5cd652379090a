// One simulated symbol: its source, its book, the matching of own orders and its public streams. Each market
// message goes to the matching engine first and to the sockets with the market latency after.
// The simulator's hot path: at --speed 73 this runs 20,000 times a second; one text per message and listener
// form, nothing else allocated.
import { MatchingEngine, type MatchListener } from "../../exchange/matching-engine.ts";
import { LogProb2Queue } from "../../exchange/queue/probability.ts";
import { SortedBook } from "../../exchange/sorted-book.ts";
import { idText } from "./big-id.ts";
import { DepthThrottle } from "./depth-throttle.ts";
import type { FaultBoard } from "./faults.ts";
import type { Journal } from "./journal.ts";
import type { LatencyLine } from "./latency-line.ts";
import { MARKET_DEPTH, MARKET_TRADE, MarketMessage, type MarketSource } from "./market-source.ts";
import type { StreamHub, Topic } from "./stream-hub.ts";
import type { SymbolSpec } from "./symbol-spec.ts";
import type { VenueClock } from "./venue-clock.ts";

const HUGE_BYTES = 8 * 1024 * 1024;

export interface MarketDeps {
  readonly hub: StreamHub;
  readonly faults: FaultBoard;
  readonly clock: VenueClock;
  readonly journal: Journal;
  readonly line: LatencyLine;
}

export class SymbolMarket {
  readonly spec: SymbolSpec;
  readonly source: MarketSource;
  readonly book = new SortedBook();
  readonly engine: MatchingEngine;
  lastUpdateId: number;
  messages = 0;
  private readonly deps: MarketDeps;
  private readonly message = new MarketMessage();
  private readonly depthTopic: Topic;
  private readonly tradeTopic: Topic;
  private readonly aggTopic: Topic;
  private readonly tickerTopic: Topic;
  private readonly throttles: { topic: Topic; throttle: DepthThrottle; dueMs: number }[];
  private lastMarkE8 = 0n;
  private held = "";

  constructor(spec: SymbolSpec, source: MarketSource, listener: MatchListener, deps: MarketDeps) {
    this.spec = spec;
    this.source = source;
    this.deps = deps;
    this.lastUpdateId = source.initialUpdateId;
    source.fillInitialBook(this.book);
    this.engine = new MatchingEngine(this.book, new LogProb2Queue(), listener);
    const name = spec.symbol.toLowerCase();
    this.depthTopic = deps.hub.topic(`${name}@depth@0ms`);
    this.tradeTopic = deps.hub.topic(`${name}@trade`);
    this.aggTopic = deps.hub.topic(`${name}@aggTrade`);
    this.tickerTopic = deps.hub.topic(`${name}@bookTicker`);
    this.throttles = [
      ["@depth@100ms", 100] as const,
      ["@depth", 250] as const,
      ["@depth@250ms", 250] as const,
      ["@depth@500ms", 500] as const,
    ].map(([suffix, ms]) => ({
      topic: deps.hub.topic(`${name}${suffix}`),
      throttle: new DepthThrottle(spec, ms, this.lastUpdateId),
      dueMs: 0,
    }));
  }

  /** Takes the next message of the source: matches, then sends. */
  step(): void {
    const m = this.message;
    this.source.read(m);
    this.messages++;
    if (m.kind === MARKET_DEPTH) this.onDepth(m);
    else if (m.kind === MARKET_TRADE) this.onTrade(m);
    else if (this.tickerTopic.listeners > 0) this.send(this.tickerTopic, this.tickerText(m));
  }

  /** Mid price in 1e-8 ticks; the last known one while a side is empty. */
  markTicksE8(): bigint {
    const twice = this.book.bestTicks(1) + this.book.bestTicks(-1);
    if (twice > 0) this.lastMarkE8 = BigInt(twice) * 50_000_000n;
    return this.lastMarkE8;
  }

  /** Sends the interval streams that are due. */
  flushThrottles(nowMs: number): void {
    for (const entry of this.throttles) {
      if (entry.topic.listeners === 0 || nowMs < entry.dueMs) continue;
      entry.dueMs = nowMs + entry.throttle.intervalMs;
      const text = entry.throttle.take(this.book, nowMs);
      if (text !== "") this.send(entry.topic, text);
    }
  }

  private onDepth(m: MarketMessage): void {
    const { side, pxTicks, qtyLots } = this.source.levels;
    for (let i = m.levelFrom; i < m.levelTo; i++) this.engine.onDepth(side[i]!, pxTicks[i]!, qtyLots[i]!);
    this.engine.endDepth();
    this.lastUpdateId = m.finalId;
    for (const entry of this.throttles) if (entry.topic.listeners > 0) this.throttle(entry.throttle, m);
    const text = this.depthTopic.listeners > 0 ? this.depthText(m) : "";
    this.deps.journal.writeDepth(this.spec.symbol, m.finalId);
    if (text !== "") this.sendDepth(text);
  }

  private throttle(throttle: DepthThrottle, m: MarketMessage): void {
    const { side, pxTicks } = this.source.levels;
    for (let i = m.levelFrom; i < m.levelTo; i++) throttle.add(side[i]!, pxTicks[i]!);
    throttle.noteIds(m.firstId, m.finalId);
  }

  private onTrade(m: MarketMessage): void {
    this.engine.onTrade(m.side, m.pxTicks, m.qtyLots);
    this.deps.journal.writeTrade(this.spec.symbol, idText(m.tradeNumber));
    if (this.tradeTopic.listeners > 0) this.send(this.tradeTopic, this.tradeText(m));
    if (this.aggTopic.listeners > 0) this.send(this.aggTopic, this.aggTradeText(m));
  }

  private sendDepth(text: string): void {
    const fault = this.deps.faults.takeDepth(this.spec.symbol);
    if (fault !== null) {
      this.sendFaulty(fault, text);
      return;
    }
    this.send(this.depthTopic, text);
    if (this.held !== "") {
      this.send(this.depthTopic, this.held);
      this.held = "";
    }
  }

  private sendFaulty(fault: string, text: string): void {
    const topic = this.depthTopic;
    if (fault === "duplicate") {
      this.send(topic, text);
      this.send(topic, text);
    } else if (fault === "reorder") {
      this.held = text;
    } else if (fault === "malformed") {
      this.send(topic, text.replaceAll('","', '":"'));
    } else if (fault === "truncated") {
      this.send(topic, text.slice(0, text.length >> 1));
    } else if (fault === "huge") {
      this.send(topic, `${text.slice(0, -1)},"x":"${"x".repeat(HUGE_BYTES)}"}`);
    }
  }

  private send(topic: Topic, text: string): void {
    const { line, hub } = this.deps;
    if (line.passesThrough) hub.publish(topic, text);
    else line.push(() => hub.publish(topic, text));
  }

  private depthText(m: MarketMessage): string {
    const now = this.deps.clock.nowMs();
    return `{"e":"depthUpdate","E":${now},"T":${now - m.lagMs},"s":"${this.spec.symbol}","U":${m.firstId},"u":${m.finalId},"pu":${m.previousId},${m.body}`;
  }

  private tickerText(m: MarketMessage): string {
    const now = this.deps.clock.nowMs();
    return `{"e":"bookTicker","u":${m.finalId},"s":"${this.spec.symbol}",${m.body},"T":${now - m.lagMs},"E":${now}}`;
  }

  private tradeText(m: MarketMessage): string {
    const now = this.deps.clock.nowMs();
    return `{"e":"trade","E":${now},"T":${now - m.lagMs},"s":"${this.spec.symbol}","t":${idText(m.tradeNumber)},${m.body},"X":"MARKET","m":${m.side < 0}}`;
  }

  private aggTradeText(m: MarketMessage): string {
    const now = this.deps.clock.nowMs();
    const id = idText(m.tradeNumber);
    return `{"e":"aggTrade","E":${now},"s":"${this.spec.symbol}","a":${id},${m.body},"f":${id},"l":${id},"T":${now - m.lagMs},"m":${m.side < 0}}`;
  }
}
