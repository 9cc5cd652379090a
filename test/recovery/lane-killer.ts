// Preloaded into the real runtime (BUN_OPTIONS=--preload=…): ends the worker of a lane, as the system would, when
// a file `terminate-<lane>` appears in HOTLANE_TEST_FAULTS. The runtime itself knows nothing of it.
import { existsSync } from "node:fs";
import { join } from "node:path";

const faults = process.env["HOTLANE_TEST_FAULTS"] ?? "";
const LOOK_MS = 2;

if (Bun.isMainThread && faults !== "") {
  const workers = new Map<string, Worker>();
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.set(options?.name ?? "", this);
    }
  };
  setInterval(() => {
    for (const [name, worker] of workers) {
      if (!existsSync(join(faults, `terminate-${name.replace("hl-", "")}`))) continue;
      workers.delete(name);
      worker.terminate();
    }
  }, LOOK_MS).unref();
}
