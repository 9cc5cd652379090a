import { expect, test } from "bun:test";
import { join } from "node:path";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { loadGraphFile } from "../../../src/factor/graph-toml.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";
import { exampleOracle } from "./example-oracle.ts";
import { expectClose } from "./series-graph.ts";

const ROOT = join(import.meta.dir, "../../..");
const DATA = join(ROOT, "test/data/npz/btcusdt_200k.npz");

test("document 2's graph over 200,000 real rows equals its naive recomputation, row by row", async () => {
  const program = await loadGraphFile(join(ROOT, "config/graphs/obi_mm_factors.toml"));
  const got = updateBatch(program, [DATA], { tickSize: "0.1", lotSize: "0.001" });
  const wanted = exampleOracle(loadRows(DATA, EVENT_FIELDS).bytes);
  expect([...got.timestamp]).toEqual(wanted.map((r) => r.timestamp));
  expectClose(
    [...got.columns["alpha"]!],
    wanted.map((r) => r.alpha),
    1e-2,
  );
  expectClose(
    [...got.columns["volatility"]!],
    wanted.map((r) => r.volatility),
    1e-9,
  );
  const stops = [...got.columns["stop_loss"]!];
  expect(stops).toEqual(wanted.map((r) => r.stopLoss));
  expect(stops.filter((v) => v === 1).length).toBe(63);
}, 20_000);
