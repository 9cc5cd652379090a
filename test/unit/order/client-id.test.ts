import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  CLIENT_ID_MAX_BYTES,
  ClientIdEncoder,
  formatClientId,
  parseClientId,
} from "../../../src/order/client-id.ts";

const SEED = 20260101;
const anyId = fc.record({
  nonceLo: fc.integer({ min: 1, max: 0xffff_ffff }),
  nonceHi: fc.integer({ min: 0, max: 0x1f_ffff }),
  strategy: fc.integer({ min: 0, max: 0xffff }),
  clientSeq: fc.integer({ min: 1, max: 0xffff_ffff }),
});

test(`an id reads back as it was written, in the venue's alphabet and length (seed ${SEED})`, () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const text = formatClientId(id);
      expect(text).toMatch(/^h[0-9a-z]{11}-[0-9a-z]{1,4}-[0-9a-z]{1,7}$/);
      expect(text.length).toBeLessThanOrEqual(CLIENT_ID_MAX_BYTES);
      expect(parseClientId(text)).toEqual(id);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("the text is what Number.toString(36) would print", () => {
  const nonce = 2 ** 53 - 1;
  const id = {
    nonceLo: nonce >>> 0,
    nonceHi: Math.floor(nonce / 2 ** 32),
    strategy: 65535,
    clientSeq: 2 ** 32 - 1,
  };
  expect(formatClientId(id)).toBe(
    `h${nonce.toString(36)}-${(65535).toString(36)}-${(2 ** 32 - 1).toString(36)}`,
  );
  expect(formatClientId({ nonceLo: 1, nonceHi: 0, strategy: 0, clientSeq: 1 })).toBe("h00000000001-0-1");
});

test("an id is written in place, with nothing before or after it touched", () => {
  const bytes = new Uint8Array(64).fill(7);
  const end = new ClientIdEncoder(5, 0).encode(bytes, 10, 3, 36);
  expect(new TextDecoder().decode(bytes.slice(10, end))).toBe("h00000000005-3-10");
  expect([...bytes.slice(0, 10), ...bytes.slice(end)].every((b) => b === 7)).toBe(true);
});

test.each([
  "",
  "h",
  "autoclose-1723161256",
  "adl_autoclose",
  "h00000000000-1-1",
  "h0000000000a-1-0",
  "h0000000000a-01-1",
  "h0000000000a-1-01",
  "h0000000000A-1-1",
  "h0000000000a-1",
  "h0000000000a-1-",
  "h0000000000a--1",
  "h0000000000a-1-1-1",
  "h0000000000a-1ekg-1",
  "h0000000000a-1-1z141z4",
  "h2gosa7pa2gw-1-1",
  "x0000000000a-1-1",
  "h0000000000a-1-1 ",
])("%p is not one of our ids", (text) => {
  expect(parseClientId(text)).toBeNull();
});

test(`one changed character never yields the same id (seed ${SEED})`, () => {
  fc.assert(
    fc.property(anyId, fc.nat(24), fc.integer({ min: 32, max: 126 }), (id, position, code) => {
      const text = formatClientId(id);
      const at = position % text.length;
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      if (changed !== text) expect(parseClientId(changed)).not.toEqual(id);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("a nonce of 0 or beyond 2^53 is refused", () => {
  expect(() => new ClientIdEncoder(0, 0)).toThrow("nonce");
  expect(() => new ClientIdEncoder(0, 0x20_0000)).toThrow("nonce");
});
