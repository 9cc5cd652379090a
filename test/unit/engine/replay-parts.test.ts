// What replay rests on: the recorded set-up comes back exactly, and the comparison of records sees every bit
// that a decision has and none that a stamp has.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { allocateRecordMemory } from "../../../src/core/record.ts";
import { NOTHING_RESTORED } from "../../../src/engine/recovered.ts";
import { differingFields } from "../../../src/engine/replay-expected.ts";
import {
  changedModules,
  type RecordedGraph,
  readReplaySetup,
  recordedGraphs,
  replaySetup,
} from "../../../src/engine/replay-setup.ts";
import type { EngineSettings } from "../../../src/engine/settings.ts";
import { encodeOrderStamps, encodePosition, encodeTimer } from "../../../src/wire/messages.gen.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-replay-parts-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const SETTINGS = { engine: { maxOrders: 256 }, risk: {}, instruments: [] } as unknown as EngineSettings;
const GRAPH = resolve(import.meta.dir, "../../../config/graphs/obi_mm_factors.toml");

test("numbers that JSON cannot hold come back as they were", async () => {
  const pair = {
    strategy: 1,
    instrument: 1,
    qtyLots: -0,
    costTickLots: Number.NaN,
    realizedHi: Number.POSITIVE_INFINITY,
    realizedLo: Number.NEGATIVE_INFINITY,
    feesHi: 2 ** 52 + 1,
    feesLo: 0.1,
    fills: [],
  };
  const plan = { strategies: [], graphs: [], subscriptions: [] };
  const recorded = await replaySetup(SETTINGS, plan, ["", "USDT"], { ...NOTHING_RESTORED, pairs: [pair] });
  const back = readReplaySetup(JSON.parse(JSON.stringify(recorded)))!;
  expect(back.restored.pairs[0]).toStrictEqual(pair);
  expect(Object.is(back.restored.pairs[0]!.qtyLots, -0)).toBe(true);
  expect(readReplaySetup(undefined)).toBeNull();
});

test("a graph file that changed since the session is replaced by its recorded text, and said so", async () => {
  const plan = { strategies: [], graphs: [{ name: "g/X", file: GRAPH, instrument: 1 }], subscriptions: [] };
  const setup = readReplaySetup(await replaySetup(SETTINGS, plan, [], NOTHING_RESTORED))!;
  const notes: string[] = [];
  const same = await recordedGraphs(setup.graphs, (text) => notes.push(text));
  expect(notes).toEqual([]);
  const moved: RecordedGraph[] = setup.graphs.map((g) => ({ ...g, file: join(dir, "gone.toml") }));
  const text = await recordedGraphs(moved, (note) => notes.push(note));
  expect(notes).toHaveLength(1);
  expect(text[0]!.program.outputs.map((o) => o.name)).toEqual(same[0]!.program.outputs.map((o) => o.name));
});

test("a strategy module of the user's that changed or went away is named", async () => {
  const module = join(dir, "own.ts");
  writeFileSync(module, "export default 1;");
  const strategy = {
    id: 1,
    name: "own",
    module,
    graphFile: "",
    graphs: [],
    instruments: [1],
    params: {},
    limits: {},
  };
  const plan = { strategies: [strategy], graphs: [], subscriptions: [] };
  const setup = readReplaySetup(await replaySetup(SETTINGS, plan, [], NOTHING_RESTORED))!;
  expect(await changedModules(setup.modules)).toEqual([]);
  writeFileSync(module, "export default 2;");
  expect(await changedModules(setup.modules)).toEqual([module]);
});

test("stage stamps and journal numbers do not count, decisions do, to the sign of a zero", () => {
  const a = allocateRecordMemory(2);
  const b = allocateRecordMemory(2);
  encodeOrderStamps(a, 0, 4, 1, 2, 77, 9, 0, 50, 1, 2, 3, 617_000);
  encodeOrderStamps(b, 0, 4, 1, 2, 78, 0, 0, 50, 4, 5, 6, 617_000);
  expect(differingFields(a, 0, b, 0)).toEqual([]);
  encodeOrderStamps(b, 0, 4, 1, 2, 78, 0, 0, 50, 4, 5, 6, 617_000.5);
  expect(differingFields(a, 0, b, 0)).toEqual(["midTicks"]);
  encodePosition(a, 0, 2, 1, 2, 1, 0, 0, 50, 3, 0, Number.NaN, 0);
  encodePosition(b, 0, 2, 1, 2, 1, 0, 0, 50, 3, -0, Number.NaN, 0);
  expect(differingFields(a, 0, b, 0)).toEqual(["costTickLots"]);
  encodeTimer(b, 0, 1, 0, 0, 0, 0, 0, 50, 1, 1, 1);
  expect(differingFields(a, 0, b, 0)).toEqual(["kind"]);
});
