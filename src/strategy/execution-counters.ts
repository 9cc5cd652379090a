// Indexes of the counters that EXECUTION keeps, in the order in which the engine declares their names.

export const COUNT_RECORDS = 0;
export const COUNT_SENT = 1;
export const COUNT_ACKED = 2;
export const COUNT_REJECTED = 3;
export const COUNT_CANCELED = 4;
export const COUNT_EXPIRED = 5;
export const COUNT_FILLED = 6;
export const COUNT_MODIFIED = 7;
export const COUNT_DENIED = 8;
export const COUNT_UNKNOWN = 9;
export const COUNT_FILLS = 10;
export const COUNT_MAKER_FILLS = 11;
export const COUNT_RECOVERED_FILLS = 12;
/** The engine appends its own behind these. */
export const EXECUTION_COUNTERS = [
  "records",
  "sent",
  "acked",
  "rejected",
  "canceled",
  "expired",
  "filled",
  "modified",
  "denied",
  "unknown",
  "fills",
  "makerFills",
  "recoveredFills",
] as const;
