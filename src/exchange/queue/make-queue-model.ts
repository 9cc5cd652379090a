// Queue models by the names that configurations use, in both modes of the backtest.
import type { QueueModelName } from "../compat/queue-models.ts";
import {
  LogProb2Queue,
  LogProbQueue,
  PowerProb2Queue,
  PowerProb3Queue,
  PowerProbQueue,
} from "./probability.ts";
import type { QueueModel } from "./queue-model.ts";
import { riskAverseQueue } from "./risk-averse.ts";

/** `lotSize`: what a lot is in the unit of the logarithm models; `n`: exponent of the power models, 1 unless given. */
export function makeQueueModel(name: QueueModelName, lotSize: number, n = 1): QueueModel {
  switch (name) {
    case "risk":
      return riskAverseQueue;
    case "log":
      return new LogProbQueue(lotSize);
    case "log2":
      return new LogProb2Queue(lotSize);
    case "power":
      return new PowerProbQueue(n);
    case "power2":
      return new PowerProb2Queue(n);
    case "power3":
      return new PowerProb3Queue(n);
  }
}
