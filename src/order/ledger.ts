// Positions and results per (strategy, instrument) by average cost; strategy 0 is `house`: what the venue did
// to the account and no strategy asked for. Integers throughout: quantity in lots, cost and realised result
// in tick·lots, fees in 1e-8 tick·lots (in 1e-8 of the asset when paid in another one), sums in two limbs.
// Inverse contracts: 1e-8 of the coin wherever it says tick·lots; an execution is worth a whole number of them
// (contract-value.ts), the cost of a long position is minus its coins, and all else is the same.
// Hot: execution lane; 0 bytes; O(1), except the results for limits, which are O(pairs).
//
// Reducing q lots that cost c by r lots releases trunc(c·r/q) of the cost, toward zero; the remainder stays in
// c, so nothing is ever lost to rounding: realised + cost always equals what was paid and received.
import { assert } from "../core/assert.ts";
import { MAX_FACTOR, mulDivTrunc, TwoLimbSums } from "../core/two-limb.ts";
import { averagePxTicks, heldValue, inverseScale, tradedValue } from "../market/contract-value.ts";
import { type Instrument, moneyUnit } from "../market/instrument.ts";
import { SIDE_BUY } from "../wire/codes.ts";

export const HOUSE = 0;
export const HOUSE_NAME = "house";
/** Asset ids are bytes (Fill.feeAsset). */
const ASSETS = 256;

/** Money units of one instrument. */
export interface MoneyScale {
  /** 1e-8 tick·lots per 1e-8 of the settlement asset: 1 / (tickSize · lotSize · contractSize). */
  readonly feeScale: number;
  /** 1e-8 of the settlement asset per tick·lot. */
  readonly unitE8: number;
  /** Asset id that fills carry when the fee is paid in the settlement asset. */
  readonly settleAsset: number;
  /** Of contract-value.ts; 0 = linear. */
  readonly inverse: number;
}

/** Throws RangeError when fees of the instrument cannot be kept exactly. */
export function moneyScale(instrument: Instrument, settleAsset: number): MoneyScale {
  const unit = moneyUnit(instrument);
  const scaled = 10n ** BigInt(unit.decimals);
  if (unit.mantissa <= 0n || scaled % unit.mantissa !== 0n || scaled / unit.mantissa > BigInt(MAX_FACTOR))
    throw new RangeError(
      `${instrument.symbol}: tick ${instrument.tickSize} × lot ${instrument.lotSize} × contract ` +
        `${instrument.contractSize} must divide 1, so that fees stay exact`,
    );
  const feeScale = Number(scaled / unit.mantissa);
  return { feeScale, unitE8: 1e8 / feeScale, settleAsset, inverse: inverseScale(instrument) };
}

export class Ledger {
  readonly strategies: number;
  readonly instruments: number;
  /** Some instrument is inverse. */
  readonly coinMargined: boolean;
  /** Index: pair(strategy, instrument). */
  readonly qtyLots: Float64Array;
  readonly costTickLots: Float64Array;
  readonly realized: TwoLimbSums;
  readonly fees: TwoLimbSums;
  /** Received − paid, 1e-8 tick·lots. */
  readonly funding: TwoLimbSums;
  readonly turnoverTickLots: TwoLimbSums;
  readonly volumeLots: Float64Array;
  readonly fillCount: Float64Array;
  readonly makerCount: Float64Array;
  /** Fees in assets other than the settlement asset, 1e-8; index: strategy · 256 + asset. */
  readonly otherFees: TwoLimbSums;
  /** Funding that the venue did not attribute to an instrument, 1e-8 of the asset; slot 0. */
  readonly unassignedFunding: TwoLimbSums;
  /** Net position of the account; index: instrument. */
  readonly netLots: Float64Array;
  /** Mark price, whole ticks; NaN until known. */
  readonly markTicks: Float64Array;
  /** Results as of the last refresh(), 1e-8 of the settlement currency: realised + unrealised + funding − fees. */
  readonly strategyResultE8: Float64Array;
  accountResultE8: number;
  /** The unrealised part of accountResultE8. */
  accountUnrealizedE8: number;
  private readonly feeScale: Float64Array;
  private readonly unitE8: Float64Array;
  private readonly inverse: Float64Array;
  private readonly settleAsset: Uint16Array;

