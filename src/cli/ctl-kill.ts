// `ctl kill`: the kill word first, then everything else. Each later step may fail without undoing the first,
// and the exit code says whether anybody has confirmed that the orders are gone.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type AuditEntry, AuditLog } from "../control/audit-log.ts";
import { ControlClient, UnreachableError } from "../control/control-client.ts";
import type { CommandResult } from "../control/engine-control.ts";
import { findInstance } from "../control/run-file.ts";
import { type KillWord, openKillWord } from "../risk/kill-word.ts";
import { KILL_ARMED, KILL_EMERGENCY, KILL_KILLED } from "../wire/codes.ts";
import { CtlError, EXIT_OK, EXIT_UNSAFE, EXIT_USAGE } from "./ctl-session.ts";
import { printable } from "./ctl-tables.ts";

export interface KillOptions {
  readonly dataDir: string;
  readonly who: string;
  readonly why: string;
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly out: (text: string) => void;
}

interface KillReport {
  /** The word is stored and on disk. */
  readonly stored: boolean;
  /** The engine answered, and no order is left. */
  readonly confirmed: boolean;
  readonly ordersMayBeWorking: boolean;
  readonly messages: readonly string[];
}

const WORD_NAMES: Readonly<Record<number, string>> = {
  [KILL_ARMED]: "armed",
  [KILL_KILLED]: "killed",
  [KILL_EMERGENCY]: "emergency",
};

export async function killCommand(options: KillOptions): Promise<number> {
  const directory = resolve(options.dataDir);
  // A mistyped directory must not be created: the kill would be believed, and nothing would stop.
  if (!existsSync(directory))
    throw new CtlError(
      EXIT_USAGE,
      `${directory}: no such data directory, NOTHING WAS KILLED (--env or --data-dir)`,
    );
  const messages: string[] = [];
  const stored = tryStore(directory, options, messages);
  audit(directory, options, stored, messages);
  const outcome = await tellEngine(directory, options, messages);
  const ordersMayBeWorking = outcome === "unknown" || (stored === null && outcome !== "confirmed");
  const report: KillReport = {
    stored: stored !== null,
    confirmed: outcome === "confirmed",
    ordersMayBeWorking,
    messages,
  };
  options.out(options.json ? JSON.stringify(report) : killText(report));
  return ordersMayBeWorking ? EXIT_UNSAFE : EXIT_OK;
}

/** The word as it was (KILL_…); null when it could not be stored. */
function tryStore(directory: string, options: KillOptions, messages: string[]): number | null {
  try {
    const word = openKillWord(directory);
    const before = word.load();
    latch(word, options, messages);
    messages.push(`kill word stored in ${word.path} (was ${WORD_NAMES[before]})`);
    return before;
  } catch (error) {
    messages.push(`THE KILL WORD COULD NOT BE STORED: ${(error as Error).message}`);
    return null;
  }
}

/** The word is set in memory that every lane shares before it goes to disk: a full disk does not undo it. */
function latch(word: KillWord, { who, why }: KillOptions, messages: string[]): void {
  try {
    word.latch(KILL_KILLED, why === "" ? who : `${why} (${who})`, Date.now());
  } catch (error) {
    if (word.load() !== KILL_KILLED) throw error;
    messages.push(`the word is not on disk yet: ${(error as Error).message}`);
  }
}

function audit(
  directory: string,
  { who, why }: KillOptions,
  stored: number | null,
  messages: string[],
): void {
  const entry: AuditEntry = {
    command: "kill",
    target: "engine",
    arguments: null,
    who,
    scope: "control",
    why,
    ok: stored !== null,
    code: stored === null ? "failed" : "done",
    message: stored === null ? "kill word not stored by ctl" : "kill word stored by ctl",
    before: stored,
    after: stored === null ? null : KILL_KILLED,
  };
  try {
    const log = new AuditLog(directory);
    log.append(entry);
    log.close();
  } catch (error) {
    messages.push(`not in the audit log: ${(error as Error).message}`);
  }
}

/** "none": nothing runs that could hold orders; "unknown": nobody could say. */
async function tellEngine(
  directory: string,
  { who, why, timeoutMs }: KillOptions,
  messages: string[],
): Promise<"confirmed" | "none" | "unknown"> {
  const found = findInstance(directory);
  if (found.kind === "none") {
    messages.push("no instance runs here; the next start begins killed");
    return "none";
  }
  if (found.kind === "bad") {
    messages.push(`the instance cannot be asked: ${found.problem}`);
    return "unknown";
  }
  if (found.kind === "stale") {
    messages.push(
      `pid ${found.run.pid} is gone; what it left at the venue ends with the dead-man's switch, if that was armed`,
    );
    return "unknown";
  }
  try {
    const answer = await new ControlClient(found.run, timeoutMs).post("/api/kill", { who, why });
    const result = answer.body as Partial<CommandResult> & { error?: { what: string } };
    messages.push(result.message ?? result.error?.what ?? `unexpected answer (HTTP ${answer.status})`);
    return result.ok === true && result.ordersMayBeWorking === false ? "confirmed" : "unknown";
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    messages.push(
      `${error.message}; pid ${found.run.pid} runs and obeys the word, its cancels are not confirmed`,
    );
    return "unknown";
  }
}

function killText(report: KillReport): string {
  const head = report.confirmed ? "killed, confirmed" : report.stored ? "killed" : "NOT KILLED";
  const lines = [head, ...report.messages.map((message) => `  ${message}`)];
  if (report.ordersMayBeWorking) lines.push("  ORDERS MAY BE WORKING at the venue: look there");
  return lines.map(printable).join("\n");
}
