"""Random cases for the differential test: makes market data and actions from a seed, runs them through PyPI's
hftbacktest and writes case.json, data files and log.jsonl into OUT/SEED. `bun run parity OUT` runs the same cases.

Prices and quantities are multiples of powers of two, so every sum is exact: when several orders fill in one row
hftbacktest answers in random order, and only the last digits of inexact sums would differ.
usage: cases.py OUT FIRST_SEED COUNT [l3]; l3: most assets are a market by order
"""
import json, os, random, subprocess, sys
import numpy as np
from hftbacktest import (BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest)
from hftbacktest.types import event_dtype

EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
T0 = 1_700_000_000_000_000_000
LOT = 2.0 ** -10


def market(rng, rows, tick, start_tick, t0, span_ns, odd):
    """Raw rows with both times; odd: clears, sub-lot quantities, far levels, crossed updates, rows without side."""
    mid = start_tick
    lag = rng.choice([0, 0, 500_000])
    exch = t0
    out = []
    for _ in range(rows):
        exch += rng.choice([0, 0, 0, rng.randrange(1, 2 * span_ns // rows)])
        local = exch + lag + rng.choice([0, 1_000_000, rng.randrange(0, 3_000_000)])
        r = rng.random()
        mid += rng.choice([-1, 0, 0, 0, 1]) if rng.random() < 0.3 else 0
        qty = rng.randrange(1, 8 << 10) * LOT
        if r < 0.62:
            side = rng.choice([BUY, SELL])
            away = rng.randrange(0, 8) if rng.random() < 0.95 else rng.randrange(0, 300)
            t = mid - away - 1 if side == BUY else mid + away + 1
            if rng.random() < 0.04: t += 3 if side == BUY else -3
            if rng.random() < 0.35: qty = 0.0
            if odd and rng.random() < 0.03: qty = 0.25 * LOT
            if odd and rng.random() < 0.01: qty = -3 * LOT
            if odd and rng.random() < 0.03: qty = 0.5 * LOT
            out.append((rng.choice([1, 1, 1, 4]) | side, exch, local, t * tick, qty))
        elif r < 0.92:
            side = rng.choice([BUY, SELL])
            t = mid + rng.choice([-2, -1, 0, 1, 2])
            if odd and rng.random() < 0.03: side = 0
            out.append((2 | side, exch, local, t * tick, qty))
        elif r < 0.95:
            out.append((rng.choice([5, 100, 103, 10]) | rng.choice([0, BUY, SELL]), exch, local, mid * tick, qty))
        elif odd:
            side = rng.choice([BUY, SELL, BUY, SELL, 0])
            t = mid + (-1 if side == BUY else 1) * rng.randrange(-3, 12)
            px = t * tick if rng.random() < 0.85 else float(rng.choice(["nan", "inf"]))
            out.append((3 | side, exch, local, px, 0.0))
    a = np.zeros(len(out), event_dtype)
    for i, (ev, e, l, px, q) in enumerate(out):
        a[i]['ev'] = ev; a[i]['exch_ts'] = e; a[i]['local_ts'] = l; a[i]['px'] = px; a[i]['qty'] = q
    return correct_order(a)


def market_by_order(rng, rows, tick, start_tick, t0, span_ns, odd):
    """Raw rows of a market by order. Half of the fills are followed by the order's cancel or a smaller quantity. odd:
    clears, levels and trades in between, rows without side, ids past 2^53, and at times an id that is wrong, which
    ends the run. The last quantity of an order is never below half a lot: hftbacktest aborts on what that leaves.
    """
    mid = start_tick
    lag = rng.choice([0, 0, 500_000])
    exch, local = t0, t0
    base = rng.choice([1, 1, 1 << 40, (1 << 63) + 12345]) if odd else 1
    next_id, live, out = base, {}, []
    ends = odd and rng.random() < 0.25
    fifo = rng.random() < 0.5
    def emit(kind, oid, px_tick=0, qty=0.0, px=None):
        # One id's rows must not overtake each other on the local side: an unknown id would end most runs.
        nonlocal local
        local = max(local, exch + lag + rng.choice([0, 0, 1_000_000, rng.randrange(0, 3_000_000)]))
        out.append((kind, exch, local, px_tick * tick if px is None else px, qty, oid))
    def place(side):
        # A bid beyond every range of interest; an ask below one makes hftbacktest read outside its vectors.
        if odd and side == BUY and rng.random() < 0.004: return start_tick + 505
        away = rng.randrange(0, 6) if rng.random() < 0.95 else rng.randrange(0, 40)
        t = mid - away - 1 if side == BUY else mid + away + 1
        return t + (rng.randrange(1, 5) if side == BUY else -rng.randrange(1, 5)) if rng.random() < 0.05 else t
    flag = lambda side: side if rng.random() < 0.7 else rng.choice([0, BUY, SELL])
    for _ in range(rows):
        exch += rng.choice([0, 0, 0, rng.randrange(1, 2 * span_ns // rows)])
        mid += rng.choice([-1, 0, 0, 0, 1]) if rng.random() < 0.3 else 0
        qty = rng.randrange(1, 8 << 10) * LOT
        r = rng.random()
        if r < 0.45 or not live:
            side = rng.choice([BUY, SELL])
            t = place(side)
            emit(10 | side, next_id, t, qty); live[next_id] = (side, t, qty); next_id += 1
        elif r < 0.60:
            oid = rng.choice(list(live)); side = live.pop(oid)[0]
            emit(11 | flag(side), oid, mid, qty)
        elif r < 0.75:
            oid = rng.choice(list(live)); side, t, had = live[oid]
            if rng.random() < 0.4: t = place(side)
            elif rng.random() < 0.6: qty = had * rng.choice([1, 1, 0.5, 2])
            emit(12 | flag(side), oid, t, qty); live[oid] = (side, t, qty)
        elif r < 0.90:
            side = rng.choice([BUY, SELL])
            mine = [o for o in live if live[o][0] == side]
            if not mine: continue
            best = max(mine, key=lambda o: live[o][1] * (1 if side == BUY else -1))
            oid = best if rng.random() < 0.7 else rng.choice(mine)
            if fifo: emit(2 | (SELL if side == BUY else BUY), 0, live[oid][1], qty)
            emit(13 | (side if rng.random() < 0.9 else rng.choice([0, BUY, SELL])), oid,
                 live[oid][1] + (rng.choice([-1, 1, 2, -3]) if rng.random() < 0.1 else 0), qty)
            if rng.random() < 0.5:
                if rng.random() < 0.6: live.pop(oid); emit(11 | side, oid, 0, 0.0)
                else:
                    live[oid] = (side, live[oid][1], LOT * rng.randrange(1, 64)); emit(12 | side, oid, *live[oid][1:])
        elif odd and r < 0.915:
            side = rng.choice([BUY, SELL, 0])
            emit(3 | side, 0, mid + rng.randrange(-5, 6), 0.0, px=rng.choice([None, None, float("nan")]))
            for o in [o for o in live if side in (0, live[o][0])]: live.pop(o)
        elif odd and r < 0.96:
            emit(rng.choice([1, 4, 5, 2, 100, 14]) | rng.choice([BUY, SELL, 0]), rng.randrange(1, 9), mid, qty)
        elif odd and r < 0.97:
            emit(10, next_id + 1_000_000, mid, qty)
        elif ends and len(out) > rows // 2 and r > 0.99:
            if rng.random() < 0.4: emit(10 | BUY, rng.choice(list(live)), mid - 1, qty)
            else: emit(rng.choice([11, 12, 13 | BUY, 13 | SELL]), next_id + 5, mid, qty)
    a = np.zeros(len(out), event_dtype)
    for i, (ev, e, l, px, q, oid) in enumerate(out):
        a[i]['ev'] = ev; a[i]['exch_ts'] = e; a[i]['local_ts'] = l; a[i]['px'] = px; a[i]['qty'] = q; a[i]['order_id'] = oid
    return correct_order(a)


def correct_order(a):
    """correct_event_order of hftbacktest, which reads past the end of its arrays and may crash on small ones."""
    by_exch = np.argsort(a['exch_ts'], kind='mergesort'); by_local = np.argsort(a['local_ts'], kind='mergesort')
    out = np.zeros(2 * len(a), event_dtype); n = e = l = 0
    while e < len(a) or l < len(a):
        x = a[by_exch[e]] if e < len(a) else None; y = a[by_local[l]] if l < len(a) else None
        if x is not None and y is not None and x['exch_ts'] == y['exch_ts'] and x['local_ts'] == y['local_ts']:
            out[n] = x; out[n]['ev'] |= EXCH | LOCAL; e += 1; l += 1
        elif x is not None and (y is None or (x['exch_ts'], x['local_ts']) < (y['exch_ts'], y['local_ts'])):
            out[n] = x; out[n]['ev'] |= EXCH; e += 1
        else:
            out[n] = y; out[n]['ev'] |= LOCAL; l += 1
        n += 1
    return out[:n].copy()


def latency_table(rng, t0, span_ns, rejects):
    rows = []
    t = t0 - 5_000_000
    while t < t0 + span_ns:
        entry = rng.randrange(100_000, 4_000_000)
        exch = t + entry
        resp = exch + rng.randrange(100_000, 3_000_000)
        rows.append((t, 0 if rejects and rng.random() < 0.06 else exch, resp, 0))
        t += rng.randrange(1_000_000, 12_000_000)
    a = np.zeros(len(rows), np.dtype([('req_ts', 'i8'), ('exch_ts', 'i8'), ('resp_ts', 'i8'), ('_padding', 'i8')]))
    for i, r in enumerate(rows): a[i] = r
    return a


def save(rng, path, data):
    (np.savez if rng.random() < 0.5 else np.savez_compressed)(path, data=data)


def make(seed, out, by_order=False):
    rng = random.Random(seed)
    os.makedirs(out, exist_ok=True)
    span = 400_000_000
    n_assets = rng.choice([1, 1, 1, 2, 3])
    odd = rng.random() < 0.6
    depth = rng.choice(["hash", "hash", "roi"])
    assets = []
    for k in range(n_assets):
        tick = rng.choice([0.5, 0.25, 1.0])
        start = rng.choice([1000, 2000])
        files = []
        rows = rng.choice([150, 400])
        mbo = by_order and rng.random() < 0.9
        if mbo and rng.random() < 0.2: rows = 2500
        for f in range(1 if mbo else rng.choice([1, 1, 2])):
            d = (market_by_order if mbo else market)(rng, rows, tick, start, T0 + f * span * 2 + k * 777, span, odd)
            files.append(f"a{k}_{f}.npz")
            save(rng, f"{out}/{files[-1]}", d)
        asset = {
            "data": files, "tick": tick, "lot": LOT, "depth": depth,
            "roi": [(start - rng.choice([60, 500])) * tick, (start + rng.choice([60, 500])) * tick],
            "kind": rng.choice(["linear", "linear", "inverse"]), "cs": rng.choice([1.0, 0.5, 4.0]),
            "fee": [rng.choice(["value", "qty", "flat"]), -2.0 ** -13, 2.0 ** -11],
            "queue": rng.choice([["risk", None], ["log", None], ["log2", None], ["power", rng.choice([2.0, 3.0, 1.5])],
                                 ["power2", rng.choice([2.0, 3.0])], ["power3", rng.choice([2.0, 3.0])]]),
            "exch": rng.choice(["partial", "nopartial"]) if not mbo else "nopartial",
            "lat": ["const", rng.choice([0, 1_500_000, 700_000]), rng.choice([0, 700_000])],
            "feedOffset": rng.choice([0, 0, 0, 2_500_000, -100_000]), "snapshot": None,
        }
        if mbo:
            asset["queue"] = ["l3-fifo", None]
            # A negative offset that a row does not bear is refused as a whole, which the cases of levels show.
            asset["feedOffset"] = max(asset["feedOffset"], 0)
        if rng.random() < 0.5:
            off = rng.choice([0, 0, 150_000, -50_000])
            table = latency_table(rng, T0, span * 4, rng.random() < 0.7)
            save(rng, f"{out}/lat{k}.npz", table)
            asset["lat"] = ["intp", f"lat{k}.npz", off]
        if rng.random() < 0.4:
            s = np.zeros(20, event_dtype)
            for i in range(20):
                b = i < 10
                s[i]['ev'] = EXCH | LOCAL | 4 | (BUY if b else SELL)
                s[i]['px'] = (start - 1 - i if b else start + 1 + (i - 10)) * tick
                s[i]['qty'] = rng.randrange(0, 4 << 10) * LOT
            save(rng, f"{out}/snap{k}.npz", s)
            asset["snapshot"] = f"snap{k}.npz"
        assets.append(asset)
    actions = []
    oid = 1
    t = 2.0
    while t < 800:
        t += rng.random() * 9
        k = rng.randrange(n_assets)
        a = assets[k]
        start = round((a["roi"][0] + a["roi"][1]) / 2 / a["tick"])
        start = 1000 if abs(start - 1000) < 400 else 2000
        r = rng.random()
        if r < 0.5:
            price = (start + rng.randrange(-9, 10)) * a["tick"]
            if depth == "hash" and rng.random() < 0.02: price *= 1.25
            actions.append([round(t, 3), "submit", k, oid, rng.choice([1, -1]), price, rng.randrange(1, 6 << 10) * LOT,
                            rng.choice([0, 0, 1, 1, 2, 3]), 1 if rng.random() < 0.08 else 0, rng.random() < 0.1])
            oid += 1
        elif r < 0.7:
            actions.append([round(t, 3), "cancel", k, rng.randrange(max(1, oid - 8), oid + 1), rng.random() < 0.1])
        elif by_order and r < 0.82 and oid > 1:
            # Keeps the price or the quantity: whether the place in line is kept depends on both.
            a = rng.choice([a for a in actions if a[1] == "submit"][-6:])
            actions.append([round(t, 3), "modify", a[2], a[3], a[5] + (rng.choice([-1, 1]) * assets[a[2]]["tick"] if rng.random() < 0.3 else 0),
                            a[6] * rng.choice([1, 1, 0.5, 2]), rng.random() < 0.1])
        elif r < 0.88:
            actions.append([round(t, 3), "modify", k, rng.randrange(max(1, oid - 8), oid + 1), (start + rng.randrange(-7, 8)) * a["tick"],
                            rng.randrange(1, 6 << 10) * LOT, rng.random() < 0.1])
        elif r < 0.94:
            actions.append([round(t, 3), "clear", k])
        else:
            actions.append([round(t, 3), "waitresp", k, rng.randrange(max(1, oid - 5), oid + 1), rng.choice([500_000, 3_000_000])])
    if by_order:
        # Interpolation from a refused row answers years ahead, past 2^53 ns: nobody waits for that here.
        for a in actions:
            if a[1] in ("submit", "modify", "cancel") and assets[a[2]]["lat"][0] == "intp": a[-1] = False
    mode = rng.choice([["feed", True, 5_000_000], ["feed", False, 3_000_000], ["elapse", 1_000_000], ["elapse", 7_000_000]])
    spec = {"seed": seed, "t0": str(T0), "assets": assets, "mode": mode, "actions": actions}
    json.dump(spec, open(f"{out}/case.json", "w"))
    return spec


def build(spec, d):
    objs = []
    for a in spec["assets"]:
        o = BacktestAsset().data([f"{d}/{f}" for f in a["data"]]).tick_size(a["tick"]).lot_size(a["lot"])
        o = o.linear_asset(a["cs"]) if a["kind"] == "linear" else o.inverse_asset(a["cs"])
        fee, mk, tk = a["fee"]
        o = {"value": o.trading_value_fee_model, "qty": o.trading_qty_fee_model, "flat": o.flat_per_trade_fee_model}[fee](mk, tk)
        q, n = a["queue"]
        o = o.l3_fifo_queue_model() if q == "l3-fifo" else {"risk": o.risk_adverse_queue_model, "log": o.log_prob_queue_model, "log2": o.log_prob_queue_model2}[q]() if n is None else \
            {"power": o.power_prob_queue_model, "power2": o.power_prob_queue_model2, "power3": o.power_prob_queue_model3}[q](n)
        o = o.partial_fill_exchange() if a["exch"] == "partial" else o.no_partial_fill_exchange()
        o = o.constant_order_latency(a["lat"][1], a["lat"][2]) if a["lat"][0] == "const" else o.intp_order_latency([f"{d}/{a['lat'][1]}"], a["lat"][2])
        if a["feedOffset"]: o = o.latency_offset(a["feedOffset"])
        if a["snapshot"]: o = o.initial_snapshot(f"{d}/{a['snapshot']}")
        o = o.last_trades_capacity(16)
        if a["depth"] == "roi": o = o.roi_lb(a["roi"][0]).roi_ub(a["roi"][1])
        objs.append(o)
    return (ROIVectorMarketDepthBacktest if spec["assets"][0]["depth"] == "roi" else HashMapMarketDepthBacktest)(objs)


NONE_BID, NONE_ASK = -(1 << 63), (1 << 63) - 1


def num(x):
    x = float(x)
    return None if x != x else ("inf" if x == float("inf") else "-inf" if x == float("-inf") else x)


def snap(h, spec, k):
    dp = h.depth(k); sv = h.state_values(k)
    bb, ba = int(dp.best_bid_tick), int(dp.best_ask_tick)
    orders = []
    vals = h.orders(k).values()
    while vals.has_next():
        o = vals.get()
        f = lambda name: o.arr[0][name]
        orders.append([int(f("order_id")), int(f("side")), int(f("status")), int(f("req")), str(int(f("price_tick"))), num(f("qty")),
                       num(f("leaves_qty")), num(f("exec_qty")), str(int(f("exec_price_tick"))), str(int(f("exch_timestamp"))),
                       str(int(f("local_timestamp"))), bool(f("maker")), int(f("time_in_force")), int(f("order_type"))])
    orders.sort()
    fl = h.feed_latency(k); ol = h.order_latency(k)
    around = []
    c = bb if bb != NONE_BID else (ba if ba != NONE_ASK else None)
    if c is not None:
        around = [[num(dp.bid_qty_at_tick(c + j)), num(dp.ask_qty_at_tick(c + j))] for j in range(-4, 5)]
    return {"bb": None if bb == NONE_BID else bb, "ba": None if ba == NONE_ASK else ba, "bbq": num(dp.best_bid_qty), "baq": num(dp.best_ask_qty),
            "around": around, "pos": num(sv.position), "bal": num(sv.balance), "fee": num(sv.fee), "n": int(sv.num_trades),
            "vol": num(sv.trading_volume), "val": num(sv.trading_value), "trades": len(h.last_trades(k)),
            "feed": None if fl is None else [str(int(x)) for x in fl], "lat": None if ol is None else [str(int(x)) for x in ol], "orders": orders}


def act(h, a):
    kind, k = a[1], a[2]
    if kind == "submit":
        _, _, _, oid, side, px, qty, tif, typ, wait = a
        f = h.submit_buy_order if side > 0 else h.submit_sell_order
        return int(f(k, oid, px, qty, tif, typ, wait))
    if kind == "cancel": return int(h.cancel(k, a[3], a[4]))
    if kind == "modify": return int(h.modify(k, a[3], a[4], a[5], a[6]))
    if kind == "clear": h.clear_inactive_orders(k); return 0
    if kind == "waitresp": return int(h.wait_order_response(k, a[3], a[4]))


def drive(spec, d):
    h = build(spec, d)
    log = open(f"{d}/log.jsonl", "w")
    n = len(spec["assets"]); i = 0; nxt = 0; t0 = int(spec["t0"])
    rc = int(h.elapse(0))
    while i < 4000:
        line = {"i": i, "rc": rc, "ts": str(int(h.current_timestamp)), "assets": [snap(h, spec, k) for k in range(n)]}
        done = []
        if rc in (0, 2, 3):
            while nxt < len(spec["actions"]) and t0 + int(spec["actions"][nxt][0] * 1e6) <= h.current_timestamp:
                done.append([nxt, act(h, spec["actions"][nxt])]); nxt += 1
        line["done"] = done
        log.write(json.dumps(line) + "\n"); log.flush()
        if rc not in (0, 2, 3): break
        m = spec["mode"]
        rc = int(h.wait_next_feed(m[1], m[2]) if m[0] == "feed" else h.elapse(m[1]))
        i += 1
    log.write(json.dumps({"end": True}) + "\n")


def run_cases(out, seeds):
    for seed in seeds:
        d = f"{out}/{seed}"
        spec = json.load(open(f"{d}/case.json"))
        try:
            drive(spec, d)
        except Exception as e:
            open(f"{d}/failed", "w").write(repr(e))
        open(f"{d}/ran", "w").close()


def main():
    """hftbacktest may crash (range-of-interest clears index outside its vectors): a child runs the cases."""
    if sys.argv[1] == "--run":
        return run_cases(sys.argv[2], sys.argv[3:])
    out, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    by_order = sys.argv[4:] == ["l3"]
    left = [str(seed) for seed in range(first, first + count)]
    for seed in left: make(int(seed), f"{out}/{seed}", by_order)
    while left:
        subprocess.run([sys.executable, __file__, "--run", out, *left], stdout=subprocess.DEVNULL)
        done = [s for s in left if os.path.exists(f"{out}/{s}/ran")]
        left = [s for s in left if s not in done]
        if left and not os.path.exists(f"{out}/{left[0]}/ran"):
            open(f"{out}/{left[0]}/failed", "w").write("crashed")
            left = left[1:]


if __name__ == "__main__":
    main()
