// The OpenAPI 3.1 document, derived from the route table and its zod schemas: it cannot drift from what the
// API accepts. Answers are described by name; their fields are in docs/api.md.
import { z } from "zod";
import { ROUTES, type Route } from "./routes.ts";

type Document = Record<string, unknown>;

const ERROR_SCHEMA = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["what", "where", "expected"],
      properties: {
        what: { type: "string" },
        where: { type: "string" },
        expected: { type: "string" },
        problems: { type: "array", items: { type: "object" } },
      },
    },
  },
};

const RESULT_SCHEMA = {
  type: "object",
  required: ["ok", "code", "message", "state", "before", "after", "ordersMayBeWorking"],
  properties: {
    ok: { type: "boolean" },
    code: { enum: ["done", "invalid", "notFound", "refused", "failed"] },
    message: { type: "string" },
    state: { type: "string" },
    before: {},
    after: {},
    ordersMayBeWorking: { type: "boolean" },
  },
};

export function openApiDocument(version: string): Document {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "hotlane", version, description: "Control and observation of one running engine." },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Error: ERROR_SCHEMA, CommandResult: RESULT_SCHEMA },
    },
    security: [{ token: [] }],
    paths: { ...OTHER_PATHS, ...paths },
  };
}

const plain = (summary: string, type: string, open: boolean) => ({
  get: {
    summary,
    ...(open ? { security: [] } : {}),
    responses: { "200": { description: "OK", content: { [type]: {} } }, ...(open ? {} : REFUSALS) },
  },
});

const refusal = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
});
const REFUSALS = {
  "401": refusal("No token, or not one of this session."),
  "403": refusal("Host, Origin or scope does not allow it."),
};

/** Routes that do not answer with a view or a command result. */
const OTHER_PATHS = {
  "/health": plain("200 when live and ready, else 503; no token.", "application/json", true),
  "/health/live": plain("200 while every lane's heart beats, else 503; no token.", "application/json", true),
  "/": plain("The live status page.", "text/html", true),
  "/openapi.json": plain("This document.", "application/json", true),
  "/metrics": plain("Prometheus text exposition.", "text/plain", false),
  "/api/live": plain(
    "Server-sent events: the state of the page, at least twice a second.",
    "text/event-stream",
    false,
  ),
};

function operation(route: Route): Document {
  const parameters = [...pathParameters(route.path), ...queryParameters(route)];
  const answer =
    route.method === "get" ? { type: ["object", "array"] } : { $ref: "#/components/schemas/CommandResult" };
  return {
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.method === "get" ? {} : { requestBody: requestBody(route.body) }),
    responses: {
      "200": { description: "OK", content: { "application/json": { schema: answer } } },
      "400": refusal("The request is wrong."),
      ...REFUSALS,
      ...(route.path.includes("{name}") ? { "404": refusal("No such strategy.") } : {}),
      ...(route.method === "get" ? {} : { "409": refusal("Not in this state.") }),
    },
  };
}

const jsonSchema = (schema: z.ZodType): Document => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
};

const requestBody = (schema: z.ZodType) => ({
  required: false,
  content: { "application/json": { schema: jsonSchema(schema) } },
});

function pathParameters(path: string): Document[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(route: Route): Document[] {
  if (route.method !== "get") return [];
  const properties = (jsonSchema(route.query)["properties"] ?? {}) as Record<string, unknown>;
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}
