// The row of `sessions`: what the session's numbers mean, from its manifest. Written once, with the first records that
// the store gets of it.
import type { SessionManifest } from "../journal/session-manifest.ts";
import { type Batch, origin } from "./batch.ts";
import { text } from "./columns.ts";
import type { SessionUnits } from "./session-units.ts";

export function addSessionRow(
  batch: Batch,
  manifest: SessionManifest,
  units: SessionUnits,
  position: number,
): void {
  const startedNs = units.fromUnixNs(BigInt(manifest.createdUnixNs));
  const c = batch.row("sessions", units.day(startedNs));
  units.time(c["started"]!, startedNs);
  c["env"]!.string(text(manifest.env));
  c["base_time"]!.big(BigInt(manifest.baseNs));
  c["strategies"]!.string(text(JSON.stringify(manifest.strategies)));
  c["assets"]!.string(text(JSON.stringify(manifest.assets ?? [])));
  c["instruments"]!.string(text(JSON.stringify(manifest.instruments)));
  origin(c, units, position);
}
