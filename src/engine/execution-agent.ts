// EXECUTION's round: commands, kill word, FACTOR's records, the lane's own timer, the gateway's timers. What is
// observed here (commands, kill word, timer) enters logic only as records through the journaling pipe.
// Hot; execution lane; 0 bytes per round.
import { copyRecord, NO_SLOT, type RecordHandler, type RecordSink } from "../core/record.ts";
import type { Agent } from "../lane/agent.ts";
import type { JournalSink } from "../lane/journal-sink.ts";
import type { Supervision } from "../lane/supervision.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import type { KillWordReader } from "../risk/kill-word.ts";
import {
  OBSERVED_DEAD_MAN,
  OBSERVED_KILL_WORD,
  OBSERVED_RATE_BUDGET,
  OBSERVED_SUSPENSION,
} from "../wire/codes.ts";
import { encodeObservation, encodeTimer, FLAG_END_OF_EVENT } from "../wire/messages.gen.ts";
import type { ExecutionGateway } from "./execution-gateway.ts";
import type { ReplyTap } from "./reply-tap.ts";
import { COUNTERS } from "./telemetry-names.ts";

/** The lane's own Timer. */
export const EXECUTION_TIMER_ID = 1;
const DRAIN_LIMIT = 512;
const FIGURES_EVERY_NS = 20e6;
/** From here on down the venue's own count of orders left is told to the gate, and holds so long. */
const FEW_ORDERS_LEFT = 64;
const BUDGET_HOLDS_NS = 500e6;

export interface ExecutionAgentParts {
  /** FACTOR's records, or null when FACTOR shares the lane. */
  readonly signals: RingConsumer | null;
  readonly control: RingConsumer;
  readonly handler: RecordHandler;
  /** The journaling pipe to the handler. */
  readonly observed: RecordSink;
  readonly orders: JournalSink;
  readonly telemetry: JournalSink;
  readonly killWord: KillWordReader;
  /** Main's signs of life; null where nobody supervises (tests, warm-up). */
  readonly supervision: Supervision | null;
  /** Main silent, or this lane not run, for longer than this. */
  readonly stallNs: number;
  readonly suspensionNs: number;
  /** Main is dead or stuck: `ageNs` since its last sign. Called once per silence. */
  readonly onMainSilent: (ageNs: number) => void;
  readonly timerNs: number;
  readonly nowNs: () => number;
  readonly pollGateway: (nowNs: number) => number;
  /** What the venue says of its limits; null where there is none. */
  readonly venueLimits: Pick<ExecutionGateway, "ordersLeft" | "blockedUntilNs"> | null;
  readonly onStart: () => void;
  readonly onClose: () => void;
  readonly writeBoard: () => void;
  /** Slots of the lane's counters. */
  readonly counters: Float64Array;
  readonly reconnects: () => number;
  /** Log lines and display copies that found no room. */
  readonly noticesLost: () => number;
  /** Answers to commands: main sees them with the board that shows their effect. */
  readonly replies: ReplyTap;
}

export class ExecutionAgent implements Agent {
  readonly name = "execution";
  private readonly parts: ExecutionAgentParts;
  private readonly signals: RingConsumer | null;
  private lastKill: number;
  private nextTimerNs: number;
  private nextFiguresNs: number;
  private lastRoundNs: number;
  private mainGraceUntilNs: number;
  private mainSilent: boolean;
  private guarded: boolean;
  private budgetLeft: number;
  private budgetUntilNs: number;

  constructor(parts: ExecutionAgentParts) {
    this.parts = parts;
    this.signals = parts.signals;
    this.lastKill = 0;
    this.nextTimerNs = 0;
    this.nextFiguresNs = 0;
    this.lastRoundNs = 0;
    this.mainGraceUntilNs = 0;
    this.mainSilent = false;
    this.guarded = true;
    this.budgetLeft = Number.POSITIVE_INFINITY;
    this.budgetUntilNs = 0;
  }

  onStart(): void {
    this.parts.onStart();
  }

  doWork(): number {
    const nowNs = this.parts.nowNs();
    // Before anything that waits is read: it is as old as the gap.
    let work = this.observeSuspension(nowNs);
    work += this.drainControl() + this.observeKill(nowNs);
    if (nowNs >= this.nextTimerNs) work += this.superviseMain(nowNs) + this.observeBudget(nowNs);
    work += this.drainSignals();
    if (nowNs >= this.nextTimerNs) work += this.timer(nowNs);
    work += this.parts.pollGateway(nowNs);
    if (work > 0) this.parts.observed.publish();
    if (nowNs >= this.nextFiguresNs || this.parts.replies.waiting) this.copyFigures(nowNs);
    return work;
  }

  hasWork(): boolean {
    const { control } = this.parts;
    return control.availableNow() > 0 || (this.signals !== null && this.signals.availableNow() > 0);
  }

