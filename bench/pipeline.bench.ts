// Tick to order in one lane: message bytes in memory → decoder → book sync → journal → book and graph →
// strategy → gate → order table → request bytes, with journal rings drained and telemetry on, over the
// capture's depth and trade messages (harness/pipeline-rig.ts). Not in the figures: the venue's answers and the
// lane's timer, which are played between messages. In them: the copy of each message into the receive buffer. Warm
// messages are brought into the cache before, 250 at a time: live, the kernel has just written them.
// The checksum is the number of order requests and a hash of all their bytes.
import { monotonicNs } from "../ffi/host.ts";
import { ASK, BID, L2Book } from "../src/market/l2-book.ts";
import { MarketDecoder, MESSAGE_DEPTH } from "../src/venue/binance/market-decoder.ts";
import {
  CAPTURED_DEPTH,
  CAPTURED_TICKER,
  type CaptureMessages,
  loadCaptureMessages,
} from "./harness/capture-messages.ts";
import { BTCUSDT, PipelineRig, PipelineStage } from "./harness/pipeline-rig.ts";
import { type Bench, type BenchSize, type Figures, figures, type Side } from "./harness.ts";

const CHUNK = 250;
const TINY_MESSAGES = 1500;
const COLD_BYTES = 4 << 20;
const LINE_BYTES = 64;
/** The path is at full speed after about 280,000 messages (10 plays). */
const WARM_UP_ROUNDS = 12;
/** Cold: quotes follow every tick, so that messages of all sizes lead to orders, not only the great moves. */
const COLD = { minMoveTicks: 1 };

const limit = (size: BenchSize): number => (size === "tiny" ? TINY_MESSAGES : Number.POSITIVE_INFINITY);

async function warmRound(stage: PipelineStage): Promise<Figures> {
  const rig = new PipelineRig(stage);
  await rig.start();
  const count = stage.messages.bytes.length;
  const chunks = Math.floor(count / CHUNK);
  const times = new Float64Array(chunks);
  Bun.gc(true);
  let total = 0;
  for (let c = 0; c < chunks; c++) {
    touch(stage.messages, c * CHUNK, (c + 1) * CHUNK);
    const elapsed = rig.play(c * CHUNK, (c + 1) * CHUNK);
    times[c] = elapsed / CHUNK;
    total += elapsed;
  }
  return figures(times, chunks * CHUNK, total, rig.checksum);
}

/** Reads messages [from, to), so that they lie in the cache. */
function touch({ bytes }: CaptureMessages, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++)
    for (let at = 0; at < bytes[i]!.length; at += LINE_BYTES) sum += bytes[i]![at]!;
  return sum;
}

/** The levels that `decoder` has read go into `book`, a side at a time. */
function applyLevels(book: L2Book, decoder: MarketDecoder): void {
  const { values, count } = decoder.levels;
  const bids = decoder.bidCount;
  book.applyRun(BID, values, 0, 2, bids);
  book.applyRun(ASK, values, 2 * bids, 2, count - bids);
  book.maintain();
}

/** Decoder and book alone: no records, no journal, no graph, no strategy. */
function bareSide(messages: CaptureMessages): Side {
  const decoder = new MarketDecoder([BTCUSDT]);
  const buffer = new Uint8Array(new ArrayBuffer(256 * 1024));
  const count = messages.bytes.length;
  const chunks = Math.floor(count / CHUNK);
  const times = new Float64Array(chunks);
  const run = (book: L2Book, from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const bytes = messages.bytes[i]!;
      buffer.set(bytes);
      if (decoder.decode(buffer, bytes.length) === MESSAGE_DEPTH) applyLevels(book, decoder);
    }
  };
  return {
    round() {
      const book = new L2Book();
      Bun.gc(true);
      let total = 0;
      for (let c = 0; c < chunks; c++) {
        touch(messages, c * CHUNK, (c + 1) * CHUNK);
        const before = monotonicNs();
        run(book, c * CHUNK, (c + 1) * CHUNK);
        const elapsed = monotonicNs() - before;
        times[c] = elapsed / CHUNK;
        total += elapsed;
      }
      return figures(times, chunks * CHUNK, total, book.levelCount);
    },
  };
}

/** Which messages lead to a request, by one play. */
async function orderMessages(stage: PipelineStage): Promise<Uint8Array> {
  const count = stage.messages.bytes.length;
  const produces = new Uint8Array(count);
  const rig = new PipelineRig(stage, COLD);
  await rig.start();
  for (let i = 0; i < count; i++) {
    rig.prepare(i);
    const before = rig.responder.requests;
    rig.handle(i);
    if (rig.responder.requests > before) produces[i] = 1;
  }
  return produces;
}

