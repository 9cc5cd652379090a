// Every deny code of the gate, every transition of the storm guard and both edges of the breaker, once each through
// the whole pipeline: a live session against the simulated venue, a strategy that asks, the WAL as the witness.
// About 60 s.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKillWord } from "../../src/risk/kill-word.ts";
import * as codes from "../../src/wire/codes.ts";
import {
  ctl,
  endAll,
  LiveSession,
  makeDataDir,
  type SeparateVenue,
  startVenue,
  until,
  walRows,
} from "./live-session.ts";
import type { Ask } from "./strategies/asks.ts";
import { openOrders } from "./venue-oracle.ts";

afterAll(endAll);

const MODULE = join(import.meta.dir, "strategies/asks.ts");
/** Rests well behind the touch. */
const RESTS: Ask = { side: "buy", behind: 2000, usdt: 100 };

const reached = new Set<string>();

interface Setup {
  /** TOML from inside [engine] on. */
  readonly engine?: string;
  readonly venue?: string;
  readonly rest?: string;
  readonly limits?: string;
  readonly venueArgs?: readonly string[];
  /** A tmpfs of this size under the WAL. */
  readonly walDisk?: string;
}

class Rig {
  readonly dir = makeDataDir();
  readonly faults = makeDataDir();
  venue!: SeparateVenue;
  live!: LiveSession;

  static async open(setup: Setup): Promise<Rig> {
    const rig = new Rig();
    rig.venue = await startVenue(makeDataDir(), ["--symbols", "ETHUSDT", ...(setup.venueArgs ?? [])]);
    const wal = join(rig.dir, "wal");
    if (setup.walDisk !== undefined) {
      mkdirSync(wal);
      mount("-t", "tmpfs", "-o", setup.walDisk, "tmpfs", wal);
    }
    await rig.start(setup);
    return rig;
  }

  async start(setup: Setup): Promise<void> {
    const strategy = (name: string, limits: string) =>
      `[[strategies]]\nname = "${name}"\nmodule = "${MODULE}"\ninstruments = ["ETHUSDT"]\nlimits = {${limits}}\n`;
    const toml = [
      setup.engine ?? "",
      this.venue.toml() + (setup.venue ?? ""),
      setup.rest ?? "",
      '[[instruments]]\nsymbol = "ETHUSDT"',
      strategy("asks", setup.limits ?? ""),
      strategy("other", ""),
    ];
    const env = { HOTLANE_TEST_FAULTS: this.faults };
    this.live = await LiveSession.start({ dir: this.dir, toml: toml.join("\n"), env });
  }

  /** The gate's verdict on an order of `name`, as DENY_NAMES has it. */
  async ask(ask: Ask, name = "asks"): Promise<string> {
    this.arm("ask", ask, name);
    return this.answer("ask", name);
  }

  /** To be asked inside the next order event of `name`. */
  arm(kind: "ask" | "then", ask: Ask, name = "asks"): void {
    const file = join(this.faults, `${kind}-${name}.json`);
    writeFileSync(`${file}.new`, JSON.stringify(ask));
    renameSync(`${file}.new`, file);
  }

  async answer(kind: "ask" | "then", name = "asks"): Promise<string> {
    const file = join(this.faults, `${kind}-${name}.answer`);
    try {
      await until(`an answer of ${name}`, () => existsSync(file), 30_000);
    } catch (error) {
      this.live.signal("SIGKILL");
      throw new Error(`${(error as Error).message}\n${(await this.live.end()).err}`);
    }
    const { code } = JSON.parse(readFileSync(file, "utf8"));
    unlinkSync(file);
    return codes.DENY_NAMES[code]!;
  }

  /** Asks until the gate lets an order out; it is cancelled again. */
  async untilOpen(): Promise<void> {
    await until("an open gate", async () => (await this.ask(RESTS)) === "none", 40_000);
    await this.clear();
  }

  async untilDenied(code: string, ask: Ask = RESTS): Promise<string> {
    const end = performance.now() + 30_000;
    for (;;) {
      const given = await this.ask(ask);
      if (given === code || performance.now() > end) return given;
    }
  }

  /** No order of anybody. */
  async clear(): Promise<void> {
    for (const name of ["asks", "other"]) await this.ask({ side: "buy", cancelAll: true }, name);
    await until("no open order", () => openOrders(this.venue.journal()).length === 0);
    // The report may be a moment behind the venue's journal.
    await Bun.sleep(50);
  }

