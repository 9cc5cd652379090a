// A venue that exists only for the warm-up: sockets that lead to it, REST answers, order requests answered the
// way Binance answers, a part of the orders filled. It knows just enough for the connector to run all of its
// paths; nothing leaves the process. Cold.
import { KillWord } from "../risk/kill-word.ts";
import { BUDGET_DEFAULTS, RequestBudget } from "../venue/binance/request-budget.ts";
import { BinanceRest } from "../venue/binance/rest.ts";
import { type BunSocket, BunWebSocketTransport, RECEIVE_BYTES } from "../venue/transport/bun-websocket.ts";
import type { LaneEdges } from "./lane-edges.ts";

const OPEN = 1;
const CLOSED = 3;
/** One order in this many is filled when it is placed, one in as many when it is moved. */
const FILL_EVERY = 16;
const KILL_WORD_BYTES = 4096;
const WALLET = "10000000.00000000";

class WarmUpSocket implements BunSocket {
  readonly url: string;
  readyState = 0;
  readonly bufferedAmount = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  private readonly onText: (text: string) => void;

  constructor(url: string, onText: (text: string) => void) {
    this.url = url;
    this.onText = onText;
  }

  open(): void {
    this.readyState = OPEN;
    this.onopen?.(new Event("open"));
  }

  receive(text: string): void {
    this.onmessage?.({ data: text } as MessageEvent);
  }

  addEventListener(): void {}

  send(text: string): void {
    this.onText(text);
  }

  ping(): void {}

  terminate(): void {
    this.readyState = CLOSED;
  }
}

interface WarmUpOrder {
  readonly number: number;
  readonly clientId: string;
  readonly symbol: string;
  readonly side: string;
  price: string;
  quantity: string;
  status: string;
}

interface Frame {
  readonly id: string;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
}

export class WarmUpVenue {
  /** Order requests that were answered. */
  requests: number;
  private readonly settle: string;
  private readonly snapshotSymbol: string;
  private readonly snapshot: Uint8Array;
  private readonly orders: Map<string, WarmUpOrder>;
  private sockets: WarmUpSocket[];
  private inbox: Frame[];
  private nextNumber: number;

  /** `snapshot`: the venue's bytes for `symbol`; other symbols have none. */
  constructor(settle: string, symbol: string, snapshot: Uint8Array) {
    this.requests = 0;
    this.settle = settle;
    this.snapshotSymbol = symbol;
    this.snapshot = snapshot;
    this.orders = new Map();
    this.sockets = [];
    this.inbox = [];
    this.nextNumber = 1;
  }

  get edges(): LaneEdges {
    const open = (url: string) => this.socket(url);
    return {
      connect: (handler, nowNs) => new BunWebSocketTransport(handler, nowNs, RECEIVE_BYTES, open),
      makeRest: (options) =>
        new BinanceRest({
          ...options,
          fetch: (url, init) => Promise.resolve(this.answerRest(new URL(url), init.method ?? "GET")),
          budget: new RequestBudget({
            ...BUDGET_DEFAULTS,
            weightPerMinute: 1e9,
            ordersPerMinute: 1e9,
            ordersPer10s: 1e9,
          }),
        }),
      openKillWord: () => new KillWord("", new Uint8Array(new ArrayBuffer(KILL_WORD_BYTES))),
      isLive: false,
    };
  }

  /** Opens the sockets that were asked for. */
  openSockets(): void {
    for (const socket of this.sockets) if (socket.readyState === 0) socket.open();
  }

  /** A market message to the connection that subscribed to it. */
  market(text: string, isPublic: boolean): void {
    this.to(isPublic ? "/public" : "/market", text);
  }

  /** Answers the requests that came since the last call. */
  answerOrders(): void {
    if (this.inbox.length === 0) return;
    const frames = this.inbox;
    this.inbox = [];
    for (const frame of frames) this.answer(frame);
  }

  private socket(url: string): WarmUpSocket {
    const isApi = url.includes("/ws-fapi/");
    const socket = new WarmUpSocket(url, (text) => {
      if (isApi) this.inbox.push(JSON.parse(text) as Frame);
    });
    this.sockets = [...this.sockets.filter((s) => s.readyState !== CLOSED), socket];
    return socket;
  }

  private to(route: string, text: string): void {
    for (const socket of this.sockets)
      if (socket.readyState === OPEN && socket.url.includes(route)) socket.receive(text);
  }

