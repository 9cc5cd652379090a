"""Document 2's graph by pandas over the mid and obi columns of a Parquet file: ns per row of whole columns, and of
recomputing the last windows at each update as a live user would. Prints one JSON line. usage: peer.py FILE TILES"""
import json, sys, time
import numpy as np
import pandas as pd

one = pd.read_parquet(sys.argv[1])


def factors(d):
    alpha = (d.obi - d.obi.rolling(100).mean()) / d.obi.rolling(100).std(ddof=0)
    ret = d.mid.pct_change(fill_method=None)
    vol = ret.rolling(60).std(ddof=0)
    mean = vol.rolling(1000).mean()
    stop = ((vol > 3 * mean) | (ret.abs() > 3 * vol)).astype(float).where(mean.notna())
    return alpha, vol, stop


alpha, vol, stop = factors(one)
data = pd.concat([one] * int(sys.argv[2]), ignore_index=True)
columns = []
for _ in range(5):
    start = time.perf_counter_ns()
    factors(data)
    columns.append((time.perf_counter_ns() - start) / len(data))
live = []
for i in range(1100, 1500):
    start = time.perf_counter_ns()
    factors(data.iloc[i - 1061:i + 1])
    live.append(time.perf_counter_ns() - start)
worst = lambda a, b: float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(b), np.nanmean(np.abs(b)))))
print(json.dumps({"rows": len(data), "column_ns": float(np.median(columns)), "live_ns": float(np.median(live)),
                  "alpha_error": worst(one.alpha, alpha), "volatility_error": worst(one.volatility, vol),
                  "stop_differs": int((one.stop_loss.fillna(-1) != stop.fillna(-1)).sum())}))
