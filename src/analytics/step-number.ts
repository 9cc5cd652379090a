// Ticks and lots as the doubles nearest to their decimal value: 3 · 0.1 is 0.3, not 0.30000000000000004. Cold.

export type StepNumber = (steps: number) => number;

/** `step`: tick or lot size. Half steps (mids) come out as exactly. */
export function stepNumber(step: number): StepNumber {
  const [mantissa = "", exponent = "0"] = step.toExponential().split("e");
  const decimals = Math.max(0, (mantissa.split(".")[1] ?? "").length - Number(exponent));
  const scale = 10 ** decimals;
  const units = Math.round(step * scale);
  // The quotient of two exact integers is the double nearest to the decimal.
  return (steps) => (steps * units) / scale;
}
