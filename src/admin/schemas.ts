// What clients may send. Strict: an unknown key is an error, and no schema has a place for a path, URL or
// module name. The OpenAPI document is derived from these.
import { z } from "zod";
import { ALL_STRATEGIES } from "../control/engine-control.ts";

const MAX_WHY_CHARACTERS = 500;
const MAX_WHO_CHARACTERS = 64;
const MAX_ROWS = 10_000;
const DEFAULT_ROWS = 200;
const MAX_VALUES = 100;

/** Strategies are named like this in the configuration; anything else names none. */
export const STRATEGY_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

const attribution = {
  why: z.string().max(MAX_WHY_CHARACTERS).default("").describe("Reason, for the audit log."),
  who: z.string().max(MAX_WHO_CHARACTERS).default("client").describe("How the client names itself."),
};
const strategy = z
  .string()
  .regex(STRATEGY_NAME, `expected a strategy's name or "${ALL_STRATEGIES}"`)
  .default(ALL_STRATEGIES)
  .describe(`A strategy's name, or "${ALL_STRATEGIES}".`);

const value = z.union([z.string().max(64), z.number(), z.boolean()]);

export const pauseBody = z.strictObject({
  strategy,
  keepOrders: z.boolean().default(false).describe("Leave working orders at the venue."),
  ...attribution,
});
export const strategyBody = z.strictObject({ strategy, ...attribution });
export const engineBody = z.strictObject(attribution);
export const emergencyBody = z.strictObject({
  cancelOrders: z.boolean().default(true),
  closePosition: z
    .boolean()
    .default(false)
    .describe("Reduce every position to zero with reduce-only orders."),
  ...attribution,
});
export const shutdownBody = z.strictObject({
  keep: z.boolean().default(false).describe("Leave working orders at the venue."),
  ...attribution,
});
export const valuesBody = z.strictObject({
  values: z
    .record(z.string().max(64), value)
    .refine((v) => Object.keys(v).length > 0, "expected at least one value")
    .refine((v) => Object.keys(v).length <= MAX_VALUES, `expected at most ${MAX_VALUES} values`)
    .describe("Name → value; decimals best as strings."),
  ...attribution,
});

const limit = z.coerce.number().int().min(1).max(MAX_ROWS).default(DEFAULT_ROWS);
export const ordersQuery = z.strictObject({
  open: z
    .enum(["true", "false"])
    .default("true")
    .describe("Only orders that may still work at the venue.")
    .transform((text) => text === "true"),
  strategy: z.string().regex(STRATEGY_NAME, "expected a strategy's name").optional(),
  limit,
});
export const fillsQuery = z.strictObject({ limit });
export const noQuery = z.strictObject({});
