"""A day's trading by unmodified ib_async on a market that runs fifty times as fast: what the market does decides how orders end."""

import time

from ib_async import Contract, LimitOrder, MarketOrder, Order, StopOrder, Ticker, Trade

from harness import Checks, Gateway, speed
from session import Client, micro_bitcoin, session, stock, touch

# The market decides when, and may run the other way: then everything is closed and tried again from where it is.
PATIENCE = 30.0
ATTEMPTS = 6


def live(client: Client, contract: Contract) -> Ticker:
    """Quotes that go on."""
    ticker = client.reqMktData(contract, "", False, False)
    client.until(lambda: ticker.bid > 0 and ticker.ask > 0)
    return ticker


def spent(trade: Trade) -> float:
    return sum(fill.commissionReport.commission for fill in trade.fills)


def gained(trade: Trade) -> float:
    return sum(fill.commissionReport.realizedPNL for fill in trade.fills)


def told(trade: Trade) -> bool:
    """Every fill has its commission."""
    return bool(trade.fills) and all(fill.commissionReport.execId for fill in trade.fills)


def flat(client: Client, contract: Contract) -> bool:
    """Closes what is held; True when nothing is."""
    held = sum(p.position for p in client.held() if p.contract.conId == contract.conId)
    if held:
        client.reaches(client.placeOrder(contract, MarketOrder("SELL" if held > 0 else "BUY", abs(held))), "Filled")
    return not any(p.position for p in client.held() if p.contract.conId == contract.conId)


