// EngineControl over a LiveEngine: reads from main's views, commands as Control records to EXECUTION, the kill
// word stored before anything else. Every command has its own deadline. Cold.

import type { LiveEngine } from "../engine/live-engine.ts";
import type { CommandReply } from "../engine/main-link.ts";
import {
  CONTROL_CANCEL_ALL,
  CONTROL_CLOSE_POSITIONS,
  CONTROL_PAUSE,
  CONTROL_REARM,
  CONTROL_RESUME,
  CONTROL_SET_LIMIT,
  CONTROL_SET_PARAMETER,
  CONTROL_STOP,
  KILL_ARMED,
  KILL_EMERGENCY,
  KILL_KILLED,
} from "../wire/codes.ts";
import { checkValues } from "./check-values.ts";
import { done, failed, invalid, noSuchStrategy, refused } from "./command-results.ts";
import {
  type Actor,
  ALL_STRATEGIES,
  type CommandResult,
  type EngineControl,
  type EngineReads,
  type ValuesView,
} from "./engine-control.ts";
import { LiveReads } from "./live-reads.ts";
import { StrategyValues } from "./strategy-values.ts";

const COMMAND_MS = 3_000;
const CANCEL_MS = 10_000;
const CLOSE_MS = 20_000;
const ALL = 0;

export interface ShutdownRequest {
  readonly keep: boolean;
  readonly who: string;
}

/** `onShutdown`: begins the end of the session; it must not wait for it. */
export function liveControl(
  engine: LiveEngine,
  version: string,
  onShutdown: (request: ShutdownRequest) => void,
): EngineControl {
  const values = new StrategyValues(engine.view.plan, engine.settings.risk);
  const reads = new LiveReads(engine, version, values);
  return { ...readsOf(reads), ...new LiveCommands(engine, values, reads, onShutdown).commands() };
}

function readsOf(reads: LiveReads): EngineReads {
  return {
    health: () => reads.health(),
    status: () => reads.status(),
    positions: () => reads.positions(),
    pnl: () => reads.pnl(),
    orders: (filter) => reads.orders(filter),
    fills: (limit) => reads.fills(limit),
    parameters: (strategy) => reads.parameters(strategy),
    limits: (strategy) => reads.limits(strategy),
    why: (strategy) => reads.why(strategy),
    latency: () => reads.latency(),
    metrics: () => reads.metrics(),
  };
}

class LiveCommands {
  private readonly engine: LiveEngine;
  private readonly values: StrategyValues;
  private readonly reads: LiveReads;
  private readonly onShutdown: (request: ShutdownRequest) => void;

  constructor(
    engine: LiveEngine,
    values: StrategyValues,
    reads: LiveReads,
    onShutdown: (request: ShutdownRequest) => void,
  ) {
    this.engine = engine;
    this.values = values;
    this.reads = reads;
    this.onShutdown = onShutdown;
  }

  commands(): Omit<EngineControl, keyof EngineReads> {
    return {
      pause: (s, { keepOrders }, actor) => this.strategy(CONTROL_PAUSE, s, actor, keepOrders ? 1 : 0),
      resume: (s, actor) => this.strategy(CONTROL_RESUME, s, actor),
      stop: (s, actor) => this.strategy(CONTROL_STOP, s, actor, 0, CANCEL_MS),
      cancelAll: (s, actor) => this.strategy(CONTROL_CANCEL_ALL, s, actor, 0, CANCEL_MS),
      kill: (actor) => this.kill(KILL_KILLED, actor),
      emergencyStop: (options, actor) => this.emergency(options.closePosition, actor),
      rearm: (actor) => this.rearm(actor),
      setParameters: (s, given, actor) => this.setParameters(s, given, actor),
      setLimits: (s, given, actor) => this.setLimits(s, given, actor),
      shutdown: async ({ keep }, actor) => {
        this.onShutdown({ keep, who: actor.who });
        return done(keep ? "ending; working orders stay" : "ending; orders are cancelled first", "Stopping");
      },
    };
  }

  private async strategy(
    code: number,
    strategy: string,
    actor: Actor,
    arg0 = 0,
    timeoutMs = COMMAND_MS,
  ): Promise<CommandResult> {
    const target = strategy === ALL_STRATEGIES ? ALL : this.values.id(strategy);
    if (target === null) return noSuchStrategy(strategy, this.values.names);
    const before = this.stateText(strategy);
    const reply = await this.send(code, target, actor, arg0, 0, timeoutMs);
    await this.settle();
    const after = this.stateText(strategy);
    if (reply === null) return failed("the execution lane did not answer in time", after);
    if (reply.result !== 0) return refused(`not done (result ${reply.result})`, after);
    return done(
      before === after ? `${strategy}: ${after}` : `${strategy}: ${before} → ${after}`,
      after,
      before,
      after,
    );
  }

