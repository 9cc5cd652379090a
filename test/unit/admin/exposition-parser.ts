// A strict reader of Prometheus text exposition 0.0.4: anything the format does not allow throws with its line.
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/;
const NUMBER = /^([+-]?Inf|NaN|[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/;

export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n") || text.includes("\n\n")) throw new Error("lines must end with one newline each");
  const families = new Map<string, ParsedFamily>();
  const lines = text.slice(0, -1).split("\n");
  let family: ParsedFamily | null = null;
  for (let i = 0; i < lines.length; i++) {
    const help = /^# HELP (\S+) (.*)$/.exec(lines[i]!);
    if (help === null) {
      if (family === null) throw new Error(`sample before its family: ${lines[i]}`);
      family.samples.push(parseSample(lines[i]!, family));
      continue;
    }
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++i] ?? "");
    if (type === null || type[1] !== help[1] || !NAME.test(type[1]!))
      throw new Error(`no TYPE after ${help[0]}`);
    if (families.has(type[1]!)) throw new Error(`family twice: ${type[1]}`);
    family = { name: type[1]!, type: type[2]!, help: help[2]!, samples: [] };
    families.set(family.name, family);
  }
  for (const f of families.values()) checkFamily(f);
  return families;
}

function parseSample(line: string, family: ParsedFamily): Sample {
  const match = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null || !NAME.test(match[1]!) || !NUMBER.test(match[3]!))
    throw new Error(`bad sample: ${line}`);
  const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((s) => match[1] === family.name + s)) throw new Error(`not of ${family.name}: ${line}`);
  const labels: Record<string, string> = {};
  let rest = match[2] ?? "";
  while (rest !== "") {
    const label = LABEL.exec(rest);
    if (label === null || label[1]! in labels) throw new Error(`bad labels: ${line}`);
    labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    rest = rest.slice(label[0].length);
  }
  const text = match[3]!;
  return {
    name: match[1]!,
    labels,
    value: text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text),
  };
}

function checkFamily(family: ParsedFamily): void {
  const keys = family.samples.map((s) => JSON.stringify([s.name, Object.entries(s.labels).sort()]));
  if (new Set(keys).size !== keys.length) throw new Error(`${family.name}: the same series twice`);
  if (family.type === "counter") {
    if (!family.name.endsWith("_total")) throw new Error(`${family.name}: counters end in _total`);
    if (family.samples.some((s) => !(s.value >= 0))) throw new Error(`${family.name}: negative counter`);
  }
  if (family.type === "histogram") checkHistogram(family);
}

function checkHistogram(family: ParsedFamily): void {
  const groups = new Map<string, Sample[]>();
  for (const s of family.samples) {
    const { le: _, ...labels } = s.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    groups.set(key, [...(groups.get(key) ?? []), s]);
  }
  for (const [key, samples] of groups) {
    const buckets = samples.filter((s) => s.name.endsWith("_bucket"));
    const bounds = buckets.map((s) => (s.labels["le"] === "+Inf" ? Infinity : Number(s.labels["le"])));
    const count = samples.find((s) => s.name === `${family.name}_count`)?.value;
    const ascending = (values: number[], strictly: boolean) =>
      values.every((v, i) => i === 0 || (strictly ? v > values[i - 1]! : v >= values[i - 1]!));
    if (!ascending(bounds, true) || bounds.at(-1) !== Infinity) throw new Error(`${key}: bounds`);
    if (
      !ascending(
        buckets.map((s) => s.value),
        false,
      )
    )
      throw new Error(`${key}: buckets are not cumulative`);
    if (buckets.at(-1)!.value !== count) throw new Error(`${key}: +Inf is not the count`);
    if (!samples.some((s) => s.name === `${family.name}_sum`)) throw new Error(`${key}: no sum`);
  }
}
