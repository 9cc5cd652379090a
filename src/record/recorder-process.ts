// The recorder's own process: below everything else in priority, on the housekeeping cores, with its own memory, so
// that neither its garbage nor its work is near a hot lane. Spoken to in JSON lines: the first on stdin is the task,
// "finish" says that the WAL is complete, the end of stdin that the parent is gone. On stdout: log lines and figures.
import { setPriority } from "node:os";
import { join } from "node:path";
import { sweepThreads } from "../lane/pinning.ts";
import { STATUS_REASON_NAMES } from "../strategy/controller.ts";
import { checkpointFile, type OpenedStore, openSessionStore } from "./open-store.ts";
import { Recorder, type RecorderLog } from "./recorder.ts";
import type { RecorderTask, TargetKind } from "./recorder-settings.ts";

export interface RecorderStart {
  readonly task: RecorderTask;
  readonly kind: TargetKind;
}

const FIGURES_MS = 500;

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const log: RecorderLog = (level, text) => say({ log: { level, text } });

async function main(): Promise<void> {
  const lines = linesOf(Bun.stdin.stream());
  const { value } = await lines.next();
  if (value === undefined) return;
  const { task, kind } = JSON.parse(value) as RecorderStart;
  makeWay(task);
  let opened: OpenedStore;
  try {
    opened = await openSessionStore(task, kind, log);
  } catch (error) {
    log(
      "error",
      `recorder: ${(error as Error).message}; the session goes on with its WAL, the next start records it`,
    );
    say({ unavailable: true });
    return;
  }
  const recorder = new Recorder({
    walDir: join(task.dataDir, "wal"),
    auditFile: join(task.dataDir, "audit.jsonl"),
    checkpointFile: checkpointFile(task.dataDir, opened.id),
    store: opened.store,
    syncWal: task.syncWal,
    // The store that was asked for still needs every segment.
    keepHours: opened.alarm === "" ? task.config.walKeepHours : 0,
    diskLow: opened.diskLow,
    market: new Set(task.config.marketData),
    statusReasons: STATUS_REASON_NAMES,
    log,
  });
  void obey(lines, recorder);
  const tell = () => {
    const figures = recorder.figures();
    say({ figures: { ...figures, alarm: figures.alarm || opened.alarm } });
  };
  const told = setInterval(tell, FIGURES_MS);
  const complete = await recorder.run();
  clearInterval(told);
  tell();
  say({ done: complete });
  await opened.close();
}

async function obey(lines: AsyncGenerator<string>, recorder: Recorder): Promise<void> {
  for await (const line of lines) if (line === "finish") recorder.finish();
  recorder.stop();
}

function makeWay(task: RecorderTask): void {
  try {
    setPriority(task.config.nice);
  } catch (error) {
    log("warn", `recorder: priority stays: ${(error as Error).message}`);
  }
  if (task.cpus.length === 0) return;
  for (const error of sweepThreads(new Set(), task.cpus).errors) log("warn", `recorder: ${error}`);
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}

await main();
process.exit(0);
