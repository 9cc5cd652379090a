// Decoding of the venue's messages and encoding of order requests: how long, and how much garbage.
// Messages are those of the capture, copied into one buffer first (what the transport does), so the figure
// holds a copy of the message; the reference parses the string that a transport would hand over.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Instrument } from "../src/market/instrument.ts";
import { ClientIdEncoder, formatClientId } from "../src/order/client-id.ts";
import type { OrderRequest } from "../src/order/gateway.ts";
import { AccountDecoder } from "../src/venue/binance/account-decoder.ts";
import { AdoptedOrders } from "../src/venue/binance/adopted-orders.ts";
import { Credentials } from "../src/venue/binance/credentials.ts";
import { MarketDecoder, MESSAGE_DEPTH, MESSAGE_TRADE } from "../src/venue/binance/market-decoder.ts";
import { RequestEncoder } from "../src/venue/binance/request-encoder.ts";
import { Signer } from "../src/venue/binance/signer.ts";
import { ACTION_PLACE, SIDE_BUY, TIF_GTX } from "../src/wire/codes.ts";
import { type Bench, type BenchSize, loopSide, type OpenBench } from "./harness.ts";

const CAPTURE = new URL("../src/data/captures/binance-usdm-btcusdt-20240808.gz", import.meta.url);
const TIME_CHARS = 20;
const BUFFER_BYTES = 256 * 1024;

const BTCUSDT: Instrument = {
  id: 1,
  venue: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.10",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 2,
  qtyDecimals: 3,
  minPxTicks: 1,
  maxPxTicks: 45_000_000,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  minNotionalTickLots: 0,
  orderTickStep: 1,
  percentUpE8: 0,
  percentDownE8: 0,
  makerFeeE8: 20_000,
  takerFeeE8: 50_000,
  trading: true,
};

interface Message {
  readonly bytes: Uint8Array;
  readonly text: string;
}

function captured(wanted: (kind: number, levels: number) => boolean, limit: number): Message[] {
  const decoder = new MarketDecoder([BTCUSDT]);
  const text = new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(readFileSync(CAPTURE))));
  const messages: Message[] = [];
  for (const line of text.split("\n")) {
    const json = line.slice(TIME_CHARS);
    const bytes = new TextEncoder().encode(json);
    const kind = decoder.decode(bytes, bytes.length);
    if (kind > 0 && wanted(kind, decoder.levels.count)) messages.push({ bytes, text: json });
    if (messages.length === limit) break;
  }
  return messages;
}

interface Parsed {
  readonly data: {
    readonly u?: number;
    readonly b?: readonly [string, string][];
    readonly a?: readonly [string, string][];
    readonly p?: string;
    readonly q?: string;
  };
}

const ticks = (text: string): number => Math.round(Number(text) * 10);
const lots = (text: string): number => Math.round(Number(text) * 1000);

/** Sum over all levels (or the trade) of ticks + lots: what both sides must agree on. */
function parsedSum(text: string): number {
  const { data } = JSON.parse(text) as Parsed;
  if (data.p !== undefined) return ticks(data.p) + lots(data.q!);
  let sum = 0;
  for (const [p, q] of data.b!) sum += ticks(p) + lots(q);
  for (const [p, q] of data.a!) sum += ticks(p) + lots(q);
  return sum;
}

function scannedSum(decoder: MarketDecoder, buffer: Uint8Array, bytes: Uint8Array): number {
  buffer.set(bytes);
  if (decoder.decode(buffer, bytes.length) === MESSAGE_TRADE) return decoder.pxTicks + decoder.qtyLots;
  const { values, count } = decoder.levels;
  let sum = 0;
  for (let i = 0; i < 2 * count; i++) sum += values[i]!;
  return sum;
}

function decodeBench(messages: readonly Message[], size: BenchSize): OpenBench {
  const decoder = new MarketDecoder([BTCUSDT]);
  const buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  const opsPerSample = size === "tiny" ? 50 : Math.max(500, messages.length);
  const options = { opsPerSample, samples: size === "tiny" ? 4 : 40 };
  const over = (one: (m: Message) => number) => (ops: number) => {
    let sum = 0;
    for (let i = 0, k = 0; i < ops; i++) {
      sum += one(messages[k]!);
      if (++k === messages.length) k = 0;
    }
    return sum;
  };
  return {
    own: loopSide(
      over((m) => scannedSum(decoder, buffer, m.bytes)),
      options,
    ),
    reference: {
      name: "JSON.parse + Number",
      ...loopSide(
        over((m) => parsedSum(m.text)),
        options,
      ),
    },
  };
}

const NONCE = { nonceLo: 0x1234567, nonceHi: 0x1fff };
const SECRET = "a-secret-of-the-bench-and-of-nothing-else";
const KEY = "k".repeat(64);
const ORDER: OrderRequest = {
  clientSeq: 4711,
  instrument: 1,
  strategy: 3,
  side: SIDE_BUY,
  tif: TIF_GTX,
  orderType: 0,
  reduceOnly: false,
  pxTicks: 618_003,
  qtyLots: 10,
};

function orderEncoder(): RequestEncoder {
  const signer = new Signer(new Credentials("hmac", KEY, SECRET));
  return new RequestEncoder(
    [BTCUSDT],
    new ClientIdEncoder(NONCE.nonceLo, NONCE.nonceHi),
    KEY,
    signer,
    5000,
    new AdoptedOrders(),
  );
}

