// session.logon of the WebSocket API (Ed25519 only): after it, requests carry neither key nor signature.
// Cold: once per connection.
import { ascii } from "./json-scan.ts";
import type { Signer } from "./signer.ts";

export function logonRequest(
  apiKey: string,
  signer: Signer,
  venueMs: number,
  recvWindowMs: number,
): Uint8Array {
  const signature = signer.signText(`apiKey=${apiKey}&recvWindow=${recvWindowMs}&timestamp=${venueMs}`);
  const params = { apiKey, recvWindow: recvWindowMs, timestamp: venueMs, signature };
  return ascii(JSON.stringify({ id: "logon", method: "session.logon", params }));
}
