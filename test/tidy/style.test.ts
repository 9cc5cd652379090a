// Keeps the house style honest where a machine can: file headers, file length, no dead markers, no registry
// hosts or machine paths. Ratchets may only go down.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "../..");
const LONGEST_FILE = 600;

async function sources(): Promise<{ file: string; text: string }[]> {
  const found: { file: string; text: string }[] = [];
  for (const pattern of ["src/**/*.ts", "ffi/*.ts", "workers/*.ts", "bench/*.ts", "examples/*.ts"]) {
    for await (const file of new Glob(pattern).scan({ cwd: ROOT })) {
      if (!file.endsWith(".gen.ts")) found.push({ file, text: await Bun.file(join(ROOT, file)).text() });
    }
  }
  return found.sort((a, b) => a.file.localeCompare(b.file));
}

test("every source file opens with its purpose", async () => {
  const bare = (await sources()).filter((s) => !/^(#!.*\n)?\/[/*]/.test(s.text)).map((s) => s.file);
  expect(bare).toEqual([]);
});

test("no source file outgrows its one idea", async () => {
  const long = (await sources()).filter((s) => s.text.split("\n").length > LONGEST_FILE).map((s) => s.file);
  expect(long).toEqual([]);
});

test("no unfinished markers are left in the sources", async () => {
  const marker = /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-expect-error|\.(only|todo)\(/;
  const marked = (await sources()).filter((s) => marker.test(s.text)).map((s) => s.file);
  expect(marked).toEqual([]);
});

test("no file names a package registry or a path of one machine", async () => {
  const host = new RegExp(
    ["registry\\.npm", "pypi\\.org", "crates\\.io/api", "repo1?\\.maven", "/work/"].join("|"),
  );
  const wrong: string[] = [];
  const tracked = Bun.spawnSync(["git", "ls-files"], { cwd: ROOT }).stdout.toString().trim().split("\n");
  for (const file of tracked.filter((f) => /\.(ts|json|toml|md|sh|lock|rs|xml|html)$|\.ci\/run$/.test(f))) {
    if (file === "test/tidy/style.test.ts") continue;
    const content = Bun.file(join(ROOT, file));
    if ((await content.exists()) && host.test(await content.text())) wrong.push(file);
  }
  expect(wrong).toEqual([]);
});
