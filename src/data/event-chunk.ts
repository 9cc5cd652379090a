// Event rows decoded once into columns, for two readers: the exchange side and the local side of a backtest each
// walk the same chunks with their own cursor. A chunk goes back to the pool when both have left it.

export const CHUNK_ROWS = 1024;

/** What a row does, in the low 4 bits of `code`. */
export const OP_NONE = 0;
export const OP_BID = 1;
export const OP_ASK = 2;
export const OP_TRADE_BUY = 3;
export const OP_TRADE_SELL = 4;
/** A trade without a side: seen by the trader, ignored by the exchange. */
export const OP_TRADE_NO_SIDE = 5;
export const OP_CLEAR_BID = 6;
export const OP_CLEAR_ASK = 7;
export const OP_CLEAR_BOTH = 8;
/** Market by order: the row changes or fills the order that idHi, idLo name. Only of a feed that keeps orders. */
export const OP_ORDER = 9;
export const OP_MASK = 15;

export const isTradeOp = (op: number): boolean =>
  op === OP_TRADE_BUY || op === OP_TRADE_SELL || op === OP_TRADE_NO_SIDE;
/** round(qty / lot_size) > 0. Neither LOT bit: it is negative. */
export const LOT_POSITIVE = 16;
/** round(qty / lot_size) = 0. */
export const LOT_ZERO = 32;
/** Sides of a group: local, at local_ts; exchange, at exch_ts. */
export const AT_LOCAL = 1;
export const AT_EXCH = 2;

/**
 * Rows come in groups of equal (exch_ts, local_ts, ev): mostly the levels of one side of a message. Group g holds
 * rows groupStart[g] … groupStart[g + 1] − 1.
 */
export class EventChunk {
  rows = 0;
  groups = 0;
  /** OP_… | LOT_…. */
  readonly code = new Int32Array(CHUNK_ROWS);
  /** Price in ticks; for OP_ASK its negative (book sides share one key order: higher = better). */
  readonly key = new Int32Array(CHUNK_ROWS);
  /** Ticks of row i at 2i and its quantity behind them, in the feed's unit: what L2Book.applyRun reads. */
  readonly levels = new Float64Array(2 * CHUNK_ROWS);
  /** Price of rows that are no levels; of levels undefined. */
  readonly px = new Float64Array(CHUNK_ROWS);
  /** Order ids; null: the feed does not keep orders. */
  idHi: Int32Array | null = null;
  idLo: Int32Array | null = null;
  readonly groupStart = new Int32Array(CHUNK_ROWS + 1);
  /** The low 32 bits of ev, and the OP_… that they mean. */
  readonly groupEv = new Int32Array(CHUNK_ROWS);
  readonly groupOp = new Int32Array(CHUNK_ROWS);
  /** AT_… bits; 0: the rows belong to nobody. */
  readonly groupSides = new Int32Array(CHUNK_ROWS);
  /** ns since the feed's base. */
  readonly groupExchTs = new Float64Array(CHUNK_ROWS);
  readonly groupLocalTs = new Float64Array(CHUNK_ROWS);
  /** The chunk that follows, once it is decoded. */
  next: EventChunk | null = null;
  /** How many readers have not left this chunk yet. */
  readers = 0;
}
