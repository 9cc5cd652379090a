// A reference in another language: a child process that answers one command line with one JSON line and
// sleeps in between, so that its rounds alternate with ours. Built on first use when its tool is there.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "../harness.ts";

const PEERS = join(import.meta.dir, "../peers");

export interface PeerBuild {
  /** Folder under bench/peers. */
  readonly folder: string;
  /** Tool that builds it, with arguments. */
  readonly build: readonly string[];
  /** File, relative to the folder, that exists when it is built. */
  readonly product: string;
  readonly run: readonly string[];
}

/** The child's first output is awaited by `ready` peers only. */
export class Peer {
  private readonly child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  private readonly lines: AsyncGenerator<string>;

  constructor(peer: PeerBuild) {
    const folder = join(PEERS, peer.folder);
    this.child = Bun.spawn([...peer.run], { cwd: folder, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.lines = linesOf(this.child.stdout);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** The next line of output, parsed. */
  async answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error("bench peer ended without an answer");
    const parsed = JSON.parse(value);
    if (parsed.error !== undefined) throw new Error(`bench peer: ${parsed.error}`);
    return parsed;
  }

  async ask(command: string): Promise<Figures> {
    this.child.stdin.write(`${command}\n`);
    this.child.stdin.flush();
    return (await this.answer()) as unknown as Figures;
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    const killer = setTimeout(() => this.child.kill("SIGKILL"), 2000);
    await this.child.exited;
    clearTimeout(killer);
  }
}

/** Builds the peer if needed. Returns null when it is ready, or why it is not to be had. */
export function buildPeer(peer: PeerBuild, mayBuild: boolean): string | null {
  const folder = join(PEERS, peer.folder);
  const missing = [peer.build[0]!, peer.run[0]!].find(
    (tool) => !tool.startsWith(".") && Bun.which(tool) === null,
  );
  if (missing !== undefined) return `${missing} is not installed (bench/peers/${peer.folder})`;
  if (existsSync(join(folder, peer.product)) && !mayBuild) return null;
  if (!mayBuild) return `bench/peers/${peer.folder} is not built; a full-size run builds it`;
  const built = Bun.spawnSync([...peer.build], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  if (built.success && existsSync(join(folder, peer.product))) return null;
  const output = `${built.stdout}\n${built.stderr}`.trim().split("\n").slice(-3).join(" | ");
  return `bench/peers/${peer.folder} did not build: ${output}`;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}
