import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { openColumnsWriter } from "../../../src/cli/factors-out.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-parquet-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function read(path: string) {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const rows = await parquetReadObjects({ file });
  return { metadata: parquetMetadata(file), rows };
}

test("Parquet holds the exact timestamp, every value bit for bit (NaN too), in row groups over many writes", async () => {
  const path = join(dir, "f.parquet");
  const base = 1_723_161_600_000_000_000n;
  const rows = 70_000;
  const writer = openColumnsWriter(path, ["alpha", "vol, x"]);
  const ts = new Float64Array(7_000);
  const columns = [new Float64Array(7_000), new Float64Array(7_000)];
  for (let first = 0; first < rows; first += 7_000) {
    for (let i = 0; i < 7_000; i++) {
      ts[i] = 86_399_999_000_001 + (first + i) * 7;
      columns[0]![i] = first + i < 3 ? Number.NaN : Math.sin(first + i) / 3;
      columns[1]![i] = -(first + i);
    }
    writer.write(base, 7_000, ts, columns);
  }
  writer.close();
  const found = await read(path);
  expect(found.metadata.row_groups.length).toBe(2);
  expect(Number(found.metadata.num_rows)).toBe(rows);
  expect(found.rows.length).toBe(rows);
  const wrong = found.rows.findIndex(
    (r, i) =>
      r["timestamp"] !== base + BigInt(86_399_999_000_001 + i * 7) ||
      !Object.is(r["alpha"], i < 3 ? Number.NaN : Math.sin(i) / 3) ||
      r["vol, x"] !== -i,
  );
  expect(wrong).toBe(-1);
});

test("a file without a trigger is a readable empty table", async () => {
  const path = join(dir, "empty.parquet");
  const writer = openColumnsWriter(path, ["alpha"]);
  writer.close();
  expect((await read(path)).rows).toEqual([]);
});
