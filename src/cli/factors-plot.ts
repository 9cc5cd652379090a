// A self-contained page that draws factor outputs over the mid price: one chart per output. Cold. Memory is bounded:
// when more than MAX_POINTS are kept, every second one is dropped and the stride doubles.
import type { Chart, Series } from "../analytics/page/page-model.ts";
import { reportPage } from "../analytics/page/report-page.ts";

const MAX_POINTS = 8_000;

export class PlotPoints {
  private readonly names: readonly string[];
  /** Seconds since the Unix epoch. */
  private times: number[] = [];
  private series: number[][];
  private stride = 1;
  private seen = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    this.series = names.map(() => []);
  }

  add(baseNs: bigint, rows: number, tsNs: Float64Array, columns: readonly Float64Array[]): void {
    const base = Number(baseNs / 1_000_000_000n);
    for (let i = 0; i < rows; i++) {
      if (this.seen++ % this.stride !== 0) continue;
      this.times.push(base + tsNs[i]! / 1e9);
      this.series.forEach((s, k) => void s.push(columns[k]![i]!));
      if (this.times.length > MAX_POINTS) this.thin();
    }
  }

  private thin(): void {
    const even = (_: number, i: number): boolean => i % 2 === 0;
    this.times = this.times.filter(even);
    this.series = this.series.map((s) => s.filter(even));
    this.stride *= 2;
  }

  /** `mid`: name of the series drawn behind every other one. */
  html(title: string, mid: string): Promise<string> {
    const shown = this.names.filter((name) => name !== mid || this.names.length === 1);
    const behind = this.names.includes(mid) ? [this.line(mid, "grey", true)] : [];
    const blocks = shown.map((name): Chart => {
      const own = this.line(name, "blue", false);
      const ready = own.y.some((y) => y !== null);
      return {
        kind: "chart",
        title: ready ? name : `${name}: never ready`,
        unit: "",
        x: "time",
        series: name === mid ? [own] : [...behind, own],
      };
    });
    const triggers = this.stride === 1 ? "every trigger" : `one of ${this.stride} triggers`;
    return reportPage({ title, subtitle: `${triggers}; grey: ${mid}, on the right axis`, blocks });
  }

  private line(name: string, colour: Series["colour"], right: boolean): Series {
    const values = this.series[this.names.indexOf(name)]!;
    const y = values.map((v) => (Number.isFinite(v) ? v : null));
    return { name, x: this.times, y, draw: "line", colour, right };
  }
}
