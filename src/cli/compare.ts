// `bun run compare WAL_DIR`: a recorded session of the simulated venue against the backtest (DESIGN 10). C1: what the
// pipeline decides, by replay. C2: what the backtest's exchange would have executed of the recorded requests, in the
// order of the venue's journal and with latencies fitted from the session. C3: what the ledgers differ by. Exit codes:
// 0 C1 to C3 without a difference, 1 failed, 2 usage, 3 different or not verifiable.
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import {
  compareExecutions,
  compareLedgers,
  type ExecutionComparison,
  type LedgerDifference,
} from "../backtest/against/comparison.ts";
import { executionsByJournal, executionsByTime } from "../backtest/against/executions.ts";
import { readSession } from "../backtest/against/recorded-session.ts";
import { replaySession } from "../engine/replay.ts";
import { readReplaySetup } from "../engine/replay-setup.ts";
import { readManifests } from "../journal/session-manifest.ts";
import { listSegments } from "../journal/wal-reader.ts";

const USAGE = `usage: bun run compare DIR [--session NAME] [--venue-journal F] [--out F] [--json]
  DIR               data directory of a session (or its wal/) that ran with sim.journal_market = true
  --venue-journal F default DIR/venue/journal.jsonl
  --out F           the whole report as JSON, every difference listed`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_DIFFERENT = 3;
const SHOWN = 10;

class UsageError extends Error {}

interface Report {
  readonly session: string;
  readonly c1: { readonly verdict: string; readonly outputs: number; readonly why: string };
  readonly c2: ExecutionComparison;
  readonly c2Fitted: ExecutionComparison & { readonly agree: number };
  readonly c3: readonly LedgerDifference[];
  readonly losses: readonly string[];
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [given, ...rest] = positionals;
  if (given === undefined || rest.length > 0) throw new UsageError("compare needs one DIR");
  if (!existsSync(given) || !statSync(given).isDirectory())
    throw new UsageError(`${given}: no such directory`);
  const inner = join(given, "wal");
  const wal = existsSync(inner) ? inner : given;
  const journal = values["venue-journal"] ?? join(dirname(wal), "venue", "journal.jsonl");
  if (!existsSync(journal)) throw new UsageError(`${journal}: no such file; name it with --venue-journal`);
  const report = await compare(wal, journal, values.session ?? "");
  if (values.out !== undefined) await Bun.write(values.out, `${JSON.stringify(report, null, 2)}\n`);
  if (values.json) console.log(JSON.stringify(report));
  else print(report);
  const same =
    report.c1.verdict === "identical" && report.c2.different.length === 0 && report.c3.length === 0;
  return same && report.losses.length === 0 ? 0 : EXIT_DIFFERENT;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        session: { type: "string" },
        "venue-journal": { type: "string" },
        out: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function compare(wal: string, journal: string, wanted: string): Promise<Report> {
  const all = listSegments(wal);
  const name = wanted === "" ? (all.at(-1)?.session ?? "") : wanted;
  const segments = all.filter((s) => s.session === name);
  if (segments.length === 0) throw new UsageError(`${wal}: no session ${name}`);
  const manifest = readManifests(wal).bySession.get(name);
  const setup = readReplaySetup(manifest?.replay);
  if (manifest === undefined || setup === null)
    throw new UsageError(`${wal}: session ${name} has no manifest with what a comparison needs`);
  const replayed = await replaySession(segments, manifest, setup, (text) => console.error(`note: ${text}`));
  const session = readSession(segments, manifest);
  const byJournal = executionsByJournal(session, manifest, journal);
  const fitted = compareExecutions(session, manifest, executionsByTime(session, manifest), "lots");
  const agree = fitted.orders === 0 ? 1 : 1 - fitted.different.length / fitted.orders;
  return {
    session: name,
    c1: {
      verdict: replayed.verdict,
      outputs: replayed.figures.matched,
      why: replayed.verdict === "notVerifiable" ? replayed.why : "",
    },
    c2: compareExecutions(session, manifest, byJournal, "executions"),
    c2Fitted: { ...fitted, agree },
    c3: compareLedgers(session, manifest, byJournal),
    losses: session.losses,
  };
}

function print(report: Report): void {
  const { c1, c2, c2Fitted, c3 } = report;
  console.log(`session ${report.session}: ${c2.orders} orders, ${c2.fills} fills`);
  for (const loss of report.losses) console.log(`  lost: ${loss}`);
  const decided = c1.verdict === "identical" ? "0 differ" : `${c1.verdict} ${c1.why}`;
  console.log(`C1 decisions: ${decided} of ${c1.outputs} outputs`);
  console.log(
    `C2 executions, order of the venue's journal: ${c2.different.length} orders with different fills`,
  );
  printOrders(c2);
  console.log(`C3 ledger: ${c3.length === 0 ? "difference 0" : `${c3.length} figures differ`}`);
  for (const d of c3.slice(0, SHOWN))
    console.log(`  ${d.strategy} ${d.symbol} ${d.field}: live ${d.live}, backtest ${d.backtest}`);
  const percent = (c2Fitted.agree * 100).toFixed(2);
  console.log(
    `C2 executions, fitted latencies: ${percent} % of orders agree, ${c2Fitted.different.length} differ`,
  );
  printOrders(c2Fitted);
}

function printOrders({ different }: ExecutionComparison): void {
  const fills = (texts: readonly string[]): string => (texts.length === 0 ? "nothing" : texts.join(", "));
  for (const d of different.slice(0, SHOWN))
    console.log(
      `  ${d.strategy} ${d.symbol} order ${d.clientSeq}: live ${fills(d.live)}; backtest ${fills(d.backtest)}`,
    );
  if (different.length > SHOWN) console.log(`  … ${different.length - SHOWN} more: --out F lists all`);
}

async function run(): Promise<number> {
  try {
    return await main(Bun.argv.slice(2));
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${USAGE}\n${error.message}`);
      return EXIT_USAGE;
    }
    console.error(error instanceof RangeError ? error.message : error);
    return EXIT_FAILED;
  }
}

if (import.meta.main) process.exit(await run());
