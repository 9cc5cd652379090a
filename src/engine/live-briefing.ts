// What an operator must have seen before `--env live` sends its first order: the account as the venue states it,
// what it holds, what works there, and the limits that this session will keep. Cold: main, at start.
import type { VenueAccount } from "../venue/contract.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineLog } from "./live-engine.ts";
import type { EngineSettings } from "./settings.ts";

const ZERO = /^-?0*\.?0*$/;

/** Says it line by line. Throws EngineError when the venue does not answer: nobody trades an unseen account. */
export async function briefLiveTrading(
  account: Pick<VenueAccount, "balances" | "positions" | "openOrders" | "leverages">,
  settings: EngineSettings,
  log: EngineLog,
): Promise<void> {
  const [balances, positions, orders, leverages] = await Promise.all([
    account.balances(),
    account.positions(),
    account.openOrders(),
    account.leverages(),
  ]);
  for (const answer of [balances, positions, orders, leverages])
    if (!answer.ok) throw new EngineError(`the account cannot be shown: ${answer.message}`, 1);
  if (!balances.ok || !positions.ok || !orders.ok || !leverages.ok) return;
  const symbols = settings.instruments.map((i) => i.symbol);
  log("warn", "LIVE: real orders on this account", {
    venue: settings.venue.restUrl,
    dataDir: settings.engine.dataDir,
    strategies: settings.strategies.filter((s) => s.enabled).map((s) => s.name),
  });
  log("warn", "live account", {
    balances: balances.value.filter((b) => !ZERO.test(b.wallet)),
    leverage: Object.fromEntries(symbols.map((s) => [s, leverages.value.get(s) ?? null])),
    openOrders: orders.value.length,
  });
  log("warn", "live positions", {
    positions: positions.value
      .filter((p) => !ZERO.test(p.quantity))
      .map((p) => ({ symbol: p.symbol, quantity: p.quantity, entryPrice: p.entryPrice })),
  });
  const { account: limits, instrument, strategy } = settings.risk;
  log("warn", "live limits", { account: limits, instrument, strategy, deadManMs: settings.venue.deadManMs });
}
