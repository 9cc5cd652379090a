// Alert rules and routes from TOML: what to watch, when it is an alert, whom to tell. All problems at once, with file,
// line and key. Secrets stand in files of their own (mode 0600), never in the rules. Cold.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { readToml, type TomlDocument } from "../../core/toml.ts";
import { parseDuration } from "../../factor/duration.ts";

export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

const durationMs = z
  .string()
  .transform((text) => parseDuration(text) / 1e6)
  .refine((ms) => ms > 0, "expected a duration such as 500ms, 10s, 5m");
const labels = z.record(z.string(), z.string()).default({});
const common = {
  name: z.string().regex(/^[a-z][a-z0-9_-]*$/, "expected lower-case letters, digits, - and _"),
  severity: z.enum(SEVERITIES),
  /** Fires when the value is beyond one of these … */
  above: z.number().optional(),
  below: z.number().optional(),
  /** … for this long. */
  for: z.string().default("0s"),
  summary: z.string().default(""),
};
const metricRule = z.strictObject({
  ...common,
  metric: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "expected a metric's name"),
  labels,
  of: z.enum(["value", "absolute", "increase", "drawdown"]).default("value"),
  /** of = increase: over this long. */
  window: durationMs.default(60_000),
  divide: z.strictObject({ metric: z.string(), labels }).optional(),
});
const sqlRule = z.strictObject({ ...common, sql: z.string().min(1), every: durationMs.default(30_000) });
const secretFile = z.string().min(1);
const routeCommon = { name: z.string().min(1), severity: z.enum(SEVERITIES).default("warning") };
const route = z.discriminatedUnion("kind", [
  z.strictObject({
    ...routeCommon,
    kind: z.literal("webhook"),
    url: z.url(),
    bearer_file: secretFile.optional(),
  }),
  z.strictObject({ ...routeCommon, kind: z.literal("slack"), url_file: secretFile }),
  z.strictObject({
    ...routeCommon,
    kind: z.literal("telegram"),
    token_file: secretFile,
    chat_id: z.string().min(1),
    api: z.url().default("https://api.telegram.org"),
  }),
  z.strictObject({
    ...routeCommon,
    kind: z.literal("email"),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).default(587),
    /** TLS from the first byte; else STARTTLS: when the server offers it, or always when there is a password. */
    tls: z.boolean().default(false),
    /** Certificates (PEM) that the server's is checked against, instead of the usual authorities. */
    ca_file: z.string().min(1).optional(),
    user: z.string().optional(),
    password_file: secretFile.optional(),
    from: z.string().min(3),
    to: z.array(z.string().min(3)).min(1),
  }),
]);
const schema = z.strictObject({
  /** An alert that goes on firing is told again after this. */
  repeat: durationMs.default(4 * 3_600_000),
  rules: z.array(z.union([metricRule, sqlRule])).default([]),
  routes: z.array(route).default([]),
});

export type MetricRule = Omit<z.infer<typeof metricRule>, "for"> & { readonly forMs: number };
export type SqlRule = Omit<z.infer<typeof sqlRule>, "for"> & { readonly forMs: number };
export type AlertRule = MetricRule | SqlRule;
export const isSql = (rule: AlertRule): rule is SqlRule => "sql" in rule;

/** A route with its files read. `ca`: "" = the usual authorities. */
export type AlertRoute = z.infer<typeof route> & { readonly secret: string; readonly ca: string };

export interface AlertConfig {
  readonly repeatMs: number;
  readonly rules: readonly AlertRule[];
  readonly routes: readonly AlertRoute[];
}

/** Every problem of the file, one per line. */
export class AlertConfigError extends Error {
  override readonly name = "AlertConfigError";
}

/** Throws AlertConfigError, TomlSyntaxError, the file system's error. */
export function readAlertConfig(file: string): AlertConfig {
  const document = readToml(file);
  const parsed = schema.safeParse(document.value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.path as (string | number)[];
      return `${at(document, path)}: ${issue.message}`;
    });
    throw new AlertConfigError(problems.join("\n"));
  }
  const { rules, routes, repeat } = parsed.data;
  const problems: string[] = [];
  const names = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    const where = at(document, ["rules", i]);
    if (names.has(rule.name)) problems.push(`${where}: a second rule is named ${rule.name}`);
    names.add(rule.name);
    if ((rule.above === undefined) === (rule.below === undefined))
      problems.push(`${where}: ${rule.name} needs one of above and below`);
    if (rule.for !== "0s" && !(parseDuration(rule.for) > 0))
      problems.push(`${where}.for: ${rule.for} is not a duration such as 10s`);
  }
  const told = routes.map((one, i) => ({
    ...one,
    secret: secretOf(one, document, ["routes", i], problems),
    ca: one.kind === "email" ? fileOf(one.ca_file, document, ["routes", i, "ca_file"], problems).text : "",
  }));
  if (problems.length > 0) throw new AlertConfigError(problems.join("\n"));
  return {
    repeatMs: repeat,
    rules: rules.map(({ for: lasting, ...rule }) => ({
      ...rule,
      forMs: lasting === "0s" ? 0 : parseDuration(lasting) / 1e6,
    })),
    routes: told,
  };
}

const at = (document: TomlDocument, path: (string | number)[]): string =>
  `${document.file}:${document.locateNearest(path).line}: ${path.join(".") || "file"}`;

function secretOf(
  one: z.infer<typeof route>,
  document: TomlDocument,
  path: (string | number)[],
  problems: string[],
): string {
  const key = { webhook: "bearer_file", slack: "url_file", telegram: "token_file", email: "password_file" }[
    one.kind
  ];
  const given = (one as unknown as Record<string, string | undefined>)[key];
  const { file, text } = fileOf(given, document, [...path, key], problems);
  if (file === "") return "";
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0)
    problems.push(
      `${at(document, [...path, key])}: others may read ${file} (mode ${(mode & 0o777).toString(8)}), expected 0600`,
    );
  return text.trim();
}

/** A file named relative to the rules; "" for both when none is named or it is not there. */
function fileOf(
  given: string | undefined,
  document: TomlDocument,
  path: (string | number)[],
  problems: string[],
): { readonly file: string; readonly text: string } {
  if (given === undefined) return { file: "", text: "" };
  const file = resolve(dirname(document.file), given);
  if (existsSync(file)) return { file, text: readFileSync(file, "utf8") };
  problems.push(`${at(document, path)}: no file ${file}`);
  return { file: "", text: "" };
}
