// Which agents each lane is made of: the only place where `lanes` and `fused` differ. The components are the
// same; what lies between them is a ring or a pipe.
import { FusedPipe } from "../lane/pipe.ts";
import { buildExecution } from "./execution-lane.ts";
import { buildFactor } from "./factor-lane.ts";
import { buildFeed } from "./feed-lane.ts";
import type { LaneBuilder } from "./lane-host.ts";
import type { LaneName } from "./layout.ts";
import { warmUp } from "./warm-up.ts";
import { buildWriter } from "./writer-lane.ts";

/** Sleep of a lane whose agents only wait for records. */
const IDLE_MS = 50;
/** FEED looks at heartbeats, snapshots and back-off this often when no message comes. */
const FEED_POLL_MS = 10;

const BUILDERS: Readonly<Record<LaneName, LaneBuilder>> = {
  feed: async (context) => ({
    agents: [buildFeed(context, null)],
    ownsSocket: true,
    idleTimeoutMs: FEED_POLL_MS,
  }),
  factor: async (context) => {
    const { rings } = context.start.layout;
    const sink = context.producer(rings.signals, "execution");
    const factor = await buildFactor(context, sink, context.consumer(rings.market));
    return { agents: [factor.agent!, ...factor.extra], ownsSocket: false, idleTimeoutMs: IDLE_MS };
  },
  execution: async (context) => {
    const signals = context.consumer(context.start.layout.rings.signals);
    const execution = await buildExecution(context, signals, signals);
    return {
      agents: [execution.agent],
      ownsSocket: true,
      idleTimeoutMs: context.start.settings.engine.timerMs,
    };
  },
  writer: buildWriter,
  fused: async (context) => {
    const delivered = new DeliveredCount();
    const execution = await buildExecution(context, null, delivered);
    delivered.pipe = new FusedPipe(execution.entry);
    const factor = await buildFactor(context, delivered.pipe, null);
    const feed = buildFeed(context, factor.entry);
    return {
      agents: [feed, execution.agent, ...factor.extra],
      ownsSocket: true,
      idleTimeoutMs: Math.min(FEED_POLL_MS, context.start.settings.engine.timerMs),
    };
  },
};

/** A hot lane, and its warm-up through a second set of the same agents. */
const warmed =
  (build: LaneBuilder): LaneBuilder =>
  async (context) => ({ ...(await build(context)), warmUp: () => warmUp(context, BUILDERS) });

export const LANE_BUILDERS: Readonly<Record<LaneName, LaneBuilder>> = {
  feed: warmed(BUILDERS.feed),
  factor: warmed(BUILDERS.factor),
  execution: warmed(BUILDERS.execution),
  writer: BUILDERS.writer,
  fused: warmed(BUILDERS.fused),
};

/** EXECUTION is built before the pipe that will feed it. */
class DeliveredCount {
  pipe: FusedPipe | null = null;

  get sequence(): number {
    return this.pipe === null ? 0 : this.pipe.sequence;
  }
}