  /** The word first; then the venue is looked at until no order is open. */
  private async kill(word: typeof KILL_KILLED | typeof KILL_EMERGENCY, actor: Actor): Promise<CommandResult> {
    const before = this.reads.kill().state;
    this.engine.killWord.latch(word, `${actor.who}: ${actor.why}`, Date.now());
    const report = await this.engine.cancelEverything(CANCEL_MS);
    const { state } = this.reads.kill();
    if (report.proven) return done("killed; the venue shows no open order", state, before, state);
    return failed(`the kill word is set, but orders may be working: ${report.error}`, state);
  }

  /** Strategies are denied from the latch on; closing begins when no order of theirs is left. */
  private async emergency(closePosition: boolean, actor: Actor): Promise<CommandResult> {
    const stopped = await this.kill(KILL_EMERGENCY, actor);
    if (!closePosition || !stopped.ok) return stopped;
    const reply = await this.send(CONTROL_CLOSE_POSITIONS, ALL, actor, 0, 0, CLOSE_MS);
    const { state } = this.reads.kill();
    if (reply === null) return failed("positions are not flat yet; closing goes on", state);
    if (reply.result !== 0) return failed("closing was ended before the positions were flat", state);
    return done("emergency stop; positions are flat, the venue shows no open order", state);
  }

  private async rearm(actor: Actor): Promise<CommandResult> {
    const { state } = this.reads.kill();
    if (state === "armed") return done("the kill word is not set", state);
    const report = await this.engine.cancelEverything(CANCEL_MS);
    if (!report.proven) return refused(`open orders cannot be ruled out: ${report.error}`, state);
    this.engine.view.refresh();
    if (!this.engine.view.execution.account().reconciled)
      return refused("the account is not reconciled", state);
    this.engine.killWord.rearm(`${actor.who}: ${actor.why}`, Date.now());
    await this.send(CONTROL_REARM, ALL, actor);
    const now = this.engine.killWord.load() === KILL_ARMED ? "armed" : state;
    return done("rearmed", now, state, now);
  }

  private async setParameters(
    strategy: string,
    given: Readonly<Record<string, string>>,
    actor: Actor,
  ): Promise<CommandResult> {
    const view = this.values.parameters(strategy);
    if (view === null) return noSuchStrategy(strategy, this.values.names);
    return this.setValues(CONTROL_SET_PARAMETER, view, given, actor, (name, text) =>
      this.values.parameterSlot(strategy, name, text),
    );
  }

  private async setLimits(
    strategy: string,
    given: Readonly<Record<string, string>>,
    actor: Actor,
  ): Promise<CommandResult> {
    const view = this.values.limits(strategy);
    if (view === null) return noSuchStrategy(strategy, this.values.names);
    return this.setValues(CONTROL_SET_LIMIT, view, given, actor, (name, text) =>
      this.values.limitSlot(name, text),
    );
  }

  /** All values are checked before the first is sent. */
  private async setValues(
    code: number,
    view: ValuesView,
    given: Readonly<Record<string, string>>,
    actor: Actor,
    slotOf: (name: string, text: string) => { readonly index: number; readonly value: number },
  ): Promise<CommandResult> {
    const { strategy } = view;
    const state = this.stateText(strategy);
    const checked = checkValues(view.schema, given);
    if (!checked.ok)
      return invalid(
        checked.problems.map((p) => `${p.where}: ${p.what}, expected ${p.expected}`).join("; "),
        state,
      );
    const before: Record<string, string> = {};
    for (const [name, text] of Object.entries(checked.values)) {
      before[name] = view.values[name] ?? "";
      const { index, value } = slotOf(name, text);
      const reply = await this.send(code, this.values.id(strategy)!, actor, index, value);
      if (reply === null) return failed(`${name}: the execution lane did not answer in time`, state, false);
      if (reply.result !== 0)
        return refused(`${name} = ${text} was not accepted (result ${reply.result})`, state);
      if (code === CONTROL_SET_LIMIT) this.values.noteLimit(strategy, name, text);
      else this.values.noteParameter(strategy, name, text);
    }
    return done("set", state, before, checked.values);
  }

  private send(
    code: number,
    target: number,
    actor: Actor,
    arg0 = 0,
    arg1 = 0,
    timeoutMs = COMMAND_MS,
  ): Promise<CommandReply | null> {
    return this.engine.link.send({ code, target, arg0, arg1, text: `${actor.who}: ${actor.why}` }, timeoutMs);
  }

  /** The board follows the reply within one of its periods. */
  private async settle(): Promise<void> {
    await Bun.sleep(60);
    this.engine.view.refresh();
  }

  private stateText(strategy: string): string {
    const { plan } = this.engine.view;
    const states = new Set(
      plan.strategies
        .filter((s) => strategy === ALL_STRATEGIES || s.name === strategy)
        .map((s) => this.reads.stateOf(s.id)),
    );
    return states.size === 1 ? [...states][0]! : "mixed";
  }
}
