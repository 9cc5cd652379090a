// Rows of positions and account: what is held, and what the venue booked.
import type { RecordMemory } from "../core/record.ts";
import { limbsToBigInt, MAX_FACTOR } from "../core/two-limb.ts";
import { RISK_STATE_FUNDING } from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import type { Columns } from "./batch.ts";
import { HeldHead } from "./held-head.ts";
import type { RowFrame } from "./row-frame.ts";
import type { Amount } from "./session-units.ts";
import { ACCOUNT_KIND_ENUM, POSITION_CAUSE_ENUM } from "./tables.ts";

const FEE_DECIMALS = 8;

export class AccountRows {
  private readonly frame: RowFrame;
  /** Funding of "strategy symbol" so far, 1e-8 tick·lots. */
  private readonly funded = new Map<string, Amount>();
  private readonly head = new HeldHead();
  private readonly stand: wire.Position;
  private readonly standDetail: wire.PositionDetail;
  private readonly riskState: wire.RiskState;
  private readonly balance: wire.Balance;
  private readonly funding: wire.Funding;

  constructor(frame: RowFrame, memory: RecordMemory) {
    this.frame = frame;
    this.stand = new wire.Position(this.head.memory);
    this.standDetail = new wire.PositionDetail(memory);
    this.riskState = new wire.RiskState(memory);
    this.balance = new wire.Balance(memory);
    this.funding = new wire.Funding(memory);
  }

  add(m: RecordMemory, at: number, kind: number): void {
    switch (kind) {
      case wire.KIND_POSITION:
        this.head.hold(m, at, kind, this.frame.position);
        return;
      case wire.KIND_POSITION_DETAIL:
        if (this.head.takes(wire.KIND_POSITION)) this.addPosition(this.stand, this.standDetail.wrap(m, at));
        return;
      case wire.KIND_RISK_STATE:
        this.onRiskState(this.riskState.wrap(m, at));
        return;
      case wire.KIND_BALANCE:
        this.addBalance(this.balance.wrap(m, at));
        return;
      case wire.KIND_FUNDING:
        this.addFunding(this.funding.wrap(m, at));
        return;
      default:
    }
  }

  /** Funding by "strategy symbol", decimal text. */
  saveFunding(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.funded].map(([pair, amount]) => [pair, amount.toString()]));
  }

  restoreFunding(saved: Readonly<Record<string, string>>): void {
    this.funded.clear();
    for (const [pair, amount] of Object.entries(saved)) this.funded.set(pair, BigInt(amount));
  }

  private onRiskState(state: wire.RiskState): void {
    if (state.code !== RISK_STATE_FUNDING) return;
    this.funded.set(this.pairKey(state.strategy, state.instrument), limbs(state.value0, state.value1));
  }

  private pairKey(strategy: number, instrument: number): string {
    const { units } = this.frame;
    return `${units.strategyName(strategy)} ${units.symbolOf(instrument)}`;
  }

  private fundingOf(stand: wire.Position): Amount {
    if (this.funded.size === 0 || (stand.flags & wire.FLAG_VENUE) !== 0) return 0;
    return this.funded.get(this.pairKey(stand.strategy, stand.instrument)) ?? 0;
  }

  private addPosition(stand: wire.Position, detail: wire.PositionDetail): void {
    const { units } = this.frame;
    const of = units.instrument(stand.instrument);
    const realized = limbs(stand.realizedHi, stand.realizedLo);
    const c = this.frame.row("positions", stand.recvTsNs);
    units.time(c["timestamp"]!, stand.recvTsNs);
    c["symbol"]!.string(of.symbol);
    of.qty(c["position"]!, stand.qtyLots);
    of.averagePrice(c["avg_price"]!, stand.costTickLots, stand.qtyLots);
    of.money(c["unrealized_pnl"]!, tenths(detail.unrealizedTickLots), 1);
    of.money(c["realized_pnl"]!, realized);
    c["strategy_id"]!.string(units.strategy(stand.strategy));
    c["cause"]!.byte(causeOf(stand.flags));
    of.money(c["fees"]!, limbs(detail.feesHi, detail.feesLo), FEE_DECIMALS);
    of.money(c["funding"]!, this.fundingOf(stand), FEE_DECIMALS);
    of.money(c["realized"]!, realized);
    of.price(c["mark_price"]!, detail.markTicks);
    c["position_lots"]!.long(stand.qtyLots);
    c["currency"]!.string(of.currency);
    this.frame.endAt(c, of, this.head.position);
  }

  private addBalance(balance: wire.Balance): void {
    const c = this.accountRow(balance, ACCOUNT_KIND_ENUM.Balance, 0, balance.asset);
    c["amount"]!.long(integer(balance.changeE8));
    c["wallet"]!.long(integer(balance.walletE8));
    c["transaction_id"]!.long(0);
    this.frame.endAt(c, this.frame.units.instrument(1));
  }

  private addFunding(f: wire.Funding): void {
    const c = this.accountRow(f, ACCOUNT_KIND_ENUM.Funding, f.instrument, f.asset);
    c["amount"]!.long(integer(f.amountE8));
    c["wallet"]!.long(integer(f.walletE8));
    c["transaction_id"]!.words(f.transactionLo, f.transactionHi);
    this.frame.endAt(c, this.frame.units.instrument(Math.max(1, f.instrument)));
  }

  private accountRow(record: wire.RecordHeader, kind: number, instrument: number, asset: number): Columns {
    const { units } = this.frame;
    const c = this.frame.row("account", record.recvTsNs);
    units.time(c["timestamp"]!, record.recvTsNs);
    units.time(c["exch_time"]!, record.exchTsNs);
    c["kind"]!.byte(kind);
    c["symbol"]!.string(units.instrument(instrument).symbol);
    c["asset"]!.string(units.asset(asset));
    return c;
  }
}

const integer = (value: number): number => (Number.isFinite(value) ? Math.round(value) : 0);

function limbs(hi: number, lo: number): Amount {
  if (hi === 0 && Number.isInteger(lo)) return lo;
  if (hi === -1 && lo > 0) return lo - MAX_FACTOR - 1;
  return Number.isInteger(hi) && Number.isInteger(lo) ? limbsToBigInt(hi, lo) : 0;
}

/** Tick·lots with one decimal: a mark may lie between two ticks. */
function tenths(tickLots: number): Amount {
  if (!Number.isFinite(tickLots)) return 0;
  const value = Math.round(tickLots * 10);
  return Math.abs(value) <= MAX_FACTOR ? value : BigInt(value);
}

function causeOf(flags: number): number {
  if ((flags & wire.FLAG_VENUE) !== 0) return POSITION_CAUSE_ENUM.Venue;
  return (flags & wire.FLAG_SNAPSHOT) !== 0 ? POSITION_CAUSE_ENUM.Interval : POSITION_CAUSE_ENUM.Change;
}
