// The identity of one run: a 53-bit nonce that makes its client order ids unique for ever, and its name.
import { sessionName } from "../journal/segment.ts";
import type { SessionIdentity } from "./lane-protocol.ts";

/** `random`: fills an array with random words (crypto.getRandomValues). */
export function newSession(
  startUnixNs: bigint,
  random: (words: Uint32Array) => Uint32Array,
): SessionIdentity {
  const words = random(new Uint32Array(2));
  const nonceLo = words[0]!;
  const nonceHi = words[1]! >>> 11;
  return { nonceLo, nonceHi, text: sessionName(startUnixNs, nonceLo, nonceHi) };
}
