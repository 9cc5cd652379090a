// Conformance of a transport against a server of Bun's: what every implementation of the contract must do.
import { afterAll, describe, expect, test } from "bun:test";
import type { TransportHandler } from "../../../../src/venue/contract.ts";
import { BunWebSocketTransport } from "../../../../src/venue/transport/bun-websocket.ts";

const received: (string | Uint8Array)[] = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no", { status: 400 })),
  websocket: {
    open: (ws) => void ws.send("hello"),
    message(ws, message) {
      received.push(message);
      if (message === "binary") ws.send(new Uint8Array([1, 2]));
      else if (message === "close") ws.close(4001, "bye");
      else if (String(message).startsWith("big")) ws.send(`${"ä".repeat(Number(String(message).slice(3)))}!`);
    },
  },
});
afterAll(() => server.stop(true));

class Recorder implements TransportHandler {
  readonly texts: string[] = [];
  readonly stamps: number[] = [];
  readonly closes: number[] = [];
  opens = 0;
  pongs = 0;

  onOpen(): void {
    this.opens++;
  }
  onText(bytes: Uint8Array, end: number, recvTsNs: number): void {
    this.texts.push(new TextDecoder().decode(bytes.subarray(0, end)));
    this.stamps.push(recvTsNs);
  }
  onPong(): void {
    this.pongs++;
  }
  onClose(code: number): void {
    this.closes.push(code);
  }
}

const url = (): string => `ws://127.0.0.1:${server.port}/`;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !done(); i++) await Bun.sleep(1);
  expect(done()).toBe(true);
}

async function opened(receiveBytes?: number) {
  const recorder = new Recorder();
  let now = 0;
  const transport = new BunWebSocketTransport(recorder, () => ++now, receiveBytes);
  transport.connect(url());
  await until(() => recorder.texts.length === 1);
  return { recorder, transport };
}

describe("Bun's WebSocket as a transport", () => {
  test("opens, delivers whole text messages with one stamp each, and closes once", async () => {
    const { recorder, transport } = await opened();
    expect([recorder.opens, recorder.texts, recorder.stamps]).toEqual([1, ["hello"], [1]]);
    expect([transport.isOpen, transport.bufferedAmount]).toEqual([true, 0]);
    transport.terminate();
    transport.terminate();
    await Bun.sleep(20);
    expect([recorder.closes, transport.isOpen]).toEqual([[1006], false]);
  });

  test("sends text frames of exactly the bytes before the end", async () => {
    const { transport } = await opened();
    expect(transport.sendText(encode("order-1|stale"), 7)).toBe(true);
    await until(() => received.includes("order-1"));
    transport.terminate();
    expect(transport.sendText(encode("late"), 4)).toBe(false);
  });

  test("grows its buffer for a message that does not fit, and counts it", async () => {
    const { recorder, transport } = await opened(64);
    transport.sendText(encode("big1000"), 7);
    await until(() => recorder.texts.length === 2);
    expect(recorder.texts[1]).toBe(`${"ä".repeat(1000)}!`);
    expect([transport.counters.bufferGrowths, transport.counters.messages]).toEqual([1, 2]);
    transport.sendText(encode("big900"), 6);
    await until(() => recorder.texts.length === 3);
    expect(transport.counters.bufferGrowths).toBe(1);
    transport.terminate();
  });

  test("counts and ignores binary frames", async () => {
    const { recorder, transport } = await opened();
    transport.sendText(encode("binary"), 6);
    await until(() => transport.counters.binaryFrames === 1);
    expect(recorder.texts).toEqual(["hello"]);
    transport.terminate();
  });

  test("reports the peer's close, a refused connection, and a pong", async () => {
    const { recorder, transport } = await opened();
    transport.ping();
    await until(() => recorder.pongs === 1);
    transport.sendText(encode("close"), 5);
    await until(() => recorder.closes.length === 1);
    expect(recorder.closes).toEqual([4001]);
    transport.connect("ws://127.0.0.1:1/");
    await until(() => recorder.closes.length === 2);
    expect(recorder.opens).toBe(1);
  });

  test("a new connect silently replaces the old connection", async () => {
    const { recorder, transport } = await opened();
    transport.connect(url());
    await until(() => recorder.texts.length === 2);
    expect([recorder.opens, recorder.closes]).toEqual([2, []]);
    transport.terminate();
  });
});