  private answer({ id, method, params }: Frame): void {
    if (method === "session.logon") {
      this.to("/ws-fapi/", `{"id":"logon","status":200,"result":{}}`);
      return;
    }
    this.requests++;
    const order = this.apply(method, params);
    if (order === null) {
      const error = `{"code":-2011,"msg":"Unknown order sent."}`;
      this.to("/ws-fapi/", `{"id":"${id}","status":400,"error":${error}}`);
      return;
    }
    this.to("/ws-fapi/", `{"id":"${id}","status":200,"result":${replyText(order)}}`);
    const execution = method === "order.place" ? "NEW" : method === "order.modify" ? "AMENDMENT" : "CANCELED";
    this.to("/private", updateText(order, execution, "0", 0));
    if (order.status === "NEW" && this.requests % FILL_EVERY === 0) this.fill(order);
  }

  private apply(method: string, params: Frame["params"]): WarmUpOrder | null {
    if (method === "order.place") {
      const order = {
        number: this.nextNumber++,
        clientId: params["newClientOrderId"] ?? "",
        symbol: params["symbol"] ?? "",
        side: params["side"] ?? "",
        price: params["price"] ?? "0",
        quantity: params["quantity"] ?? "0",
        status: "NEW",
      };
      this.orders.set(order.clientId, order);
      return order;
    }
    const order = this.orders.get(params["origClientOrderId"] ?? "");
    if (order === undefined) return null;
    if (method === "order.modify") {
      order.price = params["price"] ?? order.price;
      order.quantity = params["quantity"] ?? order.quantity;
    } else {
      order.status = "CANCELED";
      this.orders.delete(order.clientId);
    }
    return order;
  }

  private fill(order: WarmUpOrder): void {
    order.status = "FILLED";
    this.orders.delete(order.clientId);
    const wallet = `"wb":"${WALLET}","cw":"${WALLET}","bc":"0"`;
    this.to(
      "/private",
      `{"e":"ACCOUNT_UPDATE","E":${Date.now()},"T":${Date.now()},"a":{"B":[{"a":"${this.settle}",${wallet}}],"P":[],"m":"ORDER"}}`,
    );
    this.to("/private", updateText(order, "TRADE", order.quantity, this.nextNumber++));
  }

  private answerRest(url: URL, method: string): Response {
    const path = url.pathname;
    if (path.endsWith("/time")) return Response.json({ serverTime: Date.now() });
    if (path.endsWith("/listenKey")) return Response.json({ listenKey: "warm-up" });
    if (path.endsWith("/balance"))
      return Response.json([{ asset: this.settle, balance: WALLET, availableBalance: WALLET }]);
    if (path.endsWith("/depth")) {
      const known = url.searchParams.get("symbol") === this.snapshotSymbol;
      return known ? new Response(this.snapshot.slice()) : new Response("{}", { status: 404 });
    }
    if (path.endsWith("/order")) return Response.json({ code: -2013, msg: "none" }, { status: 400 });
    return Response.json(method === "GET" ? [] : {});
  }
}

function replyText(o: WarmUpOrder): string {
  return (
    `{"orderId":${o.number},"symbol":"${o.symbol}","status":"${o.status}","clientOrderId":"${o.clientId}",` +
    `"price":"${o.price}","origQty":"${o.quantity}","executedQty":"0.000","cumQty":"0.000","timeInForce":"GTX",` +
    `"type":"LIMIT","reduceOnly":false,"closePosition":false,"side":"${o.side}","positionSide":"BOTH",` +
    `"stopPrice":"0.00","workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"LIMIT",` +
    `"priceMatch":"NONE","selfTradePreventionMode":"NONE","goodTillDate":0,"updateTime":${Date.now()}}`
  );
}

function updateText(o: WarmUpOrder, execution: string, lastQuantity: string, trade: number): string {
  const now = Date.now();
  const filled = execution === "TRADE";
  const fee = filled ? `"N":"USDT","n":"0.00010000",` : "";
  return (
    `{"e":"ORDER_TRADE_UPDATE","E":${now},"T":${now},"o":{"s":"${o.symbol}","c":"${o.clientId}","S":"${o.side}",` +
    `"o":"LIMIT","f":"GTX","q":"${o.quantity}","p":"${o.price}","ap":"0","sp":"0.00","x":"${execution}",` +
    `"X":"${o.status}","i":${o.number},"l":"${lastQuantity}","z":"${filled ? o.quantity : "0.000"}",` +
    `"L":"${filled ? o.price : "0.00"}",${fee}"T":${now},"t":${trade},"b":"0","a":"0","m":${filled},"R":false,` +
    `"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"BOTH","cp":false,"rp":"0","pP":false,"si":0,"ss":0,"V":"NONE",` +
    `"pm":"NONE","gtd":0,"er":"0"}}`
  );
}
