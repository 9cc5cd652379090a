// Keeps one connection alive: connect, heartbeat deadline, terminate, backoff, rotation before the venue's
// 24 h. Bun's client never notices a stalled peer (BUN.md rule 4), so silence is judged here: half the
// heartbeat without a byte → ping; a whole one → terminate. Driven by poll; owns no timer.
//
// A process that did not run for a while (SIGSTOP, a suspended machine) wakes to what the kernel has buffered, with
// fresh receive stamps on old news: the connection is given up before a byte of it is read.
import type { Prng } from "../../core/prng.ts";
import type { Transport, TransportFactory, TransportHandler } from "../contract.ts";
import { Backoff } from "./backoff.ts";

export const LINK_IDLE = 0;
export const LINK_CONNECTING = 1;
export const LINK_OPEN = 2;
export const LINK_WAITING = 3;

export const CLOSED_BY_PEER = 0;
export const CLOSED_BY_HEARTBEAT = 1;
export const CLOSED_BY_ROTATION = 2;
export const CLOSED_BY_CONNECT_TIMEOUT = 3;
export const CLOSED_BY_OWNER = 4;
export const CLOSED_BY_BACKPRESSURE = 5;
export const CLOSED_BY_SUSPENSION = 6;

export interface LinkOptions {
  /** Silence after which the connection is given up. */
  readonly heartbeatNs: number;
  /**
   * Time without a message after which the connection is given up although the peer answers pings: a venue
   * that lost a subscription looks like that. Infinity where silence is normal (user stream, order replies).
   */
  readonly quietNs: number;
  readonly connectTimeoutNs: number;
  /** Time without poll or message after which the process counts as suspended. */
  readonly suspensionNs: number;
  /** Age at which a healthy connection is replaced. */
  readonly rotationNs: number;
  /** Cap on bytes waiting in the socket: past it the peer is not reading. */
  readonly bufferedBytesMax: number;
  readonly backoffMinNs: number;
  readonly backoffMaxNs: number;
}

const NS_PER_S = 1_000_000_000;

export const LINK_DEFAULTS: LinkOptions = {
  heartbeatNs: 10 * NS_PER_S,
  quietNs: Number.POSITIVE_INFINITY,
  connectTimeoutNs: 10 * NS_PER_S,
  suspensionNs: NS_PER_S,
  rotationNs: 23 * 3600 * NS_PER_S,
  bufferedBytesMax: 256 * 1024,
  backoffMinNs: NS_PER_S,
  backoffMaxNs: 60 * NS_PER_S,
};

/** What the owner of a link wants to know. */
export interface LinkOwner {
  onLinkOpen(): void;
  onLinkText(bytes: Uint8Array, end: number, recvTsNs: number): void;
  /** `cause`: CLOSED_BY_… */
  onLinkClosed(cause: number, code: number): void;
}

export class Link implements TransportHandler {
  readonly transport: Transport;
  /** LINK_… */
  state: number;
  connects: number;
  disconnects: number;
  heartbeatTimeouts: number;
  rotations: number;
  suspensions: number;
  private readonly owner: LinkOwner;
  private readonly options: LinkOptions;
  private readonly backoff: Backoff;
  private url: string;
  private nowNs: number;
  private lastAliveNs: number;
  private lastTextNs: number;
  private openedNs: number;
  private retryAtNs: number;
  private pinged: boolean;
  private cause: number;
  private stopped: boolean;

  constructor(owner: LinkOwner, connect: TransportFactory, options: LinkOptions, prng: Prng) {
    this.state = LINK_IDLE;
    this.connects = 0;
    this.disconnects = 0;
    this.heartbeatTimeouts = 0;
    this.rotations = 0;
    this.suspensions = 0;
    this.owner = owner;
    this.options = options;
    this.backoff = new Backoff(prng, options.backoffMinNs, options.backoffMaxNs);
    this.url = "";
    this.nowNs = 0;
    this.lastAliveNs = 0;
    this.lastTextNs = 0;
    this.openedNs = 0;
    this.retryAtNs = 0;
    this.pinged = false;
    this.cause = CLOSED_BY_PEER;
    this.stopped = true;
    this.transport = connect(this);
  }

  get isOpen(): boolean {
    return this.state === LINK_OPEN;
  }

  /** Starts, or moves to another URL at the next connect. */
  start(url: string, nowNs: number): void {
    this.url = url;
    this.stopped = false;
    if (this.state === LINK_IDLE) this.connect(nowNs);
  }

