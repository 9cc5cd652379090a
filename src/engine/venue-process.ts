// The simulated venue as a child process: its own `bun`, ended with its parent by the stdin it watches. The
// connector then talks to it as to any venue; only the URLs differ.
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface VenueProcessOptions {
  /** Absolute path of src/cli/venue.ts. */
  readonly entry: string;
  readonly dataDir: string;
  readonly args: readonly string[];
  readonly startTimeoutMs: number;
}

export interface VenueProcess {
  readonly port: number;
  readonly pid: number;
  readonly credentialsFile: string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  stop(): Promise<void>;
}

/** Starts the venue and waits for its `{"ready":true,"port":N}` line. Throws with its stderr when it does not come. */
export async function startVenueProcess(options: VenueProcessOptions): Promise<VenueProcess> {
  const venueDir = join(options.dataDir, "venue");
  const credentialsFile = join(venueDir, "credentials");
  const child = Bun.spawn(
    [process.execPath, options.entry, "--port", "0", "--parent", ...venueFiles(venueDir), ...options.args],
    { stdin: "pipe", stdout: "pipe", stderr: "pipe" },
  );
  const errors = collectText(child.stderr);
  const ready = firstLine(child.stdout);
  const late = Bun.sleep(options.startTimeoutMs).then(() => null);
  const line = await Promise.race([ready, late, child.exited.then(() => null)]);
  if (line === null) {
    child.kill("SIGKILL");
    await child.exited;
    throw new Error(`the simulated venue did not start:\n${await errors}`);
  }
  const { port } = JSON.parse(line) as { port: number };
  if (!existsSync(credentialsFile)) throw new Error(`the simulated venue wrote no ${credentialsFile}`);
  return {
    port,
    pid: child.pid,
    credentialsFile,
    exited: child.exited,
    stop: async () => {
      child.stdin.end();
      const ended = await Promise.race([child.exited, Bun.sleep(3000).then(() => null)]);
      if (ended === null) child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function venueFiles(venueDir: string): string[] {
  return ["--journal", join(venueDir, "journal.jsonl"), "--credentials-file", join(venueDir, "credentials")];
}

/** First line of a stream; the rest is read and dropped so that the child never blocks on its pipe. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) return null;
    text += decoder.decode(value, { stream: true });
  }
  const drain = async () => {
    while (!(await reader.read()).done);
  };
  void drain();
  return text.slice(0, text.indexOf("\n"));
}

const KEEP_CHARACTERS = 8192;

async function collectText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream)
    text = (text + decoder.decode(chunk, { stream: true })).slice(-KEEP_CHARACTERS);
  return text;
}
