// SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS frames of the market streams, with the venue's limits.
import type { ServerWebSocket } from "bun";
import { parseStream, routeServes, type StreamHub } from "./stream-hub.ts";
import type { Connection } from "./ws-connection.ts";

const MAX_STREAMS = 200;
const MAX_FRAMES_PER_SECOND = 10;

export type VenueSocket = ServerWebSocket<Connection>;

interface Frame {
  method?: unknown;
  params?: unknown;
  id?: unknown;
}

/** Streams on the wrong route are accepted and stay silent, as on the venue. */
export function subscribe(socket: VenueSocket, hub: StreamHub, name: string): boolean {
  const connection = socket.data;
  const stream = parseStream(name);
  if (stream === null || connection.streams.has(name)) return stream !== null;
  if (connection.streams.size >= MAX_STREAMS) return false;
  connection.streams.add(name);
  if (routeServes(connection.route, stream.kind)) hub.join(name, connection.route, connection.form, socket);
  return true;
}

export function unsubscribe(socket: VenueSocket, hub: StreamHub, name: string): void {
  const connection = socket.data;
  const stream = parseStream(name);
  if (stream === null || !connection.streams.delete(name)) return;
  if (routeServes(connection.route, stream.kind)) hub.leave(name, connection.route, connection.form, socket);
}

/** False when the client sends control frames faster than the venue allows. */
export function withinFrameLimit(connection: Connection, nowMs: number): boolean {
  const second = Math.floor(nowMs / 1000);
  if (second !== connection.framesSecond) {
    connection.framesSecond = second;
    connection.frames = 0;
  }
  return ++connection.frames <= MAX_FRAMES_PER_SECOND;
}

export function onMarketFrame(socket: VenueSocket, hub: StreamHub, text: string): void {
  let frame: Frame;
  try {
    frame = JSON.parse(text);
  } catch {
    socket.send('{"error":{"code":3,"msg":"Invalid JSON: expected value"}}');
    return;
  }
  const id = JSON.stringify(frame?.id ?? null);
  const names = Array.isArray(frame?.params) ? frame.params.filter((n) => typeof n === "string") : null;
  if (frame?.method === "LIST_SUBSCRIPTIONS") {
    socket.send(`{"result":${JSON.stringify([...socket.data.streams])},"id":${id}}`);
    return;
  }
  if (names === null || (frame.method !== "SUBSCRIBE" && frame.method !== "UNSUBSCRIBE")) {
    socket.send(`{"error":{"code":2,"msg":"Invalid request: unknown variant or missing params"},"id":${id}}`);
    return;
  }
  socket.send(`{"result":null,"id":${id}}`);
  for (const name of names) {
    if (frame.method === "SUBSCRIBE") subscribe(socket, hub, name);
    else unsubscribe(socket, hub, name);
  }
}
