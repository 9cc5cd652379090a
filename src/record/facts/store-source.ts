// A store (the embedded engine or a user's ClickHouse) as a source of sessions: rows of orders, fills, positions, account
// and market_data read back into the events that they were made from. Cold. What the store does not keep: requests
// that name no order.
import * as code from "../../wire/codes.ts";
import { literal } from "../ddl.ts";
import { EVENT_BY_EXEC } from "../order-fold.ts";
import { STATUS_OF } from "../order-rows.ts";
import { ORDER_EVENT_ENUM as EVENT, SIDE_ENUM } from "../tables.ts";
import {
  Names,
  type QuoteSink,
  type SessionEvents,
  type SessionInfo,
  type SessionInstrument,
  type SessionSource,
  type Span,
} from "./session-source.ts";

type Cell = string | number | boolean | null;

/** A database to read from; table names without a database are its own. */
export interface StoreReader {
  /** For people, without secrets. */
  readonly name: string;
  /** Rows as arrays; 64-bit integers as numbers, so they must be below 2^53. */
  rows(sql: string): Promise<readonly (readonly Cell[])[]>;
  /** The query's RowBinary bytes, in pieces. */
  binary(sql: string): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/** Throws RangeError when the store does not describe any session, and what the store answers. */
export async function storeSource(store: StoreReader): Promise<SessionSource> {
  const sessions = await readSessions(store);
  if (sessions.length === 0)
    throw new RangeError(
      `${store.name}: no session is described here; of an older hotlane: bun run wal load DATA_DIR --all`,
    );
  const names = new Names(sessions);
  return {
    name: store.name,
    names,
    notes: () => [],
    events: (span, to) => new StoreEvents(store, names, to).read(span),
    quotes: (span, to) => readQuotes(store, names, span, to),
  };
}

async function readSessions(store: StoreReader): Promise<SessionInfo[]> {
  const rows = await store.rows(
    "SELECT session, toString(toUnixTimestamp64Nano(base_time)), instruments, strategies FROM sessions ORDER BY started, session",
  );
  return rows.map(([session, baseNs, instruments, strategies]) => ({
    session: String(session),
    baseNs: BigInt(String(baseNs)),
    instruments: JSON.parse(String(instruments)) as SessionInstrument[],
    strategies: JSON.parse(String(strategies)) as string[],
  }));
}

/** SQL of a time column as ns since the base; NULL = not known. */
const ns = (column: string, baseNs: bigint): string =>
  `nullIf(toUnixTimestamp64Nano(${column}), 0) - ${baseNs}`;

/** SQL of a condition on a time column; times of the span may be infinite. */
function within(column: string, { fromNs, toNs }: Span, baseNs: bigint): string {
  const bound = (op: string, value: number): string[] =>
    Number.isFinite(value)
      ? [`${column} ${op} fromUnixTimestamp64Nano(toInt64(${baseNs + BigInt(Math.round(value))}), 'UTC')`]
      : [];
  return [...bound(">=", fromNs), ...bound("<", toNs), "1"].join(" AND ");
}

/** Every strategy that holds something has a position row each second. */
const HELD_NS = 10e9;

class StoreEvents {
  private readonly store: StoreReader;
  private readonly names: Names;
  private readonly to: SessionEvents;

  constructor(store: StoreReader, names: Names, to: SessionEvents) {
    this.store = store;
    this.names = names;
    this.to = to;
  }

  /** Session after session, its tables merged by position in the log. */
  async read(span: Span): Promise<void> {
    for (const { session } of this.names.sessions) {
      const events = [
        // A fill and what it made of its order have one position, and this order.
        ...(await this.fills(session, span)),
        ...(await this.orders(session, span)),
        ...(await this.positions(session, span)),
        ...(await this.funding(session, span)),
        ...(await this.gaps(session, span)),
      ];
      events.sort((a, b) => a.position - b.position);
      for (const event of events) event.tell();
      await this.quoted(session, span);
    }
  }

