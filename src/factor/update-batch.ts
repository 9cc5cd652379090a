// Runs a program over event rows: `updateBatch` in one call, or piecewise for a progress display. Cold set-up.
import { type EventSource, openRowBlocks } from "../data/row-blocks.ts";
import { ColumnSink, type ColumnsHandler } from "./batch.ts";
import type { ContextConfig } from "./context.ts";
import { type FactorState, makeFactorState } from "./factor-state.ts";
import { FactorHandler } from "./handler.ts";
import { MergedSource } from "./merged-source.ts";
import type { Program } from "./program.ts";

const BLOCK_ROWS = 8192;

/** One instrument's rows and steps. */
export interface BatchInstrument {
  readonly symbol: string;
  /** Decimal strings. */
  readonly tickSize: string;
  readonly lotSize: string;
  readonly sources: readonly EventSource[];
}

export interface BatchOptions {
  /** Decimal strings. */
  readonly tickSize: string;
  readonly lotSize: string;
  readonly symbol?: string;
  /** Further instruments that the graph reads. */
  readonly others?: readonly BatchInstrument[];
  readonly context?: Partial<ContextConfig>;
  readonly interpret?: boolean;
}

export interface BatchRun {
  readonly state: FactorState;
  readonly handler: FactorHandler;
  readonly baseNs: bigint;
  /** Reads about `rows` more rows; false at the end, after the last columns were handed over. */
  step(rows: number): boolean;
  /** Rows read so far. */
  rowsRead(): number;
  /** Market-by-order rows that changed nothing: their order was there already, or was not there. */
  badIds(): number;
  close(): void;
}

/**
 * `sources`: rows of the instrument that the graph runs on. Throws DataFileError, or RangeError when the program reads an
 * instrument that is not given.
 */
export function openBatch(
  program: Program,
  sources: readonly EventSource[],
  options: BatchOptions,
  onColumns: ColumnsHandler,
): BatchRun {
  const { tickSize, lotSize, symbol = "data", others = [] } = options;
  const instruments = [{ symbol, tickSize, lotSize, sources }, ...others].map((i, k) => ({
    ...i,
    id: k + 1,
  }));
  const source = new MergedSource(
    instruments.map((i) => ({
      blocks: openRowBlocks(i.sources),
      options: { instrument: i.id, tickSize: Number(i.tickSize), lotSize: Number(i.lotSize) },
    })),
  );
  const state = makeFactorState({
    instruments: instruments.map((i) => ({
      id: i.id,
      symbol: i.symbol,
      tickSize: i.tickSize,
      lotSize: i.lotSize,
    })),
    graphs: [{ name: program.name, program, instrument: 1 }],
    ...(options.context === undefined ? {} : { context: options.context }),
  });
  const sink = new ColumnSink(program.outputs.length, BLOCK_ROWS, onColumns);
  const handler = new FactorHandler({
    state,
    sink,
    baseNs: source.baseNs,
    assumeSynced: true,
    interpret: options.interpret === true,
  });
  const step = (rows: number): boolean => {
    if (source.pump(handler, rows)) return true;
    handler.finish();
    sink.flush();
    return false;
  };
  return {
    state,
    handler,
    baseNs: source.baseNs,
    step,
    rowsRead: () => source.rows,
    badIds: () => source.badIds,
    close: () => source.close(),
  };
}

export interface BatchColumns {
  /** ns since the Unix epoch. */
  readonly timestamp: BigInt64Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** Every output at every trigger, in memory. */
export function updateBatch(
  program: Program,
  sources: readonly EventSource[],
  options: BatchOptions,
): BatchColumns {
  const times: number[] = [];
  const values: number[][] = program.outputs.map(() => []);
  const run = openBatch(program, sources, options, (rows, ts, columns) => {
    for (let i = 0; i < rows; i++) times.push(ts[i]!);
    columns.forEach((column, k) => {
      for (let i = 0; i < rows; i++) values[k]!.push(column[i]!);
    });
  });
  while (run.step(1 << 20));
  run.close();
  return {
    timestamp: BigInt64Array.from(times, (t) => run.baseNs + BigInt(t)),
    columns: Object.fromEntries(program.outputs.map((o, k) => [o.name, Float64Array.from(values[k]!)])),
  };
}
