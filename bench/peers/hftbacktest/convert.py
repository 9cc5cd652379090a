# What PyPI's hftbacktest makes of files that ours reads and writes, for test/conformance/hftbacktest-data.test.ts.
#   convert.py tardis OUT MODE FILE…        its Tardis converter
#   convert.py hyperliquid OUT FILE         its Hyperliquid converter
#   convert.py binancefutures OUT FILE      its Binance futures converter
#   convert.py correct OUT IN BASE_LATENCY  correct_local_timestamp, then correct_event_order
#   convert.py replay FILE TICK LOT         replays a file to its end; prints rows of the local side and the last touch
import contextlib
import sys

import numpy as np


def save(path, rows):
    np.save(path, rows)


def replay(path, tick, lot):
    from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest

    asset = (
        BacktestAsset()
        .data([path])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0, 0)
        .tick_size(tick)
        .lot_size(lot)
    )
    hbt = HashMapMarketDepthBacktest([asset])
    feeds = 0
    while hbt.wait_next_feed(False, 10**18) == 2:
        feeds += 1
    depth = hbt.depth(0)
    print(feeds, depth.best_bid, depth.best_bid_qty, depth.best_ask, depth.best_ask_qty)
    hbt.close()


def main(command, args):
    with contextlib.redirect_stdout(sys.stderr):
        if command == "tardis":
            from hftbacktest.data.utils import tardis

            out, mode, *files = args
            save(out, tardis.convert(files, buffer_size=1_000_000, snapshot_mode=mode))
        elif command == "hyperliquid":
            from hftbacktest.data.utils import hyperliquid

            out, file = args
            save(out, hyperliquid.convert(file, tick_size=1.0, lot_size=0.00001, buffer_size=1_000_000))
        elif command == "binancefutures":
            from hftbacktest.data.utils import binancefutures

            out, file = args
            save(out, binancefutures.convert(file, buffer_size=1_000_000))
        elif command == "correct":
            from hftbacktest.data.validation import correct_event_order, correct_local_timestamp
            from hftbacktest.types import event_dtype

            out, file, base_latency = args
            rows = correct_local_timestamp(np.load(file).astype(event_dtype), int(base_latency))
            by_exch = np.argsort(rows["exch_ts"], kind="mergesort")
            by_local = np.argsort(rows["local_ts"], kind="mergesort")
            save(out, correct_event_order(rows, by_exch, by_local))
    if command == "replay":
        replay(args[0], float(args[1]), float(args[2]))


main(sys.argv[1], sys.argv[2:])