  private async orders(session: string, span: Span): Promise<Event[]> {
    const { baseNs } = this.names;
    const until = { fromNs: Number.NEGATIVE_INFINITY, toNs: span.toNs };
    const since = { fromNs: span.fromNs, toNs: Number.POSITIVE_INFINITY };
    const times = ["event", "trigger", "strategy", "risk", "wire", "exch", "update"];
    const rows = await this.store.rows(`SELECT wal_position, toString(order_id),
  if(client_order_id = '', 0, bitAnd(order_id, 4294967295)), symbol, strategy_id, toInt8(event), toInt8(status), toInt8(side),
  toInt8(tif), toInt8(order_type), price_ticks, qty_lots, toFloat64(mid_decision), reject_code,
  ${times.map((time) => ns(`${time}_time`, baseNs)).join(", ")}
FROM orders WHERE session = ${literal(session)}
  AND ${within("create_time", until, baseNs)} AND ${within("update_time", since, baseNs)}`);
    return rows.flatMap((row) => this.orderEvent(row));
  }

  private orderEvent(row: readonly Cell[]): Event[] {
    const [position, id, seq, symbol, strategy, kind, status, side, tif, type, px, qty, mid, reject] = row;
    const [event, trigger, decided, gated, wire, exch, update] = row.slice(14).map(number);
    const instrument = this.names.instrument(String(symbol));
    if (instrument < 0) return [];
    const order = String(id);
    const action = ACTION_OF[Number(kind)];
    const tell = (): void => {
      if (action === undefined)
        this.to.report({
          order,
          execType: EXEC_OF.get(Number(kind))!,
          orderState: STATE_OF.get(Number(status))!,
          exchNs: exch!,
          recvNs: update!,
          rejectCode: number(reject!),
        });
      else
        this.to.sent({
          order,
          clientSeq: number(seq!),
          instrument,
          strategy: this.names.strategy(String(strategy)),
          action,
          side: sideOf(side!),
          orderType: number(type!),
          tif: number(tif!),
          pxTicks: type === code.ORDER_TYPE_MARKET ? Number.NaN : number(px!),
          qtyLots: number(qty!),
          eventExchNs: event!,
          triggerNs: trigger!,
          decidedNs: decided!,
          gatedNs: gated!,
          sentNs: wire!,
          decisionTicks: this.midTicks(instrument, number(mid!)),
        });
    };
    return [{ position: Number(position), tell }];
  }

  private async fills(session: string, span: Span): Promise<Event[]> {
    const { baseNs } = this.names;
    const rows = await this.store.rows(`SELECT wal_position, toString(fill_id), toString(order_id),
  if(client_order_id = '', 0, bitAnd(order_id, 4294967295)), symbol, strategy_id, toInt8(side), price_ticks, qty_lots, is_maker,
  ${ns("exch_time", baseNs)}, ${ns("local_time", baseNs)}, toFloat64(fee), fee_asset
FROM fills WHERE session = ${literal(session)} AND ${within("exch_time", span, baseNs)}`);
    return rows.flatMap((row): Event[] => {
      const [position, trade, order, seq, symbol, strategy, side, px, qty, maker, exch, recv, fee, asset] =
        row;
      const instrument = this.names.instrument(String(symbol));
      if (instrument < 0) return [];
      const settled = asset === this.names.instruments[instrument]!.currency;
      const event = {
        trade: String(trade),
        order: String(order),
        clientSeq: number(seq!),
        instrument,
        strategy: this.names.strategy(String(strategy)),
        side: sideOf(side!),
        pxTicks: number(px!),
        qtyLots: number(qty!),
        maker: maker === true,
        exchNs: number(exch!),
        recvNs: number(recv!),
        fee: settled ? number(fee!) : Number.NaN,
      };
      return [{ position: Number(position), tell: () => this.to.fill(event) }];
    });
  }

  private async positions(session: string, span: Span): Promise<Event[]> {
    const { baseNs } = this.names;
    const wide = { fromNs: span.fromNs - HELD_NS, toNs: span.toNs };
    const rows = await this.store.rows(`SELECT wal_position, symbol, strategy_id, position_lots,
  ${ns("timestamp", baseNs)} FROM positions
WHERE session = ${literal(session)} AND cause != 'Venue' AND ${within("timestamp", wide, baseNs)}`);
    return rows.flatMap(([position, symbol, strategy, lots, recv]): Event[] => {
      const instrument = this.names.instrument(String(symbol));
      if (instrument < 0) return [];
      const who = this.names.strategy(String(strategy));
      const event = { instrument, strategy: who, qtyLots: number(lots!), recvNs: number(recv!) };
      return [{ position: Number(position), tell: () => this.to.position(event) }];
    });
  }

