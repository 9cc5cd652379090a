// The reference tables of docs/config.md, rendered from the schema and config/base.toml, so that they cannot
// disagree with either. Cold code.
import type { TomlTable, TomlValue } from "../core/toml.ts";
import { type SchemaNode, schemaTree } from "./problems.ts";

export const REFERENCE_BEGIN =
  "<!-- reference: rendered by `bun run config reference --write`, do not edit -->";
export const REFERENCE_END = "<!-- end of reference -->";

/** Markdown, one table per section. `base`: the parsed config/base.toml. */
export function renderReference(base: TomlTable): string {
  const parts: string[] = [];
  const section = (title: string, node: SchemaNode, values: TomlValue | undefined): void => {
    const rows: string[] = [];
    const inner: [string, SchemaNode, TomlValue | undefined][] = [];
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const value = (values as TomlTable | undefined)?.[key];
      if (child.properties !== undefined) inner.push([`[${title.slice(1, -1)}.${key}]`, child, value]);
      else rows.push(row(key, child, value));
    }
    if (rows.length > 0)
      parts.push(
        `### \`${title}\`\n\n| key | default | expected | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`,
      );
    for (const [name, child, value] of inner) section(name, child, value);
  };
  for (const [key, node] of Object.entries(schemaTree.properties ?? {})) {
    if (node.items !== undefined) section(`[[${key}]]`, node.items, undefined);
    else section(`[${key}]`, node, base[key]);
  }
  return parts.join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function row(key: string, node: SchemaNode, value: TomlValue | undefined): string {
  const shown = value ?? node.default;
  const written = shown === undefined ? "required" : `\`${JSON.stringify(shown)}\``;
  return `| \`${key}\` | ${written} | ${cell(node.expected ?? "")} | ${cell(node.description ?? "")} |`;
}

/** Every key of the schema that base.toml must set ("risk.account.daily_loss_hard"). */
export function schemaKeys(node: SchemaNode = schemaTree, prefix = ""): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    child.properties === undefined ? [prefix + key] : schemaKeys(child, `${prefix}${key}.`),
  );
}
