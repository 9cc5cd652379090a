// The one block of memory that lanes share. Laid out once at start by main, then only read as a map: names
// to byte offsets. Nothing else crosses lanes (postMessage is for start and stop).
//
//   0        4096       (each region starts on its own page)
//   | header | ring A | ring B | … | counters | histograms | board |
//
// Header (page 0): i32[0] magic, i32[1] layout version, i32[2] schema version, f64[2] base in ms since the
// epoch (an exact integer; the base is a whole day), f64[3] CLOCK_BOOTTIME anchor ns, f64[4] anchor in
// session ns, i32[10] stop word, i32[11] the writer lane's stop word, f64[6] and f64[7] supervision
// (lane/supervision.ts).
import { assert } from "../core/assert.ts";
import { makeTimeBase, type TimeBase } from "../core/clock.ts";

export const PAGE_BYTES = 4096;
const MAGIC = 0x484f544c; // "HOTL"
const LAYOUT_VERSION = 1;
/** Element index of the stop word in the arena's Int32Array: 0 run, 1 stop. */
export const STOP_WORD_I32 = 10;
/** The writer lane's own stop word: it ends after the lanes whose records it drains. */
export const WRITER_STOP_WORD_I32 = 11;

/** Element indices in the arena's Float64Array: see lane/supervision.ts. */
export const MAIN_BEAT_F64 = 6;
export const GUARDED_UNTIL_F64 = 7;

export interface Region {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface ArenaMap {
  readonly bytes: number;
  readonly regions: readonly Region[];
}

const pageAligned = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** Adds regions one after another; `build` fixes the size. */
export class ArenaPlan {
  private readonly regions: Region[] = [];
  private next = PAGE_BYTES;

  reserve(name: string, bytes: number): Region {
    assert(bytes > 0, "arena region must have a size");
    assert(!this.regions.some((r) => r.name === name), "arena region name is taken");
    const region = { name, offset: this.next, bytes: pageAligned(bytes) };
    this.regions.push(region);
    this.next += region.bytes;
    return region;
  }

  map(): ArenaMap {
    return { bytes: this.next, regions: [...this.regions] };
  }
}

/** Allocates the arena and writes its header. Fixed size: growable buffers read 2.3 times slower (BUN.md). */
export function createArena(
  map: ArenaMap,
  schemaVersion: number,
  realtimeNs: bigint,
  bootNs: number,
): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(map.bytes);
  const i32 = new Int32Array(buffer, 0, 64);
  const f64 = new Float64Array(buffer, 0, 32);
  const base = makeTimeBase(realtimeNs, bootNs);
  i32[0] = MAGIC;
  i32[1] = LAYOUT_VERSION;
  i32[2] = schemaVersion;
  f64[2] = Number(base.baseNs / 1_000_000n);
  f64[3] = base.bootAnchorNs;
  f64[4] = base.anchorNs;
  return buffer;
}

/** Checks the header and returns the session's clocks. Throws InvariantError for foreign memory. */
export function openArena(arena: ArrayBufferLike, schemaVersion: number): TimeBase {
  const i32 = new Int32Array(arena, 0, 64);
  const f64 = new Float64Array(arena, 0, 32);
  assert(i32[0] === MAGIC, "not an arena");
  assert(i32[1] === LAYOUT_VERSION && i32[2] === schemaVersion, "arena of another version");
  return { baseNs: BigInt(f64[2]!) * 1_000_000n, bootAnchorNs: f64[3]!, anchorNs: f64[4]! };
}
