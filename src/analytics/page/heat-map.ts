// A heat map as a table of coloured cells: readable without a script, and its numbers can be copied. Cold.
import { escapeHtml, numberText } from "./html-text.ts";
import type { HeatMap } from "./page-model.ts";

const WHITE = [255, 255, 255] as const;
const BLUE = [11, 98, 196] as const;
const RED = [196, 43, 43] as const;

export function heatMap(map: HeatMap): string {
  const present = map.values.flat().filter((v): v is number => v !== null && Number.isFinite(v));
  const least = Math.min(...present);
  const greatest = Math.max(...present);
  const corner = `${escapeHtml(map.rowTitle)} \\ ${escapeHtml(map.columnTitle)}`;
  const head = map.columns.map((c) => `<th scope="col">${escapeHtml(c)}</th>`).join("");
  const body = map.rows
    .map((row, r) => {
      const cells = map.columns.map((_, c) => cell(map.values[r]![c] ?? null, least, greatest)).join("");
      return `<tr><th scope="row">${escapeHtml(row)}</th>${cells}</tr>`;
    })
    .join("");
  return `<p>${escapeHtml(map.unit)}</p><table class="heat"><thead><tr><th>${corner}</th>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function cell(value: number | null, least: number, greatest: number): string {
  if (value === null || !Number.isFinite(value)) return "<td></td>";
  const { colour, dark } = shade(value, least, greatest);
  return `<td style="background:${colour};color:${dark ? "#fff" : "#1d2733"}">${numberText(Number(value.toPrecision(4)))}</td>`;
}

/** Values of both signs: red below 0, blue above; of one sign: white (least) to blue (greatest). */
function shade(value: number, least: number, greatest: number): { colour: string; dark: boolean } {
  const around = least < 0 && greatest > 0;
  const range = around ? Math.max(-least, greatest) : greatest - least;
  const strength = range === 0 ? 0 : around ? Math.abs(value) / range : (value - least) / range;
  const to = around && value < 0 ? RED : BLUE;
  const mix = WHITE.map((from, i) => Math.round(from + (to[i]! - from) * strength * 0.85));
  return { colour: `rgb(${mix.join(",")})`, dark: strength > 0.6 };
}
