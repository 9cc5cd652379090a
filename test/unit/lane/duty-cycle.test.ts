import { describe, expect, test } from "bun:test";
import { monotonicNs } from "../../../ffi/host.ts";
import type { Agent } from "../../../src/lane/agent.ts";
import { DutyCycle, type DutyCycleOptions, type WaitStrategy } from "../../../src/lane/duty-cycle.ts";
import {
  LANE_FAILED,
  LANE_PARKED,
  LANE_STOPPED,
  VITAL_HEARTBEAT_NS,
  VITAL_MAX_STALL_NS,
  VITAL_PARKS,
  VITAL_STATE,
  VITAL_TURNS,
  VITAL_WORK,
} from "../../../src/lane/telemetry.ts";
import { ArenaPlan, STOP_WORD_I32 } from "../../../src/ring/arena.ts";
import { DOORBELL_BYTES, Doorbell } from "../../../src/ring/doorbell.ts";

/** An agent with a bucket of work; main (this same thread) fills it. */
class BucketAgent implements Agent {
  readonly name = "bucket";
  waiting = 0;
  done = 0;
  readonly calls: string[] = [];

  doWork(): number {
    if (this.waiting === 0) return 0;
    this.waiting--;
    this.done++;
    return 1;
  }

  hasWork(): boolean {
    return this.waiting > 0;
  }

  onStart(): void {
    this.calls.push("start");
  }

  onClose(): void {
    this.calls.push("close");
  }
}

function rig(agents: readonly Agent[], wait: WaitStrategy, options: Partial<DutyCycleOptions> = {}) {
  const plan = new ArenaPlan();
  const bell = plan.reserve("doorbell", DOORBELL_BYTES);
  const arena = new SharedArrayBuffer(plan.map().bytes);
  const doorbell = new Doorbell(arena, bell.offset);
  const vitals = new Float64Array(16);
  const cycle = new DutyCycle({
    agents,
    wait,
    ownsSocket: true,
    arena,
    doorbell,
    vitals,
    monotonicNs,
    idleTimeoutMs: 10,
    ...options,
  });
  const stop = () => {
    Atomics.store(new Int32Array(arena), STOP_WORD_I32, 1);
    doorbell.wake();
  };
  return { cycle, doorbell, vitals, stop };
}