  private async funding(session: string, span: Span): Promise<Event[]> {
    const { baseNs } = this.names;
    const rows =
      await this.store.rows(`SELECT wal_position, symbol, toFloat64(amount), ${ns("timestamp", baseNs)}
FROM account WHERE session = ${literal(session)} AND kind = 'Funding' AND ${within("timestamp", span, baseNs)}`);
    return rows.flatMap(([position, symbol, amount, recv]): Event[] => {
      const instrument = this.names.instrument(String(symbol));
      if (instrument < 0) return [];
      const event = { instrument, recvNs: number(recv!), amount: number(amount!) };
      return [{ position: Number(position), tell: () => this.to.funding(event) }];
    });
  }

  private async gaps(session: string, span: Span): Promise<Event[]> {
    const { baseNs } = this.names;
    const rows = await this.store.rows(`SELECT wal_position, lost_count, ${ns("timestamp", baseNs)}
FROM journal_gaps WHERE session = ${literal(session)} AND ${within("timestamp", span, baseNs)}`);
    return rows.map(([position, lost, recv]) => ({
      position: Number(position),
      tell: () => this.to.gap(number(lost!), number(recv!)),
    }));
  }

  private async quoted(session: string, span: Span): Promise<void> {
    const { baseNs } = this.names;
    const rows =
      await this.store.rows(`SELECT ${ns("min(local_time)", baseNs)}, ${ns("max(local_time)", baseNs)}
FROM market_data WHERE session = ${literal(session)} AND kind = 'Bbo' AND ${within("local_time", span, baseNs)}
HAVING count() > 0`);
    for (const time of rows.flat()) this.to.quoted(number(time));
  }

  /** A mid lies on a tick or between two; NaN: none was known. */
  private midTicks(instrument: number, mid: number): number {
    return mid > 0 ? inTicks(2 * mid, this.names.instruments[instrument]!.tickSize) / 2 : Number.NaN;
  }
}

interface Event {
  readonly position: number;
  readonly tell: () => void;
}

const number = (cell: Cell): number => (cell === null ? Number.NaN : Number(cell));
const sideOf = (side: Cell): number => (side === SIDE_ENUM.Buy ? code.SIDE_BUY : code.SIDE_SELL);
const inTicks = (price: number, tickSize: number): number => Math.round(price / tickSize);

const ACTION_OF: Readonly<Record<number, number>> = {
  [EVENT.PlaceSent]: code.ACTION_PLACE,
  [EVENT.CancelSent]: code.ACTION_CANCEL,
  [EVENT.ReplaceSent]: code.ACTION_MODIFY,
};
/** ORDER_EVENT_ENUM → EXEC_…, STATUS_ENUM → ORDER_… */
const EXEC_OF = new Map([
  ...Object.entries(EVENT_BY_EXEC).map(([exec, event]) => [event, Number(exec)] as const),
  [EVENT.Fill, code.EXEC_TRADE],
]);
const STATE_OF = new Map(STATUS_OF.map((status, state) => [status, state]));

/** Four doubles. */
const QUOTE_BYTES = 32;

/** Instrument after instrument, in the order of receipt. */
async function readQuotes(store: StoreReader, names: Names, span: Span, to: QuoteSink): Promise<void> {
  const { baseNs } = names;
  const sessions = names.sessions.map(({ session }) => literal(session)).join(", ");
  for (const { index, symbol, tickSize } of names.instruments) {
    const pieces = await store.binary(`SELECT toFloat64(toUnixTimestamp64Nano(exch_time) - ${baseNs}),
  toFloat64(toUnixTimestamp64Nano(local_time) - ${baseNs}), toFloat64(price), toFloat64(ask_price)
FROM market_data WHERE symbol = ${literal(symbol)} AND kind = 'Bbo' AND session IN (${sessions})
  AND ${within("local_time", span, baseNs)} ORDER BY local_time, wal_position FORMAT RowBinary`);
    await eachRow(pieces, QUOTE_BYTES, (view, at) => {
      const [bid, ask] = [view.getFloat64(at + 16, true), view.getFloat64(at + 24, true)];
      const mid = bid > 0 && ask > 0 ? (inTicks(bid, tickSize) + inTicks(ask, tickSize)) / 2 : Number.NaN;
      to(index, view.getFloat64(at, true), view.getFloat64(at + 8, true), mid);
    });
  }
}

/** Rows of fixed width out of pieces that end anywhere. */
async function eachRow(
  pieces: AsyncIterable<Uint8Array>,
  width: number,
  row: (view: DataView, at: number) => void,
): Promise<void> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (; at + width <= bytes.length; at += width) row(view, at);
    rest = bytes.slice(at);
  }
}
