// Which agents each lane is made of: the only place where `lanes` and `fused` differ. The components are the
// same; what lies between them is a ring or a pipe.
import { FusedPipe } from "../lane/pipe.ts";
import { buildFactor } from "./factor-lane.ts";
import { buildFeed } from "./feed-lane.ts";
import type { LaneAgents, LaneBuilder, LaneContext } from "./lane-host.ts";
import type { LaneName } from "./layout.ts";
import { buildWriter } from "./writer-lane.ts";

/** Sleep of a lane whose agents only wait for records. */
const IDLE_MS = 50;
/** FEED looks at heartbeats, snapshots and back-off this often when no message comes. */
const FEED_POLL_MS = 10;

export const LANE_BUILDERS: Readonly<Record<LaneName, LaneBuilder>> = {
  feed: async (context) => ({
    agents: [buildFeed(context, null)],
    ownsSocket: true,
    idleTimeoutMs: feedPollMs(context),
  }),
  factor: async (context) => {
    const { rings } = context.start.layout;
    const sink = context.producer(rings.signals, "execution");
    const factor = await buildFactor(context, sink, context.consumer(rings.market));
    return { agents: [factor.agent!], ownsSocket: false, idleTimeoutMs: IDLE_MS };
  },
  execution: buildExecutionLane,
  writer: buildWriter,
  fused: buildFusedLane,
};
