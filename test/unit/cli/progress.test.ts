import { expect, test } from "bun:test";
import { Progress } from "../../../src/cli/progress.ts";

function terminal(isTTY: boolean) {
  const lines: string[] = [];
  return { lines, out: { isTTY, write: (text: string) => lines.push(text) } };
}

test("a terminal sees share, speed and time left, ten times a second at most", () => {
  let now = 0;
  const { lines, out } = terminal(true);
  const progress = new Progress(10_000_000, "rows", out, () => now);
  now = 1000;
  progress.add(2_500_000);
  progress.add(1);
  now = 1200;
  progress.add(2_499_999);
  expect(lines.length).toBe(2);
  expect(lines[0]).toContain(" 25 %  2.5 M rows, 2.5 M/s, 0:03 left");
  expect(lines[1]).toContain(" 50 %  5.0 M rows, 4.2 M/s, 0:02 left");
  expect(lines[1]!.match(/█/g)!.length).toBe(12);
  progress.end();
  expect(lines.at(-1)).toBe("\r\x1b[K");
});

test("without a terminal nothing is written", () => {
  const { lines, out } = terminal(false);
  const progress = new Progress(10, "runs", out, () => 0);
  progress.add(5);
  progress.end();
  expect(lines).toEqual([]);
});

test("an unknown total shows count and speed, a long rest in hours", () => {
  let now = 0;
  const { lines, out } = terminal(true);
  const unknown = new Progress(0, "rows", out, () => now);
  now = 2000;
  unknown.add(3000);
  expect(lines[0]).toContain("3.0 k rows, 1.5 k/s");
  expect(lines[0]).not.toContain("%");
  now = 0;
  const slow = new Progress(10_000, "runs", out, () => now);
  now = 1000;
  slow.add(1);
  expect(lines[1]).toContain("1 runs, 1/s, 2:46:39 left");
});
