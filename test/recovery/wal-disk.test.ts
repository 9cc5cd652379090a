// A full and a read-only disk under the journal, on a tmpfs of 4 MiB where root may mount one, and a file size
// limit elsewhere: the writer pauses with the reason, nothing acknowledged is lost, and it goes on by itself.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectWal } from "../../src/journal/inspect.ts";

const CHILD = join(import.meta.dir, "wal-child.ts");
const RECORDS = 20_000;
const FILLER_BYTES = 900_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-disk-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const mount = (...args: string[]): boolean => Bun.spawnSync(["mount", ...args]).exitCode === 0;

/** True when a tmpfs is mounted on `at`. */
function mountSmallDisk(at: string): boolean {
  return process.getuid?.() === 0 && mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", at);
}

/** Mounting needs root with CAP_SYS_ADMIN; elsewhere the file size limit below stands in. */
const CANNOT_MOUNT = ((): boolean => {
  const probe = mkdtempSync(join(tmpdir(), "hotlane-mount-"));
  const mounted = mountSmallDisk(probe);
  if (mounted) Bun.spawnSync(["umount", probe]);
  rmSync(probe, { recursive: true, force: true });
  return !mounted;
})();

function start(walDir: string, prefix: readonly string[] = []) {
  return Bun.spawn([...prefix, process.execPath, CHILD, walDir, "5", String(RECORDS), "0", "interval"], {
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function firstText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}

const lastPosition = (output: string): number => Number(output.trim().split("\n").at(-1)!.split(" ")[1]);

describe("a full disk", () => {
  test.skipIf(CANNOT_MOUNT)(
    "pauses the journal with ENOSPC; when space returns every record is there",
    async () => {
      mountSmallDisk(dir);
      try {
        writeFileSync(join(dir, "filler"), new Uint8Array(4 * 1024 * 1024 - FILLER_BYTES));
        const child = start(join(dir, "wal"));
        const reading = new Response(child.stdout).text();
        expect(await firstText(child.stderr)).toContain("no space left on the disk (ENOSPC)");
        expect(inspectWal(join(dir, "wal")).problems.filter((p) => p.kind !== "torn")).toEqual([]);
        rmSync(join(dir, "filler"));
        const output = await reading;
        expect(await child.exited).toBe(0);
        expect(lastPosition(output)).toBeGreaterThanOrEqual(RECORDS);
        expect(inspectWal(join(dir, "wal"))).toMatchObject({
          records: lastPosition(output),
          problems: [],
          brokenGroups: [],
        });
      } finally {
        Bun.spawnSync(["umount", dir]);
      }
    },
    20_000,
  );

  test.skipIf(CANNOT_MOUNT)(
    "a disk that turns read-only pauses it with EROFS; remounted it goes on",
    async () => {
      mountSmallDisk(dir);
      try {
        mount("-o", "remount,ro", dir);
        const child = start(join(dir, "wal"));
        const reading = new Response(child.stdout).text();
        expect(await firstText(child.stderr)).toContain("file system is read-only (EROFS)");
        mount("-o", "remount,rw", dir);
        const output = await reading;
        expect(await child.exited).toBe(0);
        expect(inspectWal(join(dir, "wal"))).toMatchObject({ records: lastPosition(output), problems: [] });
      } finally {
        Bun.spawnSync(["umount", dir]);
      }
    },
    20_000,
  );

  test("a file size limit (EFBIG) does not kill the process: smaller segments are written", async () => {
    const limited = ["sh", "-c", 'ulimit -f 200; exec "$0" "$@"'];
    const child = start(join(dir, "wal"), limited);
    const reading = new Response(child.stdout).text();
    expect(await firstText(child.stderr)).toContain("file size limit reached (EFBIG)");
    const output = await reading;
    expect(await child.exited).toBe(0);
    expect(inspectWal(join(dir, "wal"))).toMatchObject({ records: lastPosition(output), problems: [] });
  }, 20_000);
});
