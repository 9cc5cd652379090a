// What the tests of the Binance connector share: two instruments, the capture, a sink that keeps records.
import { join } from "node:path";
import {
  allocateRecordMemory,
  copyRecord,
  NO_SLOT,
  RECORD_BYTES,
  type RecordMemory,
  type RunSink,
} from "../../../../src/core/record.ts";
import type { Instrument } from "../../../../src/market/instrument.ts";

export const BTC: Instrument = {
  id: 1,
  venue: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.10",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 2,
  qtyDecimals: 3,
  minPxTicks: 5566,
  maxPxTicks: 45_292_940,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  minNotionalTickLots: 1_000_000,
  orderTickStep: 1,
  percentUpE8: 105_000_000,
  percentDownE8: 95_000_000,
  makerFeeE8: 20_000,
  takerFeeE8: 50_000,
  trading: true,
};

/** A tick that is not a power of ten: 0.05. */
export const SIM: Instrument = {
  ...BTC,
  id: 2,
  symbol: "SIMUSDT",
  base: "SIM",
  tickSize: "0.05",
  lotSize: "1",
};

export const INSTRUMENTS: readonly Instrument[] = [BTC, SIM];

export const CAPTURE = join(
  import.meta.dir,
  "../../../../src/data/captures/binance-usdm-btcusdt-20240808.gz",
);

/** Every message of the capture, as bytes without the receive time. */
export function captureMessages(): Uint8Array[] {
  return captureLines().map((line) => line.bytes);
}

export function captureLines(): { recvUnixNs: number; bytes: Uint8Array }[] {
  const all = Bun.gunzipSync(require("node:fs").readFileSync(CAPTURE)) as Uint8Array;
  const lines: { recvUnixNs: number; bytes: Uint8Array }[] = [];
  const decoder = new TextDecoder();
  for (let start = 0; start < all.length; ) {
    const newline = all.indexOf(10, start);
    const end = newline === -1 ? all.length : newline;
    if (end - start > 20) {
      lines.push({
        recvUnixNs: Number(decoder.decode(all.subarray(start, start + 19))),
        bytes: all.subarray(start + 20, end),
      });
    }
    start = end + 1;
  }
  return lines;
}

/** A sink that keeps the records of up to `capacity` published and unpublished records; `room` narrows it. */
export class CollectingSink implements RunSink {
  readonly memory: RecordMemory;
  readonly capacity: number;
  count = 0;
  runLength = 0;
  published = 0;
  publishes = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.memory = allocateRecordMemory(capacity);
  }

  hasRoom(count: number): boolean {
    return this.count + count <= this.capacity;
  }

  tryClaim(): number {
    return this.hasRoom(1) ? this.count * RECORD_BYTES : NO_SLOT;
  }

  commit(): void {
    this.count++;
  }

  /** At most 3 at a time, so that a message takes several runs. */
  tryClaimRun(count: number): number {
    this.runLength = Math.min(count, 3);
    return this.hasRoom(this.runLength) ? this.count * RECORD_BYTES : NO_SLOT;
  }

  commitRun(): void {
    this.count += this.runLength;
  }

  publish(): void {
    this.published = this.count;
    this.publishes++;
  }

  /** Forgets everything, as a consumer that has read all of it. */
  drain(): void {
    this.count = 0;
    this.published = 0;
  }

  /** A copy of the records, for tests that look at them later. */
  copy(): RecordMemory {
    const memory = allocateRecordMemory(this.count);
    for (let i = 0; i < this.count; i++) copyRecord(this.memory, i * RECORD_BYTES, memory, i * RECORD_BYTES);
    return memory;
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const id64 = (lo: number, hi: number): string => ((BigInt(hi) << 32n) | BigInt(lo)).toString();
