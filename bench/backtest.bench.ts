// The backtest, both modes, against hftbacktest 2.4.4 itself (PyPI, compiled once per process): the shared capture tiled
// to 5.4 M rows, replay and a market maker each 100 ms, rows in memory and the deflated file. Ratios required by
// the project: replay and maker at most 1/1.8 of its hash-map book's time and 1/1.2 of its range-of-interest
// book's, from deflate at most half. bench/peers/hftbacktest/table.ts prints the same with memory.
import { importBinance } from "../src/backtest/import/binance.ts";
import { buildPeer, Peer } from "./harness/peer.ts";
import { type Bench, type BenchSize, type Figures, type OpenBench, Unavailable } from "./harness.ts";
import { HFTBACKTEST } from "./peers/hftbacktest/build.ts";
import { type Book, type Mode, runOwn } from "./peers/hftbacktest/own.ts";
import { runDefault } from "./peers/hftbacktest/own-default.ts";
import { tiledFiles } from "./peers/hftbacktest/tiled.ts";

const TILES = 11;
const TINY_ROWS = 50_000;
const CAPTURE = new URL("../src/data/captures/binance-usdm-btcusdt-20240808.gz", import.meta.url).pathname;

interface Case {
  readonly mode: Mode;
  readonly book: Book;
  readonly source: "memory" | "file";
  readonly maxRatio: number;
}

const CASES: readonly Case[] = [
  { mode: "replay", book: "hash", source: "memory", maxRatio: 1 / 1.8 },
  { mode: "replay", book: "roi", source: "memory", maxRatio: 1 / 1.2 },
  { mode: "maker", book: "hash", source: "memory", maxRatio: 1 / 1.8 },
  { mode: "maker", book: "roi", source: "memory", maxRatio: 1 / 1.2 },
  { mode: "maker", book: "hash", source: "file", maxRatio: 1 / 2 },
];

/** The default mode has one book for all of theirs, and a maker behind gate and ledger: its results are its own. */
const ENGINES = ["compat", "default"] as const;
type Engine = (typeof ENGINES)[number];

const nameOf = (engine: Engine): string => (engine === "compat" ? "backtest" : "backtest.default");

export const benches: readonly Bench[] = ENGINES.flatMap((engine) =>
  CASES.map((c) => ({
    name: `${nameOf(engine)}.${c.mode}.${c.book}.${c.source}`,
    question: `ns per row: ${engine} mode, ${c.mode}, their ${c.book} book, rows from ${c.source === "file" ? "a deflated file" : "memory"}`,
    unit: "ns",
    compare: "perSecond",
    maxRatio: c.maxRatio,
    sameChecksum: engine === "compat",
    warmUpRounds: 1,
    open: (size: BenchSize) => open(engine, c, size),
  })),
);

async function open(engine: Engine, c: Case, size: BenchSize): Promise<OpenBench> {
  if (size === "tiny") return openTiny(engine, c);
  const missing = buildPeer(HFTBACKTEST, true);
  if (missing !== null) throw new Unavailable(missing);
  const files = await tiledFiles(TILES);
  const memory = c.source === "memory";
  const file = memory ? files.npy : files.npz;
  // The rows of a version 1.0 file begin at a multiple of 64.
  const bytes = memory ? new Uint8Array(await Bun.file(file).arrayBuffer()) : null;
  const data = bytes === null ? file : bytes.subarray(bytes.length - files.rows * 64);
  const peer = new Peer(HFTBACKTEST);
  return {
    own: { round: () => figuresOf(engine, c, data, files.rows) },
    reference: {
      name: "hftbacktest 2.4.4",
      round: () => peer.ask(`${c.mode} ${c.book} ${c.source} ${file} ${files.rows}`),
      close: () => peer.close(),
    },
  };
}

let tinyRows: Uint8Array | null = null;

/** The first rows of the capture, without a reference: that this bench runs is what the tests want to know. */
async function openTiny(engine: Engine, c: Case): Promise<OpenBench> {
  tinyRows ??= (await importBinance(CAPTURE)).table.bytes.slice(0, TINY_ROWS * 64);
  const rows = tinyRows;
  return {
    own: { round: () => figuresOf(engine, c, rows, TINY_ROWS) },
    reference: null,
    missing: "tiny size",
  };
}

function figuresOf(engine: Engine, c: Case, data: string | Uint8Array, rows: number): Figures {
  const { seconds, checksum } = engine === "compat" ? runOwn(c.mode, c.book, data) : runDefault(c.mode, data);
  const ns = (seconds * 1e9) / rows;
  return { p50: ns, p99: ns, p999: ns, perSecond: rows / seconds, checksum };
}
