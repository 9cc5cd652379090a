// What an operator may see and do with a running engine, apart from how it is asked (HTTP API, ctl, iceoryx2).
// Views are plain JSON: money, price and quantity are decimal strings, times ISO 8601 UTC text, durations
// numbers with their unit last. Reads come from main's cold copies and never wait for a lane.
import type { RecorderSummary } from "../engine/summary.ts";
import type { MetricFamily } from "./metric-families.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `control` includes `read`. */
export type Scope = "read" | "control";

/** Who asks, with what right, and for what reason: part of every command and of the audit log. */
export interface Actor {
  /** As the client names itself, after its channel: "api:desk", "ctl:root", "signal:SIGINT". Never a secret. */
  readonly who: string;
  readonly scope: Scope;
  readonly why: string;
}

export type KillState = "armed" | "killed" | "emergency";
export type StrategyStateName = "Starting" | "Running" | "Paused" | "Stopping" | "Stopped" | "Error";
export type FeedStateName = "connecting" | "resyncing" | "synced" | "stale";
export type LaneStateName = "starting" | "running" | "parked" | "stopped" | "failed";

export interface HealthView {
  /** Every lane's heart beats. */
  readonly live: boolean;
  /** Live, reconciled, feeds synced, not killed: orders may be sent. */
  readonly ready: boolean;
  readonly kill: KillState;
  /** One sentence per thing that keeps it from being ready. */
  readonly problems: readonly string[];
}

export interface LaneView {
  readonly name: string;
  readonly agents: readonly string[];
  readonly state: LaneStateName;
  /** −1 = not pinned. */
  readonly cpu: number;
  readonly wait: string;
  readonly heartbeatAgeMs: number;
  readonly maxStallUs: number;
  readonly turns: number;
  readonly busyTurns: number;
  readonly parks: number;
  readonly gcCount: number;
}

export interface QuoteView {
  readonly price: string;
  readonly qty: string;
}

export interface FactorView {
  readonly name: string;
  /** null = not ready. */
  readonly value: number | null;
}

export interface InstrumentView {
  readonly instrument: string;
  readonly venue: string;
  readonly feed: FeedStateName;
  /** Why it is in that state ("none" when nothing is wrong). */
  readonly feedReason: string;
  /** Since the last market record; null before the first. */
  readonly feedAgeMs: number | null;
  /** null while that side is empty or unknown. */
  readonly bid: QuoteView | null;
  readonly ask: QuoteView | null;
  readonly markPrice: string | null;
  readonly factors: readonly FactorView[];
}

