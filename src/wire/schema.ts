// The one declaration of every record that rings, WAL and replay carry. `bun run generate` turns it into
// messages.gen.ts (offsets, encoders, flyweights, ASCII layout). Append-only: a field never moves, changes
// type or disappears; a new field takes the place of a reserved one and states its `since`.
//
//  0        2        4            6          8          12         16            24            32        64
//  | kind   | flags  | instrument | strategy | sequence | spare    | exchTsNs    | recvTsNs    | body    |
//  | u16    | u16    | u16        | u16      | u32      | u32      | f64         | f64         | 32 byte |

export type FieldType = "u8" | "u16" | "u32" | "i32" | "f64" | "text";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes, for `text` only. */
  readonly bytes?: number;
  readonly doc?: string;
  readonly since?: number;
}

export interface Message {
  readonly name: string;
  readonly kind: number;
  readonly since: number;
  readonly doc: string;
  readonly body: readonly Field[];
}

export const SCHEMA_VERSION = 1;

export const HEADER: readonly Field[] = [
  { name: "kind", type: "u16" },
  { name: "flags", type: "u16" },
  { name: "instrument", type: "u16", doc: "instrument id; 0 = none" },
  { name: "strategy", type: "u16", doc: "strategy id; 0 = house" },
  { name: "sequence", type: "u32", doc: "per stream, wraps" },
  {
    name: "spare",
    type: "u32",
    doc: "execution observations: upstream records consumed before this one (mod 2^32)",
  },
  { name: "exchTsNs", type: "f64", doc: "venue time, ns since the session base; 0 = none" },
  { name: "recvTsNs", type: "f64", doc: "receive time, ns since the session base" },
];

/** Bits of the header's `flags`. */
export const FLAGS = {
  /** Last record of one venue message. */
  END_OF_EVENT: 1,
  /** A continuation record with the same sequence follows. */
  MORE: 2,
  /** This record continues the one before it. */
  CONTINUATION: 4,
  /** Came from a snapshot, not from the stream; a Position that did not change: written at an interval. */
  SNAPSHOT: 8,
  /** Recovered from the venue's history, not seen live. */
  RECOVERED: 16,
  REDUCE_ONLY: 32,
  /** A Position as the venue states it (net), not one of the ledger. */
  VENUE: 64,
} as const;

const f64 = (name: string, doc = ""): Field => ({ name, type: "f64", doc });
const u32 = (name: string, doc = ""): Field => ({ name, type: "u32", doc });
const i32 = (name: string, doc = ""): Field => ({ name, type: "i32", doc });
const u8 = (name: string, doc = ""): Field => ({ name, type: "u8", doc });
const id64 = (name: string, doc: string): Field[] => [u32(`${name}Lo`, doc), u32(`${name}Hi`)];

