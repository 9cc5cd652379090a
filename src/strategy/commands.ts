// Commands of operators, as Control records bring them: pause, resume, stop, parameters, limits, cancel all,
// closing positions, shutdown, rearm. Each is answered by a ControlReply, at once or when its outcome is there.
// Owning lane: execution; cold but for its place in the record stream; 0 bytes.

import type { RecordMemory } from "../core/record.ts";
import { tradedValue } from "../market/contract-value.ts";
import { NO_ORDER } from "../order/order-table.ts";
import {
  LIMIT_OK,
  LIMIT_POSITION_NOTIONAL,
  LIMIT_POSITION_QTY,
  LIMIT_UNKNOWN,
  LIMIT_WORKING_ORDERS,
} from "../risk/limits.ts";
import {
  CONTROL_CANCEL_ALL,
  CONTROL_CLOSE_POSITIONS,
  CONTROL_PAUSE,
  CONTROL_REARM,
  CONTROL_RESUME,
  CONTROL_SET_LIMIT,
  CONTROL_SET_PARAMETER,
  CONTROL_SHUTDOWN,
  CONTROL_STOP,
  SIDE_BUY,
  SIDE_SELL,
} from "../wire/codes.ts";
import {
  CONTROL_ARG0,
  CONTROL_ARG1,
  CONTROL_CODE,
  CONTROL_COMMAND_ID,
  CONTROL_TARGET,
} from "../wire/messages.gen.ts";
import type { Closer } from "./closer.ts";
import {
  type Controller,
  isAwaited,
  RESULT_DONE,
  RESULT_NO_SUCH_TARGET,
  RESULT_NO_SUCH_VALUE,
  RESULT_OUT_OF_RANGE,
  RESULT_REFUSED,
  RESULT_UNKNOWN_CODE,
  STATUS_COMMAND,
  STATUS_SHUTDOWN,
} from "./controller.ts";
import type { ExecutionParts, RunningStrategy } from "./execution-parts.ts";
import { PARAM_OK, PARAM_UNKNOWN } from "./params.ts";

export class Commands {
  private readonly parts: ExecutionParts;
  private readonly controller: Controller;
  private readonly closer: Closer;
  private readonly start: (strategy: RunningStrategy) => void;
  private commandCode: number;
  private commandId: number;
  private commandTarget: number;
  private commandArg0: number;
  private commandArg1: number;

  constructor(
    parts: ExecutionParts,
    controller: Controller,
    closer: Closer,
    start: (strategy: RunningStrategy) => void,
  ) {
    this.closer = closer;
    this.parts = parts;
    this.controller = controller;
    this.start = start;
    this.commandCode = 0;
    this.commandId = 0;
    this.commandTarget = 0;
    this.commandArg0 = 0;
    this.commandArg1 = 0;
  }

  /** A Control record; run() follows when its text is complete. */
  read(m: RecordMemory, at: number): void {
    const w = at >> 2;
    this.commandCode = m.u32[w + CONTROL_CODE];
    this.commandId = m.u32[w + CONTROL_COMMAND_ID];
    this.commandTarget = m.u32[w + CONTROL_TARGET];
    this.commandArg0 = m.f64[(at >> 3) + CONTROL_ARG0];
    this.commandArg1 = m.f64[(at >> 3) + CONTROL_ARG1];
  }

  run(): void {
    const target = this.commandTarget;
    const code = this.commandCode;
    const result = this.controller.isTarget(target) ? this.command(code, target) : RESULT_NO_SUCH_TARGET;
    if (result === RESULT_DONE && code === CONTROL_CLOSE_POSITIONS) return;
    if (result !== RESULT_DONE || !isAwaited(code)) this.reply(code, target, result);
    else if (!this.controller.waitFor(code, this.commandId, target, this.keepsOrders()))
      this.reply(code, target, RESULT_REFUSED);
  }

  private reply(code: number, target: number, result: number): void {
    this.parts.outputs.controlReply(
      code,
      this.commandId,
      target,
      result,
      this.controller.isTarget(target) ? this.controller.stateOf(target) : 0,
      this.commandArg0,
      this.commandArg1,
      this.parts.desk.nowNs,
    );
  }

  private keepsOrders(): boolean {
    return this.commandCode !== CONTROL_CANCEL_ALL && this.commandArg0 === 1;
  }

  private command(code: number, target: number): number {
    switch (code) {
      case CONTROL_PAUSE:
      case CONTROL_RESUME:
      case CONTROL_STOP:
      case CONTROL_SHUTDOWN:
        return this.forTargets(code, code === CONTROL_SHUTDOWN ? 0 : target);
      case CONTROL_SET_PARAMETER:
        return this.setParameter(target);
      case CONTROL_SET_LIMIT:
        return this.setLimit(target);
      case CONTROL_CANCEL_ALL:
        if (target === 0) this.parts.desk.requestCancelAll();
        else this.parts.desk.requestCancelOf(target, 0);
        return RESULT_DONE;
      case CONTROL_CLOSE_POSITIONS:
        return this.closer.begin(this.commandId);
      case CONTROL_REARM:
        return this.rearm();
      default:
        return RESULT_UNKNOWN_CODE;
    }
  }

