// The life cycle of an order as data: state × event → state. docs/orders.md shows the same table, and a test
// compares the two. The table is total: every report the venue may repeat, reorder or send late has a cell.
import {
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_CANCEL,
  ORDER_PENDING_MODIFY,
  ORDER_PENDING_NEW,
  ORDER_REJECTED,
  ORDER_UNKNOWN,
  ORDER_WORKING,
} from "../wire/codes.ts";

/** Requests of our own that left the process. */
export const EVENT_SEND_CANCEL = 0;
export const EVENT_SEND_MODIFY = 1;
/** The venue holds the order (NEW, or a query says that it is open). */
export const EVENT_ACCEPTED = 2;
/** The cumulative quantity grew and is below the order's. */
export const EVENT_TRADED = 3;
export const EVENT_FILLED = 4;
export const EVENT_CANCELED = 5;
export const EVENT_EXPIRED = 6;
export const EVENT_REJECTED = 7;
export const EVENT_AMENDED = 8;
export const EVENT_CANCEL_REJECTED = 9;
export const EVENT_MODIFY_REJECTED = 10;
/** The request in flight has no known outcome. */
export const EVENT_UNKNOWN = 11;
export const EVENT_COUNT = 12;
export const EVENT_NAMES = [
  "send cancel",
  "send modify",
  "accepted",
  "traded",
  "filled",
  "canceled",
  "expired",
  "rejected",
  "amended",
  "cancel rejected",
  "modify rejected",
  "unknown",
] as const;

/** The state stays. */
export const STAY = 253;
/**
 * Whatever is proven once nothing is in flight: partiallyFilled or working when the venue is known to hold
 * the order, otherwise pendingNew, or unknown when the place request itself has no known outcome.
 */
export const SETTLE = 254;
/** The state stays and the event is counted: it contradicts what is proven, or comes after the end. */
export const IGNORE = 255;

const STATES = 11;
export const TRANSITIONS = new Uint8Array(new ArrayBuffer(4096)).fill(IGNORE);

function row(state: number, cells: readonly number[]): void {
  for (let event = 0; event < EVENT_COUNT; event++) TRANSITIONS[state * EVENT_COUNT + event] = cells[event];
}

const PC = ORDER_PENDING_CANCEL;
const PM = ORDER_PENDING_MODIFY;
const F = ORDER_FILLED;
const C = ORDER_CANCELED;
const E = ORDER_EXPIRED;
const R = ORDER_REJECTED;
const U = ORDER_UNKNOWN;
const st = STAY;
const se = SETTLE;
const ig = IGNORE;

//                          cancel modify accept trade fill cancd exprd rejct amend cxlrj modrj unkn
row(ORDER_PENDING_NEW, [PC, ig, se, se, F, C, E, R, se, ig, ig, U]);
row(ORDER_WORKING, [PC, PM, st, se, F, C, E, ig, st, ig, ig, ig]);
row(ORDER_PARTIALLY_FILLED, [PC, PM, st, st, F, C, E, ig, st, ig, ig, ig]);
row(ORDER_PENDING_CANCEL, [PC, ig, st, st, F, C, E, R, st, se, st, U]);
row(ORDER_PENDING_MODIFY, [PC, ig, st, st, F, C, E, ig, se, ig, se, U]);
row(ORDER_UNKNOWN, [PC, ig, se, se, F, C, E, R, se, se, se, st]);
// An end may be corrected by one thing only: proof that everything was filled.
row(ORDER_FILLED, [ig, ig, ig, ig, st, ig, ig, ig, ig, ig, ig, ig]);
row(ORDER_CANCELED, [ig, ig, ig, ig, F, st, ig, ig, ig, ig, ig, ig]);
row(ORDER_EXPIRED, [ig, ig, ig, ig, F, ig, st, ig, ig, ig, ig, ig]);
row(ORDER_REJECTED, [ig, ig, ig, ig, F, ig, ig, st, ig, ig, ig, ig]);

/** The cell: an ORDER_… state, STAY, SETTLE or IGNORE. */
export function transition(state: number, event: number): number {
  return TRANSITIONS[state * EVENT_COUNT + event];
}

/** filled, canceled, expired, rejected: nothing of the order can be at the venue. */
export function isOver(state: number): boolean {
  return state >= ORDER_FILLED && state <= ORDER_REJECTED;
}

export const STATE_COUNT = STATES;
