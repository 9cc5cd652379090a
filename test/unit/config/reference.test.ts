import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REFERENCE_BEGIN, REFERENCE_END, renderReference } from "../../../src/config/reference.ts";
import { readToml } from "../../../src/core/toml.ts";

const ROOT = join(import.meta.dir, "../../..");

test("docs/config.md holds the reference as the schema and base.toml have it", () => {
  const page = readFileSync(join(ROOT, "docs/config.md"), "utf8");
  const written = page
    .slice(page.indexOf(REFERENCE_BEGIN) + REFERENCE_BEGIN.length, page.indexOf(REFERENCE_END))
    .trim();
  expect(written).toBe(renderReference(readToml(join(ROOT, "config/base.toml")).value).trim());
});
