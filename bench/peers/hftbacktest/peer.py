"""hftbacktest as a peer of bench/backtest.bench.ts and table.ts: one command line in, one JSON line out.

command: MODE BOOK SOURCE FILE
  MODE    replay | maker (simple_mm of test/data/golden/README.md, a step each 100 ms)
  BOOK    hash | roi
  SOURCE  memory (rows loaded before the clock starts) | file (hftbacktest reads and inflates FILE itself)
"""
import json, re, sys, time
import numpy as np
from numba import njit
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest
from hftbacktest.order import GTX, LIMIT, NEW, NONE, PARTIALLY_FILLED

NO_BID, NO_ASK = -(1 << 63), (1 << 63) - 1


@njit
def maker(hbt, tick_size, q, half, skew, maxp):
    oid, bid_id, ask_id, steps = 1, 0, 0, 0
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        steps += 1
        depth = hbt.depth(0)
        bb, ba = depth.best_bid_tick, depth.best_ask_tick
        if bb == NO_BID or ba == NO_ASK:
            continue
        pos = hbt.position(0)
        reserv = (bb + ba) / 2.0 - skew * (pos / q)
        bid_tick = min(int(np.floor(reserv - half)), bb)
        ask_tick = max(int(np.ceil(reserv + half)), ba)
        orders = hbt.orders(0)
        want = pos < maxp
        if bid_id != 0 and bid_id in orders:
            o = orders.get(bid_id)
            if (o.status == NEW or o.status == PARTIALLY_FILLED) and o.req == NONE and (not want or o.price_tick != bid_tick):
                hbt.cancel(0, bid_id, False)
        elif want:
            hbt.submit_buy_order(0, oid, bid_tick * tick_size, q, GTX, LIMIT, False)
            bid_id = oid; oid += 1
        want = pos > -maxp
        if ask_id != 0 and ask_id in orders:
            o = orders.get(ask_id)
            if (o.status == NEW or o.status == PARTIALLY_FILLED) and o.req == NONE and (not want or o.price_tick != ask_tick):
                hbt.cancel(0, ask_id, False)
        elif want:
            hbt.submit_sell_order(0, oid, ask_tick * tick_size, q, GTX, LIMIT, False)
            ask_id = oid; oid += 1
    return steps


@njit
def replay(hbt):
    return hbt._goto_end()


def build(book, data):
    asset = (BacktestAsset().data([data]).linear_asset(1.0).constant_order_latency(10_000_000, 10_000_000)
             .power_prob_queue_model(2.0).no_partial_fill_exchange().trading_value_fee_model(-5e-05, 0.0007)
             .tick_size(0.1).lot_size(0.001).roi_lb(55000.0).roi_ub(70000.0))
    return (ROIVectorMarketDepthBacktest if book == "roi" else HashMapMarketDepthBacktest)([asset])


def resident_mb():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024


LOADED = {}


def run(mode, book, source, file):
    if source == "memory" and file not in LOADED:
        LOADED.clear()
        loaded = np.load(file)
        LOADED[file] = loaded if file.endswith(".npy") else loaded["data"]
    data = LOADED[file] if source == "memory" else file
    started = time.perf_counter()
    hbt = build(book, data)
    steps = 0
    if mode == "replay" and book == "hash":
        replay(hbt)
    elif mode == "replay":
        while hbt.elapse(86_400_000_000_000) == 0:  # the binding of this book has no goto_end
            pass
    else:
        steps = maker(hbt, 0.1, 0.001, 1.0, 0.5, 0.01)
    seconds = time.perf_counter() - started
    sv, depth = hbt.state_values(0), hbt.depth(0)
    checksum = steps + int(sv.num_trades) * 1_000 + int(depth.best_bid_tick) + int(depth.best_ask_tick) + round(float(sv.balance) * 1e6)
    return seconds, checksum


def main():
    for line in sys.stdin:
        try:
            mode, book, source, file, rows = line.split()
            seconds, checksum = run(mode, book, source, file)
            ns = seconds * 1e9 / int(rows)
            answer = {"p50": ns, "p99": ns, "p999": ns, "perSecond": int(rows) / seconds, "checksum": checksum,
                      "rssMb": resident_mb()}
        except Exception as e:
            answer = {"error": repr(e)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
