// Prometheus text exposition format 0.0.4. Written here because the histograms live as ready-made buckets in
// shared memory: a metrics library could only carry them through observe() calls, one per recording.
import type { HistogramSample, Labels, MetricFamily } from "../control/metric-families.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Families without samples are left out: nothing is known about them yet. */
export function exposition(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`);
    if (family.type === "histogram")
      for (const s of family.samples) lines.push(...histogramLines(family.name, s));
    else for (const s of family.samples) lines.push(line(family.name, s.labels, s.value));
  }
  return `${lines.join("\n")}\n`;
}

function histogramLines(name: string, sample: HistogramSample): string[] {
  const bucket = (le: string, count: number) => line(`${name}_bucket`, { ...sample.labels, le }, count);
  return [
    ...sample.bounds.map((bound, i) => bucket(String(bound), sample.cumulative[i]!)),
    bucket("+Inf", sample.count),
    line(`${name}_sum`, sample.labels, sample.sum),
    line(`${name}_count`, sample.labels, sample.count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
