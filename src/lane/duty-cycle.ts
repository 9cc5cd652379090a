// Runs the agents of one lane until the stop word is set: the loop, the waiting, the vital signs.
// Hot; the lane's own thread; 0 bytes per round (a macrotask turn costs ~88 B, a waitAsync wake a promise).
//
//   spin    rounds back to back; one macrotask turn after 100 idle rounds (or 100 busy ones: sockets wait)
//   yield   16 rounds, then one macrotask turn
//   park    rounds until idle for a while, then asleep:
//             socket-free lanes in Atomics.wait on their doorbell; with `napMs` first in naps of that length, in
//             which the doorbell is not announced: producers then pay no wake-up while records keep coming;
//             lanes that own a Bun socket in the event loop, woken by waitAsync on the doorbell, by a socket
//             callback that calls poke(), or by the referenced interval that also keeps the worker alive
//
// A lane that owns a Bun socket never blocks: no socket event reaches a thread that does not take macrotask
// turns. SYNC POINT bell: see ring/doorbell.ts; the last look happens between prepare() and the wait.
import { assert } from "../core/assert.ts";
import { STOP_WORD_I32 } from "../ring/arena.ts";
import type { Doorbell } from "../ring/doorbell.ts";
import type { Agent } from "./agent.ts";
import {
  LANE_FAILED,
  LANE_PARKED,
  LANE_RUNNING,
  LANE_STOPPED,
  VITAL_BUSY_TURNS,
  VITAL_HEARTBEAT_NS,
  VITAL_MAX_STALL_NS,
  VITAL_PARKS,
  VITAL_STATE,
  VITAL_TURNS,
  VITAL_WORK,
} from "./telemetry.ts";

export type WaitStrategy = "spin" | "yield" | "park";

export interface DutyCycleOptions {
  readonly agents: readonly Agent[];
  readonly wait: WaitStrategy;
  /** True when any agent owns a Bun socket, server or timer. */
  readonly ownsSocket: boolean;
  readonly arena: SharedArrayBuffer;
  /** This lane's doorbell; needed to park. */
  readonly doorbell: Doorbell | null;
  /** LaneTelemetry.vitals. */
  readonly vitals: Float64Array;
  /** CLOCK_MONOTONIC, ns. */
  readonly monotonicNs: () => number;
  /** Longest sleep and slowest heartbeat; default 50 ms. */
  readonly idleTimeoutMs?: number;
  /** Length of a nap, ms; for a blocking lane that need not be prompt. Default: none, every sleep has its bell. */
  readonly napMs?: number;
  /** Idle rounds before the lane yields or parks. */
  readonly idleRounds?: number;
  /** Element of the arena's Int32Array that stops this lane; default the arena's stop word. */
  readonly stopWord?: number;
}

const IDLE_TIMEOUT_MS = 50;
const MAX_ROUNDS_PER_TURN = 100;
const YIELD_ROUNDS = 16;
const IDLE_ROUNDS_BLOCKING = 500;
/** Naps without work before the lane sleeps until it is woken. */
const NAPS_MAX = 50;
const IDLE_ROUNDS_IN_LOOP = 50;
/** A socket-free lane takes one macrotask turn at least this often (messages, finalisers). */
const TURN_NS_MAX = 100_000_000;
/** Lateness of an interval that is the timer's, not the lane's. */
const TIMER_SLACK_NS = 2_000_000;
/** The final drain gives up after this long: a producer that never ends must not hold the stop. */
const FINAL_DRAIN_NS_MAX = 2_000_000_000;

export class DutyCycle {
  private readonly agents: readonly Agent[];
  private readonly agentCount: number;
  private readonly wait: WaitStrategy;
  private readonly blocks: boolean;
  private readonly i32: Int32Array;
  private readonly stopWord: number;
  private readonly doorbell: Doorbell | null;
  private readonly vitals: Float64Array;
  private readonly monotonicNs: () => number;
  private readonly idleTimeoutMs: number;
  private readonly napMs: number;
  private readonly idleRounds: number;
  private readonly maxRounds: number;
  private readonly takeTurn: () => void;
  private readonly onBell: () => void;
  private lastBeatNs: number;
  private lastTickNs: number;
  private naps: number;
  private asleep: boolean;
  private parkedInLoop: boolean;
  private waiterArmed: boolean;
  private ended: boolean;
  private interval: ReturnType<typeof setInterval> | null;
  private settle: { resolve: () => void; reject: (error: unknown) => void } | null;

