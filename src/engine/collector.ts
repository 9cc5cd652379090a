// `bun run collect`: market data of a venue into a write-ahead log and, period by period, into .npz files. The feed is the
// live one (decoder, book synchronisation, reconnects); nothing trades, no credential is read. One event loop: socket
// callbacks stage records, a timer writes them; the files are made by a worker (collect-export.ts) from the log, so that
// neither deflating nor a full disk for files holds up recording.
//
//   <dir>/wal/…  as a live session writes it      <dir>/npz/SYMBOL-20241121T100000Z.npz
import { join } from "node:path";
import { bootNs, realtimeNs } from "../../ffi/host.ts";
import { makeTimeBase, SessionClock } from "../core/clock.ts";
import { type DataDirLock, lockDataDir } from "../journal/lock-file.ts";
import { recoverWal } from "../journal/recovery.ts";
import { writeManifest } from "../journal/session-manifest.ts";
import { WAL_PAUSED, WalWriter } from "../journal/wal-writer.ts";
import type { Instrument } from "../market/instrument.ts";
import { BinanceMarketData, newFeedCounters } from "../venue/binance/market-data.ts";
import { BunWebSocketTransport } from "../venue/transport/bun-websocket.ts";
import { SCHEMA_VERSION } from "../wire/messages.gen.ts";
import type { ExportJob, ExportReply } from "./collect-export.ts";
import { CollectStaging } from "./collect-staging.ts";
import { EngineError } from "./engine-error.ts";
import { linkOptions } from "./feed-lane.ts";
import { STREAM_MARKET, STREAM_NAMES } from "./layout.ts";
import { newSession } from "./session.ts";
import type { EngineSettings } from "./settings.ts";
import { openMarketVenue, type VenueAccess } from "./venue-access.ts";
import { walDir } from "./writer-lane.ts";

export interface CollectorOptions {
  readonly settings: EngineSettings;
  readonly symbols: readonly string[];
  /** Files begin at multiples of this since the Unix epoch, ns. */
  readonly rotateNs: number;
  readonly log: (level: "info" | "warn" | "error", text: string) => void;
  /** src/cli/venue.ts, for `--env sim` without a URL. */
  readonly venueEntry: string;
  /** Folder of the worker entries. */
  readonly workersDir: string;
}

export interface CollectorSummary {
  readonly messages: number;
  readonly records: number;
  readonly gaps: number;
  readonly resyncs: number;
  /** Records that did not fit while the log could not be written. */
  readonly lost: number;
  readonly walBytes: number;
  readonly files: readonly string[];
}

/** Between two writes: 5 ms of market data wait in memory. */
const TURN_MS = 5;
const EXPORT_END_MS = 120_000;

export class Collector {
  private readonly options: CollectorOptions;
  private readonly staging = new CollectStaging();
  private readonly counters = newFeedCounters();
  private readonly files: string[] = [];
  private readonly startUnixNs = realtimeNs();
  private readonly clock = new SessionClock(makeTimeBase(this.startUnixNs, bootNs()), bootNs);
  private readonly baseNs = makeTimeBase(this.startUnixNs, 0).baseNs;
  private lock: DataDirLock | null = null;
  private venue: VenueAccess | null = null;
  private wal: WalWriter | null = null;
  private feed: BinanceMarketData | null = null;
  private exporter: Worker | null = null;
  private exports = 0;
  private exportsDone: (() => void) | null = null;
  private turn: ReturnType<typeof setInterval> | null = null;
  private nextFileNs = 0;
  private paused = false;
  private stopping = false;

  constructor(options: CollectorOptions) {
    this.options = options;
  }

  /** Throws EngineError in an operator's words; what was started is stopped again. */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private async open(): Promise<void> {
    const { settings, symbols, venueEntry } = this.options;
    const { dataDir } = settings.engine;
    const locked = lockDataDir(dataDir);
    if (!locked.ok) throw new EngineError(locked.error, 1);
    this.lock = locked.lock;
    this.venue = await openMarketVenue(settings, venueEntry);
    this.venue.process?.exited.then((code) => this.onVenueGone(code));
    const found = await this.venue.rest.instruments(symbols, 1);
    if (!found.ok) throw new EngineError(`instruments: ${found.message}`, found.status === 200 ? 2 : 1);
    this.openLog(found.value, dataDir);
    this.openExporter(dataDir);
    this.feed = this.openFeed(found.value, this.venue);
    this.nextFileNs = this.periodAfter(this.clock.nowNs());
    this.feed.start();
    this.turn = setInterval(() => this.onTurn(), TURN_MS);
  }

  private onVenueGone(code: number): void {
    if (!this.stopping)
      this.options.log("error", `the simulated venue ended (code ${code}): nothing more comes`);
  }

