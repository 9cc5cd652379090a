// Source text of the count-window steps for the generated function: the arithmetic of count-moments.ts statement
// by statement, with offsets and constants as literals and no calls but the rare ones. Must stay bit for bit equal
// to the steps (the random-graph test holds both against each other). Cold: runs at start.
import { OUTLIER, RECOMPUTE_MAX, WORDS as W } from "./count-moments.ts";

/** What the generated function may use of a node; `v` is declared and NaN. */
export interface CodePlace {
  /** The arena as it is after every `init`. */
  readonly a: Float64Array;
  /** First word of the node's state. */
  readonly s: number;
  /** Name of the value to assign, a valid prefix for local names. */
  readonly v: string;
  readonly x: string;
  readonly y: string;
  /** Name of the context. */
  readonly c: string;
}

/**
 * Adds `x` (finite) to the moments at word `m`, then runs `full` on a full window: `${v}q` = Σ(x − mean)², `${v}k`
 * and `${v}a` = K and S1. Sums stay in locals: a store into the ring would make the compiler read them again.
 * Windows of at most RECOMPUTE_MAX.
 */
function momentsCode(m: number, n: number, v: string, x: string, inverseN: number, full: string): string {
  const ring = m + W.RING;
  const [i, k, s1, s2, q] = [`${v}i`, `${v}k`, `${v}a`, `${v}b`, `${v}q`];
  const read = `${k} = a[${m + W.K}]; ${s1} = a[${m + W.S1}]; ${s2} = a[${m + W.S2}];`;
  const squares = `${q} = ${s2} - ${s1} * ${s1} * ${inverseN};`;
  return `if (a[${m + W.SEEN}] === ${n} || fill(a, ${m}, ${n}, ${x})) {
const ${i} = a[${m + W.SLOT}] | 0;
let ${k} = a[${m + W.K}], ${s1} = a[${m + W.S1}], ${s2} = a[${m + W.S2}], ${q};
const d = ${x} - ${k}, e = a[${i} + ${ring}] - ${k}, f = ${x} - a[${m + W.FRESH_K}];
a[${i} + ${ring}] = ${x};
${s1} += d - e; ${s2} += (d - e) * (d + e);
a[${m + W.S1}] = ${s1}; a[${m + W.S2}] = ${s2};
a[${m + W.F1}] += f; a[${m + W.F2}] += f * f;
if (${i} === ${n - 1}) { renew(a, ${m}, ${n}); ${read} } else a[${m + W.SLOT}] = ${i} + 1;
${squares}
if (!(${q} * ${OUTLIER} >= ${s2} + e * e)) { ${q} = recompute(a, ${m}, ${n}); ${read} }
${full}
}`;
}

/** Adds `x` (finite) to the sum at word `m`, then runs `full` (`${v}t` = the sum, `${v}r` = repeats) on a full window. */
function sumCode(m: number, n: number, v: string, x: string, full: string): string {
  const ring = m + W.RING;
  const rare = n <= RECOMPUTE_MAX;
  return `const ${v}i = a[${m + W.SLOT}] | 0, ${v}n = a[${m + W.SEEN}] + 1;
const ${v}r = ${x} === a[${v}i === 0 ? ${ring + n - 1} : ${v}i + ${ring - 1}] && ${v}n > 1 ? a[${m + W.REPEATS}] + 1 : 1;
a[${m + W.REPEATS}] = ${v}r; if (${v}n <= ${n}) a[${m + W.SEEN}] = ${v}n;
const ${v}f = a[${m + W.F1}] + ${x};
let ${v}t = ${v}f;
if (${v}i === ${n - 1}) { a[${m + W.S1}] = ${v}f; a[${m + W.F1}] = 0; a[${m + W.SLOT}] = 0; a[${ring + n - 1}] = ${x}; }
else {
const g = a[${v}i + ${ring}]; ${v}t = a[${m + W.S1}] + ${x} - g;
a[${m + W.F1}] = ${v}f; a[${m + W.SLOT}] = ${v}i + 1; a[${v}i + ${ring}] = ${x};
${rare ? `if (Math.abs(g) > ${OUTLIER} * Math.abs(${v}t)) ${v}t = ringSum(a, ${m}, ${n});` : ""}
a[${m + W.S1}] = ${v}t;
}
if (${v}n >= ${n}) { ${full} }`;
}

const finite = (x: string): string => `${x} - ${x} === 0`;

const windowAt = (a: Float64Array, m: number): readonly [n: number, inverseN: number, inverseD: number] => [
  a[m]!,
  a[m + W.INVERSE_N]!,
  a[m + W.INVERSE_DIVISOR]!,
];

