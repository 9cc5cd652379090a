// Holds the direction of imports (DESIGN 13) by reading the sources, type imports included.
import { expect, test } from "bun:test";
import { join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "../..");

/** Tiers from left to right; a folder imports only from tiers to its left. */
const TIERS: readonly (readonly string[])[] = [
  ["ffi", "src/core"],
  ["src/wire", "src/ring"],
  ["src/lane", "src/market", "src/data"],
  ["src/order"],
  ["src/journal", "src/exchange"],
  ["src/factor", "src/risk", "src/analytics"],
  ["src/strategy", "src/venue"],
  ["src/backtest"],
  ["src/engine"],
  ["src/control", "src/record"],
  ["src/admin", "src/config"],
  ["src/cli", "workers"],
];

/** Venues are rooms of their own: they share only the contract and the transport. */
const VENUES = ["src/venue/sim", "src/venue/binance", "src/venue/hyperliquid", "src/venue/bridge"];

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g;

const tierOf = (file: string): number =>
  TIERS.findIndex((folders) => folders.some((folder) => file.startsWith(`${folder}/`)));
const folderOf = (file: string): string | undefined =>
  TIERS.flat().find((folder) => file.startsWith(`${folder}/`));
const venueOf = (file: string): string | undefined => VENUES.find((venue) => file.startsWith(`${venue}/`));

function violation(file: string, target: string): string | null {
  const from = folderOf(file);
  const to = folderOf(target);
  if (from === undefined || to === undefined) return null;
  if (venueOf(file) && venueOf(target) && venueOf(file) !== venueOf(target))
    return "venues import each other";
  if (venueOf(file) && (to === "src/factor" || to === "src/risk")) return "a venue imports factor or risk";
  if (from === to) return null;
  return tierOf(target) < tierOf(file) ? null : `${to} is not to the left of ${from}`;
}

async function importsOf(file: string): Promise<string[]> {
  const source = await Bun.file(join(ROOT, file)).text();
  return [...source.matchAll(IMPORT)].map((m) => normalize(join(file, "..", m[1]!)));
}

test("imports go only from right to left", async () => {
  const wrong: string[] = [];
  for (const pattern of ["src/**/*.ts", "ffi/*.ts", "workers/*.ts"]) {
    for await (const file of new Glob(pattern).scan({ cwd: ROOT })) {
      for (const target of await importsOf(file)) {
        const why = violation(file, target);
        if (why !== null) wrong.push(`${file} → ${target}: ${why}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("every folder of src has its tier", async () => {
  const known = new Set(TIERS.flat());
  for await (const file of new Glob("src/*/**/*.ts").scan({ cwd: ROOT })) {
    expect(known.has(file.split("/").slice(0, 2).join("/"))).toBe(true);
  }
});

test("the checks themselves see a wrong import", () => {
  expect(violation("src/core/a.ts", "src/ring/b.ts")).not.toBeNull();
  expect(violation("src/venue/sim/a.ts", "src/venue/binance/b.ts")).not.toBeNull();
  expect(violation("src/engine/a.ts", "src/ring/b.ts")).toBeNull();
});
