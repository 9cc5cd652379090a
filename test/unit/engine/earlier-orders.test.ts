import { expect, test } from "bun:test";
import { cancelEarlierOrders, type EarlierOrdersOptions } from "../../../src/engine/earlier-orders.ts";
import { EngineError } from "../../../src/engine/engine-error.ts";
import { formatClientId } from "../../../src/order/client-id.ts";
import type { VenueOrder } from "../../../src/venue/contract.ts";

const DEAD = 7;
const id = (nonceLo: number, clientSeq: number) =>
  formatClientId({ nonceLo, nonceHi: 0, strategy: 1, clientSeq });
const order = (clientOrderId: string, symbol = "BTCUSDT"): VenueOrder => ({
  ...{ symbol, orderId: "1", clientOrderId, side: "BUY", status: "NEW", price: "1", quantity: "1" },
  ...{ executedQuantity: "0", updateTimeMs: 0 },
});

/** A venue that needs `tries` cancels per order and fails the first `failures` queries. */
function venue(orders: VenueOrder[], tries = 1, failures = 0) {
  const log: string[] = [];
  const cancels = new Map<string, number>();
  let left = failures;
  const failure = { ok: false, unknown: false, status: 503, code: 0, message: "down" } as const;
  const all: string[] = [];
  return {
    log,
    all,
    open: () => orders.map((o) => o.clientOrderId),
    options: {
      openOrders: async (symbol?: string) => {
        if (left-- > 0) return failure;
        return {
          ok: true as const,
          value: orders.filter((o) => symbol === undefined || o.symbol === symbol),
        };
      },
      cancel: async (_symbol: string, clientId: string) => {
        const done = (cancels.get(clientId) ?? 0) + 1;
        cancels.set(clientId, done);
        if (done < tries) return failure;
        orders.splice(
          orders.findIndex((o) => o.clientOrderId === clientId),
          1,
        );
        return { ok: true as const, value: null };
      },
      isKept: (_order: VenueOrder) => false,
      isOurs: (found: { readonly nonceLo: number }) => found.nonceLo === DEAD,
      symbols: ["BTCUSDT"],
      cancelAll: async (symbol: string) => {
        all.push(symbol);
        for (let i = orders.length - 1; i >= 0; i--) if (orders[i]!.symbol === symbol) orders.splice(i, 1);
        return { ok: true as const, value: null };
      },
      foreign: "adopt" as EarlierOrdersOptions["foreign"],
      deadlineMs: 2_000,
      log: (level: string, message: string) => void log.push(`${level}: ${message}`),
    },
  };
}

test("orders of dead sessions are cancelled until they are gone, those of nobody stay under adopt and are named", async () => {
  const stranger = id(DEAD + 1, 1);
  const v = venue([order(id(DEAD, 1)), order(stranger), order("by-hand"), order(id(DEAD, 2), "ETHUSDT")], 3);
  expect((await cancelEarlierOrders(v.options)).gone).toBe(2);
  expect(v.open()).toEqual([stranger, "by-hand"]);
  expect(v.log).toEqual([
    "warn: open orders of nobody on our symbols: house holds them",
    "warn: orders of earlier sessions work at the venue: cancelling them before trading",
    "info: 2 orders of earlier sessions are gone from the venue",
  ]);
});

test("the second look, while this session trades, names no order as another's", async () => {
  const v = venue([order(id(DEAD, 1)), order(id(DEAD + 1, 1))]);
  expect((await cancelEarlierOrders({ ...v.options, foreign: "ignore" })).gone).toBe(1);
  expect(v.log).toEqual([
    "warn: orders of earlier sessions work at the venue: cancelling them before trading",
    "info: 1 orders of earlier sessions are gone from the venue",
  ]);
});

test("what the session before has kept stays, on a symbol where others go, and is named and handed on", async () => {
  const kept = { ...order(id(DEAD, 2)), orderId: "2" };
  const v = venue([order(id(DEAD, 1)), kept, order(id(DEAD, 3))]);
  const isKept = ({ orderId }: VenueOrder) => orderId === "2";
  const result = await cancelEarlierOrders({ ...v.options, isKept });
  expect(result).toEqual({ gone: 2, kept: [kept] });
  expect(v.open()).toEqual([kept.clientOrderId]);
  expect(v.log.at(-1)).toBe("warn: 1 orders that the session before kept go on with their strategies");
});

test("a venue that does not answer at first is asked again", async () => {
  const v = venue([order(id(DEAD, 1))], 1, 3);
  expect((await cancelEarlierOrders(v.options)).gone).toBe(1);
  expect(v.open()).toEqual([]);
});

test("orders of nobody on our symbols refuse the start by default, and are cancelled when the policy says so", async () => {
  const orders = () => [order("by-hand"), order("elsewhere", "SOLUSDT"), order(id(DEAD, 1))];
  const refused = venue(orders());
  expect(cancelEarlierOrders({ ...refused.options, foreign: "refuse" })).rejects.toThrow(
    /no session of this data directory placed: BTCUSDT by-hand\n.*venue\.foreign_orders/,
  );
  expect(refused.open()).toHaveLength(3);
  const cancelled = venue(orders());
  expect((await cancelEarlierOrders({ ...cancelled.options, foreign: "cancel" })).gone).toBe(2);
  expect(cancelled.open()).toEqual(["elsewhere"]);
  expect(cancelled.all).toEqual(["BTCUSDT"]);
});

test("a thousand orders of a dead session on one symbol are one request when nothing else is open there", async () => {
  const many = venue(Array.from({ length: 1000 }, (_, k) => order(id(DEAD, k + 1))));
  expect((await cancelEarlierOrders(many.options)).gone).toBe(1000);
  expect(many.all).toEqual(["BTCUSDT"]);
});

test("orders that cannot be shown to be gone refuse the start as unsafe", async () => {
  const v = venue([order(id(DEAD, 1)), order("by-hand")], Number.POSITIVE_INFINITY);
  const refused = cancelEarlierOrders({ ...v.options, deadlineMs: 50 });
  expect(refused).rejects.toThrow(new EngineError("orders of earlier sessions may be working: down", 4));
});
