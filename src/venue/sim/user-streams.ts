// Listen keys and the sockets of the user data stream. Events go to every socket with a valid key, filtered by
// its `events=` list, raw or wrapped by the form of its URL.
import { randomBytes } from "node:crypto";
import type { ServerWebSocket } from "bun";
import type { FaultBoard, Route } from "./faults.ts";
import type { Form } from "./stream-hub.ts";
import type { VenueClock } from "./venue-clock.ts";

const VALID_MS = 60 * 60_000;

interface Listener {
  readonly socket: ServerWebSocket<unknown>;
  readonly key: string;
  readonly route: Route;
  readonly form: Form;
  /** null: all events. */
  readonly events: ReadonlySet<string> | null;
}

export class UserStreams {
  private readonly keys = new Map<string, number>();
  private readonly byAccount = new Map<string, string>();
  private listeners: Listener[] = [];
  private readonly clock: VenueClock;
  private readonly faults: FaultBoard;
  /** An event that a `reorder` fault holds until the next one has gone. */
  private held: string;

  constructor(clock: VenueClock, faults: FaultBoard) {
    this.clock = clock;
    this.faults = faults;
    this.held = "";
  }

  /** The account's key, a new one when it has none or it has expired; valid for another 60 minutes. */
  create(apiKey: string): string {
    const existing = this.byAccount.get(apiKey);
    const key = existing !== undefined && this.valid(existing) ? existing : randomBytes(32).toString("hex");
    this.byAccount.set(apiKey, key);
    this.keys.set(key, this.clock.nowMs() + VALID_MS);
    return key;
  }

  /** null when the account has no valid key. */
  extend(apiKey: string): string | null {
    const key = this.byAccount.get(apiKey);
    if (key === undefined || !this.valid(key)) return null;
    this.keys.set(key, this.clock.nowMs() + VALID_MS);
    return key;
  }

  remove(apiKey: string): void {
    const key = this.byAccount.get(apiKey);
    if (key === undefined) return;
    this.byAccount.delete(apiKey);
    this.keys.delete(key);
    for (const l of this.listeners.filter((l) => l.key === key)) l.socket.close(1000, "listenKey closed");
  }

  valid(key: string): boolean {
    return (this.keys.get(key) ?? 0) > this.clock.nowMs();
  }

  /** Tells the sockets that their key is void, as the venue does after 60 minutes without a PUT. */
  expireAll(): void {
    const now = this.clock.nowMs();
    for (const l of this.listeners)
      this.sendTo(l, `{"e":"listenKeyExpired","E":${now},"listenKey":"${l.key}"}`);
    this.keys.clear();
    this.byAccount.clear();
    this.listeners = [];
  }

  expireOld(): void {
    const now = this.clock.nowMs();
    for (const [key, until] of this.keys) {
      if (until > now) continue;
      this.keys.delete(key);
      for (const l of this.listeners.filter((x) => x.key === key))
        this.sendTo(l, `{"e":"listenKeyExpired","E":${now},"listenKey":"${key}"}`);
      this.listeners = this.listeners.filter((l) => l.key !== key);
    }
  }

  join(
    socket: ServerWebSocket<unknown>,
    key: string,
    route: Route,
    form: Form,
    events: ReadonlySet<string> | null,
  ): void {
    this.listeners.push({ socket, key, route, form, events });
  }

  leave(socket: ServerWebSocket<unknown>): void {
    if (this.listeners.length > 0) this.listeners = this.listeners.filter((l) => l.socket !== socket);
  }

  get count(): number {
    return this.listeners.length;
  }

  /** One event to every socket, through the faults of the user data stream. */
  emit(text: string): void {
    const fault = this.faults.takeUser();
    if (fault === "gap") return;
    if (fault === "reorder" && this.held === "") {
      this.held = text;
      return;
    }
    this.send(text);
    if (fault === "duplicate") this.send(text);
    if (this.held === "") return;
    this.send(this.held);
    this.held = "";
  }

  private send(text: string): void {
    for (const l of this.listeners) {
      if (l.events !== null && !l.events.has(eventName(text))) continue;
      this.sendTo(l, text);
    }
  }

  private sendTo(l: Listener, text: string): void {
    if (this.faults.stalled(l.route)) return;
    l.socket.send(l.form === "raw" ? text : `{"stream":"${l.key}","data":${text}}`);
  }
}

/** Events are built by us and begin with `{"e":"NAME"`. */
const eventName = (text: string): string => text.slice(6, text.indexOf('"', 6));
