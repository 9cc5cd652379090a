// Makers of CommandResult, so that every implementation answers alike.
import type { CommandResult, Json } from "./engine-control.ts";

export function done(message: string, state: string, before: Json = null, after: Json = null): CommandResult {
  return { ok: true, code: "done", message, state, before, after, ordersMayBeWorking: false };
}

/** The engine understood, and this is not the moment. */
export function refused(message: string, state: string): CommandResult {
  return notDone("refused", message, state, false);
}

export function invalid(message: string, state: string): CommandResult {
  return notDone("invalid", message, state, false);
}

export function noSuchStrategy(name: string, known: readonly string[]): CommandResult {
  const list = known.length === 0 ? "there is none" : `there are ${known.join(", ")}`;
  return notDone("notFound", `no strategy ${JSON.stringify(name)}: ${list}`, "unknown", false);
}

/** It was tried and did not work: unless proven otherwise, orders may be working. */
export function failed(message: string, state: string, ordersMayBeWorking = true): CommandResult {
  return notDone("failed", message, state, ordersMayBeWorking);
}

function notDone(
  code: "invalid" | "notFound" | "refused" | "failed",
  message: string,
  state: string,
  ordersMayBeWorking: boolean,
): CommandResult {
  return { ok: false, code, message, state, before: null, after: null, ordersMayBeWorking };
}
