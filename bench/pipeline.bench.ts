// Tick to order in one lane: message bytes in memory → decoder → book sync → journal → book and graph →
// strategy → gate → order table → request bytes, with journal rings drained and telemetry on, over the
// capture's depth and trade messages (harness/pipeline-rig.ts). Not in the figures: the venue's answers and the
// lane's timer, which are played between messages, and the copy of each message into the receive buffer, which stands
// for the transport's: warm, it is timed alone before each 250 messages and taken off, and leaves them in the cache,
// as the kernel does live.
// The checksum is the number of order requests and a hash of all their bytes. The reference is the same work by hand
// (harness/bare-loop.ts), also stage by stage: pipeline.decode, .decodeBook, .toGraph, .tickToOrder are cumulative.
import { monotonicNs } from "../ffi/host.ts";
import { ASK, BID, L2Book } from "../src/market/l2-book.ts";
import { MarketDecoder, MESSAGE_DEPTH } from "../src/venue/binance/market-decoder.ts";
import { BareBook } from "./harness/bare-book.ts";
import { BARE_BOOK, BARE_DECODE, BARE_GRAPH, BARE_ORDER, BareLoop } from "./harness/bare-loop.ts";
import {
  CAPTURED_DEPTH,
  CAPTURED_TICKER,
  type CaptureMessages,
  loadCaptureMessages,
} from "./harness/capture-messages.ts";
import { BTCUSDT, PipelineRig, PipelineStage, type RigOptions } from "./harness/pipeline-rig.ts";
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

async function warmRound(stage: PipelineStage, options: RigOptions = {}): Promise<Figures> {
  const rig = new PipelineRig(stage, options);
  await rig.start();
  const count = stage.messages.bytes.length;
  const chunks = Math.floor(count / CHUNK);
  const times = new Float64Array(chunks);
  Bun.gc(true);
  let total = 0;
  for (let c = 0; c < chunks; c++) {
    const copying = copyNs(stage.messages, receiveBuffer, c * CHUNK, (c + 1) * CHUNK);
    const elapsed = rig.play(c * CHUNK, (c + 1) * CHUNK) - copying;
    times[c] = elapsed / CHUNK;
    total += elapsed;
  }
  return figures(times, chunks * CHUNK, total, rig.checksum);
}

const receiveBuffer = new Uint8Array(new ArrayBuffer(256 * 1024));

/** Time that copying messages [from, to) takes; they lie in the cache afterwards. */
function copyNs({ bytes }: CaptureMessages, into: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) into.set(bytes[i]!);
  const before = monotonicNs();
  for (let i = from; i < to; i++) into.set(bytes[i]!);
  return monotonicNs() - before;
}

/** The messages one behind the other, and the book that the snapshot leaves, for the loop by hand. */
class BareStage {
  private readonly bytes: Uint8Array;
  private readonly starts: Int32Array;
  private readonly book = new BareBook();
  private readonly snapshot: MarketDecoder;

  constructor(messages: CaptureMessages) {
    const total = messages.bytes.reduce((sum, b) => sum + b.length, 0);
    this.bytes = new Uint8Array(new ArrayBuffer(total + LINE_BYTES));
    this.starts = new Int32Array(messages.bytes.length + 1);
    messages.bytes.forEach((b, i) => {
      this.bytes.set(b, this.starts[i]!);
      this.starts[i + 1] = this.starts[i]! + b.length;
    });
    this.snapshot = new MarketDecoder([BTCUSDT]);
    this.snapshot.decodeSnapshot(messages.snapshot, messages.snapshot.length, 0);
  }

  private open(): BareLoop {
    const { values, count } = this.snapshot.levels;
    const column = (k: number) => Int32Array.from({ length: count }, (_, i) => values[2 * i + k]!);
    this.book.clear();
    this.book.apply(column(0), column(1), this.snapshot.bidCount, count);
    return new BareLoop(this.bytes, this.book);
  }

  warm(stage: number): Side {
    const { starts } = this;
    const chunks = Math.floor((starts.length - 1) / CHUNK);
    const times = new Float64Array(chunks);
    const run = (loop: BareLoop, from: number, to: number): void => {
      for (let i = from; i < to; i++) loop.handle(starts[i]!, stage);
    };
    return {
      round: () => {
        const loop = this.open();
        Bun.gc(true);
        let total = 0;
        for (let c = 0; c < chunks; c++) {
          touchBytes(this.bytes, starts[c * CHUNK]!, starts[(c + 1) * CHUNK]!);
          const before = monotonicNs();
          run(loop, c * CHUNK, (c + 1) * CHUNK);
          const elapsed = monotonicNs() - before;
          times[c] = elapsed / CHUNK;
          total += elapsed;
        }
        return figures(times, chunks * CHUNK, total, stage === BARE_BOOK ? loop.book.touch : loop.checksum);
      },
    };
  }