  private forTargets(code: number, target: number): number {
    const keep = this.keepsOrders();
    let result = RESULT_DONE;
    if (code === CONTROL_SHUTDOWN) {
      this.controller.shuttingDown = true;
      this.controller.leavesOrders = keep;
      if (!keep) this.parts.desk.requestCancelAll();
    }
    for (const strategy of this.parts.strategies) {
      if (target !== 0 && strategy.id !== target) continue;
      if (code === CONTROL_PAUSE && !this.controller.pause(strategy.id, keep, STATUS_COMMAND))
        result = RESULT_REFUSED;
      if (code === CONTROL_RESUME && !this.resume(strategy)) result = RESULT_REFUSED;
      if (code === CONTROL_STOP) this.controller.stop(strategy.id, keep, STATUS_COMMAND);
      if (code === CONTROL_SHUTDOWN) this.controller.stop(strategy.id, keep, STATUS_SHUTDOWN);
    }
    return result;
  }

  private resume(strategy: RunningStrategy): boolean {
    if (!this.controller.resume(strategy.id, strategy.started)) return false;
    this.start(strategy);
    return true;
  }

  private setParameter(target: number): number {
    if (target === 0) return RESULT_NO_SUCH_TARGET;
    const strategy = this.parts.strategies[target - 1];
    const set = strategy.params.set(this.commandArg0, this.commandArg1);
    if (set !== PARAM_OK) return set === PARAM_UNKNOWN ? RESULT_NO_SUCH_VALUE : RESULT_OUT_OF_RANGE;
    this.refreshPolicy(strategy);
    strategy.nextTickNs = 0;
    return RESULT_DONE;
  }

  /** Parameters that the runner itself reads. */
  refreshPolicy(strategy: RunningStrategy): void {
    const name = strategy.definition.policy?.minMoveParam;
    if (name !== undefined)
      strategy.policy.minMoveTicks = (strategy.params.values as Record<string, number>)[name];
  }

  /** Working orders that a lowered limit no longer covers are cancelled; the position may only shrink. */
  private setLimit(target: number): number {
    const limit = this.commandArg0;
    const set = this.parts.limits.setStrategyLimit(target, limit, this.commandArg1);
    if (set !== LIMIT_OK) return set === LIMIT_UNKNOWN ? RESULT_NO_SUCH_VALUE : RESULT_OUT_OF_RANGE;
    if (limit === LIMIT_POSITION_NOTIONAL || limit === LIMIT_POSITION_QTY) this.cancelExcess(target);
    if (limit === LIMIT_WORKING_ORDERS) this.cancelBeyond(target, this.commandArg1);
    return RESULT_DONE;
  }

  /** Keeps the oldest of each side, up to `most` orders in all. */
  private cancelBeyond(strategy: number, most: number): void {
    const { table, desk } = this.parts;
    let kept = 0;
    for (let i = 1; i < this.parts.instrumentCount; i++)
      for (let side = SIDE_BUY; side <= SIDE_SELL; side++)
        for (let o = table.head(strategy, i, side); o !== NO_ORDER; o = table.next[o])
          if (kept++ >= most) desk.requestCancel(o);
  }

  private cancelExcess(strategy: number): void {
    const { ledger, limits, table, market, desk } = this.parts;
    for (let i = 1; i < this.parts.instrumentCount; i++) {
      const pair = ledger.pair(strategy, i);
      const mid = market.midTicks(i);
      const reference = mid > 0 ? mid : ledger.markTicks[i];
      for (let side = SIDE_BUY; side <= SIDE_SELL; side++) {
        const sign = side === SIDE_BUY ? 1 : -1;
        const worst = sign * ledger.qtyLots[pair] + table.openLots[table.pairSide(strategy, i, side)];
        const value = tradedValue(limits.inverse[i], worst, reference);
        if (worst <= limits.positionLots[pair] && !(value > limits.positionTickLots[pair])) continue;
        for (let o = table.head(strategy, i, side); o !== NO_ORDER; o = table.next[o]) desk.requestCancel(o);
      }
    }
  }

  /** Main clears the word, which arrives as an observation; losses so far are accepted, guards start anew. */
  private rearm(): number {
    const { gate, loss, ledger, table } = this.parts;
    if (!gate.reconciled || table.liveCount > 0) return RESULT_REFUSED;
    this.parts.latched = 0;
    ledger.refresh();
    loss.rearm(ledger);
    return RESULT_DONE;
  }
}