  /** `scales[id]` for instrument ids 1 …; element 0 is not used. `strategies` counts house. */
  constructor(strategies: number, scales: readonly (MoneyScale | undefined)[]) {
    const instruments = scales.length;
    const pairs = strategies * instruments;
    this.strategies = strategies;
    this.instruments = instruments;
    this.coinMargined = scales.some((scale) => scale !== undefined && scale.inverse !== 0);
    this.qtyLots = new Float64Array(new ArrayBuffer(Math.max(pairs * 8, 4096)));
    this.costTickLots = new Float64Array(new ArrayBuffer(Math.max(pairs * 8, 4096)));
    this.realized = new TwoLimbSums(pairs);
    this.fees = new TwoLimbSums(pairs);
    this.funding = new TwoLimbSums(pairs);
    this.turnoverTickLots = new TwoLimbSums(pairs);
    this.volumeLots = new Float64Array(new ArrayBuffer(Math.max(pairs * 8, 4096)));
    this.fillCount = new Float64Array(new ArrayBuffer(Math.max(pairs * 8, 4096)));
    this.makerCount = new Float64Array(new ArrayBuffer(Math.max(pairs * 8, 4096)));
    this.otherFees = new TwoLimbSums(strategies * ASSETS);
    this.unassignedFunding = new TwoLimbSums(1);
    this.netLots = new Float64Array(new ArrayBuffer(Math.max(instruments * 8, 4096)));
    this.markTicks = new Float64Array(new ArrayBuffer(Math.max(instruments * 8, 4096))).fill(Number.NaN);
    this.strategyResultE8 = new Float64Array(new ArrayBuffer(Math.max(strategies * 8, 4096)));
    this.accountResultE8 = 0;
    this.accountUnrealizedE8 = 0;
    this.feeScale = new Float64Array(new ArrayBuffer(Math.max(instruments * 8, 4096)));
    this.unitE8 = new Float64Array(new ArrayBuffer(Math.max(instruments * 8, 4096)));
    this.inverse = new Float64Array(new ArrayBuffer(Math.max(instruments * 8, 4096)));
    this.settleAsset = new Uint16Array(new ArrayBuffer(Math.max(instruments * 2, 4096)));
    for (let i = 1; i < instruments; i++) {
      const scale = scales[i];
      if (scale === undefined) continue;
      this.feeScale[i] = scale.feeScale;
      this.unitE8[i] = scale.unitE8;
      this.inverse[i] = scale.inverse;
      this.settleAsset[i] = scale.settleAsset;
    }
  }

  pair(strategy: number, instrument: number): number {
    return strategy * this.instruments + instrument;
  }

  /** Books one execution; returns the signed change of the position in lots. */
  book(
    strategy: number,
    instrument: number,
    side: number,
    pxTicks: number,
    qtyLots: number,
    maker: boolean,
  ): number {
    const pair = this.pair(strategy, instrument);
    const lots = side === SIDE_BUY ? qtyLots : -qtyLots;
    const held = this.qtyLots[pair];
    const scale = this.inverse[instrument];
    if (held === 0 || held > 0 === lots > 0) this.open(pair, lots, pxTicks, scale);
    else this.reduce(pair, held, lots, pxTicks, scale);
    this.netLots[instrument] += lots;
    this.volumeLots[pair] += qtyLots;
    if (scale === 0) this.turnoverTickLots.addProduct(pair, pxTicks, qtyLots);
    else this.addCoins(pair, tradedValue(scale, qtyLots, pxTicks));
    this.fillCount[pair]++;
    if (maker) this.makerCount[pair]++;
    return lots;
  }

  /** `feeE8`: 1e-8 of `asset`; + paid, − rebate. */
  bookFee(strategy: number, instrument: number, asset: number, feeE8: number): void {
    if (asset === this.settleAsset[instrument])
      this.fees.addProduct(this.pair(strategy, instrument), feeE8, this.feeScale[instrument]);
    else this.otherFees.add(this.otherFeeSlot(strategy, asset), feeE8);
  }

  otherFeeSlot(strategy: number, asset: number): number {
    return strategy * ASSETS + asset;
  }

  settlesIn(instrument: number, asset: number): boolean {
    return this.settleAsset[instrument] === asset;
  }

  /** Whether every position has a mark, so that results are what they seem. */
  get isMarked(): boolean {
    for (let pair = 0; pair < this.strategies * this.instruments; pair++)
      if (this.qtyLots[pair] !== 0 && !(this.markTicks[pair % this.instruments] > 0)) return false;
    return true;
  }

  /**
   * Funding is charged on the account's net position. It belongs to the only strategy that holds a position
   * in the instrument; with several, or none, to house. `amountE8`: 1e-8 of the settlement asset, + received.
   * Instrument 0: the venue did not say which. Returns the strategy that it was booked to.
   */
  bookFunding(instrument: number, amountE8: number): number {
    if (instrument === 0) {
      this.unassignedFunding.add(0, amountE8);
      return HOUSE;
    }
    let owner = HOUSE;
    let holders = 0;
    for (let strategy = 0; strategy < this.strategies; strategy++) {
      if (this.qtyLots[this.pair(strategy, instrument)] === 0) continue;
      holders++;
      owner = strategy;
    }
    if (holders !== 1) owner = HOUSE;
    this.funding.addProduct(this.pair(owner, instrument), amountE8, this.feeScale[instrument]);
    return owner;
  }

  /** Unrealised result at the mark, tick·lots; 0 while the mark is unknown. */
  unrealizedTickLots(strategy: number, instrument: number): number {
    const pair = this.pair(strategy, instrument);
    const mark = this.markTicks[instrument];
    if (!(mark > 0)) return 0;
    return heldValue(this.inverse[instrument], this.qtyLots[pair], mark) - this.costTickLots[pair];
  }

