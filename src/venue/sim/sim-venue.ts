// The simulated venue: wires market, matching, account, streams and API behind one port. `new SimVenue` builds
// and rebuilds state; `start` listens; `stop` leaves no timer and no socket behind.
import type { Server } from "bun";
import { Prng } from "../../core/prng.ts";
import { STP_EXPIRE_MAKER } from "../../exchange/own-orders.ts";
import { Account, type AccountOptions } from "./account.ts";
import { accountUpdateText } from "./account-text.ts";
import { type AdminDeps, serveAdmin } from "./admin.ts";
import { CountdownTimers } from "./countdown.ts";
import type { VenueCore } from "./endpoint.ts";
import { markPriceUpdateText } from "./endpoints-market.ts";
import { FaultBoard, type Route } from "./faults.ts";
import { Funding, type FundingOptions } from "./funding.ts";
import { serveRest } from "./http-api.ts";
import { type FsyncPolicy, Journal } from "./journal.ts";
import { openOf, replayJournal } from "./journal-replay.ts";
import { LatencyLine, type LatencyModel } from "./latency-line.ts";
import { MarketPump } from "./market-pump.ts";
import type { MarketSource } from "./market-source.ts";
import { OrderDesk } from "./order-desk.ts";
import { OrderStore } from "./order-store.ts";
import { type RateLimitOptions, RateLimits } from "./rate-limits.ts";
import { KeyRing } from "./signature.ts";
import { StreamHub } from "./stream-hub.ts";
import { SymbolMarket } from "./symbol-market.ts";
import type { SymbolSpec } from "./symbol-spec.ts";
import { UserStreams } from "./user-streams.ts";
import { VenueClock } from "./venue-clock.ts";
import { onApiFrame } from "./ws-api.ts";
import { type Connection, parseConnection } from "./ws-connection.ts";
import { onMarketFrame, subscribe, unsubscribe, type VenueSocket, withinFrameLimit } from "./ws-market.ts";

export interface SimVenueOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly speed: number;
  readonly seed: number;
  readonly symbols: readonly { readonly spec: SymbolSpec; readonly source: MarketSource }[];
  readonly account: AccountOptions;
  readonly apiKey: string;
  readonly secret: string;
  readonly ed25519: readonly { readonly apiKey: string; readonly publicKeyPem: string }[];
  readonly rateLimits: RateLimitOptions;
  readonly funding: FundingOptions;
  readonly latency: {
    readonly entry: LatencyModel;
    readonly response: LatencyModel;
    readonly market: LatencyModel;
  };
  readonly journalPath: string | null;
  readonly journalFsync: FsyncPolicy;
  /** Also journal every market message and request in the order of matching. */
  readonly journalMarket: boolean;
  /** Told once when the journal cannot be written; from then on no request is answered. */
  readonly onJournalFailure?: (error: Error) => void;
  readonly adminToken: string | null;
  /** Plays the market; tests that step it by hand switch it off. */
  readonly play: boolean;
}

const HOUSEKEEPING_MS = 100;
const MARK_PRICE_MS = 1_000;
const SLOW_MARK_PRICE_MS = 3_000;
const IDLE_TIMEOUT_S = 600;
const BACKPRESSURE_BYTES = 64 * 1024 * 1024;

export class SimVenue {
  readonly core: VenueCore;
  readonly markets: readonly SymbolMarket[];
  readonly hub: StreamHub;
  readonly clock = new VenueClock();
  private readonly options: SimVenueOptions;
  private readonly marketLine: LatencyLine;
  private readonly pump: MarketPump;
  private readonly sockets = new Set<VenueSocket>();
  private server: Server<Connection> | null = null;
  private housekeeping: Timer | null = null;
  private connections = 0;
  /** Requests that have arrived; each has a turn of its own, so that the next one's arrival is seen in time. */
  private readonly inbox: { socket: VenueSocket; text: string; arrivedNs: number }[] = [];
  private readonly serveNext = () => {
    const next = this.inbox.shift();
    if (next === undefined) return;
    if (this.inbox.length > 0) setImmediate(this.serveNext);
    onApiFrame(this.core, next.socket, next.text, next.arrivedNs);
  };
  private markPriceDueMs = 0;
  private slowMarkPriceDueMs = 0;

