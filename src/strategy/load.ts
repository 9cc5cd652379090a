// From the `module` of a configured strategy to its definition. Cold; the only place that imports user code.
import { BUILTIN_STRATEGIES } from "./builtin/index.ts";
import { type AnyStrategy, definitionProblems } from "./define-strategy.ts";

const BUILTIN = "builtin:";

/**
 * `module`: "builtin:NAME" or an absolute path whose default export is what defineStrategy returned.
 * Throws Error naming the module and what is wrong with it.
 */
export async function loadStrategy(module: string): Promise<AnyStrategy> {
  if (module.startsWith(BUILTIN)) {
    const definition = BUILTIN_STRATEGIES[module.slice(BUILTIN.length)];
    if (definition !== undefined) return definition;
    const known = Object.keys(BUILTIN_STRATEGIES).map((name) => BUILTIN + name);
    throw new Error(`${module}: no such strategy; known: ${known.join(", ")}`);
  }
  const exported = await importDefault(module);
  const problems = definitionProblems(exported);
  if (problems.length > 0)
    throw new Error(`${module}: default export is no strategy:\n${problems.join("\n")}`);
  return exported as AnyStrategy;
}

async function importDefault(module: string): Promise<unknown> {
  try {
    const loaded: { readonly default?: unknown } = await import(module);
    return loaded.default;
  } catch (error) {
    throw new Error(
      `${module}: cannot be imported: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
