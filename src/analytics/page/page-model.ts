// What a report page shows, as plain data: the builder writes it into the document, the client script draws the charts.

export type Block =
  /** Named figures. */
  | { readonly kind: "figures"; readonly title: string; readonly rows: readonly Figure[] }
  /** Cells that are numbers are right-aligned; null is an empty cell. */
  | {
      readonly kind: "table";
      readonly title: string;
      readonly note?: string;
      readonly head: readonly string[];
      readonly rows: readonly (readonly (string | number | null)[])[];
    }
  | Chart
  | HeatMap
  | { readonly kind: "text"; readonly text: string };

export interface Figure {
  readonly name: string;
  readonly value: string;
  /** What it is, for a reader who hovers. */
  readonly about?: string;
}

/** Curves over time (or another common x). All charts with times of one page share zoom and cursor. */
export interface Chart {
  readonly kind: "chart";
  readonly title: string;
  readonly note?: string;
  readonly unit: string;
  /** time: x is seconds since the Unix epoch. */
  readonly x: "time" | "number";
  readonly xLabel?: string;
  /** Powers of ten on the y axis. */
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
export interface HeatMap {
  readonly kind: "heat";
  readonly title: string;
  readonly note?: string;
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
