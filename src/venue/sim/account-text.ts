// What the account says of itself: ACCOUNT_UPDATE and the REST and WS API account replies. Built by hand where
// the venue's number formats matter.
import type { Account, AccountTrade, Income } from "./account.ts";
import { idText, transactionText } from "./big-id.ts";
import type { VenueOrder } from "./order.ts";
import { sideText } from "./order.ts";
import type { SymbolMarket } from "./symbol-market.ts";
import { e8Text, markText, pxText, qtyText, type SymbolSpec } from "./symbol-spec.ts";

/** ACCOUNT_UPDATE with the balance and, unless null, one position. `changeE8` is the change apart from trading. */
export function accountUpdateText(
  account: Account,
  reason: string,
  symbol: string | null,
  changeE8: bigint,
  nowMs: number,
): string {
  const wallet = e8Text(account.walletE8);
  const balance = `{"a":"USDT","wb":"${wallet}","cw":"${wallet}","bc":"${e8Text(changeE8)}"}${feeBalance(account)}`;
  const positions = symbol === null ? "" : positionUpdate(account, account.specs.get(symbol)!);
  return `{"e":"ACCOUNT_UPDATE","E":${nowMs},"T":${nowMs},"a":{"B":[${balance}],"P":[${positions}],"m":"${reason}"}}`;
}

/** Behind the quote currency's, when fees are paid in a coin of their own. */
function feeBalance({ options, feeWalletE8 }: Account): string {
  if (options.feeAsset === null) return "";
  const wallet = e8Text(feeWalletE8);
  return `,{"a":"${options.feeAsset.name}","wb":"${wallet}","cw":"${wallet}","bc":"0.00000000"}`;
}

function positionUpdate(account: Account, spec: SymbolSpec): string {
  const entry = entryText(account, spec);
  const realized = account.tradesOf(spec.symbol).at(-1)?.realizedE8;
  return (
    `{"s":"${spec.symbol}","pa":"${amountText(account, spec)}","ep":"${entry}","bep":"${entry}",` +
    `"cr":"${e8Text(realized ?? 0n)}","up":"${e8Text(account.unrealizedE8(spec.symbol))}","mt":"cross","iw":"0","ps":"BOTH","ma":"USDT"}`
  );
}

const amountText = (account: Account, spec: SymbolSpec): string =>
  qtyText(spec, Number(account.position(spec.symbol).qtyLots));

/** Average entry price with 8 more digits than a tick, truncated. */
export function entryText(account: Account, spec: SymbolSpec): string {
  const { qtyLots, costTickLots } = account.position(spec.symbol);
  if (qtyLots === 0n) return "0.0";
  return markText(spec, (costTickLots * 100_000_000n) / qtyLots);
}

export function balanceRows(account: Account, nowMs: number): Record<string, unknown>[] {
  const { feeAsset } = account.options;
  const row = (asset: string, walletE8: bigint, unrealizedE8: bigint, freeE8: bigint) => ({
    accountAlias: "SgsR",
    asset,
    balance: e8Text(walletE8),
    crossWalletBalance: e8Text(walletE8),
    crossUnPnl: e8Text(unrealizedE8),
    availableBalance: e8Text(freeE8),
    maxWithdrawAmount: e8Text(freeE8),
    marginAvailable: true,
    updateTime: nowMs,
  });
  const quote = row("USDT", account.walletE8, account.totalUnrealizedE8(), account.availableE8());
  return feeAsset === null
    ? [quote]
    : [quote, row(feeAsset.name, account.feeWalletE8, 0n, account.feeWalletE8)];
}

export function positionRow(account: Account, market: SymbolMarket): Record<string, unknown> {
  const spec = market.spec;
  const symbol = spec.symbol;
  const position = account.position(symbol);
  const margin = e8Text(account.positionMarginE8(symbol));
  const value = position.qtyLots * market.markTicksE8() * position.e8PerTickLot;
  return {
    symbol,
    positionSide: "BOTH",
    positionAmt: amountText(account, spec),
    entryPrice: entryText(account, spec),
    breakEvenPrice: entryText(account, spec),
    markPrice: markText(spec, market.markTicksE8()),
    unRealizedProfit: e8Text(account.unrealizedE8(symbol)),
    liquidationPrice: "0",
    leverage: String(position.leverage),
    marginType: "cross",
    isolatedMargin: "0.00000000",
    notional: e8Text(value / 100_000_000n),
    marginAsset: "USDT",
    isolatedWallet: "0",
    initialMargin: e8Text(account.initialMarginE8(symbol)),
    maintMargin: "0",
    positionInitialMargin: margin,
    openOrderInitialMargin: e8Text(account.initialMarginE8(symbol) - account.positionMarginE8(symbol)),
    adl: 0,
    bidNotional: "0",
    askNotional: "0",
    maxNotionalValue: "100000000",
    updateTime: account.changedMs.get(symbol) ?? 0,
  };
}

