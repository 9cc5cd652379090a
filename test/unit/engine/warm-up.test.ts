// The warm-up makes thousands of requests and leaves no trace: live arena, data directory, kill file and network
// are as before. Both kinds of signature, both topologies.
import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LANE_BUILDERS } from "../../../src/engine/lane-builders.ts";
import { LaneContext } from "../../../src/engine/lane-host.ts";
import type { LaneStart } from "../../../src/engine/lane-protocol.ts";
import type { LaneName } from "../../../src/engine/layout.ts";
import { NoticeReader } from "../../../src/lane/notices.ts";
import { laneStarts, settingsOf, type Topology } from "../../simulation/journal-rig.ts";

setDefaultTimeout(30_000);

const MESSAGES = 6000;
const BASE_NS = 1_723_075_200_000_000_000n;
const root = mkdtempSync(join(tmpdir(), "hotlane-warm-"));
const network = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket };
let calls = 0;

beforeEach(() => {
  calls = 0;
  const refuse = () => {
    calls++;
    throw new Error("the network was touched");
  };
  Object.assign(globalThis, { fetch: refuse, WebSocket: refuse });
});
afterEach(() => {
  Object.assign(globalThis, network);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function credentials(kind: "hmac" | "ed25519"): string {
  const file = join(root, `${kind}.json`);
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const secret = kind === "hmac" ? { apiSecret: "not-a-secret" } : { privateKey: pem };
  writeFileSync(file, JSON.stringify({ apiKey: "not-a-key", ...secret }), { mode: 0o600 });
  return file;
}

async function startOf(topology: Topology, lane: LaneName, credentialsFile: string): Promise<LaneStart> {
  const dataDir = mkdtempSync(join(root, "data-"));
  mkdirSync(dataDir, { recursive: true });
  const settings = settingsOf(topology, dataDir);
  const starts = await laneStarts(
    {
      ...settings,
      engine: { ...settings.engine, warmupMessages: MESSAGES },
      venue: {
        ...settings.venue,
        credentialsFile,
        restUrl: "http://127.0.0.1:9",
        wsApiUrl: "ws://127.0.0.1:9/ws-fapi/v1",
      },
    },
    BASE_NS,
  );
  return starts.find((s) => s.placement.name === lane)!;
}

/** The arena without the lane's own notices, where its one log line goes. */
function arenaBytes(start: LaneStart): Uint8Array {
  const bytes = new Uint8Array(start.arena).slice();
  const ring = start.layout.rings.notices[start.placement.name]!;
  return bytes.fill(0, ring.offset, ring.offset + 8192 + ring.capacity * 64);
}

function files(dir: string): Record<string, string> {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  return Object.fromEntries(
    found.map((f) => [
      join(f.parentPath, f.name),
      readFileSync(join(f.parentPath, f.name)).toString("base64"),
    ]),
  );
}

async function warm(start: LaneStart): Promise<string> {
  const context = new LaneContext(start);
  const lane = await LANE_BUILDERS[start.placement.name](context);
  const { dataDir } = start.settings.engine;
  const before = { arena: arenaBytes(start), files: files(dataDir) };
  await lane.warmUp!();
  expect(Buffer.compare(arenaBytes(start), before.arena)).toBe(0);
  expect(files(dataDir)).toEqual(before.files);
  expect(calls).toBe(0);
  const lines: string[] = [];
  const reader = new NoticeReader((notice) => lines.push(notice.text));
  context.consumer(start.layout.rings.notices[start.placement.name]!).drain(reader, 4096);
  return lines.at(-1)!;
}

for (const [topology, lane, kind] of [
  ["lanes", "execution", "hmac"],
  ["fused", "fused", "ed25519"],
] as const) {
  test(`the ${lane} lane sends, moves, cancels and fills orders (${kind}) and leaves no trace`, async () => {
    const line = await warm(await startOf(topology, lane, credentials(kind)));
    expect(line).toStartWith(`warm: ${MESSAGES} messages, `);
    expect(Number(/(\d+) order requests/.exec(line)![1])).toBeGreaterThan(500);
  });
}

for (const lane of ["feed", "factor"] as const) {
  test(`the ${lane} lane runs the messages and leaves no trace`, async () => {
    expect(await warm(await startOf("lanes", lane, ""))).toMatch(`warm: ${MESSAGES} messages in `);
  });
}

test("warmup_messages = 0 leaves it out", async () => {
  const start = await startOf("lanes", "feed", "");
  const { settings } = start;
  const none = { ...start, settings: { ...settings, engine: { ...settings.engine, warmupMessages: 0 } } };
  const context = new LaneContext(none);
  const lane = await LANE_BUILDERS.feed(context);
  const before = new Uint8Array(none.arena).slice();
  await lane.warmUp!();
  expect(Buffer.compare(new Uint8Array(none.arena), before)).toBe(0);
});
