import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  EVENT_COUNT,
  EVENT_NAMES,
  IGNORE,
  isOver,
  SETTLE,
  STAY,
  transition,
} from "../../../src/order/transitions.ts";
import { ORDER_PENDING_NEW, ORDER_STATE_NAMES, ORDER_UNKNOWN } from "../../../src/wire/codes.ts";

const DOC = await Bun.file(join(import.meta.dir, "../../../docs/orders.md")).text();

const cellText = (cell: number): string =>
  cell === STAY ? "=" : cell === SETTLE ? "settle" : cell === IGNORE ? "–" : ORDER_STATE_NAMES[cell]!;

/** Rows of the table that has `heading` as its first line, cells trimmed. */
function documented(): string[][] {
  const lines = DOC.split("\n");
  const first = lines.findIndex((line) => line.startsWith("| state | send cancel"));
  const rows: string[][] = [];
  for (let i = first; lines[i]!.startsWith("|"); i++)
    rows.push(
      lines[i]!.split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return rows.filter((row) => !row[0]!.startsWith("---"));
}

test("docs/orders.md shows the table that the code runs", () => {
  const [head, ...rows] = documented();
  expect(head).toEqual(["state", ...EVENT_NAMES]);
  expect(rows.map((row) => row[0]!).sort()).toEqual(ORDER_STATE_NAMES.slice(ORDER_PENDING_NEW).sort());
  for (const row of rows) {
    const state = ORDER_STATE_NAMES.indexOf(row[0] as (typeof ORDER_STATE_NAMES)[number]);
    const cells = Array.from({ length: EVENT_COUNT }, (_, event) => cellText(transition(state, event)));
    expect([row[0], ...cells]).toEqual(row as [string, ...string[]]);
  }
});

test("an order that is over never comes back to life", () => {
  for (let state = ORDER_PENDING_NEW; state <= ORDER_UNKNOWN; state++) {
    if (!isOver(state)) continue;
    for (let event = 0; event < EVENT_COUNT; event++) {
      const cell = transition(state, event);
      expect(cell === IGNORE || cell === STAY || isOver(cell)).toBe(true);
    }
  }
});