export function accountReply(
  account: Account,
  markets: Iterable<SymbolMarket>,
  nowMs: number,
): Record<string, unknown> {
  const wallet = e8Text(account.walletE8);
  const unrealized = account.totalUnrealizedE8();
  const total = {
    initialMargin: e8Text(account.totalInitialMarginE8()),
    maintMargin: "0.00000000",
    walletBalance: wallet,
    marginBalance: e8Text(account.walletE8 + unrealized),
    positionInitialMargin: e8Text(0n),
    openOrderInitialMargin: e8Text(0n),
    crossWalletBalance: wallet,
    crossUnPnl: e8Text(unrealized),
  };
  return {
    feeTier: 0,
    feeBurn: false,
    canTrade: true,
    canDeposit: true,
    canWithdraw: true,
    multiAssetsMargin: false,
    tradeGroupId: -1,
    updateTime: nowMs,
    totalInitialMargin: total.initialMargin,
    totalMaintMargin: total.maintMargin,
    totalWalletBalance: wallet,
    totalUnrealizedProfit: e8Text(unrealized),
    totalMarginBalance: total.marginBalance,
    totalPositionInitialMargin: total.positionInitialMargin,
    totalOpenOrderInitialMargin: total.openOrderInitialMargin,
    totalCrossWalletBalance: wallet,
    totalCrossUnPnl: e8Text(unrealized),
    availableBalance: e8Text(account.availableE8()),
    maxWithdrawAmount: e8Text(account.availableE8()),
    assets: [
      {
        asset: "USDT",
        ...total,
        unrealizedProfit: e8Text(unrealized),
        availableBalance: e8Text(account.availableE8()),
        maxWithdrawAmount: e8Text(account.availableE8()),
        marginAvailable: true,
        updateTime: nowMs,
      },
    ],
    positions: [...markets].map((m) => positionRow(account, m)),
  };
}

export function userTradeText(spec: SymbolSpec, t: AccountTrade): string {
  const quote = BigInt(t.pxTicks) * BigInt(t.lots) * spec.e8PerTickLot;
  return (
    `{"buyer":${t.side > 0},"commission":"${e8Text(t.feeE8)}","commissionAsset":"${t.feeAsset}","id":${idText(t.tradeNumber)},` +
    `"maker":${t.maker},"orderId":${idText(t.orderNumber)},"price":"${pxText(spec, t.pxTicks)}",` +
    `"qty":"${qtyText(spec, t.lots)}","quoteQty":"${e8Text(quote)}","realizedPnl":"${e8Text(t.realizedE8)}",` +
    `"side":"${sideText(t.side)}","positionSide":"BOTH","symbol":"${t.symbol}","time":${t.timeMs}}`
  );
}

export function incomeText(i: Income): string {
  const trade = i.tradeNumber === 0 ? "" : idText(i.tradeNumber);
  return (
    `{"symbol":"${i.symbol}","incomeType":"${i.type}","income":"${e8Text(i.amountE8)}","asset":"${i.asset}",` +
    `"info":"${i.type}","time":${i.timeMs},"tranId":${transactionText(i.transactionNumber)},"tradeId":"${trade}"}`
  );
}

/** Journal form of an order: everything a restart needs. */
export function orderRecord(o: VenueOrder): Record<string, unknown> {
  return {
    i: o.number,
    id: idText(o.number),
    c: o.clientId,
    s: o.symbol,
    side: o.side,
    type: o.orderType,
    tif: o.tif,
    ro: o.reduceOnly,
    stp: o.stp,
    px: o.pxTicks,
    q: o.qtyLots,
    z: o.executedLots,
    zq: o.executedTickLots.toString(),
    X: o.status,
    created: o.createdMs,
    updated: o.updatedMs,
  };
}
