// The book that a market begins with, as hftbacktest's create_last_snapshot writes it: rows whose times do not count. They
// become one event of both sides just before the first row of the data. Cold.
import {
  EV_BUY,
  EV_EXCH,
  EV_LOCAL,
  EV_SELL,
  KIND_ADD_ORDER,
  KIND_DEPTH_SNAPSHOT,
} from "../../data/event-codes.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../../data/npy.ts";
import { loadRows } from "../../data/npz-file.ts";
import { type EventSource, openRowBlocks } from "../../data/row-blocks.ts";

/**
 * Rows to put before `data`. The side flag of a row decides, its kind does not, but that orders (`byOrder`) stay orders.
 * `latencyOffsetNs`: what the feed adds to local times. Throws DataFileError.
 */
export function snapshotRows(
  file: string,
  data: readonly EventSource[],
  byOrder: boolean,
  latencyOffsetNs: number,
): Uint8Array {
  const bytes = loadRows(file, EVENT_FIELDS).bytes.slice();
  const view = new DataView(bytes.buffer);
  const localTs = earliest(data) - 1n;
  // An offset may not bring the local time before the exchange's.
  const exchTs = localTs - BigInt(Math.max(0, -latencyOffsetNs) + (latencyOffsetNs === 0 ? 0 : 1));
  for (let at = 0; at < bytes.length; at += EVENT_ROW_BYTES) {
    const ev = view.getUint32(at, true);
    const order = byOrder && (ev & 0xff) === KIND_ADD_ORDER;
    const kind = order ? KIND_ADD_ORDER : KIND_DEPTH_SNAPSHOT;
    const side = (ev & EV_BUY) !== 0 ? EV_BUY : (ev & EV_SELL) !== 0 ? EV_SELL : 0;
    view.setUint32(at, (kind | side | EV_EXCH | EV_LOCAL) >>> 0, true);
    view.setBigInt64(at + 8, exchTs, true);
    view.setBigInt64(at + 16, localTs, true);
  }
  return bytes;
}

/** The least time of either side in the first block of rows. */
function earliest(data: readonly EventSource[]): bigint {
  const blocks = openRowBlocks(data);
  try {
    const block = blocks.next();
    if (block === null) return 0n;
    const words = new BigInt64Array(block.i32.buffer, block.i32.byteOffset, block.i32.length / 2);
    let least = 2n ** 63n - 1n;
    for (let row = block.first; row < block.first + block.rows; row++) {
      const [exch, local] = [words[row * 8 + 1]!, words[row * 8 + 2]!];
      if (exch < least) least = exch;
      if (local < least) least = local;
    }
    return least;
  } finally {
    blocks.close();
  }
}
