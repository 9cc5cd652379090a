// Checks the parameters of a node against its type. Cold.
import { formatDuration, parseDuration } from "./duration.ts";
import type { NodeType, ParamSpec, Params, ParamValue, Window } from "./node-type.ts";

/** A checked value, or what is wrong with it. */
type Checked = { readonly value: ParamValue } | { readonly problem: string };

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

function inRange(spec: ParamSpec, value: number): Checked {
  const { min = -Infinity, max = Infinity } = spec;
  if (value >= min && value <= max) return { value };
  const bounds = max === Infinity ? `≥ ${min}` : min === -Infinity ? `≤ ${max}` : `${min} … ${max}`;
  return { problem: `${value} is out of range, expected ${bounds}` };
}

function checkNumber(spec: ParamSpec, raw: unknown, whole: boolean): Checked {
  if (typeof raw !== "number" || !Number.isFinite(raw)) return { problem: `${shown(raw)} is not a number` };
  if (whole && !Number.isInteger(raw)) return { problem: `${raw} is not an integer` };
  return inRange(spec, raw);
}

function checkTime(raw: unknown): Checked {
  const ns = typeof raw === "string" ? parseDuration(raw) : NaN;
  return Number.isNaN(ns)
    ? { problem: `${shown(raw)} is not a duration, expected e.g. "250ms", "10s", "5m"` }
    : { value: ns };
}

function checkWindow(spec: ParamSpec, raw: unknown): Checked {
  if (typeof raw === "string") {
    const time = checkTime(raw);
    return "problem" in time ? time : { value: { by: "time", size: time.value as number } };
  }
  const count = checkNumber(spec, raw, true);
  return "problem" in count ? count : { value: { by: "count", size: count.value as number } };
}

function checkOne(spec: ParamSpec, raw: unknown): Checked {
  switch (spec.kind) {
    case "number":
      return checkNumber(spec, raw, false);
    case "integer":
    case "count":
      return checkNumber(spec.kind === "count" ? { min: 0, ...spec } : spec, raw, true);
    case "time":
      return checkTime(raw);
    case "window":
      return checkWindow(spec, raw);
    case "choice":
      return typeof raw === "string" && spec.choices!.includes(raw)
        ? { value: raw }
        : { problem: `${shown(raw)} is not one of ${spec.choices!.join(", ")}` };
    case "text":
      return typeof raw === "string" && raw !== ""
        ? { value: raw }
        : { problem: `${shown(raw)} is not a text` };
    case "numbers":
      return Array.isArray(raw) && raw.every((v) => typeof v === "number" && Number.isFinite(v))
        ? { value: raw as number[] }
        : { problem: `${shown(raw)} is not a list of numbers` };
  }
}

/** `report(key, message)` is called for every fault; the result is complete only when it was not. */
export function checkParams(
  type: NodeType,
  config: Readonly<Record<string, unknown>>,
  report: (key: string, message: string) => void,
): Params {
  const params: Record<string, ParamValue | undefined> = {};
  for (const spec of type.params) {
    const raw = config[spec.name];
    if (raw === undefined) {
      if (spec.default !== undefined) params[spec.name] = spec.default;
      else if (spec.optional !== true) report(spec.name, `missing parameter ${spec.name} (${spec.doc})`);
      continue;
    }
    const checked = checkOne(spec, raw);
    if ("problem" in checked) report(spec.name, `parameter ${spec.name}: ${checked.problem}`);
    else params[spec.name] = checked.value;
  }
  for (const key of Object.keys(config)) {
    if (type.params.some((p) => p.name === key)) continue;
    const known = type.params.map((p) => p.name).join(", ");
    report(key, `unknown parameter ${key}; ${type.name} takes ${known === "" ? "none" : known}`);
  }
  return params;
}

/** For catalogues and hashes: `10s`, `100`, `bid`. */
export function paramText(spec: ParamSpec, value: ParamValue | undefined): string {
  if (value === undefined) return "";
  if (spec.kind === "time") return formatDuration(value as number);
  if (spec.kind === "window") {
    const window = value as Window | number;
    if (typeof window === "number") return String(window);
    return window.by === "time" ? formatDuration(window.size) : String(window.size);
  }
  return Array.isArray(value) ? value.join(", ") : String(value);
}