/** The same request in plain JavaScript; its length is the checksum. */
function plainOrder(r: OrderRequest, no: number, signed: boolean): number {
  const params: Record<string, string | number> = {
    newClientOrderId: formatClientId({ ...NONCE, strategy: r.strategy, clientSeq: r.clientSeq }),
    price: (r.pxTicks / 10).toFixed(1),
    quantity: (r.qtyLots / 1000).toFixed(3),
    recvWindow: 5000,
    side: "BUY",
    symbol: "BTCUSDT",
    timeInForce: "GTX",
    timestamp: 1_723_161_255_000 + no,
    type: "LIMIT",
  };
  if (signed) {
    const all: Record<string, string | number> = { apiKey: KEY, ...params };
    const text = Object.keys(all)
      .sort()
      .map((k) => `${k}=${all[k]}`)
      .join("&");
    params["apiKey"] = KEY;
    params["signature"] = createHmac("sha256", SECRET).update(text).digest("hex");
  }
  return JSON.stringify({ id: `1-${r.clientSeq}-${no}`, method: "order.place", params }).length;
}

function encodeBench(signed: boolean, size: BenchSize): OpenBench {
  const encoder = orderEncoder();
  const request = { ...ORDER };
  const options = { opsPerSample: size === "tiny" ? 50 : 2000, samples: size === "tiny" ? 4 : 40 };
  const over = (one: (i: number) => number) => (ops: number) => {
    let sum = 0;
    for (let i = 0; i < ops; i++) {
      request.pxTicks = 618_003 + (i & 1023);
      request.clientSeq = 100_000 + i;
      sum += one(i);
    }
    return sum;
  };
  const own = (i: number): number => {
    encoder.encode(ACTION_PLACE, request, i, 1_723_161_255_000 + i, signed);
    return encoder.json.at;
  };
  return {
    own: loopSide(over(own), options),
    reference: {
      name: "JSON.stringify + node:crypto",
      ...loopSide(
        over((i) => plainOrder(request, i, signed)),
        options,
      ),
    },
  };
}

const REPORT = `{"e":"ORDER_TRADE_UPDATE","T":1723161256320,"E":1723161256322,"o":{"s":"BTCUSDT","c":"${formatClientId({ ...NONCE, strategy: 3, clientSeq: 4711 })}","S":"SELL","o":"LIMIT","f":"GTX","q":"0.025","p":"61800.30","ap":"61800.30","sp":"0","x":"TRADE","X":"PARTIALLY_FILLED","i":9100000000001234,"l":"0.005","z":"0.010","L":"61800.30","n":"0.06180030","N":"USDT","T":1723161256319,"t":9100000000004321,"b":"0","a":"0","m":true,"R":false,"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"BOTH","cp":false,"rp":"0","pP":false,"si":0,"ss":0,"V":"EXPIRE_MAKER","pm":"NONE","gtd":0}}`;

function reportBench(size: BenchSize): OpenBench {
  const decoder = new AccountDecoder([BTCUSDT], ["", "USDT"]);
  const bytes = new TextEncoder().encode(REPORT);
  const options = { opsPerSample: size === "tiny" ? 50 : 2000, samples: size === "tiny" ? 4 : 40 };
  const repeat = (one: () => number) => (ops: number) => {
    let sum = 0;
    for (let i = 0; i < ops; i++) sum += one();
    return sum;
  };
  const own = repeat(() => {
    decoder.decode(bytes, bytes.length);
    return decoder.lastQtyLots + decoder.lastPxTicks + decoder.feeE8;
  });
  const parsed = repeat(() => {
    const { o } = JSON.parse(REPORT) as { o: { l: string; L: string; n: string } };
    return lots(o.l) + ticks(o.L) + Math.round(Number(o.n) * 1e8);
  });
  return {
    own: loopSide(own, options),
    reference: { name: "JSON.parse + Number", ...loopSide(parsed, options) },
  };
}

const count = (size: BenchSize, full: number): number => (size === "tiny" ? 20 : full);

export const benches: readonly Bench[] = [
  {
    name: "decode.depth40",
    question: "ns for one 40-level depthUpdate, bytes to ticks and lots (required: 1,500 ns, 0 bytes)",
    unit: "ns",
    compare: "p50",
    maxRatio: 0.5,
    sameChecksum: true,
    open: (size) =>
      decodeBench(
        captured((kind, n) => kind === MESSAGE_DEPTH && n === 40, count(size, 80)),
        size,
      ),
  },
  {
    name: "decode.capture",
    question: "ns per depth and trade message of the capture, in its order",
    unit: "ns",
    compare: "mean",
    maxRatio: 0.5,
    sameChecksum: true,
    open: (size) =>
      decodeBench(
        captured((kind) => kind === MESSAGE_DEPTH || kind === MESSAGE_TRADE, count(size, 6000)),
        size,
      ),
  },
  {
    name: "decode.orderReport",
    question: "ns for one ORDER_TRADE_UPDATE",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: reportBench,
  },
  {
    name: "encode.order",
    question: "ns for one order.place of a session that is logged on",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => encodeBench(false, size),
  },
  {
    name: "encode.orderSigned",
    question: "ns for one order.place with its HMAC-SHA256 signature",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => encodeBench(true, size),
  },
];
