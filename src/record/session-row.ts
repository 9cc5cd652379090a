// The row of `sessions`: what the session's numbers mean, from its manifest. Written once, with the first records that
// the store gets of it.
import type { SessionManifest } from "../journal/session-manifest.ts";
import { text } from "./columns.ts";
import type { RowFrame } from "./row-frame.ts";

export function addSessionRow(frame: RowFrame, manifest: SessionManifest, position: number): void {
  const { units } = frame;
  const startedNs = units.fromUnixNs(BigInt(manifest.createdUnixNs));
  const c = frame.row("sessions", startedNs);
  units.time(c["started"]!, startedNs);
  c["env"]!.string(text(manifest.env));
  c["base_time"]!.big(BigInt(manifest.baseNs));
  c["strategies"]!.string(text(JSON.stringify(manifest.strategies)));
  c["assets"]!.string(text(JSON.stringify(manifest.assets ?? [])));
  c["instruments"]!.string(text(JSON.stringify(manifest.instruments)));
  frame.end(c, position);
}
