// What a replay needs besides the records: settings, strategies, graphs and restored state as the session had
// them, as JSON in the session's manifest. Written at start, read by replay. Cold.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { compileToml, loadGraphFile } from "../factor/graph-toml.ts";
import type { GraphSetup } from "../factor/signal-registry.ts";
import type { EnginePlan } from "./engine-plan.ts";
import type { GraphStart } from "./factor-lane.ts";
import type { LaneStart, StrategyStart } from "./lane-protocol.ts";
import type { Restored } from "./recovered.ts";
import type { EngineSettings } from "./settings.ts";

const BUILTIN = "builtin:";

export interface RecordedGraph extends GraphStart {
  readonly text: string;
  readonly sha256: string;
}

/** Open positions are journalled this often although they did not change. */
export const POSITION_SNAPSHOT_NS = 1e9;

export interface ReplaySetup {
  readonly maxOrders: number;
  /** Absent in older sessions: none. */
  readonly positionSnapshotNs?: number;
  /** Absent in older sessions: not done. */
  readonly journalsOpening?: boolean;
  readonly assets: readonly string[];
  readonly risk: EngineSettings["risk"];
  readonly instrumentLimits: EngineSettings["instruments"];
  readonly strategies: readonly StrategyStart[];
  /** sha256 of a strategy's own module by its path; the package's are not listed. */
  readonly modules: Readonly<Record<string, string>>;
  readonly graphs: readonly RecordedGraph[];
  readonly subscriptions: LaneStart["subscriptions"];
  readonly restored: Restored;
}

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The `replay` member of a manifest. Throws the file system's error for a graph or module that went away. */
export async function replaySetup(
  settings: EngineSettings,
  plan: Pick<EnginePlan, "strategies" | "graphs" | "subscriptions">,
  assets: readonly string[],
  restored: Restored,
): Promise<Record<string, unknown>> {
  const modules: Record<string, string> = {};
  for (const { module } of plan.strategies)
    if (!module.startsWith(BUILTIN)) modules[module] = sha256(await readFile(module));
  const graphs = await Promise.all(
    plan.graphs.map(async (graph) => {
      const text = await readFile(graph.file, "utf8");
      return { ...graph, text, sha256: sha256(text) };
    }),
  );
  const setup: ReplaySetup = {
    maxOrders: settings.engine.maxOrders,
    positionSnapshotNs: POSITION_SNAPSHOT_NS,
    journalsOpening: true,
    assets,
    risk: settings.risk,
    instrumentLimits: settings.instruments,
    strategies: plan.strategies,
    modules,
    graphs,
    subscriptions: plan.subscriptions,
    restored,
  };
  return exact(setup) as Record<string, unknown>;
}

/** Numbers that JSON cannot hold (−0, NaN, ±Infinity) as `{"$n": "-0"}`. */
function exact(value: unknown): unknown {
  if (typeof value === "number")
    return Object.is(value, -0) ? { $n: "-0" } : Number.isFinite(value) ? value : { $n: String(value) };
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, exact(member)]));
}

function unexact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unexact);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "$n") return Number(entries[0]![1]);
  return Object.fromEntries(entries.map(([key, member]) => [key, unexact(member)]));
}

/** null: the session was recorded without it. */
export const readReplaySetup = (
  recorded: Readonly<Record<string, unknown>> | undefined,
): ReplaySetup | null => (recorded === undefined ? null : (unexact(recorded) as ReplaySetup));

/** Graphs as recorded: from their file while it is the same (it may name user nodes), else from the text. */
export async function recordedGraphs(
  graphs: readonly RecordedGraph[],
  note: (text: string) => void,
): Promise<GraphSetup[]> {
  return Promise.all(
    graphs.map(async ({ name, file, instrument, text, sha256: recorded }) => {
      const present = await readFile(file, "utf8").catch(() => "");
      if (sha256(present) === recorded) return { name, instrument, program: await loadGraphFile(file) };
      note(`${file} is not what the session ran: its recorded text is used`);
      return { name, instrument, program: compileToml(text, file) };
    }),
  );
}

/** Strategy modules that changed since the session. */
export async function changedModules(modules: Readonly<Record<string, string>>): Promise<string[]> {
  const changed: string[] = [];
  for (const [path, recorded] of Object.entries(modules)) {
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null || sha256(bytes) !== recorded) changed.push(path);
  }
  return changed;
}
