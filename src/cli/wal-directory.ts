// Where the segments are: a directory of segments, or a data directory with `wal/` in it.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** null: there is no such directory. */
export function walDirectory(given: string): string | null {
  if (!isDirectory(given)) return null;
  const inner = join(given, "wal");
  return isDirectory(inner) ? inner : given;
}
