// One record as a plain JSON object, for jsonl and csv. Generic over the schema's descriptors: ids as decimal
// text from their u32 pairs, times as ns since the Unix epoch, prices, quantities and money as decimal text
// when the session's manifest tells the instrument's increments, codes by name. Cold code.
//
// Names: pxTicks → px, qtyLots → qty, costTickLots → cost, amountE8 → amount, exchTsNs → exchTs; without the
// instrument's increments a field keeps its name and its integer value.
import { formatDecimal, parseDecimal } from "../core/decimal.ts";
import type { RecordMemory } from "../core/record.ts";
import { type Instrument, moneyUnit } from "../market/instrument.ts";
import * as codes from "../wire/codes.ts";
import {
  type FieldDescriptor,
  FLAG_CONTINUATION,
  MESSAGE_DESCRIPTORS,
  type MessageDescriptor,
} from "../wire/messages.gen.ts";

export type ExportValue = string | number | boolean | null;
export type ExportRecord = Record<string, ExportValue>;

/** What the numbers of a session mean. */
export interface ExportContext {
  readonly baseNs: bigint;
  instrumentOf(id: number): Instrument | undefined;
  /** Name, or "#3". */
  strategyOf(id: number): string;
  /** Name, or "#3". */
  assetOf(id: number): string;
}

const BY_KIND = new Map<number, MessageDescriptor>(MESSAGE_DESCRIPTORS.map((d) => [d.kind, d]));

/** null: no message of this schema has the kind. */
export const kindName = (kind: number): string | null => BY_KIND.get(kind)?.name ?? null;
export const kindOf = (name: string): number | undefined =>
  MESSAGE_DESCRIPTORS.find((d) => d.name.toLowerCase() === name.toLowerCase())?.kind;

const FLAG_NAMES = [
  "endOfEvent",
  "more",
  "continuation",
  "snapshot",
  "recovered",
  "reduceOnly",
  "venue",
] as const;
const BOOK_SIDES: Readonly<Record<number, string>> = { 1: "buy", [-1]: "sell", 0: "both" };
const TWO_LIMB_SHIFT = 52n;
/** Two-limb sums, with the digits that are below one tick·lot. */
const LIMB_SUMS: Readonly<Record<string, number>> = { realized: 0, fees: 8 };

/** Code tables by "Message.field" or ".field". */
const CODES: Readonly<Record<string, readonly string[]>> = {
  ".action": codes.ACTION_NAMES,
  ".requestAction": codes.ACTION_NAMES,
  ".tif": codes.TIF_NAMES,
  ".orderType": codes.ORDER_TYPE_NAMES,
  ".execType": codes.EXEC_TYPE_NAMES,
  ".orderState": codes.ORDER_STATE_NAMES,
  ".denyCode": codes.DENY_NAMES,
  "OrderReport.source": codes.SOURCE_NAMES,
  "Fill.source": codes.SOURCE_NAMES,
  "FeedStatus.state": codes.FEED_STATE_NAMES,
  "FeedStatus.reason": codes.FEED_REASON_NAMES,
  "StrategyStatus.state": codes.STRATEGY_STATE_NAMES,
  "StrategyStatus.previousState": codes.STRATEGY_STATE_NAMES,
  "ControlReply.state": codes.STRATEGY_STATE_NAMES,
  "Control.code": codes.CONTROL_NAMES,
  "ControlReply.code": codes.CONTROL_NAMES,
  "RiskState.code": codes.RISK_STATE_NAMES,
  "Observation.code": codes.OBSERVED_NAMES,
};

const HEADER_FIELDS = new Set(["kind", "flags", "instrument", "strategy", "sequence", "spare"]);

/** `extra` (position, stream, session) comes first. An unknown kind gives its number and the raw bytes. */
export function exportRecord(
  m: RecordMemory,
  at: number,
  context: ExportContext,
  extra: ExportRecord = {},
): ExportRecord {
  const kind = m.u16[at >> 1]!;
  const descriptor = BY_KIND.get(kind);
  const instrumentId = m.u16[(at >> 1) + 2]!;
  const instrument = context.instrumentOf(instrumentId);
  const out: ExportRecord = {
    ...extra,
    kind: descriptor?.name ?? `#${kind}`,
    flags: flagText(m.u16[(at >> 1) + 1]!),
    instrument: instrumentId === 0 ? null : (instrument?.symbol ?? `#${instrumentId}`),
    strategy: context.strategyOf(m.u16[(at >> 1) + 3]!),
    sequence: m.u32[(at >> 2) + 2]!,
    spare: m.u32[(at >> 2) + 3]!,
  };
  if (descriptor === undefined) {
    out["body"] = Buffer.from(m.u8.subarray(at + 16, at + 64)).toString("hex");
    return out;
  }
  for (const field of descriptor.fields)
    if (!HEADER_FIELDS.has(field.name)) exportField(m, at, descriptor, field, context, instrument, out);
  return out;
}

export const isContinuation = (m: RecordMemory, at: number): boolean =>
  (m.u16[(at >> 1) + 1]! & FLAG_CONTINUATION) !== 0;

function flagText(flags: number): string {
  const names = FLAG_NAMES.filter((_, bit) => (flags & (1 << bit)) !== 0);
  const unknown = flags >> FLAG_NAMES.length;
  return [...names, ...(unknown === 0 ? [] : [`#${unknown << FLAG_NAMES.length}`])].join("|");
}

