// Public streams: which exist, which route serves them, who listens, and how a message reaches the sockets.
// A topic has one channel per (route, form); publishing costs nothing where nobody listens and one
// server.publish per channel otherwise.
import type { Server } from "bun";
import type { FaultBoard, Route } from "./faults.ts";

/** Raw messages (`/ws`) or wrapped ones (`/stream`: {"stream":…,"data":…}). */
export type Form = "raw" | "combined";

interface Channel {
  readonly route: Route;
  readonly form: Form;
  readonly name: string;
  listeners: number;
}

const STREAM =
  /^([a-z0-9]+)@(depth(?:@0ms|@100ms|@250ms|@500ms)?|bookTicker|trade|aggTrade|markPrice(?:@1s)?)$/;

/** Stream kind of a name such as `btcusdt@depth@0ms`; null when there is no such stream. */
export function parseStream(name: string): { symbol: string; kind: string } | null {
  const match = STREAM.exec(name);
  return match === null ? null : { symbol: match[1]!.toUpperCase(), kind: match[2]! };
}

/** The split routes serve only their own streams; the old un-routed URLs serve all. */
export function routeServes(route: Route, kind: string): boolean {
  if (route === "legacy") return true;
  const isPublic = kind.startsWith("depth") || kind === "bookTicker";
  return route === (isPublic ? "public" : "market");
}

export class Topic {
  readonly stream: string;
  readonly channels: Channel[] = [];
  listeners = 0;

  constructor(stream: string) {
    this.stream = stream;
  }

  channel(route: Route, form: Form): Channel {
    let found = this.channels.find((c) => c.route === route && c.form === form);
    if (found === undefined) {
      found = { route, form, name: `${route}|${form}|${this.stream}`, listeners: 0 };
      this.channels.push(found);
    }
    return found;
  }
}

export class StreamHub {
  messagesSent = 0;
  private readonly topics = new Map<string, Topic>();
  private readonly faults: FaultBoard;
  private server: Server<unknown> | null = null;

  constructor(faults: FaultBoard) {
    this.faults = faults;
  }

  attach(server: Server<unknown>): void {
    this.server = server;
  }

  topic(stream: string): Topic {
    let topic = this.topics.get(stream);
    if (topic === undefined) {
      topic = new Topic(stream);
      this.topics.set(stream, topic);
    }
    return topic;
  }

  /** Name to subscribe a socket to. */
  join(stream: string, route: Route, form: Form): string {
    const topic = this.topic(stream);
    const channel = topic.channel(route, form);
    channel.listeners++;
    topic.listeners++;
    return channel.name;
  }

  leave(stream: string, route: Route, form: Form): string {
    const topic = this.topic(stream);
    const channel = topic.channel(route, form);
    channel.listeners--;
    topic.listeners--;
    return channel.name;
  }

  publish(topic: Topic, text: string): void {
    if (this.server === null) return;
    for (let i = 0; i < topic.channels.length; i++) {
      const channel = topic.channels[i]!;
      if (channel.listeners === 0 || this.faults.stalled(channel.route)) continue;
      this.server.publish(
        channel.name,
        channel.form === "raw" ? text : `{"stream":"${topic.stream}","data":${text}}`,
      );
      this.messagesSent += channel.listeners;
    }
  }
}
