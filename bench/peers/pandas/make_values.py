"""Makes test/data/factors/pandas.json: a seeded one-level market with trades, and the main nodes computed by pandas.
Prices are integer ticks of 0.1, quantities integer lots of 0.001; not-ready values are null.
usage: var/peers/pandas-venv/bin/python bench/peers/pandas/make_values.py test/data/factors/pandas.json
"""
import json, math, sys
import numpy as np
import pandas as pd

N = 400
rng = np.random.default_rng(20240808)
ts = 5_000_000_000 + np.cumsum(rng.integers(1_000_000, 90_000_000, N))
bid_ticks = 600_000 + np.cumsum(rng.integers(-3, 4, N))
ask_ticks = bid_ticks + rng.integers(1, 6, N)
bid_lots, ask_lots = rng.integers(1, 5_000, N), rng.integers(1, 5_000, N)
side = rng.choice([0, 0, 1, -1], N)
side[0] = 0
trade_ticks = np.where(side > 0, ask_ticks, bid_ticks)
trade_lots = rng.integers(1, 900, N)

t = pd.DataFrame({"bid": bid_ticks / 10, "ask": ask_ticks / 10, "bq": bid_lots / 1000, "aq": ask_lots / 1000},
                 index=pd.to_datetime(ts, unit="ns"))
mid = (t.bid + t.ask) / 2
obi = (t.bq - t.aq) / (t.bq + t.aq)
ret = mid.pct_change(fill_method=None)
log_ret = np.log(mid / mid.shift())
pb, pa, pbq, paq = t.bid.shift(), t.ask.shift(), t.bq.shift(), t.aq.shift()
flow = ((t.bid >= pb) * t.bq - (t.bid <= pb) * pbq - (t.ask <= pa) * t.aq + (t.ask >= pa) * paq).where(pb.notna())
std60 = ret.rolling(60).std(ddof=0)
full = pd.Series(ts - ts[0] >= 3_000_000_000, index=t.index)

trades = pd.DataFrame({"px": trade_ticks / 10, "qty": trade_lots / 1000, "side": side, "row": np.arange(N)})
trades = trades[trades.side != 0]
w = trades.rolling(20)
of_trades = pd.DataFrame({
    "vwap": (trades.px * trades.qty).rolling(20).sum() / trades.qty.rolling(20).sum(),
    "flow": (trades.side * trades.qty).rolling(20).sum(),
    "row": trades.row}).set_index("row").reindex(range(N)).ffill().set_axis(t.index)

columns = {
    "mid": mid, "spread": t.ask - t.bid, "obi": obi,
    "micro": (t.bid * t.aq + t.ask * t.bq) / (t.bq + t.aq),
    "mean": mid.rolling(50).mean(), "sum": obi.rolling(50).sum(),
    "std": mid.rolling(50).std(ddof=0), "std1": mid.rolling(50).std(ddof=1),
    "min": mid.rolling(30).min(), "max": mid.rolling(30).max(),
    "quantile": mid.rolling(30).quantile(0.3, interpolation="linear"),
    "ema": mid.ewm(span=20, adjust=False).mean(),
    "zscore": (obi - obi.rolling(100).mean()) / obi.rolling(100).std(ddof=0),
    "diff": mid.diff(3), "lag": mid.shift(5), "return": ret, "log_return": log_ret,
    "clip": obi.clip(-0.25, 0.5),
    "mean_time": mid.rolling("3s").mean().where(full), "std_time": mid.rolling("3s").std(ddof=0).where(full),
    "min_time": mid.rolling("3s").min().where(full), "max_time": mid.rolling("3s").max().where(full),
    "rv": np.sqrt((log_ret ** 2).rolling(40).sum()),
    "volatility": std60,
    "threshold": ((std60 > 1.1 * std60.rolling(50).mean()) | (ret.abs() > 2 * std60)).astype(float)
        .where(std60.rolling(50).mean().notna()),
    "ofi": flow.rolling(10).sum(), "vwap": of_trades.vwap, "trade_flow": of_trades.flow,
}
out = {
    "made_by": f"bench/peers/pandas/make_values.py, pandas {pd.__version__}, numpy {np.__version__}",
    "events": [list(map(int, e)) for e in zip(ts, bid_ticks, bid_lots, ask_ticks, ask_lots, trade_ticks, trade_lots, side)],
    "columns": {k: [None if math.isnan(v) else float(v) for v in c] for k, c in columns.items()},
}
with open(sys.argv[1], "w") as f:
    json.dump(out, f, separators=(",", ":"))