export function stdCode({ a, s, v, x }: CodePlace): string {
  const [n, inverseN, inverseD] = windowAt(a, s);
  return `if (${finite(x)}) { ${momentsCode(s, n, v, x, inverseN, `${v} = Math.sqrt(${v}q * ${inverseD});`)} }`;
}

export function zscoreCode({ a, s, v, x }: CodePlace): string {
  const [n, inverseN, inverseD] = windowAt(a, s);
  const full = `${v} = ${v}q === 0 ? 0 : (${x} - ${v}k - ${v}a * ${inverseN}) / Math.sqrt(${v}q * ${inverseD});`;
  return `if (${finite(x)}) { ${momentsCode(s, n, v, x, inverseN, full)} }`;
}

export function meanCode({ a, s, v, x }: CodePlace): string {
  const n = a[s]!;
  const full = `${v} = ${v}r >= ${n} ? a[${s + W.RING}] : ${v}t / ${n};`;
  return `if (${finite(x)}) { ${sumCode(s, n, v, x, full)} }`;
}

export function totalCode({ a, s, v, x }: CodePlace): string {
  const n = a[s]!;
  const full = `${v} = ${v}r >= ${n} ? a[${s + W.RING}] * ${n} : ${v}t;`;
  return `if (${finite(x)}) { ${sumCode(s, n, v, x, full)} }`;
}

/** State: [volatility threshold, change threshold, moments…]. */
export function thresholdCode({ a, s, v, x, y }: CodePlace): string {
  const m = s + 2;
  const n = a[m]!;
  const total = `(${v}r >= ${n} ? a[${m + W.RING}] * ${n} : ${v}t)`;
  const full = `${v} = ${x} * ${n} > ${a[s]!} * ${total} || Math.abs(${y}) > ${a[s + 1]!} * ${x} ? 1 : 0;`;
  return `if (${finite(x)} && ${finite(y)}) { ${sumCode(m, n, v, x, full)} }`;
}

/** State: [n, seen, slot, ring…]; `result` uses `${v}b`, what stood n inputs before. */
function lagCode({ a, s, v, x }: CodePlace, result: string): string {
  const n = a[s]!;
  const slot = n === 1 ? "0" : `${v}i`;
  const at = n === 1 ? `${s + 3}` : `${v}i + ${s + 3}`;
  const next = n === 1 ? "" : `a[${s + 2}] = ${slot} + 1 === ${n} ? 0 : ${slot} + 1;`;
  return `if (${finite(x)}) {
${n === 1 ? "" : `const ${v}i = a[${s + 2}] | 0;`}
const ${v}n = a[${s + 1}], ${v}b = ${v}n >= ${n} ? a[${at}] : NaN;
a[${at}] = ${x}; a[${s + 1}] = ${v}n + 1; ${next}
${result} }`;
}

export const shiftCode = (p: CodePlace): string => lagCode(p, `${p.v} = ${p.v}b;`);
export const diffCode = (p: CodePlace): string => lagCode(p, `${p.v} = ${p.x} - ${p.v}b;`);
export const returnCode = (p: CodePlace): string =>
  lagCode(p, `const t = ${p.x} / ${p.v}b - 1; if (t - t === 0) ${p.v} = t;`);

/** State: [alpha, mean, seeded]. */
export function emaCode({ a, s, v, x }: CodePlace): string {
  return `if (${finite(x)}) { const e = a[${s + 1}]; ${v} = a[${s + 2}] === 0 ? ${x} : e + ${a[s]!} * (${x} - e); a[${s + 1}] = ${v}; a[${s + 2}] = 1; }`;
}

/** State: [1 − d, 1 + d, band, difference?, mid of the bounds, lowest bid tick]; ratio only. */
export function obiCode({ a, s, v, c }: CodePlace): string {
  const band = a[s + 2]!;
  return `const ${v}m = ${c}.midPx;
if (${v}m === ${v}m) {
const { book } = ${c};
if (${v}m !== a[${s + 4}] || book.bandFrom(${band}) !== a[${s + 5}]) {
a[${s + 4}] = ${v}m;
a[${s + 5}] = Math.ceil((${v}m * ${a[s]!}) / ${c}.tickSize);
book.moveBand(${band}, a[${s + 5}], Math.floor((${v}m * ${a[s + 1]!}) / ${c}.tickSize)); }
const b = book.bandBidLots(${band}), q = book.bandAskLots(${band});
if (b + q !== 0) ${v} = (b - q) / (b + q); }`;
}
