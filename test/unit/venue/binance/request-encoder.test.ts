import { describe, expect, test } from "bun:test";
import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import fc from "fast-check";
import { fromSteps } from "../../../../src/core/decimal.ts";
import { ClientIdEncoder, formatClientId } from "../../../../src/order/client-id.ts";
import type { OrderRequest } from "../../../../src/order/gateway.ts";
import { AdoptedOrders } from "../../../../src/venue/binance/adopted-orders.ts";
import { Credentials } from "../../../../src/venue/binance/credentials.ts";
import { logonRequest } from "../../../../src/venue/binance/logon.ts";
import { ACTION_STATUS, RequestEncoder } from "../../../../src/venue/binance/request-encoder.ts";
import { Signer } from "../../../../src/venue/binance/signer.ts";
import {
  ACTION_CANCEL,
  ACTION_MODIFY,
  ACTION_PLACE,
  SIDE_BUY,
  SIDE_SELL,
  TIF_NAMES,
} from "../../../../src/wire/codes.ts";
import { BTC, INSTRUMENTS, SIM } from "./fixtures.ts";

const SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const ids = new ClientIdEncoder(0x89abcdef, 0x1f_ffff);
const hmacSigner = new Signer(new Credentials("hmac", KEY, SECRET));
const encoder = new RequestEncoder(INSTRUMENTS, ids, KEY, hmacSigner, 5000, new AdoptedOrders());

interface Frame {
  readonly id: string;
  readonly method: string;
  readonly params: Record<string, string | number>;
}

function encoded(
  e: RequestEncoder,
  action: number,
  r: OrderRequest,
  no: number,
  ms: number,
  signed: boolean,
): Frame {
  e.encode(action, r, no, ms, signed);
  return JSON.parse(new TextDecoder().decode(e.json.bytes.subarray(0, e.json.at))) as Frame;
}

/** The venue's rule, by hand: parameters but the signature, sorted, k=v joined by &. */
const signedText = (params: Frame["params"]): string =>
  Object.keys(params)
    .filter((k) => k !== "signature")
    .sort()
    .map((k) => `${k}=${params[k]}`)
    .join("&");

const requests = fc.record({
  clientSeq: fc.integer({ min: 1, max: 0xffffffff }),
  instrument: fc.constantFrom(1, 2),
  strategy: fc.nat(0xffff),
  side: fc.constantFrom(SIDE_BUY, SIDE_SELL),
  tif: fc.nat(3),
  orderType: fc.nat(1),
  reduceOnly: fc.boolean(),
  pxTicks: fc.integer({ min: 1, max: 100_000_000 }),
  qtyLots: fc.integer({ min: 1, max: 1_000_000_000 }),
});
const actions = fc.constantFrom(ACTION_PLACE, ACTION_CANCEL, ACTION_MODIFY, ACTION_STATUS);
const METHODS = new Map([
  [ACTION_PLACE, "order.place"],
  [ACTION_CANCEL, "order.cancel"],
  [ACTION_MODIFY, "order.modify"],
  [ACTION_STATUS, "order.status"],
]);

/** What the venue must read: strings and numbers made the slow way. */
function expected(action: number, r: OrderRequest, ms: number): Frame["params"] {
  const i = r.instrument === 1 ? BTC : SIM;
  const clientId = formatClientId({
    nonceLo: ids.nonceLo,
    nonceHi: ids.nonceHi,
    strategy: r.strategy,
    clientSeq: r.clientSeq,
  });
  const base = { apiKey: KEY, recvWindow: 5000, symbol: i.symbol, timestamp: ms };
  if (action === ACTION_CANCEL || action === ACTION_STATUS) return { ...base, origClientOrderId: clientId };
  const isLimit = r.orderType === 0;
  const common = {
    ...base,
    side: r.side === SIDE_BUY ? "BUY" : "SELL",
    quantity: fromSteps(r.qtyLots, i.lotSize),
    ...(isLimit ? { price: fromSteps(r.pxTicks, i.tickSize) } : {}),
  };
  if (action === ACTION_MODIFY) return { ...common, origClientOrderId: clientId };
  return {
    ...common,
    newClientOrderId: clientId,
    type: isLimit ? "LIMIT" : "MARKET",
    ...(isLimit ? { timeInForce: TIF_NAMES[r.tif]!.toUpperCase() } : {}),
    ...(r.reduceOnly ? { reduceOnly: "true" } : {}),
  };
}

