// What strategies left behind that a later session does not have any more: that session took it over for house, whose
// own records contain it from then on. Kept apart until the first of them, so that nothing counts twice. Cold code.
import { HOUSE_NAME } from "../order/ledger.ts";
import { RISK_STATE_FUNDING, RISK_STATE_OTHER_FEES } from "../wire/codes.ts";
import type { RecoveredPosition, RecoveredRisk } from "./recovered-state.ts";

/** Names that a session has numbers for. */
export interface SessionNames {
  readonly strategies: readonly string[];
  readonly symbols: readonly string[];
}

export class HouseEstate {
  positions: RecoveredPosition[] = [];
  /** Sums of funding and of fees in other assets. */
  risk: RecoveredRisk[] = [];

  /** A session begins: what it does not know by name leaves the maps. */
  inherit(
    names: SessionNames,
    positions: Map<string, RecoveredPosition>,
    risk: Map<string, RecoveredRisk>,
  ): void {
    const isGone = (strategy: string) => !names.strategies.includes(strategy);
    for (const [key, position] of positions) {
      if (!isGone(position.strategy) || !names.symbols.includes(position.symbol)) continue;
      positions.delete(key);
      this.positions.push({ ...position, strategy: HOUSE_NAME });
    }
    for (const [key, state] of risk) {
      const isSum =
        state.code === RISK_STATE_OTHER_FEES ||
        (state.code === RISK_STATE_FUNDING && names.symbols.includes(state.symbol));
      if (!isSum || !isGone(state.strategy)) continue;
      risk.delete(key);
      this.risk.push({ ...state, strategy: HOUSE_NAME });
    }
  }

  /** House's own record of the symbol follows. */
  positionWritten(symbol: string): void {
    this.positions = this.positions.filter((position) => position.symbol !== symbol);
  }

  riskWritten(code: number, symbol: string, asset: string): void {
    this.risk = this.risk.filter((r) => r.code !== code || r.symbol !== symbol || r.asset !== asset);
  }
}
