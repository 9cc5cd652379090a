// Warm-up by replay before trading: a lane runs the shipped capture through a second set of its own agents, in
// an arena of its own, against a venue inside the process (warm-up-venue.ts), so that its thread has compiled
// every function that the first live order needs. Nothing of it reaches network, journal, live rings, ledger,
// telemetry or kill file: the arena, the sockets, REST and the kill word of the second set are its own. Cold.
//
// A strategy module of the user's is not run here: what it keeps at module level must not see this market.
import { join, resolve } from "node:path";
import { bootNs, realtimeNs } from "../../ffi/host.ts";
import { readCapture } from "../data/capture.ts";
import type { Agent } from "../lane/agent.ts";
import type { LaneRole } from "../lane/placement.ts";
import type { Instrument } from "../market/instrument.ts";
import { createArena } from "../ring/arena.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import { LOG_INFO, LOG_WARN } from "../wire/codes.ts";
import { KIND_TRADE, SCHEMA_VERSION } from "../wire/messages.gen.ts";
import { type LaneBuilder, LaneContext } from "./lane-host.ts";
import type { LaneStart, StrategyStart } from "./lane-protocol.ts";
import type { LaneName } from "./layout.ts";
import { NOTHING_RESTORED } from "./recovered.ts";
import type { EngineSettings } from "./settings.ts";
import { WarmUpVenue } from "./warm-up-venue.ts";

const CAPTURE = resolve(import.meta.dir, "../data/captures/binance-usdm-btcusdt-20240808.gz");
const SYMBOL = "BTCUSDT";
const BUILTIN = "builtin:";
const STAGES: readonly LaneRole[] = ["feed", "factor", "execution"];
/** Turns of the event loop in which the book becomes synchronised, and at most until orders go too. */
const SYNC_TURNS = 40;
const MAX_SYNC_TURNS = 1000;
/** Messages between turns of the event loop. */
const TURN_EVERY = 1024;
/** The capture's own price and lot rule. */
const MARKET = { tickSize: "0.10", lotSize: "0.001", contractSize: "1", orderTickStep: 1, trading: true };
/** What the venue of the warm-up tells its sockets by. */
const ROUTES = {
  restUrl: "http://warm-up",
  publicUrl: "ws://warm-up/public",
  marketUrl: "ws://warm-up/market",
  privateUrl: "ws://warm-up/private",
  wsApiUrl: "ws://warm-up/ws-fapi/v1",
};
/**
 * Each pass has a set of agents of its own. After a single one the compiler takes that set's closures and objects
 * for the only ones there are: the live set breaks the assumption, and for its first seconds runs unoptimised.
 */
const PASSES = 2;
const UNLIMITED = 1e9;
const MANY_ORDERS = 64;

interface Tape {
  readonly snapshot: Uint8Array;
  readonly messages: readonly string[];
}

/** Warms the lane of `live`; says so in its log. A failure is logged, not thrown: the lane only starts cold. */
export async function warmUp(
  live: LaneContext,
  builders: Readonly<Record<LaneName, LaneBuilder>>,
): Promise<void> {
  const wanted = live.start.settings.engine.warmupMessages;
  if (wanted === 0) return;
  const startedNs = live.clock.nowNs();
  try {
    const tape = await readTape(Math.ceil(wanted / PASSES));
    let orders = 0;
    for (let pass = 0; pass < PASSES; pass++) orders += await replay(live.start, tape, builders);
    // What it leaves behind goes now, not in the first seconds of trading.
    Bun.gc(true);
    const ms = Math.round((live.clock.nowNs() - startedNs) / 1e6);
    const text = orders > 0 ? `, ${orders} order requests` : "";
    live.log.log(LOG_INFO, 0, `warm: ${tape.messages.length * PASSES} messages${text} in ${ms} ms`);
  } catch (error) {
    live.log.log(LOG_WARN, 0, `not warmed up: ${(error as Error).message}`);
  }
}

async function readTape(count: number): Promise<Tape> {
  const decoder = new TextDecoder("latin1");
  const messages: string[] = [];
  let snapshot = new Uint8Array(0);
  for await (const line of readCapture(CAPTURE)) {
    const text = decoder.decode(line.bytes);
    if (text.startsWith('{"lastUpdateId"')) snapshot = line.bytes.slice();
    else messages.push(text);
    if (messages.length >= count) break;
  }
  return { snapshot, messages };
}

async function replay(
  start: LaneStart,
  tape: Tape,
  builders: Readonly<Record<LaneName, LaneBuilder>>,
): Promise<number> {
  const scratch = scratchStart(start);
  const venue = new WarmUpVenue(scratch.instruments[0]!.settle, SYMBOL, tape.snapshot);
  const context = new LaneContext(scratch, venue.edges);
  const agents = await buildAgents(context, builders);
  const drains = openEnds(context);
  const rig = new Rig(agents, drains, venue, start.settings.env !== "paper");
  for (const agent of agents) agent.onStart?.();
  await rig.synchronise(tape.messages);
  for (let i = 0; i < tape.messages.length; i++) {
    rig.step(tape.messages[i]!);
    if (i % TURN_EVERY === 0) await Bun.sleep(0);
  }
  for (const agent of agents) agent.onClose?.();
  return venue.requests;
}

/** The lane's own agents and those before it in the pipeline, linked as they are live. */
async function buildAgents(
  context: LaneContext,
  builders: Readonly<Record<LaneName, LaneBuilder>>,
): Promise<Agent[]> {
  const { name, agents } = context.start.placement;
  if (name === "fused") return [...(await builders.fused(context)).agents];
  const last = Math.max(...agents.map((role) => STAGES.indexOf(role)));
  const found: Agent[] = [];
  for (const role of STAGES.slice(0, last + 1))
    found.push(...(await builders[role as LaneName](context)).agents);
  return found;
}

