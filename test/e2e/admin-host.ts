// Child process of the admin tests: the in-memory engine behind the real server, until SIGTERM or `shutdown`.
// usage: bun test/e2e/admin-host.ts DATA_DIR
import { startAdmin } from "../../src/admin/admin-server.ts";
import { AuditLog } from "../../src/control/audit-log.ts";
import { auditedControl } from "../../src/control/audited-control.ts";
import { MemoryEngine } from "../unit/admin/memory-engine.ts";

const dataDir = process.argv[2]!;
const engine = new MemoryEngine();
const audit = new AuditLog(dataDir);
const control = auditedControl(engine, audit, (command, error) => console.error(command, error.message));
const server = startAdmin({
  control,
  audit,
  dataDir,
  env: "sim",
  version: "0.1.0",
  onError: (error, where) => console.error(where, error.message),
});
const end = async () => {
  await server.stop();
  audit.close();
  process.exit(0);
};
process.on("SIGTERM", () => void end());
process.on("SIGUSR2", () => {
  engine.broken = true;
});
setInterval(() => {
  if (engine.shutdownKeep !== null) void end();
}, 20);
console.log("ready");
