// bun bench/peers/hftbacktest/table.ts [--tiles 11] [--rounds 5]: hftbacktest from PyPI against our compat engine,
// alternating, each of our runs in a fresh process; medians and ranges of rows/s, resident memory, equal results.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createReadStream } from "node:fs";
import { createInflateRaw } from "node:zlib";
import { locateArray } from "../../../src/data/npz-file.ts";
import { buildPeer, Peer } from "../../harness/peer.ts";
import { HFTBACKTEST } from "./build.ts";
import { tiledFiles } from "./tiled.ts";

interface Answer {
  readonly perSecond: number;
  readonly checksum: number;
  readonly rssMb: number;
}

const CASES = [
  ["replay", "hash", "memory"],
  ["replay", "roi", "memory"],
  ["maker", "hash", "memory"],
  ["maker", "roi", "memory"],
  ["replay", "hash", "file"],
  ["maker", "hash", "file"],
] as const;

const { values } = parseArgs({
  options: { tiles: { type: "string", default: "11" }, rounds: { type: "string", default: "5" } },
});
const missing = buildPeer(HFTBACKTEST, true);
if (missing !== null) throw new Error(missing);
const files = await tiledFiles(Number(values.tiles));
const rounds = Number(values.rounds);

function own(command: readonly string[]): Answer {
  const child = Bun.spawnSync(["bun", join(import.meta.dir, "own.ts"), ...command], { stderr: "inherit" });
  return JSON.parse(child.stdout.toString()) as Answer;
}

/** Each peer run in a process of its own would compile for 4 s: one process, warmed by one run that does not count. */
async function peerRun(peer: Peer, command: readonly string[]): Promise<Answer> {
  return (await peer.ask(command.join(" "))) as unknown as Answer;
}

async function inflateRate(): Promise<number> {
  const { file, offset, storedBytes, bytes } = locateArray(files.npz);
  const started = performance.now();
  const source = createReadStream(file, { start: offset, end: offset + storedBytes - 1, highWaterMark: 1 << 18 });
  let total = 0;
  for await (const chunk of source.pipe(createInflateRaw({ chunkSize: 1 << 20 }))) total += (chunk as Uint8Array).length;
  if (total !== bytes) throw new Error("the member inflates to another length");
  return (files.rows / (performance.now() - started)) * 1000;
}

const median = (xs: number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!;
const m = (x: number): string => (x / 1e6).toFixed(1);
const cell = (xs: number[]): string => `${m(median(xs))} (${m(Math.min(...xs))}–${m(Math.max(...xs))})`;

console.log(`${files.rows} rows, ${rounds} alternating rounds; M rows/s: median (least–most)\n`);
console.log("| run | hftbacktest 2.4.4 | ours | ratio of medians | resident MB: theirs, ours | results |");
console.log("|---|---|---|---|---|---|");
const inflate: number[] = [];
for (const [mode, book, source] of CASES) {
  const file = source === "memory" ? files.npy : files.npz;
  const command = [mode, book, source, file, String(files.rows)];
  const peer = new Peer(HFTBACKTEST);
  const theirs: Answer[] = [];
  const ours: Answer[] = [];
  await peerRun(peer, command);
  for (let round = 0; round < rounds; round++) {
    theirs.push(await peerRun(peer, command));
    ours.push(own(command));
    if (source === "file") inflate.push(await inflateRate());
  }
  await peer.close();
  const [a, b] = [theirs.map((t) => t.perSecond), ours.map((o) => o.perSecond)];
  const same = new Set([...theirs, ...ours].map((x) => x.checksum)).size === 1 ? "equal" : "DIFFERENT";
  const rss = `${Math.max(...theirs.map((t) => t.rssMb)).toFixed(0)}, ${Math.max(...ours.map((o) => o.rssMb)).toFixed(0)}`;
  console.log(
    `| ${mode}, ${book} book, ${source === "file" ? "deflated file" : source} | ${cell(a)} | ${cell(b)} | ${(median(b) / median(a)).toFixed(2)} | ${rss} | ${same} |`,
  );
}
console.log(`\nbare streaming inflate of the same member: ${cell(inflate)} M rows/s`);
process.exit(0);
