// Event rows under construction: a growing table of 64-byte rows, and hftbacktest's two corrections of recorded
// times (data/validation.py). Cold code; the whole table is in memory, because both corrections look at all of it.
import { DataFileError } from "./data-file-error.ts";
import { EV_EXCH, EV_LOCAL } from "./event-codes.ts";
import { EVENT_ROW_BYTES } from "./npy.ts";

/** Times within ±2^53 ns of the first row's are exact as f64 differences. */
const SPAN_MAX = 2n ** 53n;

export class EventTable {
  rows = 0;
  private buffer: ArrayBuffer;
  private i64: BigInt64Array;
  private f64: Float64Array;

  constructor(capacity = 4096) {
    this.buffer = new ArrayBuffer(capacity * EVENT_ROW_BYTES);
    this.i64 = new BigInt64Array(this.buffer);
    this.f64 = new Float64Array(this.buffer);
  }

  /** Takes over existing rows (copied). */
  static from(bytes: Uint8Array): EventTable {
    const table = new EventTable(Math.max(1, bytes.length / EVENT_ROW_BYTES));
    new Uint8Array(table.buffer).set(bytes);
    table.rows = bytes.length / EVENT_ROW_BYTES;
    return table;
  }

  /** `orderId`: unsigned 64 bits; `ival`: what a converter adds. */
  append(
    ev: number,
    exchTs: bigint,
    localTs: bigint,
    px: number,
    qty: number,
    orderId = 0n,
    ival = 0n,
  ): void {
    if (this.rows * EVENT_ROW_BYTES === this.buffer.byteLength) this.grow();
    const at = this.rows * 8;
    this.i64[at] = BigInt(ev >>> 0);
    this.i64[at + 1] = exchTs;
    this.i64[at + 2] = localTs;
    this.f64[at + 3] = px;
    this.f64[at + 4] = qty;
    this.i64[at + 5] = BigInt.asIntN(64, orderId);
    this.i64[at + 6] = ival;
    this.rows++;
  }

  /** The rows as they are in a file. A view. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, 0, this.rows * EVENT_ROW_BYTES);
  }

  exchTs(row: number): bigint {
    return this.i64[row * 8 + 1]!;
  }

  localTs(row: number): bigint {
    return this.i64[row * 8 + 2]!;
  }

  /** Row that belongs to one side only, −1 when there is none: such a table was corrected already. */
  firstOneSidedRow(): number {
    const both = BigInt(EV_EXCH + EV_LOCAL);
    for (let row = 0; row < this.rows; row++) {
      const sides = this.i64[row * 8]! & both;
      if (sides !== 0n && sides !== both) return row;
    }
    return -1;
  }

  /**
   * correct_local_timestamp: when some row was received before its exchange time, the recorder's clock was slow;
   * all local times move by that much and `baseLatencyNs`. Returns the shift in ns (0: nothing to do).
   */
  correctLocalTimestamps(baseLatencyNs = 0n): bigint {
    let least = 0n;
    for (let row = 0; row < this.rows; row++) {
      const latency = this.localTs(row) - this.exchTs(row);
      if (latency < least) least = latency;
    }
    if (least === 0n) return 0n;
    const shift = -least + baseLatencyNs;
    for (let row = 0; row < this.rows; row++) this.i64[row * 8 + 2] = this.localTs(row) + shift;
    return shift;
  }

  /**
   * correct_event_order: rows sorted by exchange time and by local time are merged. A row that heads both lists
   * becomes one event of both sides, otherwise each side gets its own copy. Returns the new table.
   */
  correctEventOrder(): EventTable {
    const exch = this.relative(1, "exch_ts");
    const local = this.relative(2, "local_ts");
    const byExch = stableOrder(exch);
    const byLocal = stableOrder(local);
    const out = new EventTable(Math.max(1, this.rows * 2));
    const { rows } = this;
    let e = 0;
    let l = 0;
    while (e < rows || l < rows) {
      const x = e < rows ? byExch[e]! : -1;
      const y = l < rows ? byLocal[l]! : -1;
      if (x >= 0 && y >= 0 && exch[x] === exch[y] && local[x] === local[y]) {
        out.copyRow(this, x, EV_EXCH | EV_LOCAL);
        e++;
        l++;
      } else if (x >= 0 && (y < 0 || exch[x]! < exch[y]! || (exch[x] === exch[y] && local[x]! < local[y]!))) {
        out.copyRow(this, x, EV_EXCH);
        e++;
      } else {
        out.copyRow(this, y, EV_LOCAL);
        l++;
      }
    }
    return out;
  }

  private copyRow(from: EventTable, row: number, flags: number): void {
    const at = this.rows * 8;
    for (let i = 0; i < 8; i++) this.i64[at + i] = from.i64[row * 8 + i]!;
    this.i64[at] = this.i64[at]! | BigInt(flags >>> 0);
    this.rows++;
  }

  private relative(column: number, name: string): Float64Array {
    const times = new Float64Array(this.rows);
    const first = this.rows > 0 ? this.i64[column]! : 0n;
    for (let row = 0; row < this.rows; row++) {
      const distance = this.i64[row * 8 + column]! - first;
      if (distance > SPAN_MAX || distance < -SPAN_MAX) {
        throw new DataFileError("rows", row, `${name} is more than 104 days from the first row's`);
      }
      times[row] = Number(distance);
    }
    return times;
  }

  private grow(): void {
    const bytes = new Uint8Array(this.buffer.byteLength * 2);
    bytes.set(new Uint8Array(this.buffer));
    this.buffer = bytes.buffer;
    this.i64 = new BigInt64Array(this.buffer);
    this.f64 = new Float64Array(this.buffer);
  }
}

/** Row numbers in the order of `times`, equal times in row order. Recorded rows are nearly sorted. */
function stableOrder(times: Float64Array): Uint32Array {
  const order = Uint32Array.from(times, (_, i) => i);
  let sorted = true;
  for (let i = 1; i < times.length && sorted; i++) sorted = times[i - 1]! <= times[i]!;
  return sorted ? order : order.sort((a, b) => times[a]! - times[b]! || a - b);
}
