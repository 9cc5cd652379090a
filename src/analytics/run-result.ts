// What a run yields, whatever ran it (a backtest in either mode, a recorded session): state series, orders and fills
// as columns of doubles. Metrics, csv, parquet, report and sweep read this and nothing else of a run.
//
// Times are ns since `baseNs` (exact in a double), NaN = did not happen. Prices and quantities of orders and fills
// are ticks and lots (multiply by the instrument's tickSize, lotSize); states are in units: price in quote,
// position in base (contracts for inverse assets), money in `currency`. Sides are +1 buy, −1 sell.

export interface ResultInstrument {
  /** Index in `RunResult.instruments`; the `instrument` column of every table. */
  readonly index: number;
  readonly symbol: string;
  /** Settlement currency of balance, fee and equity. */
  readonly currency: string;
  readonly tickSize: number;
  readonly lotSize: number;
  readonly contractSize: number;
  readonly kind: "linear" | "inverse";
}

/** One row per sample and instrument, in the order of time. */
export const STATE_COLUMNS = [
  "tsNs",
  "instrument",
  /** Mid price; NaN while a side is empty. */
  "mid",
  "position",
  /** Cash: −Σ side · value (inverse: as hftbacktest); equity = balance + position · mid · contractSize − fee + funding. */
  "balance",
  /** Paid so far; negative = rebates. */
  "fee",
  /** Received − paid so far. */
  "funding",
  "numTrades",
  /** Base units (contracts) traded. */
  "tradingVolume",
  /** Traded value in `currency`. */
  "tradingValue",
  /** Value of the account at `mid`, start balance not included. */
  "equity",
] as const;

/** One row per order, in the order of the requests. */
export const ORDER_COLUMNS = [
  "instrument",
  /** Strategy id from 1 (index in `strategies` + 1). */
  "strategy",
  "orderId",
  "side",
  /** ORDER_TYPE_… of src/wire/codes.ts. */
  "type",
  /** TIF_… */
  "tif",
  /** As first requested; NaN for market orders. */
  "pxTicks",
  "qtyLots",
  /** Request left the strategy's side · reached the exchange · its answer came back. */
  "requestTsNs",
  "exchTsNs",
  "responseTsNs",
  /** Exchange time of the last transition; NaN while working. */
  "endTsNs",
  /** ORDER_… state at the end of the run. */
  "state",
  "filledLots",
  /** Modifications that the exchange accepted. */
  "amends",
  /** Venue's code of a refusal, 0 = none. */
  "rejectCode",
] as const;

/** Horizons of the mid columns after a fill, ns, in the order of mid100msTicks …. */
export const MARK_OUT_NS = [100e6, 1e9, 10e9] as const;

/** The columns of mids and how long after the fill each is taken, ns. */
export const MID_COLUMNS = ["mid0Ticks", "mid100msTicks", "mid1sTicks", "mid10sTicks"] as const;
export const MID_AFTER_NS = [0, ...MARK_OUT_NS] as const;

/** One row per execution, in the order of exchange time. */
export const FILL_COLUMNS = [
  "instrument",
  "strategy",
  "orderId",
  "side",
  "pxTicks",
  "qtyLots",
  /** 1 maker, 0 taker. */
  "maker",
  "exchTsNs",
  /** When the strategy's side learned of it. */
  "localTsNs",
  /** In `currency`; negative = rebate. */
  "fee",
  /** Exchange time of the fill − when the order began to rest at its price; NaN for takers. */
  "queueWaitNs",
  /**
   * Mid price in ticks at the fill's exchange time, and after: a backtest's by the exchange's clock, a session's as it
   * was seen. NaN: beyond the data.
   */
  ...MID_COLUMNS,
] as const;

export type StateColumn = (typeof STATE_COLUMNS)[number];
export type OrderColumn = (typeof ORDER_COLUMNS)[number];
export type FillColumn = (typeof FILL_COLUMNS)[number];

const FIRST_ROWS = 1024;

/** Rows of named doubles; grows by doubling. `at(column)[row]` for row < rows. */
export class ColumnTable<C extends string> {
  readonly names: readonly C[];
  rows = 0;
  private capacity = FIRST_ROWS;
  private columns: Float64Array[];

  constructor(names: readonly C[]) {
    this.names = names;
    this.columns = names.map(() => new Float64Array(FIRST_ROWS).fill(Number.NaN));
  }

  /** Adds a row of NaN and returns its number. */
  add(): number {
    if (this.rows === this.capacity) this.grow();
    return this.rows++;
  }

  /** Valid until the table grows: look it up again after add(). */
  at(name: C): Float64Array {
    return this.columns[this.names.indexOf(name)]!;
  }

  /** By place in `names`; for writers. */
  set(row: number, column: number, value: number): void {
    this.columns[column]![row] = value;
  }

  get(row: number, column: number): number {
    return this.columns[column]![row]!;
  }

  /** Exactly the rows that are there. */
  values(name: C): Float64Array {
    return this.at(name).subarray(0, this.rows);
  }

  private grow(): void {
    this.capacity *= 2;
    this.columns = this.columns.map((old) => {
      const column = new Float64Array(this.capacity).fill(Number.NaN, old.length);
      column.set(old);
      return column;
    });
  }
}

export type StateTable = ColumnTable<StateColumn>;
export type OrderTable = ColumnTable<OrderColumn>;
export type FillTable = ColumnTable<FillColumn>;

export interface RunResult {
  /** "default", "hftbacktest-2.4.4" or "session". */
  readonly mode: string;
  /** ns since the Unix epoch of time 0. */
  readonly baseNs: bigint;
  /** First and last instant of the run, ns since `baseNs`. */
  readonly startTsNs: number;
  readonly endTsNs: number;
  /** Event rows read, all instruments. */
  readonly rows: number;
  readonly instruments: readonly ResultInstrument[];
  readonly strategies: readonly string[];
  /** By currency. */
  readonly startBalance: Readonly<Record<string, number>>;
  readonly states: StateTable;
  readonly orders: OrderTable;
  readonly fills: FillTable;
  /** hftbacktest's return code of a compat run; null in default mode. */
  readonly returnCode: number | null;
  /** Why the run ended before its data: the fault in words, null when it did not. */
  readonly failure: string | null;
}

/** Empty tables. */
export function makeTables(): { states: StateTable; orders: OrderTable; fills: FillTable } {
  return {
    states: new ColumnTable(STATE_COLUMNS),
    orders: new ColumnTable(ORDER_COLUMNS),
    fills: new ColumnTable(FILL_COLUMNS),
  };
}
