// Helper process of allocation.test.ts: drives the execution handler with both built-in strategies through a
// market that makes them place, move, cancel and fill, with drivers that allocate nothing themselves, and
// prints bytes per event: growth of the heap's capacity after a full collection, per slice of events, small
// enough that no collection starts inside. With "control" each event also makes one small object: the measure
// must see it.
import { heapStats } from "bun:jsc";
import { allocateRecordMemory, type RecordSink } from "../../../src/core/record.ts";
import { type OrderGateway, type OrderRequest, SEND_OK } from "../../../src/order/gateway.ts";
import { PrivateKillWord } from "../../../src/risk/kill-word.ts";
import obiMm from "../../../src/strategy/builtin/obi-mm.ts";
import tickMm from "../../../src/strategy/builtin/tick-mm.ts";
import { ExecutionHandler } from "../../../src/strategy/execution-handler.ts";
import * as codes from "../../../src/wire/codes.ts";
import * as wire from "../../../src/wire/messages.gen.ts";
import { instrument, RISK, TIMER_ID } from "./fake-venue.ts";

class NullSink implements RecordSink {
  readonly memory = allocateRecordMemory(64);
  hasRoom(): boolean {
    return true;
  }
  tryClaim(): number {
    return 0;
  }
  commit(): void {}
  publish(): void {}
}

/** Remembers requests in arrays; the driver answers them. */
class ArrayGateway implements OrderGateway {
  readonly ready = true;
  count = 0;
  readonly action = new Int32Array(1024);
  readonly seq = new Float64Array(1024);
  readonly id = new Int32Array(1024);
  readonly strategy = new Int32Array(1024);
  readonly side = new Int32Array(1024);
  readonly px = new Float64Array(1024);
  readonly qty = new Float64Array(1024);

  place(r: OrderRequest): number {
    return this.add(r, codes.ACTION_PLACE);
  }
  cancel(r: OrderRequest): number {
    return this.add(r, codes.ACTION_CANCEL);
  }
  modify(r: OrderRequest): number {
    return this.add(r, codes.ACTION_MODIFY);
  }
  reconcile(): void {}

  cancelAll(): number {
    return SEND_OK;
  }
  private add(r: OrderRequest, action: number): number {
    const i = this.count++;
    this.action[i] = action;
    this.seq[i] = r.clientSeq;
    this.id[i] = r.instrument;
    this.strategy[i] = r.strategy;
    this.side[i] = r.side;
    this.px[i] = r.pxTicks;
    this.qty[i] = r.qtyLots;
    return SEND_OK;
  }
}

const gateway = new ArrayGateway();
const sink = new NullSink();
const setup = { limits: {}, alphas: {} };
const handler = new ExecutionHandler({
  instruments: [instrument(1), instrument(2)],
  strategies: [
    {
      ...setup,
      name: "a",
      definition: obiMm,
      instruments: [1],
      params: {},
      signals: { alpha: 0, volatility: 1, stop_loss: 2 },
    },
    { ...setup, name: "b", definition: tickMm, instruments: [2], params: {}, signals: {} },
  ],
  risk: RISK,
  assets: ["", "USDT"],
  nonceLo: 1,
  nonceHi: 0,
  maxOrders: 256,
  gateway,
  orders: sink,
  telemetry: sink,
  killWord: new PrivateKillWord(),
  latchKill: () => {},
  stampNs: () => 0,
  timerId: TIMER_ID,
});

const m = allocateRecordMemory(64);
let now = 1e9;
let tradeId = 0;
let state = 12345;
const random = (bound: number): number => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return ((state >> 8) * bound) >> 23;
};

function report(i: number, exec: number, order: number, cum: number): void {
  wire.encodeOrderReport(
    m,
    0,
    wire.FLAG_MORE,
    gateway.id[i]!,
    gateway.strategy[i]!,
    0,
    0,
    now,
    now,
    gateway.seq[i]!,
    exec,
    order,
    0,
    gateway.side[i]!,
    gateway.px[i]!,
    gateway.qty[i]!,
    cum,
  );
  handler.onRecord(m, 0);
  wire.encodeOrderReportDetail(
    m,
    0,
    wire.FLAG_CONTINUATION,
    gateway.id[i]!,
    0,
    0,
    0,
    now,
    now,
    1,
    0,
    1,
    0,
    0,
    0,
    now,
  );
  handler.onRecord(m, 0);
}