  constructor(options: DutyCycleOptions) {
    assert(options.agents.length > 0, "a lane needs an agent");
    assert(options.wait !== "park" || options.doorbell !== null, "a lane that parks needs a doorbell");
    this.agents = options.agents;
    this.agentCount = options.agents.length;
    this.wait = options.wait;
    this.blocks = options.wait === "park" && !options.ownsSocket;
    this.i32 = new Int32Array(options.arena);
    this.stopWord = options.stopWord ?? STOP_WORD_I32;
    this.doorbell = options.doorbell;
    this.vitals = options.vitals;
    this.monotonicNs = options.monotonicNs;
    this.idleTimeoutMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    this.napMs = options.napMs ?? 0;
    this.naps = 0;
    this.idleRounds = options.idleRounds ?? defaultIdleRounds(options.wait, this.blocks, this.napMs);
    this.maxRounds = options.wait === "yield" ? YIELD_ROUNDS : MAX_ROUNDS_PER_TURN;
    this.takeTurn = () => this.guarded();
    this.onBell = () => this.bellRang();
    this.lastBeatNs = 0;
    this.lastTickNs = 0;
    this.asleep = true;
    this.parkedInLoop = false;
    this.waiterArmed = false;
    this.ended = false;
    this.interval = null;
    this.settle = null;
  }

  /** Resolves after the stop word, the final drain and every agent's onClose; rejects when an agent throws. */
  run(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.settle = { resolve, reject };
    this.lastTickNs = this.monotonicNs();
    if (!this.blocks) this.interval = setInterval(() => this.tick(), this.idleTimeoutMs);
    try {
      for (const agent of this.agents) agent.onStart?.();
      this.vitals[VITAL_STATE] = LANE_RUNNING;
      this.beat();
      setImmediate(this.takeTurn);
    } catch (error) {
      this.fail(error);
    }
    return promise;
  }

  /** From a callback on this thread (socket, timer): there may be work for the agents. */
  poke(): void {
    if (!this.parkedInLoop) return;
    this.wakeInLoop();
    this.guarded();
  }

