import { describe, expect, test } from "bun:test";
import { Prng } from "../../../../src/core/prng.ts";
import type { Transport, TransportHandler } from "../../../../src/venue/contract.ts";
import { Backoff } from "../../../../src/venue/transport/backoff.ts";
import { BunWebSocketTransport } from "../../../../src/venue/transport/bun-websocket.ts";
import {
  CLOSED_BY_BACKPRESSURE,
  CLOSED_BY_CONNECT_TIMEOUT,
  CLOSED_BY_HEARTBEAT,
  CLOSED_BY_PEER,
  CLOSED_BY_ROTATION,
  CLOSED_BY_SUSPENSION,
  LINK_DEFAULTS,
  Link,
  type LinkOptions,
} from "../../../../src/venue/transport/link.ts";

const S = 1_000_000_000;

/** A wire under the test's control: opens, speaks and dies when told. */
class ManualTransport implements Transport {
  readonly counters = { messages: 0, bytes: 0, bufferGrowths: 0, binaryFrames: 0 };
  readonly urls: string[] = [];
  readonly handler: TransportHandler;
  bufferedAmount = 0;
  isOpen = false;
  pings = 0;

  constructor(handler: TransportHandler) {
    this.handler = handler;
  }
  connect(url: string): void {
    this.urls.push(url);
  }
  sendText(): boolean {
    return this.isOpen;
  }
  ping(): void {
    this.pings++;
  }
  terminate(): void {
    this.isOpen = false;
    this.handler.onClose(1006, "");
  }
  poll(): number {
    return 0;
  }
  open(): void {
    this.isOpen = true;
    this.handler.onOpen();
  }
}

function rig(options: Partial<LinkOptions> = {}) {
  const closed: number[] = [];
  const texts: number[] = [];
  const wires: ManualTransport[] = [];
  const owner = {
    onLinkOpen: () => {},
    onLinkText: () => void texts.push(1),
    onLinkClosed: (cause: number) => void closed.push(cause),
  };
  const connect = (handler: TransportHandler): Transport => {
    wires.push(new ManualTransport(handler));
    return wires[0]!;
  };
  // These tests step in seconds: only the one about suspension means it.
  const patient = { ...LINK_DEFAULTS, suspensionNs: Number.POSITIVE_INFINITY };
  const link = new Link(owner, connect, { ...patient, ...options }, new Prng(1));
  return { link, closed, texts, wire: wires[0]! };
}