  onClose(): void {
    this.parts.onClose();
    this.parts.observed.publish();
    this.copyFigures(0);
  }

  private drainSignals(): number {
    return this.signals === null ? 0 : this.signals.drain(this.parts.handler, DRAIN_LIMIT);
  }

  /** Commands are journalled as they take effect: each record of the run is copied through the pipe. */
  private drainControl(): number {
    const { control, observed } = this.parts;
    const count = control.available();
    for (let i = 0; i < count; i++) {
      const at = observed.tryClaim();
      if (at === NO_SLOT) break;
      copyRecord(control.memory, control.offsetOf(i), observed.memory, at);
      observed.commit();
    }
    if (count > 0) control.release(count);
    return count;
  }

  private observeKill(nowNs: number): number {
    const word = this.parts.killWord.load();
    if (word === this.lastKill || !this.observe(OBSERVED_KILL_WORD, word, nowNs)) return 0;
    this.lastKill = word;
    return 1;
  }

  private observeSuspension(nowNs: number): number {
    const gapNs = nowNs - this.lastRoundNs;
    const first = this.lastRoundNs === 0;
    this.lastRoundNs = nowNs;
    if (first || gapNs <= this.parts.suspensionNs) return 0;
    // Main was held up as well, perhaps: it has as long as ever to show itself.
    this.mainGraceUntilNs = nowNs + this.parts.stallNs;
    this.observe(OBSERVED_SUSPENSION, gapNs, nowNs);
    return 1;
  }

  /** At each timer: a main that is stuck cannot renew the dead-man's switch, nor cancel in an emergency. */
  private superviseMain(nowNs: number): number {
    const { supervision, stallNs } = this.parts;
    if (supervision === null) return 0;
    const guarded = nowNs < supervision.guardedUntilNs;
    let work = 0;
    if (guarded !== this.guarded && this.observe(OBSERVED_DEAD_MAN, guarded ? 1 : 0, nowNs)) {
      this.guarded = guarded;
      work = 1;
    }
    const ageNs = nowNs - supervision.beatNs;
    const silent = ageNs > stallNs && nowNs > this.mainGraceUntilNs;
    if (silent && !this.mainSilent) this.parts.onMainSilent(ageNs);
    this.mainSilent = silent;
    return work;
  }

  /** The venue's limits, while they are near: a ban until it ends, few orders left for half a second at a time. */
  private observeBudget(nowNs: number): number {
    const limits = this.parts.venueLimits;
    if (limits === null) return 0;
    const banned = limits.blockedUntilNs > nowNs;
    const left = banned ? 0 : limits.ordersLeft;
    if (left >= FEW_ORDERS_LEFT) return 0;
    const untilNs = banned ? limits.blockedUntilNs : nowNs + BUDGET_HOLDS_NS;
    const known = nowNs < this.budgetUntilNs && left >= this.budgetLeft;
    if (known && !(banned && untilNs > this.budgetUntilNs)) return 0;
    if (!this.observe(OBSERVED_RATE_BUDGET, left, nowNs, untilNs)) return 0;
    this.budgetLeft = left;
    this.budgetUntilNs = untilNs;
    return 1;
  }

  /** False: the journal has no room now; the caller tries again. */
  private observe(code: number, value: number, nowNs: number, value1 = 0): boolean {
    const { observed } = this.parts;
    const at = observed.tryClaim();
    if (at === NO_SLOT) return false;
    encodeObservation(observed.memory, at, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, nowNs, code, value, value1, 0);
    observed.commit();
    return true;
  }

  private timer(nowNs: number): number {
    const { observed, timerNs } = this.parts;
    const scheduledNs = this.nextTimerNs === 0 ? nowNs : this.nextTimerNs;
    this.nextTimerNs = (Math.floor(nowNs / timerNs) + 1) * timerNs;
    const at = observed.tryClaim();
    if (at === NO_SLOT) return 0;
    encodeTimer(
      observed.memory,
      at,
      FLAG_END_OF_EVENT,
      0,
      0,
      0,
      0,
      0,
      nowNs,
      EXECUTION_TIMER_ID,
      timerNs,
      scheduledNs,
    );
    observed.commit();
    return 1;
  }

  private copyFigures(nowNs: number): void {
    this.nextFiguresNs = nowNs + FIGURES_EVERY_NS;
    const { counters, orders, telemetry } = this.parts;
    counters[COUNTERS.execution.indexOf("ordersLost")] = orders.lost;
    counters[COUNTERS.execution.indexOf("telemetryLost")] = telemetry.lost;
    counters[COUNTERS.execution.indexOf("noticesLost")] = this.parts.noticesLost();
    counters[COUNTERS.execution.indexOf("repliesLost")] = this.parts.replies.lost;
    counters[COUNTERS.execution.indexOf("reconnects")] = this.parts.reconnects();
    this.parts.writeBoard();
    this.parts.replies.publishAnswers();
  }
}
