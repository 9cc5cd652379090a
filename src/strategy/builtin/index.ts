// Strategies that come with hotlane; configuration names them "builtin:<name>".
import type { AnyStrategy } from "../define-strategy.ts";
import obiMm from "./obi-mm.ts";
import tickMm from "./tick-mm.ts";

export const BUILTIN_STRATEGIES: Readonly<Record<string, AnyStrategy>> = {
  "obi-mm": obiMm,
  "tick-mm": tickMm,
};
