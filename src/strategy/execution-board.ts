// Positions, results and states for display, written to a board once per timer. No decision reads it.
// Hot part: execution lane; 0 bytes; O(strategies × instruments).
//
//   | kill, reconciled, storm, live, owed, tsNs, accountResultE8, dailyLossE8, drawdownE8, walletE8, … 16 |
//   | per strategy: state, live, resultE8, (spare) |
//   | per (strategy, instrument): qty, cost, realizedHi, realizedLo, feesHi, feesLo, unrealized, mark |
import { limbsToBigInt } from "../core/two-limb.ts";
import type { Ledger } from "../order/ledger.ts";
import type { OrderTable } from "../order/order-table.ts";
import type { Gate } from "../risk/gate.ts";
import type { LossGuard } from "../risk/loss-guard.ts";
import type { MarginAccount } from "../risk/margin.ts";
import type { StormGuard } from "../risk/storm-guard.ts";

const HEAD = 16;
const PER_STRATEGY = 4;
const PER_PAIR = 8;

/** A block of values under a sequence lock (lane/board.ts), or anything alike. */
export interface Board {
  readonly values: Float64Array;
  begin(): void;
  end(): void;
}

/** `strategies` and `instruments`: numbers of ids, 0 included. */
export function executionBoardSlots(strategies: number, instruments: number): number {
  return HEAD + strategies * PER_STRATEGY + strategies * instruments * PER_PAIR;
}

export interface BoardParts {
  readonly gate: Gate;
  readonly table: OrderTable;
  readonly ledger: Ledger;
  readonly loss: LossGuard;
  readonly storm: StormGuard;
  readonly margin: MarginAccount;
}

export class ExecutionBoard {
  private readonly board: Board;
  private readonly parts: BoardParts;

  constructor(board: Board, parts: BoardParts) {
    this.board = board;
    this.parts = parts;
  }

  write(nowNs: number): void {
    const { gate, table, ledger, loss, storm, margin } = this.parts;
    const v = this.board.values;
    this.board.begin();
    v[0] = gate.killState;
    v[1] = gate.reconciled ? 1 : 0;
    v[2] = storm.state;
    v[3] = table.liveCount;
    v[4] = table.owedCount;
    v[5] = nowNs;
    v[6] = ledger.accountResultE8;
    v[7] = loss.dailyLossE8;
    v[8] = loss.drawdownE8;
    v[9] = margin.walletE8;
    const strategies = ledger.strategies;
    const pairsAt = HEAD + strategies * PER_STRATEGY;
    for (let s = 0; s < strategies; s++) {
      const at = HEAD + s * PER_STRATEGY;
      v[at] = gate.strategyState[s];
      v[at + 1] = table.liveOfStrategy[s];
      v[at + 2] = ledger.strategyResultE8[s];
      for (let i = 1; i < ledger.instruments; i++) this.writePair(v, pairsAt, s, i);
    }
    this.board.end();
  }

  private writePair(v: Float64Array, pairsAt: number, strategy: number, instrument: number): void {
    const ledger = this.parts.ledger;
    const pair = ledger.pair(strategy, instrument);
    const at = pairsAt + pair * PER_PAIR;
    v[at] = ledger.qtyLots[pair];
    v[at + 1] = ledger.costTickLots[pair];
    v[at + 2] = ledger.realized.hi[pair];
    v[at + 3] = ledger.realized.lo[pair];
    v[at + 4] = ledger.fees.hi[pair];
    v[at + 5] = ledger.fees.lo[pair];
    v[at + 6] = ledger.unrealizedTickLots(strategy, instrument);
    v[at + 7] = ledger.markTicks[instrument];
  }
}

export interface AccountNow {
  readonly killState: number;
  readonly reconciled: boolean;
  readonly stormState: number;
  readonly liveOrders: number;
  readonly owedOrders: number;
  readonly tsNs: number;
  readonly resultE8: number;
  readonly dailyLossE8: number;
  readonly drawdownE8: number;
  /** NaN until known. */
  readonly walletE8: number;
}

export interface StrategyNow {
  readonly state: number;
  readonly liveOrders: number;
  readonly resultE8: number;
}

export interface PositionNow {
  readonly qtyLots: number;
  readonly costTickLots: number;
  readonly realizedTickLots: bigint;
  /** 1e-8 tick·lots. */
  readonly feesE8: bigint;
  readonly unrealizedTickLots: number;
  /** NaN until known. */
  readonly markTicks: number;
}

/** Cold: a copy of a board's values as named things. */
export class ExecutionBoardView {
  private readonly values: Float64Array;
  private readonly strategies: number;
  private readonly instruments: number;

  /** `values`: what BoardReader.read copied. */
  constructor(values: Float64Array, strategies: number, instruments: number) {
    this.values = values;
    this.strategies = strategies;
    this.instruments = instruments;
  }

  account(): AccountNow {
    const v = this.values;
    return {
      killState: v[0],
      reconciled: v[1] === 1,
      stormState: v[2],
      liveOrders: v[3],
      owedOrders: v[4],
      tsNs: v[5],
      resultE8: v[6],
      dailyLossE8: v[7],
      drawdownE8: v[8],
      walletE8: v[9],
    };
  }

  strategy(id: number): StrategyNow {
    const at = HEAD + id * PER_STRATEGY;
    return { state: this.values[at], liveOrders: this.values[at + 1], resultE8: this.values[at + 2] };
  }

  position(strategy: number, instrument: number): PositionNow {
    const v = this.values;
    const pair = strategy * this.instruments + instrument;
    const at = HEAD + this.strategies * PER_STRATEGY + pair * PER_PAIR;
    return {
      qtyLots: v[at],
      costTickLots: v[at + 1],
      realizedTickLots: limbsToBigInt(v[at + 2], v[at + 3]),
      feesE8: limbsToBigInt(v[at + 4], v[at + 5]),
      unrealizedTickLots: v[at + 6],
      markTicks: v[at + 7],
    };
  }
}
