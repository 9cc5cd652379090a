// What the engine needs to know, as validated plain data. The configuration produces it (its type has all of
// these members); an embedding program may write it by hand. Money, prices and quantities are decimal text.
import type { WaitStrategy } from "../lane/duty-cycle.ts";
import type { RiskSettings } from "../risk/limits.ts";

export type Environment = "sim" | "paper" | "live";
export type RawTable = Readonly<Record<string, number | string | boolean>>;

export interface LaneSettings {
  /** −1 = not pinned, or an isolated core chosen by the placement. */
  readonly cpu: number;
  readonly wait: WaitStrategy | "auto";
}

export interface VenueSettings {
  readonly name: "binance";
  readonly restUrl: string;
  readonly publicUrl: string;
  readonly marketUrl: string;
  readonly privateUrl: string;
  readonly wsApiUrl: string;
  /** "" = environment variables. */
  readonly credentialsFile: string;
  readonly recvWindowMs: number;
  readonly heartbeatMs: number;
  readonly userHeartbeatMs: number;
  readonly orderTimeoutMs: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly rotateHours: number;
  /** 0 = the account is reconciled only after a loss of sight. */
  readonly reconcileMs: number;
  readonly foreignOrders: "refuse" | "cancel" | "adopt";
  /** 0 = the venue's dead-man's switch is not armed. */
  readonly deadManMs: number;
  readonly sendBufferBytes: number;
}

export interface InstrumentSettings {
  readonly symbol: string;
  /** Fee rate as decimal text; "" = the venue's. */
  readonly makerFee: string;
  readonly takerFee: string;
  /** Overrides of risk.instrument; "" = none. */
  readonly maxOrderQty: string;
  readonly maxPositionQty: string;
  readonly maxOrderNotional: string;
  readonly maxPositionNotional: string;
  readonly maxWorkingOrders: number;
}

export interface StrategySettings {
  readonly name: string;
  /** "builtin:NAME" or an absolute path. */
  readonly module: string;
  /** Absolute path of the factor graph, or "". */
  readonly graph: string;
  readonly instruments: readonly string[];
  readonly enabled: boolean;
  readonly params: RawTable;
  readonly limits: RawTable;
}

export interface EngineSettings {
  readonly env: Environment;
  readonly engine: {
    readonly dataDir: string;
    readonly allowLive: boolean;
    readonly timerMs: number;
    readonly warmupMessages: number;
    readonly maxOrders: number;
    readonly feedRingRecords: number;
    readonly factorRingRecords: number;
    readonly marketRingRecords: number;
    readonly ordersRingRecords: number;
    readonly telemetryRingRecords: number;
    readonly noticesRingRecords: number;
    readonly controlRingRecords: number;
    readonly stallMs: number;
    readonly shutdownMs: number;
  };
  readonly lanes: {
    readonly topology: "auto" | "lanes" | "fused";
    /** Of the hot lanes' threads, −20 … 19; 0 leaves them as they are. */
    readonly nice: number;
    readonly feed: LaneSettings;
    readonly factor: LaneSettings;
    readonly execution: LaneSettings;
    readonly writer: LaneSettings;
  };
  readonly venue: VenueSettings;
  readonly sim: {
    /** "" = the engine starts the venue as a child process. */
    readonly url: string;
    readonly speed: number;
    readonly seed: number;
    readonly balance: string;
    readonly marketLatencyUs: number;
    readonly orderLatencyUs: number;
    readonly responseLatencyUs: number;
    /** The child journals market messages and requests in the order of matching: for `bun run compare`. */
    readonly journalMarket: boolean;
    /** Sigma of the logarithm of each latency. */
    readonly latencyJitter: number;
  };
  readonly instruments: readonly InstrumentSettings[];
  readonly strategies: readonly StrategySettings[];
  readonly risk: RiskSettings;
  readonly journal: {
    readonly segmentBytes: number;
    readonly fsync: "none" | "interval" | "batch";
    readonly fsyncIntervalMs: number;
    readonly marketData: boolean;
    readonly minFreeBytes: number;
  };
}

/** A lane that has not run for so long was suspended: long before its silence would count as a stall. */
export const suspensionNs = (settings: EngineSettings): number => (settings.engine.stallMs / 2) * 1e6;
