import { describe, expect, test } from "bun:test";
import { BoardReader, BoardWriter, planBoard } from "../../../src/lane/board.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";

function rig(slots: number) {
  const plan = new ArenaPlan();
  const location = planBoard(plan, "execution", slots);
  return { arena: new SharedArrayBuffer(plan.map().bytes), location };
}

describe("board", () => {
  test("the reader sees the last finished update", () => {
    const { arena, location } = rig(4);
    const writer = new BoardWriter(arena, location);
    const reader = new BoardReader(arena, location);
    const into = new Float64Array(4);
    writer.begin();
    writer.values.set([1, 2, 3, 4]);
    writer.end();
    expect(reader.read(into)).toBe(true);
    expect([...into]).toEqual([1, 2, 3, 4]);
  });

  test("a writer that stays inside its update is reported, not read", () => {
    const { arena, location } = rig(2);
    const writer = new BoardWriter(arena, location);
    const reader = new BoardReader(arena, location);
    writer.begin();
    expect(reader.read(new Float64Array(2))).toBe(false);
    writer.end();
    expect(reader.read(new Float64Array(2))).toBe(true);
  });

  test("a second writer is refused while the first is inside an update", () => {
    const { arena, location } = rig(2);
    new BoardWriter(arena, location).begin();
    expect(() => new BoardWriter(arena, location)).toThrow("another writer");
  });
});