  constructor(options: SimVenueOptions) {
    this.options = options;
    const { clock } = this;
    const faults = new FaultBoard(clock);
    this.hub = new StreamHub(faults);
    const nowNs = () => clock.monotonicNs();
    const random = new Prng(options.seed);
    const line = (model: LatencyModel) => new LatencyLine(model, random, nowNs);
    this.marketLine = line(options.latency.market);
    const specs = new Map(options.symbols.map((s) => [s.spec.symbol, s.spec]));
    const account = new Account(options.account, specs, (symbol) =>
      this.core.desk.markets.get(symbol)!.markTicksE8(),
    );
    const store = new OrderStore();
    const journal = new Journal(options.journalPath, clock, options.journalFsync, options.onJournalFailure);
    if (options.journalPath !== null)
      journal.continueFrom(replayJournal(options.journalPath, account, store).counter);
    journal.tracesMatching = options.journalMarket;
    const desk = new OrderDesk(store, account, journal, clock, STP_EXPIRE_MAKER);
    const keys = new KeyRing();
    keys.addHmac(options.apiKey, options.secret);
    for (const key of options.ed25519) keys.addEd25519(key.apiKey, key.publicKeyPem);
    this.core = {
      clock,
      journal,
      faults,
      keys,
      desk,
      account,
      limits: new RateLimits(options.rateLimits, () => clock.nowMs()),
      users: new UserStreams(clock, faults),
      countdown: new CountdownTimers((symbol) => this.onCountdown(symbol)),
      funding: new Funding(options.funding, clock.nowMs()),
      entryLine: line(options.latency.entry),
      responseLine: line(options.latency.response),
      mode: { hedge: false },
    };
    const deps = {
      hub: this.hub,
      faults,
      clock,
      journal,
      line: this.marketLine,
    };
    this.markets = options.symbols.map(({ spec, source }) => {
      const market = new SymbolMarket(spec, source, desk.listenerFor(spec.symbol), deps);
      desk.markets.set(spec.symbol, market);
      return market;
    });
    this.restore();
    this.pump = new MarketPump(this.markets, options.speed, nowNs, () => this.afterMarket());
  }

  /** Returns the port. Throws when the port is in use. */
  start(): number {
    const { core, options } = this;
    const server = Bun.serve<Connection>({
      hostname: options.host,
      port: options.port,
      idleTimeout: 0,
      fetch: (request, server) => this.fetch(request, server),
      websocket: {
        perMessageDeflate: false,
        idleTimeout: IDLE_TIMEOUT_S,
        backpressureLimit: BACKPRESSURE_BYTES,
        closeOnBackpressureLimit: true,
        maxPayloadLength: 1024 * 1024,
        open: (socket) => this.onOpen(socket),
        message: (socket, data) => this.onMessage(socket, data),
        close: (socket) => this.onClose(socket),
      },
    });
    this.server = server;
    core.journal.write("start", {
      port: server.port,
      speed: options.speed,
      seed: options.seed,
      symbols: this.markets.map((m) => m.spec.symbol),
      wallet: core.account.walletE8.toString(),
    });
    core.journal.flush();
    this.housekeeping = setInterval(() => this.keepHouse(), HOUSEKEEPING_MS);
    if (options.play) this.pump.start();
    return server.port!;
  }

  async stop(): Promise<void> {
    this.pump.stop();
    if (this.housekeeping !== null) clearInterval(this.housekeeping);
    this.core.countdown.stop();
    await this.server?.stop(true);
    this.core.journal.write("stop", { wallet: this.core.account.walletE8.toString() });
    this.core.journal.close();
  }

  /** After market messages: own fills reach journal and user stream. */
  afterMarket(): void {
    const { desk, journal, responseLine, users } = this.core;
    const events = desk.takeEvents();
    if (events.length > 0) {
      desk.settle();
      responseLine.push(() => {
        for (const event of events) users.emit(event);
      });
    }
    journal.flush();
    const now = this.clock.nowMs();
    for (const market of this.markets) market.flushThrottles(now);
  }

  private restore(): void {
    const { desk, account } = this.core;
    for (const order of openOf(desk.store)) {
      if (!desk.markets.has(order.symbol))
        throw new Error(`journal has open orders of ${order.symbol}: add it with --symbols`);
      desk.restore(order);
    }
    for (const market of this.markets)
      market.engine.positionLots = Number(account.position(market.spec.symbol).qtyLots);
    desk.settle();
  }

