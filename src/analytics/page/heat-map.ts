// A heat map as a table of coloured cells: readable without a script, and its numbers can be copied. Cold.
import { escapeHtml, numberText } from "./html-text.ts";
import type { HeatMap } from "./page-model.ts";

/** From here on a colour is so strong that white reads better on it. */
const STRONG = 0.6;

export function heatMap(map: HeatMap): string {
  const present = map.values.flat().filter((v): v is number => v !== null && Number.isFinite(v));
  const least = Math.min(...present);
  const greatest = Math.max(...present);
  const corner = `${escapeHtml(map.rowTitle)} \\ ${escapeHtml(map.columnTitle)}, ${escapeHtml(map.unit)}`;
  const head = map.columns.map((c) => `<th scope="col">${escapeHtml(c)}</th>`).join("");
  const body = map.rows
    .map((row, r) => {
      const cells = map.columns.map((_, c) => cell(map.values[r]![c] ?? null, least, greatest)).join("");
      return `<tr><th scope="row">${escapeHtml(row)}</th>${cells}</tr>`;
    })
    .join("");
  return `<table class="heat"><thead><tr><th>${corner}</th>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

/** Values of both signs: bad below 0, good above; of one sign: from the page's ground (least) to its accent (greatest). */
function cell(value: number | null, least: number, greatest: number): string {
  if (value === null || !Number.isFinite(value)) return "<td></td>";
  const around = least < 0 && greatest > 0;
  const range = around ? Math.max(-least, greatest) : greatest - least;
  const strength = range === 0 ? 0 : around ? Math.abs(value) / range : (value - least) / range;
  const colour = around ? (value < 0 ? "--bad" : "--good") : "--accent";
  const strong = strength > STRONG ? ' class="strong"' : "";
  const mixed = `color-mix(in srgb, var(${colour}) ${Math.round(strength * 85)}%, transparent)`;
  return `<td${strong} style="background:${mixed}">${numberText(Number(value.toPrecision(4)))}</td>`;
}
