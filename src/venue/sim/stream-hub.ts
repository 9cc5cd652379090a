// Public streams: which exist, which route serves them, who listens, and how a message reaches the sockets.
// A topic has one channel per (route, form). Each socket is written to at once: server.publish would hold small
// messages back until the end of the event loop's turn, behind everything else that the turn does.
import type { FaultBoard, Route } from "./faults.ts";

/** Raw messages (`/ws`) or wrapped ones (`/stream`: {"stream":…,"data":…}). */
export type Form = "raw" | "combined";

/** What the hub needs of a socket. */
export interface StreamSocket {
  send(text: string): number;
}

interface Channel {
  readonly route: Route;
  readonly form: Form;
  readonly sockets: StreamSocket[];
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
      found = { route, form, sockets: [] };
      this.channels.push(found);
    }
    return found;
  }
}

export class StreamHub {
  messagesSent = 0;
  private readonly topics = new Map<string, Topic>();
  private readonly faults: FaultBoard;

  constructor(faults: FaultBoard) {
    this.faults = faults;
  }

  topic(stream: string): Topic {
    let topic = this.topics.get(stream);
    if (topic === undefined) {
      topic = new Topic(stream);
      this.topics.set(stream, topic);
    }
    return topic;
  }

  join(stream: string, route: Route, form: Form, socket: StreamSocket): void {
    const topic = this.topic(stream);
    topic.channel(route, form).sockets.push(socket);
    topic.listeners++;
  }

  leave(stream: string, route: Route, form: Form, socket: StreamSocket): void {
    const topic = this.topic(stream);
    const { sockets } = topic.channel(route, form);
    const at = sockets.indexOf(socket);
    if (at < 0) return;
    sockets.splice(at, 1);
    topic.listeners--;
  }

  publish(topic: Topic, text: string): void {
    for (let i = 0; i < topic.channels.length; i++) {
      const { form, route, sockets } = topic.channels[i]!;
      if (sockets.length === 0 || this.faults.stalled(route)) continue;
      const framed = form === "raw" ? text : `{"stream":"${topic.stream}","data":${text}}`;
      for (let k = 0; k < sockets.length; k++) sockets[k]!.send(framed);
      this.messagesSent += sockets.length;
    }
  }
}
