// What Bun's WebSocket leaves to the collector, and what the collector takes: bytes per message received, bytes
// per order sent, pauses. A server process plays the capture's messages over loopback in bursts; a client process
// receives them through the product's transport (bun-websocket.ts) into a handler that does nothing, and sends an
// order text (240 B) for one message in `every`. No order and one order per message are two runs; their difference
// is the order's share.
//
// Method: JavaScriptCore's own log (BUN_JSC_logGC=1) of the client: each collection says how many bytes were
// allocated since the last one and how long it paused the thread. Their sum over the messages of the run.
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
        burst();
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

async function measure(messages: number, every: number): Promise<Garbage> {
  const server = Bun.spawn([process.execPath, SELF, "--serve", "--messages", String(messages)], {
    stdout: "pipe",
  });
  try {
    const first = await server.stdout.getReader().read();
    const port = Number(new TextDecoder().decode(first.value));
    const client = Bun.spawn([process.execPath, SELF, "--receive", String(port), "--every", String(every)], {
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, BUN_JSC_logGC: "1" },
    });
    const [out, err] = await Promise.all([
      new Response(client.stdout).text(),
      new Response(client.stderr).text(),
    ]);
    return read(out + err);
  } finally {
    server.kill();
  }
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
    json: { type: "boolean", default: false },
  },
});
if (values.serve) await serve(Number(values.messages));
else if (values.receive !== undefined) receive(Number(values.receive), Number(values.every));
else {
  const messages = Number(values.messages);
  const quiet = await measure(messages, 0);
  const busy = await measure(messages, 1);
  const perOrder = busy.bytesPerMessage - quiet.bytesPerMessage;
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
