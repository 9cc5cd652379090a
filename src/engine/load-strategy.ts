// Strategy modules for main (schema) and the execution lane (code). A module outside the package finds
// `hotlane` as a virtual module, so that a user's folder needs no install of its own. Cold.
import { resolve } from "node:path";
import { plugin } from "bun";
import type { AnyStrategy } from "../strategy/define-strategy.ts";
import { loadStrategy } from "../strategy/load.ts";
import { EngineError } from "./engine-error.ts";
import type { StrategyStart } from "./lane-protocol.ts";

const SDK_ENTRY = resolve(import.meta.dir, "../index.ts");
let moduleIsRegistered = false;

/** `import { defineStrategy } from "hotlane"` works from any folder, in this thread. */
function registerModule(): void {
  if (moduleIsRegistered) return;
  moduleIsRegistered = true;
  plugin({
    name: "hotlane",
    setup(build) {
      build.module("hotlane", async () => ({ exports: await import(SDK_ENTRY), loader: "object" }));
    },
  });
}

/** Throws EngineError naming strategy, module and everything that is wrong with it. */
export async function loadDefinition(strategy: Pick<StrategyStart, "name" | "module">): Promise<AnyStrategy> {
  registerModule();
  try {
    return await loadStrategy(strategy.module);
  } catch (error) {
    throw new EngineError(`strategy ${strategy.name}: ${(error as Error).message}`, 2);
  }
}
