// bun ops/grafana/build.ts: writes dashboards/*.json from dashboards.ts. A test holds the files to it.
import { join } from "node:path";
import { DASHBOARDS } from "./dashboards.ts";
import { dashboard } from "./grafana-json.ts";

for (const spec of DASHBOARDS)
  await Bun.write(
    join(import.meta.dir, "dashboards", `${spec.uid}.json`),
    `${JSON.stringify(dashboard(spec), null, 2)}\n`,
  );
