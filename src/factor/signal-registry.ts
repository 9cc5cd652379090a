// Global numbers of factor outputs: (graph instance, output name) → index, as Signal records carry it. Plain
// data, made at start and handed to EXECUTION and to the displays. Cold.
import type { Program } from "./program.ts";

export interface SignalEntry {
  readonly index: number;
  /** Name of the graph instance: unique. */
  readonly graph: string;
  readonly output: string;
  /** Instrument the graph runs on. */
  readonly instrument: number;
}

export interface SignalRegistry {
  readonly entries: readonly SignalEntry[];
  readonly count: number;
}

export interface GraphSetup {
  /** Unique name of the instance, e.g. "obi_mm_factors/BTCUSDT". */
  readonly name: string;
  readonly program: Program;
  /** Id of the instrument it runs on: whose events trigger it. */
  readonly instrument: number;
}

/** Outputs are numbered in order of graphs and of [outputs]. Throws RangeError when a name repeats. */
export function makeSignalRegistry(graphs: readonly GraphSetup[]): SignalRegistry {
  const entries: SignalEntry[] = [];
  const names = new Set<string>();
  for (const graph of graphs) {
    if (names.has(graph.name)) throw new RangeError(`two graphs are named ${graph.name}`);
    names.add(graph.name);
    for (const output of graph.program.outputs) {
      entries.push({
        index: entries.length,
        graph: graph.name,
        output: output.name,
        instrument: graph.instrument,
      });
    }
  }
  return { entries, count: entries.length };
}

/** Index of an output, or −1. */
export function signalIndex(registry: SignalRegistry, graph: string, output: string): number {
  return registry.entries.findIndex((e) => e.graph === graph && e.output === output);
}
