// One running session on a venue of its own, with a strategy that does what it is told and a venue that is told
// what to suffer: every state of an order can be reached and held, by the switches an operator has too.
import { join } from "node:path";
import type { OrderView, PositionView } from "../../src/control/engine-control.ts";
import { Prng } from "../../src/core/prng.ts";
import { recoverWal } from "../../src/journal/recovery.ts";
import { expectFillsOnce, expectSameAccount } from "../e2e/live-checks.ts";
import { LiveSession, makeDataDir, run, type SeparateVenue, startVenue, until } from "../e2e/live-session.ts";
import { holdings, type JournalLine, lotsOf, openOrders, scaled } from "../e2e/venue-oracle.ts";

const SYMBOL = "ETHUSDT";
export const STRATEGIES = ["house", "puppet"];
/** 1.1 % from the touch: inside the gate's band, out of the market's reach for the length of a test. */
const FAR_TICKS = 3_000;
const REPLAY = join(import.meta.dir, "../../src/cli/replay.ts");
const PUPPET = join(import.meta.dir, "../e2e/strategies/puppet.ts");
const SETTLED_MS = 15_000;
const AGAIN_MS = 1_500;
const MOST_TRIES = 5;

export const PLACE_BID = 1;
export const PLACE_ASK = 2;
export const TAKE = 3;
export const CANCEL = 4;
export const MOVE = 5;
export const HALVE = 6;

/**
 * A configuration that trades ETHUSDT at `venue` with nothing but the puppet, and notices losses fast. The storm
 * guard takes a venue clock that was set for lag, and would halt: it has tests of its own.
 */
export const puppetToml = (venue: SeparateVenue): string => `${venue.toml()}
heartbeat_ms = 1000
order_timeout_ms = 1000
recv_window_ms = 1000
reconnect_min_ms = 100
reconnect_max_ms = 500
reconcile_ms = 2000
[risk]
freshness_ms = 2000
[risk.storm]
warm_lag_ms = 60_000
storm_lag_ms = 120_000
halt_lag_ms = 180_000
[[instruments]]
symbol = "${SYMBOL}"
[[strategies]]
name = "puppet"
module = "${PUPPET}"
instruments = ["${SYMBOL}"]
`;

