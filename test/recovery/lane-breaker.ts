// Preloaded into the real runtime (BUN_OPTIONS=--preload=…), which knows nothing of it. Files of HOTLANE_TEST_FAULTS:
//   terminate-<lane>   the lane's worker ends, as the system would end it
//   hang-<lane>        the lane's thread is held up while the file is there
import { existsSync } from "node:fs";
import { join } from "node:path";

const faults = process.env["HOTLANE_TEST_FAULTS"] ?? "";
/** Set in a worker. */
const lane = process.env["HOTLANE_TEST_LANE"] ?? "";
const LOOK_MS = 2;

const asked = (fault: string): boolean => existsSync(join(faults, fault));
const nameOf = (worker: string): string => worker.replace("hl-", "");

function watchWorkers(): void {
  const workers = new Map<string, Worker>();
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      const name = nameOf(options?.name ?? "");
      super(url, {
        ...options,
        preload: [import.meta.path],
        env: { ...process.env, HOTLANE_TEST_LANE: name },
      });
      workers.set(name, this);
    }
  };
  setInterval(() => {
    for (const [name, worker] of workers) {
      if (!asked(`terminate-${name}`)) continue;
      workers.delete(name);
      worker.terminate();
    }
  }, LOOK_MS).unref();
}

function holdUp(): void {
  setInterval(() => {
    while (asked(`hang-${lane}`)) for (let i = 0; i < 1e6; i++);
  }, LOOK_MS).unref();
}

if (faults !== "") {
  if (Bun.isMainThread) watchWorkers();
  else if (lane !== "") holdUp();
}
