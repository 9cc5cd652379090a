// Writes a board without pause until told to stop: every value of one update carries the update's number.
import { type BoardLocation, BoardWriter } from "../../src/lane/board.ts";
import { STOP_WORD_I32 } from "../../src/ring/arena.ts";

self.onmessage = (event: MessageEvent<{ arena: SharedArrayBuffer; location: BoardLocation }>) => {
  const { arena, location } = event.data;
  const writer = new BoardWriter(arena, location);
  const stop = new Int32Array(arena);
  let update = 0;
  while (Atomics.load(stop, STOP_WORD_I32) === 0) {
    update++;
    writer.begin();
    for (let i = 0; i < location.slots; i++) writer.values[i] = update * 1000 + i;
    writer.end();
    // A reader needs gaps between updates; a lane has microseconds of them.
    for (let pause = 0; pause < 200; pause++) Atomics.load(stop, STOP_WORD_I32);
  }
  postMessage(update);
};
