// TOML with positions. Values come from smol-toml; a syntax tree with positions is built by toml-eslint-parser
// only when somebody asks where a key stands, so a good file pays for one parse. Cold code.
import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { type AST, parseTOML } from "toml-eslint-parser";

export type TomlValue = string | number | boolean | Date | TomlTable | TomlValue[];
export interface TomlTable {
  [key: string]: TomlValue;
}

/** Keys and array indexes from the root, for example ["strategies", 0, "params", "spread"]. */
export type TomlPath = readonly (string | number)[];

/** Both from 1. */
export interface TomlPosition {
  readonly line: number;
  readonly column: number;
}

export class TomlSyntaxError extends Error {
  override readonly name = "TomlSyntaxError";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(file: string, line: number, column: number, reason: string) {
    super(`${file}:${line}:${column}: ${reason}`);
    this.file = file;
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

export interface TomlDocument {
  /** As given to parseToml; used in messages only. */
  readonly file: string;
  readonly value: TomlTable;
  /** Where the key stands; null when the document does not hold it. */
  locate(path: TomlPath): TomlPosition | null;
  /** Like `locate`, but an absent key gives the nearest enclosing table; the root is line 1, column 1. */
  locateNearest(path: TomlPath): TomlPosition;
}

/** Throws TomlSyntaxError with file, line and column. `file` is used in messages only. */
export function parseToml(text: string, file: string): TomlDocument {
  const value = parseValues(text, file);
  let positions: Map<string, TomlPosition> | null = null;
  const locate = (path: TomlPath): TomlPosition | null => {
    positions ??= indexPositions(text);
    return positions.get(pathKey(path)) ?? null;
  };
  const locateNearest = (path: TomlPath): TomlPosition => {
    for (let length = path.length; length > 0; length--) {
      const found = locate(path.slice(0, length));
      if (found !== null) return found;
    }
    return { line: 1, column: 1 };
  };
  return { file, value, locate, locateNearest };
}

/** Reads and parses a file. Throws TomlSyntaxError, or the file system's error when it cannot be read. */
export function readToml(path: string, shownAs: string = path): TomlDocument {
  return parseToml(readFileSync(path, "utf8"), shownAs);
}

function parseValues(text: string, file: string): TomlTable {
  try {
    return parse(text) as TomlTable;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n", 1)[0]!.replace(/^Invalid TOML document: /, "");
    throw new TomlSyntaxError(file, error.line, error.column, reason);
  }
}

const pathKey = (path: TomlPath): string => JSON.stringify(path.map(String));

function indexPositions(text: string): Map<string, TomlPosition> {
  const found = new Map<string, TomlPosition>();
  const note = (path: TomlPath, node: { loc: AST.SourceLocation }): void => {
    const key = pathKey(path);
    if (!found.has(key)) found.set(key, { line: node.loc.start.line, column: node.loc.start.column + 1 });
  };
  const visitValue = (path: TomlPath, node: AST.TOMLContentNode): void => {
    if (node.type === "TOMLInlineTable") for (const pair of node.body) visitPair(path, pair);
    if (node.type !== "TOMLArray") return;
    node.elements.forEach((element, index) => {
      note([...path, index], element);
      visitValue([...path, index], element);
    });
  };
  const visitPair = (base: TomlPath, pair: AST.TOMLKeyValue): void => {
    let path = base;
    for (const key of pair.key.keys) {
      path = [...path, keyText(key)];
      note(path, key);
    }
    visitValue(path, pair.value);
  };
  for (const node of parseTOML(text).body[0].body) {
    if (node.type === "TOMLKeyValue") {
      visitPair([], node);
      continue;
    }
    noteHeader(node, note);
    for (const pair of node.body) visitPair(node.resolvedKey, pair);
  }
  return found;
}

/** `[a.b]` and `[[a.b]]`: resolvedKey holds array indexes between the written keys. */
function noteHeader(table: AST.TOMLTable, note: (path: TomlPath, node: AST.TOMLNode) => void): void {
  let written = -1;
  table.resolvedKey.forEach((part, depth) => {
    if (typeof part === "string") written++;
    note(table.resolvedKey.slice(0, depth + 1), table.key.keys[written]!);
  });
}

const keyText = (key: AST.TOMLBare | AST.TOMLQuoted): string =>
  key.type === "TOMLBare" ? key.name : key.value;
