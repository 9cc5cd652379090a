// The engine's metric families, made from what EngineControl already shows plus the lanes' counters and
// histograms. Names are stable (docs/api.md): hotlane_…, _total, _seconds. A counter or histogram that has no
// curated name here still appears, under its lane and its own name, so that nothing counted is invisible.
import type { HistogramReader } from "../core/histogram.ts";
import { FEED_STATE_NAMES, STRATEGY_STATE_NAMES } from "../wire/codes.ts";
import type { KillState, PnlView, PositionView, StatusView } from "./engine-control.ts";
import {
  counter,
  gauge,
  histogramSample,
  type Labels,
  type MetricFamily,
  stateSamples,
} from "./metric-families.ts";

export interface LaneTelemetryView {
  /** "feed", "factor", "execution", "writer". */
  readonly lane: string;
  readonly counters: Readonly<Record<string, number>>;
  /** By name, in ns. */
  readonly histograms: Readonly<Record<string, HistogramReader>>;
}

export interface MetricsSource {
  readonly status: StatusView;
  readonly positions: readonly PositionView[];
  readonly pnl: readonly PnlView[];
  readonly lanes: readonly LaneTelemetryView[];
  /** Of the data directory's disk; absent when it cannot be asked. */
  readonly diskFreeBytes?: number;
}

export const KILL_STATES: readonly KillState[] = ["armed", "killed", "emergency"];
const RECORDER_STATES = [
  "off",
  "starting",
  "recording",
  "retrying",
  "storeFull",
  "refused",
  "restarting",
  "unavailable",
  "done",
] as const;
const US_PER_SECOND = 1e6;
const MS_PER_SECOND = 1e3;
const NONE: Labels = {};

export function engineMetrics(source: MetricsSource): MetricFamily[] {
  return [
    ...processFamilies(source.status),
    gauge(
      "hotlane_disk_free_bytes",
      "Free space on the data directory's disk.",
      source.diskFreeBytes === undefined ? [] : [[NONE, source.diskFreeBytes]],
    ),
    ...laneFamilies(source.status),
    ...marketFamilies(source.status),
    ...marginFamilies(source.status),
    ...tradingFamilies(source),
    ...counterFamilies(source.lanes),
    ...latencyFamilies(source.lanes),
  ];
}

function processFamilies(s: StatusView): MetricFamily[] {
  return [
    gauge("hotlane_info", "Version, environment and session.", [
      [{ version: s.version, env: s.env, session: s.session }, 1],
    ]),
    gauge("hotlane_uptime_seconds", "Since the start of the session.", [[NONE, s.uptimeS]]),
    gauge("hotlane_kill_state", "Kill word: 0 armed, 1 killed, 2 emergency.", [
      [NONE, KILL_STATES.indexOf(s.kill.state)],
    ]),
    gauge("hotlane_reconciled", "1 while the account is reconciled and its stream is up.", [
      [NONE, s.reconciled ? 1 : 0],
    ]),
    gauge("hotlane_storm_state", "Storm guard: the present state is 1.", [
      ...stateSamples(NONE, ["NORMAL", "WARM", "STORM", "HALT"], s.storm),
    ]),
    counter("hotlane_drops_total", "Records that did not fit anywhere.", [[NONE, s.drops]]),
    counter("hotlane_journal_records_total", "Records written to the log.", [[NONE, s.journal.records]]),
    counter("hotlane_journal_bytes_total", "Bytes written to the log.", [[NONE, s.journal.bytes]]),
    gauge("hotlane_journal_segments", "Segments of this session's log.", [[NONE, s.journal.segments]]),
    gauge("hotlane_journal_unacked_window_seconds", "Time between a record and its place in the log.", [
      [NONE, s.journal.unackedWindowUs / US_PER_SECOND],
    ]),
    gauge("hotlane_journal_failed", "1 when the log cannot be written.", [[NONE, s.journal.failed ? 1 : 0]]),
    gauge("hotlane_recorder_lag_seconds", "How far the recorder is behind the log.", [
      [{ target: s.recorder.target }, s.recorder.lagMs / MS_PER_SECOND],
    ]),
    counter(
      "hotlane_recorder_rows_total",
      "Rows that the recorder's target acknowledged.",
      Object.entries(s.recorder.rows).map(([table, rows]) => [{ table }, rows] as const),
    ),
    counter("hotlane_recorder_retries_total", "Batches sent again.", [[NONE, s.recorder.retries]]),
    gauge("hotlane_recorder_state", "The present state is 1.", [
      ...stateSamples({ target: s.recorder.target }, RECORDER_STATES, s.recorder.state),
    ]),
    counter(
      "hotlane_recorder_shed_rows_total",
      "Market rows not recorded because the store's disk ran low.",
      [[NONE, s.recorder.shedRows]],
    ),
    gauge("hotlane_recorder_alarm", "1 while the recorder cannot do its work.", [
      [NONE, s.recorder.alarm === "" ? 0 : 1],
    ]),
  ];
}

