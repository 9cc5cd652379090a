// The venue's words for orders → our codes. Tables of bytes for the scanners, look-ups by text for REST.
import {
  EXEC_AMENDED,
  EXEC_CANCELED,
  EXEC_EXPIRED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_TRADE,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_REJECTED,
  ORDER_UNKNOWN,
  ORDER_WORKING,
} from "../../wire/codes.ts";
import { SymbolTable } from "./symbol-table.ts";

const STATUSES: readonly (readonly [string, number])[] = [
  ["NEW", ORDER_WORKING],
  ["PARTIALLY_FILLED", ORDER_PARTIALLY_FILLED],
  ["FILLED", ORDER_FILLED],
  ["CANCELED", ORDER_CANCELED],
  ["EXPIRED", ORDER_EXPIRED],
  ["EXPIRED_IN_MATCH", ORDER_EXPIRED],
  ["REJECTED", ORDER_REJECTED],
];

const EXECUTIONS: readonly (readonly [string, number])[] = [
  ["NEW", EXEC_NEW],
  ["TRADE", EXEC_TRADE],
  ["CANCELED", EXEC_CANCELED],
  ["EXPIRED", EXEC_EXPIRED],
  ["AMENDMENT", EXEC_AMENDED],
  ["REJECTED", EXEC_REJECTED],
  // A liquidation's execution: a trade like any other for the position.
  ["CALCULATED", EXEC_TRADE],
];

/** Reasons of ACCOUNT_UPDATE; the index is the code in Balance and Funding records, 0 = another one. */
export const ACCOUNT_REASONS = [
  "other",
  "ORDER",
  "FUNDING_FEE",
  "DEPOSIT",
  "WITHDRAW",
  "ADJUSTMENT",
  "INSURANCE_CLEAR",
  "ADMIN_DEPOSIT",
  "ADMIN_WITHDRAW",
  "MARGIN_TRANSFER",
  "MARGIN_TYPE_CHANGE",
  "ASSET_TRANSFER",
  "AUTO_EXCHANGE",
] as const;
export const REASON_FUNDING_FEE = 2;
/** Reason of Balance records that come from a query. */
export const REASON_OTHER = 0;

const statusTable = new SymbolTable(STATUSES.map(([name]) => name));
const statusCodes = Uint8Array.from(STATUSES, ([, code]) => code);
const executionTable = new SymbolTable(EXECUTIONS.map(([name]) => name));
const executionCodes = Uint8Array.from(EXECUTIONS, ([, code]) => code);
const reasonTable = new SymbolTable([...ACCOUNT_REASONS]);

/** ORDER_… state of the status text at bytes[at … end); ORDER_UNKNOWN for a new word. */
export function orderStateOf(bytes: Uint8Array, at: number, end: number): number {
  const index = statusTable.find(bytes, at, end);
  return index < 0 ? ORDER_UNKNOWN : statusCodes[index]!;
}

/** EXEC_… of the execution type at bytes[at … end); 0 for a new word. */
export function execTypeOf(bytes: Uint8Array, at: number, end: number): number {
  const index = executionTable.find(bytes, at, end);
  return index < 0 ? 0 : executionCodes[index]!;
}

export function reasonOf(bytes: Uint8Array, at: number, end: number): number {
  const index = reasonTable.find(bytes, at, end);
  return index < 0 ? REASON_OTHER : index;
}

/** ORDER_… state of a REST status; ORDER_UNKNOWN for a new word. */
export function orderStateOfText(status: string): number {
  return STATUSES.find(([name]) => name === status)?.[1] ?? ORDER_UNKNOWN;
}
