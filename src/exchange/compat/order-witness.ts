// What someone who keeps a record of a compat run is told. Calls are cold: per request, fill and response.
import type { CompatOrder } from "./compat-order.ts";

/** Orders are live objects of the engine: read them during the call only. Times in ns since the run's base. */
export interface OrderWitness {
  /** A new order left the trader. */
  onSubmit(order: CompatOrder, now: number): void;
  /** One execution: execTick, execQty, maker are set. */
  onFill(order: CompatOrder, ts: number): void;
  /** The exchange changed price or quantity and the order rests. */
  onAmended(order: CompatOrder, ts: number): void;
  /** The order's state left the exchange and will reach the trader at `arrival`. */
  onResponse(order: CompatOrder, arrival: number): void;
}
