// Generates messages.gen.ts from schema.ts. Run by `bun run generate`; a test compares its output with the
// committed file. Rejects misalignment, hidden padding, duplicate kinds and bodies that are not 32 bytes.
import { type Field, FLAGS, HEADER, MESSAGES, type Message, SCHEMA_VERSION } from "./schema.ts";

const HEADER_BYTES = 32;
const RECORD_BYTES = 64;
const SIZE = { u8: 1, u16: 2, u32: 4, i32: 4, f64: 8, text: 0 } as const;
const SHIFT = { u8: 0, u16: 1, u32: 2, i32: 2, f64: 3, text: 0 } as const;

interface Placed extends Field {
  readonly offset: number;
}

const sizeOf = (field: Field): number => (field.type === "text" ? (field.bytes ?? 0) : SIZE[field.type]);
const constant = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

/** Places fields one after another from `start`; throws where alignment would need padding. */
export function place(owner: string, fields: readonly Field[], start: number, end: number): Placed[] {
  let at = start;
  const placed: Placed[] = [];
  for (const field of fields) {
    const align = field.type === "text" ? 1 : SIZE[field.type];
    if (at % align !== 0)
      throw new Error(`${owner}.${field.name}: ${field.type} at byte ${at} is not aligned`);
    if (placed.some((p) => p.name === field.name)) throw new Error(`${owner}.${field.name}: declared twice`);
    placed.push({ ...field, offset: at });
    at += sizeOf(field);
  }
  if (at !== end)
    throw new Error(`${owner}: fields end at byte ${at}, expected ${end} (reserve the rest explicitly)`);
  return placed;
}

function layoutPicture(fields: readonly Placed[]): string {
  const cell = (f: Placed) => `${f.offset}:${f.name} ${f.type}${f.type === "text" ? f.bytes : ""}`;
  return fields.map(cell).join(" | ");
}

/** Element index of a field inside its typed array, from a record's byte offset held in `at`. */
const index = (f: Placed, at = "at"): string =>
  SHIFT[f.type] === 0 ? `${at} + ${f.offset}` : `(${at} >> ${SHIFT[f.type]}) + ${f.offset >> SHIFT[f.type]}`;

const isNumber = (f: Placed): boolean => f.type !== "text";
const isReserved = (f: Placed): boolean => f.name.startsWith("reserved");

function encoder(message: Message, body: readonly Placed[]): string {
  const header = ["flags", "instrument", "strategy", "sequence", "spare", "exchTsNs", "recvTsNs"];
  const fields = body.filter((f) => isNumber(f) && !isReserved(f)).map((f) => f.name);
  const typed = (names: readonly string[]): string => names.map((name) => `, ${name}: number`).join("");
  const stores = body
    .filter(isNumber)
    .map((f) => `  m.${f.type}[${index(f)}] = ${isReserved(f) ? "0" : f.name};`);
  return [
    `/** Encodes a whole ${message.name} record at byte offset \`at\`; every byte is written${body.some((f) => !isNumber(f)) ? " except the text" : ""}. */`,
    `export function encode${message.name}(m: RecordMemory, at: number${typed([...header, ...fields])}): void {`,
    `  encodeHeader(m, at, ${message.kind}, ${header.join(", ")});`,
    ...(fields.length === 0 ? [] : [`  put${message.name}(${["m", "at", ...fields].join(", ")});`]),
    "}",
    ...(fields.length === 0 ? [] : bodyWriter(message, typed(fields), stores)),
  ].join("\n");
}

/** For records whose header was written apart: a head and its continuation share one. */
function bodyWriter(message: Message, parameters: string, stores: readonly string[]): string[] {
  return [
    "",
    `/** The body of a ${message.name} record: encodeHeader writes the rest. */`,
    `export function put${message.name}(m: RecordMemory, at: number${parameters}): void {`,
    ...stores,
    "}",
  ];
}

function accessors(fields: readonly Placed[]): string[] {
  return fields
    .filter((f) => isNumber(f) && !isReserved(f))
    .flatMap((f) => [
      ...(f.doc ? [`  /** ${f.doc} */`] : []),
      `  get ${f.name}(): number { return this.m.${f.type}[${index(f, "this.at")}]!; }`,
      `  set ${f.name}(value: number) { this.m.${f.type}[${index(f, "this.at")}] = value; }`,
    ]);
}

