// Entry file of the execution lane (src/engine/lane-builders.ts says what runs in it).
import { LANE_BUILDERS } from "../src/engine/lane-builders.ts";
import { hostLane } from "../src/engine/lane-host.ts";

hostLane(LANE_BUILDERS.execution);
