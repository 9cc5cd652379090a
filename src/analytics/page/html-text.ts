// Text and numbers as they stand in a page.
import type { Tone } from "./page-model.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);

/** Up to six significant digits without an exponent where that stays readable; "–" for what is not a number. */
export function numberText(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return value.toExponential(3);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const digits = Math.max(0, 5 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 10) });
}

/** Money and other sums at the width of a table: five significant digits, at most four decimals. */
export const amountText = (value: number): string =>
  Number.isFinite(value) ? numberText(Number(Number(value.toPrecision(5)).toFixed(4))) : "–";

export const bpsText = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : "–");

/** undefined: neither gain nor loss. */
export const toneOf = (value: number): Tone | undefined =>
  value > 0 ? "good" : value < 0 ? "bad" : undefined;

/** A duration in the unit that suits it. */
export function nsText(ns: number): string {
  if (!Number.isFinite(ns)) return "–";
  const size = Math.abs(ns);
  if (size < 1e3) return `${numberText(ns)} ns`;
  if (size < 1e6) return `${numberText(round(ns / 1e3))} µs`;
  if (size < 1e9) return `${numberText(round(ns / 1e6))} ms`;
  if (size < 120e9) return `${numberText(round(ns / 1e9))} s`;
  return size < 7200e9 ? `${numberText(round(ns / 60e9))} min` : `${numberText(round(ns / 3600e9))} h`;
}

export const percentText = (share: number | null): string =>
  share === null || !Number.isFinite(share) ? "–" : `${numberText(round(share * 100))} %`;

const round = (value: number): number => Number(value.toPrecision(4));
