// The running system: from validated settings to lanes that trade, and back to an account without orders.
// `new LiveEngine(settings, hooks).start() / stop()` can be embedded in a user's own program. Cold: main.
//
//   start: lock, kill word, venue, instruments, WAL recovery, plan, arena, lanes (built and warm), go
//   stop:  EXECUTION stops quoting, cancels, confirms → main proves it at the venue → stop word → summary
import { existsSync } from "node:fs";
import { join } from "node:path";
import { lockMemory, monotonicNs, readClocks } from "../../ffi/host.ts";
import { baseOfDayNs } from "../core/clock.ts";
import { type DataDirLock, lockDataDir } from "../journal/lock-file.ts";
import { type Recovery, recoverWal } from "../journal/recovery.ts";
import { readManifests, type SessionManifest, writeManifest } from "../journal/session-manifest.ts";
import { confineProcess, keepSweeping } from "../lane/pinning.ts";
import { Supervision } from "../lane/supervision.ts";
import type { Instrument } from "../market/instrument.ts";
import { HOUSE_NAME } from "../order/ledger.ts";
import { type ArenaMap, createArena, STOP_WORD_I32, WRITER_STOP_WORD_I32 } from "../ring/arena.ts";
import { type KillWord, openKillWord } from "../risk/kill-word.ts";
import type { VenueOrder } from "../venue/contract.ts";
import { KILL_ARMED, KILL_KILLED } from "../wire/codes.ts";
import { SCHEMA_VERSION } from "../wire/messages.gen.ts";
import { DeadManSwitch } from "./dead-man.ts";
import { cancelEarlierOrders, type EarlierOrdersOptions } from "./earlier-orders.ts";
import { type CancelAccount, type CancelReport, EmergencyCanceller } from "./emergency-cancel.ts";
import { EngineError } from "./engine-error.ts";
import { type EnginePlan, planEngine } from "./engine-plan.ts";
import { EngineView } from "./engine-view.ts";
import { type KeptRule, keptRule } from "./kept-orders.ts";
import { type Lane, type LaneEvents, LaneHandle } from "./lane-handle.ts";
import type { LaneStart } from "./lane-protocol.ts";
import { LATENCY_STAGES } from "./latency-journal.ts";
import { STREAM_NAMES } from "./layout.ts";
import { briefLiveTrading } from "./live-briefing.ts";
import { MainLink } from "./main-link.ts";
import { restoredState } from "./recovered.ts";
import { replaySetup } from "./replay-setup.ts";
import { newSession } from "./session.ts";
import type { EngineSettings } from "./settings.ts";
import { assetsOf } from "./strategy-plan.ts";
import type { SessionSummary } from "./summary.ts";
import { Supervisor } from "./supervisor.ts";
import { openVenue, resolveInstruments, type VenueAccess } from "./venue-access.ts";
import { walDir } from "./writer-lane.ts";

