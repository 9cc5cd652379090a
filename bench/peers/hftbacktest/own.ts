// Our side of the comparison with hftbacktest: the same commands as peer.py. `runOwn` is one run; as a program it
// answers command lines, so that both sides are processes that have run the same thing before.
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { runSimpleMm } from "../../../src/backtest/parity/simple-mm.ts";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import type { EventSource } from "../../../src/data/row-blocks.ts";
import { runDefault } from "./own-default.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";

export type Mode = "replay" | "maker";
export type Book = "hash" | "roi";

export interface OwnRun {
  readonly seconds: number;
  readonly checksum: number;
}

export function runOwn(mode: Mode, book: Book, data: EventSource): OwnRun {
  const started = performance.now();
  const hbt = new CompatBacktest([
    {
      data: [data],
      tickSize: 0.1,
      lotSize: 0.001,
      book,
      roi: [55_000, 70_000],
      queueModel: "power",
      queueParameter: 2,
      latency: constantLatency(10_000_000, 10_000_000),
      makerFee: -5e-5,
      takerFee: 7e-4,
    },
  ]);
  let steps = 0;
  if (mode === "replay") hbt.gotoEnd();
  else runSimpleMm(hbt, { half: 1, skew: 0.5, q: 0.001, maxp: 0.01 }, () => steps++);
  const seconds = (performance.now() - started) / 1000;
  const values = hbt.stateValues(0);
  const depth = hbt.depth(0);
  const ticks = depth.bestBidTick + depth.bestAskTick;
  hbt.close();
  return { seconds, checksum: steps + values.numTrades * 1000 + ticks + roundHalfEven(values.balance * 1e6) };
}

/** Python's round. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest === 0.5 ? low + (low % 2) : Math.round(x);
}

const loaded = new Map<string, Uint8Array>();

function rowsOf(file: string): Uint8Array {
  let rows = loaded.get(file);
  if (rows === undefined) {
    rows = loadRows(file, EVENT_FIELDS).bytes;
    loaded.set(file, rows);
  }
  return rows;
}

/** VmHWM, not ru_maxrss: that one still counts the parent's pages from before exec. */
async function residentMb(): Promise<number> {
  const status = await Bun.file("/proc/self/status").text();
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

if (import.meta.main) {
  for await (const line of console) {
    if (line === "") continue;
    const [mode, book, source, file, rows, engine] = line.split(" ") as [Mode, Book, ...string[]];
    const data = source === "memory" ? rowsOf(file!) : file!;
    const { seconds, checksum } = engine === "default" ? runDefault(mode, data) : runOwn(mode, book, data);
    console.log(JSON.stringify({ perSecond: Number(rows) / seconds, checksum, rssMb: await residentMb() }));
  }
}
