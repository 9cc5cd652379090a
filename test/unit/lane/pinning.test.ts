import { describe, expect, test } from "bun:test";
import { allowedCpus, gettid, listThreads, setAffinity } from "../../../ffi/host.ts";
import { keepSweeping, nameLane, pinLane, sweepThreads } from "../../../src/lane/pinning.ts";

describe("pinning", () => {
  test("a sweep moves every thread but the hot ones, and then finds nothing to do", () => {
    const before = allowedCpus();
    const last = before.at(-1)!;
    const hot = new Set([gettid()]);
    try {
      expect(pinLane(last)).toEqual({ tid: gettid(), result: { ok: true } });
      expect(sweepThreads(hot, [before[0]!]).errors).toEqual([]);
      for (const thread of listThreads())
        expect(thread.cpus).toEqual(thread.tid === gettid() ? [last] : [before[0]!]);
      expect(sweepThreads(hot, [before[0]!]).moved).toBe(0);
    } finally {
      for (const thread of listThreads()) setAffinity(thread.tid, before);
    }
  });

  test("a sweep that is refused says so and changes nothing", () => {
    const report = sweepThreads(new Set(), [1023]);
    expect(report.moved).toBe(0);
    expect(report.errors.length).toBeGreaterThan(0);
    expect(report.errors[0]).toContain("EINVAL");
  });

  test("sweeps go on for a while and can be stopped", async () => {
    const reports: number[] = [];
    const stop = keepSweeping(new Set(), allowedCpus(), (r) => reports.push(r.moved), 5, 20);
    await Bun.sleep(40);
    stop();
    expect(reports.length).toBeGreaterThan(0);
  });

  test("a lane's thread carries its name", () => {
    const name = listThreads().find((t) => t.tid === gettid())!.name;
    expect(nameLane("execution")).toEqual({ ok: true });
    expect(listThreads().find((t) => t.tid === gettid())!.name).toBe("hl-execution");
    nameLane(name);
  });
});
