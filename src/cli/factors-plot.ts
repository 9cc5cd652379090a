// The picture of a factor run: one chart per output over the mid price, in one self-contained page. Memory is bounded:
// a curve of more than KEPT_POINTS is thinned to half of it, and no spike is lost. Cold.
import type { Chart, Page } from "../analytics/page/page-model.ts";
import { reportPage } from "../analytics/page/report-page.ts";
import { type Points, thin } from "../analytics/page/thin.ts";

const KEPT_POINTS = 16_384;
const DRAWN_POINTS = 4_096;

export class PlotPoints {
  private readonly names: readonly string[];
  /** x in seconds since the Unix epoch. */
  private readonly curves: Points[];
  private triggers = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    this.curves = names.map(() => ({ x: [], y: [] }));
  }

  add(baseNs: bigint, rows: number, tsNs: Float64Array, columns: readonly Float64Array[]): void {
    const base = Number(baseNs / 1_000_000n) / 1e3;
    this.triggers += rows;
    for (let k = 0; k < columns.length; k++) {
      const { x, y } = this.curves[k]!;
      for (let i = 0; i < rows; i++) {
        x.push(base + tsNs[i]! / 1e9);
        y.push(columns[k]![i]!);
      }
      if (x.length > KEPT_POINTS) this.curves[k] = thinned(this.curves[k]!, KEPT_POINTS / 2);
    }
  }

  /** The document. `mid`: name of the curve drawn behind every other one. */
  html(title: string, mid: string): Promise<string> {
    const drawn = this.curves.map((c) => thinned(c, DRAWN_POINTS));
    const behind = drawn[this.names.indexOf(mid)]!;
    const charts = this.names.flatMap((name, k): Chart[] => {
      if (name === mid) return [];
      const ready = drawn[k]!.y.some((y) => y !== null);
      const own = { name, ...drawn[k]!, draw: "steps", colour: "blue" } as const;
      const price = { name: mid, ...behind, draw: "steps", colour: "grey", right: true } as const;
      return [
        {
          kind: "chart",
          title: ready ? name : `${name}: never ready`,
          unit: "",
          x: "time",
          series: [price, own],
        },
      ];
    });
    const [first, last] = [behind.x[0], behind.x.at(-1)];
    const span = first === undefined ? "" : `, ${isoTime(first)} to ${isoTime(last!)}`;
    const page: Page = {
      title,
      subtitle: `${this.triggers} triggers${span}; grey: ${mid}, on the right axis`,
      blocks: this.triggers === 0 ? [{ kind: "text", text: "no trigger" }] : charts,
    };
    return reportPage(page);
  }
}

const isoTime = (seconds: number): string => new Date(seconds * 1e3).toISOString();

/** Nulls (gaps) are NaN to `thin`. */
const thinned = ({ x, y }: Points, max: number): Points =>
  thin(
    x,
    y.map((v) => v ?? NaN),
    max,
  );
