// `bun run replay WAL_DIR --verify`: runs a recorded session again and compares every output record. DIR is a
// directory of segments or a data directory with `wal/` in it. Prints `identical`, the first difference with
// both records decoded, or `not verifiable from N`. Exit codes: 0 identical, 1 failed, 2 usage, 3 different or
// not verifiable.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RecordMemory } from "../core/record.ts";
import { type ReplayResult, replaySession } from "../engine/replay.ts";
import type { Difference } from "../engine/replay-expected.ts";
import { changedModules, readReplaySetup } from "../engine/replay-setup.ts";
import { exportRecord } from "../journal/export-record.ts";
import { readManifests, type SessionManifest } from "../journal/session-manifest.ts";
import { listSegments } from "../journal/wal-reader.ts";
import { SCHEMA_VERSION } from "../wire/messages.gen.ts";

const USAGE = `usage: bun run replay WAL_DIR --verify [--session NAME] [--json]
  runs the newest session (or NAME) of a journal again and compares what it decides with what was recorded`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_DIFFERENT = 3;

interface Options {
  readonly dir: string;
  /** "" = the newest. */
  readonly session: string;
  readonly json: boolean;
}

class UsageError extends Error {}

function readOptions(args: string[]): Options {
  const { values, positionals } = parse(args);
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const [given, ...rest] = positionals;
  if (given === undefined || rest.length > 0) throw new UsageError("replay needs one WAL_DIR");
  if (!values.verify) throw new UsageError("replay compares: say --verify");
  if (!existsSync(given) || !statSync(given).isDirectory())
    throw new UsageError(`${given}: no such directory`);
  const inner = join(given, "wal");
  const dir = existsSync(inner) && statSync(inner).isDirectory() ? inner : given;
  return { dir, session: values.session, json: values.json };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        verify: { type: "boolean", default: false },
        session: { type: "string", default: "" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function run({ dir, session: wanted, json }: Options): Promise<number> {
  const all = listSegments(dir);
  const session = wanted === "" ? (all.at(-1)?.session ?? "") : wanted;
  const segments = all.filter((s) => s.session === session);
  if (segments.length === 0)
    throw new UsageError(`${dir}: ${session === "" ? "no session" : `no session ${session}`}`);
  const { bySession, problems } = readManifests(dir);
  for (const problem of problems) console.error(problem);
  const manifest = bySession.get(session);
  const setup = readReplaySetup(manifest?.replay);
  if (manifest === undefined || setup === null) {
    console.error(`${dir}: session ${session} has no manifest with what a replay needs`);
    return EXIT_FAILED;
  }
  if (manifest.schemaVersion > SCHEMA_VERSION) {
    console.error(
      `session ${session} has schema ${manifest.schemaVersion}; this program reads up to ${SCHEMA_VERSION}`,
    );
    return EXIT_FAILED;
  }
  for (const path of await changedModules(setup.modules))
    console.error(`note: ${path} changed since the session`);
  const result = await replaySession(segments, manifest, setup, (text) => console.error(`note: ${text}`));
  print(result, session, manifest, json);
  return result.verdict === "identical" ? 0 : EXIT_DIFFERENT;
}

function print(result: ReplayResult, session: string, manifest: SessionManifest, json: boolean): void {
  const detail = result.verdict === "different" ? describe(result.difference, manifest) : undefined;
  if (json) {
    const from = result.verdict === "notVerifiable" ? { from: result.from, why: result.why } : {};
    console.log(
      JSON.stringify({ session, verdict: result.verdict, ...from, difference: detail, ...result.figures }),
    );
    return;
  }
  const f = result.figures;
  console.log(
    `session ${session}: ${f.marketRecords} market, ${f.factorRecords} factor, ${f.observedRecords} observed records; ${f.matched} outputs equal`,
  );
  if (f.beyond > 0) console.log(`${f.beyond} outputs after the end of the recording`);
  if (result.verdict === "identical") console.log("identical");
  else if (result.verdict === "notVerifiable")
    console.log(`not verifiable from ${result.from}: ${result.why}`);
  else {
    console.log(`first difference at position ${detail!.position}: ${detail!.fields}`);
    console.log(`recorded ${JSON.stringify(detail!.recorded)}`);
    console.log(`replayed ${JSON.stringify(detail!.replayed)}`);
  }
}

function describe(difference: Difference, manifest: SessionManifest) {
  const context = {
    baseNs: BigInt(manifest.baseNs),
    instrumentOf: (id: number) => manifest.instruments.find((i) => i.id === id),
    strategyOf: (id: number) => manifest.strategies[id] ?? `#${id}`,
    assetOf: (id: number) => manifest.assets?.[id] || `#${id}`,
  };
  const decoded = (m: RecordMemory | null) => (m === null ? null : exportRecord(m, 0, context));
  return {
    position: difference.position,
    fields: difference.replayed === null ? "not produced by the replay" : difference.fields.join(", "),
    recorded: decoded(difference.recorded),
    replayed: decoded(difference.replayed),
  };
}

async function main(): Promise<number> {
  try {
    return await run(readOptions(Bun.argv.slice(2)));
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${USAGE}\n${error.message}`);
      return EXIT_USAGE;
    }
    console.error(error);
    return EXIT_FAILED;
  }
}

if (import.meta.main) process.exit(await main());
