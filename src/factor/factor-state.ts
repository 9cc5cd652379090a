// The one arena of a factor lane: contexts of all instruments and states of all graphs in a single
// Float64Array, planned term by term at start. Cold; what it makes is hot.
//
//   | handler words | due times of graphs | alphas | context of instrument 1, 2, … | graph 1, 2, … |
import { AlphaBoard } from "./alpha-board.ts";
import {
  type ContextConfig,
  type ContextInstrument,
  contextTerms,
  contextWords,
  DEFAULT_CONTEXT,
  InstrumentContext,
} from "./context.ts";
import { addNeeds, alphaNames, GraphInstance, mergeContexts, programWords } from "./program.ts";
import type { GraphSetup } from "./signal-registry.ts";

/** [0] logical time of the last record, −1 before any (0 is midnight). The others: where a lane stands in the journal. */
export const HANDLER_WORDS = 8;
const BEFORE_ALL_NS = -1;
/** Sequence of the last market record that was not a further level of an open event; −1 = none yet. */
export const WORD_SEQUENCE = 1;
/** Nonce of the session whose market stream that is (0 = not a live session). */
export const WORD_NONCE_LO = 2;
export const WORD_NONCE_HI = 3;

export interface FactorStateOptions {
  readonly instruments: readonly ContextInstrument[];
  readonly graphs: readonly GraphSetup[];
  /** External signals in the order of their indexes; those that only graphs name follow. */
  readonly alphas?: readonly string[];
  /** Capacities for every context; what graphs ask for replaces, what their nodes need is added. */
  readonly context?: Partial<ContextConfig>;
}

export interface MemoryTerm {
  readonly what: string;
  readonly bytes: number;
}

export interface FactorState {
  readonly f64: Float64Array;
  /** First word of the graphs' due times, one each. */
  readonly dueWords: number;
  readonly alphas: AlphaBoard;
  /** In the order of the instruments given. */
  readonly contexts: readonly InstrumentContext[];
  readonly graphs: readonly GraphInstance[];
  readonly setups: readonly GraphSetup[];
  /** Derivation of the memory, for the start-up message. */
  readonly memory: readonly MemoryTerm[];
}

/** Words below which a term is not named by itself. */
const WORTH_SAYING = 128;

/** Index of the context a program's instrument name means; throws RangeError naming graph and symbol. */
function contextIndex(options: FactorStateOptions, setup: GraphSetup, symbol: string): number {
  const index = options.instruments.findIndex((i) =>
    symbol === "" ? i.id === setup.instrument : i.symbol === symbol,
  );
  if (index >= 0) return index;
  const wanted = symbol === "" ? `instrument ${setup.instrument}` : `instrument ${symbol}`;
  throw new RangeError(`graph ${setup.name} reads ${wanted}, which is not configured`);
}

/** Plans, allocates and builds everything. Throws RangeError for an instrument that is not there. */
export function makeFactorState(options: FactorStateOptions): FactorState {
  const read = options.graphs.flatMap((g) => alphaNames(g.program));
  const names = [...new Set([...(options.alphas ?? []), ...read])];
  const maps = options.graphs.map((g) => g.program.instruments.map((s) => contextIndex(options, g, s)));
  const configs = options.instruments.map((_, index) => {
    const readers = options.graphs.filter((_, k) => maps[k]!.includes(index));
    const asked = mergeContexts(readers.map((g) => g.program.context));
    let config: ContextConfig = { ...DEFAULT_CONTEXT, ...options.context, ...asked };
    options.graphs.forEach((g, k) => {
      maps[k]!.forEach((context, slot) => {
        if (context === index) config = addNeeds(config, g.program, slot);
      });
    });
    return config;
  });
  const dueWords = HANDLER_WORDS;
  let words = dueWords + options.graphs.length;
  const alphasAt = words;
  words += AlphaBoard.words(names);
  const contextsAt = configs.map((c) => take(contextWords(c)));
  const graphsAt = options.graphs.map((g) => take(programWords(g.program)));
  function take(count: number): number {
    words += count;
    return words - count;
  }
  const f64 = new Float64Array(words);
  f64[0] = BEFORE_ALL_NS;
  const alphas = new AlphaBoard(names, f64, alphasAt);
  const contexts = options.instruments.map(
    (instrument, i) => new InstrumentContext(instrument, configs[i]!, f64, contextsAt[i]!, alphas),
  );
  const graphs = options.graphs.map(
    (g, k) =>
      new GraphInstance(
        g.program,
        f64,
        graphsAt[k]!,
        maps[k]!.map((c) => contexts[c]!),
      ),
  );
  const memory = [
    ...contexts.flatMap((c) => {
      const of = (what: string, bytes: number): MemoryTerm => ({
        what: `${c.instrument.symbol}: ${what}`,
        bytes,
      });
      const terms = contextTerms(c.config).filter(([, words]) => words >= WORTH_SAYING);
      const small = contextWords(c.config) - terms.reduce((sum, [, words]) => sum + words, 0);
      return [
        of("book", c.book.bytes),
        ...terms.map(([what, words]) => of(what, words * 8)),
        of("rest", small * 8),
      ];
    }),
    ...options.graphs.map((g) => ({ what: `graph ${g.name}`, bytes: programWords(g.program) * 8 })),
  ];
  return { f64, dueWords, alphas, contexts, graphs, setups: options.graphs, memory };
}

/** One line per term and the total. */
export function memoryText(state: FactorState): string {
  const total = state.memory.reduce((sum, term) => sum + term.bytes, 0);
  const lines = state.memory.map((t) => `${t.what}: ${(t.bytes / 1024).toFixed(0)} KiB`);
  return [...lines, `factor lane: ${(total / 1024).toFixed(0)} KiB`].join("\n");
}