/** Structured log lines; `fields` never holds a secret. */
export type EngineLog = (
  level: "debug" | "info" | "warn" | "error" | "fatal",
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface EngineHooks {
  readonly log: EngineLog;
  /** The engine cannot go on: a lane died, main must end the process after stop(). */
  readonly onFailure: (reason: string) => void;
  /** Absolute paths of the package's own files. */
  readonly venueEntry: string;
  readonly workersDir: string;
  /** Where a lane runs; by default in a worker of its own. */
  readonly makeLane?: (start: LaneStart, entry: string, events: LaneEvents) => Lane;
}

const EXIT_FAILED = 1;
const READY_MS = 120_000;
const LANE_END_MS = 5_000;
const KILL_CANCEL_MS = 60_000;
const EARLIER_ORDERS_MS = 10_000;
const LATE_MARGIN_MS = 2_000;

export class LiveEngine {
  readonly settings: EngineSettings;
  private readonly hooks: EngineHooks;
  private lock: DataDirLock | null = null;
  private venue: VenueAccess | null = null;
  private canceller: EmergencyCanceller | null = null;
  private supervisor: Supervisor | null = null;
  private supervision: Supervision | null = null;
  private deadMan: DeadManSwitch | null = null;
  private lanes: Lane[] = [];
  private stopSweeping: (() => void) | null = null;
  private arenaWords: Int32Array | null = null;
  private startedNs = 0;
  private failure = "";
  private stopping = false;
  private lateLook: ReturnType<typeof setTimeout> | null = null;
  private manifest: SessionManifest | null = null;
  private killWordOf: KillWord | null = null;
  private linkOf: MainLink | null = null;
  private viewOf: EngineView | null = null;

  constructor(settings: EngineSettings, hooks: EngineHooks) {
    this.settings = settings;
    this.hooks = hooks;
  }

  /** What the engine shows; after start(). */
  get view(): EngineView {
    return required(this.viewOf);
  }

  get killWord(): KillWord {
    return required(this.killWordOf);
  }

  /** Commands to EXECUTION; after start(). */
  get link(): MainLink {
    return required(this.linkOf);
  }

  /** Throws EngineError in an operator's words; everything started so far is stopped again. */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  private async open(): Promise<void> {
    const { settings, hooks } = this;
    const { dataDir } = settings.engine;
    this.lock = takeLock(dataDir);
    this.killWordOf = saidPlainly(() => openKillWord(dataDir), EXIT_FAILED);
    refuseLatched(this.killWord, settings.env, dataDir);
    this.venue = await openVenue(settings, hooks.venueEntry);
    this.venue.process?.exited.then((code) => this.onVenueGone(code));
    const isPaper = settings.env === "paper";
    this.canceller = new EmergencyCanceller(isPaper ? this.paperOrders() : this.venue.rest);
    const instruments = await resolveInstruments(this.venue, settings);
    const earlier = earlierSessions(dataDir);
    const kept = isPaper ? [] : await this.cancelEarlier(earlier);
    const recovery = this.recover(dataDir);
    const plan = await planEngine(settings, instruments);
    for (const note of plan.placement.notes) hooks.log("warn", note);
    const starts = await this.laneStarts(plan, instruments, recovery, { sessions: earlier, kept });
    this.linkOf = new MainLink(starts[0]!);
    this.supervision = new Supervision(starts[0]!.arena);
    this.viewOf = new EngineView(starts[0]!, plan, this.linkOf);
    this.linkOf.onNotice((notice) => hooks.log(notice.level, notice.text, { lane: notice.lane }));
    this.supervisor = this.makeSupervisor();
    await this.startLanes(starts, plan);
  }

  private recover(dataDir: string): Recovery {
    const recovery = recoverWal(walDir(dataDir));
    for (const problem of recovery.problems) this.hooks.log("warn", "WAL recovery", { problem });
    const { checkpointProblem: problem } = recovery;
    if (problem !== "")
      this.hooks.log("warn", `WAL: read whole, for its checkpoint is of no use: ${problem}`);
    for (const cut of recovery.cuts) this.hooks.log("warn", "WAL: torn tail cut", { cut });
    return recovery;
  }

  /**
   * Now, and once more when a request that a killed session had under way can no longer be accepted. Returns those
   * that the session before has kept for this one.
   */
  private async cancelEarlier(earlier: readonly SessionManifest[]): Promise<readonly VenueOrder[]> {
    const { rest, settings } = required(this.venue);
    const nonces = new Set(earlier.map((s) => `${s.nonceHi}:${s.nonceLo}`));
    const run = (foreign: EarlierOrdersOptions["foreign"], isKept: KeptRule) =>
      cancelEarlierOrders({
        openOrders: (symbol) => rest.openOrders(symbol),
        cancel: (symbol, origClientOrderId) => rest.orderRequest("DELETE", { symbol, origClientOrderId }),
        cancelAll: (symbol) => rest.cancelAll(symbol),
        isOurs: (id) => nonces.has(`${id.nonceHi}:${id.nonceLo}`),
        isKept,
        symbols: this.settings.instruments.map((i) => i.symbol),
        foreign,
        deadlineMs: EARLIER_ORDERS_MS,
        log: this.hooks.log,
      });
    const { kept } = await run(settings.foreignOrders, keptRule(earlier, this.settings.strategies));
    if (earlier.length === 0) return kept;
    const keptIds = new Set(kept.map((order) => order.orderId));
    this.lateLook = setTimeout(() => {
      run("ignore", (order) => keptIds.has(order.orderId)).catch((error: Error) =>
        this.hooks.log("error", error.message),
      );
    }, this.settings.venue.recvWindowMs + LATE_MARGIN_MS);
    return kept;
  }

  private async laneStarts(
    plan: EnginePlan,
    instruments: readonly Instrument[],
    recovery: Recovery,
    earlier: { readonly sessions: readonly SessionManifest[]; readonly kept: readonly VenueOrder[] },
  ): Promise<LaneStart[]> {
    const clocks = readClocks();
    const nowNs = clocks.realtimeNs;
    const session = newSession(nowNs, (words) => crypto.getRandomValues(words));
    const arena = createArena(plan.layout.arena, SCHEMA_VERSION, nowNs, clocks.bootNs);
    this.arenaWords = new Int32Array(arena);
    this.hooks.log("info", `shared memory: ${arenaText(plan.layout.arena)}`);
    const { placement, layout } = plan;
    const settings: EngineSettings = { ...this.settings, venue: required(this.venue).settings };
    const assets = assetsOf(instruments);
    const restored = restoredState(recovery, instruments, plan.strategies, earlier.sessions, {
      kept: earlier.kept,
      assets,
      baseNs: baseOfDayNs(nowNs),
      rearmedUnixMs: this.killWord.view().sinceUnixMs,
    });
    this.manifest = {
      session: session.text,
      env: settings.env,
      schemaVersion: SCHEMA_VERSION,
      baseNs: String(baseOfDayNs(nowNs)),
      createdUnixNs: String(nowNs),
      nonceLo: session.nonceLo,
      nonceHi: session.nonceHi,
      instruments,
      assets,
      strategies: [HOUSE_NAME, ...plan.strategies.map((s) => s.name)],
      streams: Object.fromEntries(STREAM_NAMES.map((name, id) => [String(id), name]).slice(1)),
      latencyStages: LATENCY_STAGES,
      replay: await replaySetup(settings, plan, assets, restored),
    };
    writeManifest(walDir(settings.engine.dataDir), this.manifest);
    const shared = {
      arena,
      layout,
      settings,
      instruments,
      assets,
      requestLimits: required(this.venue).rest.budget.limits,
      session,
      graphs: plan.graphs,
      registry: plan.registry,
      checkpoint: plan.checkpoint,
      strategies: plan.strategies,
      subscriptions: plan.subscriptions,
      marketTimerNs: plan.marketTimerNs,
      walPosition: recovery.endPosition,
      restored,
      parks: Object.fromEntries(placement.lanes.map((lane) => [lane.name, lane.wait === "park"])),
      roleLanes: Object.fromEntries(
        placement.lanes.flatMap((lane) => lane.agents.map((role) => [role, lane.name])),
      ) as LaneStart["roleLanes"],
    };
    return placement.lanes.map((lane, laneNumber) => ({ ...shared, placement: lane, laneNumber }));
  }

  private async startLanes(starts: readonly LaneStart[], plan: EnginePlan): Promise<void> {
    const { hooks } = this;
    const pinned = starts.some((s) => s.placement.cpu >= 0);
    if (pinned) confineProcess(plan.placement.housekeeping);
    const tids = new Set<number>();
    const events = {
      onPinned: (lane: string, tid: number, error: string | null) => {
        tids.add(tid);
        if (error !== null) hooks.log("warn", `lane ${lane} is not pinned: ${error}`);
      },
      onFailed: (lane: string, reason: string) => this.onLaneDead(lane, reason),
    };
    const makeLane = hooks.makeLane ?? ((start, entry, to) => new LaneHandle(start, entry, to));
    this.lanes = starts.map((start) =>
      makeLane(start, join(hooks.workersDir, `${start.placement.name}.ts`), events),
    );
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error(`the lanes were not ready within ${READY_MS / 1000} s`));
    }, READY_MS);
    await Promise.race([Promise.all(this.lanes.map((lane) => lane.ready)), late.promise])
      .catch((error: Error) => {
        throw new EngineError(withoutStack(error.message), EXIT_FAILED);
      })
      .finally(() => clearTimeout(timer));
    this.startedNs = monotonicNs();
    required(this.supervisor).start();
    await this.armDeadMan();
    if (this.settings.env === "live")
      await briefLiveTrading(required(this.venue).rest, this.settings, hooks.log);
    // Consumers first, so that no producer meets a sleeping beginner.
    for (const lane of [...this.lanes].reverse()) lane.go();
    if (pinned) {
      this.stopSweeping = keepSweeping(tids, plan.placement.housekeeping, (report) => {
        for (const error of report.errors) hooks.log("warn", `thread sweep: ${error}`);
      });
      const locked = lockMemory();
      if (!locked.ok) hooks.log("warn", `memory is not locked: ${locked.error}`);
    }
  }

  /** Before the first order can leave: the venue must know what to do when it stops hearing from us. */
  private async armDeadMan(): Promise<void> {
    const symbols = this.settings.instruments.map((i) => i.symbol);
    const { rest, settings } = required(this.venue);
    const { clock } = this.link;
    const supervision = required(this.supervision);
    this.deadMan = new DeadManSwitch({
      account: rest,
      symbols,
      // A paper order ends with this process.
      countdownMs: this.settings.env === "paper" ? 0 : settings.deadManMs,
      log: this.hooks.log,
      nowNs: () => clock.nowNs(),
      onGuarded: (untilNs) => supervision.guard(untilNs),
    });
    await this.deadMan.start();
  }

  private makeSupervisor(): Supervisor {
    const { hooks, settings } = this;
    const { clock } = this.link;
    const supervision = required(this.supervision);
    return new Supervisor(
      {
        beat: () => supervision.beat(clock.nowNs()),
        killWord: () => this.killWord.load(),
        onKill: (word) => this.onKillWord(word),
        drainNotices: () => this.link.drain(),
        vitals: () => this.view.vitals(),
        onStall: (lane, ageMs) => this.onLaneDead(lane, `no heartbeat for ${Math.round(ageMs)} ms`),
        onMainStall: (ms) => {
          hooks.log("warn", `main was held up for ${Math.round(ms)} ms`);
          this.deadMan?.renewNow();
        },
      },
      settings.engine.stallMs,
    );
  }

  private onKillWord(word: number): void {
    if (word === KILL_ARMED) {
      this.hooks.log("warn", "kill word rearmed");
      return;
    }
    this.hooks.log("error", "kill word is set: cancelling everything", {
      reason: this.killWord.view().reason,
    });
    void this.cancelEverything(KILL_CANCEL_MS).then((report) => {
      const level = report.proven ? "warn" : "fatal";
      this.hooks.log(level, report.proven ? "no order is open at the venue" : "orders may be working", {
        ...report,
      });
    });
  }

  /** A lane that is dead or stalled: nobody may trade on what it leaves behind. */
  private onLaneDead(lane: string, reason: string): void {
    // Before the start nothing trades: start() says what is wrong, and the next one must not begin killed.
    if (this.stopping || this.startedNs === 0) return;
    this.failure = `lane ${lane}: ${reason}`;
    this.hooks.log("fatal", this.failure);
    this.killWord.latch(KILL_KILLED, this.failure.slice(0, 200), Date.now());
    this.hooks.onFailure(this.failure);
  }

  /** The child venue of `--env sim` ended by itself: there is nothing left to trade against. */
  private onVenueGone(code: number): void {
    if (this.stopping) return;
    this.hooks.log("fatal", `the simulated venue ended (exit code ${code})`);
    this.hooks.onFailure("the simulated venue ended");
  }

  /** Over main's own connection, until the venue shows no open order twice. */
  cancelEverything(deadlineMs: number): Promise<CancelReport> {
    return required(this.canceller).cancelUntilEmpty({
      symbols: this.settings.instruments.map((i) => i.symbol),
      deadlineMs,
      inFlight: () => this.inFlight(),
    });
  }

  /** Paper orders live in EXECUTION and nowhere else: it cancels them itself, and they end with it. */
  private paperOrders(): CancelAccount {
    return {
      cancelAll: async () => ({ ok: true, value: null }),
      openOrders: async () => ({ ok: true, value: new Array(this.workingOrders()).fill(null) }),
    };
  }

  private workingOrders(): number {
    if (this.failure !== "" || this.viewOf === null) return 0;
    this.viewOf.refresh();
    return this.viewOf.execution.account().workingOrders;
  }

  private inFlight(): number {
    if (this.failure !== "" || this.viewOf === null) return 0;
    this.viewOf.refresh();
    return this.viewOf.execution.account().inFlight;
  }

  /**
   * Ends the session. `keep` leaves working orders at the venue. Returns the summary and whether the venue
   * was seen without open orders; never throws.
   */
  async stop(keep = false): Promise<{ readonly summary: SessionSummary; readonly proven: boolean }> {
    this.stopping = true;
    const { hooks, settings } = this;
    let end = this.failure === "" ? "clean" : this.failure;
    let proven = keep;
    const quiet = this.failure === "" && (await this.link.shutdown(settings.engine.shutdownMs, keep));
    if (keep) this.keepOrders();
    else {
      if (!quiet) hooks.log("warn", "EXECUTION did not confirm: main cancels");
      const report = await this.cancelEverything(settings.engine.shutdownMs);
      proven = report.proven;
      if (!proven) end = `orders may be working: ${report.error}`;
    }
    await this.endDeadMan(keep, proven);
    await this.endLanes();
    this.link.drain();
    this.view.refresh();
    const durationS = (monotonicNs() - this.startedNs) / 1e9;
    const summary = this.view.summary(durationS, end);
    await this.abandon();
    return { summary, proven };
  }

  private keepOrders(): void {
    const { log } = this.hooks;
    writeManifest(walDir(this.settings.engine.dataDir), { ...required(this.manifest), ordersKept: true });
    log(
      "warn",
      "working orders stay at the venue; the next start on this data directory goes on with those of its strategies and cancels the others",
    );
  }

  /** An end that could not be proven leaves the switch armed: the venue then does what we could not. */
  private async endDeadMan(keep: boolean, proven: boolean): Promise<void> {
    if (this.deadMan === null) return;
    if (!proven) this.deadMan.stopRenewing();
    else if ((await this.deadMan.disarm()) && keep)
      this.hooks.log("warn", "working orders stay at the venue; its dead-man's switch is disarmed");
  }

  private async endLanes(): Promise<void> {
    if (this.arenaWords === null) return;
    // The writer ends last: it must drain what the others leave.
    const writer = this.lanes.filter((lane) => lane.name === "writer");
    const others = this.lanes.filter((lane) => lane.name !== "writer");
    for (const [group, word] of [
      [others, STOP_WORD_I32],
      [writer, WRITER_STOP_WORD_I32],
    ] as const) {
      Atomics.store(this.arenaWords, word, 1);
      this.link.wakeAll();
      const ended = Promise.all(group.map((lane) => lane.done)).then(() => true);
      if (!(await Promise.race([ended, Bun.sleep(LANE_END_MS).then(() => false)]))) {
        this.hooks.log("error", "a lane did not end in time: terminated");
        for (const lane of group) lane.terminate();
      }
    }
  }

  private async abandon(): Promise<void> {
    this.stopping = true;
    if (this.lateLook !== null) clearTimeout(this.lateLook);
    this.stopSweeping?.();
    this.supervisor?.stop();
    this.deadMan?.stopRenewing();
    for (const lane of this.lanes) lane.terminate();
    this.lanes = [];
    await this.venue?.process?.stop();
    this.lock?.release();
    this.lock = null;
  }
}