const numeric = (params: Frame["params"]): Frame["params"] => {
  const copy = { ...params };
  for (const key of ["price", "quantity"]) if (key in copy) copy[key] = Number(copy[key]);
  return copy;
};

describe("order requests", () => {
  test("are the JSON that the venue expects, signed over the sorted parameters (seed 31)", () => {
    fc.assert(
      fc.property(
        actions,
        requests,
        fc.nat(2 ** 31),
        fc.integer({ min: 1.6e12, max: 4e12 }),
        (action, r, no, ms) => {
          const frame = encoded(encoder, action, r, no, ms, true);
          const { signature, ...params } = frame.params;
          expect([frame.id, frame.method]).toEqual([`${action}-${r.clientSeq}-${no}`, METHODS.get(action)!]);
          expect(numeric(params)).toEqual(numeric(expected(action, r, ms)));
          expect(signature).toBe(createHmac("sha256", SECRET).update(signedText(params)).digest("hex"));
          expect(Object.keys(params)).toEqual(Object.keys(params).sort());
        },
      ),
      { seed: 31, numRuns: 500 },
    );
  });

  test("carry neither key nor signature in a session that is logged on (seed 32)", () => {
    fc.assert(
      fc.property(actions, requests, (action, r) => {
        const frame = encoded(encoder, action, r, 5, 1_723_161_255_030, false);
        const { apiKey: _, ...rest } = expected(action, r, 1_723_161_255_030);
        expect(numeric(frame.params)).toEqual(numeric(rest));
      }),
      { seed: 32, numRuns: 200 },
    );
  });

  test("are ASCII whatever they carry, so that the transport may send them as Latin-1", () => {
    encoded(encoder, ACTION_PLACE, { ...SAMPLE, pxTicks: 618_003 }, 1, 1_723_161_255_030, true);
    const used = encoder.json.bytes.subarray(0, encoder.json.at);
    expect(used.every((b) => b >= 0x20 && b < 0x7f)).toBe(true);
  });
});

const SAMPLE: OrderRequest = {
  clientSeq: 1,
  instrument: 1,
  strategy: 1,
  side: SIDE_BUY,
  tif: 1,
  orderType: 0,
  reduceOnly: false,
  pxTicks: 618_003,
  qtyLots: 10,
};

describe("signatures", () => {
  test("HMAC equals node:crypto for any text and key length (seed 33)", () => {
    const ascii = fc.string({ minLength: 1, maxLength: 200, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(ascii, fc.string({ maxLength: 900, unit: "grapheme-ascii" }), (secret, text) => {
        const signer = new Signer(new Credentials("hmac", "k", secret));
        expect(signer.signText(text)).toBe(createHmac("sha256", secret).update(text).digest("hex"));
      }),
      { seed: 33, numRuns: 200 },
    );
  });

  test("the venue's documented HMAC example gives the documented signature", () => {
    const text =
      "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    expect(hmacSigner.signText(text)).toBe(
      "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    );
  });

  test("Ed25519 log-on and unsigned-session requests verify with the public key", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const signer = new Signer(new Credentials("ed25519", "ed-key", pem));
    const check = (params: Frame["params"]): boolean =>
      verify(
        null,
        Buffer.from(signedText(params)),
        publicKey,
        Buffer.from(String(params["signature"]), "base64"),
      );
    const logon = JSON.parse(
      new TextDecoder().decode(logonRequest("ed-key", signer, 1_723_161_255_030, 5000)),
    ) as Frame;
    expect([logon.method, check(logon.params)]).toEqual(["session.logon", true]);
    const before = new RequestEncoder(INSTRUMENTS, ids, "ed-key", signer, 5000, new AdoptedOrders());
    expect(check(encoded(before, ACTION_PLACE, SAMPLE, 1, 1_723_161_255_030, true).params)).toBe(true);
  });

  test("a key that is not Ed25519 is refused without being quoted", () => {
    expect(() => new Signer(new Credentials("ed25519", "k", "-----BEGIN X-----secret"))).toThrow(
      /not an Ed25519/,
    );
  });
});
