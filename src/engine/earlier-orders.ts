// Orders that sessions of this data directory left at the venue (killed, or ended with --keep): cancelled
// before anything trades, because nobody watches them any more. What they did meanwhile is recovered from the
// venue's trade history by EXECUTION. Orders of others are left alone and named. Cold: main, at start.
import { type ClientId, parseClientId } from "../order/client-id.ts";
import type { VenueOrder, VenueResult } from "../venue/contract.ts";
import { EngineError } from "./engine-error.ts";

export interface EarlierOrdersOptions {
  /** Without a symbol: of all, at forty times the weight. */
  readonly openOrders: (symbol?: string) => Promise<VenueResult<VenueOrder[]>>;
  readonly cancel: (symbol: string, clientOrderId: string) => Promise<VenueResult<unknown>>;
  /** Whether an id is of a session whose journal we hold. */
  readonly isOurs: (id: ClientId) => boolean;
  readonly symbols: readonly string[];
  /** Only before anything trades: later "not of an earlier session" includes this session's own. */
  readonly nameOthers: boolean;
  readonly deadlineMs: number;
  readonly log: (level: "info" | "warn", message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

const PAUSE_MS = 20;
const EXIT_UNSAFE = 4;

/** Returns how many were open. Throws EngineError (exit 4) when they cannot be shown to be gone. */
export async function cancelEarlierOrders(options: EarlierOrdersOptions): Promise<number> {
  const deadline = performance.now() + options.deadlineMs;
  const seen = new Set<string>();
  const touched = new Set<string>();
  let problem = "";
  for (let first = true; ; ) {
    const open = first ? await options.openOrders() : await ofSymbols(touched, options);
    if (open.ok) {
      const ours = open.value.filter((order) => isEarlier(order, options));
      if (first && options.nameOthers) nameStrangers(open.value, options);
      if (ours.length === 0) return report(seen.size, options);
      if (first)
        options.log("warn", "orders of earlier sessions work at the venue: cancelling them before trading", {
          orders: ours.map((order) => `${order.symbol} ${order.clientOrderId}`),
        });
      for (const { symbol, clientOrderId } of ours) {
        seen.add(clientOrderId);
        touched.add(symbol);
        const result = await options.cancel(symbol, clientOrderId);
        if (!result.ok) problem = result.message;
      }
      first = false;
    } else problem = open.message;
    if (performance.now() > deadline)
      throw new EngineError(`orders of earlier sessions may be working: ${problem}`, EXIT_UNSAFE);
    await Bun.sleep(PAUSE_MS);
  }
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

function report(count: number, options: EarlierOrdersOptions): number {
  if (count > 0) options.log("info", `${count} orders of earlier sessions are gone from the venue`);
  return count;
}

function isEarlier(order: VenueOrder, options: EarlierOrdersOptions): boolean {
  const id = parseClientId(order.clientOrderId);
  return id !== null && options.isOurs(id);
}

function nameStrangers(orders: readonly VenueOrder[], options: EarlierOrdersOptions): void {
  const strangers = orders.filter((o) => options.symbols.includes(o.symbol) && !isEarlier(o, options));
  if (strangers.length === 0) return;
  options.log("warn", "open orders of others on our symbols: left alone, their fills go to house", {
    orders: strangers.map((order) => `${order.symbol} ${order.clientOrderId}`),
  });
}