  /** The messages of `produces`, `memory` read before each. */
  cold(produces: Uint8Array, memory: Uint8Array): Side {
    return {
      round: () => {
        const loop = this.open();
        const times: number[] = [];
        let total = 0;
        for (let i = 0; i < produces.length; i++) {
          const at = this.starts[i]!;
          touchBytes(this.bytes, at, this.starts[i + 1]!);
          if (produces[i] === 1) read(memory);
          const before = monotonicNs();
          loop.handle(at, BARE_ORDER);
          if (produces[i] !== 1) continue;
          const elapsed = monotonicNs() - before;
          times.push(elapsed);
          total += elapsed;
        }
        return figures(Float64Array.from(times), times.length, total, loop.checksum);
      },
    };
  }
}

function touchBytes(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += LINE_BYTES) sum += bytes[at]!;
  return sum;
}

/** Our decoder, and our book when `withBook`: no records, no journal, no graph, no strategy. */
function decoderSide(messages: CaptureMessages, withBook: boolean): Side {
  const decoder = new MarketDecoder([BTCUSDT]);
  const buffer = receiveBuffer;
  const book = new L2Book();
  const chunks = Math.floor(messages.bytes.length / CHUNK);
  const times = new Float64Array(chunks);
  let sum = 0;
  const apply = (): void => {
    const { values, count } = decoder.levels;
    const bids = decoder.bidCount;
    book.applyRun(BID, values, 0, 2, bids);
    book.applyRun(ASK, values, 2 * bids, 2, count - bids);
    book.maintain();
  };
  const run = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const bytes = messages.bytes[i]!;
      buffer.set(bytes);
      const kind = decoder.decode(buffer, bytes.length);
      sum += kind;
      if (withBook && kind === MESSAGE_DEPTH) apply();
    }
  };
  return {
    round() {
      book.clear();
      decoder.decodeSnapshot(messages.snapshot, messages.snapshot.length, 0);
      apply();
      Bun.gc(true);
      let total = 0;
      sum = 0;
      for (let c = 0; c < chunks; c++) {
        const copying = copyNs(messages, buffer, c * CHUNK, (c + 1) * CHUNK);
        const before = monotonicNs();
        run(c * CHUNK, (c + 1) * CHUNK);
        const elapsed = monotonicNs() - before - copying;
        times[c] = elapsed / CHUNK;
        total += elapsed;
      }
      const checksum = withBook ? book.bestBidTicks * 2 + book.bestAskTicks : sum;
      return figures(times, chunks * CHUNK, total, checksum);
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

const BY_HAND = "the same by hand";

/** Stages up to here, each with those before it; the last one is pipeline.tickToOrder. */
function stageBench(
  name: string,
  question: string,
  bare: number,
  own: (m: CaptureMessages) => Promise<Side>,
): Bench {
  return {
    name: `pipeline.${name}`,
    question: `ns per depth and trade message, ${question}, warm`,
    unit: "ns",
    compare: "mean",
    warmUpRounds: WARM_UP_ROUNDS,
    sameChecksum: bare === BARE_BOOK,
    open: async (size) => {
      const messages = await loadCaptureMessages(limit(size));
      return {
        own: await own(messages),
        reference: { name: BY_HAND, ...new BareStage(messages).warm(bare) },
      };
    },
  };
}

async function graphSide(messages: CaptureMessages): Promise<Side> {
  const stage = await PipelineStage.open(messages);
  return { round: () => warmRound(stage, { graphOnly: true }) };
}

export const benches: readonly Bench[] = [
  stageBench("decode", "decoding alone", BARE_DECODE, async (m) => decoderSide(m, false)),
  stageBench("decodeBook", "decoding and book alone", BARE_BOOK, async (m) => decoderSide(m, true)),
  stageBench("toGraph", "bytes to signals, with records and journal", BARE_GRAPH, graphSide),
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
        reference: { name: BY_HAND, ...new BareStage(stage.messages).warm(BARE_ORDER) },
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
        reference: { name: BY_HAND, ...new BareStage(stage.messages).cold(produces, memory) },
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
        reference: { name: BY_HAND, ...new BareStage(stage.messages).warm(BARE_ORDER) },
      };
    },
  },
];
