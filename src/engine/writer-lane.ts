// WRITER: drains the journal rings into the WAL. The orders ring comes first: it must never fill.
import { join } from "node:path";
import { JournalAgent } from "../journal/journal-agent.ts";
import { WAL_PAUSED, WalWriter } from "../journal/wal-writer.ts";
import type { Agent } from "../lane/agent.ts";
import { LOG_ERROR, LOG_INFO } from "../wire/codes.ts";
import { withCheckpoints } from "./factor-checkpoint.ts";
import type { LaneAgents, LaneContext } from "./lane-host.ts";
import { LatencyJournal } from "./latency-journal.ts";
import { STREAM_MARKET, STREAM_METRICS, STREAM_ORDERS, STREAM_TELEMETRY } from "./layout.ts";
import { COUNTERS } from "./telemetry-names.ts";

export const walDir = (dataDir: string): string => join(dataDir, "wal");

/** Smallest sleep of the lane: fsync and retry timers. */
const WRITER_IDLE_MS = 20;
/** While records keep coming: they wait this long at most, and no hot lane pays for waking the writer. */
const WRITER_NAP_MS = 1;

export async function buildWriter(context: LaneContext): Promise<LaneAgents> {
  const { start, clock } = context;
  const { journal, engine } = start.settings;
  const dir = walDir(engine.dataDir);
  const writer = new WalWriter({
    dir,
    session: {
      name: start.session.text,
      nonceLo: start.session.nonceLo,
      nonceHi: start.session.nonceHi,
      baseNs: BigInt(context.baseMs) * 1_000_000n,
    },
    startPosition: start.walPosition,
    segmentBytes: journal.segmentBytes,
    fsync: journal.fsync,
    fsyncIntervalMs: journal.fsyncIntervalMs,
    clock,
  });
  const { rings } = start.layout;
  const agent = new JournalAgent({
    writer,
    inputs: [
      { streamId: STREAM_ORDERS, consumer: context.consumer(rings.ordersJournal) },
      {
        streamId: STREAM_MARKET,
        consumer: context.consumer(rings.marketJournal),
        sheddable: true,
        packed: true,
      },
      { streamId: STREAM_TELEMETRY, consumer: context.consumer(rings.telemetryJournal), sheddable: true },
    ],
    source: new LatencyJournal(STREAM_METRICS, start.arena, start.layout.telemetry),
    clock,
    minFreeBytes: journal.minFreeBytes,
    dir,
  });
  const lane = {
    agents: [new WriterAgent(agent, writer, context)],
    ownsSocket: false,
    idleTimeoutMs: WRITER_IDLE_MS,
    napMs: WRITER_NAP_MS,
  };
  return withCheckpoints(lane, context);
}

/** The journal agent with its figures in the arena and its troubles in the log. */
class WriterAgent implements Agent {
  readonly name = "writer";
  private readonly agent: JournalAgent;
  private readonly writer: WalWriter;
  private readonly context: LaneContext;
  private readonly slots: Float64Array;
  private reported = "";
  private shedding = false;

  constructor(agent: JournalAgent, writer: WalWriter, context: LaneContext) {
    this.agent = agent;
    this.writer = writer;
    this.context = context;
    this.slots = context.telemetry("writer").counters;
  }

  onStart(): void {
    this.agent.onStart();
  }

  doWork(): number {
    const work = this.agent.doWork();
    this.copyFigures();
    return work;
  }

  hasWork(): boolean {
    return this.agent.hasWork();
  }

  onClose(): void {
    this.agent.onClose();
    this.copyFigures();
  }

  private copyFigures(): void {
    const s = this.writer.status;
    this.set("records", s.records);
    this.set("bytes", s.bytes);
    this.set("segments", s.segments);
    this.set("batches", s.batches);
    this.set("unackedWindowUs", this.agent.unackedWindowUsMax);
    this.set("failed", s.state === WAL_PAUSED ? 1 : 0);
    this.set("shed", this.agent.shedRecords);
    this.tellShedding();
    if (s.error === this.reported) return;
    this.reported = s.error;
    if (s.error !== "") this.context.log.log(LOG_ERROR, 0, `WAL paused: ${s.error}`);
    else this.context.log.log(LOG_INFO, 0, "WAL writes again");
  }

  /** What is given up for want of space counts as dropped and is said when it begins and ends. */
  private tellShedding(): void {
    if (this.agent.shedding === this.shedding) return;
    this.shedding = this.agent.shedding;
    const { log } = this.context;
    const { minFreeBytes } = this.context.start.settings.journal;
    if (this.shedding)
      log.log(
        LOG_ERROR,
        0,
        `disk low: below ${minFreeBytes} B free (journal.min_free_bytes) only orders are journalled`,
      );
    else log.log(LOG_INFO, 0, "disk has room again: market data is journalled");
  }

  private set(name: (typeof COUNTERS.writer)[number], value: number): void {
    this.slots[COUNTERS.writer.indexOf(name)] = value;
  }
}
