// Durations as people write them: "250ms", "10s", "5m", "1h". Cold.

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86400e9,
};

/** Nanoseconds, or NaN when the text is not a positive duration of whole nanoseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return NaN;
  const ns = Number(match[1]) * UNIT_NS[match[2]!]!;
  return Number.isSafeInteger(ns) && ns > 0 ? ns : NaN;
}

/** The shortest spelling of a duration. */
export function formatDuration(ns: number): string {
  let best = `${ns}ns`;
  for (const [unit, size] of Object.entries(UNIT_NS)) if (ns % size === 0) best = `${ns / size}${unit}`;
  return best;
}
