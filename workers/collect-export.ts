// Entry file of the collector's worker (src/engine/collect-export.ts).
import { hostExport } from "../src/engine/collect-export.ts";

hostExport();
