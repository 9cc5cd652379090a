// A venue's cross-margin account in one settlement asset: wallet, average-cost positions, fees, funding and
// margin. Everything is BigInt in 1e-8 of the asset (cold: a venue keeps books per fill, not per tick), so
// the sums are exact and can stand as the oracle of the client's ledger.

export interface MarginPosition {
  qtyLots: bigint;
  /** Signed cost of the open quantity, tick·lots. */
  costTickLots: bigint;
  leverage: number;
  /** Working own orders: lots and value in tick·lots per side. */
  openBuyTickLots: bigint;
  openSellTickLots: bigint;
  readonly e8PerTickLot: bigint;
}

export function emptyPosition(e8PerTickLot: bigint, leverage: number): MarginPosition {
  return { qtyLots: 0n, costTickLots: 0n, leverage, openBuyTickLots: 0n, openSellTickLots: 0n, e8PerTickLot };
}

const absolute = (x: bigint): bigint => (x < 0n ? -x : x);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What `lots` at `pxTicks` cost, with the sign of the lots: tick·lots of a linear contract. */
export type CostOf = (lots: bigint, pxTicks: bigint) => bigint;
const linearCost: CostOf = (lots, pxTicks) => lots * pxTicks;

/**
 * Books `lots` (signed: + buy) at `pxTicks`. Returns the realised result in tick·lots: reducing r of q lots
 * releases cost·r/q rounded toward zero, the remainder stays in the cost.
 */
export function bookFill(
  position: Pick<MarginPosition, "qtyLots" | "costTickLots">,
  lots: bigint,
  pxTicks: bigint,
  costOf = linearCost,
): bigint {
  const held = position.qtyLots;
  const closes = held !== 0n && held > 0n !== lots > 0n;
  if (!closes) {
    position.qtyLots = held + lots;
    position.costTickLots += costOf(lots, pxTicks);
    return 0n;
  }
  const reduced = absolute(lots) < absolute(held) ? -lots : held;
  const released = (position.costTickLots * reduced) / held;
  const realized = costOf(reduced, pxTicks) - released;
  position.costTickLots -= released;
  position.qtyLots = held - reduced;
  const opened = lots + reduced;
  position.qtyLots += opened;
  position.costTickLots += costOf(opened, pxTicks);
  return realized;
}

/** Unrealised result at a mark price given in `markE8` (1e-8 ticks). */
export function unrealizedE8(position: MarginPosition, markTicksE8: bigint): bigint {
  const value = (position.qtyLots * markTicksE8) / 100_000_000n;
  return (value - position.costTickLots) * position.e8PerTickLot;
}

/** Initial margin of position and orders: the worse of all buys and all sells being filled. */
export function initialMarginE8(
  position: MarginPosition,
  markTicksE8: bigint,
  addBuy = 0n,
  addSell = 0n,
): bigint {
  const value = (position.qtyLots * markTicksE8) / 100_000_000n;
  const long = absolute(value + position.openBuyTickLots + addBuy);
  const short = absolute(value - position.openSellTickLots - addSell);
  return (larger(long, short) * position.e8PerTickLot) / BigInt(position.leverage);
}

export function positionMarginE8(position: MarginPosition, markTicksE8: bigint): bigint {
  const value = absolute((position.qtyLots * markTicksE8) / 100_000_000n);
  return (value * position.e8PerTickLot) / BigInt(position.leverage);
}
