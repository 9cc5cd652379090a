// `--data F`, `--tick X`, `--lot X` for the graph's own instrument; `--data SPOT=F`, `--tick SPOT=X`, `--lot SPOT=X` for
// the others that it reads. Cold.
import { existsSync } from "node:fs";
import type { BatchInstrument } from "../factor/update-batch.ts";

/** The graph's own instrument first, or what is missing. */
export function readInputs(
  symbol: string,
  data: readonly string[],
  ticks: readonly string[],
  lots: readonly string[],
): readonly BatchInstrument[] | string {
  const sources = new Map<string, string[]>([[symbol, []]]);
  for (const text of data) {
    // A file may have "=" in its name.
    const [name, value] = existsSync(text) ? [symbol, text] : split(text, symbol);
    sources.set(name, [...(sources.get(name) ?? []), value]);
  }
  const inputs: BatchInstrument[] = [];
  for (const [name, files] of sources) {
    const where = name === symbol ? "" : `${name}=`;
    if (files.length === 0) return "--data is missing";
    const tickSize = stepOf(ticks, name, symbol);
    const lotSize = stepOf(lots, name, symbol);
    for (const [option, text] of [
      ["tick", tickSize],
      ["lot", lotSize],
    ] as const) {
      if (text === null) return `--${option} ${where === "" ? "" : `${where}X `}is missing`;
      if (!/^\d*\.?\d+$/.test(text) || !(Number(text) > 0))
        return `--${option} ${where}${text} is not a positive decimal number`;
    }
    inputs.push({ symbol: name, tickSize: tickSize!, lotSize: lotSize!, sources: files });
  }
  const known = (text: string): boolean => sources.has(split(text, symbol)[0]);
  const stray = [...ticks, ...lots].find((text) => !known(text));
  return stray === undefined ? inputs : `${stray}: there is no --data for ${split(stray, symbol)[0]}`;
}

function split(text: string, symbol: string): readonly [name: string, value: string] {
  const match = /^([A-Za-z0-9_.-]+)=(.*)$/.exec(text);
  return match === null ? [symbol, text] : [match[1]!, match[2]!];
}

/** The last one given counts; null = none. */
function stepOf(texts: readonly string[], name: string, symbol: string): string | null {
  const own = texts.map((t) => split(t, symbol)).filter(([n]) => n === name);
  return own.at(-1)?.[1] ?? null;
}
