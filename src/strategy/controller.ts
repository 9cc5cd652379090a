// States of strategies and the commands that wait for an outcome.
// Hot part (settle, once per timer and report): execution lane; 0 bytes; O(strategies + waiting commands).
//
//   Starting ──start──▶ Running ◀──resume── Paused
//      │                  │  └──pause─────────▲ │
//      │                  └──exception──▶ Error ┤ (resume: Running)
//      └────────stop──────┴──────┬─────────────┘
//                             Stopping ──nothing live──▶ Stopped (resume: Running, unless shutting down)
import type { OrderTable } from "../order/order-table.ts";
import type { Gate } from "../risk/gate.ts";
import {
  CONTROL_CANCEL_ALL,
  CONTROL_SHUTDOWN,
  CONTROL_STOP,
  STRATEGY_ERROR,
  STRATEGY_PAUSED,
  STRATEGY_RUNNING,
  STRATEGY_STARTING,
  STRATEGY_STOPPED,
  STRATEGY_STOPPING,
} from "../wire/codes.ts";
import type { OrderDesk } from "./order-desk.ts";
import type { Outputs } from "./outputs.ts";

/** Results in ControlReply. */
export const RESULT_DONE = 0;
export const RESULT_NO_SUCH_TARGET = 1;
/** Not possible in the present state. */
export const RESULT_REFUSED = 2;
export const RESULT_NO_SUCH_VALUE = 3;
export const RESULT_OUT_OF_RANGE = 4;
export const RESULT_UNKNOWN_CODE = 5;
export const RESULT_NAMES = [
  "done",
  "noSuchTarget",
  "refused",
  "noSuchValue",
  "outOfRange",
  "unknownCode",
] as const;

/** Reasons in StrategyStatus. */
export const STATUS_START = 0;
export const STATUS_COMMAND = 1;
export const STATUS_EXCEPTION = 2;
export const STATUS_DAILY_LOSS = 3;
export const STATUS_SHUTDOWN = 4;
export const STATUS_KILLED = 5;
export const STATUS_REASON_NAMES = [
  "start",
  "command",
  "exception",
  "dailyLoss",
  "shutdown",
  "killed",
] as const;

const MAX_WAITING = 64;

/** Called when a strategy reaches Stopped. */
export type StoppedHook = (strategy: number) => void;

export class Controller {
  /** True from CONTROL_SHUTDOWN on: nothing starts again. */
  shuttingDown: boolean;
  /** The session ends and its working orders stay: the end of its connections is no reason to cancel them. */
  leavesOrders: boolean;
  private readonly strategies: number;
  private readonly table: OrderTable;
  private readonly gate: Gate;
  private readonly desk: OrderDesk;
  private readonly outputs: Outputs;
  private readonly onStopped: StoppedHook;
  private readonly waitingCode: Uint32Array;
  private readonly waitingId: Uint32Array;
  private readonly waitingTarget: Uint32Array;
  private readonly waitingKeep: Uint8Array;
  private waitingCount: number;

  /** `strategies` counts house (0), which is always running. */
  constructor(
    strategies: number,
    table: OrderTable,
    gate: Gate,
    desk: OrderDesk,
    outputs: Outputs,
    hook: StoppedHook,
  ) {
    this.shuttingDown = false;
    this.leavesOrders = false;
    this.strategies = strategies;
    this.table = table;
    this.gate = gate;
    this.desk = desk;
    this.outputs = outputs;
    this.onStopped = hook;
    this.waitingCode = new Uint32Array(new ArrayBuffer(4096), 0, MAX_WAITING);
    this.waitingId = new Uint32Array(new ArrayBuffer(4096), 0, MAX_WAITING);
    this.waitingTarget = new Uint32Array(new ArrayBuffer(4096), 0, MAX_WAITING);
    this.waitingKeep = new Uint8Array(new ArrayBuffer(4096), 0, MAX_WAITING);
    this.waitingCount = 0;
  }

  state(strategy: number): number {
    return this.gate.strategyState[strategy];
  }

  /** State for a reply: the target's, or the first strategy's for target 0. */
  stateOf(target: number): number {
    return this.gate.strategyState[target === 0 ? Math.min(1, this.strategies - 1) : target];
  }

  isTarget(target: number): boolean {
    return target >= 0 && target < this.strategies;
  }

  enter(strategy: number, state: number, reason: number): void {
    const previous = this.gate.strategyState[strategy];
    if (previous === state) return;
    this.gate.strategyState[strategy] = state;
    const working = this.table.liveOfStrategy[strategy];
    this.outputs.strategyStatus(strategy, state, previous, reason, working, this.desk.nowNs);
  }