function laneFamilies(s: StatusView): MetricFamily[] {
  const perLane = (value: (lane: StatusView["lanes"][number]) => number) =>
    s.lanes.map((lane) => [{ lane: lane.name }, value(lane)] as const);
  const perRing = (value: (ring: StatusView["rings"][number]) => number) =>
    s.rings.map((ring) => [{ ring: ring.name }, value(ring)] as const);
  return [
    gauge(
      "hotlane_lane_heartbeat_age_seconds",
      "Since the lane's last turn.",
      perLane((lane) => lane.heartbeatAgeMs / MS_PER_SECOND),
    ),
    gauge(
      "hotlane_lane_max_stall_seconds",
      "Longest gap between two turns since warm-up.",
      perLane((lane) => lane.maxStallUs / US_PER_SECOND),
    ),
    counter(
      "hotlane_lane_turns_total",
      "Turns of the duty cycle.",
      perLane((lane) => lane.turns),
    ),
    counter(
      "hotlane_lane_busy_turns_total",
      "Turns that found work.",
      perLane((lane) => lane.busyTurns),
    ),
    counter(
      "hotlane_lane_parks_total",
      "Times the lane went to sleep.",
      perLane((lane) => lane.parks),
    ),
    counter(
      "hotlane_lane_gc_total",
      "Garbage collections seen by the lane.",
      perLane((lane) => lane.gcCount),
    ),
    gauge(
      "hotlane_lane_state",
      "The present state is 1.",
      s.lanes.flatMap((lane) =>
        stateSamples({ lane: lane.name }, ["starting", "running", "parked", "stopped", "failed"], lane.state),
      ),
    ),
    gauge(
      "hotlane_ring_depth_records",
      "Records waiting in the ring.",
      perRing((ring) => ring.depth),
    ),
    gauge(
      "hotlane_ring_capacity_records",
      "Records the ring holds.",
      perRing((ring) => ring.capacity),
    ),
  ];
}

function marketFamilies(s: StatusView): MetricFamily[] {
  return [
    gauge(
      "hotlane_feed_state",
      "The present state is 1.",
      s.instruments.flatMap((i) => stateSamples({ instrument: i.instrument }, FEED_STATE_NAMES, i.feed)),
    ),
    gauge(
      "hotlane_feed_age_seconds",
      "Since the instrument's last market record; absent before the first.",
      s.instruments.flatMap((i) =>
        i.feedAgeMs === null ? [] : [[{ instrument: i.instrument }, i.feedAgeMs / MS_PER_SECOND] as const],
      ),
    ),
  ];
}

function marginFamilies({ margin }: StatusView): MetricFamily[] {
  if (margin === null) return [];
  const labels = { currency: margin.currency };
  const distance = margin.liquidationDistance;
  return [
    gauge("hotlane_account_wallet", "Wallet as the venue states it.", [[labels, Number(margin.wallet)]]),
    gauge("hotlane_account_equity", "Wallet and unrealised result.", [[labels, Number(margin.equity)]]),
    gauge("hotlane_margin_initial", "Initial margin of positions with the worst case of working orders.", [
      [labels, Number(margin.initial)],
    ]),
    gauge("hotlane_margin_free", "Equity less initial margin.", [[labels, Number(margin.free)]]),
    gauge(
      "hotlane_liquidation_distance_ratio",
      "Move of all prices against the positions that liquidates, as a share of price; absent when flat.",
      distance === null ? [] : [[NONE, distance]],
    ),
  ];
}

function tradingFamilies({ status, positions, pnl }: MetricsSource): MetricFamily[] {
  // Decimal strings become binary floats here, for charts only.
  const money = (part: "realized" | "unrealized" | "fees" | "funding" | "net") =>
    pnl.map((p) => [{ currency: p.currency, part }, Number(p[part])] as const);
  return [
    gauge(
      "hotlane_strategy_state",
      "The present state is 1.",
      status.strategies.flatMap((s) => stateSamples({ strategy: s.name }, STRATEGY_STATE_NAMES, s.state)),
    ),
    gauge(
      "hotlane_working_orders",
      "Orders that may work at the venue.",
      status.strategies.map((s) => [{ strategy: s.name }, s.workingOrders] as const),
    ),
    gauge(
      "hotlane_position",
      "Signed position in units of the base asset.",
      positions.map((p) => [{ strategy: p.strategy, instrument: p.instrument }, Number(p.qty)] as const),
    ),
    gauge(
      "hotlane_pnl",
      "Profit and loss since the start of the ledger; net = realized + unrealized + funding − fees.",
      [...money("realized"), ...money("unrealized"), ...money("fees"), ...money("funding"), ...money("net")],
    ),
  ];
}

