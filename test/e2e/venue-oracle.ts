// What an account must look like, from the simulated venue's journal alone: BigInt, average cost per (strategy,
// symbol), nothing shared with the ledger under test. Ids that are ours read `h<nonce>-<strategy>-<seq>`.
import { existsSync, readFileSync } from "node:fs";

export interface JournalLine {
  readonly k: string;
  readonly n: number;
  readonly mono: number;
  readonly ms: number;
  // biome-ignore lint/suspicious/noExplicitAny: venue lines of many shapes
  readonly [field: string]: any;
}

/** Whole lines only: the venue may be writing, or may not have begun. */
export function readJournal(file: string): JournalLine[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

const SETTLE = "USDT";

/** Decimals of a price step and of a lot, as the simulated venue lists them. */
export const STEPS: Readonly<Record<string, { readonly tick: number; readonly lot: number }>> = {
  BTCUSDT: { tick: 1, lot: 3 },
  ETHUSDT: { tick: 2, lot: 3 },
};

export interface Holding {
  /** Number in the client id; 0 = no id of ours. */
  readonly strategy: number;
  readonly symbol: string;
  lots: bigint;
  /** tick·lots. */
  cost: bigint;
  realized: bigint;
  /** Fees in the settlement currency, 1e-8; others: otherFees(). */
  feesE8: bigint;
  volumeLots: bigint;
  fills: number;
}

export interface OrderCounts {
  placed: number;
  acked: number;
  canceled: number;
  filled: number;
  rejected: number;
}

const ID = /^h([0-9a-z]{11})-([0-9a-z]+)-([0-9a-z]+)$/;
export const nonceOf = (clientId: string): string => ID.exec(clientId)?.[1] ?? "";
const strategyOf = (clientId: string): number => Number.parseInt(ID.exec(clientId)?.[2] ?? "0", 36);

/** Holdings by `strategy symbol`, from every fill of the journal; `wanted` leaves fills out of volume and count. */
export function holdings(
  lines: readonly JournalLine[],
  counted: (line: JournalLine) => boolean = () => true,
): Map<string, Holding> {
  const all = new Map<string, Holding>();
  for (const line of lines) {
    if (line.k !== "fill") continue;
    const strategy = strategyOf(line["c"]);
    const symbol: string = line["s"];
    const key = `${strategy} ${symbol}`;
    const none = { lots: 0n, cost: 0n, realized: 0n, feesE8: 0n, volumeLots: 0n, fills: 0 };
    const held = all.get(key) ?? { strategy, symbol, ...none };
    all.set(key, held);
    execute(held, BigInt(line["side"]) * BigInt(line["q"]), BigInt(line["px"]));
    if (line["feeAsset"] === SETTLE) held.feesE8 += BigInt(line["fee"]);
    if (!counted(line)) continue;
    held.volumeLots += BigInt(line["q"]);
    held.fills++;
  }
  return all;
}

/** Fees of all fills that were not paid in the settlement currency, 1e-8, by asset. */
export function otherFees(lines: readonly JournalLine[]): Map<string, bigint> {
  const fees = new Map<string, bigint>();
  for (const line of lines)
    if (line.k === "fill" && line["feeAsset"] !== SETTLE)
      fees.set(line["feeAsset"], (fees.get(line["feeAsset"]) ?? 0n) + BigInt(line["fee"]));
  return fees;
}

/** Signed lots at a price in ticks; BigInt division truncates toward zero, as the rule has it. */
function execute(held: Holding, lots: bigint, px: bigint): void {
  const against = held.lots !== 0n && held.lots > 0n !== lots > 0n;
  if (!against) {
    held.lots += lots;
    held.cost += lots * px;
    return;
  }
  const size = (x: bigint) => (x < 0n ? -x : x);
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const part = least(size(lots), size(held.lots));
  const closed = held.lots > 0n ? part : -part;
  const released = (held.cost * part) / size(held.lots);
  held.realized += closed * px - released;
  held.cost -= released;
  held.lots -= closed;
  const rest = lots + closed;
  held.lots += rest;
  held.cost += rest * px;
}

/** Orders of one session: places asked for, and how each ended. */
export function orderCounts(lines: readonly JournalLine[], nonce: string): OrderCounts {
  const placed = new Set<string>();
  const acked = new Set<string>();
  const ended = new Map<string, string>();
  for (const line of lines) {
    if (line.k === "request" && (line["op"] === "order.place" || line["op"] === "POST /fapi/v1/order")) {
      const id: string = line["params"].newClientOrderId ?? "";
      if (nonceOf(id) === nonce) placed.add(id);
    } else if (line.k === "order" && nonceOf(line["c"]) === nonce) {
      acked.add(line["c"]);
      ended.set(line["c"], line["X"]);
    }
  }
  const ends = (state: string) => [...ended.values()].filter((x) => x === state).length;
  const rejected = [...placed].filter((id) => !acked.has(id)).length;
  return {
    placed: placed.size,
    acked: acked.size,
    canceled: ends("CANCELED"),
    filled: ends("FILLED"),
    rejected,
  };
}

/** Client ids that the venue holds as open at the end of the journal. */
export function openOrders(lines: readonly JournalLine[]): string[] {
  const state = new Map<string, string>();
  for (const line of lines) if (line.k === "order") state.set(line["c"], line["X"]);
  return [...state].filter(([, x]) => x === "NEW" || x === "PARTIALLY_FILLED").map(([id]) => id);
}

const DECIMALS = 20;

/** Decimal text as an integer of 1e-20. */
export function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(DECIMALS, "0"));
  return text.startsWith("-") ? -value : value;
}

/** tick·lots of a symbol in 1e-20 of its currency. */
export function moneyOf(symbol: string, tickLots: bigint): bigint {
  const { tick, lot } = STEPS[symbol]!;
  return tickLots * 10n ** BigInt(DECIMALS - tick - lot);
}

export const lotsOf = (symbol: string, lots: bigint): bigint =>
  lots * 10n ** BigInt(DECIMALS - STEPS[symbol]!.lot);
export const e8Of = (amount: bigint): bigint => amount * 10n ** BigInt(DECIMALS - 8);