/** States that an order can be brought to and held in. */
export const ORDER_STATES = ["none", "pendingNew", "working", "partiallyFilled", "pendingCancel"] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export class Stage {
  readonly prng: Prng;
  readonly venue: SeparateVenue;
  live: LiveSession;
  private commands = 0;

  private constructor(venue: SeparateVenue, live: LiveSession, seed: number) {
    this.venue = venue;
    this.live = live;
    this.prng = new Prng(seed);
  }

  static async open(seed: number, more: readonly string[] = []): Promise<Stage> {
    const flags = ["--symbols", SYMBOL, "--rate-limit-factor", "50", "--seed", String(seed), ...more];
    const venue = await startVenue(makeDataDir(), flags);
    const live = await LiveSession.start({ dir: makeDataDir(), toml: puppetToml(venue) });
    const stage = new Stage(venue, live, seed);
    await stage.ready();
    return stage;
  }

  /** kill -9 of the runtime, and after `deadMs` a new one on the same data directory. */
  async killAndRestart(deadMs: number): Promise<void> {
    this.live.signal("SIGKILL");
    await this.live.end();
    await Bun.sleep(deadMs);
    await this.restart();
  }

  /** The next session on the data directory; the one before has ended. */
  async restart(toml = puppetToml(this.venue)): Promise<void> {
    this.live = await LiveSession.start({ dir: this.live.dir, toml });
    await this.ready();
  }

  async fault(body: Record<string, unknown>): Promise<void> {
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${this.venue.url}/sim/fault`, init);
    if (!response.ok) throw new Error(await response.text());
  }

  /** On the depth stream and on the user data stream. */
  async distort(kind: "gap" | "duplicate" | "reorder", count: number): Promise<void> {
    await this.fault({ kind, symbol: SYMBOL, count });
    await this.fault({ kind, route: "private", count });
  }

  fill(lots: number): Promise<void> {
    return this.fault({ kind: "fill", symbol: SYMBOL, lots });
  }

  /** Tells the puppet; it acts within one tick, or as soon as it may. */
  async tell(action: number, ticks = FAR_TICKS): Promise<void> {
    const command = ++this.commands * 1_000_000 + action * 100_000 + ticks;
    const { port, token } = this.live.runInfo()!;
    const response = await fetch(`http://127.0.0.1:${port}/api/strategies/puppet/params`, {
      method: "PUT",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ values: { command } }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  orders(open: boolean): Promise<OrderView[]> {
    return this.live.get(`/api/orders?open=${open}&limit=1000`);
  }

  ready(): Promise<void> {
    return until(
      "readiness",
      async () => (await this.live.get<{ ready: boolean }>("/health")).ready,
      SETTLED_MS,
    );
  }

  async inState(state: string, ms = SETTLED_MS): Promise<void> {
    let seen = "";
    const there = async () => {
      seen = (await this.orders(true)).map((o) => o.state).join(",");
      return seen === state;
    };
    await until(`state ${state}`, there, ms).catch((error: Error) => {
      throw new Error(`${error.message}; orders are: ${seen || "none"}`);
    });
  }

  /**
   * One order, in this state and held there. On a machine that has no time for it the runtime finds its book stale
   * and cancels: then it is brought there again.
   */
  async reach(state: OrderState): Promise<void> {
    if (state === "none") return;
    for (let tries = 1; ; tries++) {
      try {
        await this.bring(state);
        return;
      } catch (error) {
        if (tries === MOST_TRIES) throw error;
        await this.settle();
      }
    }
  }

  private async bring(state: OrderState): Promise<void> {
    if (state === "pendingNew") await this.fault({ kind: "hold", line: "entry" });
    await this.place(state === "pendingNew" ? "pendingNew" : "working");
    if (state === "partiallyFilled") await this.fill(1 + this.prng.nextBelow(20));
    if (state === "pendingCancel") {
      await this.fault({ kind: "hold", line: "entry" });
      await this.tell(CANCEL);
    }
    await this.inState(state, AGAIN_MS);
  }

  /** Told again until it stands: the first place after the venue's clock was set back is refused. */
  private async place(state: string): Promise<void> {
    const end = performance.now() + SETTLED_MS;
    for (;;) {
      if ((await this.orders(true)).length === 0) await this.tell(PLACE_BID);
      try {
        await this.inState(state, AGAIN_MS);
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  }

  release(): Promise<void> {
    return this.fault({ kind: "release", line: "entry" });
  }

  /** Faults off, everything cancelled, and the account the venue's: orders, executed quantities, position. */
  async settle(): Promise<void> {
    await this.fault({ kind: "clear" });
    await this.ready();
    await this.tell(CANCEL);
    let difference = "";
    const equal = async () => {
      difference = await this.difference();
      return difference === "";
    };
    await until("the account to equal the venue's", equal, SETTLED_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${difference}`);
    });
  }

  /** Empty: nothing is open on either side, and every order and the position are as the venue's journal has them. */
  private async difference(): Promise<string> {
    const lines = this.venue.journal();
    const open = [
      ...openOrders(lines),
      ...(await this.orders(true)).map((o) => `${o.clientOrderId} ${o.state}`),
    ];
    if (open.length > 0) return `open: ${open.join(", ")}`;
    const wanted = venueOrders(lines);
    for (const order of await this.orders(false)) {
      const venue = wanted.get(order.clientOrderId) ?? "rejected 0";
      const ours = `${order.state} ${scaled(order.execQty)}`;
      // The venue refuses a place without an order: it stands in no journal line of orders.
      if (ours !== venue) return `${order.clientOrderId}: ours ${ours}, the venue's ${venue}`;
    }
    const held = [...holdings(lines).values()].find((h) => h.strategy === 1)?.lots ?? 0n;
    const positions = await this.live.get<PositionView[]>("/api/positions");
    const ours = positions.filter((p) => p.strategy === "puppet").map((p) => scaled(p.qty));
    const mine = ours[0] ?? 0n;
    return mine === lotsOf(SYMBOL, held) ? "" : `position: ours ${mine}, the venue's ${lotsOf(SYMBOL, held)}`;
  }

  /** For a test that fails: what the session said last. Ends it. */
  async lastWords(): Promise<string> {
    this.live.signal("SIGKILL");
    return (await this.live.end()).err.split("\n").slice(-12).join("\n");
  }

  /** Ends the session and holds its summary and its WAL against the venue's journal. */
  async close(): Promise<JournalLine[]> {
    const { code, summary, err } = await this.live.stop();
    const lines = this.venue.journal();
    if (code !== 0 || summary.end !== "clean") throw new Error(`exit ${code}, ${summary.end}\n${err}`);
    expectSameAccount(summary, lines, STRATEGIES);
    await expectFillsOnce(this.live.dir, lines);
    const heard = new Set(lines.filter((l) => l.k === "order").map((l) => l["c"].split("-").at(-1)));
    const open = recoverWal(join(this.live.dir, "wal"), { repair: false }).openOrders;
    const unended = open.filter((o) => heard.has(o.clientSeq.toString(36))).map((o) => o.key);
    if (unended.length > 0 || openOrders(lines).length > 0)
      throw new Error(`open at the end: WAL ${unended.join(", ")}; venue ${openOrders(lines).join(", ")}`);
    await this.venue.stop();
    // Whatever the venue did came in as records: the session runs again to the same decisions.
    const again = await run(REPLAY, [join(this.live.dir, "wal"), "--verify"]);
    if (again.code !== 0) throw new Error(`replay: exit ${again.code}\n${again.out}${again.err}`);
    return lines;
  }
}

const STATUS: Readonly<Record<string, string>> = {
  NEW: "working",
  PARTIALLY_FILLED: "partiallyFilled",
  FILLED: "filled",
  CANCELED: "canceled",
  EXPIRED: "expired",
  EXPIRED_IN_MATCH: "expired",
};

/** `state executed` of every order that the venue has heard of, by client id. */
function venueOrders(lines: readonly JournalLine[]): Map<string, string> {
  const orders = new Map<string, string>();
  for (const line of lines)
    if (line.k === "order")
      orders.set(line["c"], `${STATUS[line["X"]]} ${lotsOf(line["s"], BigInt(line["z"]))}`);
  return orders;
}