  /** Average price of a position; NaN when flat. */
  averagePxTicks(strategy: number, instrument: number): number {
    const pair = this.pair(strategy, instrument);
    return averagePxTicks(this.inverse[instrument], this.qtyLots[pair], this.costTickLots[pair]);
  }

  /** Average price of a position that is not this ledger's. */
  pxTicksOf(instrument: number, lots: number, costTickLots: number): number {
    return averagePxTicks(this.inverse[instrument], lots, costTickLots);
  }

  /** Value of all positions of the account at their marks, 1e-8 of the settlement currency; 0 for those without one. */
  markedValueE8(): number {
    let sum = 0;
    for (let i = 1; i < this.instruments; i++) {
      const mark = this.markTicks[i];
      if (mark > 0) sum += tradedValue(this.inverse[i], Math.abs(this.netLots[i]), mark) * this.unitE8[i];
    }
    return sum;
  }

  /** Recomputes the results that limits look at. Doubles: exact to 1e-15 of the turnover. */
  refresh(): void {
    let account = this.unassignedFunding.approximate(0);
    let unrealized = 0;
    for (let strategy = 0; strategy < this.strategies; strategy++) {
      let result = 0;
      for (let instrument = 1; instrument < this.instruments; instrument++) {
        result += this.resultE8(strategy, instrument);
        unrealized += this.unrealizedTickLots(strategy, instrument) * this.unitE8[instrument];
      }
      this.strategyResultE8[strategy] = result;
      account += result;
    }
    this.accountResultE8 = account;
    this.accountUnrealizedE8 = unrealized;
  }

  /** Realised + unrealised + funding − fees of one pair, 1e-8 of the settlement currency. */
  resultE8(strategy: number, instrument: number): number {
    const pair = this.pair(strategy, instrument);
    const charges = (this.funding.approximate(pair) - this.fees.approximate(pair)) / 1e8;
    const result = this.realized.approximate(pair) + this.unrealizedTickLots(strategy, instrument);
    return (result + charges) * this.unitE8[instrument];
  }

  /** Cold: realised + funding − fees of one pair, exact, 1e-8 of the settlement currency. */
  bookedE8(strategy: number, instrument: number): bigint {
    const pair = this.pair(strategy, instrument);
    const charges = this.funding.toBigInt(pair) - this.fees.toBigInt(pair);
    return (this.realized.toBigInt(pair) * 100_000_000n + charges) / BigInt(this.feeScale[instrument]);
  }

  /** Cold. */
  tickLotsToE8(instrument: number, tickLots: bigint): bigint {
    return (tickLots * 100_000_000n) / BigInt(this.feeScale[instrument]);
  }

  /**
   * Cold: takes over what an earlier session's Position and PositionDetail records say. Adds: several strategies
   * that exist no more all end up in house.
   */
  restore(strategy: number, instrument: number, from: RestoredPosition): void {
    const pair = this.pair(strategy, instrument);
    this.netLots[instrument] += from.qtyLots;
    this.qtyLots[pair] += from.qtyLots;
    this.costTickLots[pair] += from.costTickLots;
    this.realized.addLimbs(pair, from.realizedHi, from.realizedLo);
    this.fees.addLimbs(pair, from.feesHi, from.feesLo);
  }

  /** Cold: volumes and counts belong to a session; what restoring has booked is not traffic of this one. */
  forgetTraffic(): void {
    this.volumeLots.fill(0);
    this.fillCount.fill(0);
    this.makerCount.fill(0);
    for (let pair = 0; pair < this.strategies * this.instruments; pair++)
      this.turnoverTickLots.set(pair, 0, 0);
  }

  private addCoins(pair: number, value: number): void {
    assert(value <= Number.MAX_SAFE_INTEGER, "value of an execution passed 2^53 money units");
    this.turnoverTickLots.add(pair, value);
  }

  private open(pair: number, lots: number, pxTicks: number, scale: number): void {
    const cost = this.costTickLots[pair] + heldValue(scale, lots, pxTicks);
    assert(Math.abs(cost) <= Number.MAX_SAFE_INTEGER, "cost of a position passed 2^53 money units");
    this.qtyLots[pair] += lots;
    this.costTickLots[pair] = cost;
  }

  private reduce(pair: number, held: number, lots: number, pxTicks: number, scale: number): void {
    const whole = Math.abs(held);
    const part = Math.min(Math.abs(lots), whole);
    const cost = this.costTickLots[pair];
    const released = mulDivTrunc(cost, part, whole);
    const signed = held > 0 ? part : -part;
    if (scale === 0) this.realized.addProduct(pair, signed, pxTicks);
    else this.realized.add(pair, heldValue(scale, signed, pxTicks));
    this.realized.add(pair, -released);
    this.costTickLots[pair] = cost - released;
    this.qtyLots[pair] = held - signed;
    const opened = lots + signed;
    if (opened !== 0) this.open(pair, opened, pxTicks, scale);
  }
}

/** What Position and PositionDetail records carry. */
export interface RestoredPosition {
  readonly qtyLots: number;
  readonly costTickLots: number;
  readonly realizedHi: number;
  readonly realizedLo: number;
  readonly feesHi: number;
  readonly feesLo: number;
}
