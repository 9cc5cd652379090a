// Transport over Bun's WebSocket. Lane: the one that owns the socket. Per message: the string that Bun makes
// (text frames are always strings, BUN.md rule 4), copied once into a buffer that grows only on demand.
//
// A text frame can only be sent from a string, so each send costs one string of the message's length.
import type { Transport, TransportCounters, TransportHandler } from "../contract.ts";

const OPEN = 1;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

/** Node's fast path behind toString("latin1"), missing from the types. */
interface SliceableBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

/** What the transport needs of a WebSocket. */
export interface BunSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(type: "pong", listener: () => void): void;
  send(text: string): void;
  ping(): void;
  terminate(): void;
}

/** Receive buffers start here: a 1,226-level depth message is 40 kB, a 1,000-level snapshot less. */
export const RECEIVE_BYTES = 256 * 1024;

export class BunWebSocketTransport implements Transport {
  readonly counters: TransportCounters;
  private readonly handler: TransportHandler;
  private readonly nowNs: () => number;
  private readonly encoder: TextEncoder;
  private readonly open: (url: string) => BunSocket;
  private buffer: Uint8Array;
  private sendView: SliceableBuffer;
  private sendSource: Uint8Array;
  private socket: BunSocket | null;

  /** `nowNs` stamps the receive time; `open` makes the socket (warm-up has its own). */
  constructor(
    handler: TransportHandler,
    nowNs: () => number,
    receiveBytes = RECEIVE_BYTES,
    open: (url: string) => BunSocket = openSocket,
  ) {
    this.counters = { messages: 0, bytes: 0, bufferGrowths: 0, binaryFrames: 0 };
    this.handler = handler;
    this.nowNs = nowNs;
    this.encoder = new TextEncoder();
    this.open = open;
    this.buffer = new Uint8Array(new ArrayBuffer(receiveBytes));
    this.sendSource = new Uint8Array(0);
    this.sendView = Buffer.alloc(0) as SliceableBuffer;
    this.socket = null;
  }

  get isOpen(): boolean {
    return this.socket !== null && this.socket.readyState === OPEN;
  }

  get bufferedAmount(): number {
    return this.socket === null ? 0 : this.socket.bufferedAmount;
  }

  connect(url: string): void {
    const previous = this.socket;
    this.socket = null;
    previous?.terminate();
    const socket = this.open(url);
    this.socket = socket;
    socket.onopen = () => {
      if (this.socket === socket) this.handler.onOpen();
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(event.data);
    };
    socket.addEventListener("pong", () => {
      if (this.socket === socket) this.handler.onPong(this.nowNs());
    });
    socket.onclose = (event) => this.closed(socket, event.code, event.reason);
    socket.onerror = () => {};
  }

  sendText(bytes: Uint8Array, end: number): boolean {
    const socket = this.socket;
    if (socket === null || socket.readyState !== OPEN) return false;
    if (this.sendSource !== bytes) {
      this.sendSource = bytes;
      this.sendView = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as SliceableBuffer;
    }
    // Requests are ASCII (tested at the encoder), for which latin1Slice is the cheapest way to a string.
    socket.send(this.sendView.latin1Slice(0, end));
    return true;
  }

  ping(): void {
    if (this.isOpen) this.socket!.ping();
  }

  terminate(): void {
    const socket = this.socket;
    if (socket === null) return;
    socket.terminate();
    this.closed(socket, 1006, "terminated");
  }

  poll(): number {
    return 0;
  }

  private closed(socket: BunSocket, code: number, reason: string): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.handler.onClose(code, reason);
  }

  private receive(data: unknown): void {
    const recvTsNs = this.nowNs();
    if (typeof data !== "string") {
      this.counters.binaryFrames++;
      return;
    }
    let result = this.encoder.encodeInto(data, this.buffer);
    if (result.read < data.length) {
      this.buffer = new Uint8Array(new ArrayBuffer(data.length * BYTES_PER_UNIT_MAX + 1));
      this.counters.bufferGrowths++;
      result = this.encoder.encodeInto(data, this.buffer);
    }
    this.counters.messages++;
    this.counters.bytes += result.written;
    this.handler.onText(this.buffer, result.written, recvTsNs);
  }
}

function openSocket(url: string): BunSocket {
  // Bun's option bag is not in the DOM type; compression costs latency and garbage on every message.
  const options = { perMessageDeflate: false } as unknown as string[];
  return new WebSocket(url, options) as unknown as BunSocket;
}
