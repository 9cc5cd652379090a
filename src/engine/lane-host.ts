// A lane's side of its life: receives LaneStart, builds and warms its agents, reports ready, runs the duty
// cycle until the stop word, reports the end. The worker entry files call hostLane and nothing else.
import { bootNs, gettid, monotonicNs, setNice } from "../../ffi/host.ts";
import { type Clock, SessionClock } from "../core/clock.ts";
import { RecordMemory } from "../core/record.ts";
import type { Agent } from "../lane/agent.ts";
import { DutyCycle } from "../lane/duty-cycle.ts";
import { LaneLog } from "../lane/notices.ts";
import { nameLane, pinLane } from "../lane/pinning.ts";
import type { LaneRole } from "../lane/placement.ts";
import { countCollections, LaneTelemetry, VITAL_THREAD_ID } from "../lane/telemetry.ts";
import { openArena, STOP_WORD_I32, WRITER_STOP_WORD_I32 } from "../ring/arena.ts";
import { Doorbell } from "../ring/doorbell.ts";
import { RingConsumer, type RingLocation, RingProducer } from "../ring/spsc-ring.ts";
import { LOG_INFO } from "../wire/codes.ts";
import { SCHEMA_VERSION } from "../wire/messages.gen.ts";
import { type LaneEdges, LIVE_EDGES } from "./lane-edges.ts";
import type { FromLane, LaneStart, ToLane } from "./lane-protocol.ts";

/** What assembling code gets: the lane's memory, clock and ends of rings. */
export class LaneContext {
  readonly start: LaneStart;
  readonly memory: RecordMemory;
  readonly clock: Clock;
  /** Session base, ms since the epoch. */
  readonly baseMs: number;
  readonly log: LaneLog;
  readonly edges: LaneEdges;
  private readonly telemetries = new Map<LaneRole, LaneTelemetry>();

  constructor(start: LaneStart, edges: LaneEdges = LIVE_EDGES) {
    this.start = start;
    this.edges = edges;
    this.memory = new RecordMemory(start.arena);
    const base = openArena(start.arena, SCHEMA_VERSION);
    this.clock = new SessionClock(base, bootNs);
    this.baseMs = Number(base.baseNs / 1_000_000n);
    const notices = new RingProducer(this.memory, start.layout.rings.notices[start.placement.name]!, null);
    this.log = new LaneLog(notices, start.laneNumber, this.clock);
  }

  /** The producing end of a ring whose consumer runs in `consumerRole`'s lane. */
  producer(ring: RingLocation, consumerRole: LaneRole): RingProducer {
    return new RingProducer(this.memory, ring, this.doorbellOf(consumerRole));
  }

  /** Main polls: it has no doorbell. */
  toMain(ring: RingLocation): RingProducer {
    return new RingProducer(this.memory, ring, null);
  }

  consumer(ring: RingLocation): RingConsumer {
    return new RingConsumer(this.memory, ring);
  }

  telemetry(role: LaneRole): LaneTelemetry {
    let known = this.telemetries.get(role);
    if (known === undefined) {
      known = new LaneTelemetry(this.start.arena, this.start.layout.telemetry[role]);
      this.telemetries.set(role, known);
    }
    return known;
  }

  /** null when that lane never sleeps in `park`. */
  private doorbellOf(role: LaneRole): Doorbell | null {
    const lane = this.start.roleLanes[role];
    return this.start.parks[lane] ? new Doorbell(this.start.arena, this.start.layout.doorbells[lane]!) : null;
  }
}

export interface LaneAgents {
  readonly agents: readonly Agent[];
  /** True when some agent owns a Bun socket or timer: the lane must take macrotask turns. */
  readonly ownsSocket: boolean;
  /** Longest sleep, ms: the finest timer an agent of this lane keeps. */
  readonly idleTimeoutMs: number;
  /** Naps of this length instead of a wake-up per record (DutyCycleOptions.napMs). */
  readonly napMs?: number;
  /** Runs the hot functions before trading. */
  warmUp?(): Promise<void>;
}

export type LaneBuilder = (context: LaneContext) => Promise<LaneAgents>;

declare const self: Worker;

/** Runs in the worker. */
export function hostLane(build: LaneBuilder): void {
  const post = (message: FromLane) => self.postMessage(message);
  let prepared: { context: LaneContext; lane: LaneAgents } | null = null;
  self.onmessage = async (event: MessageEvent<ToLane>) => {
    try {
      if ("start" in event.data) {
        prepared = await prepareLane(event.data.start, build);
        post({ ready: true, tid: gettid() });
      } else if (prepared !== null) {
        await runLane(prepared.context, prepared.lane, post);
        post({ done: true });
      }
    } catch (error) {
      const e = error as Error;
      post({ failed: e.message, stack: e.stack ?? "" });
    }
  };
}

/** Builds and warms a lane in the calling thread. */
export async function prepareLane(start: LaneStart, build: LaneBuilder) {
  nameLane(start.placement.name);
  const context = new LaneContext(start);
  const lane = await build(context);
  await lane.warmUp?.();
  return { context, lane };
}

/** Runs until the stop word. `sharesThread`: others need this thread's event loop, so the lane never blocks it. */
export async function runLane(
  context: LaneContext,
  lane: LaneAgents,
  post: (m: FromLane) => void,
  sharesThread = false,
): Promise<void> {
  const { placement, arena, layout } = context.start;
  for (const role of placement.agents) context.telemetry(role).reset();
  const vitals = context.telemetry(placement.agents[0]!).vitals;
  vitals[VITAL_THREAD_ID] = gettid();
  countCollections(vitals);
  raisePriority(context);
  if (placement.cpu >= 0) {
    const { tid, result } = pinLane(placement.cpu);
    post({ pinned: true, tid, error: result.ok ? null : result.error });
  }
  const cycle = new DutyCycle({
    agents: lane.agents,
    wait: placement.wait,
    ownsSocket: lane.ownsSocket || sharesThread,
    arena,
    doorbell: new Doorbell(arena, layout.doorbells[placement.name]!),
    vitals,
    monotonicNs,
    idleTimeoutMs: lane.idleTimeoutMs,
    napMs: lane.napMs ?? 0,
    stopWord: placement.name === "writer" ? WRITER_STOP_WORD_I32 : STOP_WORD_I32,
  });
  context.log.log(LOG_INFO, 0, `lane ${placement.name} runs (${placement.wait})`);
  await cycle.run();
}

/** A hot lane that wakes its peer by a send would otherwise be preempted by it in the middle of the send. */
function raisePriority(context: LaneContext): void {
  const { nice } = context.start.settings.lanes;
  if (nice === 0 || context.start.placement.name === "writer") return;
  const result = setNice(gettid(), nice);
  if (!result.ok) context.log.log(LOG_INFO, 0, `runs at usual priority: ${result.error}`);
}
