// bun bench/peers/hftbacktest/table.ts [--tiles 11] [--rounds 5]: hftbacktest from PyPI against both our modes,
// alternating, each side a warm process of its own; medians and ranges of rows/s, resident memory, equal results.
import { parseArgs } from "node:util";
import { createReadStream } from "node:fs";
import { createInflateRaw } from "node:zlib";
import { locateArray } from "../../../src/data/npz-file.ts";
import { buildPeer, Peer, type PeerBuild } from "../../harness/peer.ts";
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

const OWN: PeerBuild = { folder: "hftbacktest", build: [], product: "own.ts", run: ["bun", "own.ts"] };

/** One process per side and case, warmed by one run that does not count: theirs compiles for 4 s, ours for 0.1 s. */
async function run(peer: Peer, command: readonly string[]): Promise<Answer> {
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
console.log("| run | hftbacktest 2.4.4 | compat | ratio of medians | default mode | ratio | resident MB: theirs, ours | results |");
console.log("|---|---|---|---|---|---|---|---|");
const inflate: number[] = [];
for (const [mode, book, source] of CASES) {
  const file = source === "memory" ? files.npy : files.npz;
  const command = [mode, book, source, file, String(files.rows)];
  const [peer, own] = [new Peer(HFTBACKTEST), new Peer(OWN)];
  const theirs: Answer[] = [];
  const ours: Answer[] = [];
  const pipeline: Answer[] = [];
  await run(peer, command);
  await run(own, command);
  await run(own, [...command, "default"]);
  for (let round = 0; round < rounds; round++) {
    theirs.push(await run(peer, command));
    ours.push(await run(own, command));
    pipeline.push(await run(own, [...command, "default"]));
    if (source === "file") inflate.push(await inflateRate());
  }
  await peer.close();
  await own.close();
  const [a, b, c] = [theirs, ours, pipeline].map((answers) => answers.map((t) => t.perSecond)) as [number[], number[], number[]];
  const same = new Set([...theirs, ...ours].map((x) => x.checksum)).size === 1 ? "equal" : "DIFFERENT";
  const rss = `${Math.max(...theirs.map((t) => t.rssMb)).toFixed(0)}, ${Math.max(...ours.map((o) => o.rssMb)).toFixed(0)}`;
  console.log(
    `| ${mode}, ${book} book, ${source === "file" ? "deflated file" : source} | ${cell(a)} | ${cell(b)} | ${(median(b) / median(a)).toFixed(2)} | ${cell(c)} | ${(median(c) / median(a)).toFixed(2)} | ${rss} | ${same} |`,
  );
}
console.log(`\nbare streaming inflate of the same member: ${cell(inflate)} M rows/s`);
process.exit(0);