function flyweight(message: Message, body: readonly Placed[]): string {
  return [
    `/** ${message.doc}\n * ${layoutPicture(body)} */`,
    `export class ${message.name} extends RecordHeader {`,
    `  static readonly KIND = ${message.kind};`,
    ...accessors(body),
    "}",
  ].join("\n");
}

function fieldIndexes(message: Message, body: readonly Placed[]): string[] {
  return body
    .filter((f) => !isReserved(f))
    .map((f) => `export const ${constant(message.name)}_${constant(f.name)} = ${f.offset >> SHIFT[f.type]};`);
}

function describe(message: Message, header: readonly Placed[], body: readonly Placed[]): string {
  const field = (f: Placed) =>
    `{ name: "${f.name}", type: "${f.type}", offset: ${f.offset}, bytes: ${sizeOf(f)} }`;
  const fields = [...header, ...body].filter((f) => !isReserved(f)).map(field);
  return `  { name: "${message.name}", kind: ${message.kind}, since: ${message.since}, fields: [${fields.join(", ")}] },`;
}

/** The text of messages.gen.ts. Pure: same schema, same text. */
export function generate(messages: readonly Message[] = MESSAGES): string {
  const kinds = new Set<number>();
  for (const m of messages) {
    if (m.kind < 1 || m.kind > 255 || kinds.has(m.kind))
      throw new Error(`${m.name}: kind ${m.kind} is taken or out of 1..255`);
    kinds.add(m.kind);
  }
  const header = place("header", HEADER, 0, HEADER_BYTES);
  const placed = messages.map((m) => ({ m, body: place(m.name, m.body, HEADER_BYTES, RECORD_BYTES) }));
  const headerFields = header.filter((f) => f.name !== "kind");
  return [
    "// GENERATED by src/wire/generate.ts from src/wire/schema.ts: do not edit, run `bun run generate`.",
    'import type { RecordMemory } from "../core/record.ts";',
    "",
    `export const SCHEMA_VERSION = ${SCHEMA_VERSION};`,
    `// header: ${layoutPicture(header)}`,
    "// Field constants are element indexes: m.<type>[(recordOffset >> log2(size)) + CONSTANT].",
    ...header.map((f) => `export const HEADER_${constant(f.name)} = ${f.offset >> SHIFT[f.type]};`),
    ...Object.entries(FLAGS).map(([name, value]) => `export const FLAG_${name} = ${value};`),
    ...messages.map((m) => `export const KIND_${constant(m.name)} = ${m.kind};`),
    ...placed.flatMap(({ m, body }) => fieldIndexes(m, body)),
    "",
    `export function encodeHeader(m: RecordMemory, at: number, kind: number, ${headerFields.map((f) => `${f.name}: number`).join(", ")}): void {`,
    "  m.i32[at >> 2] = kind | (flags << 16);",
    "  m.i32[(at >> 2) + 1] = instrument | (strategy << 16);",
    "  m.u32[(at >> 2) + 2] = sequence;",
    "  m.u32[(at >> 2) + 3] = spare;",
    "  m.f64[(at >> 3) + 2] = exchTsNs;",
    "  m.f64[(at >> 3) + 3] = recvTsNs;",
    "}",
    "",
    "/** Reusable view of one record: `wrap`, then read or write fields. Never kept across records. */",
    "export class RecordHeader {",
    "  m: RecordMemory;",
    "  at: number;",
    "  constructor(m: RecordMemory) { this.m = m; this.at = 0; }",
    "  wrap(m: RecordMemory, at: number): this { this.m = m; this.at = at; return this; }",
    ...accessors(header),
    "}",
    "",
    ...placed.map(({ m, body }) => `${flyweight(m, body)}\n\n${encoder(m, body)}\n`),
    'export interface FieldDescriptor { readonly name: string; readonly type: "u8" | "u16" | "u32" | "i32" | "f64" | "text"; readonly offset: number; readonly bytes: number }',
    "export interface MessageDescriptor { readonly name: string; readonly kind: number; readonly since: number; readonly fields: readonly FieldDescriptor[] }",
    "/** For cold generic code (jsonl export, inspection): every message with its fields, header first. */",
    "export const MESSAGE_DESCRIPTORS: readonly MessageDescriptor[] = [",
    ...placed.map(({ m, body }) => describe(m, header, body)),
    "];",
    "",
  ].join("\n");
}

if (import.meta.main) await Bun.write(new URL("messages.gen.ts", import.meta.url).pathname, generate());
