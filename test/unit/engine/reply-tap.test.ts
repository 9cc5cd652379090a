import { expect, test } from "bun:test";
import { RecordMemory } from "../../../src/core/record.ts";
import { ReplyTap } from "../../../src/engine/reply-tap.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../../../src/ring/spsc-ring.ts";
import { encodeControlReply, encodeTimer } from "../../../src/wire/messages.gen.ts";

const ROOM = 4;

function makeTap() {
  const plan = new ArenaPlan();
  const [journal, replies] = [planRing(plan, "journal", 64), planRing(plan, "replies", ROOM)];
  const memory = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
  const tap = new ReplyTap(new RingProducer(memory, journal, null), new RingProducer(memory, replies, null));
  const answer = (commandId: number): void => {
    encodeControlReply(memory, tap.tryClaim(), 0, 0, 0, 0, 0, 0, 0, 1, commandId, 0, 0, 0, 0);
    tap.commit();
  };
  const other = (): void => {
    encodeTimer(memory, tap.tryClaim(), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    tap.commit();
  };
  return { tap, answer, other, main: new RingConsumer(memory, replies) };
}

test("main sees an answer only once the lane says that the board is written", () => {
  const { tap, answer, other, main } = makeTap();
  other();
  expect({ waiting: tap.waiting, seen: main.available() }).toEqual({ waiting: false, seen: 0 });
  answer(7);
  tap.publish();
  expect({ waiting: tap.waiting, seen: main.available() }).toEqual({ waiting: true, seen: 0 });
  tap.publishAnswers();
  expect({ waiting: tap.waiting, seen: main.available() }).toEqual({ waiting: false, seen: 1 });
});

test("an answer without room is counted", () => {
  const { tap, answer } = makeTap();
  for (let i = 0; i <= ROOM; i++) answer(i);
  expect(tap.lost).toBe(1);
});
