// What Bun's WebSocket leaves to the collector, and what the collector takes: bytes per message received, bytes
// per order sent, pauses. A server process plays the capture's messages over loopback in bursts; a client process
// receives them through the product's transport (bun-websocket.ts) into a handler that does nothing, and sends an
// order text (240 B) for each message, or for none: two runs. A third client only sends.
//
// Method: JavaScriptCore's own log (BUN_JSC_logGC=1) of the client: each collection says how many bytes were
// allocated since the last one and how long it paused the thread. Their sum over the messages of the run. An order
// leaves less than one collection more or less is worth, so its bytes are counted between two forced collections:
// heap at the start of the second less heap after the first. That is what the collector sees of it; the text of up
// to 256 B itself lies outside its heap and is freed with its cell.
//
//   bun bench/socket-garbage.ts [--messages 400000] [--json]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { monotonicNs } from "../ffi/host.ts";
import { BunWebSocketTransport } from "../src/venue/transport/bun-websocket.ts";
import { loadCaptureMessages } from "./harness/capture-messages.ts";
import { quantile } from "./harness/statistics.ts";

const BURST = 64;
const BUFFERED_MAX = 256 * 1024;
const ORDER_BYTES = 240;
/** Few enough that no collection of its own comes between the forced ones. */
const ORDERS = 50_000;
const SELF = join(import.meta.dir, "socket-garbage.ts");

interface Garbage {
  readonly messages: number;
  readonly bytesPerMessage: number;
  readonly collections: number;
  readonly pauseMs: { readonly p50: number; readonly max: number };
}

async function serve(messages: number): Promise<void> {
  const { bytes } = await loadCaptureMessages(20_000, true);
  const texts = bytes.map((b) => new TextDecoder().decode(b));
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, s) => (s.upgrade(request) ? undefined : new Response("", { status: 426 })),
    websocket: {
      perMessageDeflate: false,
      message: () => {},
      open(socket) {
        let sent = 0;
        const burst = () => {
          const room = socket.getBufferedAmount() < BUFFERED_MAX;
          for (let i = 0; room && i < BURST && sent < messages; i++, sent++)
            socket.send(texts[sent % texts.length]!);
          if (sent < messages || !room) setImmediate(burst);
          else socket.close();
        };
        if (messages > 0) burst();
      },
    },
  });
  console.log(server.port);
}

/** Connects, counts, sends, and ends with the server. */
function receive(port: number, every: number): void {
  const order = new Uint8Array(ORDER_BYTES).fill(0x61);
  let count = 0;
  const transport = new BunWebSocketTransport(
    {
      onOpen: () => {},
      onText: () => {
        count++;
        if (every > 0 && count % every === 0) transport.sendText(order, ORDER_BYTES);
      },
      onPong: () => {},
      onClose: () => {
        console.log(JSON.stringify({ count }));
        process.exit(0);
      },
    },
    monotonicNs,
  );
  transport.connect(`ws://127.0.0.1:${port}`);
}

/** Sends `count` orders in bursts, a forced collection before and after. */
function sendOnly(port: number, count: number): void {
  const order = new Uint8Array(ORDER_BYTES).fill(0x61);
  let sent = 0;
  const transport = new BunWebSocketTransport(
    { onOpen: () => begin(), onText: () => {}, onPong: () => {}, onClose: () => process.exit(1) },
    monotonicNs,
  );
  const begin = (): void => {
    Bun.gc(true);
    burst();
  };
  const burst = (): void => {
    const room = transport.bufferedAmount < BUFFERED_MAX;
    for (let i = 0; room && i < BURST && sent < count; i++, sent++) transport.sendText(order, ORDER_BYTES);
    if (sent < count) {
      setImmediate(burst);
      return;
    }
    Bun.gc(true);
    console.log(JSON.stringify({ count }));
    process.exit(0);
  };
  transport.connect(`ws://127.0.0.1:${port}`);
}

/** The log of a client (`client`: its arguments) of a server that plays `messages`. */
async function clientLog(messages: number, client: (port: number) => readonly string[]): Promise<string> {
  const server = Bun.spawn([process.execPath, SELF, "--serve", "--messages", String(messages)], {
    stdout: "pipe",
  });
  try {
    const first = await server.stdout.getReader().read();
    const port = Number(new TextDecoder().decode(first.value));
    const child = Bun.spawn([process.execPath, SELF, ...client(port)], {
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, BUN_JSC_logGC: "1" },
    });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return out + err;
  } finally {
    server.kill();
  }
}

const measure = async (messages: number, every: number): Promise<Garbage> =>
  read(await clientLog(messages, (port) => ["--receive", String(port), "--every", String(every)]));

/** Bytes on the collected heap per order. */
async function bytesPerOrder(orders: number): Promise<number> {
  const log = await clientLog(0, (port) => ["--send", String(port), "--messages", String(orders)]);
  const steps = [...log.matchAll(/START M (\d+)kb|Full sweep: \d+kb => (\d+)kb/g)];
  // The first forced collection's end, the second one's start.
  const [swept, started] = steps.slice(-3, -1);
  const allocatedKb = Number(started?.[1]) - Number(swept?.[2]);
  if (!log.includes(`"count":${orders}`) || !(allocatedKb >= 0))
    throw new Error(`the client did not end well, or another collection came:\n${log.slice(-500)}`);
  return (allocatedKb * 1024) / orders;
}

function read(log: string): Garbage {
  const messages = Number(/"count":(\d+)/.exec(log)?.[1]);
  const allocated = [...log.matchAll(/bytes allocated this cycle: (\d+)/g)].map((m) => Number(m[1]));
  const pauses = Float64Array.from([...log.matchAll(/, p=([\d.]+)ms/g)], (m) => Number(m[1])).sort();
  if (!(messages > 0)) throw new Error(`the client did not end well:\n${log.slice(-500)}`);
  return {
    messages,
    bytesPerMessage: allocated.reduce((sum, n) => sum + n, 0) / messages,
    collections: pauses.length,
    pauseMs: { p50: quantile(pauses, 0.5), max: pauses.at(-1) ?? Number.NaN },
  };
}

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "400000" },
    serve: { type: "boolean", default: false },
    receive: { type: "string" },
    every: { type: "string", default: "0" },
    send: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
if (values.serve) await serve(Number(values.messages));
else if (values.receive !== undefined) receive(Number(values.receive), Number(values.every));
else if (values.send !== undefined) sendOnly(Number(values.send), Number(values.messages));
else {
  const messages = Number(values.messages);
  const quiet = await measure(messages, 0);
  const busy = await measure(messages, 1);
  const perOrder = await bytesPerOrder(ORDERS);
  const line = (name: string, g: Garbage) =>
    `${name}: ${g.bytesPerMessage.toFixed(0)} B per message, ${g.collections} collections over ${g.messages} messages, pauses p50 ${g.pauseMs.p50.toFixed(2)} ms, max ${g.pauseMs.max.toFixed(2)} ms`;
  if (values.json) console.log(JSON.stringify({ quiet, busy, bytesPerOrder: perOrder }));
  else
    console.log(
      [
        line("receiving", quiet),
        line("and one order each", busy),
        `per order: ${perOrder.toFixed(0)} B`,
      ].join("\n"),
    );
}
