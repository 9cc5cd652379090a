// Strategy modules for main (schema) and the execution lane (code). Cold.
import { providePackage } from "../core/package-module.ts";
import type { AnyStrategy } from "../strategy/define-strategy.ts";
import { loadStrategy } from "../strategy/load.ts";
import { EngineError } from "./engine-error.ts";
import type { StrategyStart } from "./lane-protocol.ts";

/** Throws EngineError naming strategy, module and everything that is wrong with it. */
export async function loadDefinition(strategy: Pick<StrategyStart, "name" | "module">): Promise<AnyStrategy> {
  providePackage();
  try {
    return await loadStrategy(strategy.module);
  } catch (error) {
    throw new EngineError(`strategy ${strategy.name}: ${(error as Error).message}`, 2);
  }
}
