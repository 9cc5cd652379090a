// Every counter and latency histogram of the engine, declared once, by the role that writes it. The index in
// the tuple is the slot in the arena; main, metrics and the summary read by name.
import { EXECUTION_COUNTERS } from "../strategy/execution-counters.ts";

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
  ],
  factor: ["records", "events", "overflows", "windowOverflows"],
  execution: [
    ...EXECUTION_COUNTERS,
    "ordersLost",
    "telemetryLost",
    "noticesLost",
    "repliesLost",
    "reconnects",
  ],
  writer: ["records", "bytes", "segments", "batches", "unackedWindowUs", "failed", "shed"],
} as const;

export const HISTOGRAMS = {
  feed: ["decode"],
  factor: ["hop", "book", "graph"],
  execution: ["tickToOrder", "strategy", "risk", "encode", "roundTrip"],
  writer: [],
} as const;
