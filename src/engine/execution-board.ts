// Positions, results and states as EXECUTION holds them, for people and for the summary. Written by the
// execution lane a few times a second and at its end, read by main under the sequence lock. Cold enough: a
// refresh copies strategies × instruments × 13 numbers.
//
//   | account 12 | per strategy 4 | per (strategy, instrument) 13 | per (strategy, asset) 2: fees in other assets |
import type { BoardReader, BoardWriter } from "../lane/board.ts";
import type { Ledger } from "../order/ledger.ts";

const ACCOUNT_SLOTS = 12;
const STRATEGY_SLOTS = 4;
const PAIR_SLOTS = 13;

const FEE_SLOTS = 2;

/** Counts include id 0. */
export function executionBoardSlots(strategies: number, instruments: number, assets: number): number {
  return ACCOUNT_SLOTS + strategies * (STRATEGY_SLOTS + instruments * PAIR_SLOTS + assets * FEE_SLOTS);
}

/** What the board takes from the lane besides the ledger. */
export interface ExecutionState {
  /** 1 while the user stream is up and reconciled. */
  readonly reconciled: number;
  readonly workingOrders: number;
  /** Requests without an answer. */
  readonly inFlight: number;
  /** Fills and differences that no strategy caused: they went to house. */
  readonly unattributed: number;
  /** Storm guard level. */
  readonly storm: number;
  /** 1e-8 of the settlement currency; NaN while the wallet is unknown. */
  readonly walletE8: number;
  readonly equityE8: number;
  readonly initialMarginE8: number;
  /** As a share of price; Infinity when flat. */
  readonly liquidationDistance: number;
  strategyState(strategy: number): number;
  strategyWorkingOrders(strategy: number): number;
}

export class ExecutionBoard {
  private readonly board: BoardWriter;
  private readonly assets: number;

  /** `assets`: number of ids, 0 included. */
  constructor(board: BoardWriter, assets: number) {
    this.board = board;
    this.assets = assets;
  }

  write(ledger: Ledger, state: ExecutionState): void {
    const v = this.board.values;
    this.board.begin();
    v[0] = state.reconciled;
    v[1] = state.workingOrders;
    v[2] = state.inFlight;
    v[3] = state.unattributed;
    v[4] = state.storm;
    v[5] = ledger.accountResultE8;
    v[6] = ledger.unassignedFunding.hi[0]!;
    v[7] = ledger.unassignedFunding.lo[0]!;
    v[8] = state.walletE8;
    v[9] = state.equityE8;
    v[10] = state.initialMarginE8;
    v[11] = state.liquidationDistance;
    let at = ACCOUNT_SLOTS;
    for (let s = 0; s < ledger.strategies; s++, at += STRATEGY_SLOTS) {
      v[at] = state.strategyState(s);
      v[at + 1] = state.strategyWorkingOrders(s);
      v[at + 2] = ledger.strategyResultE8[s]!;
    }
    for (let s = 0; s < ledger.strategies; s++) {
      for (let i = 0; i < ledger.instruments; i++, at += PAIR_SLOTS) this.writePair(v, at, ledger, s, i);
    }
    for (let s = 0; s < ledger.strategies; s++) {
      for (let asset = 0; asset < this.assets; asset++, at += FEE_SLOTS) {
        const slot = ledger.otherFeeSlot(s, asset);
        v[at] = ledger.otherFees.hi[slot]!;
        v[at + 1] = ledger.otherFees.lo[slot]!;
      }
    }
    this.board.end();
  }

  private writePair(v: Float64Array, at: number, ledger: Ledger, strategy: number, instrument: number): void {
    const pair = ledger.pair(strategy, instrument);
    v[at] = ledger.qtyLots[pair]!;
    v[at + 1] = ledger.costTickLots[pair]!;
    v[at + 2] = ledger.realized.hi[pair]!;
    v[at + 3] = ledger.realized.lo[pair]!;
    v[at + 4] = ledger.fees.hi[pair]!;
    v[at + 5] = ledger.fees.lo[pair]!;
    v[at + 6] = ledger.funding.hi[pair]!;
    v[at + 7] = ledger.funding.lo[pair]!;
    v[at + 8] = ledger.unrealizedTickLots(strategy, instrument);
    v[at + 9] = ledger.markTicks[instrument]!;
    v[at + 10] = ledger.volumeLots[pair]!;
    v[at + 11] = ledger.fillCount[pair]!;
    v[at + 12] = ledger.makerCount[pair]!;
  }
}

