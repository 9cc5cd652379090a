// The embedded engine's process: ClickHouse over HTTP on a loopback port of its choice, until stdin closes, which
// it does when the parent ends, however it ends. Started by embedded-engine.ts: `bun serve.ts LIBRARY DIR`.
import { join } from "node:path";
import { runClickHouse } from "../../../ffi/chdb.ts";

const [library, dir] = Bun.argv.slice(2);
if (library === undefined || dir === undefined) throw new Error("usage: bun serve.ts LIBRARY DIR");
const portFile = join(dir, "port").replaceAll("\\", "\\\\").replaceAll("'", "\\'");
runClickHouse(library, [
  ...["--config-file", join(dir, "config.xml"), "--path", join(dir, "data")],
  ...["--query", "SYSTEM START LISTEN HTTP"],
  ...["--query", `SELECT getServerPort('http_port') INTO OUTFILE '${portFile}' FORMAT TSV`],
  // Ends at the end of stdin. Reads on the client's side: the server's users need no right to files.
  ...["--query", "INSERT INTO FUNCTION null('line String') FROM INFILE '/dev/stdin' FORMAT LineAsString"],
]);
process.exit(0);
