// `bun run venue`: the simulated Binance USD-M venue as a process of its own. Prints one line
// {"ready":true,"port":N,"pid":…} and serves until SIGINT or SIGTERM, or with --parent until stdin closes.
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { parseDecimal, scaleTo } from "../core/decimal.ts";
import { type DataDirLock, lockDataDir } from "../journal/lock-file.ts";
import { simCredentials } from "../venue/sim/credentials.ts";
import { captureSymbol, defaultVenueOptions, generatedSymbol } from "../venue/sim/defaults.ts";
import type { FsyncPolicy } from "../venue/sim/journal.ts";
import { SimVenue, type SimVenueOptions } from "../venue/sim/sim-venue.ts";

const USAGE = `usage: bun run venue [options]
  --port N               port on 127.0.0.1 (default 0: any free port)
  --speed S              market speed, 1 = real time (default 1)
  --seed N               seed of the generators and latencies (default 1)
  --symbols A,B          symbols; BTCUSDT is played from the capture, others are generated
                         (default BTCUSDT,ETHUSDT)
  --data-dir D           (default var/sim) journal in D/venue/journal.jsonl
  --journal F            journal file; "none" keeps none
  --journal-fsync P      none, flush or interval (default none)
  --journal-market       journal market messages and requests in the order of matching
  --api-key K            API key of the account (default hotlane-sim)
  --credentials-file F   0600 JSON {apiKey, apiSecret}, written when absent
                         (default D/venue/credentials.json; HOTLANE_SIM_SECRET overrides the secret)
  --ed25519-key K=FILE   registers a PEM Ed25519 public key under the API key K (repeatable)
  --halted A,B           symbols that are listed and do not trade
  --balance X            starting balance in USDT (default 100000)
  --leverage N           (default 20)
  --maker-fee X --taker-fee X   rates (default 0.0002 and 0.0005)
  --fee-asset A          fees are paid in this coin while there is some (default: in the quote currency)
  --fee-asset-price X --fee-asset-balance X   of one coin (default 600), of the account (default 100)
  --entry-us N --response-us N --market-us N   mean latencies (default 400, 200, 0)
  --jitter X             sigma of their logarithm (default 0.25)
  --funding-ms N --funding-rate X   funding interval and rate (default 28800000, 0.0001)
  --rate-limit-factor X  multiplies the venue's limits (default 1)
  --parent               end when stdin closes, and only then (signals are the parent's)
Environment: HOTLANE_SIM_SECRET, HOTLANE_SIM_ADMIN_TOKEN (bearer token of /sim/* instead of loopback only)`;

const JOURNAL_WAIT_MS = 5_000;
const JOURNAL_RETRY_MS = 20;

class UsageError extends Error {}

function readFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: "string" },
        speed: { type: "string" },
        seed: { type: "string" },
        symbols: { type: "string" },
        "data-dir": { type: "string" },
        journal: { type: "string" },
        "journal-fsync": { type: "string" },
        "journal-market": { type: "boolean" },
        "api-key": { type: "string" },
        "credentials-file": { type: "string" },
        "ed25519-key": { type: "string", multiple: true },
        halted: { type: "string" },
        balance: { type: "string" },
        leverage: { type: "string" },
        "maker-fee": { type: "string" },
        "taker-fee": { type: "string" },
        "fee-asset": { type: "string" },
        "fee-asset-price": { type: "string" },
        "fee-asset-balance": { type: "string" },
        "entry-us": { type: "string" },
        "response-us": { type: "string" },
        "market-us": { type: "string" },
        jitter: { type: "string" },
        "funding-ms": { type: "string" },
        "funding-rate": { type: "string" },
        "rate-limit-factor": { type: "string" },
        parent: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Flags = ReturnType<typeof readFlags>;
type NumberFlag =
  | "port"
  | "speed"
  | "seed"
  | "leverage"
  | "entry-us"
  | "response-us"
  | "market-us"
  | "jitter"
  | "funding-ms"
  | "rate-limit-factor";

function number(flags: Flags, name: NumberFlag, usual: number, least: number, most: number): number {
  const text = flags[name];
  if (text === undefined) return usual;
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most))
    throw new UsageError(`--${name} ${text}: expected a number in ${least}..${most}`);
  return value;
}

/** A decimal flag in 1e-8 units. */
function decimalE8(
  flags: Flags,
  name: "balance" | "maker-fee" | "taker-fee" | "funding-rate" | "fee-asset-price" | "fee-asset-balance",
  usual: string,
): bigint {
  const text = flags[name] ?? usual;
  try {
    return scaleTo(parseDecimal(text), 8);
  } catch {
    throw new UsageError(`--${name} ${text}: expected a decimal number with at most 8 decimals`);
  }
}

function fsyncPolicy(text: string | undefined): FsyncPolicy {
  const policy = text ?? "none";
  if (policy === "none" || policy === "flush" || policy === "interval") return policy;
  throw new UsageError(`--journal-fsync ${policy}: expected none, flush or interval`);
}

async function ed25519Keys(entries: readonly string[]) {
  return Promise.all(
    entries.map(async (entry) => {
      const at = entry.indexOf("=");
      if (at < 1) throw new UsageError(`--ed25519-key ${entry}: expected KEY=FILE`);
      const file = Bun.file(entry.slice(at + 1));
      if (!(await file.exists())) throw new UsageError(`--ed25519-key: no file ${entry.slice(at + 1)}`);
      return { apiKey: entry.slice(0, at), publicKeyPem: await file.text() };
    }),
  );
}

