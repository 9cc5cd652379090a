import { describe, expect, test } from "bun:test";
import {
  countCollections,
  LaneTelemetry,
  planTelemetry,
  TelemetryReader,
} from "../../../src/lane/telemetry.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";

const COUNTERS = ["messages", "events", "drops"] as const;
const EVENTS = 1;

function rig() {
  const plan = new ArenaPlan();
  const feed = planTelemetry(plan, "feed", COUNTERS, ["decode", "hop"]);
  const factor = planTelemetry(plan, "factor", ["events"], ["graph"]);
  const arena = new SharedArrayBuffer(plan.map().bytes);
  return { arena, feed, factor };
}

describe("telemetry", () => {
  test("main reads what the lane counted, lane by lane", () => {
    const { arena, feed, factor } = rig();
    const lane = new LaneTelemetry(arena, feed);
    const other = new LaneTelemetry(arena, factor);
    for (let i = 0; i < 1000; i++) lane.counters[EVENTS]!++;
    lane.counters[2]! += 3;
    for (let i = 1; i <= 100; i++) lane.histogram(feed, "hop").record(i);
    other.histograms[0]!.record(5000);
    const reader = new TelemetryReader(arena, feed);
    expect(reader.counters()).toEqual({ messages: 0, events: 1000, drops: 3 });
    expect(reader.counter("events")).toBe(1000);
    expect(reader.histogram("hop").quantile(0.5)).toBe(50);
    expect(reader.histogram("decode").count).toBe(0);
    expect(new TelemetryReader(arena, factor).histogram("graph").count).toBe(1);
    expect(new TelemetryReader(arena, factor).counter("events")).toBe(0);
  });

  test("reset forgets warm-up", () => {
    const { arena, feed } = rig();
    const lane = new LaneTelemetry(arena, feed);
    lane.counters.fill(7);
    lane.histograms[1]!.record(9);
    lane.vitals[1] = 1e6;
    lane.reset();
    const reader = new TelemetryReader(arena, feed);
    expect(reader.counters()).toEqual({ messages: 0, events: 0, drops: 0 });
    expect(reader.histogram("hop").count).toBe(0);
    expect(reader.vitals().maxStallNs).toBe(0);
  });

  test("undeclared and doubly declared names are refused", () => {
    const { arena, feed } = rig();
    expect(() => new TelemetryReader(arena, feed).counter("nope")).toThrow("no such counter");
    expect(() => new TelemetryReader(arena, feed).histogram("nope")).toThrow("no such histogram");
    expect(() => planTelemetry(new ArenaPlan(), "x", ["a", "a"], [])).toThrow("declared twice");
  });

  test("collections of this thread are counted", async () => {
    const { arena, feed } = rig();
    const lane = new LaneTelemetry(arena, feed);
    countCollections(lane.vitals);
    for (let i = 0; i < 20 && new TelemetryReader(arena, feed).vitals().collections === 0; i++) {
      Bun.gc(true);
      await Bun.sleep(1);
    }
    expect(new TelemetryReader(arena, feed).vitals().collections).toBeGreaterThan(0);
  });
});