/** Waits until `holds`; the test's own time limit is the failure. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(1);
}

const STRATEGIES: readonly [WaitStrategy, boolean][] = [
  ["spin", false],
  ["spin", true],
  ["yield", true],
  ["park", true],
  ["park", false],
];

describe("DutyCycle", () => {
  for (const [wait, ownsSocket] of STRATEGIES) {
    test(`${wait}${ownsSocket ? " with a socket" : ""}: works, keeps its heart beating, drains and closes at the stop word`, async () => {
      const agent = new BucketAgent();
      const { cycle, vitals, stop } = rig([agent], wait, { ownsSocket });
      agent.waiting = 50;
      const running = cycle.run();
      await until(() => agent.done === 50);
      const firstBeat = vitals[VITAL_HEARTBEAT_NS]!;
      await until(() => vitals[VITAL_HEARTBEAT_NS]! > firstBeat + 30e6);
      agent.waiting = 500;
      stop();
      await running;
      expect(agent.done).toBe(550);
      expect(agent.calls).toEqual(["start", "close"]);
      expect(vitals[VITAL_STATE]).toBe(LANE_STOPPED);
      expect(vitals[VITAL_TURNS]!).toBeGreaterThan(0);
      expect(vitals[VITAL_WORK]!).toBeGreaterThanOrEqual(50);
    });
  }

  for (const wait of ["spin", "yield", "park"] as const) {
    test(`${wait}: a lane with endless work still lets timers and sockets in`, async () => {
      const agent = new BucketAgent();
      agent.waiting = Number.POSITIVE_INFINITY;
      const { cycle, stop } = rig([agent], wait);
      const running = cycle.run();
      await Bun.sleep(2);
      expect(agent.done).toBeGreaterThan(0);
      agent.waiting = 0;
      stop();
      await running;
    });
  }

  test("a parked lane in the event loop sleeps until it is poked", async () => {
    const agent = new BucketAgent();
    const { cycle, vitals, stop } = rig([agent], "park", { idleTimeoutMs: 60_000 });
    const running = cycle.run();
    await until(() => vitals[VITAL_STATE] === LANE_PARKED);
    agent.waiting = 3;
    await Bun.sleep(5);
    expect(agent.done).toBe(0);
    cycle.poke();
    expect(agent.done).toBe(3);
    stop();
    await running;
  });

  test("a parked lane in the event loop sleeps until its bell rings, any number of times", async () => {
    const agent = new BucketAgent();
    const { cycle, doorbell, vitals, stop } = rig([agent], "park", { idleTimeoutMs: 60_000 });
    const running = cycle.run();
    for (let i = 1; i <= 50; i++) {
      while (vitals[VITAL_STATE] !== LANE_PARKED) await Bun.sleep(0);
      agent.waiting = 1;
      doorbell.ring();
      // Pokes in between must not pile up waiters or swallow the bell.
      if (i % 3 === 0) cycle.poke();
      while (agent.done < i) await Bun.sleep(0);
    }
    expect(vitals[VITAL_PARKS]!).toBeGreaterThanOrEqual(50);
    stop();
    await running;
  });

  test("a lane that naps asks producers for no wake-up until it has found nothing for a while", async () => {
    const announced: number[] = [];
    let rounds = 0;
    const agent: Agent = {
      name: "napper",
      doWork: () => {
        rounds++;
        if (rounds === 400) stop();
        return rounds < 200 && rounds % 10 === 0 ? 1 : 0;
      },
    };
    const { cycle, doorbell, vitals, stop } = rig([agent], "park", {
      ownsSocket: false,
      napMs: 0.05,
      idleTimeoutMs: 1,
    });
    const prepare = doorbell.prepare.bind(doorbell);
    doorbell.prepare = () => {
      announced.push(rounds);
      return prepare();
    };
    await cycle.run();
    // 50 naps in vain after round 190, the last one with work.
    expect(announced[0]).toBeGreaterThanOrEqual(240);
    expect(announced.length).toBeGreaterThan(10);
    expect(vitals[VITAL_PARKS]!).toBeGreaterThan(announced.length + 150);
  });

  test("an agent that throws ends the lane, and its error is the outcome", async () => {
    const agent: Agent = {
      name: "broken",
      doWork: () => {
        throw new Error("book is crossed");
      },
    };
    for (const wait of ["spin", "park"] as const) {
      const { cycle, vitals } = rig([agent], wait);
      expect(cycle.run()).rejects.toThrow("book is crossed");
      await until(() => vitals[VITAL_STATE] === LANE_FAILED);
    }
  });

  test("every agent is closed even when one fails to close", async () => {
    const first: Agent = {
      name: "first",
      doWork: () => 0,
      onClose: () => {
        throw new Error("disk full");
      },
    };
    const second = new BucketAgent();
    const { cycle, stop } = rig([first, second], "spin");
    const running = cycle.run();
    stop();
    expect(running).rejects.toThrow("disk full");
    await until(() => second.calls.length === 2);
    expect(second.calls).toEqual(["start", "close"]);
  });

  test("a long round counts as a stall, sleep does not", async () => {
    let block = 0;
    const agent: Agent = {
      name: "slow",
      doWork: () => {
        if (block === 0) return 0;
        const until = monotonicNs() + block;
        while (monotonicNs() < until);
        block = 0;
        return 1;
      },
    };
    const { cycle, vitals, stop } = rig([agent], "spin");
    const running = cycle.run();
    await until(() => vitals[VITAL_TURNS]! > 10);
    block = 30e6;
    await until(() => vitals[VITAL_MAX_STALL_NS]! >= 30e6);
    stop();
    await running;
    const sleepMs = 2000;
    const parked = rig([new BucketAgent()], "park", { idleTimeoutMs: sleepMs });
    const sleeping = parked.cycle.run();
    await until(() => parked.vitals[VITAL_STATE] === LANE_PARKED);
    await Bun.sleep(50);
    parked.stop();
    await sleeping;
    expect(parked.vitals[VITAL_PARKS]!).toBeGreaterThan(0);
    expect(parked.vitals[VITAL_MAX_STALL_NS]!).toBeLessThan(50e6);
  });

  test("a lane that parks without a doorbell, and a lane without agents, are refused", () => {
    expect(() => rig([new BucketAgent()], "park", { doorbell: null })).toThrow("needs a doorbell");
    expect(() => rig([], "spin")).toThrow("needs an agent");
  });
});
