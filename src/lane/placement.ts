// Which lane runs which agents, on which cpu, waiting how: a pure function of configuration and machine.
// `auto` asks for isolated cores: enough of them → three spinning hot lanes, pinned; otherwise one parking lane,
// unpinned, that runs feed, factor and execution (`fused`): where lanes sleep, each hop costs a wake-up and each
// worker its own cold caches (docs/adr/0010). All problems are returned together, named by their configuration key.
import type { WaitStrategy } from "./duty-cycle.ts";

export const HOT_LANES = ["feed", "factor", "execution"] as const;
export type LaneRole = (typeof HOT_LANES)[number] | "writer";
export type LaneName = LaneRole | "fused";

/** `[lanes.<name>]`: cpu −1 and wait "auto" leave the choice to placement. */
export interface LaneRequest {
  readonly cpu: number;
  readonly wait: WaitStrategy | "auto";
}

export interface PlacementRequest {
  readonly topology: "auto" | "lanes" | "fused";
  readonly lanes: Readonly<Record<LaneRole, LaneRequest>>;
  readonly onlineCpus: readonly number[];
  readonly isolatedCpus: readonly number[];
}

export interface LanePlacement {
  readonly name: LaneName;
  /** Roles that run in this lane, in pipeline order. */
  readonly agents: readonly LaneRole[];
  /** −1: not pinned. */
  readonly cpu: number;
  readonly wait: WaitStrategy;
}

export interface Placement {
  readonly topology: "lanes" | "fused";
  readonly lanes: readonly LanePlacement[];
  /** Cpus for main, the writer, JIT and GC helpers. */
  readonly housekeeping: readonly number[];
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

interface Draft {
  readonly name: LaneName;
  readonly agents: readonly LaneRole[];
  readonly request: LaneRequest;
}

export function placeLanes(request: PlacementRequest): Placement {
  const errors: string[] = [];
  const notes: string[] = [];
  const topology = request.topology === "auto" ? autoTopology(request) : request.topology;
  const hot = topology === "fused" ? [fusedDraft(request, errors)] : HOT_LANES.map((n) => draft(request, n));
  const lanes = [...placeHot(hot, request), placeOne(draft(request, "writer"))];
  checkCpus(lanes, request, errors);
  noteCrowding(lanes, request, notes);
  return { topology, lanes, housekeeping: housekeepingCpus(lanes, request, notes), errors, notes };
}

/** Three lanes where each can have an isolated core, or where the configuration tells them apart. */
function autoTopology(request: PlacementRequest): "lanes" | "fused" {
  const asked = HOT_LANES.map((name) => request.lanes[name]);
  const differ = asked.some((lane) => lane.cpu !== asked[0]!.cpu || lane.wait !== asked[0]!.wait);
  const isolated = freeIsolated(asked, request);
  const spins = asked.every((lane) => lane.wait !== "park");
  return differ || (spins && isolated.length >= HOT_LANES.length) ? "lanes" : "fused";
}

function freeIsolated(asked: readonly LaneRequest[], request: PlacementRequest): number[] {
  const taken = new Set([...asked.map((lane) => lane.cpu), request.lanes.writer.cpu]);
  return request.isolatedCpus.filter((cpu) => request.onlineCpus.includes(cpu) && !taken.has(cpu));
}

const draft = (request: PlacementRequest, name: LaneRole): Draft => ({
  name,
  agents: [name],
  request: request.lanes[name],
});

/** The fused lane takes what its three sections say; they must not contradict each other. */
function fusedDraft(request: PlacementRequest, errors: string[]): Draft {
  const cpus = new Set(HOT_LANES.map((n) => request.lanes[n].cpu).filter((cpu) => cpu >= 0));
  const waits = new Set(HOT_LANES.map((n) => request.lanes[n].wait).filter((wait) => wait !== "auto"));
  if (cpus.size > 1)
    errors.push(
      `lanes.*.cpu: topology "fused" has one hot lane, but cpus ${[...cpus].join(", ")} are asked for`,
    );
  if (waits.size > 1)
    errors.push(
      `lanes.*.wait: topology "fused" has one hot lane, but waits ${[...waits].join(", ")} are asked for`,
    );
  return {
    name: "fused",
    agents: HOT_LANES,
    request: { cpu: [...cpus][0] ?? -1, wait: [...waits][0] ?? "auto" },
  };
}

/** All hot lanes get isolated cores, or none does: one spinning lane gains nothing from a parked neighbour. */
function placeHot(drafts: readonly Draft[], request: PlacementRequest): LanePlacement[] {
  const free = freeIsolated(
    drafts.map((d) => d.request),
    request,
  );
  const wanting = drafts.filter((d) => d.request.cpu < 0 && d.request.wait !== "park");
  const enough = free.length >= wanting.length;
  return drafts.map((d) => {
    const index = wanting.indexOf(d);
    return index >= 0 && enough ? placeOne(d, free[index]) : placeOne(d);
  });
}

function placeOne(d: Draft, isolated?: number): LanePlacement {
  const cpu = d.request.cpu >= 0 ? d.request.cpu : (isolated ?? -1);
  const wait = d.request.wait !== "auto" ? d.request.wait : isolated !== undefined ? "spin" : "park";
  return { name: d.name, agents: d.agents, cpu, wait };
}

function checkCpus(lanes: readonly LanePlacement[], request: PlacementRequest, errors: string[]): void {
  for (const lane of lanes) {
    if (lane.cpu >= 0 && !request.onlineCpus.includes(lane.cpu))
      errors.push(
        `lanes.${lane.name}.cpu = ${lane.cpu}: not online (online: ${request.onlineCpus.join(", ")})`,
      );
    const rival = lanes.find((other) => other !== lane && other.cpu === lane.cpu && lane.cpu >= 0);
    if (rival !== undefined && lane.wait === "spin")
      errors.push(`lanes.${lane.name}.cpu = ${lane.cpu}: a spinning lane cannot share it with ${rival.name}`);
  }
}

function noteCrowding(lanes: readonly LanePlacement[], request: PlacementRequest, notes: string[]): void {
  const spinning = lanes.filter((lane) => lane.wait === "spin");
  if (spinning.length >= request.onlineCpus.length && spinning.length > 0)
    notes.push(
      `${spinning.length} spinning lanes on ${request.onlineCpus.length} cpus leave none for the rest: expect stalls`,
    );
  for (const lane of spinning)
    if (lane.cpu < 0)
      notes.push(`lane ${lane.name} spins without a cpu of its own: set lanes.${lane.name}.cpu`);
}

function housekeepingCpus(
  lanes: readonly LanePlacement[],
  request: PlacementRequest,
  notes: string[],
): number[] {
  const pinned = new Set(lanes.filter((lane) => lane.cpu >= 0 && lane.name !== "writer").map((l) => l.cpu));
  const left = request.onlineCpus.filter((cpu) => !pinned.has(cpu));
  const shared = left.filter((cpu) => !request.isolatedCpus.includes(cpu));
  if (shared.length > 0) return shared;
  if (left.length > 0) return left;
  notes.push("every cpu is pinned to a hot lane: main shares them");
  return [...request.onlineCpus];
}
