// A lane in the test's own thread: the product's agents, rings and duty cycle without workers, so that coverage
// sees them. It parks in the event loop, never blocking the thread it shares.
import { LANE_BUILDERS } from "../../src/engine/lane-builders.ts";
import type { Lane, LaneEvents } from "../../src/engine/lane-handle.ts";
import { type LaneAgents, type LaneContext, prepareLane, runLane } from "../../src/engine/lane-host.ts";
import type { LaneStart } from "../../src/engine/lane-protocol.ts";
import type { LaneName } from "../../src/engine/layout.ts";

export class InlineLane implements Lane {
  readonly name: string;
  readonly ready: Promise<void>;
  private readonly events: LaneEvents;
  private readonly end = Promise.withResolvers<void>();
  private prepared: { context: LaneContext; lane: LaneAgents } | null = null;

  constructor(start: LaneStart, _entry: string, events: LaneEvents) {
    this.name = start.placement.name;
    this.events = events;
    this.ready = prepareLane(start, LANE_BUILDERS[this.name as LaneName]).then((prepared) => {
      this.prepared = prepared;
    });
  }

  get done(): Promise<void> {
    return this.end.promise;
  }

  go(): void {
    const { context, lane } = this.prepared!;
    runLane(context, lane, () => {}, true).then(
      () => this.end.resolve(),
      (error: Error) => {
        this.events.onFailed(this.name, error.message);
        this.end.resolve();
      },
    );
  }

  /** Nothing to end: a lane in this thread stops at the stop word. */
  terminate(): void {
    this.end.resolve();
  }
}
