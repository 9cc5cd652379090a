// `data import FORMAT …`: the formats and what they need.
import { importBinance } from "../backtest/import/binance.ts";
import { importDatabento } from "../backtest/import/databento.ts";
import { importHyperliquid } from "../backtest/import/hyperliquid.ts";
import type { ImportResult } from "../backtest/import/import-result.ts";
import { importTardis, type SnapshotMode } from "../backtest/import/tardis.ts";
import { importWal } from "../backtest/import/wal-market.ts";

export interface ImportOptions {
  readonly markPrice: boolean;
  readonly bookTicker: boolean;
  readonly baseLatencyNs: bigint;
  readonly symbol?: string;
  readonly snapshots: SnapshotMode;
}

interface Format {
  readonly about: string;
  /** Takes several files. */
  readonly several?: true;
  readonly run: (paths: readonly string[], options: ImportOptions) => ImportResult | Promise<ImportResult>;
}

export const IMPORT_FORMATS: Readonly<Record<string, Format>> = {
  "binance-usdm": {
    about: "raw capture of USD-M futures streams",
    run: ([path], options) => importBinance(path!, options),
  },
  "binance-spot": {
    about: "raw capture of spot streams",
    run: ([path], options) => importBinance(path!, options),
  },
  hyperliquid: {
    about: "raw capture of l2Book and trades of one coin",
    run: ([path], options) => importHyperliquid(path!, options),
  },
  tardis: {
    about: "trades, incremental_book_L2, book_snapshot_N, quotes as .csv or .csv.gz",
    several: true,
    run: importTardis,
  },
  databento: {
    about: "mbo (L3), mbp-1, mbp-10 or trades as .csv or .csv.gz",
    several: true,
    run: importDatabento,
  },
  wal: {
    about: "the folder of a write-ahead log: live sessions, bun run collect",
    run: ([dir], options) => importWal(dir!, options),
  },
};
