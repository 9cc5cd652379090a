// A simulated venue inside the test process, with limits raised and no artificial latency unless asked for.
import { generateKeyPairSync } from "node:crypto";
import { captureSymbol, defaultVenueOptions, generatedSymbol } from "../../src/venue/sim/defaults.ts";
import { SimVenue, type SimVenueOptions } from "../../src/venue/sim/sim-venue.ts";

export const API_KEY = "test-key";
export const SECRET = "test-secret";
export const ED_KEY = "test-ed25519";

const pair = generateKeyPairSync("ed25519");
export const ED_PRIVATE_PEM = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
export const ED_PUBLIC_PEM = pair.publicKey.export({ type: "spki", format: "pem" }).toString();

export async function testVenue(changes: Partial<SimVenueOptions> = {}): Promise<{
  venue: SimVenue;
  http: string;
  ws: string;
}> {
  const none = { meanNs: 0, sigma: 0 };
  const venue = new SimVenue({
    ...defaultVenueOptions(),
    symbols: [await captureSymbol(), generatedSymbol("ETHUSDT", 1)],
    apiKey: API_KEY,
    secret: SECRET,
    ed25519: [{ apiKey: ED_KEY, publicKeyPem: ED_PUBLIC_PEM }],
    latency: { entry: none, response: none, market: none },
    ...changes,
  });
  const port = venue.start();
  return { venue, http: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}` };
}

/** A venue with only a generated market, which needs no capture to be read. */
export function smallVenue(changes: Partial<SimVenueOptions> = {}) {
  return testVenue({ symbols: [generatedSymbol("ETHUSDT", 1)], ...changes });
}

export async function until(what: string, ready: () => boolean, ms = 4_000): Promise<void> {
  const end = Date.now() + ms;
  while (!ready()) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await Bun.sleep(5);
  }
}

export function hmac(payload: string): string {
  return new Bun.CryptoHasher("sha256", SECRET).update(payload).digest("hex");
}

export interface RestReply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: venue JSON of many shapes
  body: any;
}

/** A signed REST call with parameters in the query string. */
export async function rest(
  http: string,
  method: string,
  path: string,
  params: Record<string, string> = {},
): Promise<RestReply> {
  const query = new URLSearchParams({ ...params, timestamp: params["timestamp"] ?? String(Date.now()) });
  const url = `${http}${path}?${query}&signature=${hmac(query.toString())}`;
  const response = await fetch(url, { method, headers: { "X-MBX-APIKEY": API_KEY } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export async function post(http: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${http}${path}`, { method: "POST", body: JSON.stringify(body) });
}

/** Opens a socket and collects its parsed messages. */
export async function collect(url: string) {
  const socket = new WebSocket(url);
  // biome-ignore lint/suspicious/noExplicitAny: venue JSON of many shapes
  const messages: any[] = [];
  const texts: string[] = [];
  const state = { closed: 0 };
  socket.onmessage = (event) => {
    texts.push(event.data);
    try {
      messages.push(JSON.parse(event.data));
    } catch {
      messages.push(null);
    }
  };
  socket.onclose = (event) => {
    state.closed = event.code;
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`cannot open ${url}`));
  });
  return { socket, messages, texts, state };
}