  private guarded(): void {
    if (this.ended) return;
    try {
      if (this.blocks) this.blockingTurn();
      else this.loopTurn();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Rounds until idle or the turn's quota; true when idle. */
  private workUntilIdle(): boolean {
    let idle = 0;
    let done = 0;
    let round = 0;
    for (; round < this.maxRounds || this.wait === "park"; round++) {
      const work = this.round();
      done += work;
      if (work > 0) idle = 0;
      else if (++idle >= this.idleRounds) break;
      if (work > 0 && round >= MAX_ROUNDS_PER_TURN) break;
    }
    this.vitals[VITAL_TURNS]!++;
    if (done > 0) {
      this.naps = 0;
      this.vitals[VITAL_BUSY_TURNS]!++;
      this.vitals[VITAL_WORK]! += done;
    }
    return idle >= this.idleRounds;
  }

  private round(): number {
    let work = 0;
    for (let i = 0; i < this.agentCount; i++) work += this.agents[i]!.doWork();
    return work;
  }

  private loopTurn(): void {
    this.beat();
    const idle = this.workUntilIdle();
    if (this.stopping()) this.finish();
    else if (this.wait !== "park" || !idle || !this.parkInLoop()) setImmediate(this.takeTurn);
  }

  private blockingTurn(): void {
    const startedNs = this.monotonicNs();
    do {
      this.beat();
      const idle = this.workUntilIdle();
      if (this.stopping()) {
        this.finish();
        return;
      }
      if (idle) this.parkBlocked();
    } while (this.lastBeatNs - startedNs < TURN_NS_MAX);
    setImmediate(this.takeTurn);
  }

  private parkBlocked(): void {
    const bell = this.doorbell!;
    if (this.napMs > 0 && this.naps < NAPS_MAX) {
      this.naps++;
      this.fallAsleep();
      Atomics.wait(bell.i32, bell.bell, Atomics.load(bell.i32, bell.bell), this.napMs);
      this.vitals[VITAL_STATE] = LANE_RUNNING;
      return;
    }
    const seen = bell.prepare();
    if (!this.lastLook()) {
      this.fallAsleep();
      Atomics.wait(bell.i32, bell.bell, seen, this.idleTimeoutMs);
      this.vitals[VITAL_STATE] = LANE_RUNNING;
    }
    bell.unpark();
  }

  /** False when the last look found work: the lane stays awake. */
  private parkInLoop(): boolean {
    const bell = this.doorbell!;
    const seen = bell.prepare();
    if (this.lastLook()) {
      bell.unpark();
      return false;
    }
    // At most one waiter is pending. If the bell has rung since it was armed, its wake is already on the way.
    if (!this.waiterArmed) {
      const waiter = Atomics.waitAsync(bell.i32, bell.bell, seen);
      if (!waiter.async) {
        bell.unpark();
        return false;
      }
      this.waiterArmed = true;
      waiter.value.then(this.onBell);
    }
    this.fallAsleep();
    this.parkedInLoop = true;
    return true;
  }

  private lastLook(): boolean {
    if (this.stopping()) return true;
    for (let i = 0; i < this.agentCount; i++) {
      const agent = this.agents[i]!;
      if (agent.hasWork?.()) return true;
    }
    const work = this.round();
    this.vitals[VITAL_WORK]! += work;
    return work > 0;
  }

  private fallAsleep(): void {
    this.asleep = true;
    this.vitals[VITAL_PARKS]!++;
    this.vitals[VITAL_STATE] = LANE_PARKED;
  }

  private wakeInLoop(): void {
    this.parkedInLoop = false;
    this.doorbell!.unpark();
    this.vitals[VITAL_STATE] = LANE_RUNNING;
  }

  private bellRang(): void {
    this.waiterArmed = false;
    this.poke();
  }

  /** The interval of a lane in the event loop: heartbeat, stop word, and a wake whatever the bell says. */
  private tick(): void {
    const now = this.monotonicNs();
    const late = now - this.lastTickNs - this.idleTimeoutMs * 1e6;
    if (late > TIMER_SLACK_NS) this.noteStall(late);
    this.lastTickNs = now;
    this.vitals[VITAL_HEARTBEAT_NS] = now;
    this.poke();
  }

  /** Stamps the heartbeat; the gap since the last one counts as a stall unless the lane slept. */
  private beat(): void {
    const now = this.monotonicNs();
    if (!this.asleep) this.noteStall(now - this.lastBeatNs);
    this.asleep = false;
    this.lastBeatNs = now;
    this.vitals[VITAL_HEARTBEAT_NS] = now;
  }

  private noteStall(gapNs: number): void {
    if (gapNs > this.vitals[VITAL_MAX_STALL_NS]!) this.vitals[VITAL_MAX_STALL_NS] = gapNs;
  }

  private stopping(): boolean {
    return Atomics.load(this.i32, this.stopWord) !== 0;
  }

  private finish(): void {
    this.ended = true;
    const deadlineNs = this.monotonicNs() + FINAL_DRAIN_NS_MAX;
    let idle = 0;
    while (idle < 2 && this.monotonicNs() < deadlineNs) idle = this.round() > 0 ? 0 : idle + 1;
    this.endInterval();
    closeAll(this.agents);
    this.vitals[VITAL_STATE] = LANE_STOPPED;
    this.settle!.resolve();
  }

  private fail(error: unknown): void {
    this.ended = true;
    this.endInterval();
    this.vitals[VITAL_STATE] = LANE_FAILED;
    this.settle!.reject(error);
  }

  private endInterval(): void {
    if (this.interval !== null) clearInterval(this.interval);
    this.interval = null;
  }
}

function defaultIdleRounds(wait: WaitStrategy, blocks: boolean, napMs: number): number {
  if (wait === "yield") return YIELD_ROUNDS;
  if (wait === "spin") return MAX_ROUNDS_PER_TURN;
  if (napMs > 0) return 1;
  return blocks ? IDLE_ROUNDS_BLOCKING : IDLE_ROUNDS_IN_LOOP;
}

/** Every agent is closed even when one fails; the first failure is thrown at the end. */
function closeAll(agents: readonly Agent[]): void {
  const failures: unknown[] = [];
  for (const agent of agents) {
    try {
      agent.onClose?.();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
