// The embedded ClickHouse cannot be installed: the registry refuses, or breaks off in the middle of a package. The
// session says what is the matter, trades all the same, and its rows are in files of JSON lines.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLibrary } from "../../src/record/embedded/install.ts";
import { endAll, LiveSession, makeDataDir, until } from "../e2e/live-session.ts";
import { readJournal } from "../e2e/venue-oracle.ts";

const dirs: string[] = [];
afterAll(async () => {
  await endAll();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});
const makeDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-install-"));
  dirs.push(dir);
  return dir;
};

const SECONDS = 1000;

/** A registry that answers every request with `answer`. */
function registry(answer: () => Response): { readonly url: string; stop(): void } {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  return { url: `http://127.0.0.1:${server.port}/`, stop: () => server.stop(true) };
}

/** What an installation sees of the world: this registry, and nothing that was installed before. */
const world = (url: string, dir: string): Record<string, string> => ({
  ...{ BUN_CONFIG_REGISTRY: url, npm_config_registry: url, NPM_CONFIG_REGISTRY: url },
  ...{ BUN_INSTALL_CACHE_DIR: join(dir, "cache"), HOTLANE_CHDB_DIR: join(dir, "chdb") },
});

test(
  "a registry that refuses: the session names it, trades, and writes JSON lines; the WAL keeps everything",
  async () => {
    const refusing = registry(() => new Response("no such package", { status: 403 }));
    const dir = makeDataDir();
    const live = await LiveSession.start({
      dir,
      toml: "[sim]\nspeed = 8\n",
      env: { HOTLANE_NO_CLICKHOUSE: "0", ...world(refusing.url, makeDir()) },
    });
    await until("orders in a file", () => readRows(dir, "orders-").length > 0, 90 * SECONDS);
    const { code, summary, err } = await live.stop();
    refusing.stop();
    expect({ code, target: summary.recorder.target, state: summary.recorder.state }).toEqual({
      ...{ code: 0, target: "jsonl", state: "done" },
    });
    expect(summary.recorder.alarm).toContain("no embedded ClickHouse: chdb could not be installed");
    expect(summary.recorder.alarm).toContain("403");
    expect(err).toContain("rows go to files of JSON lines");
    const fills = readJournal(join(dir, "venue", "journal.jsonl")).filter((line) => line.k === "fill");
    expect(readRows(dir, "fills-").length).toBe(fills.length);
  },
  180 * SECONDS,
);

test(
  "a package that breaks off: the installer's words are in the error, and no library is taken for whole",
  async () => {
    const broken = registry(() => new Response(new Uint8Array(10_000).fill(0x1f)));
    const dir = makeDir();
    const child = Bun.spawn(
      [
        process.execPath,
        "-e",
        `import { installLibrary } from ${JSON.stringify(join(import.meta.dir, "../../src/record/embedded/install.ts"))};
         await installLibrary().then((file) => console.log(file), (error) => console.error(error.message));`,
      ],
      { env: { ...process.env, ...world(broken.url, dir) }, stdout: "pipe", stderr: "pipe" },
    );
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    broken.stop();
    expect(out).toBe("");
    expect(err).toMatch(/chdb could not be installed in .*chdb \(exit [1-9]/);
    expect(findLibrary(join(dir, "chdb"))).toBeNull();
  },
  60 * SECONDS,
);

/** Lines of the files that begin with `name`. */
function readRows(dataDir: string, name: string): string[] {
  const dir = join(dataDir, "jsonl");
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((file) => file.startsWith(name))
    .flatMap((file) => readFileSync(join(dir, file), "utf8").trimEnd().split("\n"))
    .filter((line) => line !== "");
}
