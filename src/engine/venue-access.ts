// Where the venue is and how main talks to it: the environment's rules on addresses (DESIGN 8), the child
// venue of `--env sim`, credentials, and the REST account that start-up, emergency cancelling and the final
// proof use. Cold.
import type { Instrument } from "../market/instrument.ts";
import {
  type Credentials,
  credentialsFromEnvironment,
  credentialsFromFile,
} from "../venue/binance/credentials.ts";
import { BinanceRest, type RestOptions } from "../venue/binance/rest.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineSettings, VenueSettings } from "./settings.ts";
import { startVenueProcess, type VenueProcess } from "./venue-process.ts";

export interface VenueAccess {
  readonly settings: VenueSettings;
  readonly rest: BinanceRest;
  /** The child, in `--env sim` without a URL. */
  readonly process: VenueProcess | null;
}

const VENUE_START_MS = 20_000;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/;

/** Starts or finds the venue. Throws EngineError with what the operator must change. */
export async function openVenue(settings: EngineSettings, venueEntry: string): Promise<VenueAccess> {
  if (settings.env === "sim") return openSimulatedVenue(settings, venueEntry);
  // Without credentials nothing but market data can be asked for.
  if (settings.env === "paper")
    return { settings: settings.venue, rest: makeRest(settings.venue, null), process: null };
  if (settings.env === "live" && !settings.engine.allowLive)
    throw new EngineError("--env live needs engine.allow_live = true in your configuration", 2);
  const credentials = await loadCredentials(settings.venue.credentialsFile);
  return { settings: settings.venue, rest: makeRest(settings.venue, credentials), process: null };
}

/** Where market data alone comes from: no credentials, whatever the environment. Throws EngineError. */
export async function openMarketVenue(settings: EngineSettings, venueEntry: string): Promise<VenueAccess> {
  const { venue, child } =
    settings.env === "sim"
      ? await simulatedVenue(settings, venueEntry)
      : { venue: settings.venue, child: null };
  return { settings: venue, rest: makeRest(venue, null), process: child };
}

async function openSimulatedVenue(settings: EngineSettings, entry: string): Promise<VenueAccess> {
  const { venue, child } = await simulatedVenue(settings, entry);
  const credentials = await loadCredentials(venue.credentialsFile);
  return { settings: venue, rest: makeRest(venue, credentials), process: child };
}

async function simulatedVenue(
  settings: EngineSettings,
  entry: string,
): Promise<{ readonly venue: VenueSettings; readonly child: VenueProcess | null }> {
  const { sim } = settings;
  const child = sim.url === "" ? await startChild(settings, entry) : null;
  const base = child === null ? sim.url.replace(/\/$/, "") : `http://127.0.0.1:${child.port}`;
  requireLoopback(base);
  const ws = base.replace(/^http/, "ws");
  const venue: VenueSettings = {
    ...settings.venue,
    restUrl: base,
    publicUrl: `${ws}/public`,
    marketUrl: `${ws}/market`,
    privateUrl: `${ws}/private`,
    wsApiUrl: `${ws}/ws-fapi/v1`,
    credentialsFile: child === null ? settings.venue.credentialsFile : child.credentialsFile,
  };
  return { venue, child };
}

async function startChild(settings: EngineSettings, entry: string): Promise<VenueProcess> {
  try {
    return await startVenueProcess(childOptions(settings, entry));
  } catch (error) {
    throw new EngineError((error as Error).message.trimEnd(), 1);
  }
}

/** `--env sim` never leaves this machine. */
export function requireLoopback(url: string): void {
  const host = new URL(url).hostname;
  if (!LOOPBACK.test(host)) throw new EngineError(`--env sim trades on loopback only, not on ${host}`, 2);
}

function childOptions(settings: EngineSettings, entry: string) {
  const { sim, engine, instruments } = settings;
  return {
    entry,
    dataDir: engine.dataDir,
    startTimeoutMs: VENUE_START_MS,
    args: [
      ...(sim.journalMarket ? ["--journal-market"] : []),
      ...["--speed", String(sim.speed), "--seed", String(sim.seed), "--balance", sim.balance],
      ...["--market-us", String(sim.marketLatencyUs), "--entry-us", String(sim.orderLatencyUs)],
      ...["--response-us", String(sim.responseLatencyUs), "--jitter", String(sim.latencyJitter)],
      ...["--symbols", instruments.map((i) => i.symbol).join(",")],
    ],
  };
}

export async function loadCredentials(file: string): Promise<Credentials> {
  const credentials = file === "" ? credentialsFromEnvironment(process.env) : await credentialsFromFile(file);
  if (credentials !== null) return credentials;
  throw new EngineError(
    "no credentials: set HOTLANE_API_KEY and HOTLANE_API_SECRET (or HOTLANE_PRIVATE_KEY), or venue.credentials_file (mode 0600)",
    2,
  );
}

export function makeRest(
  venue: VenueSettings,
  credentials: Credentials | null,
  make: (options: RestOptions) => BinanceRest = (options) => new BinanceRest(options),
): BinanceRest {
  return make({
    baseUrl: venue.restUrl,
    credentials,
    recvWindowMs: venue.recvWindowMs,
    timeoutMs: venue.orderTimeoutMs,
    nowMs: () => Date.now(),
    defaultFees: { makerFeeE8: 20_000, takerFeeE8: 50_000 },
  });
}

/** Instruments of the configuration as the venue lists them, ids from 1; refuses hedge mode. */
export async function resolveInstruments(
  access: VenueAccess,
  settings: EngineSettings,
): Promise<readonly Instrument[]> {
  const symbols = settings.instruments.map((i) => i.symbol);
  const offset = await access.rest.measureClockOffset();
  if (!offset.ok) throw new EngineError(`the venue does not answer: ${offset.message}`, 1);
  const found = await access.rest.instruments(symbols, 1);
  // The venue's own answer was read: what is wrong is in the configuration. Otherwise it did not answer.
  if (!found.ok) throw new EngineError(`instruments: ${found.message}`, found.status === 200 ? 2 : 1);
  if (settings.env === "paper") return found.value.map((instrument) => withFees(instrument, settings));
  const hedge = await access.rest.hedgeMode();
  if (!hedge.ok) throw new EngineError(`position mode: ${hedge.message}`, 1);
  if (hedge.value) throw new EngineError("the account is in hedge mode: switch it to one-way mode first", 2);
  const leverages = await access.rest.leverages();
  if (!leverages.ok) throw new EngineError(`leverage: ${leverages.message}`, 1);
  return found.value.map((instrument) => {
    const leverage = leverages.value.get(instrument.symbol);
    return { ...withFees(instrument, settings), ...(leverage === undefined ? {} : { leverage }) };
  });
}

function withFees(instrument: Instrument, settings: EngineSettings): Instrument {
  const own = settings.instruments.find((i) => i.symbol === instrument.symbol)!;
  const rate = (text: string, venue: number) => (text === "" ? venue : Math.round(Number(text) * 1e8));
  return {
    ...instrument,
    makerFeeE8: rate(own.makerFee, instrument.makerFeeE8),
    takerFeeE8: rate(own.takerFee, instrument.takerFeeE8),
  };
}
