// Arithmetic and comparisons: stateless, written inline into the generated function. Hot; 0 bytes; O(1).
// A result that is not finite (division by zero, log of a negative) is not ready.
import type { NodePlan, NodeType, Step } from "../node-type.ts";

const finite = (v: number): number => (v - v === 0 ? v : NaN);

const STEPS: readonly [name: string, fn: string, formula: string, step: Step, inline?: string][] = [
  ["Add", "add", "a + b", (_a, _s, _c, x, y) => x + y, "x + y"],
  ["Sub", "sub", "a − b", (_a, _s, _c, x, y) => x - y, "x - y"],
  ["Mul", "mul", "a · b", (_a, _s, _c, x, y) => x * y, "x * y"],
  ["Div", "div", "a / b; b = 0: NaN", (_a, _s, _c, x, y) => finite(x / y), "finite(x / y)"],
  ["Min", "min", "min(a, b)", (_a, _s, _c, x, y) => Math.min(x, y), "Math.min(x, y)"],
  ["Max", "max", "max(a, b)", (_a, _s, _c, x, y) => Math.max(x, y), "Math.max(x, y)"],
  ["Greater", "gt", "1 if a > b else 0", (_a, _s, _c, x, y) => flag(x, y, x > y)],
  ["Less", "lt", "1 if a < b else 0", (_a, _s, _c, x, y) => flag(x, y, x < y)],
  ["GreaterEqual", "ge", "1 if a ≥ b else 0", (_a, _s, _c, x, y) => flag(x, y, x >= y)],
  ["LessEqual", "le", "1 if a ≤ b else 0", (_a, _s, _c, x, y) => flag(x, y, x <= y)],
];

const UNARY: readonly [name: string, fn: string, formula: string, step: Step, inline?: string][] = [
  ["Neg", "neg", "−x", (_a, _s, _c, x) => -x, "-x"],
  ["Abs", "abs", "|x|", (_a, _s, _c, x) => Math.abs(x), "Math.abs(x)"],
  ["Sqrt", "sqrt", "√x; x < 0: NaN", (_a, _s, _c, x) => Math.sqrt(x), "Math.sqrt(x)"],
  ["Log", "log", "ln x; x ≤ 0: NaN", (_a, _s, _c, x) => finite(Math.log(x))],
  ["Exp", "exp", "e^x; overflow: NaN", (_a, _s, _c, x) => finite(Math.exp(x))],
  ["Sign", "sign", "−1, 0, +1", (_a, _s, _c, x) => (x > 0 ? 1 : x < 0 ? -1 : x)],
];

function flag(x: number, y: number, holds: boolean): number {
  return Number.isNaN(x) || Number.isNaN(y) ? NaN : holds ? 1 : 0;
}

const operator = (
  [name, fn, formula, step, inline]: (typeof STEPS)[number],
  inputs: readonly string[],
): NodeType => ({
  name,
  group: "operator",
  fn,
  summary: formula,
  formula,
  unit: "of the inputs",
  source: "definition",
  bound: "O(1)",
  inputs,
  params: [],
  plan: (): NodePlan => ({ words: 0, step, ...(inline === undefined ? {} : { inline }) }),
});

const constant: Step = (a, s) => a[s]!;

export const OPERATORS: readonly NodeType[] = [
  {
    name: "Const",
    group: "operator",
    fn: "const",
    summary: "A number.",
    formula: "value",
    unit: "any",
    source: "definition",
    bound: "O(1)",
    inputs: [],
    params: [{ name: "value", kind: "number", doc: "the number" }],
    plan: (p) => ({
      words: 1,
      step: constant,
      init: (a, s) => {
        a[s] = p["value"] as number;
      },
    }),
  },
  ...STEPS.map((s) => operator(s, ["a", "b"])),
  ...UNARY.map((s) => operator(s, ["x"])),
];
