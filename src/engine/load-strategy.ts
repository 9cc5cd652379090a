// Strategy modules for main (schema) and the execution lane (code). A module outside the package finds
// `hotlane` through a resolver, so that a user's folder needs no install of its own. Cold.
import { resolve } from "node:path";
import { plugin } from "bun";
import type { AnyStrategy } from "../strategy/define-strategy.ts";
import { loadStrategy } from "../strategy/load.ts";
import { EngineError } from "./engine-error.ts";
import type { StrategyStart } from "./lane-protocol.ts";

const SDK_ENTRY = resolve(import.meta.dir, "../index.ts");
let resolverIsRegistered = false;

/** `import { defineStrategy } from "hotlane"` works from any folder, in this thread. */
function registerResolver(): void {
  if (resolverIsRegistered) return;
  resolverIsRegistered = true;
  plugin({
    name: "hotlane",
    setup(build) {
      build.onResolve({ filter: /^hotlane$/ }, () => ({ path: SDK_ENTRY }));
    },
  });
}

/** Throws EngineError naming strategy, module and everything that is wrong with it. */
export async function loadDefinition(strategy: Pick<StrategyStart, "name" | "module">): Promise<AnyStrategy> {
  registerResolver();
  try {
    return await loadStrategy(strategy.module);
  } catch (error) {
    throw new EngineError(`strategy ${strategy.name}: ${(error as Error).message}`, 2);
  }
}
