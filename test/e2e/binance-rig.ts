// A simulated venue as a child process and the Binance connector against it, on the real clock.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Instrument } from "../../src/market/instrument.ts";
import { ClientIdEncoder } from "../../src/order/client-id.ts";
import type { OrderRequest } from "../../src/order/gateway.ts";
import type { Credentials } from "../../src/venue/binance/credentials.ts";
import { BinanceGateway } from "../../src/venue/binance/gateway.ts";
import { newGatewayCounters } from "../../src/venue/binance/gateway-options.ts";
import { BinanceMarketData, newFeedCounters } from "../../src/venue/binance/market-data.ts";
import { BinanceRest } from "../../src/venue/binance/rest.ts";
import { newUserStreamCounters } from "../../src/venue/binance/user-stream.ts";
import type { TransportFactory } from "../../src/venue/contract.ts";
import { BunWebSocketTransport } from "../../src/venue/transport/bun-websocket.ts";
import { LINK_DEFAULTS, type LinkOptions } from "../../src/venue/transport/link.ts";
import { CollectingSink } from "../unit/venue/binance/fixtures.ts";

const ROOT = join(import.meta.dir, "../..");
export const ASSETS = ["", "USDT", "BNB", "BTC", "ETH"];

/** Fast enough for a test: the defaults would wait seconds. */
export const TEST_LINK: LinkOptions = {
  ...LINK_DEFAULTS,
  heartbeatNs: 2e9,
  connectTimeoutNs: 2e9,
  suspensionNs: 5e9,
  backoffMinNs: 50e6,
  backoffMaxNs: 500e6,
};

export class VenueProcess {
  readonly secret = randomBytes(16).toString("hex");
  readonly folder = mkdtempSync(join(tmpdir(), "hotlane-venue-"));
  port = 0;
  private child: Bun.Subprocess<"ignore", "pipe", "inherit"> | null = null;

  async start(...flags: string[]): Promise<void> {
    const command = [process.execPath, join(ROOT, "src/cli/venue.ts"), "--data-dir", this.folder, ...flags];
    const env = { ...process.env, HOTLANE_SIM_SECRET: this.secret };
    this.child = Bun.spawn(command, { env, stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    const reader = this.child.stdout.getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the venue ended before it was ready: ${text}`);
      text += new TextDecoder().decode(value);
    }
    reader.releaseLock();
    this.port = (JSON.parse(text.slice(0, text.indexOf("\n"))) as { port: number }).port;
  }

  async stop(): Promise<void> {
    this.child?.kill("SIGTERM");
    await this.child?.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async get(path: string): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port}${path}`)).text();
  }

  async fault(body: Record<string, unknown>): Promise<void> {
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.port}/sim/fault`, init);
    if (!response.ok) throw new Error(await response.text());
  }
}

export class ConnectorRig {
  readonly feedSink = new CollectingSink(200_000);
  readonly orderSink = new CollectingSink(20_000);
  readonly feedCounters = newFeedCounters();
  readonly orderCounters = newGatewayCounters();
  readonly userCounters = newUserStreamCounters();
  readonly rest: BinanceRest;
  readonly credentials: Credentials;
  readonly baseMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  readonly failures: string[] = [];
  killWord = 0;
  working: OrderRequest[] = [];
  feed!: BinanceMarketData;
  gateway!: BinanceGateway;
  instruments: Instrument[] = [];
  nonceLo = randomBytes(4).readUInt32LE();
  private readonly port: number;

  constructor(port: number, credentials: Credentials) {
    this.port = port;
    this.credentials = credentials;
    this.rest = new BinanceRest({
      baseUrl: `http://127.0.0.1:${port}`,
      credentials,
      recvWindowMs: 5000,
      timeoutMs: 2000,
      nowMs: () => performance.timeOrigin + performance.now(),
      defaultFees: { makerFeeE8: 20_000, takerFeeE8: 50_000 },
    });
  }

  nowNs = (): number => Math.round((performance.timeOrigin - this.baseMs + performance.now()) * 1e6);

  connect: TransportFactory = (handler) => new BunWebSocketTransport(handler, this.nowNs);

  async load(symbols: readonly string[]): Promise<void> {
    const result = await this.rest.instruments(symbols, 1);
    if (!result.ok) throw new Error(result.message);
    this.instruments = result.value;
  }

  startFeed(link: LinkOptions = TEST_LINK): void {
    const ws = `ws://127.0.0.1:${this.port}`;
    this.feed = new BinanceMarketData({
      instruments: this.instruments,
      publicUrl: `${ws}/public`,
      marketUrl: `${ws}/market`,
      sink: this.feedSink,
      baseMs: this.baseMs,
      nowNs: this.nowNs,
      connect: this.connect,
      snapshots: (symbol) => this.rest.depthSnapshot(symbol),
      link,
      timerNs: 100e6,
      seed: 1,
      counters: this.feedCounters,
      decodeTimes: null,
    });
    this.feed.start();
  }

  startGateway(orderTimeoutNs = 1e9): void {
    const ws = `ws://127.0.0.1:${this.port}`;
    this.gateway = new BinanceGateway({
      instruments: this.instruments,
      assets: ASSETS,
      credentials: this.credentials,
      ids: new ClientIdEncoder(this.nonceLo, 7),
      rest: this.rest,
      sink: this.orderSink,
      baseMs: this.baseMs,
      nowNs: this.nowNs,
      connect: this.connect,
      link: TEST_LINK,
      wsApiUrl: `${ws}/ws-fapi/v1`,
      privateUrl: `${ws}/private`,
      recvWindowMs: 1000,
      orderTimeoutNs,
      killWord: () => this.killWord,
      seed: 2,
      counters: this.orderCounters,
      userCounters: this.userCounters,
      reconcileEveryNs: Number.POSITIVE_INFINITY,
      foreignOrders: "adopt",
      workingOrders: () => this.working,
      onReconcileFailure: (message) => this.failures.push(message),
    });
    this.gateway.start();
  }

  /** Polls until `done`, at most `limitMs`; `each` runs every turn. */
  async until(what: string, done: () => boolean, limitMs = 4000, each: () => void = () => {}): Promise<void> {
    const end = performance.now() + limitMs;
    for (;;) {
      this.feed?.poll(this.nowNs());
      this.gateway?.poll(this.nowNs());
      each();
      if (done()) return;
      if (performance.now() > end)
        throw new Error(`waited ${limitMs} ms for: ${what}; ${this.failures.join("; ")}`);
      await Bun.sleep(2);
    }
  }

  stop(): void {
    this.feed?.stop();
    this.gateway?.stop();
  }
}
