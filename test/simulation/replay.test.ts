// `replay --verify` on recorded sessions: the same decisions again, byte for byte; what was changed is found and
// named; a Gap says from where nothing can be verified. Through the command, as a user runs it.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type MarketJournal, marketJournal, runSession, withGap } from "./journal-rig.ts";

setDefaultTimeout(60_000);

const CLI = resolve(import.meta.dir, "../../src/cli/replay.ts");
const root = mkdtempSync(join(tmpdir(), "hotlane-replay-"));
const recorded = join(root, "recorded");
let journal: MarketJournal;

beforeAll(async () => {
  journal = await marketJournal(12_000);
  await runSession("lanes", recorded, journal);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Verdict {
  readonly verdict: string;
  readonly from?: number;
  readonly why?: string;
  readonly matched: number;
  readonly observedRecords: number;
  readonly difference?: {
    readonly position: number;
    readonly fields: string;
    readonly recorded: Record<string, unknown>;
    readonly replayed: Record<string, unknown> | null;
  };
}

async function replay(dir: string): Promise<{ code: number; verdict: Verdict }> {
  const child = Bun.spawn(["bun", CLI, dir, "--verify", "--json"], { stdout: "pipe", stderr: "pipe" });
  const out = await new Response(child.stdout).text();
  return { code: await child.exited, verdict: JSON.parse(out) as Verdict };
}

/** A copy of the recorded session whose manifest's `replay` part was changed. */
function altered(name: string, change: (replay: Record<string, never>) => void): string {
  const dir = join(root, name);
  cpSync(join(recorded, "wal"), dir, { recursive: true });
  const file = join(dir, readdirSync(dir).find((f) => f.endsWith(".json"))!);
  const manifest = JSON.parse(readFileSync(file, "utf8")) as { replay: Record<string, never> };
  change(manifest.replay);
  writeFileSync(file, JSON.stringify(manifest));
  return dir;
}

test("a recorded session replays to identical records", async () => {
  const { code, verdict } = await replay(recorded);
  expect(verdict).toMatchObject({ verdict: "identical" });
  expect(code).toBe(0);
  expect(verdict.matched).toBeGreaterThan(500);
  expect(verdict.observedRecords).toBeGreaterThan(1000);
});

test("another parameter than the session had gives the first different order, decoded, and exit 3", async () => {
  const dir = altered("parameter", (setup) => {
    const strategies = setup["strategies"] as unknown as { name: string; params: Record<string, unknown> }[];
    strategies.find((s) => s.name === "tick-mm")!.params["order_qty"] = "0.005";
  });
  const { code, verdict } = await replay(dir);
  expect(code).toBe(3);
  expect(verdict.verdict).toBe("different");
  expect(verdict.difference).toMatchObject({
    fields: "qtyLots",
    recorded: { kind: "OrderSent", strategy: "tick-mm", qty: "0.004" },
    replayed: { kind: "OrderSent", strategy: "tick-mm", qty: "0.005" },
  });
});

test("a limit that would have let more orders pass is found in the records", async () => {
  const dir = altered("limit", (setup) => {
    const strategies = setup["strategies"] as unknown as { limits: Record<string, unknown> }[];
    for (const s of strategies) s.limits["max_working_orders"] = 1;
  });
  const { code, verdict } = await replay(dir);
  expect(code).toBe(3);
  expect(verdict.verdict).toBe("different");
});

test("a restored position that the session did not have is found at its first consequence", async () => {
  const dir = altered("restored", (setup) => {
    const restored = setup["restored"] as unknown as { pairs: unknown[] };
    const zero = { costTickLots: 0, realizedHi: 0, realizedLo: 0, feesHi: 0, feesLo: 0, fills: [] };
    restored.pairs.push({ ...zero, strategy: 2, instrument: 1, qtyLots: 1, costTickLots: 617_000 });
  });
  const { code, verdict } = await replay(dir);
  expect(code).toBe(3);
  expect(verdict.verdict).toBe("different");
});

test("a session whose market journal lost records is not verifiable from the Gap on", async () => {
  const dir = join(root, "gap");
  await runSession("fused", dir, withGap(journal, 6000));
  const { code, verdict } = await replay(dir);
  expect(code).toBe(3);
  expect(verdict).toMatchObject({ verdict: "notVerifiable", why: "a Gap in the market stream" });
  expect(verdict.from).toBeGreaterThan(0);
  expect(verdict.matched).toBeGreaterThan(100);
});

test("a journal that ends in the middle is verified up to there and never called different", async () => {
  const dir = altered("torn", () => {});
  const segment = join(dir, readdirSync(dir).find((f) => f.endsWith(".wal"))!);
  truncateSync(segment, Math.floor(statSync(segment).size * 0.8) + 17);
  const { verdict } = await replay(dir);
  // How much of either stream lies before the cut is up to the writer's batches.
  expect(["identical", "notVerifiable"]).toContain(verdict.verdict);
});

test("a damaged batch in the middle is where verification ends", async () => {
  const dir = altered("damaged", () => {});
  const segment = join(dir, readdirSync(dir).find((f) => f.endsWith(".wal"))!);
  const bytes = readFileSync(segment);
  bytes[Math.floor(bytes.length / 128) * 64 + 32]! ^= 0xff;
  writeFileSync(segment, bytes);
  const { code, verdict } = await replay(dir);
  expect(code).toBe(3);
  expect(verdict.verdict).toBe("notVerifiable");
});

test("a session recorded without what a replay needs is refused with exit 1", async () => {
  const dir = join(root, "old");
  cpSync(join(recorded, "wal"), dir, { recursive: true });
  const file = join(dir, readdirSync(dir).find((f) => f.endsWith(".json"))!);
  const { replay: _, ...older } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(older));
  const child = Bun.spawn(["bun", CLI, dir, "--verify"], { stdout: "pipe", stderr: "pipe" });
  expect(await new Response(child.stderr).text()).toContain("has no manifest with what a replay needs");
  expect(await child.exited).toBe(1);
});

test("a directory without a session, and a call without --verify, say what is wanted", async () => {
  const run = async (args: string[]) => {
    const child = Bun.spawn(["bun", CLI, ...args], { stdout: "pipe", stderr: "pipe" });
    const text = await new Response(child.stderr).text();
    return { code: await child.exited, text };
  };
  const empty = mkdtempSync(join(root, "empty-"));
  expect(await run([empty, "--verify"])).toMatchObject({
    code: 2,
    text: expect.stringContaining("no session"),
  });
  expect(await run([recorded])).toMatchObject({ code: 2, text: expect.stringContaining("--verify") });
  expect((await run([join(root, "absent"), "--verify"])).code).toBe(2);
});