// Two rules keep records safe under 8-byte moves: ids are low word first, and a byte or i32 that can be
// negative never fills the last two bytes of an aligned 8-byte word.
export const MESSAGES: readonly Message[] = [
  {
    name: "DepthDelta",
    kind: 1,
    since: 1,
    doc: "One absolute level change; qtyLots 0 deletes. Levels of one venue message are consecutive.",
    body: [
      f64("pxTicks"),
      f64("qtyLots"),
      i32("side", "+1 bid, -1 ask"),
      u32("levelCount", "levels of the whole venue message"),
      ...id64("updateId", "final update id of the venue message"),
    ],
  },
  {
    name: "DepthClear",
    kind: 2,
    since: 1,
    doc: "Deletes levels of a side (0 = both) up to pxTicks from the touch; NaN = the whole side.",
    body: [f64("pxTicks"), i32("side"), u32("reserved0"), f64("reserved1"), f64("reserved2")],
  },
  {
    name: "SnapshotBegin",
    kind: 3,
    since: 1,
    doc: "The book is replaced by the DepthDelta records up to SnapshotEnd.",
    body: [
      u32("levelCount"),
      u32("attempt"),
      ...id64("updateId", "lastUpdateId"),
      f64("reserved0"),
      f64("reserved1"),
    ],
  },
  {
    name: "SnapshotEnd",
    kind: 4,
    since: 1,
    doc: "Ends a snapshot; carries END_OF_EVENT.",
    body: [
      u32("levelCount"),
      u32("attempt"),
      ...id64("updateId", "lastUpdateId"),
      f64("reserved0"),
      f64("reserved1"),
    ],
  },
  {
    name: "Trade",
    kind: 5,
    since: 1,
    doc: "One public trade.",
    body: [
      f64("pxTicks"),
      f64("qtyLots"),
      i32("side", "aggressor: +1 buy, -1 sell"),
      u32("tradeType", "0 market, 1 other (insurance fund, ADL)"),
      ...id64("tradeId", "venue trade id"),
    ],
  },
  {
    name: "Bbo",
    kind: 6,
    since: 1,
    doc: "Best bid and offer; an empty side has NaN price and 0 quantity.",
    body: [f64("bidPxTicks"), f64("bidQtyLots"), f64("askPxTicks"), f64("askQtyLots")],
  },
  {
    name: "BookStats",
    kind: 7,
    since: 1,
    doc: "Book statistics at the configured depth.",
    body: [f64("midTicks", "half-integer"), f64("spreadTicks"), f64("bidDepthLots"), f64("askDepthLots")],
  },
  {
    name: "MarkPrice",
    kind: 8,
    since: 1,
    doc: "Mark and index price, funding rate, in 1e-8 units.",
    body: [f64("markPxE8"), f64("indexPxE8"), f64("fundingRateE8"), f64("nextFundingTsNs")],
  },
  {
    name: "Funding",
    kind: 9,
    since: 1,
    doc: "A funding payment booked by the venue.",
    body: [
      f64("amountE8", "1e-8 of the asset; + received"),
      f64("walletE8"),
      u32("asset"),
      u32("reason"),
      ...id64("transaction", "venue transaction id"),
    ],
  },
  {
    name: "Balance",
    kind: 10,
    since: 1,
    doc: "Wallet balance after an account update, in 1e-8 of the asset.",
    body: [f64("walletE8"), f64("availableE8"), f64("changeE8"), u32("asset"), u32("reason")],
  },
  {
    name: "FeedStatus",
    kind: 11,
    since: 1,
    doc: "State of one instrument's market-data feed.",
    body: [
      u32("state", "FeedState"),
      u32("reason", "FeedReason"),
      u32("gaps"),
      u32("resyncs"),
      ...id64("updateId", "last applied update id"),
      f64("lagNs", "receive time − exchange time, clock offset included"),
    ],
  },
  {
    name: "Signal",
    kind: 12,
    since: 1,
    doc: "Up to three consecutive factor outputs; the last Signal of an event carries END_OF_EVENT.",
    body: [u32("firstIndex"), u32("count", "1..3"), f64("value0"), f64("value1"), f64("value2")],
  },
  {
    name: "OrderSent",
    kind: 13,
    since: 1,
    doc: "A request left for the venue; exchTsNs is the venue's time of the market event that led to it. Continued by OrderStamps.",
    body: [
      u32("clientSeq", "counter part of the client order id"),
      u8("action", "OrderAction"),
      u8("side", "1 buy, 2 sell"),
      u8("tif", "Tif"),
      u8("orderType", "OrderType"),
      f64("pxTicks"),
      f64("qtyLots"),
      f64("triggerTsNs", "receive time of the record that led to it"),
    ],
  },
  {
    name: "OrderStamps",
    kind: 14,
    since: 1,
    doc: "Continuation of OrderSent: times at each stage, mid at decision.",
    body: [f64("decidedTsNs"), f64("gatedTsNs"), f64("sentTsNs"), f64("midTicks")],
  },
  {
    name: "OrderReport",
    kind: 15,
    since: 1,
    doc: "What the venue (or a proof) says of an order. Continued by OrderReportDetail.",
    body: [
      u32("clientSeq", "0 = not an order of this session"),
      u8("execType", "ExecType"),
      u8("orderState", "OrderState after the report, as the venue states it"),
      u8("source", "ReportSource"),
      u8("side", "1 buy, 2 sell"),
      f64("pxTicks"),
      f64("qtyLots"),
      f64("cumQtyLots"),
    ],
  },
  {
    name: "OrderReportDetail",
    kind: 16,
    since: 1,
    doc: "Continuation of OrderReport.",
    body: [
      ...id64("venueOrderId", "venue order id"),
      ...id64("clientNonce", "session nonce part of the client order id; 0 = not a hotlane order"),
      i32("rejectCode", "venue error code, 0 = none"),
      u32("requestAction", "OrderAction the report answers; 0 = none"),
      f64("ackTsNs", "venue's transaction time, ns since base"),
    ],
  },
  {
    name: "Fill",
    kind: 17,
    since: 1,
    doc: "One execution of an own order. Continued by FillDetail.",
    body: [
      u32("clientSeq", "0 = not an order of this session"),
      u8("side", "1 buy, 2 sell"),
      u8("maker", "1 maker, 0 taker"),
      u8("source", "ReportSource"),
      u8("feeAsset", "asset id; equal to the instrument's settlement asset unless paid in another"),
      f64("pxTicks"),
      f64("qtyLots"),
      ...id64("tradeId", "venue trade id"),
    ],
  },
  {
    name: "FillDetail",
    kind: 18,
    since: 1,
    doc: "Continuation of Fill.",
    body: [
      ...id64("venueOrderId", "venue order id"),
      ...id64("clientNonce", "session nonce part of the client order id; 0 = not a hotlane order"),
      f64("feeE8", "1e-8 of the fee asset; + paid, − rebate"),
      f64("midAtFillTicks", "NaN when unknown"),
    ],
  },
  {
    name: "Position",
    kind: 19,
    since: 1,
    doc: "Position of (strategy, instrument). Continued by PositionDetail.",
    body: [
      f64("qtyLots", "signed"),
      f64("costTickLots", "signed cost of the open quantity"),
      f64("realizedHi"),
      f64("realizedLo"),
    ],
  },
  {
    name: "PositionDetail",
    kind: 20,
    since: 1,
    doc: "Continuation of Position. Two-limb sums: see core/two-limb.ts.",
    body: [f64("feesHi", "1e-8 tick·lots"), f64("feesLo"), f64("unrealizedTickLots"), f64("markTicks")],
  },
  {
    name: "RiskDenied",
    kind: 21,
    since: 1,
    doc: "The gate refused a request.",
    body: [
      u32("denyCode", "DenyCode"),
      u8("action", "OrderAction"),
      u8("side", "1 buy, 2 sell"),
      u8("reserved0"),
      u8("reserved1"),
      f64("pxTicks"),
      f64("qtyLots"),
      f64("observed", "the value that broke the limit"),
    ],
  },
  {
    name: "Control",
    kind: 22,
    since: 1,
    doc: "A command to a lane; `textLength` bytes of who/why follow in Text continuations.",
    body: [
      u32("code", "ControlCode"),
      u32("commandId"),
      u32("target", "strategy id, 0 = all"),
      u32("textLength"),
      f64("arg0"),
      f64("arg1"),
    ],
  },
  {
    name: "ControlReply",
    kind: 23,
    since: 1,
    doc: "Answer to a Control.",
    body: [
      u32("code", "ControlCode"),
      u32("commandId"),
      u32("result", "0 = done"),
      u32("state", "StrategyState"),
      f64("arg0"),
      f64("arg1"),
    ],
  },
  {
    name: "Alpha",
    kind: 24,
    since: 1,
    doc: "An external signal as it took effect.",
    body: [u32("signalIndex"), u32("source"), f64("value"), f64("ageNs"), f64("reserved0")],
  },
  {
    name: "Timer",
    kind: 25,
    since: 1,
    doc: "A timer as it took effect; logic has no other clock.",
    body: [u32("timerId"), u32("reserved0"), f64("intervalNs"), f64("scheduledTsNs"), f64("reserved1")],
  },
  {
    name: "ClockSync",
    kind: 26,
    since: 1,
    doc: "Once a second: real-time and venue clock against the session clock.",
    body: [f64("realtimeOffsetNs"), f64("venueOffsetNs"), f64("roundTripNs"), f64("reserved0")],
  },
  {
    name: "StrategyStatus",
    kind: 27,
    since: 1,
    doc: "A strategy changed state.",
    body: [
      u32("state", "StrategyState"),
      u32("previousState"),
      u32("reason"),
      u32("workingOrders"),
      f64("reserved0"),
      f64("reserved1"),
    ],
  },
  {
    name: "Gap",
    kind: 28,
    since: 1,
    doc: "Records that did not fit and are missing from this stream.",
    body: [
      u32("firstSequence"),
      u32("lostCount"),
      u32("stream"),
      u32("reason"),
      f64("reserved0"),
      f64("reserved1"),
    ],
  },
  {
    name: "Text",
    kind: 29,
    since: 1,
    doc: "32 bytes of UTF-8, zero padded; the continuation of Control and LogLine.",
    body: [{ name: "bytes", type: "text", bytes: 32 }],
  },
  {
    name: "LogLine",
    kind: 30,
    since: 1,
    doc: "A structured log line from a lane; the message follows in Text continuations.",
    body: [
      u32("level", "10 trace … 60 fatal (pino)"),
      u32("code", "LogCode"),
      u32("lane"),
      u32("textLength"),
      f64("arg0"),
      f64("arg1"),
    ],
  },
  {
    name: "Observation",
    kind: 31,
    since: 1,
    doc: "An asynchronous value as logic first saw it (kill word, limiter state).",
    body: [u32("code", "ObservationCode"), u32("reserved0"), f64("value0"), f64("value1"), f64("value2")],
  },
  {
    name: "RiskState",
    kind: 32,
    since: 1,
    doc: "What a restart takes over of limits and results; the last one per (code, strategy, instrument, index) holds.",
    body: [
      u32("code", "RiskStateCode"),
      u32("index", "asset id of other fees; else 0"),
      f64("value0"),
      f64("value1"),
      f64("value2"),
    ],
  },
  {
    name: "LatencyBucket",
    kind: 33,
    since: 1,
    doc: "What one bucket of a lane's latency histogram gained since the last snapshot; the last carries END_OF_EVENT.",
    body: [
      u32("histogram", "index in the manifest's latencyStages"),
      u32("bucket", "bucket number: see core/histogram.ts"),
      f64("count"),
      f64("lowNs", "inclusive"),
      f64("highNs", "exclusive"),
    ],
  },
  {
    name: "DepthRun",
    kind: 48,
    since: 1,
    doc: "Neighbouring levels of one venue message, packed: `count` pairs of f64 (ticks, lots) follow in slots without headers. Only in a lane's ring to WRITER, which writes a DepthDelta for each.",
    body: [
      u32("bidCount", "of these levels, the first"),
      u32("count", "levels that follow"),
      u32("levelCount", "levels of the whole venue message"),
      ...id64("updateId", "final update id of the venue message"),
      u32("reserved0"),
      f64("reserved1"),
    ],
  },
];
