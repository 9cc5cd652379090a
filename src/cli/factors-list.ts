// `bun run factors list` and docs/factors.md: the node catalogue as text and as Markdown. Cold.
import { BUILT_IN } from "../factor/catalogue.ts";
import type { NodeGroup, NodeType, ParamSpec } from "../factor/node-type.ts";
import { paramText } from "../factor/params.ts";

const GROUPS: readonly NodeGroup[] = ["source", "transform", "factor", "signal", "operator"];
const TITLES: Readonly<Record<NodeGroup, string>> = {
  source: "Sources",
  transform: "Transforms",
  factor: "Factors",
  signal: "Signals",
  operator: "Operators",
};

function paramKind(p: ParamSpec): string {
  if (p.kind === "choice") return p.choices!.map((c) => `"${c}"`).join(" | ");
  const range =
    p.min !== undefined && p.max !== undefined
      ? ` ${p.min}…${p.max}`
      : p.min !== undefined
        ? ` ≥ ${p.min}`
        : p.max !== undefined
          ? ` ≤ ${p.max}`
          : "";
  return p.kind + range;
}

function fallback(p: ParamSpec): string {
  if (p.default === undefined) return p.optional === true ? "optional" : "required";
  if (typeof p.default === "number" && Math.abs(p.default) === Number.MAX_VALUE) return "default none";
  return `default ${paramText(p, p.default)}`;
}

const inputsText = (t: NodeType): string =>
  t.inputs.length === 0 ? "none" : t.inputs.join(", ") + (t.variadic === true ? ", …" : "");

/** Plain text, one block per type. */
export function catalogueText(types: readonly NodeType[] = BUILT_IN): string {
  const lines: string[] = [];
  for (const group of GROUPS) {
    for (const t of types.filter((x) => x.group === group)) {
      lines.push(`${t.name}  (${group}, ${t.fn}())  ${t.summary}`);
      lines.push(`    inputs: ${inputsText(t)}${t.perInstrument === true ? "; takes instrument" : ""}`);
      for (const p of t.params) lines.push(`    ${p.name}: ${paramKind(p)}, ${fallback(p)}; ${p.doc}`);
    }
  }
  lines.push(`Expr  (expression)  expr = "zscore(obi(0.001), 100) - 0.5 * ema(return(mid()), 20)"`);
  return lines.join("\n");
}

function typeMarkdown(t: NodeType): string {
  const rows = t.params.map(
    (p) => `| \`${p.name}\` | ${paramKind(p).replaceAll("|", "\\|")} | ${fallback(p)} | ${p.doc} |`,
  );
  const table =
    rows.length === 0
      ? ""
      : `\n| parameter | kind | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  const per = t.perInstrument === true ? " Takes `instrument`." : "";
  return `### ${t.name}\n\n${t.summary}${per}\n\n- Formula: ${t.formula}\n- Unit: ${t.unit}. Inputs: ${inputsText(t)}. In expressions: \`${t.fn}(…)\`.\n- Source: ${t.source}. Cost: ${t.bound}.\n${table}`;
}

/** The generated part of docs/factors.md. */
export function catalogueMarkdown(types: readonly NodeType[] = BUILT_IN): string {
  return GROUPS.map((group) => {
    const parts = types.filter((t) => t.group === group).map(typeMarkdown);
    return `## ${TITLES[group]}\n\n${parts.join("\n")}`;
  }).join("\n");
}
