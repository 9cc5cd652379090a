// Where the result came from: spread captured at the fills, the market's move on what was held, fees, funding. The parts
// add up to the account's change at the mid exactly, for every grouping. Definitions: docs/analytics.md. Cold.
import type { ResultInstrument } from "./run-result.ts";
import { hourOf, type SessionFacts } from "./session-facts.ts";

export interface PnlParts {
  readonly spread: number;
  readonly inventory: number;
  /** As a cost: + paid. */
  readonly fees: number;
  readonly funding: number;
  readonly total: number;
  readonly fills: number;
}

/** Money of a signed quantity from one price to another, ticks: what holding it gains. */
export function gainOf(one: ResultInstrument, lots: number, fromTicks: number, toTicks: number): number {
  const qty = lots * one.lotSize * one.contractSize;
  const [from, to] = [fromTicks * one.tickSize, toTicks * one.tickSize];
  return one.kind === "linear" ? qty * (to - from) : qty * (1 / from - 1 / to);
}

class Parts {
  spread = 0;
  inventory = 0;
  fees = 0;
  funding = 0;
  fills = 0;

  get value(): PnlParts {
    const { spread, inventory, fees, funding, fills } = this;
    return { spread, inventory, fees, funding, fills, total: spread + inventory - fees + funding };
  }
}

class Groups<K> {
  private readonly parts = new Map<K, Parts>();

  of(key: K): Parts {
    const known = this.parts.get(key);
    if (known !== undefined) return known;
    const made = new Parts();
    this.parts.set(key, made);
    return made;
  }

  get values(): Map<K, PnlParts> {
    return new Map([...this.parts].map(([key, parts]) => [key, parts.value]));
  }
}

/** The last mid of an instrument: what positions at the end are valued at. */
const endMid = (facts: SessionFacts, instrument: number): number => {
  const { ticks } = facts.hourMids[instrument]!;
  return ticks[ticks.length - 1]!;
};

/**
 * By a key of each fill, e.g. its strategy, instrument or the signal at its decision. The inventory part of a fill is
 * what its quantity gained from the mid at the fill to the end. `keyOfHeld`: who owns what was held at the start and
 * funding; null: leaves them out (a grouping that only fills have).
 */
export function attributePnl<K>(
  facts: SessionFacts,
  keyOfFill: (fill: number) => K,
  keyOfHeld: ((strategy: number, instrument: number) => K) | null,
): Map<K, PnlParts> {
  const { result, opening, funding } = facts;
  const { fills, instruments } = result;
  const column = (name: (typeof fills.names)[number]): Float64Array => fills.values(name);
  const [of, side, px] = [column("instrument"), column("side"), column("pxTicks")];
  const [lots, fee, mid] = [column("qtyLots"), column("fee"), column("mid0Ticks")];
  const groups = new Groups<K>();
  for (let row = 0; row < fills.rows; row++) {
    const one = instruments[of[row]!]!;
    const parts = groups.of(keyOfFill(row));
    // Without a quote at the fill, its price stands for the mid: no spread was captured, nothing is lost.
    const at = Number.isNaN(mid[row]!) ? px[row]! : mid[row]!;
    const end = endMid(facts, of[row]!);
    parts.fills++;
    parts.spread += gainOf(one, side[row]! * lots[row]!, px[row]!, at);
    parts.inventory += gainOf(one, side[row]! * lots[row]!, at, Number.isNaN(end) ? at : end);
    if (!Number.isNaN(fee[row]!)) parts.fees += fee[row]!;
  }
  if (keyOfHeld !== null) {
    for (const { strategy, instrument, lots: held } of opening) {
      const { ticks } = facts.hourMids[instrument]!;
      const gain = gainOf(instruments[instrument]!, held, ticks[0]!, endMid(facts, instrument));
      if (!Number.isNaN(gain)) groups.of(keyOfHeld(strategy, instrument)).inventory += gain;
    }
    for (const { strategy, instrument, amount } of funding)
      groups.of(keyOfHeld(strategy, instrument)).funding += amount;
  }
  return groups.values;
}

export interface PairPnl {
  readonly strategy: number;
  readonly instrument: number;
  readonly parts: PnlParts;
}

const PAIR = 65_536;

/** By strategy and instrument, in the order in which they first traded; those that only held something follow. */
export function attributeByPair(facts: SessionFacts): PairPnl[] {
  const { fills } = facts.result;
  const [by, of] = [fills.values("strategy"), fills.values("instrument")];
  const pairOf = (strategy: number, instrument: number): number => strategy * PAIR + instrument;
  const pairs = attributePnl(facts, (row) => pairOf(by[row]!, of[row]!), pairOf);
  return [...pairs].map(([pair, parts]) => ({
    strategy: Math.floor(pair / PAIR),
    instrument: pair % PAIR,
    parts,
  }));
}

/** By hour since the base: a position gains from mid to mid inside each hour. */
export function attributeByHour(facts: SessionFacts, instrument: number): Map<number, PnlParts> {
  const { result, opening, hourMids, funding } = facts;
  const one = result.instruments[instrument]!;
  const { fills } = result;
  const groups = new Groups<number>();
  const { timesNs, ticks } = hourMids[instrument]!;
  let held = opening.filter((o) => o.instrument === instrument).reduce((sum, o) => sum + o.lots, 0);
  let mid = ticks[0]!;
  let next = 1;
  const moveTo = (atNs: number, to: number): void => {
    if (!Number.isNaN(to) && !Number.isNaN(mid))
      groups.of(hourOf(atNs)).inventory += gainOf(one, held, mid, to);
    if (!Number.isNaN(to)) mid = to;
  };
  const [of, side, px] = [fills.values("instrument"), fills.values("side"), fills.values("pxTicks")];
  const [lots, fee, at] = [fills.values("qtyLots"), fills.values("fee"), fills.values("exchTsNs")];
  const fillMid = fills.values("mid0Ticks");
  for (let row = 0; row < fills.rows; row++) {
    if (of[row] !== instrument) continue;
    // A boundary belongs to the hour that ends there.
    for (; next < timesNs.length - 1 && timesNs[next]! <= at[row]!; next++)
      moveTo(timesNs[next]! - 1, ticks[next]!);
    const parts = groups.of(hourOf(at[row]!));
    const atMid = Number.isNaN(fillMid[row]!) ? px[row]! : fillMid[row]!;
    moveTo(at[row]!, atMid);
    parts.fills++;
    parts.spread += gainOf(one, side[row]! * lots[row]!, px[row]!, atMid);
    if (!Number.isNaN(fee[row]!)) parts.fees += fee[row]!;
    held += side[row]! * lots[row]!;
  }
  for (; next < timesNs.length; next++) moveTo(timesNs[next]! - 1, ticks[next]!);
  for (const f of funding) if (f.instrument === instrument) groups.of(hourOf(f.tsNs)).funding += f.amount;
  return groups.values;
}
