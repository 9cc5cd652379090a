import { expect, test } from "bun:test";
import { FaultBoard } from "../../../../src/venue/sim/faults.ts";
import { StreamHub } from "../../../../src/venue/sim/stream-hub.ts";
import { VenueClock } from "../../../../src/venue/sim/venue-clock.ts";

function socket() {
  const got: string[] = [];
  return { got, send: (text: string) => got.push(text) };
}

test("each socket of a stream gets a message in its own form, at once and in order; one that left gets none", () => {
  const faults = new FaultBoard(new VenueClock());
  const hub = new StreamHub(faults);
  const [raw, combined, other] = [socket(), socket(), socket()];
  hub.join("btcusdt@trade", "market", "raw", raw);
  hub.join("btcusdt@trade", "legacy", "combined", combined);
  hub.join("btcusdt@depth", "market", "raw", other);
  const topic = hub.topic("btcusdt@trade");
  hub.publish(topic, "1");
  expect(raw.got).toEqual(["1"]);
  expect(combined.got).toEqual(['{"stream":"btcusdt@trade","data":1}']);
  hub.leave("btcusdt@trade", "market", "raw", raw);
  hub.leave("btcusdt@trade", "market", "raw", raw);
  expect(topic.listeners).toBe(1);
  faults.stall("legacy", 60_000);
  hub.publish(topic, "2");
  faults.clear();
  hub.publish(topic, "3");
  expect(raw.got).toEqual(["1"]);
  expect(combined.got.map((text) => text.slice(-2))).toEqual(["1}", "3}"]);
  expect(other.got).toEqual([]);
  expect(hub.messagesSent).toBe(3);
});
