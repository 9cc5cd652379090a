// Every counter and latency histogram of the engine, declared once, by the role that writes it. The index in
// the tuple is the slot in the arena; main, metrics and the summary read by name.

export const COUNTERS = {
  feed: [
    "messages",
    "bytes",
    "events",
    "trades",
    "gaps",
    "resyncs",
    "reconnects",
    "malformed",
    "overflows",
    "journalLost",
    "noticesLost",
  ],
  factor: ["records", "events", "signals", "overflows", "noticesLost"],
  execution: [
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
    "ordersLost",
    "telemetryLost",
    "noticesLost",
    "reconnects",
    "requests",
  ],
  writer: ["records", "bytes", "segments", "batches", "syncs", "unackedWindowUs", "failed", "noticesLost"],
} as const;

export const HISTOGRAMS = {
  feed: ["decode"],
  factor: ["hop", "book", "graph"],
  execution: ["tickToOrder", "strategy", "risk", "encode", "roundTrip"],
  writer: [],
} as const;