  private openLog(instruments: readonly Instrument[], dataDir: string): void {
    const { journal, env } = this.options.settings;
    const dir = walDir(dataDir);
    const recovery = recoverWal(dir);
    for (const problem of recovery.problems) this.options.log("warn", `WAL: ${problem.reason}`);
    const session = newSession(this.startUnixNs, (words) => crypto.getRandomValues(words));
    writeManifest(dir, {
      session: session.text,
      env,
      schemaVersion: SCHEMA_VERSION,
      baseNs: String(this.baseNs),
      createdUnixNs: String(this.startUnixNs),
      nonceLo: session.nonceLo,
      nonceHi: session.nonceHi,
      instruments,
      strategies: [],
      streams: { [STREAM_MARKET]: STREAM_NAMES[STREAM_MARKET] },
    });
    this.wal = new WalWriter({
      dir,
      session: {
        name: session.text,
        nonceLo: session.nonceLo,
        nonceHi: session.nonceHi,
        baseNs: this.baseNs,
      },
      startPosition: recovery.endPosition,
      segmentBytes: journal.segmentBytes,
      fsync: journal.fsync,
      fsyncIntervalMs: journal.fsyncIntervalMs,
      clock: this.clock,
    });
    if (!this.wal.open()) throw new EngineError(`the log cannot be written: ${this.wal.status.error}`, 1);
  }

  private openExporter(dataDir: string): void {
    const { symbols, log, workersDir } = this.options;
    const setup = { walDir: walDir(dataDir), outDir: join(dataDir, "npz"), symbols };
    this.exporter = new Worker(join(workersDir, "collect-export.ts"), { name: "collect-export" });
    this.exporter.onmessage = ({ data }: MessageEvent<ExportReply>) => {
      this.exports--;
      for (const { file, rows, shiftNs } of data.files) {
        this.files.push(file);
        log("info", `${file}: ${rows} rows`);
        if (shiftNs > 0)
          log("warn", `${file}: received before its exchange time: local times moved by ${shiftNs} ns`);
      }
      if (data.error !== "")
        log("error", `no file: ${data.error}; the log has the data (bun run data import wal)`);
      if (this.exports === 0) this.exportsDone?.();
    };
    this.exporter.onerror = (event) => {
      log("error", `the worker that writes files ended: ${event.message}; the log has the data`);
      this.exports = 0;
      this.exporter = null;
      this.exportsDone?.();
    };
    this.exporter.postMessage({ kind: "open", ...setup } satisfies ExportJob);
  }

  private openFeed(
    instruments: readonly Instrument[],
    { settings: venue, rest }: VenueAccess,
  ): BinanceMarketData {
    const { settings } = this.options;
    const nowNs = (): number => this.clock.nowNs();
    return new BinanceMarketData({
      instruments,
      publicUrl: venue.publicUrl,
      marketUrl: venue.marketUrl,
      sink: this.staging,
      baseMs: Number(this.baseNs / 1_000_000n),
      nowNs,
      connect: (handler) => new BunWebSocketTransport(handler, nowNs),
      snapshots: (symbol) => rest.depthSnapshot(symbol),
      link: linkOptions(settings, venue.heartbeatMs),
      timerNs: 0,
      seed: Number(this.startUnixNs % 4_294_967_296n),
      counters: this.counters,
      decodeTimes: null,
    });
  }

  /** Session time of the first file boundary after `nowNs`. */
  private periodAfter(nowNs: number): number {
    const period = BigInt(this.options.rotateNs);
    const unix = this.baseNs + BigInt(Math.round(nowNs));
    return Number((unix / period + 1n) * period - this.baseNs);
  }

  private onTurn(): void {
    const now = this.clock.nowNs();
    this.feed!.poll(now);
    this.staging.drainInto(this.wal!, STREAM_MARKET);
    this.wal!.tick();
    this.sayPaused();
    if (now < this.nextFileNs) return;
    this.nextFileNs = this.periodAfter(now);
    this.export();
  }

  private sayPaused(): void {
    const { state, error } = this.wal!.status;
    const paused = state === WAL_PAUSED;
    if (paused === this.paused) return;
    this.paused = paused;
    this.options.log(
      paused ? "error" : "info",
      paused ? `recording is paused: ${error}` : "recording goes on",
    );
  }

  /** Asks for the files of what is in the log and in no file yet. */
  private export(): void {
    if (this.exporter === null) return;
    this.exports++;
    this.exporter.postMessage({ kind: "export", to: this.wal!.status.position } satisfies ExportJob);
  }

  /** What was received so far; the last file is written first. Safe after a failed start. */
  async stop(): Promise<CollectorSummary> {
    this.stopping = true;
    if (this.turn !== null) clearInterval(this.turn);
    const feeds = this.feed?.status().feeds ?? [];
    this.feed?.stop();
    if (this.wal !== null) {
      this.staging.drainInto(this.wal, STREAM_MARKET);
      this.wal.close();
      if (this.feed !== null) this.export();
    }
    await this.endExporter();
    await this.venue?.process?.stop();
    this.lock?.release();
    return {
      messages: this.counters.messages,
      records: this.wal?.status.records ?? 0,
      gaps: feeds.reduce((sum, f) => sum + f.gaps, 0),
      resyncs: feeds.reduce((sum, f) => sum + Math.max(0, f.resyncs - 1), 0),
      lost: this.feed?.writer.lostRecords ?? 0,
      walBytes: this.wal?.status.bytes ?? 0,
      files: this.files,
    };
  }

  private async endExporter(): Promise<void> {
    if (this.exporter !== null && this.exports > 0) {
      const done = new Promise<void>((resolve) => {
        this.exportsDone = resolve;
      });
      await Promise.race([done, Bun.sleep(EXPORT_END_MS)]);
    }
    this.exporter?.terminate();
  }
}
