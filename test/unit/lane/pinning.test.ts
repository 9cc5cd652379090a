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
    expect(listThreads().length).toBeGreaterThan(1);
    expect(report.errors).toHaveLength(1);
    expect(report.errors[0]).toMatch(/ not moved to cpu 1023: .*EINVAL/);
  });

  test("what is refused in every sweep is said once", async () => {
    const reports: (readonly string[])[] = [];
    const stop = keepSweeping(new Set(), [1023], (r) => reports.push(r.errors), 5, 100);
    await Bun.sleep(50);
    stop();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toHaveLength(1);
  });

  test.skipIf(allowedCpus().length < 2)("sweeps go on for a while and can be stopped", async () => {
    const reports: number[] = [];
    const before = allowedCpus();
    const stop = keepSweeping(new Set(), [before[0]!], (r) => reports.push(r.moved), 5, 1000);
    try {
      expect(reports[0]).toBeGreaterThan(0);
      setAffinity(gettid(), before);
      while (reports.length < 2) await Bun.sleep(5);
      stop();
      const count = reports.length;
      setAffinity(gettid(), before);
      await Bun.sleep(30);
      expect(reports).toHaveLength(count);
    } finally {
      stop();
      for (const thread of listThreads()) setAffinity(thread.tid, before);
    }
  });

  test("a lane's thread carries its name", () => {
    const name = listThreads().find((t) => t.tid === gettid())!.name;
    expect(nameLane("execution")).toEqual({ ok: true });
    expect(listThreads().find((t) => t.tid === gettid())!.name).toBe("hl-execution");
    nameLane(name);
  });
});
