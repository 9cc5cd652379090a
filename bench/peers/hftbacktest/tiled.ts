// The shared capture, converted and repeated `tiles` times behind one another in time: the data of the comparison.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { importBinance } from "../../../src/backtest/import/binance.ts";
import { EVENT_FIELDS, NPY_HEADER_MAX_BYTES, parseNpyHeader } from "../../../src/data/npy.ts";
import { writeRows } from "../../../src/data/npz-write.ts";

const CAPTURE = join(import.meta.dir, "../../../src/data/captures/binance-usdm-btcusdt-20240808.gz");
const DIR = join(import.meta.dir, "../../../var/peers/hftbacktest/data");
/** Between two repetitions. */
const GAP_NS = 10_000_000_000n;

export interface TiledFiles {
  readonly npz: string;
  readonly npy: string;
  readonly rows: number;
}

/** Makes the files on first use: about 70 bytes of disk per row. */
export async function tiledFiles(tiles: number): Promise<TiledFiles> {
  mkdirSync(DIR, { recursive: true });
  const npz = join(DIR, `btcusdt_x${tiles}.npz`);
  const npy = join(DIR, `btcusdt_x${tiles}.npy`);
  if (!existsSync(npz) || !existsSync(npy)) {
    const rows = tile((await importBinance(CAPTURE)).table.bytes, tiles);
    for (const file of [npz, npy]) {
      const part = file.replace(/\.np/, ".part.np");
      writeRows(part, EVENT_FIELDS, rows, 64);
      renameSync(part, file);
    }
  }
  const head = await Bun.file(npy).slice(0, NPY_HEADER_MAX_BYTES).bytes();
  return { npz, npy, rows: parseNpyHeader(head, npy).rows };
}

function tile(one: Uint8Array, tiles: number): Uint8Array {
  const source = new BigInt64Array(one.buffer, one.byteOffset, one.length / 8);
  let first = source[1]!;
  let last = source[2]!;
  for (let at = 0; at < source.length; at += 8) {
    if (source[at + 1]! < first) first = source[at + 1]!;
    if (source[at + 2]! > last) last = source[at + 2]!;
  }
  const step = last - first + GAP_NS;
  const out = new BigInt64Array(source.length * tiles);
  for (let t = 0; t < tiles; t++) {
    const base = t * source.length;
    out.set(source, base);
    const shift = step * BigInt(t);
    for (let at = base; at < base + source.length; at += 8) {
      out[at + 1] = out[at + 1]! + shift;
      out[at + 2] = out[at + 2]! + shift;
    }
  }
  return new Uint8Array(out.buffer);
}
