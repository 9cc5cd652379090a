// What a WebSocket of this venue is: decided once from its URL.
//   /public|/market|/private|(none) + /ws/<stream>[/<stream>…] · /ws · /stream?streams=a/b · /stream
//   /private/ws/<listenKey> · /private/ws?listenKey=…&events=A/B · /private/stream?listenKey=…
//   /ws-fapi/v1
import type { Route } from "./faults.ts";
import { type Form, parseStream } from "./stream-hub.ts";

export interface Connection {
  readonly id: number;
  readonly route: Route;
  readonly form: Form;
  /** Streams of the URL, subscribed when the socket opens. */
  readonly initial: readonly string[];
  readonly streams: Set<string>;
  /** Listen key of a user stream, "" otherwise. */
  readonly listenKey: string;
  readonly events: ReadonlySet<string> | null;
  readonly showRateLimits: boolean;
  /** API key of a logged-on WS API session. */
  sessionKey: string | null;
  /** Control frames within the present second. */
  frames: number;
  framesSecond: number;
}

const ROUTE_PREFIX = /^\/(public|market|private)(?=\/)/;

/** null when the path is not a WebSocket path. */
export function parseConnection(url: URL, id: number): Connection | null {
  const common = {
    id,
    streams: new Set<string>(),
    sessionKey: null,
    frames: 0,
    framesSecond: 0,
    events: null,
    listenKey: "",
    initial: [] as string[],
    showRateLimits: url.searchParams.get("returnRateLimits") !== "false",
  };
  if (url.pathname === "/ws-fapi/v1") return { ...common, route: "api", form: "raw" };
  const prefix = ROUTE_PREFIX.exec(url.pathname);
  const route = (prefix?.[1] ?? "legacy") as Route;
  const rest = prefix === null ? url.pathname : url.pathname.slice(prefix[0].length);
  const match = /^\/(ws|stream)(?:\/(.*))?$/.exec(rest);
  if (match === null) return null;
  const form: Form = match[1] === "ws" ? "raw" : "combined";
  const names = [match[2], url.searchParams.get("streams")]
    .flatMap((part) => (part ?? "").split("/"))
    .filter((name) => name !== "");
  const streams = names.filter((name) => parseStream(name) !== null);
  const key =
    url.searchParams.get("listenKey") ?? names.find((name) => /^[0-9a-zA-Z]{32,128}$/.test(name)) ?? "";
  const events = url.searchParams.get("events");
  return {
    ...common,
    route,
    form,
    initial: streams,
    listenKey: route === "private" || route === "legacy" ? key : "",
    events: events === null || events === "" ? null : new Set(events.split("/")),
  };
}
