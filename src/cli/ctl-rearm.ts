// `ctl rearm` when nothing runs: under the data directory's lock the word is cleared and the act is audited. No
// reconciliation is possible here, and none is needed: the next start does one before anything trades.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { AuditLog } from "../control/audit-log.ts";
import { findInstance } from "../control/run-file.ts";
import { lockDataDir } from "../journal/lock-file.ts";
import { killWordPath, openKillWord } from "../risk/kill-word.ts";
import { KILL_ARMED } from "../wire/codes.ts";
import { CtlError, EXIT_FAILED, EXIT_OK } from "./ctl-session.ts";

export interface RearmOptions {
  readonly dataDir: string;
  readonly who: string;
  readonly why: string;
  readonly json: boolean;
  readonly out: (text: string) => void;
}

export const isRunning = (dataDir: string): boolean => {
  const { kind } = findInstance(resolve(dataDir));
  return kind === "running" || kind === "bad";
};

/** Throws CtlError when there is no kill word here, or somebody holds the directory. */
export function rearmOffline(options: RearmOptions): number {
  const directory = resolve(options.dataDir);
  // Neither the directory nor the word is made: a mistyped name must not look like a success.
  if (!existsSync(killWordPath(directory)))
    throw new CtlError(EXIT_FAILED, `${directory}: no kill word here (choose with --env or --data-dir)`);
  const locked = lockDataDir(directory);
  if (!locked.ok) throw new CtlError(EXIT_FAILED, locked.error);
  try {
    const message = clear(directory, options);
    options.out(options.json ? JSON.stringify({ ok: true, message }) : message);
    return EXIT_OK;
  } finally {
    locked.lock.release();
  }
}

function clear(directory: string, { who, why }: RearmOptions): string {
  const word = openKillWord(directory);
  const before = word.view();
  if (before.state === KILL_ARMED) return "the kill word is not set";
  const log = new AuditLog(directory);
  // Audited first: a word that nobody is known to have cleared is worse than a line about one that stayed.
  log.append({
    command: "rearm",
    target: "engine",
    arguments: {},
    who,
    scope: "control",
    why,
    ok: true,
    code: "done",
    message: `rearmed while nothing runs; it was set by: ${before.reason}`,
    before: before.state,
    after: KILL_ARMED,
  });
  log.close();
  word.rearm(`${who}: ${why}`, Date.now());
  return `rearmed (it was set by: ${before.reason}); the next start reconciles before it trades`;
}
