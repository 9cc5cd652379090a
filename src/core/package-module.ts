// A user's module (strategy, node types) outside the package finds `hotlane` as a virtual module, so that a user's folder
// needs no install of its own. Cold.
import { resolve } from "node:path";
import { plugin } from "bun";

const ENTRY = resolve(import.meta.dir, "../index.ts");
let provided = false;

/** `import { … } from "hotlane"` works from any folder, in this thread. */
export function providePackage(): void {
  if (provided) return;
  provided = true;
  plugin({
    name: "hotlane",
    setup(build) {
      build.module("hotlane", async () => ({ exports: await import(ENTRY), loader: "object" }));
    },
  });
}
