import { expect, test } from "bun:test";
import { SignalCounter, watchSignals } from "../../../src/engine/signals.ts";

test("signals within 500 ms of the first are one; a later one means at once", () => {
  const counter = new SignalCounter();
  expect([1000, 1000, 1500, 1501, 9000].map((ms) => counter.next(ms))).toEqual([
    "stop",
    "repeat",
    "repeat",
    "now",
    "now",
  ]);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends the session in order, until unwatched",
  (name) => {
    const before = process.listenerCount(name);
    const stops: string[] = [];
    const unwatch = watchSignals({ onStop: (why) => stops.push(why), onStopNow: (why) => stops.push(why) });
    process.emit(name);
    process.emit(name);
    unwatch();
    expect(stops).toEqual([name]);
    expect(process.listenerCount(name)).toBe(before);
  },
);
