// Rebuilds account, orders and id counters from the venue's journal: every line carries the state after it, so
// the last one wins. A torn last line (a killed process) is cut; a bad line elsewhere is an error.
import { existsSync, readFileSync, truncateSync } from "node:fs";
import type { Account, Income } from "./account.ts";
import { isOpen, type OrderStatus, type VenueOrder } from "./order.ts";
import type { OrderStore } from "./order-store.ts";

interface Line {
  readonly k: string;
  readonly n: number;
  readonly ms: number;
  readonly [field: string]: unknown;
}

export interface Replayed {
  /** Last line counter. */
  readonly counter: number;
  readonly lines: number;
}

/** Reads `path` into `account` and `store`; open orders are returned by the store. */
export function replayJournal(path: string, account: Account, store: OrderStore): Replayed {
  if (!existsSync(path)) return { counter: 0, lines: 0 };
  const text = readFileSync(path, "utf8");
  const end = text.lastIndexOf("\n") + 1;
  if (end < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, end)));
  const orders = new Map<number, VenueOrder>();
  let counter = 0;
  let lines = 0;
  for (const raw of text.slice(0, end).split("\n")) {
    if (raw === "") continue;
    lines++;
    const line = parseLine(raw, path, lines);
    counter = line.n;
    applyLine(line, account, orders);
  }
  for (const order of orders.values()) store.add(order);
  return { counter, lines };
}

function parseLine(raw: string, path: string, at: number): Line {
  try {
    return JSON.parse(raw);
  } catch {
    throw new Error(`${path}:${at}: not a journal line; move the file away to start with a new account`);
  }
}

function applyLine(line: Line, account: Account, orders: Map<number, VenueOrder>): void {
  if (line.k === "order") {
    const order = toOrder(line);
    orders.set(order.number, order);
  } else if (line.k === "fill") applyFill(line, account);
  else if (line.k === "funding" || line.k === "deposit") {
    account.walletE8 = BigInt(line["wallet"] as string);
    account.keepIncome({
      symbol: (line["s"] as string | undefined) ?? "",
      type: line.k === "funding" ? "FUNDING_FEE" : "TRANSFER",
      asset: "USDT",
      amountE8: BigInt(line["amount"] as string),
      timeMs: line.ms,
      transactionNumber: line["tx"] as number,
      tradeNumber: 0,
    });
  } else if (line.k === "leverage" && account.positions.has(line["s"] as string)) {
    account.position(line["s"] as string).leverage = line["leverage"] as number;
  }
}

function toOrder(l: Line): VenueOrder {
  return {
    number: l["i"] as number,
    clientId: l["c"] as string,
    symbol: l["s"] as string,
    side: l["side"] as number,
    orderType: l["type"] as number,
    tif: l["tif"] as number,
    reduceOnly: l["ro"] as boolean,
    stp: l["stp"] as number,
    pxTicks: l["px"] as number,
    qtyLots: l["q"] as number,
    executedLots: l["z"] as number,
    executedTickLots: BigInt(l["zq"] as string),
    status: l["X"] as OrderStatus,
    createdMs: l["created"] as number,
    updatedMs: l["updated"] as number,
    slot: -1,
  };
}

function applyFill(l: Line, account: Account): void {
  const symbol = l["s"] as string;
  const position = account.positions.get(symbol);
  if (position === undefined)
    throw new Error(`journal has fills of ${symbol}, which this venue does not list: add it with --symbols`);
  position.qtyLots = BigInt(l["pos"] as string);
  position.costTickLots = BigInt(l["cost"] as string);
  account.changedMs.set(symbol, l.ms);
  account.walletE8 = BigInt(l["wallet"] as string);
  if (l["feeWallet"] !== undefined) account.feeWalletE8 = BigInt(l["feeWallet"] as string);
  const feeE8 = BigInt(l["fee"] as string);
  // Journals of before the fee asset have it nowhere.
  const { quote } = account.specs.get(symbol)!;
  const feeAsset = (l["feeAsset"] as string | undefined) ?? quote;
  const realizedE8 = BigInt(l["rp"] as string);
  const tradeNumber = l["t"] as number;
  account.keepTrade({
    symbol,
    orderNumber: l["i"] as number,
    clientId: l["c"] as string,
    side: l["side"] as number,
    tradeNumber,
    pxTicks: l["px"] as number,
    lots: l["q"] as number,
    maker: l["m"] as boolean,
    feeAsset,
    feeE8,
    realizedE8,
    timeMs: l.ms,
  });
  const incomes: [Income["type"], bigint, string][] = [];
  if (realizedE8 !== 0n) incomes.push(["REALIZED_PNL", realizedE8, quote]);
  if (feeE8 !== 0n) incomes.push(["COMMISSION", -feeE8, feeAsset]);
  const last = l["tx"] as number;
  for (const [index, [type, amountE8, asset]] of incomes.entries()) {
    const transactionNumber = last - incomes.length + 1 + index;
    account.keepIncome({ symbol, type, asset, amountE8, timeMs: l.ms, transactionNumber, tradeNumber });
  }
}

export const openOf = (store: OrderStore): VenueOrder[] => store.allOpen().filter(isOpen);
