// The BTCUSDT capture as message bytes in memory: what a transport would hand over, in arrival order.
import { join } from "node:path";
import { readCapture } from "../../src/data/capture.ts";

export const CAPTURE = join(import.meta.dir, "../../src/data/captures/binance-usdm-btcusdt-20240808.gz");

export const CAPTURED_DEPTH = 1;
export const CAPTURED_TRADE = 2;
export const CAPTURED_TICKER = 3;

/** Messages that follow the REST snapshot, and what the book starts from. */
export interface CaptureMessages {
  readonly bytes: readonly Uint8Array[];
  /** CAPTURED_… */
  readonly kind: Uint8Array;
  /** Unix receive time, ns since `baseNs`. */
  readonly recvNs: Float64Array;
  /** Trades: price in ticks of 0.1, else 0. */
  readonly tradePxTicks: Float64Array;
  /** Depth messages that arrived before the snapshot: they are buffered. */
  readonly early: readonly { readonly bytes: Uint8Array; readonly recvNs: number }[];
  readonly snapshot: Uint8Array;
  readonly snapshotNs: number;
  /** 00:00 UTC of the capture's day, ns since the epoch. */
  readonly baseNs: bigint;
}

const KINDS: readonly [text: string, kind: number][] = [
  ['"depthUpdate"', CAPTURED_DEPTH],
  ['"trade"', CAPTURED_TRADE],
  ['"bookTicker"', CAPTURED_TICKER],
];
const HEAD_BYTES = 120;

/** `limit`: messages after the snapshot; bookTickers are left out unless wanted. */
export async function loadCaptureMessages(
  limit = Number.POSITIVE_INFINITY,
  tickers = false,
): Promise<CaptureMessages> {
  const early: { bytes: Uint8Array; recvNs: number }[] = [];
  const rows: { bytes: Uint8Array; recvNs: number; kind: number }[] = [];
  let snapshot: Uint8Array | null = null;
  let snapshotNs = 0;
  let baseNs = 0n;
  const decoder = new TextDecoder();
  for await (const line of readCapture(CAPTURE)) {
    if (rows.length >= limit) break;
    if (baseNs === 0n) baseNs = line.recvUnixNs - (line.recvUnixNs % 86_400_000_000_000n);
    const recvNs = Number(line.recvUnixNs - baseNs);
    const bytes = Uint8Array.from(line.bytes);
    const head = decoder.decode(bytes.subarray(0, HEAD_BYTES));
    const kind = KINDS.find(([text]) => head.includes(text))?.[1] ?? 0;
    if (kind === 0) {
      snapshot = bytes;
      snapshotNs = recvNs;
    } else if (snapshot === null) {
      if (kind === CAPTURED_DEPTH) early.push({ bytes, recvNs });
    } else if (tickers || kind !== CAPTURED_TICKER) rows.push({ bytes, recvNs, kind });
  }
  if (snapshot === null) throw new Error(`${CAPTURE}: no snapshot`);
  return {
    bytes: rows.map((r) => r.bytes),
    kind: Uint8Array.from(rows, (r) => r.kind),
    recvNs: Float64Array.from(rows, (r) => r.recvNs),
    tradePxTicks: Float64Array.from(rows, (r) => (r.kind === CAPTURED_TRADE ? priceTicks(r.bytes) : 0)),
    early,
    snapshot,
    snapshotNs,
    baseNs,
  };
}

function priceTicks(bytes: Uint8Array): number {
  const { data } = JSON.parse(new TextDecoder().decode(bytes)) as { data: { p: string } };
  return Math.round(Number(data.p) * 10);
}
