import { expect, test } from "bun:test";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { checkTimestamp, KeyRing, restPayload, sortedPayload } from "../../../../src/venue/sim/signature.ts";

test("the venue's documented HMAC example verifies", () => {
  // developers.binance.com, USDS-margined futures, "SIGNED endpoint examples".
  const secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9";
  const query =
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943";
  const signature = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9";
  const keys = new KeyRing();
  keys.addHmac("k", secret);
  const { payload, signature: found } = restPayload(`${query}&signature=${signature}`, "");
  expect(found).toBe(signature);
  expect(keys.checkSignature("k", payload, found)).toBeNull();
  expect(keys.checkSignature("k", `${payload}1`, found)?.code).toBe(-1022);
  expect(keys.checkSignature("k", payload, undefined)?.code).toBe(-1102);
});

test("query and body are joined without a separator, the signature may stand in either", () => {
  const payload = "symbol=BTCUSDT&side=BUYquantity=1&timestamp=2";
  expect(restPayload("symbol=BTCUSDT&side=BUY", "quantity=1&timestamp=2&signature=ab").payload).toBe(payload);
  expect(restPayload("symbol=BTCUSDT&side=BUY&signature=ab", "quantity=1&timestamp=2").payload).toBe(payload);
});

test("a text that is no signature is refused, never an exception: not hexadecimal, not ASCII, bad encoding", () => {
  const keys = new KeyRing();
  keys.addHmac("k", "s");
  for (const text of ["é".repeat(64), "x".repeat(64), "İ".repeat(64), "a", "a".repeat(63)])
    expect(keys.checkSignature("k", "a=1", text)?.code).toBe(-1022);
  expect(restPayload("a=1&signature=%", "")).toEqual({ payload: "a=1", signature: "%" });
});

test("WS API parameters are signed sorted by name, without the signature", () => {
  const params = { timestamp: "1", apiKey: "k", symbol: "A B", signature: "x" };
  expect(sortedPayload(params, false)).toBe("apiKey=k&symbol=A B&timestamp=1");
  expect(sortedPayload(params, true)).toBe("apiKey=k&symbol=A%20B&timestamp=1");
});

test("Ed25519 signatures verify, and only such keys may log on", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const keys = new KeyRing();
  keys.addEd25519("ed", publicKey.export({ type: "spki", format: "pem" }).toString());
  keys.addHmac("hm", "s");
  const signature = sign(null, Buffer.from("a=1"), privateKey).toString("base64");
  expect(keys.checkSignature("ed", "a=1", signature)).toBeNull();
  expect(keys.checkSignature("ed", "a=2", signature)?.code).toBe(-1022);
  expect(keys.checkSignature("hm", "a=1", createHmac("sha256", "s").update("a=1").digest("hex"))).toBeNull();
  expect([keys.mayLogOn("ed"), keys.mayLogOn("hm")]).toEqual([true, false]);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
  expect(() => keys.addEd25519("r", rsa.export({ type: "spki", format: "pem" }).toString())).toThrow(
    "Ed25519",
  );
});

test("recvWindow: a request is good from its time to its time plus the window, and up to a second early", () => {
  const at = (timestamp: number, now: number, window?: string) =>
    checkTimestamp(String(timestamp), window, now)?.code;
  expect(at(10_000, 15_000)).toBeUndefined();
  expect(at(10_000, 15_001)).toBe(-1021);
  expect(at(10_000, 15_001, "6000")).toBeUndefined();
  expect(at(11_000, 10_000)).toBeUndefined();
  expect(at(11_001, 10_000)).toBe(-1021);
  expect(at(10_000, 10_000, "60001")).toBe(-1102);
  expect(checkTimestamp(undefined, undefined, 1)?.code).toBe(-1102);
});