/** Settlement assets first, then what fees may be paid in. */
function required<T>(value: T | null): T {
  if (value === null) throw new EngineError("the engine is not started", 1);
  return value;
}

/** Of this data directory; their orders and fills are ours to account for. */
function earlierSessions(dataDir: string): SessionManifest[] {
  const dir = walDir(dataDir);
  return existsSync(dir) ? [...readManifests(dir).bySession.values()] : [];
}

const withoutStack = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !/^\s+at /.test(line))
    .join("\n");

/** What a person must change, without a stack. */
function saidPlainly<T>(action: () => T, exitCode: number): T {
  try {
    return action();
  } catch (error) {
    throw new EngineError((error as Error).message, exitCode);
  }
}

function takeLock(dataDir: string): DataDirLock {
  const result = lockDataDir(dataDir);
  if (!result.ok) throw new EngineError(result.error, 1);
  return result.lock;
}

function refuseLatched(word: KillWord, env: string, dataDir: string): void {
  const view = word.view();
  if (view.state === KILL_ARMED) return;
  const since = view.sinceUnixMs > 0 ? ` since ${new Date(view.sinceUnixMs).toISOString()}` : "";
  throw new EngineError(
    `the kill word is set${since} (${view.reason}): nothing trades until it is rearmed\n  bun run ctl rearm --env ${env} --data-dir ${dataDir}`,
    1,
  );
}

/** Whole size and the largest regions, MiB. */
function arenaText(map: ArenaMap): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const large = map.regions.filter((region) => region.bytes > 2 ** 19);
  return `${mib(map.bytes)} MiB (${large.map((region) => `${region.name} ${mib(region.bytes)}`).join(", ")})`;
}
