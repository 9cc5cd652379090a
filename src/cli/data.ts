// bun run data COMMAND: recorded market data in hftbacktest's .npz format. Exit codes: 0 ok, 1 failed, 2 usage,
// 3 `check` found a fault.
import { parseArgs } from "node:util";
import { generateMarket } from "../backtest/import/generate.ts";
import { CaptureError } from "../data/capture.ts";
import { DataFileError } from "../data/data-file-error.ts";
import { EV_EXCH, EV_LOCAL } from "../data/event-codes.ts";
import { EventTable } from "../data/event-table.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../data/npy.ts";
import { loadRows } from "../data/npz-file.ts";
import { writeRows } from "../data/npz-write.ts";
import { openRowBlocks } from "../data/row-blocks.ts";
import { IMPORT_FORMATS } from "./data-import.ts";

const USAGE = `usage: bun run data <command>
  import FORMAT PATH… --out F [--symbol S] [--mark-price] [--book-ticker] [--snapshots process|ignore-sod|ignore]
                              [--base-latency-ns N] [--stored]
                          recorded data → event rows; local times and order corrected as hftbacktest does
${Object.entries(IMPORT_FORMATS)
  .map(([name, f]) => `                            ${name.padEnd(13)} ${f.about}`)
  .join("\n")}
  generate --out F [--seed N] [--rows N] [--kind l2|l3] [--mid P] [--tick X] [--lot X] [--start-ns T] [--stored]
                          a synthetic market, the same for the same seed
  correct IN --out F [--base-latency-ns N] [--stored]
                          sorts rows for both sides (correct_local_timestamp, correct_event_order)
  check F…                reads everything: dtype, length, CRC, order; prints what the files hold`;