  /** False: the strategy is not in a state that can be paused. */
  pause(strategy: number, keepOrders: boolean, reason: number): boolean {
    const state = this.gate.strategyState[strategy];
    if (state === STRATEGY_STOPPING || state === STRATEGY_STOPPED) return false;
    if (state !== STRATEGY_ERROR) this.enter(strategy, STRATEGY_PAUSED, reason);
    if (!keepOrders) this.desk.requestCancelOf(strategy, 0);
    return true;
  }

  resume(strategy: number, started: boolean): boolean {
    const state = this.gate.strategyState[strategy];
    if (this.shuttingDown || state === STRATEGY_STOPPING) return false;
    if (state === STRATEGY_RUNNING) return true;
    this.enter(strategy, started ? STRATEGY_RUNNING : STRATEGY_STARTING, STATUS_COMMAND);
    return true;
  }

  stop(strategy: number, keepOrders: boolean, reason: number): void {
    const state = this.gate.strategyState[strategy];
    if (state === STRATEGY_STOPPED) return;
    this.enter(strategy, STRATEGY_STOPPING, reason);
    if (!keepOrders) this.desk.requestCancelOf(strategy, 0);
  }

  fail(strategy: number): void {
    this.enter(strategy, STRATEGY_ERROR, STATUS_EXCEPTION);
    this.desk.requestCancelOf(strategy, 0);
  }

  /** Answers when the outcome is there. False: too many commands wait already. */
  waitFor(code: number, commandId: number, target: number, keepOrders: boolean): boolean {
    if (this.waitingCount === MAX_WAITING) return false;
    const i = this.waitingCount++;
    this.waitingCode[i] = code;
    this.waitingId[i] = commandId;
    this.waitingTarget[i] = target;
    this.waitingKeep[i] = keepOrders ? 1 : 0;
    return true;
  }

  /** Stopping strategies that have nothing live are Stopped; commands whose outcome is there are answered. */
  settle(inFlight: number): void {
    for (let s = 1; s < this.strategies; s++) {
      if (this.gate.strategyState[s] !== STRATEGY_STOPPING) continue;
      if (this.table.liveOfStrategy[s] > 0 && !(this.keeps(s) && inFlight === 0)) continue;
      this.enter(s, STRATEGY_STOPPED, STATUS_COMMAND);
      this.onStopped(s);
    }
    let kept = 0;
    for (let i = 0; i < this.waitingCount; i++) {
      if (this.isSettled(i, inFlight)) this.answer(i);
      else this.move(i, kept++);
    }
    this.waitingCount = kept;
  }

  private keeps(strategy: number): boolean {
    for (let i = 0; i < this.waitingCount; i++) {
      const target = this.waitingTarget[i];
      if (this.waitingKeep[i] === 1 && (target === 0 || target === strategy)) return true;
    }
    return false;
  }

  private isSettled(i: number, inFlight: number): boolean {
    const target = this.waitingTarget[i];
    const code = this.waitingCode[i];
    if (this.waitingKeep[i] === 1) return inFlight === 0 && this.allStopped(target);
    const live = target === 0 ? this.table.liveCount : this.table.liveOfStrategy[target];
    if (code === CONTROL_CANCEL_ALL) return live === 0;
    return live === 0 && this.allStopped(target);
  }

  private allStopped(target: number): boolean {
    for (let s = 1; s < this.strategies; s++)
      if ((target === 0 || s === target) && this.gate.strategyState[s] !== STRATEGY_STOPPED) return false;
    return true;
  }

  private answer(i: number): void {
    const target = this.waitingTarget[i];
    const live = target === 0 ? this.table.liveCount : this.table.liveOfStrategy[target];
    this.outputs.controlReply(
      this.waitingCode[i],
      this.waitingId[i],
      target,
      RESULT_DONE,
      this.stateOf(target),
      live,
      0,
      this.desk.nowNs,
    );
  }

  private move(from: number, to: number): void {
    this.waitingCode[to] = this.waitingCode[from];
    this.waitingId[to] = this.waitingId[from];
    this.waitingTarget[to] = this.waitingTarget[from];
    this.waitingKeep[to] = this.waitingKeep[from];
  }
}

/** Commands that are answered when their outcome is there, not at once. */
export const isAwaited = (code: number): boolean =>
  code === CONTROL_STOP || code === CONTROL_SHUTDOWN || code === CONTROL_CANCEL_ALL;