/** Rings whose consumers are not here. */
function openEnds(context: LaneContext): RingConsumer[] {
  const { rings } = context.start.layout;
  const { name, agents } = context.start.placement;
  const ends = [rings.marketJournal, rings.ordersJournal, rings.telemetryJournal];
  const notices = rings.notices[name];
  if (notices !== undefined) ends.push(notices);
  if (name === "feed") ends.push(rings.market);
  if (name === "factor" && !agents.includes("execution")) ends.push(rings.signals);
  return ends.map((ring) => context.consumer(ring));
}

class Rig {
  private readonly agents: readonly Agent[];
  private readonly drains: readonly RingConsumer[];
  private readonly venue: WarmUpVenue;
  private readonly sendsOrders: boolean;

  /** `sendsOrders`: they go to a venue, not to an exchange in the lane (paper). */
  constructor(
    agents: readonly Agent[],
    drains: readonly RingConsumer[],
    venue: WarmUpVenue,
    sendsOrders: boolean,
  ) {
    this.sendsOrders = sendsOrders;
    this.agents = agents;
    this.drains = drains;
    this.venue = venue;
  }

  /** Connections open, snapshots and account queries are answered: a few turns of the event loop. */
  async synchronise(messages: readonly string[]): Promise<void> {
    const trades = this.sendsOrders && this.agents.some((agent) => agent.name === "execution");
    const synced = (turn: number) => turn >= SYNC_TURNS && (!trades || this.venue.requests > 0);
    for (let turn = 0; turn < MAX_SYNC_TURNS && !synced(turn); turn++) {
      this.venue.openSockets();
      if (turn === 1) this.step(messages[0]!);
      this.round();
      await Bun.sleep(0);
    }
  }

  step(message: string): void {
    const stream = message.charCodeAt(message.indexOf("@") + 1);
    // "depth" and "bookTicker" are public, "trade" and "markPrice" market streams.
    this.venue.market(message, stream === 0x64 || stream === 0x62);
    this.round();
  }

  private round(): void {
    for (const agent of this.agents) agent.doWork();
    this.venue.answerOrders();
    for (const end of this.drains) {
      const count = end.available();
      if (count > 0) end.release(count);
    }
  }
}

/** The same lane over an arena of its own, on the capture's instrument, with limits that are never met. */
function scratchStart(start: LaneStart): LaneStart {
  const main = Math.max(
    0,
    start.instruments.findIndex((i) => i.symbol === SYMBOL),
  );
  const instruments = start.instruments.map((i, k) => scratchInstrument(i, k === main));
  const id = instruments[main]!.id;
  const { engine, risk, journal } = start.settings;
  return {
    ...start,
    arena: createArena(start.layout.arena, SCHEMA_VERSION, realtimeNs(), bootNs()),
    instruments,
    graphs: start.graphs.map((graph) => ({ ...graph, instrument: id })),
    strategies: scratchStrategies(start.strategies, id),
    subscriptions: [...start.subscriptions, { kind: KIND_TRADE, instrument: id }],
    restored: NOTHING_RESTORED,
    checkpoint: null,
    settings: {
      ...start.settings,
      // Its rounds follow the compiler, not a clock: a pause is no suspension.
      engine: { ...engine, dataDir: join(engine.dataDir, "warm-up"), stallMs: 600_000 },
      venue: { ...start.settings.venue, ...ROUTES },
      instruments: [],
      journal,
      risk: scratchRisk(risk),
    },
  };
}

function scratchRisk(risk: EngineSettings["risk"]): EngineSettings["risk"] {
  const much = "50000000";
  const order = { maxOrderNotional: much, maxPositionNotional: much, maxWorkingOrders: MANY_ORDERS };
  return {
    ...risk,
    maxOrdersPer10s: UNLIMITED,
    maxOrdersPerMin: UNLIMITED,
    priceBandBps: 10_000,
    freshnessMs: 60_000,
    account: {
      ...risk.account,
      maxPositionNotional: much,
      maxWorkingOrders: MANY_ORDERS,
      dailyLossSoft: much,
      dailyLossHard: much,
      maxDrawdown: much,
    },
    instrument: { ...order, maxOrderQty: "", maxPositionQty: "" },
    strategy: { ...order, dailyLoss: much },
  };
}

function scratchInstrument(instrument: Instrument, isMain: boolean): Instrument {
  if (!isMain) return instrument;
  return {
    ...instrument,
    ...MARKET,
    symbol: SYMBOL,
    pxDecimals: 2,
    qtyDecimals: 3,
    minPxTicks: 1,
    maxPxTicks: 10_000_000,
    minQtyLots: 1,
    maxQtyLots: 1_000_000,
    minNotionalTickLots: 0,
    percentUpE8: 0,
    percentDownE8: 0,
  };
}

/** The package's own strategies as configured, and one that is never quiet: the plan has room for one more. */
function scratchStrategies(strategies: readonly StrategyStart[], instrument: number): StrategyStart[] {
  const own = strategies.filter((s) => s.module.startsWith(BUILTIN));
  const quoter = {
    name: "warm-up",
    module: resolve(import.meta.dir, "warm-up-quoter.ts"),
    graphFile: "",
    graphs: [],
    params: {},
  };
  return [...own, quoter].map((s, k) => ({ ...s, id: k + 1, instruments: [instrument], limits: {} }));
}
