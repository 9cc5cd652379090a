// Main's ends of the rings: commands to EXECUTION, its answers, notices from every lane. A command is answered by a
// ControlReply with its id, over a ring that cannot overflow; notices may be lost. Cold.
import { bootNs, monotonicNs } from "../../ffi/host.ts";
import { type Clock, SessionClock } from "../core/clock.ts";
import { NO_SLOT, type RecordHandler, RecordMemory } from "../core/record.ts";
import { type Notice, NoticeReader } from "../lane/notices.ts";
import { TextBuffer, textRecords, writeTextRecords } from "../lane/text-run.ts";
import { openArena } from "../ring/arena.ts";
import { Doorbell } from "../ring/doorbell.ts";
import { RingConsumer, RingProducer } from "../ring/spsc-ring.ts";
import { CONTROL_SHUTDOWN } from "../wire/codes.ts";
import {
  ControlReply,
  encodeControl,
  FLAG_END_OF_EVENT,
  FLAG_MORE,
  SCHEMA_VERSION,
} from "../wire/messages.gen.ts";
import type { LaneStart } from "./lane-protocol.ts";
import { LANE_NAMES } from "./layout.ts";

export interface Command {
  /** CONTROL_… */
  readonly code: number;
  /** Strategy id, 0 = all. */
  readonly target: number;
  readonly arg0?: number;
  readonly arg1?: number;
  /** Who and why; journalled with the command. */
  readonly text: string;
}

export interface CommandReply {
  /** 0 = done. */
  readonly result: number;
  /** STRATEGY_… */
  readonly state: number;
  readonly arg0: number;
  readonly arg1: number;
}

export interface LaneNotice {
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly lane: string;
  readonly text: string;
}

const DRAIN_LIMIT = 4096;
const LEVELS = [
  [60, "fatal"],
  [50, "error"],
  [40, "warn"],
  [30, "info"],
] as const;

export class MainLink {
  readonly memory: RecordMemory;
  readonly clock: Clock;
  /** Session base, ns since the epoch. */
  readonly baseNs: bigint;
  private readonly start: LaneStart;
  private readonly control: RingProducer;
  private readonly replies: RingConsumer;
  private readonly replyHandler: RecordHandler;
  private readonly notices: readonly { readonly consumer: RingConsumer; readonly reader: NoticeReader }[];
  private readonly waiting = new Map<number, (reply: CommandReply) => void>();
  private readonly observers: RecordHandler[] = [];
  private readonly listeners: ((notice: LaneNotice) => void)[] = [];
  private readonly text = new TextBuffer();
  private lastCommand = 0;

  constructor(start: LaneStart) {
    this.start = start;
    this.memory = new RecordMemory(start.arena);
    const base = openArena(start.arena, SCHEMA_VERSION);
    this.clock = new SessionClock(base, bootNs);
    this.baseNs = base.baseNs;
    const lane = start.roleLanes.execution;
    const bell = start.parks[lane] ? new Doorbell(start.arena, start.layout.doorbells[lane]!) : null;
    this.control = new RingProducer(this.memory, start.layout.rings.control, bell);
    this.replies = new RingConsumer(this.memory, start.layout.rings.replies);
    const reply = new ControlReply(this.memory);
    this.replyHandler = { onRecord: (m, at) => this.onReply(reply.wrap(m, at)) };
    const others: RecordHandler = {
      onRecord: (m, at) => {
        for (const observer of this.observers) observer.onRecord(m, at);
      },
    };
    this.notices = Object.entries(start.layout.rings.notices).map(([name, ring]) => ({
      consumer: new RingConsumer(this.memory, ring),
      reader: new NoticeReader((notice) => this.onLine(name, notice), others),
    }));
  }

  /** The clock of heartbeats. */
  monotonicNs(): number {
    return monotonicNs();
  }

  /** Log lines of lanes. */
  onNotice(listener: (notice: LaneNotice) => void): void {
    this.listeners.push(listener);
  }

  /** Copies of order records, as lanes send them to main. */
  observe(handler: RecordHandler): void {
    this.observers.push(handler);
  }

  /** Reads what the lanes have sent; called by the supervisor's tick. */
  drain(): void {
    while (this.replies.drain(this.replyHandler, DRAIN_LIMIT) > 0);
    for (const { consumer, reader } of this.notices) while (consumer.drain(reader, DRAIN_LIMIT) > 0);
  }

  /** Rings every lane's doorbell: the stop word is set, or something is urgent. */
  wakeAll(): void {
    for (const offset of Object.values(this.start.layout.doorbells))
      new Doorbell(this.start.arena, offset).wake();
  }

  /** Resolves with the lane's answer; null when it did not come in time or the ring is full. */
  send(command: Command, timeoutMs: number): Promise<CommandReply | null> {
    const id = ++this.lastCommand;
    if (!this.encode(command, id)) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<CommandReply | null>();
    const timer = setTimeout(() => {
      this.waiting.delete(id);
      resolve(null);
    }, timeoutMs);
    this.waiting.set(id, (reply) => {
      clearTimeout(timer);
      resolve(reply);
    });
    return promise;
  }

  /**
   * Asks EXECUTION to end: no quotes, everything cancelled and confirmed; with `keep` working orders stay and
   * only requests under way are waited for. False when it did not confirm.
   */
  async shutdown(timeoutMs: number, keep: boolean): Promise<boolean> {
    const command = { code: CONTROL_SHUTDOWN, target: 0, arg0: keep ? 1 : 0, text: "shutdown" };
    const reply = await this.send(command, timeoutMs);
    return reply !== null && reply.result === 0;
  }

  private encode(command: Command, id: number): boolean {
    // What bounds the ring of answers.
    this.drain();
    this.text.set(command.text);
    const length = this.text.length;
    if (!this.control.hasRoom(1 + textRecords(length))) return false;
    const now = this.clock.nowNs();
    const at = this.control.tryClaim();
    if (at === NO_SLOT) return false;
    const flags = length > 0 ? FLAG_MORE : FLAG_END_OF_EVENT;
    const { code, target, arg0 = 0, arg1 = 0 } = command;
    encodeControl(this.memory, at, flags, 0, target, id, 0, 0, now, code, id, target, length, arg0, arg1);
    this.control.commit();
    writeTextRecords(this.control, this.text.bytes, length, id, now);
    this.control.publish();
    return true;
  }

  private onReply(reply: ControlReply): void {
    const waiter = this.waiting.get(reply.commandId);
    if (waiter === undefined) return;
    this.waiting.delete(reply.commandId);
    waiter({ result: reply.result, state: reply.state, arg0: reply.arg0, arg1: reply.arg1 });
  }

  private onLine(name: string, notice: Notice): void {
    const lane = (LANE_NAMES as readonly string[]).includes(name) ? name : "lane";
    const level = LEVELS.find(([least]) => notice.level >= least)?.[1] ?? "debug";
    for (const listener of this.listeners) listener({ level, lane, text: notice.text });
  }
}
