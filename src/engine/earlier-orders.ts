// Open orders that this session did not place, before anything trades. Those that sessions of this data
// directory left at the venue are cancelled, because nobody watches them any more; what they did meanwhile is
// recovered from the venue's trade history by EXECUTION. Only those that the session before has kept for strategies
// that go on stay, for EXECUTION to adopt. Those of nobody are handled by the configured policy. Cold: main, at start.
import { type ClientId, parseClientId } from "../order/client-id.ts";
import type { VenueOrder, VenueResult } from "../venue/contract.ts";
import { EngineError } from "./engine-error.ts";
import type { KeptRule } from "./kept-orders.ts";
import type { VenueSettings } from "./settings.ts";

export interface EarlierOrdersOptions {
  /** Without a symbol: of all, at forty times the weight. */
  readonly openOrders: (symbol?: string) => Promise<VenueResult<VenueOrder[]>>;
  readonly cancel: (symbol: string, clientOrderId: string) => Promise<VenueResult<unknown>>;
  readonly cancelAll: (symbol: string) => Promise<VenueResult<unknown>>;
  /** Whether an id is of a session whose journal we hold. */
  readonly isOurs: (id: ClientId) => boolean;
  /** Of an order of an earlier session: it was kept, and its strategy goes on with it. */
  readonly isKept: KeptRule;
  readonly symbols: readonly string[];
  /** `ignore`: once something trades, "not of an earlier session" includes this session's own. */
  readonly foreign: VenueSettings["foreignOrders"] | "ignore";
  readonly deadlineMs: number;
  readonly log: (level: "info" | "warn", message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

const PAUSE_MS = 20;
const EXIT_FAILED = 1;
const EXIT_UNSAFE = 4;
/** Cancels under way at once. */
const AT_ONCE = 16;

export interface EarlierOrdersResult {
  /** Were open and are not any more. */
  readonly gone: number;
  /** Open, for this session to go on with. */
  readonly kept: readonly VenueOrder[];
}

/**
 * Throws EngineError: orders of nobody that the policy refuses (exit 1), or orders that cannot be shown to be gone
 * (exit 4).
 */
export async function cancelEarlierOrders(options: EarlierOrdersOptions): Promise<EarlierOrdersResult> {
  const deadline = performance.now() + options.deadlineMs;
  const seen = new Set<string>();
  const touched = new Set<string>();
  let kept: readonly VenueOrder[] = [];
  let problem = "";
  for (let first = true; ; ) {
    const open = first ? await options.openOrders() : await ofSymbols(touched, options);
    if (open.ok) {
      if (first) {
        judgeForeign(open.value, options);
        kept = open.value.filter((order) => isKept(order, options));
      }
      const doomed = open.value.filter((order) => isDoomed(order, options));
      if (doomed.length === 0) return report(seen.size, kept, options);
      if (first)
        options.log("warn", "orders of earlier sessions work at the venue: cancelling them before trading", {
          orders: doomed.map(nameOf),
        });
      for (const { symbol, clientOrderId } of doomed) {
        seen.add(clientOrderId);
        touched.add(symbol);
      }
      problem = (await cancel(doomed, open.value, options)) || problem;
      first = false;
    } else problem = open.message;
    if (performance.now() > deadline)
      throw new EngineError(`orders of earlier sessions may be working: ${problem}`, EXIT_UNSAFE);
    await Bun.sleep(PAUSE_MS);
  }
}

/** One request for a symbol on which everything may go, otherwise one per order. Returns the last refusal. */
async function cancel(
  doomed: readonly VenueOrder[],
  open: readonly VenueOrder[],
  options: EarlierOrdersOptions,
): Promise<string> {
  const count = (orders: readonly VenueOrder[], symbol: string) =>
    orders.filter((order) => order.symbol === symbol).length;
  const symbols = [...new Set(doomed.map((order) => order.symbol))];
  const whole = symbols.filter((s) => options.foreign !== "ignore" && count(doomed, s) === count(open, s));
  const requests = [
    ...whole.map((symbol) => () => options.cancelAll(symbol)),
    ...doomed
      .filter((order) => !whole.includes(order.symbol))
      .map((order) => () => options.cancel(order.symbol, order.clientOrderId)),
  ];
  let problem = "";
  for (let i = 0; i < requests.length; i += AT_ONCE) {
    const results = await Promise.all(requests.slice(i, i + AT_ONCE).map((send) => send()));
    for (const result of results) if (!result.ok) problem = result.message;
  }
  return problem;
}

async function ofSymbols(
  symbols: ReadonlySet<string>,
  options: EarlierOrdersOptions,
): Promise<VenueResult<VenueOrder[]>> {
  const all: VenueOrder[] = [];
  for (const symbol of symbols) {
    const open = await options.openOrders(symbol);
    if (!open.ok) return open;
    all.push(...open.value);
  }
  return { ok: true, value: all };
}

function report(
  gone: number,
  kept: readonly VenueOrder[],
  { log }: EarlierOrdersOptions,
): EarlierOrdersResult {
  if (gone > 0) log("info", `${gone} orders of earlier sessions are gone from the venue`);
  if (kept.length > 0)
    log("warn", `${kept.length} orders that the session before kept go on with their strategies`, {
      orders: kept.map(nameOf),
    });
  return { gone, kept };
}

function isEarlier(order: VenueOrder, options: EarlierOrdersOptions): boolean {
  const id = parseClientId(order.clientOrderId);
  return id !== null && options.isOurs(id);
}

const isForeign = (order: VenueOrder, options: EarlierOrdersOptions): boolean =>
  options.symbols.includes(order.symbol) && !isEarlier(order, options);

function isKept(order: VenueOrder, options: EarlierOrdersOptions): boolean {
  const id = parseClientId(order.clientOrderId);
  return id !== null && options.isOurs(id) && options.isKept(order, id);
}

const isDoomed = (order: VenueOrder, options: EarlierOrdersOptions): boolean =>
  (isEarlier(order, options) && !isKept(order, options)) ||
  (options.foreign === "cancel" && isForeign(order, options));

function judgeForeign(orders: readonly VenueOrder[], options: EarlierOrdersOptions): void {
  const foreign = orders.filter((order) => isForeign(order, options)).map(nameOf);
  if (foreign.length === 0 || options.foreign === "ignore") return;
  if (options.foreign === "refuse")
    throw new EngineError(
      `open orders that no session of this data directory placed: ${foreign.join(", ")}\n` +
        "  cancel them at the venue, or set venue.foreign_orders to cancel or adopt (docs/orders.md)",
      EXIT_FAILED,
    );
  const message = options.foreign === "cancel" ? "they are cancelled" : "house holds them";
  options.log("warn", `open orders of nobody on our symbols: ${message}`, { orders: foreign });
}

const nameOf = (order: VenueOrder): string => `${order.symbol} ${order.clientOrderId}`;
