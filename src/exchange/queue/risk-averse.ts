// Every cancellation happens behind us: the front moves only by trades, or when the level becomes smaller than
// the front itself.
import type { QueueModel } from "./queue-model.ts";

export const riskAverseQueue: QueueModel = {
  frontAfterDepth: (front, _tradedLots, _prevLots, nextLots) => Math.min(front, nextLots),
};
