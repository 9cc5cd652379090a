// Client order ids as venues see them: h<nonce, 11 base-36 digits>-<strategy>-<clientSeq>, at most 25 bytes.
// The nonce is drawn per session and journalled, so an id is never used twice, whatever was killed when.
// Hot (encode and parse): execution lane; 0 bytes; bounded by the 25 characters.
//
//   h 0zik0zj3aq7 - 1 - 2n9c
//     nonce < 2^53  |   clientSeq u32, never 0
//                   strategy u16, 0 = house
import { assert } from "../core/assert.ts";

const NONCE_DIGITS = 11;
const LETTER_H = 0x68;
const DASH = 0x2d;
const NOT_A_DIGIT = 255;
const TWO_32 = 0x1_0000_0000;
const MAX_STRATEGY = 0xffff;
const MAX_CLIENT_SEQ = 0xffff_ffff;

/** Numbers from here on stand for adopted orders, which the venue knows under ids that are not ours. */
export const FIRST_ADOPTED_SEQ = 0xf000_0000;

/** Bytes that one encoded id may take. */
export const CLIENT_ID_MAX_BYTES = 25;

const DIGITS = new Uint8Array(new ArrayBuffer(64));
const VALUES = new Uint8Array(new ArrayBuffer(256)).fill(NOT_A_DIGIT);
for (let i = 0; i < 36; i++) {
  const code = i < 10 ? 0x30 + i : 0x61 + i - 10;
  DIGITS[i] = code;
  VALUES[code] = i;
}

/** Writes `value` (an integer ≥ 0) in base 36; returns the offset after it. */
function writeBase36(bytes: Uint8Array, offset: number, value: number): number {
  let digits = 1;
  for (let rest = Math.floor(value / 36); rest > 0; rest = Math.floor(rest / 36)) digits++;
  let rest = value;
  for (let i = offset + digits - 1; i >= offset; i--) {
    const next = Math.floor(rest / 36);
    bytes[i] = DIGITS[rest - next * 36];
    rest = next;
  }
  return offset + digits;
}

/** Makes the ids of one session. `nonceHi` < 2^21; the nonce is not 0. */
export class ClientIdEncoder {
  readonly nonceLo: number;
  readonly nonceHi: number;
  private readonly prefix: Uint8Array;

  constructor(nonceLo: number, nonceHi: number) {
    assert(nonceLo >>> 0 === nonceLo && nonceHi >>> 0 === nonceHi, "nonce must be two u32");
    assert(nonceHi < 0x20_0000 && (nonceLo !== 0 || nonceHi !== 0), "nonce must be 1 … 2^53-1");
    this.nonceLo = nonceLo;
    this.nonceHi = nonceHi;
    const text = (nonceHi * TWO_32 + nonceLo).toString(36).padStart(NONCE_DIGITS, "0");
    this.prefix = new Uint8Array(new ArrayBuffer(64));
    this.prefix.set(new TextEncoder().encode(`h${text}-`));
  }

  /** Writes the id at `offset` (CLIENT_ID_MAX_BYTES of room) and returns the offset after it. */
  encode(bytes: Uint8Array, offset: number, strategy: number, clientSeq: number): number {
    const prefix = this.prefix;
    for (let i = 0; i < NONCE_DIGITS + 2; i++) bytes[offset + i] = prefix[i];
    const dash = writeBase36(bytes, offset + NONCE_DIGITS + 2, strategy);
    bytes[dash] = DASH;
    return writeBase36(bytes, dash + 1, clientSeq);
  }
}

/** Takes ids apart: after parse() returned true the fields hold the parts, otherwise zeros. */
export class ClientIdParser {
  nonceLo: number;
  nonceHi: number;
  strategy: number;
  clientSeq: number;
  private cursor: number;

  constructor() {
    this.nonceLo = 0;
    this.nonceHi = 0;
    this.strategy = 0;
    this.clientSeq = 0;
    this.cursor = 0;
  }

  /** Reads `bytes[start … end)`. False: not an id that ClientIdEncoder can have made. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.nonceLo = 0;
    this.nonceHi = 0;
    this.strategy = 0;
    this.clientSeq = 0;
    const nonceEnd = start + 1 + NONCE_DIGITS;
    if (end - start > CLIENT_ID_MAX_BYTES || end <= nonceEnd || bytes[start] !== LETTER_H) return false;
    let nonce = 0;
    for (let i = start + 1; i < nonceEnd; i++) {
      const digit = VALUES[bytes[i]];
      if (digit === NOT_A_DIGIT) return false;
      nonce = nonce * 36 + digit;
    }
    if (nonce === 0 || nonce > Number.MAX_SAFE_INTEGER || bytes[nonceEnd] !== DASH) return false;
    this.cursor = nonceEnd + 1;
    const strategy = this.number(bytes, end, MAX_STRATEGY);
    if (strategy < 0 || this.cursor >= end || bytes[this.cursor] !== DASH) return false;
    this.cursor++;
    const clientSeq = this.number(bytes, end, MAX_CLIENT_SEQ);
    if (clientSeq <= 0 || this.cursor !== end) return false;
    this.nonceLo = nonce >>> 0;
    this.nonceHi = Math.floor(nonce / TWO_32);
    this.strategy = strategy;
    this.clientSeq = clientSeq;
    return true;
  }

  /** Canonical base 36 (no leading zeros) up to a non-digit or `end`; −1 when there is none or it passes `max`. */
  private number(bytes: Uint8Array, end: number, max: number): number {
    const first = this.cursor;
    let value = 0;
    let i = first;
    for (; i < end; i++) {
      const digit = VALUES[bytes[i]];
      if (digit === NOT_A_DIGIT) break;
      value = value * 36 + digit;
      if (value > max) return -1;
    }
    this.cursor = i;
    if (i === first || (i > first + 1 && bytes[first] === DIGITS[0])) return -1;
    return value;
  }
}

/** Parts of an id; plain data. */
export interface ClientId {
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly strategy: number;
  readonly clientSeq: number;
}

/** Cold: the id as text. */
export function formatClientId(id: ClientId): string {
  const bytes = new Uint8Array(64);
  const end = new ClientIdEncoder(id.nonceLo, id.nonceHi).encode(bytes, 0, id.strategy, id.clientSeq);
  return new TextDecoder().decode(bytes.slice(0, end));
}

/** Cold: null for text that is not one of our ids (another program's order, `autoclose-…`). */
export function parseClientId(text: string): ClientId | null {
  const bytes = new TextEncoder().encode(text);
  const parser = new ClientIdParser();
  if (!parser.parse(bytes, 0, bytes.length)) return null;
  return {
    nonceLo: parser.nonceLo,
    nonceHi: parser.nonceHi,
    strategy: parser.strategy,
    clientSeq: parser.clientSeq,
  };
}
