// The Prometheus files under ops/, read by Prometheus' own tool; skipped where it is not installed.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const OPS = join(import.meta.dir, "../../ops/prometheus");
const PROMTOOL = Bun.which("promtool");

test.skipIf(PROMTOOL === null)("promtool accepts the rules, and each has a severity and a summary", () => {
  const checked = Bun.spawnSync([PROMTOOL!, "check", "rules", join(OPS, "hotlane.rules.yml")]);
  expect(checked.stdout.toString()).toContain("SUCCESS: 14 rules found");
  expect(checked.exitCode).toBe(0);
  const text = readFileSync(join(OPS, "hotlane.rules.yml"), "utf8");
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  expect([count(/- alert:/g), count(/severity:/g), count(/summary:/g)]).toEqual([14, 14, 14]);
});

test.skipIf(PROMTOOL === null)("promtool's rule tests fire what should fire", () => {
  const unit = Bun.spawnSync([PROMTOOL!, "test", "rules", join(import.meta.dir, "prometheus-rules.yml")]);
  expect([unit.exitCode, unit.stderr.toString()]).toEqual([0, ""]);
});

test("every rule has a case in which it fires and one in which it does not", () => {
  const names = [...readFileSync(join(OPS, "hotlane.rules.yml"), "utf8").matchAll(/- alert: (\w+)/g)].map(
    (m) => m[1]!,
  );
  const cases = readFileSync(join(import.meta.dir, "prometheus-rules.yml"), "utf8");
  const without = names.filter((name) => {
    const quiet = new RegExp(`alertname: ${name}\\n\\s+exp_alerts: \\[\\]`).test(cases);
    const fires = new RegExp(`alertname: ${name}\\n\\s+exp_alerts:\\n`).test(cases);
    return !(quiet && fires);
  });
  expect(without).toEqual([]);
});