  async fault(body: Record<string, unknown>): Promise<void> {
    const response = await fetch(`${this.venue.url}/sim/fault`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  storm = async (): Promise<string> => (await this.live.get<{ storm: string }>("/api/status")).storm;

  /** Denials by name as the WAL holds them. */
  async denials(): Promise<Set<string>> {
    return new Set((await walRows(this.dir, ["RiskDenied"])).map((row) => row["denyCode"] as string));
  }

  async close(code = 0): Promise<void> {
    expect((await this.live.stop()).code).toBe(code);
    await this.venue.stop();
  }
}

type Case = readonly [code: string, cause: (rig: Rig) => Promise<string>];

/** Causes each denial once, and expects it in the answer, in `ctl why` and in the WAL. */
async function expectCases(rig: Rig, cases: readonly Case[]): Promise<void> {
  for (const [code, cause] of cases) {
    expect(`${code}: ${await cause(rig)}`).toBe(`${code}: ${code}`);
    if (code === "none") continue;
    reached.add(code);
    const why = await ctl(rig.dir, "why", "asks");
    expect({ code, says: why.out.includes(code) }).toEqual({ code, says: true });
  }
}

async function expectInWal(rig: Rig, cases: readonly Case[]): Promise<void> {
  const denials = await rig.denials();
  const missing = cases.map(([code]) => code).filter((code) => code !== "none" && !denials.has(code));
  expect(missing).toEqual([]);
}

const LIMITS: readonly Case[] = [
  ["none", (rig) => rig.untilDenied("none")],
  ["priceRule", (rig) => rig.ask({ ...RESTS, behind: 2000.5 })],
  ["lotRule", (rig) => rig.ask({ ...RESTS, lots: 50.5 })],
  ["minNotional", (rig) => rig.ask({ ...RESTS, lots: 1 })],
  ["orderQty", (rig) => rig.ask({ ...RESTS, lots: 6000 })],
  ["notional", (rig) => rig.ask({ ...RESTS, usdt: 12_500 })],
  ["priceBand", (rig) => rig.ask({ side: "buy", ofMid: 0.9 })],
  [
    "workingOrders",
    async (rig) => {
      await rig.clear();
      await rig.ask(RESTS);
      await rig.ask(RESTS);
      return rig.ask(RESTS);
    },
  ],
  [
    "positionStrategy",
    async (rig) => {
      await rig.clear();
      await rig.ask({ ...RESTS, usdt: 5000 });
      return rig.ask({ ...RESTS, usdt: 7500 });
    },
  ],
  [
    "positionInstrument",
    async (rig) => {
      await rig.clear();
      await rig.ask({ ...RESTS, usdt: 8000 }, "other");
      return rig.ask({ ...RESTS, usdt: 6500 });
    },
  ],
  ["positionAccount", (rig) => rig.ask({ ...RESTS, usdt: 5500 })],
  ["margin", (rig) => rig.ask({ ...RESTS, usdt: 2500 })],
  [
    "selfMatch",
    async (rig) => {
      await rig.clear();
      await rig.ask({ side: "buy", behind: 100, usdt: 100 }, "other");
      return rig.ask({ side: "sell", behind: -1000, usdt: 100 });
    },
  ],
  [
    "strategyState",
    async (rig) => {
      await rig.clear();
      await rig.ask(RESTS);
      // The cancel's own report finds the strategy paused.
      rig.arm("then", RESTS);
      await ctl(rig.dir, "pause", "asks");
      const verdict = await rig.answer("then");
      await ctl(rig.dir, "resume", "asks");
      return verdict;
    },
  ],
  [
    "killed",
    async (rig) => {
      await rig.clear();
      openKillWord(rig.dir).latch(codes.KILL_KILLED, "a test", Date.now());
      const verdict = await rig.ask(RESTS);
      expect((await ctl(rig.dir, "rearm", "--why", "next")).code).toBe(0);
      return verdict;
    },
  ],
  [
    "emergency",
    async (rig) => {
      expect((await ctl(rig.dir, "emergency", "--why", "a test")).code).toBe(0);
      const verdict = await rig.ask(RESTS);
      expect((await ctl(rig.dir, "rearm", "--why", "next")).code).toBe(0);
      return verdict;
    },
  ],
  [
    "gateway",
    async (rig) => {
      await rig.untilOpen();
      // Inside the report of the 429 the budget is closed already, and no timer has told the gate.
      await rig.fault({ kind: "rateLimit", count: 1 });
      rig.arm("then", RESTS);
      await rig.ask(RESTS);
      return rig.answer("then");
    },
  ],
  ["rate", (rig) => rig.untilDenied("rate")],
];

test("limits of order, strategy, instrument and account; states; the venue's own limits", async () => {
  const rig = await Rig.open({
    venueArgs: ["--speed", "1", "--balance", "500"],
    limits: 'max_order_qty = "5", max_working_orders = 2',
    rest: [
      '[risk.account]\nmax_position_notional = "13000"\ndaily_loss_soft = "400"\nmax_drawdown = "400"',
      '[risk.instrument]\nmax_order_notional = "14000"\nmax_position_notional = "14000"',
      '[risk.strategy]\nmax_order_notional = "12000"\nmax_position_notional = "12000"',
    ].join("\n"),
  });
  await expectCases(rig, LIMITS);
  await rig.close();
  await expectInWal(rig, LIMITS);
}, 90_000);

const SIGHT: readonly Case[] = [
  ["none", (rig) => rig.untilDenied("none")],
  [
    "bookNotSynced",
    async (rig) => {
      await rig.clear();
      await rig.fault({ kind: "cut", route: "public" });
      return rig.untilDenied("bookNotSynced");
    },
  ],
  [
    "bookStale",
    async (rig) => {
      await rig.untilOpen();
      await rig.fault({ kind: "stall", route: "public", ms: 4000 });
      return rig.untilDenied("bookStale");
    },
  ],
  [
    "notReconciled",
    async (rig) => {
      await Bun.sleep(4000);
      await rig.untilOpen();
      await rig.fault({ kind: "cut", route: "private" });
      return rig.untilDenied("notReconciled");
    },
  ],
  [
    "suspended",
    async (rig) => {
      await rig.untilOpen();
      rig.live.signal("SIGSTOP");
      await Bun.sleep(1400);
      rig.live.signal("SIGCONT");
      return rig.ask(RESTS);
    },
  ],
  [
    "deadMan",
    async (rig) => {
      await rig.untilOpen();
      await rig.fault({ kind: "http5xx", count: 100_000, status: 503 });
      return rig.untilDenied("deadMan");
    },
  ],
  [
    "none",
    async (rig) => {
      await rig.fault({ kind: "clear" });
      await rig.untilOpen();
      return "none";
    },
  ],
];

test("what the session cannot see or trust: book, account, its own time, the dead-man's switch", async () => {
  const rig = await Rig.open({
    venueArgs: ["--speed", "4", "--rate-limit-factor", "20"],
    engine: "stall_ms = 2000",
    venue: "dead_man_ms = 3000\n",
    rest: "[risk]\nfreshness_ms = 2000",
  });
  await expectCases(rig, SIGHT);
  await rig.close();
  await expectInWal(rig, SIGHT);
}, 180_000);

test("an instrument that the venue does not trade", async () => {
  const rig = await Rig.open({ venueArgs: ["--halted", "ETHUSDT"] });
  const cases: readonly Case[] = [["notTrading", (r) => r.untilDenied("notTrading")]];
  await expectCases(rig, cases);
  await rig.close();
  await expectInWal(rig, cases);
}, 30_000);

test("daily loss lets reducing orders out only, over a restart too, until somebody rearms", async () => {
  const setup: Setup = {
    venueArgs: ["--speed", "1", "--taker-fee", "0.001"],
    rest: '[risk.account]\ndaily_loss_soft = "1"',
  };
  const rig = await Rig.open(setup);
  const cases: readonly Case[] = [
    ["none", (r) => r.untilDenied("none")],
    [
      "dailyLoss",
      async (r) => {
        await r.clear();
        expect(await r.ask({ side: "buy", behind: -50, usdt: 2000, tif: "ioc" })).toBe("none");
        const verdict = await r.untilDenied("dailyLoss");
        expect(await r.ask({ side: "sell", behind: 100, usdt: 500 })).toBe("none");
        return verdict;
      },
    ],
  ];
  await expectCases(rig, cases);
  expect((await rig.live.stop()).code).toBe(0);
  await rig.start(setup);
  await expectCases(rig, [["dailyLoss", (r) => r.untilDenied("dailyLoss")]]);
  expect((await ctl(rig.dir, "kill", "--why", "to accept the loss")).code).toBe(0);
  expect((await ctl(rig.dir, "rearm", "--why", "accepted")).code).toBe(0);
  await expectCases(rig, [["none", (r) => r.untilDenied("none")]]);
  await rig.clear();
  await rig.close();
  await expectInWal(rig, cases);
}, 60_000);

test("drawdown denies in the fill that causes it, and latches the kill", async () => {
  const rig = await Rig.open({
    venueArgs: ["--speed", "1", "--taker-fee", "0.001"],
    rest: '[risk.account]\nmax_drawdown = "1"\ndaily_loss_soft = "400000"',
  });
  const cases: readonly Case[] = [
    [
      "drawdown",
      async (r) => {
        await r.untilOpen();
        // The fill of the order comes before the report of its new state.
        // It may fill in parts: the one that passes the limit counts.
        r.arm("then", { ...RESTS, onFill: true, until: codes.DENY_DRAWDOWN });
        await r.ask({ side: "buy", behind: -50, usdt: 2000, tif: "ioc" });
        return r.answer("then");
      },
    ],
  ];
  await expectCases(rig, cases);
  await until("the kill word", () => openKillWord(rig.dir).load() === codes.KILL_KILLED);
  expect(openKillWord(rig.dir).view().reason).toBe("drawdown limit");
  await rig.close();
  await expectInWal(rig, cases);
}, 40_000);

test("the storm guard rises and falls through every state; the breaker opens and closes", async () => {
  const rig = await Rig.open({
    venueArgs: ["--speed", "4"],
    rest: [
      "[risk]\nbreaker_rejects = 2\nbreaker_window_ms = 5000\nbreaker_pause_ms = 700",
      "[risk.storm]\nwarm_lag_ms = 200\nstorm_lag_ms = 600\nhalt_lag_ms = 1500\nhold_ms = 1500",
    ].join("\n"),
  });
  const delay = (ms: number) => rig.fault({ kind: "delay", line: "market", ms });
  const cases: readonly Case[] = [
    ["none", (r) => r.untilDenied("none")],
    [
      "storm",
      async (r) => {
        await r.clear();
        for (const [ms, state] of [
          [350, "WARM"],
          [900, "STORM"],
          [1900, "HALT"],
        ] as const) {
          await delay(ms);
          await until(state, async () => (await r.storm()) === state);
        }
        const verdict = await r.untilDenied("storm");
        await delay(0);
        await until("NORMAL", async () => (await r.storm()) === "NORMAL");
        return verdict;
      },
    ],
    [
      "breaker",
      async (r) => {
        await r.untilOpen();
        const crossing: Ask = { side: "buy", behind: -100, usdt: 100, tif: "gtx" };
        await r.ask(crossing);
        await Bun.sleep(100);
        r.arm("then", RESTS);
        await r.ask(crossing);
        const verdict = await r.answer("then");
        await r.untilOpen();
        return verdict;
      },
    ],
  ];
  await expectCases(rig, cases);
  await rig.close();
  await expectInWal(rig, cases);
  const states = await walRows(rig.dir, ["RiskState"]);
  const moves = states
    .filter((row) => row["code"] === "storm")
    .map((row) => `${row["value1"]}→${row["value0"]}`);
  // The breaker calls for STORM too; the last moves are its.
  const wanted = ["0→1", "1→2", "2→3", "3→2", "2→1", "1→0"];
  expect(wanted.filter((move) => !moves.includes(move))).toEqual([]);
  const edges = states.filter((row) => row["code"] === "breaker").map((row) => Number(row["value0"]));
  expect(edges).toEqual([1, 0]);
}, 60_000);

const mount = (...args: string[]): boolean => Bun.spawnSync(["mount", ...args]).exitCode === 0;

/** Mounting needs root with CAP_SYS_ADMIN. */
const CANNOT_MOUNT = ((): boolean => {
  const probe = makeDataDir();
  const mounted = process.getuid?.() === 0 && mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", probe);
  if (mounted) Bun.spawnSync(["umount", probe]);
  return !mounted;
})();

test.skipIf(CANNOT_MOUNT)(
  "a disk that is full: no order that the journal could not hold, then the kill",
  async () => {
    const rig = await Rig.open({
      venueArgs: ["--speed", "1", "--rate-limit-factor", "1000"],
      engine: "orders_ring_records = 1024\nmax_orders = 4096",
      rest: [
        "[journal]\nmarket_data = false\nmin_free_bytes = 0",
        "[risk]\nbreaker_rejects = 100000\nmax_orders_per_10s = 100000\nmax_orders_per_min = 1000000",
        "[risk.account]\nmax_working_orders = 4000\n[risk.instrument]\nmax_working_orders = 4000",
        "[risk.strategy]\nmax_working_orders = 4000",
      ].join("\n"),
      walDisk: "size=160k",
    });
    try {
      rig.arm("ask", { ...RESTS, usdt: 30, until: codes.DENY_JOURNAL_FULL });
      expect(await rig.answer("ask")).toBe("journalFull");
      reached.add("journalFull");
      await until("the kill word", () => openKillWord(rig.dir).load() === codes.KILL_KILLED);
      expect(openKillWord(rig.dir).view().reason).toBe("orders journal is full");
      await until("no open order", () => openOrders(rig.venue.journal()).length === 0);
      rig.live.signal("SIGINT");
      await rig.live.end();
      await rig.venue.stop();
    } finally {
      Bun.spawnSync(["umount", join(rig.dir, "wal")]);
    }
  },
  60_000,
);

test("nothing is left out", () => {
  const names = (codes.DENY_NAMES as readonly string[]).slice(1).filter((name) => name !== "");
  expect(names.filter((name) => !reached.has(name))).toEqual(CANNOT_MOUNT ? ["journalFull"] : []);
});
