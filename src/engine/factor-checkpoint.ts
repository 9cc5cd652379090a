// Checkpoints of FACTOR's state while the engine runs, and the way back at start.
//
//   FACTOR lane: CheckpointAgent copies in slices ─▶ shared buffer ─▶ WRITER lane: CheckpointWriter seals, writes
//
// The buffer has one owner at a time. SYNC POINT state word: FACTOR stores FULL after its copy, WRITER stores FREE
// after its read; each looks with Atomics.load before it touches the rest.
import { join } from "node:path";
import { saveCheckpoint, sealCheckpoint } from "../factor/checkpoint.ts";
import { CheckpointSlices, COPY_MORE, COPY_TOO_LONG, copyBytes } from "../factor/checkpoint-slices.ts";
import { makeFactorState } from "../factor/factor-state.ts";
import type { FactorHandler } from "../factor/handler.ts";
import type { GraphSetup } from "../factor/signal-registry.ts";
import type { Agent } from "../lane/agent.ts";
import type { Instrument } from "../market/instrument.ts";
import { LOG_ERROR, LOG_INFO } from "../wire/codes.ts";
import type { LaneAgents, LaneContext } from "./lane-host.ts";

export interface CheckpointStart {
  /** Absolute, or relative to the working directory as the data directory is. */
  readonly dir: string;
  readonly intervalNs: number;
  readonly buffer: SharedArrayBuffer;
}

const STATE_I32 = 0;
const LENGTH_I32 = 1;
const DATA_BYTE = 64;
const FREE = 0;
const FULL = 1;
/** Room for this many book levels per instrument: Binance keeps about 10,000 alive. */
const LEVELS_PER_BOOK = 32_768;

/** null when no graph wants checkpoints. Several graphs: the shortest interval, the first one's folder. */
export function planCheckpoint(
  setups: readonly GraphSetup[],
  instruments: readonly Instrument[],
  dataDir: string,
): CheckpointStart | null {
  const wanted = setups.map((s) => s.program.checkpoint).filter((c) => c.enabled);
  if (wanted.length === 0) return null;
  const state = makeFactorState({ instruments, graphs: setups });
  const bytes = copyBytes(state, LEVELS_PER_BOOK * instruments.length);
  return {
    dir: wanted[0]!.dir.startsWith("/") ? wanted[0]!.dir : join(dataDir, wanted[0]!.dir),
    intervalNs: Math.min(...wanted.map((c) => c.intervalSeconds)) * 1e9,
    buffer: new SharedArrayBuffer(DATA_BYTE + bytes),
  };
}

const dataOf = (start: CheckpointStart): Uint8Array<SharedArrayBuffer> =>
  new Uint8Array(start.buffer, DATA_BYTE);

/** Hot; FACTOR's lane; 0 bytes a round; one slice a round while a copy is due. The interval is logical time. */
export class CheckpointAgent implements Agent {
  readonly name = "checkpoint";
  private readonly handler: FactorHandler;
  private readonly slices: CheckpointSlices;
  private readonly i32: Int32Array;
  private readonly intervalNs: number;
  private dueNs: number;
  private copying: boolean;
  private version: number;
  /** Copies given up because an event came. */
  restarts: number;
  /** Copies that did not fit into the buffer. */
  tooLong: number;

  constructor(start: CheckpointStart, handler: FactorHandler, baseNs: bigint) {
    this.handler = handler;
    this.slices = new CheckpointSlices(handler.state, baseNs, dataOf(start));
    this.i32 = new Int32Array(start.buffer);
    this.intervalNs = start.intervalNs;
    this.dueNs = -1;
    this.copying = false;
    this.version = 0;
    this.restarts = 0;
    this.tooLong = 0;
  }

  doWork(): number {
    const { handler } = this;
    if (!this.copying && handler.nowNs < this.dueNs) return 0;
    if (!handler.betweenEvents || handler.version === 0) return 0;
    if (this.dueNs < 0) {
      this.dueNs = handler.nowNs + this.intervalNs;
      return 0;
    }
    if (!this.copying) {
      if (Atomics.load(this.i32, STATE_I32) !== FREE) return 0;
      this.start();
    } else if (handler.version !== this.version) {
      this.restarts++;
      this.start();
    }
    this.slice();
    return 1;
  }

  hasWork(): boolean {
    return this.copying;
  }

  /** The state at the end of the session, when there is one. */
  onClose(): void {
    const { handler } = this;
    if (!handler.betweenEvents || handler.version === 0) return;
    if (Atomics.load(this.i32, STATE_I32) !== FREE) return;
    this.start();
    while (this.copying) this.slice();
  }

  private start(): void {
    this.copying = true;
    this.version = this.handler.version;
    this.slices.begin();
  }

  private slice(): void {
    const length = this.slices.step();
    if (length === COPY_MORE) return;
    this.copying = false;
    this.dueNs = this.handler.nowNs + this.intervalNs;
    if (length === COPY_TOO_LONG) {
      this.tooLong++;
      return;
    }
    this.i32[LENGTH_I32] = length;
    Atomics.store(this.i32, STATE_I32, FULL);
  }
}

/** WRITER's lane: seals and writes what FACTOR has copied. A file that cannot be written is logged, not fatal. */
export class CheckpointWriter implements Agent {
  readonly name = "checkpoint-writer";
  private readonly start: CheckpointStart;
  private readonly i32: Int32Array;
  private readonly log: LaneContext["log"];

  constructor(start: CheckpointStart, log: LaneContext["log"]) {
    this.start = start;
    this.i32 = new Int32Array(start.buffer);
    this.log = log;
  }

  doWork(): number {
    if (Atomics.load(this.i32, STATE_I32) !== FULL) return 0;
    // A copy of its own: the checksum must cover what is written.
    const bytes = dataOf(this.start).slice(0, this.i32[LENGTH_I32]!);
    Atomics.store(this.i32, STATE_I32, FREE);
    try {
      const position = new DataView(bytes.buffer).getBigInt64(48, true);
      const path = saveCheckpoint(this.start.dir, sealCheckpoint(bytes), position);
      this.log.log(LOG_INFO, 0, `checkpoint ${path} (${(bytes.length / 1024).toFixed(0)} KiB)`);
    } catch (error) {
      this.log.log(LOG_ERROR, 0, `no checkpoint: ${(error as Error).message}`);
    }
    return 1;
  }

  onClose(): void {
    this.doWork();
  }
}

/** Adds the writing end to the writer lane. */
export function withCheckpoints(lane: LaneAgents, context: LaneContext): LaneAgents {
  const { checkpoint = null } = context.start;
  if (checkpoint === null) return lane;
  return { ...lane, agents: [...lane.agents, new CheckpointWriter(checkpoint, context.log)] };
}
