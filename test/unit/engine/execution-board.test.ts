import { expect, test } from "bun:test";
import {
  ExecutionBoard,
  ExecutionBoardView,
  executionBoardSlots,
} from "../../../src/engine/execution-board.ts";
import { pnlByCurrency } from "../../../src/engine/summary.ts";
import { BoardReader, BoardWriter, planBoard } from "../../../src/lane/board.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { Ledger } from "../../../src/order/ledger.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";
import { SIDE_BUY } from "../../../src/wire/codes.ts";

const INSTRUMENT = {
  id: 1,
  tickSize: "0.1",
  lotSize: "0.001",
  contractSize: "1",
  settle: "USDT",
} as Instrument;
const STATE = {
  reconciled: 1,
  workingOrders: 0,
  inFlight: 0,
  unattributed: 0,
  storm: 0,
  ...{ walletE8: 0, equityE8: 0, initialMarginE8: 0, liquidationDistance: Number.POSITIVE_INFINITY },
  strategyState: () => 0,
  strategyWorkingOrders: () => 0,
};

const sumsOf = (view: ExecutionBoardView) => ({
  fundingE8: view.account().fundingE8,
  otherFees: new Map([...view.otherFees()].map(([id, paid]) => [["", "USDT", "BNB", "BTC"][id]!, paid])),
});

function makeBoard() {
  const plan = new ArenaPlan();
  const location = planBoard(plan, "board", executionBoardSlots(2, 2, 4));
  const buffer = new SharedArrayBuffer(plan.map().bytes);
  const ledger = new Ledger(2, [undefined, { feeScale: 10_000, unitE8: 10_000, settleAsset: 1, inverse: 0 }]);
  const board = new ExecutionBoard(new BoardWriter(buffer, location), 4);
  const view = new ExecutionBoardView(new BoardReader(buffer, location), 2, 2, 4);
  return { ledger, board, view };
}

test("funding that the venue states for the whole account reaches the results, to the last unit, with its sign", () => {
  const { ledger, board, view } = makeBoard();
  const funding = (): string | undefined => {
    board.write(ledger, STATE);
    view.refresh();
    return pnlByCurrency(view.pairs(), [INSTRUMENT], sumsOf(view))["USDT"]?.funding;
  };
  expect(funding()).toBeUndefined();
  ledger.bookFunding(0, -4_933_708);
  expect(funding()).toBe("-0.04933708");
  ledger.book(1, 1, SIDE_BUY, 600_000, 3, true);
  ledger.bookFunding(1, 10_000);
  ledger.bookFunding(0, 9_933_709);
  expect(funding()).toBe("0.05010001");
});

test("fees in another asset stay in it, over all strategies and past 2^53, beside those in the settlement currency", () => {
  const { board, view, ledger } = makeBoard();
  const pnl = () => {
    board.write(ledger, STATE);
    view.refresh();
    return pnlByCurrency(view.pairs(), [INSTRUMENT], sumsOf(view));
  };
  expect(pnl()).toEqual({});
  ledger.book(1, 1, SIDE_BUY, 600_000, 3, true);
  ledger.bookFee(1, 1, 1, 7);
  ledger.bookFee(1, 1, 2, 2 ** 52);
  ledger.bookFee(1, 1, 2, 2 ** 52);
  ledger.bookFee(0, 1, 2, 2 ** 51 + 3);
  ledger.bookFee(0, 1, 3, -5);
  const none = { realized: "0", unrealized: "0", funding: "0" };
  expect(pnl()).toEqual({
    USDT: { ...none, fees: "0.00000007" },
    BNB: { ...none, fees: "112589990.68426243" },
    BTC: { ...none, fees: "-0.00000005" },
  });
});
