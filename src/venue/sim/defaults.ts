// What the venue is without flags: BTCUSDT from the shipped capture, ETHUSDT from the generator, an account of
// 100,000 USDT, the venue's limits, and latencies that are not zero (zero latency flatters every maker).

import { CaptureSource } from "./capture-source.ts";
import { readCapture } from "./capture-tape.ts";
import { GeneratedSource } from "./generated-source.ts";
import type { MarketSource } from "./market-source.ts";
import { VENUE_RATE_LIMITS } from "./rate-limits.ts";
import type { SimVenueOptions } from "./sim-venue.ts";
import { BTCUSDT, generatedSpec, type SymbolSpec } from "./symbol-spec.ts";

const CAPTURE = new URL("../../data/captures/binance-usdm-btcusdt-20240808.gz", import.meta.url);

/** Start prices of generated symbols, in ticks of 0.01. */
const START_TICKS: Readonly<Record<string, number>> = { ETHUSDT: 268_400, SOLUSDT: 15_500 };
const USUAL_START_TICKS = 10_000;

export async function captureSymbol(): Promise<{ spec: SymbolSpec; source: MarketSource }> {
  const packed = new Uint8Array(await Bun.file(CAPTURE).arrayBuffer());
  const text = new TextDecoder().decode(Bun.gunzipSync(packed));
  return { spec: BTCUSDT, source: new CaptureSource(readCapture(text, BTCUSDT)) };
}

/** Each symbol has a stream of its own, so adding one does not change the others. */
export function generatedSymbol(symbol: string, seed: number): { spec: SymbolSpec; source: MarketSource } {
  const spec = generatedSpec(symbol);
  let own = seed;
  for (const char of symbol) own = (Math.imul(own, 31) + char.charCodeAt(0)) | 0;
  return { spec, source: new GeneratedSource(spec, own, START_TICKS[symbol] ?? USUAL_START_TICKS) };
}

/** Defaults of everything but symbols and credentials. */
export function defaultVenueOptions(): Omit<SimVenueOptions, "symbols" | "apiKey" | "secret"> {
  return {
    host: "127.0.0.1",
    port: 0,
    speed: 1,
    seed: 1,
    account: {
      startingBalanceE8: 100_000n * 100_000_000n,
      leverage: 20,
      makerFeeE8: 20_000,
      takerFeeE8: 50_000,
      feeAsset: null,
    },
    ed25519: [],
    rateLimits: VENUE_RATE_LIMITS,
    funding: { intervalMs: 8 * 3_600_000, rateE8: 10_000n },
    latency: {
      entry: { meanNs: 400_000, sigma: 0.25 },
      response: { meanNs: 200_000, sigma: 0.25 },
      market: { meanNs: 0, sigma: 0 },
    },
    journalPath: null,
    journalFsync: "none",
    journalMarket: false,
    adminToken: null,
    play: true,
  };
}
