// What a strategy is: a name, a parameter schema, topic patterns, and either callbacks, a stateless quoter, or
// both. `defineStrategy` checks the definition once and gives it back typed; running it is the runner's job.
import type { StrategyContext } from "./context.ts";
import { type ParamsSchema, schemaProblems } from "./params.ts";
import type { Quotes } from "./quotes.ts";
import { patternBits } from "./topics.ts";

/**
 * How the runner turns wanted quotes into requests.
 * `amend`: one modify per moved order; `cancel-replace`: cancel, and place anew when the cancel is proven.
 */
export type ReplacePolicy = "amend" | "cancel-replace";

export interface QuotePolicy {
  readonly replace?: ReplacePolicy;
  /** An order this near to what is wanted stays, in ticks: |Δpx| < minMoveTicks. Default 1 (any move). */
  readonly minMoveTicks?: number;
  /** Name of an int parameter that replaces minMoveTicks at run time. */
  readonly minMoveParam?: string;
  /** Places and modifies per decision. Default 8. */
  readonly maxRequests?: number;
  /** gtx (post only) by default. */
  readonly tif?: "gtx" | "gtc";
}

export interface StrategyDefinition<P extends ParamsSchema = ParamsSchema> {
  /** a-z, 0-9, -; how configuration and messages name the kind of strategy. */
  readonly name: string;
  readonly params: P;
  /** Topic patterns (topics.ts); they decide which callbacks run and when the quoter looks again. */
  readonly subscribe: readonly string[];
  /** Outputs of the strategy's factor graph, in the order in which ctx.factors holds them. */
  readonly factors?: readonly string[];
  /** External signals, in the order in which ctx.alphas holds them. */
  readonly alphas?: readonly string[];
  /** system.tick comes at multiples of this, ms (or of the engine's timer, if that is slower). Default: each timer. */
  readonly tickMs?: number;
  /** Name of an int parameter, in ms, that replaces tickMs at run time. */
  readonly tickParam?: string;
  readonly policy?: QuotePolicy;
  /**
   * Stateless quoter: fills `out` with the complete set of wanted orders of ctx.instrument. Called when a
   * subscribed event of that instrument ended, and only while its book is synced and fresh.
   */
  readonly quote?: (ctx: StrategyContext<P>, out: Quotes) => void;
  readonly onStart?: (ctx: StrategyContext<P>) => void;
  /** Once per event with new factor values. */
  readonly onSignal?: (ctx: StrategyContext<P>) => void;
  readonly onTrade?: (ctx: StrategyContext<P>) => void;
  /** Once per depth event, with ctx.book up to date (orderbook.*), or with a new Bbo (market_data.bbo). */
  readonly onBook?: (ctx: StrategyContext<P>) => void;
  /** A report or fill of an own order: ctx.order… says what happened. */
  readonly onOrder?: (ctx: StrategyContext<P>) => void;
  readonly onTick?: (ctx: StrategyContext<P>) => void;
  readonly onStop?: (ctx: StrategyContext<P>) => void;
}

/** A definition of any parameters, as registries and runners hold it. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds definitions of every schema; P is contravariant in callbacks
export type AnyStrategy = StrategyDefinition<any>;

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const CALLBACKS = [
  "quote",
  "onStart",
  "onSignal",
  "onTrade",
  "onBook",
  "onOrder",
  "onTick",
  "onStop",
] as const;

/** Throws RangeError with one line per problem of the definition. */
export function defineStrategy<const P extends ParamsSchema>(
  definition: StrategyDefinition<P>,
): StrategyDefinition<P> {
  const problems = definitionProblems(definition);
  if (problems.length > 0) throw new RangeError(`strategy ${definition.name}:\n${problems.join("\n")}`);
  return definition;
}

/** Also for what a module exports: `value` may be anything. */
export function definitionProblems(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return ["expected the result of defineStrategy({ … })"];
  const definition = value as Partial<AnyStrategy>;
  const problems: string[] = [];
  if (typeof definition.name !== "string" || !NAME.test(definition.name))
    problems.push(`name: expected 1 … 32 characters a-z, 0-9, -`);
  if (typeof definition.params !== "object" || definition.params === null)
    problems.push("params: expected a table");
  else problems.push(...schemaProblems(definition.params));
  if (!Array.isArray(definition.subscribe)) problems.push("subscribe: expected topic patterns");
  else
    for (const pattern of definition.subscribe)
      if (patternBits(String(pattern), "") < 0) problems.push(`subscribe: no topic matches "${pattern}"`);
  for (const name of CALLBACKS)
    if (definition[name] !== undefined && typeof definition[name] !== "function")
      problems.push(`${name}: expected a function`);
  for (const key of [definition.tickParam, definition.policy?.minMoveParam])
    if (key !== undefined && definition.params?.[key]?.type !== "int")
      problems.push(`${key}: expected the name of an int parameter`);
  return problems;
}
