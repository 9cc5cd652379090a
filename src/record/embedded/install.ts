// Where the embedded engine's library lies, and its installation from a manifest and lock file of its own
// (ops/chdb): 543 MB, so it is never part of hotlane's own install. Cold.
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const CHDB_MB = 543;
const MANIFEST_DIR = resolve(import.meta.dir, "../../../ops/chdb");
const MANIFEST = ["package.json", "bun.lock"] as const;
/** Names another directory: one installation for several checkouts, or for one that may not be written to. */
const DIR_VARIABLE = "HOTLANE_CHDB_DIR";
/** A registry that answers nothing is given up. */
const INSTALL_MS = 15 * 60_000;

const chosenDir = (): string => resolve(process.env[DIR_VARIABLE] || MANIFEST_DIR);

const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@chdb/lib-linux-x64-gnu",
  "linux-arm64": "@chdb/lib-linux-arm64-gnu",
};

/** null: not installed. Throws RangeError on a machine that chdb has no library for. */
export function findLibrary(dir: string = chosenDir()): string | null {
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
export async function installLibrary(dir: string = chosenDir()): Promise<string> {
  mkdirSync(dir, { recursive: true });
  for (const file of MANIFEST)
    if (!existsSync(join(dir, file))) copyFileSync(join(MANIFEST_DIR, file), join(dir, file));
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile", "--no-progress"], {
    cwd: dir,
    timeout: INSTALL_MS,
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