def the_market_moves(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        ticker = live(client, contract)
        first, seen = ticker.last, set()
        client.until(lambda: seen.add(ticker.last) or len(seen) > 10, 30)
        checks.that("prices move", len(seen) > 10, first, seen)
        bars = client.reqHistoricalData(contract, "", "1800 S", "1 min", "TRADES", False, 2)
        checks.that("half an hour of bars", len(bars) == 30 and all(bar.low <= bar.open <= bar.high for bar in bars), len(bars))
        growing = client.reqHistoricalData(contract, "", "120 S", "5 secs", "TRADES", False, 2, keepUpToDate=True)
        count = len(growing)
        checks.that("bars go on", client.until(lambda: len(growing) > count, 20), count, len(growing))
        client.cancelHistoricalData(growing)
        checks.equal("no error", client.codes(), [])


def an_order_is_changed_while_it_fills(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        ticker = live(client, contract)
        trade = client.placeOrder(contract, LimitOrder("BUY", 60, ticker.ask, orderRef="parts"))
        partly = client.until(lambda: 0 < trade.filled() < 60)
        checks.that("a part fills", partly, trade.orderStatus)
        before = trade.filled()
        trade.order.lmtPrice = ticker.ask + 500
        client.placeOrder(contract, trade.order)
        checks.that("the rest at the new price", client.reaches(trade, "Filled") and trade.filled() == 60, trade.orderStatus)
        checks.that("in more than one part", before < 60 and len(trade.fills) > 1, before, len(trade.fills))
        checks.that("each with its commission", client.until(lambda: told(trade)) and spent(trade) > 0, trade.fills)
        checks.equal("counted up", [f.execution.cumQty for f in trade.fills][-1], 60)
        checks.equal("one order reference", {f.execution.orderRef for f in trade.fills}, {"parts"})
        back = client.placeOrder(contract, MarketOrder("SELL", 60))
        checks.that("and out", client.reaches(back, "Filled") and client.until(lambda: told(back)), back.orderStatus)
        checks.that("flat again", flat(client, contract))


def bracket(client: Client, contract: Contract, ticker: Ticker, up: float, down: float) -> list[Trade]:
    """Long one contract at once, out at so much above or below."""
    orders = client.bracketOrder("BUY", 1, ticker.ask + 500, ticker.ask + up, ticker.bid - down)
    return [client.placeOrder(contract, order) for order in orders]


def settled(client: Client, contract: Contract, ticker: Ticker, up: float, down: float, exit_side: int) -> list[Trade]:
    """A bracket whose exit was filled by the market; the last one tried when none was."""
    trades: list[Trade] = []
    for _ in range(ATTEMPTS):
        trades = bracket(client, contract, ticker, up, down)
        if client.until(lambda: trades[exit_side].orderStatus.status == "Filled", PATIENCE):
            break
        client.reqGlobalCancel()
        client.until(lambda: not client.openTrades(), 5)
        flat(client, contract)
    return trades


def the_market_takes_the_target(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        ticker = live(client, contract)
        entry, target, stop = settled(client, contract, ticker, 40, 20_000, 1)
        checks.that("in", entry.filled() == 1, entry.orderStatus)
        checks.that("the market comes to the target", target.orderStatus.status == "Filled", target.orderStatus)
        checks.that("the stop is gone", client.reaches(stop, "Cancelled"), stop.orderStatus)
        checks.that("at the limit or better", all(f.execution.price >= target.order.lmtPrice for f in target.fills), target.fills)
        checks.that("no loss before costs", client.until(lambda: told(target)) and not stop.fills, target.fills)
        checks.that("flat", flat(client, contract))


def the_market_takes_the_stop(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        ticker = live(client, contract)
        entry, target, stop = settled(client, contract, ticker, 20_000, 40, 2)
        checks.that("in", entry.filled() == 1, entry.orderStatus)
        checks.that("the market comes to the stop", stop.orderStatus.status == "Filled", stop.orderStatus)
        checks.that("the target is gone", client.reaches(target, "Cancelled"), target.orderStatus)
        checks.that("a loss", client.until(lambda: told(stop)) and gained(stop) < 0, stop.fills)
        checks.that("flat", flat(client, contract))


def a_trailing_stop_follows_and_fires(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        live(client, contract)
        entry = client.placeOrder(contract, MarketOrder("BUY", 1))
        checks.that("in", client.reaches(entry, "Filled"), entry.orderStatus)
        trail = client.placeOrder(contract, Order(action="SELL", totalQuantity=1, orderType="TRAIL", auxPrice=80, tif="GTC"))
        checks.that("it waits", client.reaches(trail, "PreSubmitted", "Filled"), trail.orderStatus)
        levels: set[float] = set()
        with session(gateway, 2) as other:
            end = time.monotonic() + ATTEMPTS * PATIENCE
            while trail.orderStatus.status != "Filled" and time.monotonic() < end:
                client.until(lambda: trail.orderStatus.status == "Filled", 0.5)
                levels |= {t.order.trailStopPrice for t in other.reqAllOpenOrders() if t.order.permId == trail.order.permId}
        checks.that("and fires", trail.orderStatus.status == "Filled", trail.orderStatus)
        checks.that("its level was told", levels and all(level > 0 for level in levels), levels)
        checks.that("it only rose", not levels or max(levels) >= min(levels) > 0, levels)
        checks.that("flat", flat(client, contract))


def resting_orders_are_changed_and_cancelled(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        low = bid // 10 * 5
        trade = client.placeOrder(contract, LimitOrder("BUY", 2, low, tif="GTC"))
        checks.that("it rests", client.reaches(trade, "Submitted"), trade.orderStatus)
        trade.order.lmtPrice, trade.order.totalQuantity = low + 5, 3
        client.placeOrder(contract, trade.order)
        with session(gateway, 2) as other:
            told_now = lambda: [(t.order.lmtPrice, t.order.totalQuantity) for t in other.reqAllOpenOrders()]  # noqa: E731
            checks.equal("price and size are others", told_now(), [(low + 5, 3)])
        client.cancelOrder(trade.order)
        checks.that("cancelled", client.reaches(trade, "Cancelled") and 202 in client.codes(), trade.orderStatus)
        several = [client.placeOrder(contract, LimitOrder("BUY", 1, low - 5 * n, tif="GTC")) for n in range(5)]
        several.append(client.placeOrder(stock(client), StopOrder("BUY", 1, 5_000)))
        checks.that("six work", all(client.reaches(t, "Submitted", "PreSubmitted") for t in several))
        client.reqGlobalCancel()
        checks.that("none is left", all(client.reaches(t, "Cancelled") for t in several) and client.reqAllOpenOrders() == [])


def what_happens_while_we_are_away(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        ticker = live(client, contract)
        client.reaches(client.placeOrder(contract, MarketOrder("BUY", 2)), "Filled")
        far = client.placeOrder(contract, LimitOrder("SELL", 1, ticker.ask // 5 * 10, tif="GTC", orderRef="far"))
        # One of the two will be hit, whichever way the market goes, and takes the other with it.
        pair = {"tif": "GTC", "orderRef": "near", "ocaGroup": "away", "ocaType": 1}
        near = [client.placeOrder(contract, order) for order in (
            StopOrder("SELL", 1, ticker.bid - 40, **pair), LimitOrder("SELL", 1, ticker.ask + 40, **pair))]
        checks.that("they work", client.reaches(far, "Submitted") and all(client.reaches(t, "PreSubmitted", "Submitted") for t in near), near)
        perm = far.orderStatus.permId
    begin, seen, fills = time.monotonic(), [], gateway.remembers('"fill"')
    while time.monotonic() - begin < ATTEMPTS * PATIENCE and not seen:
        with session(gateway) as client:
            seen = [f for f in client.fills() if f.execution.orderRef == "near"]
            open_now = {t.order.permId: t for t in client.openTrades()}
            if perm not in open_now:
                checks.that("the far order is there at each return", False, open_now)
            fills = gateway.remembers('"fill"')
        # Nobody is connected: the gateway's own memory tells when to look again.
        while not seen and gateway.remembers('"fill"') == fills and time.monotonic() - begin < ATTEMPTS * PATIENCE:
            time.sleep(0.1)
    checks.that("one was hit while nobody looked, and the other went", len(seen) == 1 and seen[0].execution.side == "SLD", seen)
    gateway.kill()
    gateway.start()
    with session(gateway) as client:
        checks.equal("after the gateway's death it is there", [t.order.orderRef for t in client.openTrades()], ["far"])
        checks.that("so is the execution", any(f.execution.orderRef == "near" for f in client.fills()))
        mine = client.openTrades()[0]
        client.cancelOrder(mine.order)
        checks.that("and it can be cancelled", client.reaches(mine, "Cancelled"), mine.orderStatus)
        checks.that("flat", flat(client, micro_bitcoin(client)))


def the_day_in_the_books(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        fills = client.fills()
        ids = [f.execution.execId for f in fills]
        checks.that("every execution once", len(ids) == len(set(ids)) > 10, len(ids))
        checks.that("each with its commission", all(f.commissionReport.commission > 0 for f in fills))
        net = sum(f.execution.shares * (1 if f.execution.side == "BOT" else -1) for f in fills)
        checks.equal("bought is sold", net, 0)
        checks.equal("nothing works", client.reqAllOpenOrders(), [])
        done = client.reqCompletedOrders(False)
        checks.that("filled and cancelled ones are listed", {"Filled", "Cancelled"} <= {t.orderStatus.status for t in done})
        cash = {v.tag: float(v.value) for v in client.accountSummary() if v.tag in ("TotalCashValue", "NetLiquidation")}
        checks.that("cash is all there is", abs(cash["TotalCashValue"] - cash["NetLiquidation"]) < 0.01, cash)


def main() -> None:
    checks = Checks("trade_day")
    with Gateway("--seed", "11", "--speed", speed(50), data=True) as gateway:
        for step in (
            the_market_moves, an_order_is_changed_while_it_fills, the_market_takes_the_target, the_market_takes_the_stop,
            a_trailing_stop_follows_and_fires, resting_orders_are_changed_and_cancelled, what_happens_while_we_are_away, the_day_in_the_books,
        ):
            checks.step(step, gateway)
    checks.finish()


if __name__ == "__main__":
    main()
