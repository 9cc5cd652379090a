// Structured log lines on stderr, JSON or for a person's eyes. stdout belongs to results. Secrets never reach
// a line: fields with telling names are blanked whatever they hold.
import pino from "pino";
import type { EngineLog } from "../engine/live-engine.ts";

const SECRET = /secret|signature|token|password|api_?key|private|authorization|listen_?key/i;
const COLOURS = { debug: 90, info: 36, warn: 33, error: 31, fatal: 35 } as const;

/** `format` "auto" = pretty on a terminal, else JSON lines. */
export function makeLog(level: string, format: "auto" | "pretty" | "json"): EngineLog {
  const pretty = format === "pretty" || (format === "auto" && process.stderr.isTTY === true);
  const destination = pino.destination({ dest: 2, sync: true });
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return (lineLevel, message, fields = {}) => {
    const safe = redact(fields) as Record<string, unknown>;
    if (!pretty) logger[lineLevel](safe, message);
    else if (logger.isLevelEnabled(lineLevel)) process.stderr.write(prettyLine(lineLevel, message, safe));
  };
}

/** A copy in which every secret-looking field is blanked, at any depth; big integers become text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || depth > 6) return value;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) ? "[redacted]" : redact(item, depth + 1),
    ]),
  );
}

function prettyLine(level: keyof typeof COLOURS, message: string, fields: Record<string, unknown>): string {
  const time = new Date().toISOString().slice(11, 23);
  const rest = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
  return `${time} \u001b[${COLOURS[level]}m${level.padEnd(5)}\u001b[0m ${message}${rest}\n`;
}