  stop(): void {
    this.stopped = true;
    this.close(CLOSED_BY_OWNER);
    this.state = LINK_IDLE;
  }

  /** Ends the present connection; the next one follows by the backoff rule. */
  close(cause: number): void {
    if (this.state !== LINK_OPEN && this.state !== LINK_CONNECTING) return;
    this.cause = cause;
    this.transport.terminate();
  }

  /** False: not open, or the peer does not read (that ends the connection). */
  sendText(bytes: Uint8Array, end: number): boolean {
    return this.state === LINK_OPEN && !this.isBackedUp && this.transport.sendText(bytes, end);
  }

  get isBackedUp(): boolean {
    return this.transport.bufferedAmount > this.options.bufferedBytesMax;
  }

  /** True when the connection has been open since then and nothing has been said on it: it may be dead. */
  isSilentSince(ns: number): boolean {
    return this.state === LINK_OPEN && this.openedNs <= ns && this.lastTextNs < ns;
  }

  poll(nowNs: number): number {
    if (this.slept(nowNs)) {
      this.giveUp(nowNs);
      return 1;
    }
    this.nowNs = nowNs;
    if (this.state === LINK_OPEN) return this.watch(nowNs) + this.transport.poll();
    if (this.state === LINK_CONNECTING) {
      if (nowNs - this.openedNs > this.options.connectTimeoutNs) this.close(CLOSED_BY_CONNECT_TIMEOUT);
      return this.transport.poll();
    }
    if (this.state !== LINK_WAITING || this.stopped || nowNs < this.retryAtNs) return 0;
    this.connect(nowNs);
    return 1;
  }

  private watch(nowNs: number): number {
    const silentNs = nowNs - this.lastAliveNs;
    if (silentNs > this.options.heartbeatNs || nowNs - this.lastTextNs > this.options.quietNs) {
      this.heartbeatTimeouts++;
      this.close(CLOSED_BY_HEARTBEAT);
      return 1;
    }
    if (this.isBackedUp) {
      this.close(CLOSED_BY_BACKPRESSURE);
      return 1;
    }
    if (nowNs - this.openedNs > this.options.rotationNs) {
      this.rotations++;
      this.backoff.reset();
      this.close(CLOSED_BY_ROTATION);
      return 1;
    }
    if (silentNs * 2 > this.options.heartbeatNs && !this.pinged) {
      this.pinged = true;
      this.transport.ping();
    }
    return 0;
  }

  /** `nowNs` is the time of the last poll or message. */
  private slept(nowNs: number): boolean {
    return this.state === LINK_OPEN && nowNs - this.nowNs > this.options.suspensionNs;
  }

  private giveUp(nowNs: number): void {
    this.nowNs = nowNs;
    this.suspensions++;
    this.backoff.reset();
    this.close(CLOSED_BY_SUSPENSION);
  }

  private connect(nowNs: number): void {
    this.state = LINK_CONNECTING;
    this.openedNs = nowNs;
    this.nowNs = nowNs;
    this.cause = CLOSED_BY_PEER;
    this.connects++;
    this.transport.connect(this.url);
  }

  private alive(recvTsNs: number): void {
    this.lastAliveNs = recvTsNs;
    this.pinged = false;
  }

  onOpen(): void {
    this.state = LINK_OPEN;
    this.openedNs = this.nowNs;
    this.alive(this.nowNs);
    this.lastTextNs = this.nowNs;
    this.owner.onLinkOpen();
  }

  onText(bytes: Uint8Array, end: number, recvTsNs: number): void {
    if (this.slept(recvTsNs)) {
      this.giveUp(recvTsNs);
      return;
    }
    this.nowNs = recvTsNs;
    this.alive(recvTsNs);
    this.lastTextNs = recvTsNs;
    this.backoff.reset();
    this.owner.onLinkText(bytes, end, recvTsNs);
  }

  onPong(recvTsNs: number): void {
    this.alive(recvTsNs);
    this.backoff.reset();
  }

  onClose(code: number, _reason: string): void {
    const cause = this.cause;
    this.state = this.stopped ? LINK_IDLE : LINK_WAITING;
    this.disconnects++;
    // What we ended ourselves at a healthy venue reconnects at the next poll; anything else waits.
    const atOnce = cause === CLOSED_BY_ROTATION || cause === CLOSED_BY_SUSPENSION;
    this.retryAtNs = atOnce ? this.nowNs : this.nowNs + this.backoff.nextDelayNs();
    this.owner.onLinkClosed(cause, code);
  }
}
