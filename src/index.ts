// What a user's own program or strategy module imports as "hotlane". Everything else is internal.

// Embedding: the whole engine inside a program of your own.
export { EngineError } from "./engine/engine-error.ts";
export { type EngineHooks, type EngineLog, LiveEngine } from "./engine/live-engine.ts";
export type { EngineSettings } from "./engine/settings.ts";
export type { SessionSummary } from "./engine/summary.ts";
// Factor graphs: node types of your own ([graph] module), graphs from code, values from event rows.
export type { InstrumentContext } from "./factor/context.ts";
export { FactorGraph } from "./factor/graph.ts";
export type { NodeType, ParamSpec as NodeParamSpec, Step } from "./factor/node-type.ts";
export { type BatchColumns, type BatchOptions, updateBatch } from "./factor/update-batch.ts";
export { defineNode, type UserNode } from "./factor/user-nodes.ts";
export type { L2Book } from "./market/l2-book.ts";
export { NO_ORDER } from "./order/order-table.ts";
export { STORM_HALT, STORM_NORMAL, STORM_STORM, STORM_WARM } from "./risk/storm-guard.ts";
export type { StrategyContext } from "./strategy/context.ts";
export {
  type AnyStrategy,
  defineStrategy,
  type QuotePolicy,
  type ReplacePolicy,
  type StrategyDefinition,
} from "./strategy/define-strategy.ts";
export type { ParamSpec, ParamsSchema, ParamValues } from "./strategy/params.ts";
export type { Quotes } from "./strategy/quotes.ts";
export {
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_CANCEL,
  ORDER_PENDING_MODIFY,
  ORDER_PENDING_NEW,
  ORDER_REJECTED,
  ORDER_UNKNOWN,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
  TIF_FOK,
  TIF_GTC,
  TIF_GTX,
  TIF_IOC,
} from "./wire/codes.ts";