async function symbolList(flags: Flags, seed: number): Promise<SimVenueOptions["symbols"]> {
  const names = (flags.symbols ?? "BTCUSDT,ETHUSDT").split(",").map((s) => s.trim().toUpperCase());
  if (new Set(names).size !== names.length) throw new UsageError("--symbols: a symbol is named twice");
  try {
    const halted = (flags.halted ?? "").toUpperCase().split(",");
    const found = await Promise.all(
      names.map((s) => (s === "BTCUSDT" ? captureSymbol() : generatedSymbol(s, seed))),
    );
    return found.map((s) => ({ ...s, spec: { ...s.spec, trading: !halted.includes(s.spec.symbol) } }));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--symbols: ${error.message}`);
    throw error;
  }
}

function feeAsset(flags: Flags): SimVenueOptions["account"]["feeAsset"] {
  const name = flags["fee-asset"];
  if (name === undefined) return null;
  if (!/^[A-Z0-9]{2,16}$/.test(name)) throw new UsageError(`--fee-asset ${name}: expected 2..16 of A-Z, 0-9`);
  const priceE8 = decimalE8(flags, "fee-asset-price", "600");
  if (priceE8 <= 0n) throw new UsageError("--fee-asset-price: expected more than 0");
  return { name, priceE8, startingBalanceE8: decimalE8(flags, "fee-asset-balance", "100") };
}

async function venueOptions(flags: Flags): Promise<SimVenueOptions> {
  const usual = defaultVenueOptions();
  const seed = number(flags, "seed", usual.seed, 0, 2 ** 52);
  const sigma = number(flags, "jitter", 0.25, 0, 3);
  const latency = (name: "entry-us" | "response-us" | "market-us", us: number) => ({
    meanNs: number(flags, name, us, 0, 60_000_000) * 1_000,
    sigma,
  });
  const factor = number(flags, "rate-limit-factor", 1, 0.001, 1e9);
  const limits = usual.rateLimits;
  const dataDir = flags["data-dir"] ?? join("var", "sim");
  const credentials = simCredentials(
    flags["credentials-file"] ?? join(dataDir, "venue", "credentials.json"),
    flags["api-key"],
    process.env["HOTLANE_SIM_SECRET"],
  );
  const journal = flags.journal ?? join(dataDir, "venue", "journal.jsonl");
  return {
    ...usual,
    ...credentials,
    seed,
    port: number(flags, "port", 0, 0, 65_535),
    speed: number(flags, "speed", 1, 0.001, 10_000),
    symbols: await symbolList(flags, seed),
    ed25519: await ed25519Keys(flags["ed25519-key"] ?? []),
    account: {
      startingBalanceE8: decimalE8(flags, "balance", "100000"),
      leverage: number(flags, "leverage", 20, 1, 125),
      makerFeeE8: Number(decimalE8(flags, "maker-fee", "0.0002")),
      takerFeeE8: Number(decimalE8(flags, "taker-fee", "0.0005")),
      feeAsset: feeAsset(flags),
    },
    rateLimits: {
      ...limits,
      weightPerMinute: Math.ceil(limits.weightPerMinute * factor),
      ordersPer10s: Math.ceil(limits.ordersPer10s * factor),
      ordersPerMinute: Math.ceil(limits.ordersPerMinute * factor),
    },
    funding: {
      intervalMs: number(flags, "funding-ms", usual.funding.intervalMs, 100, 86_400_000),
      rateE8: decimalE8(flags, "funding-rate", "0.0001"),
    },
    latency: {
      entry: latency("entry-us", 400),
      response: latency("response-us", 200),
      market: latency("market-us", 0),
    },
    journalPath: journal === "none" ? null : journal,
    journalFsync: fsyncPolicy(flags["journal-fsync"]),
    journalMarket: flags["journal-market"] === true,
    // Whatever went out before is journalled; going on would answer for orders that a restart forgets.
    onJournalFailure: (error) => {
      console.error(`venue: ${error.message}`);
      process.exit(1);
    },
    adminToken: process.env["HOTLANE_SIM_ADMIN_TOKEN"] ?? null,
  };
}

/** One venue per journal. The one before may still be ending: its parent was killed and started again. */
async function takeJournal(dir: string): Promise<DataDirLock> {
  const deadline = performance.now() + JOURNAL_WAIT_MS;
  for (;;) {
    const result = lockDataDir(dir);
    if (result.ok) return result.lock;
    if (performance.now() > deadline) throw new Error(result.error);
    await Bun.sleep(JOURNAL_RETRY_MS);
  }
}

async function main(args: string[]): Promise<number> {
  const flags = readFlags(args);
  if (flags.help === true) {
    console.log(USAGE);
    return 0;
  }
  const options = await venueOptions(flags);
  const lock = options.journalPath === null ? null : await takeJournal(dirname(options.journalPath));
  const venue = new SimVenue(options);
  const port = venue.start();
  console.log(JSON.stringify({ ready: true, port, pid: process.pid }));
  await ended(flags.parent === true);
  await venue.stop();
  lock?.release();
  return 0;
}

function ended(withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    // A child shares its parent's Ctrl-C and terminal and must outlive both: the parent still has orders here.
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(name, () => withParent || resolve());
    if (!withParent) return;
    process.stdin.on("end", () => resolve());
    process.stdin.on("close", () => resolve());
    process.stdin.on("error", () => resolve());
    process.stdin.resume();
  });
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const usage = error instanceof UsageError;
  console.error(`${usage ? `${USAGE}\n` : ""}venue: ${(error as Error).message}`);
  process.exit(usage ? 2 : 1);
}