/** A tenth of the new orders fill at once, the others rest. */
function answer(): void {
  const count = gateway.count;
  for (let i = 0; i < count; i++) {
    if (gateway.action[i] === codes.ACTION_CANCEL) report(i, codes.EXEC_CANCELED, codes.ORDER_CANCELED, 0);
    else if (gateway.action[i] === codes.ACTION_MODIFY) report(i, codes.EXEC_AMENDED, codes.ORDER_WORKING, 0);
    else if (random(10) > 0) report(i, codes.EXEC_NEW, codes.ORDER_WORKING, 0);
    else {
      report(i, codes.EXEC_TRADE, codes.ORDER_FILLED, gateway.qty[i]!);
      wire.encodeFill(
        m,
        0,
        wire.FLAG_MORE,
        gateway.id[i]!,
        gateway.strategy[i]!,
        0,
        0,
        now,
        now,
        gateway.seq[i]!,
        gateway.side[i]!,
        1,
        0,
        1,
        gateway.px[i]!,
        gateway.qty[i]!,
        ++tradeId,
        0,
      );
      handler.onRecord(m, 0);
      wire.encodeFillDetail(
        m,
        0,
        wire.FLAG_CONTINUATION,
        gateway.id[i]!,
        0,
        0,
        0,
        now,
        now,
        1,
        0,
        1,
        0,
        100,
        Number.NaN,
      );
      handler.onRecord(m, 0);
    }
  }
  for (let i = count; i < gateway.count; i++) copyRequest(i, i - count);
  gateway.count -= count;
}

function copyRequest(from: number, to: number): void {
  gateway.action[to] = gateway.action[from]!;
  gateway.seq[to] = gateway.seq[from]!;
  gateway.id[to] = gateway.id[from]!;
  gateway.strategy[to] = gateway.strategy[from]!;
  gateway.side[to] = gateway.side[from]!;
  gateway.px[to] = gateway.px[from]!;
  gateway.qty[to] = gateway.qty[from]!;
}

let mid = 600_000;
function events(count: number): void {
  for (let i = 0; i < count; i++) {
    now += 2e6;
    mid += random(7) - 3;
    const id = 1 + (i & 1);
    wire.encodeBbo(m, 0, id === 1 ? 0 : 1, id, 0, 0, 0, now - 1e6, now, mid, 5000, mid + 1, 5000);
    handler.onRecord(m, 0);
    if (id === 1) {
      wire.encodeSignal(m, 0, 1, 1, 0, 0, 0, 0, now, 0, 3, (random(400) - 200) / 100, 1e-6, 0);
      handler.onRecord(m, 0);
    }
    if (i % 5 === 0) {
      wire.encodeTimer(m, 0, 0, 0, 0, 0, 0, 0, now, TIMER_ID, 1e7, now);
      handler.onRecord(m, 0);
    }
    answer();
  }
}

for (const id of [0, 1, 2]) {
  wire.encodeFeedStatus(m, 0, 1, id, 0, 0, 0, 0, now, codes.FEED_SYNCED, 0, 0, 0, 0, 0, 0);
  handler.onRecord(m, 0);
}
const total = Number(process.argv[2] ?? 1_000_000);
const control = process.argv[3] === "control";
const SLICES = 10;
/** Capacity moves in blocks of 16 KB; two of them are noise. */
const NOISE_BYTES = 2 * 16_384;
const kept: object[] = [];

function slice(count: number): number {
  Bun.gc(true);
  const before = heapStats().heapCapacity;
  if (control) for (let i = 0; i < count; i++) kept[i & 1023] = { at: i };
  events(count);
  return Math.max(0, heapStats().heapCapacity - before - NOISE_BYTES);
}

events(300_000);
const sentBefore = handler.parts.counters[1]!;
const growth: number[] = [];
for (let s = 0; s < SLICES; s++) growth.push(slice(total / SLICES));
growth.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    bytesPerEvent: growth.reduce((a, b) => a + b, 0) / total,
    worstSliceBytes: growth.at(-1),
    orders: handler.parts.counters[1]! - sentBefore,
    fills: tradeId,
  }),
);