class UsageError extends Error {}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parse(argv);
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const [command, ...rest] = positionals;
    const baseLatencyNs = BigInt(values["base-latency-ns"]);
    switch (command) {
      case "import":
        return await importData(rest, values, baseLatencyNs);
      case "generate":
        return generate(rest, values);
      case "correct":
        return await correct(rest, values, baseLatencyNs);
      case "check":
        return check(rest);
      default:
        throw new UsageError(command === undefined ? "a command is missing" : `unknown command ${command}`);
    }
  } catch (error) {
    if (error instanceof DataFileError || error instanceof CaptureError) {
      console.error(error.message);
      return 1;
    }
    console.error(`${USAGE}\n${(error as Error).message}`);
    return 2;
  }
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: "string" },
      "mark-price": { type: "boolean", default: false },
      "book-ticker": { type: "boolean", default: false },
      "base-latency-ns": { type: "string", default: "0" },
      stored: { type: "boolean", default: false },
      symbol: { type: "string" },
      snapshots: { type: "string", default: "process" },
      seed: { type: "string", default: "1" },
      rows: { type: "string", default: "1000000" },
      kind: { type: "string", default: "l2" },
      mid: { type: "string", default: "60000" },
      tick: { type: "string", default: "0.1" },
      lot: { type: "string", default: "0.001" },
      "start-ns": { type: "string", default: "1735689600000000000" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

type Values = ReturnType<typeof parse>["values"];

async function importData(args: readonly string[], values: Values, baseLatencyNs: bigint): Promise<number> {
  const [name = "", ...paths] = args;
  const format = IMPORT_FORMATS[name];
  if (format === undefined)
    throw new UsageError(`import needs a format: ${Object.keys(IMPORT_FORMATS).join(", ")}`);
  if (paths.length === 0 || (paths.length > 1 && format.several !== true))
    throw new UsageError(`import ${name} needs ${format.several === true ? "files" : "one path"}`);
  const { snapshots, symbol } = values;
  if (snapshots !== "process" && snapshots !== "ignore-sod" && snapshots !== "ignore")
    throw new UsageError(`--snapshots ${snapshots} is not process, ignore-sod or ignore`);
  const out = requireOut(values);
  const result = await format.run(paths, {
    markPrice: values["mark-price"],
    bookTicker: values["book-ticker"],
    baseLatencyNs,
    snapshots,
    ...(symbol === undefined ? {} : { symbol }),
  });
  writeRows(out, EVENT_FIELDS, result.table.bytes, EVENT_ROW_BYTES, { compress: !values.stored });
  const skipped = [...result.skipped].map(([kind, count]) => `${count} ${kind}`).join(", ");
  console.log(`${result.messages} messages → ${result.table.rows} rows in ${out}`);
  if (skipped !== "") console.log(`not imported: ${skipped}`);
  if (result.gaps > 0) console.log(`${result.gaps} places where messages are missing`);
  sayShift(result.localShiftNs);
  return 0;
}

function generate(args: readonly string[], values: Values): number {
  if (args.length > 0) throw new UsageError("generate takes no file but --out");
  const { kind } = values;
  if (kind !== "l2" && kind !== "l3") throw new UsageError(`--kind ${kind} is not l2 or l3`);
  const out = requireOut(values);
  const table = generateMarket({
    kind,
    seed: count(values.seed, "seed"),
    rows: count(values.rows, "rows"),
    mid: decimal(values.mid, "mid"),
    tickSize: values.tick,
    lotSize: values.lot,
    startNs: unixNs(values["start-ns"]),
  });
  writeRows(out, EVENT_FIELDS, table.bytes, EVENT_ROW_BYTES, { compress: !values.stored });
  console.log(`${table.rows} rows in ${out}`);
  return 0;
}

function count(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name} ${text} is not a whole number`);
  return Number(text);
}

/** 19 digits: from 2001 to 2286. */
function unixNs(text: string): bigint {
  if (!/^[1-8]\d{18}$/.test(text)) throw new UsageError(`--start-ns ${text} is not ns since the Unix epoch`);
  return BigInt(text);
}

function decimal(text: string, name: string): number {
  if (!/^\d*\.?\d+$/.test(text) || !(Number(text) > 0))
    throw new UsageError(`--${name} ${text} is not a positive decimal number`);
  return Number(text);
}

async function correct(args: readonly string[], values: Values, baseLatencyNs: bigint): Promise<number> {
  const [path] = args;
  if (path === undefined || args.length !== 1) throw new UsageError("correct needs one file");
  const out = requireOut(values);
  const table = EventTable.from(loadRows(path, EVENT_FIELDS).bytes);
  const oneSided = table.firstOneSidedRow();
  if (oneSided >= 0)
    throw new DataFileError(path, oneSided, "belongs to one side: the file is corrected already");
  const shift = table.correctLocalTimestamps(baseLatencyNs);
  const corrected = table.correctEventOrder();
  writeRows(out, EVENT_FIELDS, corrected.bytes, EVENT_ROW_BYTES, { compress: !values.stored });
  console.log(`${table.rows} rows → ${corrected.rows} rows in ${out}`);
  sayShift(shift);
  return 0;
}

function requireOut(values: Values): string {
  if (values.out === undefined) throw new UsageError("--out is missing");
  return values.out;
}

function sayShift(ns: bigint): void {
  if (ns !== 0n) console.log(`local times were before exchange times: moved by ${ns} ns`);
}

function check(files: readonly string[]): number {
  if (files.length === 0) throw new UsageError("check needs a file");
  let faults = 0;
  for (const file of files) {
    try {
      console.log(`${file}: ${describe(file)}`);
    } catch (error) {
      if (!(error instanceof DataFileError)) throw error;
      console.log(error.message);
      faults++;
    }
  }
  return faults === 0 ? 0 : 3;
}

/** Reads every row. Throws DataFileError at the first fault. */
function describe(file: string): string {
  const blocks = openRowBlocks([file]);
  let rows = 0;
  let [exchRows, localRows] = [0, 0];
  let [exch, local] = [0n, 0n];
  let first: bigint | null = null;
  try {
    for (let block = blocks.next(); block !== null; block = blocks.next()) {
      const { buffer, byteOffset } = block.i32;
      const i64 = new BigInt64Array(
        buffer as ArrayBuffer,
        byteOffset + block.first * EVENT_ROW_BYTES,
        block.rows * 8,
      );
      for (let i = 0; i < block.rows; i++) {
        const ev = block.i32[(block.first + i) * 16]!;
        const [exchTs, localTs] = [i64[i * 8 + 1]!, i64[i * 8 + 2]!];
        first ??= exchTs;
        if ((ev & EV_EXCH) !== 0) {
          if (exchRows++ > 0 && exchTs < exch) throw new DataFileError(file, rows + i, "exch_ts goes back");
          exch = exchTs;
        }
        if ((ev & EV_LOCAL) !== 0) {
          if (localRows++ > 0 && localTs < local)
            throw new DataFileError(file, rows + i, "local_ts goes back");
          local = localTs;
        }
      }
      rows += block.rows;
    }
  } finally {
    blocks.close();
  }
  if (rows > 0 && exchRows + localRows === 0)
    throw new DataFileError(file, 0, "no row belongs to a side: not corrected");
  const seconds = first === null ? 0 : Number(exch - first) / 1e9;
  return `${rows} rows (${exchRows} exchange, ${localRows} local), ${seconds.toFixed(3)} s from ${first ?? 0n}`;
}

process.exit(await main(process.argv.slice(2)));
