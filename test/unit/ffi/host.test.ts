import { describe, expect, test } from "bun:test";
import {
  allowedCpus,
  bootNs,
  gettid,
  isolatedCpus,
  listThreads,
  monotonicNs,
  onlineCpus,
  parseCpuList,
  pinThread,
  readClocks,
  realtimeNs,
  setAffinity,
  setThreadName,
} from "../../../ffi/host.ts";

describe("host", () => {
  test("the monotonic clock never goes back over a million optimised reads", () => {
    let previous = monotonicNs();
    let backwards = 0;
    const first = previous;
    for (let i = 0; i < 1_000_000; i++) {
      const now = monotonicNs();
      if (now < previous) backwards++;
      previous = now;
    }
    expect(backwards).toBe(0);
    expect(previous).toBeGreaterThan(first);
    expect(Number.isInteger(previous)).toBe(true);
  });

  test("real time is the wall clock", () => {
    const before = BigInt(Date.now());
    const now = realtimeNs() / 1_000_000n;
    expect(now).toBeGreaterThanOrEqual(before - 1n);
    expect(now).toBeLessThanOrEqual(BigInt(Date.now()) + 1n);
  });

  test("a worker's clock reads the same boot time as main's", async () => {
    const code = `import { monotonicNs } from ${JSON.stringify(import.meta.resolve("../../../ffi/host.ts"))};
      postMessage(monotonicNs());`;
    const before = monotonicNs();
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "application/typescript" })));
    const seen = await new Promise<number>((done, fail) => {
      worker.onmessage = (event) => done(event.data);
      worker.onerror = (event) => fail(new Error(event.message));
    });
    worker.terminate();
    expect(seen).toBeGreaterThan(before);
    expect(seen).toBeLessThan(monotonicNs());
  });

  test("a thread's name and cpus can be read back", () => {
    const self = () => listThreads().find((thread) => thread.tid === gettid())!;
    const { name, cpus } = self();
    const cpu = cpus.at(-1)!;
    expect(setThreadName("hotlane-test-of-a-long-name")).toEqual({ ok: true });
    expect(pinThread(gettid(), cpu)).toEqual({ ok: true });
    expect(self()).toEqual({ tid: gettid(), name: "hotlane-test-of", cpus: [cpu] });
    expect(setAffinity(gettid(), cpus)).toEqual({ ok: true });
    setThreadName(name);
    expect(self().cpus).toEqual(cpus);
  });

  test("both clocks of one instant agree with each other's later readings", () => {
    const { realtimeNs: real, bootNs: boot } = readClocks();
    const elapsedNs = bootNs() - boot;
    expect(elapsedNs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(Number(realtimeNs() - real) - elapsedNs)).toBeLessThan(5e6);
  });

  test("a refusal says what was asked and why it failed", () => {
    expect(pinThread(gettid(), 1023)).toEqual({
      ok: false,
      error: `affinity of thread ${gettid()} to cpu 1023: invalid argument (EINVAL)`,
    });
    expect(setAffinity(gettid(), [])).toMatchObject({ ok: false });
    expect(setAffinity(gettid(), [-1])).toMatchObject({ ok: false });
    expect(pinThread(2 ** 22, 0)).toMatchObject({
      ok: false,
      error: expect.stringContaining("no such thread"),
    });
  });

  test("cpu lists of the kernel are read in full", () => {
    expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(parseCpuList("")).toEqual([]);
    expect(() => parseCpuList("a-b")).toThrow("not a cpu list");
    expect(onlineCpus().length).toBeGreaterThan(0);
    for (const cpu of [...isolatedCpus(), ...allowedCpus()]) expect(onlineCpus()).toContain(cpu);
  });
});
