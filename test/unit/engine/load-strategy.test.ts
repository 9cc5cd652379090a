import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDefinition } from "../../../src/engine/load-strategy.ts";

/** A folder that is no package and has no install. */
function folderWith(source: string): { readonly module: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-strategy-"));
  const module = join(dir, "mine.ts");
  writeFileSync(module, source);
  return { module, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

test("a module outside the package finds hotlane by its name", async () => {
  const folder = folderWith(`
    import { defineStrategy } from "hotlane";
    export default defineStrategy({ name: "mine", params: {}, subscribe: ["market_data.bbo"] });
  `);
  const definition = await loadDefinition({ name: "mine-1", module: folder.module });
  expect(definition.name).toBe("mine");
  folder.remove();
});

test("a module that is no strategy is refused with its name, its file and what was expected", async () => {
  const folder = folderWith("export default { name: 7 };");
  const refusal = loadDefinition({ name: "mine-2", module: folder.module });
  expect(refusal).rejects.toThrow(new RegExp(`strategy mine-2: ${folder.module}[\\s\\S]*name: expected`));
  await refusal.catch(() => {});
  folder.remove();
});

test("a module that is not there, or an unknown builtin, says what there is", async () => {
  expect(loadDefinition({ name: "a", module: "/no/such/file.ts" })).rejects.toThrow(
    /strategy a: .*cannot be imported/,
  );
  expect(loadDefinition({ name: "b", module: "builtin:nothing" })).rejects.toThrow(/builtin:obi-mm/);
});