  private fetch(request: Request, server: Server<Connection>): Response | Promise<Response> | undefined {
    const arrivedNs = this.clock.monotonicNs();
    const url = new URL(request.url);
    if (url.pathname.startsWith("/fapi/")) return serveRest(this.core, request, url, arrivedNs);
    if (url.pathname.startsWith("/sim/")) {
      const ip = server.requestIP(request)?.address ?? "";
      return serveAdmin(this.adminDeps(), request, url, ip);
    }
    const connection = parseConnection(url, ++this.connections);
    if (connection === null) return new Response("not found", { status: 404 });
    if (server.upgrade(request, { data: connection })) return undefined;
    return new Response("expected a WebSocket", { status: 426 });
  }

  private adminDeps(): AdminDeps {
    return {
      core: this.core,
      token: this.options.adminToken,
      cut: (route) => this.cut(route),
      marketLine: this.marketLine,
      afterMarket: () => this.afterMarket(),
      counts: () => ({
        sockets: this.sockets.size,
        userSockets: this.core.users.count,
        messagesSent: this.hub.messagesSent,
      }),
    };
  }

  private cut(route: Route): number {
    const chosen = [...this.sockets].filter((s) => s.data.route === route);
    for (const socket of chosen) socket.terminate();
    return chosen.length;
  }

  private onOpen(socket: VenueSocket): void {
    const connection = socket.data;
    this.sockets.add(socket);
    for (const name of connection.initial) subscribe(socket, this.hub, name);
    const { users, journal } = this.core;
    if (connection.listenKey !== "" && users.valid(connection.listenKey))
      users.join(socket, connection.listenKey, connection.route, connection.form, connection.events);
    journal.write("connection", {
      id: connection.id,
      op: "open",
      route: connection.route,
      streams: connection.initial,
    });
    journal.flush();
  }

  private onMessage(socket: VenueSocket, data: string | Buffer): void {
    const arrivedNs = this.clock.monotonicNs();
    const text = typeof data === "string" ? data : data.toString("utf8");
    if (socket.data.route === "api") {
      this.inbox.push({ socket, text, arrivedNs });
      if (this.inbox.length === 1) setImmediate(this.serveNext);
      return;
    }
    if (withinFrameLimit(socket.data, this.clock.nowMs())) onMarketFrame(socket, this.hub, text);
    else socket.close(1008, "Too many requests");
  }

  private onClose(socket: VenueSocket): void {
    for (const name of [...socket.data.streams]) unsubscribe(socket, this.hub, name);
    this.core.users.leave(socket);
    this.sockets.delete(socket);
    this.core.journal.write("connection", { id: socket.data.id, op: "close", route: socket.data.route });
  }

  private onCountdown(symbol: string): void {
    this.core.journal.write("fault", { fault: "countdown", s: symbol });
    this.core.desk.cancelAll(symbol);
    this.afterMarket();
  }

  private keepHouse(): void {
    const now = this.clock.nowMs();
    if (this.core.funding.due(now)) this.chargeFunding(now);
    if (now >= this.markPriceDueMs) {
      this.markPriceDueMs = now + MARK_PRICE_MS;
      this.sendMarkPrices("@markPrice@1s");
      this.core.users.expireOld();
    }
    if (now >= this.slowMarkPriceDueMs) {
      this.slowMarkPriceDueMs = now + SLOW_MARK_PRICE_MS;
      this.sendMarkPrices("@markPrice");
    }
    this.core.journal.flushAll();
  }

  private sendMarkPrices(suffix: string): void {
    for (const market of this.markets) {
      const topic = this.hub.topic(`${market.spec.symbol.toLowerCase()}${suffix}`);
      if (topic.listeners > 0) this.hub.publish(topic, markPriceUpdateText(this.core, market));
    }
  }

  private chargeFunding(now: number): void {
    const { account, funding, journal, users } = this.core;
    for (const market of this.markets) {
      const income = account.chargeFunding(market.spec.symbol, funding.options.rateE8, now);
      if (income === null) continue;
      journal.write("funding", {
        s: market.spec.symbol,
        amount: income.amountE8.toString(),
        wallet: account.walletE8.toString(),
        tx: income.transactionNumber,
      });
      journal.flush();
      users.emit(accountUpdateText(account, "FUNDING_FEE", null, income.amountE8, now));
    }
  }
}
