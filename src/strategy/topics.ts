// Topics and patterns. A pattern is a topic, a family (`market_data.*`), or either with a symbol at its end
// (`market_data.trade.ETHUSDT`, `orderbook.*.BTCUSDT`). Patterns become one bit mask per (strategy,
// instrument) at start; dispatch is a mask test. Cold, but for the masks.

export const TOPIC_BBO = 1;
export const TOPIC_SIGNAL = 2;
export const TOPIC_TRADE = 4;
export const TOPIC_MARK = 8;
export const TOPIC_STATUS = 16;
export const TOPIC_ALPHA = 32;
export const TOPIC_DEPTH = 64;
export const TOPIC_REPORT = 128;
export const TOPIC_FILL = 256;
export const TOPIC_TICK = 512;

/** Topic names and what arrives under them. */
export const TOPICS: Readonly<Record<string, number>> = {
  "market_data.bbo": TOPIC_BBO,
  "market_data.signal": TOPIC_SIGNAL,
  "market_data.trade": TOPIC_TRADE,
  "market_data.mark": TOPIC_MARK,
  "market_data.status": TOPIC_STATUS,
  "market_data.alpha": TOPIC_ALPHA,
  "orderbook.depth": TOPIC_DEPTH,
  "order.report": TOPIC_REPORT,
  "order.fill": TOPIC_FILL,
  "system.tick": TOPIC_TICK,
};

/** Topics that let a quoter look again. */
export const QUOTE_TOPICS = TOPIC_BBO | TOPIC_SIGNAL | TOPIC_TRADE | TOPIC_MARK | TOPIC_ALPHA | TOPIC_DEPTH;

/** Bits that `pattern` selects for an instrument named `symbol`; −1 when no topic matches at all. */
export function patternBits(pattern: string, symbol: string): number {
  let known = false;
  let bits = 0;
  for (const [topic, bit] of Object.entries(TOPICS)) {
    const family = `${topic.slice(0, topic.indexOf("."))}.*`;
    for (const name of [topic, family]) {
      if (pattern === name) {
        known = true;
        bits |= bit;
      } else if (pattern.startsWith(`${name}.`)) {
        known = true;
        if (pattern.slice(name.length + 1) === symbol) bits |= bit;
      }
    }
  }
  return known ? bits : -1;
}

/** Union over patterns. Throws RangeError naming a pattern that matches no topic. */
export function subscriptionBits(patterns: readonly string[], symbol: string): number {
  let bits = 0;
  for (const pattern of patterns) {
    const one = patternBits(pattern, symbol);
    if (one < 0)
      throw new RangeError(
        `no topic matches "${pattern}"; known: ${Object.keys(TOPICS).join(", ")}, <family>.*`,
      );
    bits |= one;
  }
  return bits;
}