function exportField(
  m: RecordMemory,
  at: number,
  message: MessageDescriptor,
  field: FieldDescriptor,
  context: ExportContext,
  instrument: Instrument | undefined,
  out: ExportRecord,
): void {
  const { name } = field;
  if (field.type === "text") {
    out[name] = text(m.u8.subarray(at + field.offset, at + field.offset + field.bytes));
    return;
  }
  const value = readNumber(m, at, field);
  const stem = name.slice(0, -2);
  if (field.type === "u32" && name.endsWith("Lo"))
    out[stem] = id64(value, readNamed(m, at, message, `${stem}Hi`));
  else if (field.type === "u32" && name.endsWith("Hi")) return;
  else if (stem in LIMB_SUMS && name.endsWith("Hi"))
    limbSum(out, stem, value, readNamed(m, at, message, `${stem}Lo`), instrument);
  else if (stem in LIMB_SUMS && name.endsWith("Lo")) return;
  else exportNumber(name, value, field, message, context, instrument, out);
}

function exportNumber(
  name: string,
  value: number,
  field: FieldDescriptor,
  message: MessageDescriptor,
  context: ExportContext,
  instrument: Instrument | undefined,
  out: ExportRecord,
): void {
  const table = CODES[`${message.name}.${name}`] ?? CODES[`.${name}`];
  if (table !== undefined) out[name] = table[value] ?? `#${value}`;
  else if (name === "asset" || name === "feeAsset") out[name] = context.assetOf(value);
  else if (name === "side") out[name] = sideText(value, field.type);
  else if (name === "maker") out[name] = value === 1;
  else if (!Number.isFinite(value)) out[plainName(name, instrument)] = null;
  else if (name.endsWith("TsNs")) out[name.slice(0, -2)] = value === 0 ? null : unixNs(context.baseNs, value);
  else if (name.endsWith("E8")) out[name.slice(0, -2)] = integerOr(value, (n) => formatDecimal(n, 8));
  else if (instrument !== undefined && name.endsWith("TickLots"))
    out[name.slice(0, -8)] = scaled(value, moneyUnit(instrument));
  else if (instrument !== undefined && name.endsWith("Ticks"))
    out[name.slice(0, -5)] = scaled(value, increment(instrument.tickSize));
  else if (instrument !== undefined && name.endsWith("Lots"))
    out[name.slice(0, -4)] = scaled(value, increment(instrument.lotSize));
  else out[name] = value;
}

/** The name that a field has once its unit is resolved, so that a missing value stands in the same column. */
function plainName(name: string, instrument: Instrument | undefined): string {
  if (name.endsWith("TsNs") || name.endsWith("E8")) return name.slice(0, -2);
  if (instrument === undefined) return name;
  return name.replace(/(TickLots|Ticks|Lots)$/, "");
}

const increment = (size: string): { mantissa: bigint; decimals: number } => {
  const { units, decimals } = parseDecimal(size);
  return { mantissa: units, decimals };
};

/** value · unit exactly; a mid may be half a tick, so tenths are carried. */
function scaled(value: number, unit: { readonly mantissa: bigint; readonly decimals: number }): string {
  if (Number.isInteger(value)) return formatDecimal(BigInt(value) * unit.mantissa, unit.decimals);
  const tenths = value * 10;
  if (Number.isInteger(tenths)) return formatDecimal(BigInt(tenths) * unit.mantissa, unit.decimals + 1);
  return String(value * (Number(unit.mantissa) / 10 ** unit.decimals));
}

const integerOr = (value: number, format: (n: bigint) => string): string =>
  Number.isInteger(value) ? format(BigInt(value)) : String(value);

function limbSum(
  out: ExportRecord,
  stem: string,
  hi: number,
  lo: number,
  instrument: Instrument | undefined,
): void {
  if (!Number.isInteger(hi) || !Number.isInteger(lo)) {
    out[stem] = null;
    return;
  }
  const sum = (BigInt(hi) << TWO_LIMB_SHIFT) + BigInt(lo);
  const digits = LIMB_SUMS[stem]!;
  if (instrument === undefined) out[`${stem}TickLots`] = formatDecimal(sum, digits);
  else {
    const unit = moneyUnit(instrument);
    out[stem] = formatDecimal(sum * unit.mantissa, unit.decimals + digits);
  }
}

const id64 = (lo: number, hi: number): string => ((BigInt(hi) << 32n) | BigInt(lo)).toString();
const unixNs = (baseNs: bigint, sessionNs: number): string =>
  (baseNs + BigInt(Math.round(sessionNs))).toString();

function sideText(value: number, type: string): string {
  return (type === "i32" ? BOOK_SIDES[value] : codes.SIDE_NAMES[value]) ?? `#${value}`;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function readNamed(m: RecordMemory, at: number, message: MessageDescriptor, name: string): number {
  return readNumber(m, at, message.fields.find((f) => f.name === name)!);
}

function readNumber(m: RecordMemory, at: number, field: FieldDescriptor): number {
  const offset = at + field.offset;
  switch (field.type) {
    case "u8":
      return m.u8[offset]!;
    case "u16":
      return m.u16[offset >> 1]!;
    case "i32":
      return m.i32[offset >> 2]!;
    case "f64":
      return m.f64[offset >> 3]!;
    default:
      return m.u32[offset >> 2]!;
  }
}