const ORDER_EVENTS = [
  "sent",
  "acked",
  "rejected",
  "canceled",
  "expired",
  "filled",
  "modified",
  "denied",
  "unknown",
] as const;

/** Counters of one role that have a name of their own: [lane, counter, metric, help]. */
const NAMED_COUNTERS = [
  ["feed", "messages", "hotlane_feed_messages_total", "Messages received from the venue."],
  ["feed", "bytes", "hotlane_feed_bytes_total", "Bytes received from the venue."],
  ["feed", "events", "hotlane_feed_events_total", "Market events decoded."],
  ["feed", "trades", "hotlane_feed_trades_total", "Trades decoded."],
  ["feed", "gaps", "hotlane_feed_gaps_total", "Breaks in a venue's sequence."],
  ["feed", "resyncs", "hotlane_feed_resyncs_total", "Books rebuilt from a snapshot."],
  ["feed", "reconnects", "hotlane_feed_reconnects_total", "Market connections opened again."],
  ["feed", "malformed", "hotlane_feed_malformed_total", "Messages refused by the decoder."],
] as const;

/** Shown above from the views, or below as part of a family: not repeated under the lane's name. */
const SHOWN_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  execution: [...ORDER_EVENTS, "fills", "makerFills"],
  writer: ["records", "bytes", "segments", "unackedWindowUs", "failed"],
};

function counterFamilies(lanes: readonly LaneTelemetryView[]): MetricFamily[] {
  const counters = (lane: string) => lanes.find((l) => l.lane === lane)?.counters ?? {};
  const execution = counters("execution");
  const makers = execution["makerFills"] ?? 0;
  const named = NAMED_COUNTERS.filter(([lane, name]) => counters(lane)[name] !== undefined).map(
    ([lane, name, metric, help]) => counter(metric, help, [[NONE, counters(lane)[name]!]]),
  );
  const rest = lanes.flatMap(({ lane, counters: own }) =>
    Object.entries(own)
      .filter(([name]) => !isShown(lane, name))
      .map(([name, value]) => [{ lane, event: name }, value] as const),
  );
  return [
    ...named,
    counter(
      "hotlane_orders_total",
      "Orders by what happened to them.",
      ORDER_EVENTS.filter((e) => execution[e] !== undefined).map(
        (event) => [{ event }, execution[event]!] as const,
      ),
    ),
    counter("hotlane_fills_total", "Fills by side of liquidity.", [
      [{ liquidity: "maker" }, makers],
      [{ liquidity: "taker" }, (execution["fills"] ?? 0) - makers],
    ]),
    counter("hotlane_lane_events_total", "Every other counter of a lane, by its own name.", rest),
  ];
}

function isShown(lane: string, name: string): boolean {
  if (SHOWN_ELSEWHERE[lane]?.includes(name)) return true;
  return NAMED_COUNTERS.some(([namedLane, namedCounter]) => namedLane === lane && namedCounter === name);
}

/** Histogram → metric; others get hotlane_<snake case>_seconds. */
const LATENCY_NAMES: Readonly<Record<string, readonly [string, string]>> = {
  tickToOrder: [
    "hotlane_tick_to_order_seconds",
    "Receipt of a message → bytes of the order handed to the socket.",
  ],
  feedLatency: ["hotlane_feed_latency_seconds", "The venue's time of an event → its receipt."],
  hop: ["hotlane_hop_seconds", "Feed lane's receipt → factor lane."],
  decode: ["hotlane_decode_seconds", "One venue message to records."],
  roundTrip: ["hotlane_order_round_trip_seconds", "Order sent → first report."],
};

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

function latencyFamilies(lanes: readonly LaneTelemetryView[]): MetricFamily[] {
  const names = [...new Set(lanes.flatMap((l) => Object.keys(l.histograms)))];
  return names.map((name) => {
    const [metric, help] = LATENCY_NAMES[name] ?? [`hotlane_${snakeCase(name)}_seconds`, `Stage "${name}".`];
    const holders = lanes.filter((l) => l.histograms[name] !== undefined);
    const samples = holders.map((l) => histogramSample(l.histograms[name]!, { lane: l.lane }));
    return { name: metric, help, type: "histogram", samples };
  });
}
