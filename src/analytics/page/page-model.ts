// What a report page shows, as plain data: the builder writes it into the document, the client script draws the charts.

export type Block =
  /** Begins a part of the page; parts are linked at its top. */
  | { readonly kind: "heading"; readonly title: string }
  /** Named figures; `lead`: the large ones that are read first. */
  | {
      readonly kind: "figures";
      readonly title: string;
      readonly lead?: boolean;
      readonly rows: readonly Figure[];
    }
  | Table
  | Bars
  | Chart
  | HeatMap
  /** What the reader must know before believing the rest. */
  | { readonly kind: "text"; readonly text: string };

export type Tone = "good" | "bad";

export interface Figure {
  readonly name: string;
  readonly value: string;
  /** What it is, for a reader who hovers. */
  readonly about?: string;
  readonly tone?: Tone | undefined;
}

/** What every framed block has. */
interface Framed {
  readonly title: string;
  readonly note?: string;
  /** Two of them stand side by side where the window is wide enough. */
  readonly half?: boolean;
}

/** Numbers, alone or with a unit behind them, are right-aligned; null is an empty cell. */
export interface Table extends Framed {
  readonly kind: "table";
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** The last row adds up the others. */
  readonly total?: boolean;
}

/** Amounts of one unit as bars from a common zero. */
export interface Bars extends Framed {
  readonly kind: "bars";
  readonly rows: readonly { readonly name: string; readonly value: number; readonly total?: boolean }[];
}

/** Curves over time (or another common x). All charts with times of one page share zoom and cursor. */
export interface Chart extends Framed {
  readonly kind: "chart";
  readonly unit: string;
  /** time: x is seconds since the Unix epoch; log: numbers above 0, drawn by powers of ten. */
  readonly x: "time" | "number" | "log";
  readonly xLabel?: string;
  /** Powers of ten on the y axis; values that are not above 0 are left out. */
  readonly log?: boolean;
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly draw: "line" | "steps" | "area" | "points" | "bars";
  /** An axis of its own on the right, for a series of another size. */
  readonly right?: boolean;
  readonly colour: "blue" | "green" | "red" | "grey" | "orange";
}

/** Rows × columns of numbers; null = nothing there. Coloured from the least to the greatest value, or around 0. */
export interface HeatMap extends Framed {
  readonly kind: "heat";
  readonly unit: string;
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
}

export interface Page {
  readonly title: string;
  readonly subtitle: string;
  readonly blocks: readonly Block[];
}
