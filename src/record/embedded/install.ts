// Where the embedded engine's library lies, and its installation from a manifest and lock file of its own
// (ops/chdb): 543 MB, so it is never part of hotlane's own install. Cold.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const CHDB_MB = 543;
const MANIFEST_DIR = resolve(import.meta.dir, "../../../ops/chdb");

const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@chdb/lib-linux-x64-gnu",
  "linux-arm64": "@chdb/lib-linux-arm64-gnu",
};

/** null: not installed. Throws RangeError on a machine that chdb has no library for. */
export function findLibrary(dir: string = MANIFEST_DIR): string | null {
  const file = join(dir, "node_modules", libraryPackage(), "libchdb.so");
  return existsSync(file) ? file : null;
}

function libraryPackage(): string {
  const machine = `${process.platform}-${process.arch}`;
  const name = PACKAGES[machine];
  if (name === undefined) throw new RangeError(`chdb has no library for ${machine}`);
  return name;
}

/** Installs what ops/chdb/bun.lock names and returns the library. Throws with the installer's last words. */
export async function installLibrary(dir: string = MANIFEST_DIR): Promise<string> {
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile", "--silent"], {
    cwd: dir,
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const library = findLibrary(dir);
  if (code === 0 && library !== null) return library;
  const words = `${out}\n${err}`.trim().split("\n").slice(-3).join("; ");
  throw new Error(`chdb could not be installed in ${dir} (exit ${code}): ${words || "no library after it"}`);
}
