// The points of a sweep: every combination of a grid, or seeded draws. Cold.
import { Prng } from "../../core/prng.ts";
import type { ParamSpace, SweepConfig } from "./sweep-config.ts";

export type Point = Readonly<Record<string, number>>;

/** In a fixed order: the same description gives the same points. */
export function sweepPoints(config: SweepConfig): Point[] {
  return config.method === "grid" ? gridPoints(config.params) : randomPoints(config);
}

function gridPoints(params: SweepConfig["params"]): Point[] {
  let points: Point[] = [{}];
  for (const [name, space] of Object.entries(params)) {
    const values = gridValues(space);
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

/** `to` is included when a whole number of steps leads to it. */
export function gridValues(space: ParamSpace): number[] {
  if (!("from" in space)) return [...space];
  const { from, to, step } = space;
  const steps = Math.floor((to - from) / step! + 1e-9);
  // Twelve digits: 0.1 + 2 · 0.1 is meant to be 0.3.
  return Array.from({ length: steps + 1 }, (_, i) => Number((from + i * step!).toPrecision(12)));
}

/** Draws differ from one another; fewer than `samples` when the space has no more. */
function randomPoints({ params, samples, seed }: SweepConfig): Point[] {
  const random = new Prng(seed);
  const points = new Map<string, Point>();
  for (let tries = 0; points.size < samples && tries < samples * 100; tries++) {
    const point = Object.fromEntries(
      Object.entries(params).map(([name, space]) => [name, draw(space, random)]),
    );
    points.set(pointKey(point), point);
  }
  return [...points.values()];
}

function draw(space: ParamSpace, random: Prng): number {
  if (!("from" in space)) return space[random.nextBelow(space.length)]!;
  const { from, to, log, integer, step } = space;
  if (step !== undefined) {
    const values = gridValues(space);
    return values[random.nextBelow(values.length)]!;
  }
  if (integer && !log) return Math.ceil(from) + random.nextBelow(Math.floor(to) - Math.ceil(from) + 1);
  const u = random.nextFloat();
  const value = log ? from * (to / from) ** u : from + (to - from) * u;
  return integer ? Math.round(value) : Number(value.toPrecision(6));
}

/** One text per point, whatever the order of its names. */
export const pointKey = (point: Point): string =>
  Object.entries(point)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
