// Every node type by name and by its name in expressions. Cold.
import type { NodeType } from "./node-type.ts";
import { EXTREMES } from "./nodes/extremes.ts";
import { FACTORS } from "./nodes/factors.ts";
import { OPERATORS } from "./nodes/operators.ts";
import { SIGNALS } from "./nodes/signals.ts";
import { SOURCES } from "./nodes/sources.ts";
import { TRANSFORMS } from "./nodes/transforms.ts";

export const BUILT_IN: readonly NodeType[] = [
  ...SOURCES,
  ...TRANSFORMS.filter((t) => t.group === "transform"),
  ...EXTREMES,
  ...FACTORS,
  ...TRANSFORMS.filter((t) => t.group === "factor"),
  ...SIGNALS,
  ...OPERATORS,
];

export class Catalogue {
  private readonly byName: Map<string, NodeType>;
  private readonly byFn: Map<string, NodeType>;
  readonly types: readonly NodeType[];

  /** Throws RangeError when two types share a name. */
  constructor(types: readonly NodeType[] = BUILT_IN) {
    this.types = types;
    this.byName = new Map();
    this.byFn = new Map();
    for (const type of types) {
      if (this.byName.has(type.name)) throw new RangeError(`node type ${type.name} is declared twice`);
      if (this.byFn.has(type.fn)) throw new RangeError(`function ${type.fn} is declared twice`);
      this.byName.set(type.name, type);
      this.byFn.set(type.fn, type);
    }
  }

  type(name: string): NodeType | undefined {
    return this.byName.get(name);
  }

  fn(name: string): NodeType | undefined {
    return this.byFn.get(name);
  }

  with(types: readonly NodeType[]): Catalogue {
    return new Catalogue([...this.types, ...types]);
  }
}

export const CATALOGUE = new Catalogue();
