// EngineControl that leaves an audit line for every command, whatever the engine did with it. When the audit
// log cannot be written, commands that only make things safer still run; the others are refused, because
// nobody could later say who did them.
import type { AuditEntry, AuditSink } from "./audit-log.ts";
import { failed, refused } from "./command-results.ts";
import type { Actor, CommandResult, EngineCommands, EngineControl, Json } from "./engine-control.ts";

interface Call {
  readonly command: string;
  readonly target: string;
  readonly arguments: Json;
  readonly actor: Actor;
  /** May run although nobody can write it down. */
  readonly safer: boolean;
}

const ENGINE = "engine";

/** `onLost` hears of a line that could not be written (it goes to the log and the alarms). */
export function auditedControl(
  engine: EngineControl,
  audit: AuditSink,
  onLost: (command: string, error: Error) => void,
): EngineControl {
  return { ...readsOf(engine), ...auditedCommands(engine, audit, onLost) };
}

function readsOf(engine: EngineControl) {
  return {
    health: () => engine.health(),
    status: () => engine.status(),
    positions: () => engine.positions(),
    pnl: () => engine.pnl(),
    orders: (filter: Parameters<EngineControl["orders"]>[0]) => engine.orders(filter),
    fills: (limit: number) => engine.fills(limit),
    parameters: (strategy: string) => engine.parameters(strategy),
    limits: (strategy: string) => engine.limits(strategy),
    why: (strategy: string) => engine.why(strategy),
    latency: () => engine.latency(),
    metrics: () => engine.metrics(),
  };
}

function auditedCommands(
  engine: EngineCommands,
  audit: AuditSink,
  onLost: (command: string, error: Error) => void,
): EngineCommands {
  const run = (call: Call, perform: () => Promise<CommandResult>) => runAudited(call, perform, audit, onLost);
  const safer = (command: string, target: string, args: Json, actor: Actor): Call => {
    return { command, target, arguments: args, actor, safer: true };
  };
  const riskier = (command: string, target: string, args: Json, actor: Actor): Call => {
    return { command, target, arguments: args, actor, safer: false };
  };
  return {
    pause: (s, options, actor) =>
      run(safer("pause", s, { ...options }, actor), () => engine.pause(s, options, actor)),
    resume: (s, actor) => run(riskier("resume", s, null, actor), () => engine.resume(s, actor)),
    stop: (s, actor) => run(safer("stop", s, null, actor), () => engine.stop(s, actor)),
    kill: (actor) => run(safer("kill", ENGINE, null, actor), () => engine.kill(actor)),
    emergencyStop: (options, actor) =>
      run(safer("emergencyStop", ENGINE, { ...options }, actor), () => engine.emergencyStop(options, actor)),
    rearm: (actor) => run(riskier("rearm", ENGINE, null, actor), () => engine.rearm(actor)),
    setParameters: (s, values, actor) =>
      run(riskier("setParameters", s, { ...values }, actor), () => engine.setParameters(s, values, actor)),
    setLimits: (s, values, actor) =>
      run(riskier("setLimits", s, { ...values }, actor), () => engine.setLimits(s, values, actor)),
    cancelAll: (s, actor) => run(safer("cancelAll", s, null, actor), () => engine.cancelAll(s, actor)),
    shutdown: (options, actor) =>
      run(safer("shutdown", ENGINE, { ...options }, actor), () => engine.shutdown(options, actor)),
  };
}

/** Two lines: "begun" before the engine sees the command, its outcome after. */
async function runAudited(
  call: Call,
  perform: () => Promise<CommandResult>,
  audit: AuditSink,
  onLost: (command: string, error: Error) => void,
): Promise<CommandResult> {
  const lost = write(call, BEGUN, audit, onLost);
  if (lost !== null && !call.safer)
    return refused(
      `${call.command} was not done: the audit log cannot be written (${lost.message})`,
      "unchanged",
    );
  const result = await settle(call.command, perform);
  write(call, result, audit, onLost);
  return result;
}

type Outcome = Pick<AuditEntry, "ok" | "code" | "message" | "before" | "after">;
const BEGUN: Outcome = { ok: false, code: "begun", message: "", before: null, after: null };

function write(
  call: Call,
  outcome: Outcome,
  audit: AuditSink,
  onLost: (command: string, error: Error) => void,
): Error | null {
  const { command, target } = call;
  const { who, scope, why } = call.actor;
  const { ok, code, message, before, after } = outcome;
  try {
    audit.append({
      command,
      target,
      arguments: call.arguments,
      who,
      scope,
      why,
      ok,
      code,
      message,
      before,
      after,
    });
    return null;
  } catch (error) {
    onLost(command, error as Error);
    return error as Error;
  }
}

async function settle(command: string, perform: () => Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await perform();
  } catch (error) {
    return failed(`${command} failed: ${(error as Error).message}`, "unknown");
  }
}