export interface PairNow {
  readonly strategy: number;
  readonly instrument: number;
  readonly qtyLots: number;
  readonly costTickLots: number;
  /** Exact sums as BigInt: tick·lots, and 1e-8 tick·lots for fees and funding. */
  readonly realized: bigint;
  readonly fees: bigint;
  readonly funding: bigint;
  readonly unrealizedTickLots: number;
  readonly markTicks: number;
  readonly volumeLots: number;
  readonly fills: number;
  readonly makerFills: number;
}

export interface AccountNow {
  readonly reconciled: boolean;
  readonly workingOrders: number;
  readonly inFlight: number;
  readonly unattributed: number;
  readonly storm: number;
  /** Funding that the venue stated for the account as a whole, 1e-8 of the settlement currency. */
  readonly fundingE8: bigint;
  /** 1e-8 of the settlement currency; NaN while the wallet is unknown. */
  readonly walletE8: number;
  readonly equityE8: number;
  readonly initialMarginE8: number;
  /** As a share of price; Infinity when flat. */
  readonly liquidationDistance: number;
}

const LIMB_BITS = 52n;

const twoLimbs = (v: Float64Array, at: number): bigint => (BigInt(v[at]!) << LIMB_BITS) + BigInt(v[at + 1]!);

/** Main's view. Keeps the last consistent copy when the writer is busy. */
export class ExecutionBoardView {
  private readonly reader: BoardReader;
  private readonly strategies: number;
  private readonly instruments: number;
  private readonly assets: number;
  private readonly values: Float64Array;
  private readonly scratch: Float64Array;

  /** Counts include id 0. */
  constructor(reader: BoardReader, strategies: number, instruments: number, assets: number) {
    this.reader = reader;
    this.strategies = strategies;
    this.instruments = instruments;
    this.assets = assets;
    this.values = new Float64Array(reader.slots);
    this.scratch = new Float64Array(reader.slots);
  }

  refresh(): void {
    if (this.reader.read(this.scratch)) this.values.set(this.scratch);
  }

  account(): AccountNow {
    const v = this.values;
    return {
      reconciled: v[0] === 1,
      workingOrders: v[1]!,
      inFlight: v[2]!,
      unattributed: v[3]!,
      storm: v[4]!,
      fundingE8: twoLimbs(v, 6),
      walletE8: v[8]!,
      equityE8: v[9]!,
      initialMarginE8: v[10]!,
      liquidationDistance: v[11]!,
    };
  }

  /** STRATEGY_… code. */
  strategyState(strategy: number): number {
    return this.values[ACCOUNT_SLOTS + strategy * STRATEGY_SLOTS]!;
  }

  strategyWorkingOrders(strategy: number): number {
    return this.values[ACCOUNT_SLOTS + strategy * STRATEGY_SLOTS + 1]!;
  }

  pair(strategy: number, instrument: number): PairNow {
    const pairs = ACCOUNT_SLOTS + this.strategies * STRATEGY_SLOTS;
    const at = pairs + (strategy * this.instruments + instrument) * PAIR_SLOTS;
    const v = this.values;
    const sum = (slot: number) => twoLimbs(v, at + slot);
    return {
      strategy,
      instrument,
      qtyLots: v[at]!,
      costTickLots: v[at + 1]!,
      realized: sum(2),
      fees: sum(4),
      funding: sum(6),
      unrealizedTickLots: v[at + 8]!,
      markTicks: v[at + 9]!,
      volumeLots: v[at + 10]!,
      fills: v[at + 11]!,
      makerFills: v[at + 12]!,
    };
  }

  /** Fees that were not paid in the settlement currency, 1e-8 of the asset, by its id; those without any left out. */
  otherFees(): Map<number, bigint> {
    const fees = new Map<number, bigint>();
    const first = ACCOUNT_SLOTS + this.strategies * (STRATEGY_SLOTS + this.instruments * PAIR_SLOTS);
    for (let s = 0; s < this.strategies; s++) {
      for (let asset = 0; asset < this.assets; asset++) {
        const paid = twoLimbs(this.values, first + (s * this.assets + asset) * FEE_SLOTS);
        if (paid !== 0n) fees.set(asset, (fees.get(asset) ?? 0n) + paid);
      }
    }
    return fees;
  }

  /** Pairs that ever traded or hold something. */
  pairs(): PairNow[] {
    const found: PairNow[] = [];
    for (let s = 0; s < this.strategies; s++) {
      for (let i = 1; i < this.instruments; i++) {
        const pair = this.pair(s, i);
        if (pair.fills > 0 || pair.qtyLots !== 0 || pair.realized !== 0n || pair.funding !== 0n)
          found.push(pair);
      }
    }
    return found;
  }
}