export interface StrategyView {
  readonly name: string;
  readonly state: StrategyStateName;
  /** Why it is in that state; "" when it simply runs. */
  readonly reason: string;
  readonly instruments: readonly string[];
  readonly workingOrders: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export interface KillView {
  readonly state: KillState;
  /** The last command's reason; "" when never killed. */
  readonly reason: string;
  readonly since: string | null;
}

export interface JournalView {
  readonly records: number;
  readonly bytes: number;
  readonly segments: number;
  /** What a kill of the process would lose: time between a record and its place in the log. */
  readonly unackedWindowUs: number;
  readonly failed: boolean;
}

export interface RingView {
  readonly name: string;
  readonly depth: number;
  readonly capacity: number;
}

/** Of the account, in the settlement currency of the first instrument. */
export interface MarginView {
  readonly currency: string;
  readonly wallet: string;
  /** Wallet and unrealised result. */
  readonly equity: string;
  /** Of positions with the worst case of working orders. */
  readonly initial: string;
  readonly free: string;
  /** Move of all prices against the positions that liquidates, as a share; null when flat. */
  readonly liquidationDistance: number | null;
}

export interface StatusView {
  readonly env: string;
  readonly version: string;
  readonly session: string;
  readonly startedAt: string;
  readonly now: string;
  readonly uptimeS: number;
  /** User stream up and reconciled. */
  readonly reconciled: boolean;
  readonly kill: KillView;
  /** Storm guard: "NORMAL", "WARM", "STORM" or "HALT". */
  readonly storm: string;
  /** null while the wallet is unknown. */
  readonly margin: MarginView | null;
  readonly lanes: readonly LaneView[];
  readonly instruments: readonly InstrumentView[];
  readonly strategies: readonly StrategyView[];
  readonly rings: readonly RingView[];
  readonly journal: JournalView;
  readonly recorder: RecorderSummary;
  /** Records that did not fit anywhere; 0 in a healthy session. */
  readonly drops: number;
}

export interface PositionView {
  readonly strategy: string;
  readonly instrument: string;
  /** Signed. */
  readonly qty: string;
  /** null when flat. */
  readonly avgPrice: string | null;
  readonly markPrice: string | null;
  readonly realized: string;
  readonly unrealized: string;
  readonly fees: string;
  readonly currency: string;
}

export interface PnlView {
  readonly currency: string;
  readonly realized: string;
  readonly unrealized: string;
  readonly fees: string;
  readonly funding: string;
  /** realized + unrealized + funding − fees. */
  readonly net: string;
}

export interface OrderView {
  readonly clientOrderId: string;
  /** "" until the venue gave one. */
  readonly venueOrderId: string;
  readonly strategy: string;
  readonly instrument: string;
  readonly side: "buy" | "sell";
  readonly type: string;
  readonly tif: string;
  readonly reduceOnly: boolean;
  readonly price: string;
  readonly qty: string;
  readonly execQty: string;
  readonly leavesQty: string;
  /** ORDER_STATE_NAMES of wire/codes.ts. */
  readonly state: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Sent → first report; null while unanswered. */
  readonly roundTripUs: number | null;
}

export interface FillView {
  readonly tradeId: string;
  readonly clientOrderId: string;
  readonly strategy: string;
  readonly instrument: string;
  readonly side: "buy" | "sell";
  readonly price: string;
  readonly qty: string;
  readonly fee: string;
  readonly feeCurrency: string;
  readonly maker: boolean;
  /** Found in the venue's history, not on the stream. */
  readonly recovered: boolean;
  readonly at: string;
}

export interface OrdersFilter {
  /** Only orders that may still work at the venue. */
  readonly open: boolean;
  /** null = every strategy. */
  readonly strategy: string | null;
  /** At most this many, newest first. */
  readonly limit: number;
}

/** One settable value. Numbers, switches and choices only: no kind of value can carry a path, URL or module. */
export interface ValueSpec {
  readonly name: string;
  readonly type: "int" | "decimal" | "bool" | "enum";
  readonly default: string;
  readonly min: string | null;
  readonly max: string | null;
  /** Values are multiples of this, counted from 0. */
  readonly step: string | null;
  readonly unit: string;
  /** Choices of an enum, else empty. */
  readonly values: readonly string[];
  readonly description: string;
}

export interface ValuesView {
  readonly strategy: string;
  readonly values: Readonly<Record<string, string>>;
  readonly schema: readonly ValueSpec[];
}

export interface LatencyView {
  /** "tickToOrder", "decode", "hop", … */
  readonly name: string;
  readonly lane: string;
  readonly count: number;
  /** null while count is 0. */
  readonly meanNs: number | null;
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
  readonly p999Ns: number | null;
  readonly maxNs: number | null;
}

export interface DecisionView {
  readonly at: string;
  readonly instrument: string;
  /** "quoter" or "gate". */
  readonly source: string;
  /** Stable code: a DENY_NAMES entry, or what the quoter did. */
  readonly code: string;
  readonly detail: string;
}

export interface WhyView {
  readonly strategy: string;
  readonly state: StrategyStateName;
  /** Newest first. */
  readonly decisions: readonly DecisionView[];
}

/** `invalid`: the request makes no sense; `refused`: not in this state; `failed`: tried, and did not work. */
export type CommandCode = "done" | "invalid" | "notFound" | "refused" | "failed";

export interface CommandResult {
  readonly ok: boolean;
  readonly code: CommandCode;
  readonly message: string;
  /** State, after the command, of what it was aimed at: a strategy's, "mixed", or the kill state. */
  readonly state: string;
  /** What the command changed, as it was and as it is; null when it changed nothing. */
  readonly before: Json;
  readonly after: Json;
  /** True when the engine cannot prove that no unwanted order is left at the venue. */
  readonly ordersMayBeWorking: boolean;
}

/** A strategy's name, or this. */
export const ALL_STRATEGIES = "all";

export interface EngineReads {
  health(): HealthView;
  status(): StatusView;
  positions(): readonly PositionView[];
  pnl(): readonly PnlView[];
  orders(filter: OrdersFilter): readonly OrderView[];
  /** Newest first. */
  fills(limit: number): readonly FillView[];
  /** null: no such strategy. */
  parameters(strategy: string): ValuesView | null;
  /** null: no such strategy. */
  limits(strategy: string): ValuesView | null;
  /** null: no such strategy. */
  why(strategy: string): WhyView | null;
  latency(): readonly LatencyView[];
  metrics(): readonly MetricFamily[];
}

export interface EngineCommands {
  /** Market data goes on; working orders are cancelled unless `keepOrders`. */
  pause(strategy: string, options: { readonly keepOrders: boolean }, actor: Actor): Promise<CommandResult>;
  resume(strategy: string, actor: Actor): Promise<CommandResult>;
  /** Pause, cancels confirmed, Stopped. */
  stop(strategy: string, actor: Actor): Promise<CommandResult>;
  /** Stores the kill word first, then cancels everything; `actor.why` is the reason. */
  kill(actor: Actor): Promise<CommandResult>;
  /** Latches EMERGENCY: strategies denied; reduce-only orders of the controller close positions if asked. */
  emergencyStop(
    options: { readonly cancelOrders: boolean; readonly closePosition: boolean },
    actor: Actor,
  ): Promise<CommandResult>;
  /** Clears the kill word after a clean reconciliation. */
  rearm(actor: Actor): Promise<CommandResult>;
  /** Values were checked against `parameters(strategy).schema`; applied all or none. */
  setParameters(
    strategy: string,
    values: Readonly<Record<string, string>>,
    actor: Actor,
  ): Promise<CommandResult>;
  setLimits(strategy: string, values: Readonly<Record<string, string>>, actor: Actor): Promise<CommandResult>;
  cancelAll(strategy: string, actor: Actor): Promise<CommandResult>;
  /** Resolves when the end has begun, not when the process is gone. */
  shutdown(options: { readonly keep: boolean }, actor: Actor): Promise<CommandResult>;
}

export interface EngineControl extends EngineReads, EngineCommands {}
