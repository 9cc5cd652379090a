// Orders that an orderly end has left at the venue (`shutdown --keep`, `live --upgrade --keep`), for the next session
// on the data directory to go on with. Cold: main, at start.
import type { SessionManifest } from "../journal/session-manifest.ts";
import type { ClientId } from "../order/client-id.ts";
import { ADOPTED_MOST } from "../venue/binance/adopted-orders.ts";
import type { VenueOrder } from "../venue/contract.ts";
import type { EngineSettings } from "./settings.ts";

/** Whether an order of an earlier session is kept. */
export type KeptRule = (order: VenueOrder, id: ClientId) => boolean;

/**
 * Kept are orders of a data directory whose last session has said so, of strategies that go on with the instrument:
 * nobody would look after the others. At most ADOPTED_MOST.
 */
export function keptRule(
  sessions: readonly SessionManifest[],
  strategies: EngineSettings["strategies"],
): KeptRule {
  const created = (s: SessionManifest) => BigInt(s.createdUnixNs);
  const last = sessions.reduce<SessionManifest | null>(
    (newest, s) => (newest === null || created(s) > created(newest) ? s : newest),
    null,
  );
  const kept = new Set<string>();
  return ({ symbol, orderId }, id) => {
    if (last?.ordersKept !== true) return false;
    const session = sessions.find((s) => s.nonceLo === id.nonceLo && s.nonceHi === id.nonceHi);
    const name = session?.strategies[id.strategy];
    const goesOn = strategies.some((s) => s.enabled && s.name === name && s.instruments.includes(symbol));
    if (!goesOn || (kept.size >= ADOPTED_MOST && !kept.has(orderId))) return false;
    kept.add(orderId);
    return true;
  };
}