describe("a link", () => {
  test("pings after half the heartbeat and gives up after the whole of it", () => {
    const { link, closed, wire } = rig({ heartbeatNs: 10 * S });
    link.start("ws://a", 0);
    wire.open();
    link.poll(4 * S);
    expect(wire.pings).toBe(0);
    link.poll(6 * S);
    link.poll(7 * S);
    expect(wire.pings).toBe(1);
    wire.handler.onPong(7 * S);
    link.poll(16 * S);
    expect([closed, wire.pings]).toEqual([[], 2]);
    link.poll(18 * S);
    expect([closed, link.heartbeatTimeouts]).toEqual([[CLOSED_BY_HEARTBEAT], 1]);
  });

  test("gives up a peer that answers pings but sends nothing, where silence is not normal", () => {
    const { link, closed, wire } = rig({ heartbeatNs: 10 * S, quietNs: 15 * S });
    link.start("ws://a", 0);
    wire.open();
    for (let t = 1; t <= 16; t++) {
      wire.handler.onPong(t * S);
      link.poll(t * S);
    }
    expect(closed).toEqual([CLOSED_BY_HEARTBEAT]);
  });

  test("reconnects after 1 s, 2 s, 4 s … 60 s (half to whole), and from 1 s again once a message came", () => {
    const { link, wire } = rig();
    link.start("ws://a", 0);
    let now = 0;
    const delays: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const before = wire.urls.length;
      const from = now;
      wire.handler.onClose(1006, "");
      while (wire.urls.length === before) {
        now += S / 20;
        link.poll(now);
      }
      delays.push((now - from) / S);
    }
    const ceilings = [1, 2, 4, 8, 16, 32, 60, 60, 60];
    for (const [i, delay] of delays.entries()) {
      expect(delay).toBeGreaterThan(ceilings[i]! / 2 - 0.06);
      expect(delay).toBeLessThan(ceilings[i]! + 0.06);
    }
    wire.open();
    wire.handler.onText(new Uint8Array(1), 1, now);
    wire.handler.onClose(1006, "");
    const from = now;
    const before = wire.urls.length;
    while (wire.urls.length === before) {
      now += S / 20;
      link.poll(now);
    }
    expect((now - from) / S).toBeLessThan(1.06);
  });

  test("rotates before the venue's limit and reconnects at once", () => {
    const { link, closed, wire } = rig({ rotationNs: 100 * S, heartbeatNs: 1000 * S });
    link.start("ws://a", 0);
    wire.open();
    link.poll(101 * S);
    expect(closed).toEqual([CLOSED_BY_ROTATION]);
    link.poll(101 * S + 1);
    expect(wire.urls.length).toBe(2);
  });

  test("after a time without poll or message reads nothing more of the connection, and opens a new one", () => {
    for (const wakes of ["message", "poll"]) {
      const { link, closed, texts, wire } = rig({ suspensionNs: S, heartbeatNs: 1000 * S });
      link.start("ws://a", 0);
      link.poll(0);
      wire.open();
      wire.handler.onText(new Uint8Array(1), 1, S / 2);
      link.poll(S);
      expect(texts.length).toBe(1);
      // Asleep for 1.5 s: what comes now was said meanwhile.
      if (wakes === "message") wire.handler.onText(new Uint8Array(1), 1, 2.5 * S);
      else link.poll(2.5 * S);
      expect([closed, texts.length, link.suspensions]).toEqual([[CLOSED_BY_SUSPENSION], 1, 1]);
      link.poll(2.5 * S + 1);
      expect(wire.urls.length).toBe(2);
    }
  });

  test("ends a connection whose send buffer passes the cap, and one that never opens", () => {
    const { link, closed, wire } = rig({ bufferedBytesMax: 1000, connectTimeoutNs: 5 * S });
    link.start("ws://a", 0);
    wire.open();
    wire.bufferedAmount = 1001;
    expect(link.sendText(new Uint8Array(1), 1)).toBe(false);
    link.poll(S);
    wire.bufferedAmount = 0;
    link.poll(3 * S);
    link.poll(9 * S);
    expect(closed).toEqual([CLOSED_BY_BACKPRESSURE, CLOSED_BY_CONNECT_TIMEOUT]);
  });

  test("stays down after stop and uses a new URL at the next connect", () => {
    const { link, closed, wire } = rig();
    link.start("ws://a", 0);
    wire.open();
    link.start("ws://b", S);
    wire.handler.onClose(1006, "");
    link.poll(3 * S);
    expect([closed, wire.urls]).toEqual([[CLOSED_BY_PEER], ["ws://a", "ws://b"]]);
    wire.open();
    link.stop();
    link.poll(100 * S);
    expect(wire.urls.length).toBe(2);
  });
});

test("the same seed gives the same delays, another one others", () => {
  const delays = (seed: number): number[] => {
    const backoff = new Backoff(new Prng(seed));
    return Array.from({ length: 5 }, () => backoff.nextDelayNs());
  };
  expect(delays(7)).toEqual(delays(7));
  expect(delays(7)).not.toEqual(delays(8));
});

test("a real peer that stops answering is terminated by the deadline alone", async () => {
  // A TCP server that completes the upgrade and then never says a word: no close, no pong.
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, data) {
        const key = /Sec-WebSocket-Key: (.+)\r\n/i.exec(data.toString())?.[1];
        if (key === undefined) return;
        const accept = new Bun.CryptoHasher("sha1")
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest("base64");
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      },
    },
  });
  const closed: number[] = [];
  let opens = 0;
  const owner = {
    onLinkOpen: () => void opens++,
    onLinkText: () => {},
    onLinkClosed: (c: number) => void closed.push(c),
  };
  const now = (): number => Bun.nanoseconds();
  const options = { ...LINK_DEFAULTS, heartbeatNs: 150e6, backoffMinNs: 10e6, backoffMaxNs: 20e6 };
  const link = new Link(owner, (h) => new BunWebSocketTransport(h, now), options, new Prng(3));
  link.start(`ws://127.0.0.1:${server.port}/`, now());
  for (let i = 0; i < 400 && opens < 2; i++) {
    link.poll(now());
    await Bun.sleep(5);
  }
  expect([opens, closed[0], link.heartbeatTimeouts]).toEqual([2, CLOSED_BY_HEARTBEAT, 1]);
  link.stop();
  server.stop(true);
});
