import { describe, expect, test } from "bun:test";
import { type LaneRequest, type PlacementRequest, placeLanes } from "../../../src/lane/placement.ts";

const free: LaneRequest = { cpu: -1, wait: "auto" };

function request(
  overrides: Partial<PlacementRequest> & { lane?: Record<string, Partial<LaneRequest>> },
): PlacementRequest {
  const { lane = {}, ...rest } = overrides;
  const of = (name: string): LaneRequest => ({ ...free, ...lane[name] });
  return {
    topology: "auto",
    lanes: { feed: of("feed"), factor: of("factor"), execution: of("execution"), writer: of("writer") },
    onlineCpus: [0, 1],
    isolatedCpus: [],
    ...rest,
  };
}

const summary = (p: ReturnType<typeof placeLanes>) => p.lanes.map((l) => `${l.name}@${l.cpu}:${l.wait}`);

describe("placement", () => {
  test("a 2-core laptop gets one parking, unpinned hot lane", () => {
    const placed = placeLanes(request({}));
    expect(summary(placed)).toEqual(["fused@-1:park", "writer@-1:park"]);
    expect(placed).toMatchObject({ topology: "fused", housekeeping: [0, 1], errors: [], notes: [] });
  });

  test("lanes that are told apart stay apart", () => {
    const placed = placeLanes(request({ lane: { feed: { cpu: 1 } } }));
    expect(summary(placed)).toEqual(["feed@1:park", "factor@-1:park", "execution@-1:park", "writer@-1:park"]);
  });

  test("three isolated cores get three spinning lanes, the rest keeps house", () => {
    const placed = placeLanes(request({ onlineCpus: [0, 1, 2, 3, 4, 5], isolatedCpus: [2, 3, 4, 5] }));
    expect(summary(placed)).toEqual(["feed@2:spin", "factor@3:spin", "execution@4:spin", "writer@-1:park"]);
    expect(placed.housekeeping).toEqual([0, 1]);
  });

  test("too few isolated cores are not handed out one by one", () => {
    const placed = placeLanes(request({ topology: "lanes", onlineCpus: [0, 1, 2, 3], isolatedCpus: [2, 3] }));
    expect(summary(placed)).toEqual([
      "feed@-1:park",
      "factor@-1:park",
      "execution@-1:park",
      "writer@-1:park",
    ]);
  });

  test("fused is one lane with the three roles, spinning on one isolated core", () => {
    const placed = placeLanes(request({ topology: "fused", onlineCpus: [0, 1, 2, 3], isolatedCpus: [3] }));
    expect(summary(placed)).toEqual(["fused@3:spin", "writer@-1:park"]);
    expect(placed.lanes[0]!.agents).toEqual(["feed", "factor", "execution"]);
    expect(placed.housekeeping).toEqual([0, 1, 2]);
  });

  test("explicit cpus and waits win", () => {
    const lane = { feed: { cpu: 1, wait: "yield" as const }, execution: { wait: "spin" as const } };
    const placed = placeLanes(request({ lane, onlineCpus: [0, 1, 2, 3] }));
    expect(summary(placed)).toEqual([
      "feed@1:yield",
      "factor@-1:park",
      "execution@-1:spin",
      "writer@-1:park",
    ]);
    expect(placed.notes).toEqual(["lane execution spins without a cpu of its own: set lanes.execution.cpu"]);
  });

  test("every fault is named by its key, all at once", () => {
    const spin = (cpu: number) => ({ cpu, wait: "spin" as const });
    const placed = placeLanes(request({ lane: { feed: spin(9), factor: spin(1), execution: spin(1) } }));
    expect(placed.errors).toEqual([
      "lanes.feed.cpu = 9: not online (online: 0, 1)",
      "lanes.factor.cpu = 1: a spinning lane cannot share it with execution",
      "lanes.execution.cpu = 1: a spinning lane cannot share it with factor",
    ]);
    expect(placed.notes[0]).toContain("3 spinning lanes on 2 cpus");
  });

  test("a fused lane refuses sections that contradict each other", () => {
    const placed = placeLanes(request({ topology: "fused", lane: { feed: { cpu: 0 }, factor: { cpu: 1 } } }));
    expect(placed.errors).toEqual([
      'lanes.*.cpu: topology "fused" has one hot lane, but cpus 0, 1 are asked for',
    ]);
  });
});
