// Layers of configuration and their merge. Tables merge key by key; everything else, arrays of tables
// included, is replaced as a whole by the later layer. Each value remembers its layer, so that an error or
// `config show` names the file that said it. Cold code.
import { parseToml, type TomlDocument, type TomlPath, type TomlTable, type TomlValue } from "../core/toml.ts";

export interface Layer {
  /** As messages show it: the path as it was given, or "command line". */
  readonly file: string;
  /** Directory that relative paths in this layer start from. */
  readonly dir: string;
  readonly value: TomlTable;
  /** Absent for flags: they have no lines. */
  readonly document?: TomlDocument;
}

export interface Origin {
  readonly layer: Layer;
  /** From 1; 0 when the layer has no lines. */
  readonly line: number;
}

export const COMMAND_LINE = "command line";

const key = (path: TomlPath): string => JSON.stringify(path.map(String));
const isTable = (value: TomlValue | undefined): value is TomlTable =>
  typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);

/** The merged tree; `origin` tells which layer set a path, or would have had to. */
export class MergedLayers {
  readonly value: TomlTable = {};
  private readonly owners = new Map<string, Layer>();
  private readonly layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    this.layers = layers;
    for (const layer of layers) this.merge(this.value, layer.value, [], layer);
  }

  /** The value at a path, undefined when absent. */
  at(path: TomlPath): TomlValue | undefined {
    let node: TomlValue | undefined = this.value;
    for (const part of path) {
      if (typeof node !== "object" || node instanceof Date) return undefined;
      node = (node as TomlTable)[part];
    }
    return node;
  }

  /** Of an absent key: the last layer that has its nearest enclosing table. */
  origin(path: TomlPath): Origin {
    for (let length = path.length; length >= 0; length--) {
      const layer = this.owners.get(key(path.slice(0, length)));
      if (layer !== undefined) return { layer, line: layer.document?.locateNearest(path).line ?? 0 };
    }
    return { layer: this.layers[0]!, line: 1 };
  }

  private merge(into: TomlTable, from: TomlTable, base: TomlPath, layer: Layer): void {
    for (const [name, value] of Object.entries(from)) {
      const path = [...base, name];
      const present = Object.hasOwn(into, name) ? into[name] : undefined;
      this.owners.set(key(path), layer);
      if (!isTable(value)) define(into, name, structuredClone(value));
      else this.merge(isTable(present) ? present : emptyTable(into, name), value, path, layer);
    }
  }
}

/** Also for keys such as __proto__, which an assignment would not store. */
function define(parent: TomlTable, name: string, value: TomlValue): void {
  Object.defineProperty(parent, name, { value, enumerable: true, writable: true, configurable: true });
}

function emptyTable(parent: TomlTable, name: string): TomlTable {
  const table: TomlTable = {};
  define(parent, name, table);
  return table;
}

/** `section.key=value` of a `--set` flag; the value is TOML, or else taken as a string. Throws RangeError. */
export function parseSetting(setting: string): {
  readonly path: readonly string[];
  readonly value: TomlValue;
} {
  const at = setting.indexOf("=");
  const path = setting.slice(0, Math.max(at, 0)).trim().split(".");
  if (at < 1 || path.some((part) => !/^[a-z0-9_]+$/.test(part)))
    throw new RangeError(`${JSON.stringify(setting)}: expected section.key=value`);
  const written = setting.slice(at + 1).trim();
  try {
    return { path, value: parseToml(`v = ${written}\n`, COMMAND_LINE).value["v"]! };
  } catch {
    return { path, value: written };
  }
}

/** Sets one value in a tree of flags. */
export function setFlag(flags: TomlTable, path: readonly string[], value: TomlValue): void {
  let node = flags;
  for (const part of path.slice(0, -1)) {
    const next = node[part];
    node = Object.hasOwn(node, part) && isTable(next) ? next : emptyTable(node, part);
  }
  define(node, path[path.length - 1]!, value);
}
