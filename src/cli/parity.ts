// bun run parity DIR [--data DIR]: runs every reference case of a folder through the compat engine and compares
// every field of every line. Last line `N identical, N different`; exit 0 when nothing differs, 3 when something
// does, 2 for wrong usage.
import { parseArgs } from "node:util";
import { runParity } from "../backtest/parity/parity.ts";

const USAGE = "usage: bun run parity DIR [--data DIR]…";

function main(argv: readonly string[]): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    console.error(`${USAGE}\n${(error as Error).message}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const dir = positionals[0];
  if (dir === undefined || positionals.length !== 1) {
    console.error(USAGE);
    return 2;
  }
  let identical = 0;
  let different = 0;
  try {
    for (const { name, difference } of runParity(dir, values.data)) {
      if (difference === null) identical++;
      else {
        different++;
        console.log(`different: ${name}: ${difference}`);
      }
    }
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  console.log(`${identical} identical, ${different} different`);
  return different === 0 ? 0 : 3;
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      data: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

process.exit(main(process.argv.slice(2)));
