// An instrument and limits that no order meets: for runs in which only the market decides.
import type { Instrument } from "../../src/market/instrument.ts";
import type { RiskSettings } from "../../src/risk/limits.ts";

export const INSTRUMENT: Instrument = {
  id: 1,
  venue: "test",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.1",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 1,
  qtyDecimals: 3,
  minPxTicks: 1,
  maxPxTicks: 2 ** 31 - 1,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  minNotionalTickLots: 0,
  orderTickStep: 1,
  percentUpE8: 0,
  percentDownE8: 0,
  makerFeeE8: 0,
  takerFeeE8: 0,
  trading: true,
};

/** Limits that are never met. */
export const LOOSE_RISK: RiskSettings = {
  freshnessMs: 600_000,
  priceBandBps: 5000,
  maxOrdersPer10s: 100_000,
  maxOrdersPerMin: 1_000_000,
  cancelReserve: 100_000,
  breakerRejects: 100_000,
  breakerWindowMs: 1000,
  breakerPauseMs: 1000,
  resetMinuteUtc: 0,
  account: {
    maxPositionNotional: "50000000",
    maxWorkingOrders: 64,
    dailyLossSoft: "50000000",
    dailyLossHard: "50000000",
    maxDrawdown: "50000000",
    minMarginRatio: 0,
    maxLeverage: 100,
  },
  instrument: {
    maxOrderQty: "",
    maxOrderNotional: "5000000",
    maxPositionQty: "",
    maxPositionNotional: "50000000",
    maxWorkingOrders: 64,
  },
  strategy: {
    maxOrderNotional: "5000000",
    maxPositionNotional: "50000000",
    maxWorkingOrders: 64,
    dailyLoss: "50000000",
  },
  storm: { warmLagMs: 500_000, stormLagMs: 550_000, haltLagMs: 600_000, holdMs: 0, baselineMs: 600_000 },
};
