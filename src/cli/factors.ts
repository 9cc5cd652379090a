// bun run factors GRAPH --data F… --tick X --lot X --out F: factor values from recorded data, one row per
// trigger. bun run factors list: the node catalogue. Exit 0 ok, 1 failed, 2 wrong usage, graph or data.
import { parseArgs } from "node:util";
import { DataFileError } from "../data/data-file-error.ts";
import { EVENT_ROW_BYTES } from "../data/npy.ts";
import { locateArray } from "../data/npz-file.ts";
import { memoryText } from "../factor/factor-state.ts";
import { GraphError, problemText } from "../factor/graph-error.ts";
import { loadGraphFile } from "../factor/graph-toml.ts";
import { type BatchInstrument, openBatch } from "../factor/update-batch.ts";
import { readInputs } from "./factors-inputs.ts";
import { catalogueMarkdown, catalogueText } from "./factors-list.ts";
import { openColumnsWriter } from "./factors-out.ts";
import { PlotPoints } from "./factors-plot.ts";
import { Progress } from "./progress.ts";

const USAGE = `usage: bun run factors GRAPH.toml --data F… --tick X --lot X --out F.csv|F.parquet|F.npz [--plot F.html] [--symbol S] [--quiet]
         other instruments that the graph reads: --data SYMBOL=F --tick SYMBOL=X --lot SYMBOL=X
       bun run factors list [--markdown]`;
const STEP_ROWS = 1 << 18;
const MID = "mid price";

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      data: { type: "string", multiple: true, default: [] },
      tick: { type: "string", multiple: true, default: [] },
      lot: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      plot: { type: "string" },
      symbol: { type: "string", default: "data" },
      quiet: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

type Parsed = ReturnType<typeof parse>;

function usage(message = ""): number {
  console.error(message === "" ? USAGE : `${USAGE}\n${message}`);
  return 2;
}

async function main(argv: readonly string[]): Promise<number> {
  let parsed: Parsed;
  try {
    parsed = parse(argv);
  } catch (error) {
    return usage((error as Error).message);
  }
  const [first, ...rest] = parsed.positionals;
  if (parsed.values.help) {
    console.log(USAGE);
    return 0;
  }
  if (first === "list" && rest.length === 0) {
    console.log(parsed.values.markdown ? catalogueMarkdown() : catalogueText());
    return 0;
  }
  if (first === undefined) return usage();
  return compute(first, [...parsed.values.data, ...rest], parsed.values);
}

async function compute(graph: string, data: readonly string[], values: Parsed["values"]): Promise<number> {
  const { tick, lot, out } = values;
  const inputs = readInputs(values.symbol, data, tick, lot);
  if (typeof inputs === "string") return usage(inputs);
  if (out === undefined) return usage("--out is missing");
  try {
    const program = await loadGraphFile(graph, values.plot === undefined ? {} : { midAs: MID });
    for (const w of program.warnings) console.error(`warning: ${problemText(w)}`);
    await write(program, inputs, out, values.plot ?? null, values.quiet);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error.message);
    const known =
      error instanceof GraphError || error instanceof DataFileError || error instanceof RangeError;
    return known || "code" in error ? 2 : 1;
  }
}

async function write(
  program: Awaited<ReturnType<typeof loadGraphFile>>,
  inputs: readonly BatchInstrument[],
  out: string,
  plot: string | null,
  quiet: boolean,
): Promise<void> {
  const names = program.outputs.map((o) => o.name);
  const points = plot === null ? null : new PlotPoints(names);
  // The mid price that a plot adds is its last column and is not written to the file.
  const written = plot === null ? names.length : names.length - 1;
  const writer = openColumnsWriter(out, names.slice(0, written));
  const [own, ...others] = inputs;
  const run = openBatch(program, own!.sources, { ...own!, others }, (rows, ts, columns) => {
    writer.write(run.baseNs, rows, ts, columns.slice(0, written));
    points?.add(run.baseNs, rows, ts, columns);
  });
  if (!quiet) console.error(memoryText(run.state));
  const started = performance.now();
  const files = inputs.flatMap((i) => i.sources).map(String);
  const rows = files.reduce((sum, file) => sum + Math.floor(locateArray(file).bytes / EVENT_ROW_BYTES), 0);
  const progress = quiet ? null : new Progress(rows, "rows");
  for (let more = true; more; ) {
    const before = run.rowsRead();
    more = run.step(STEP_ROWS);
    progress?.add(run.rowsRead() - before);
  }
  progress?.end();
  run.close();
  writer.close();
  if (plot !== null) await Bun.write(plot, await points!.html(program.name, MID));
  const seconds = (performance.now() - started) / 1000;
  const overflows = run.state.contexts.reduce((sum, c) => sum + c.overflows, 0);
  if (overflows > 0)
    console.error(
      `warning: ${overflows} windows reached behind what is kept: raise the capacities of [context]`,
    );
  for (const [node, samples] of run.state.graphs.flatMap((g) => g.cutNodes()))
    console.error(
      `warning: node "${node}": its time window was full, ${samples} samples cut: raise its capacity`,
    );
  if (run.badIds() > 0)
    console.error(`warning: ${run.badIds()} rows add an order that is there, or change one that is not`);
  const rate = (run.rowsRead() / seconds / 1e6).toFixed(2);
  if (!quiet) {
    console.error(
      `${run.rowsRead()} rows, ${run.handler.updates} triggers, ${seconds.toFixed(2)} s (${rate} M rows/s)`,
    );
  }
}

process.exit(await main(process.argv.slice(2)));