/** Receive → last request byte of each order-producing message, caches emptied by a 4 MB read before it. */
async function coldRound(stage: PipelineStage, produces: Uint8Array, memory: Uint8Array): Promise<Figures> {
  const rig = new PipelineRig(stage, COLD);
  await rig.start();
  let sentNs = 0;
  rig.responder.onRequest = () => {
    sentNs = monotonicNs();
  };
  Bun.gc(true);
  const times: number[] = [];
  let total = 0;
  for (let i = 0; i < produces.length; i++) {
    rig.prepare(i);
    if (produces[i] === 1) read(memory);
    const before = monotonicNs();
    rig.handle(i);
    if (produces[i] !== 1) continue;
    times.push(sentNs - before);
    total += sentNs - before;
  }
  return figures(Float64Array.from(times), times.length, total, rig.checksum);
}

/** One byte of each cache line; the sum keeps the reads alive. */
function read(memory: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < memory.length; at += LINE_BYTES) sum += memory[at]!;
  memory[0] = sum & 1;
  return sum;
}

/** Decoder and book alone for the same messages, as cold. */
function bareColdSide(messages: CaptureMessages, produces: Uint8Array, memory: Uint8Array): Side {
  const decoder = new MarketDecoder([BTCUSDT]);
  const buffer = new Uint8Array(new ArrayBuffer(256 * 1024));
  const handle = (book: L2Book, end: number): void => {
    if (decoder.decode(buffer, end) === MESSAGE_DEPTH) applyLevels(book, decoder);
  };
  return {
    round() {
      const book = new L2Book();
      const times: number[] = [];
      let total = 0;
      for (let i = 0; i < produces.length; i++) {
        const bytes = messages.bytes[i]!;
        buffer.set(bytes);
        if (produces[i] === 1) read(memory);
        const before = monotonicNs();
        handle(book, bytes.length);
        if (produces[i] !== 1) continue;
        const elapsed = monotonicNs() - before;
        times.push(elapsed);
        total += elapsed;
      }
      return figures(Float64Array.from(times), times.length, total, book.levelCount);
    },
  };
}

function only(all: CaptureMessages, kind: number): CaptureMessages {
  const indexes = [...all.kind.keys()].filter((i) => all.kind[i] === kind);
  return {
    ...all,
    bytes: indexes.map((i) => all.bytes[i]!),
    kind: Uint8Array.from(indexes, (i) => all.kind[i]!),
    recvNs: Float64Array.from(indexes, (i) => all.recvNs[i]!),
    tradePxTicks: Float64Array.from(indexes, (i) => all.tradePxTicks[i]!),
  };
}

export const benches: readonly Bench[] = [
  {
    name: "pipeline.tickToOrder",
    question: "ns per depth and trade message, bytes to order bytes in one lane, warm (required: 450 ns)",
    unit: "ns",
    compare: "mean",
    warmUpRounds: WARM_UP_ROUNDS,
    open: async (size) => {
      const stage = await PipelineStage.open(await loadCaptureMessages(limit(size)));
      return {
        own: { round: () => warmRound(stage) },
        reference: { name: "decoder and book alone", ...bareSide(stage.messages) },
      };
    },
  },
  {
    name: "pipeline.tickToOrderCold",
    question: "ns from bytes to the last order byte, 4 MB read before each order-producing message",
    unit: "ns",
    compare: "p50",
    warmUpRounds: WARM_UP_ROUNDS,
    open: async (size) => {
      const stage = await PipelineStage.open(await loadCaptureMessages(limit(size)));
      const produces = await orderMessages(stage);
      const memory = new Uint8Array(COLD_BYTES).fill(1);
      return {
        own: { round: () => coldRound(stage, produces, memory) },
        reference: {
          name: "decoder and book alone, as cold",
          ...bareColdSide(stage.messages, produces, memory),
        },
      };
    },
  },
  {
    name: "pipeline.bookTicker",
    question: "ns per bookTicker message through the same lane (it reaches no graph)",
    unit: "ns",
    compare: "mean",
    warmUpRounds: 4,
    open: async (size) => {
      const all = await loadCaptureMessages(limit(size) * 4, true);
      const stage = await PipelineStage.open(only(all, CAPTURED_TICKER));
      return { own: { round: () => warmRound(stage) }, reference: null, missing: "stated apart, no peer" };
    },
  },
  {
    name: "pipeline.depth",
    question: "ns per depth message (68 levels on average) through the same lane",
    unit: "ns",
    compare: "mean",
    warmUpRounds: WARM_UP_ROUNDS,
    open: async (size) => {
      const all = await loadCaptureMessages(limit(size));
      const stage = await PipelineStage.open(only(all, CAPTURED_DEPTH));
      return {
        own: { round: () => warmRound(stage) },
        reference: { name: "decoder and book alone", ...bareSide(stage.messages) },
      };
    },
  },
];
