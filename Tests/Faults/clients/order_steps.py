"""Orders from ib_async: placed, changed, cancelled, filled, previewed, and told again."""

from ib_async import ExecutionFilter, LimitOrder, MarketOrder, Order, StopOrder

from harness import Checks, Gateway
from session import micro_bitcoin, session, stock, touch


def limit_order_is_placed_changed_and_cancelled(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        order = LimitOrder("BUY", 2, bid - 5000, tif="GTC", orderRef="walk-1")
        trade = client.placeOrder(contract, order)
        checks.that("submitted", client.reaches(trade, "Submitted"), trade.orderStatus)
        number = trade.orderStatus.permId
        checks.that("has a permanent number", number > 0)
        for price, quantity in ((bid - 5500, 2), (bid - 5500, 3)):
            order.lmtPrice, order.totalQuantity = price, quantity
            client.placeOrder(contract, order)
            checks.that("stays submitted", client.reaches(trade, "Submitted"))
            told = next(t for t in client.reqOpenOrders() if t.order.permId == number)
            checks.equal("changed at the gateway", (told.order.lmtPrice, told.order.totalQuantity), (price, quantity))
        checks.equal("keeps our reference", told.order.orderRef, "walk-1")
        client.cancelOrder(order)
        checks.that("cancelled", client.reaches(trade, "Cancelled"), trade.orderStatus)
        checks.that("told as 202", 202 in client.codes(), client.told)
        client.client.cancelOrder(order.orderId, "")
        checks.that("a second cancel is refused", client.until(lambda: {10147, 10148, 161} & set(client.codes())), client.told)
        checks.equal("nothing was filled", trade.fills, [])


def market_orders_fill_a_future_and_a_stock(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        for contract, size, multiplier, unit in ((micro_bitcoin(client), 2, 0.1, 2.27), (stock(client), 40, 1.0, 0.005)):
            before = {p.contract.conId: p.position for p in client.positions()}.get(contract.conId, 0)
            _, ask = touch(client, contract)
            trade = client.placeOrder(contract, MarketOrder("BUY", size))
            checks.that(f"{contract.localSymbol} filled", client.reaches(trade, "Filled"), trade.orderStatus)
            checks.that("every fill has its commission", client.until(lambda: all(f.commissionReport.commission for f in trade.fills)), trade.fills)
            checks.equal("fills add up", sum(f.execution.shares for f in trade.fills), size)
            checks.that("near the touch", abs(trade.orderStatus.avgFillPrice / ask - 1) < 0.01, trade.orderStatus.avgFillPrice, ask)
            paid = sum(f.commissionReport.commission for f in trade.fills)
            checks.that("commission", abs(paid - max(unit * size, 0 if multiplier < 1 else 1)) < 1e-6, paid)
            checks.equal("side and account", {(f.execution.side, f.execution.acctNumber) for f in trade.fills}, {("BOT", "DU1234567")})
            checks.that("position", client.until(lambda: any(p.contract.conId == contract.conId and p.position == before + size for p in client.positions())))
            position = next(p for p in client.positions() if p.contract.conId == contract.conId)
            checks.that("average cost", abs(position.avgCost / (ask * multiplier) - 1) < 0.01, position)
            checks.that("portfolio", client.until(lambda: any(i.contract.conId == contract.conId for i in client.portfolio())))
            back = client.placeOrder(contract, MarketOrder("SELL", size))
            checks.that("and out again", client.reaches(back, "Filled"), back.orderStatus)
            checks.that("realised", client.until(lambda: any(abs(f.commissionReport.realizedPNL) < 1e9 for f in back.fills)), back.fills)
            checks.that("flat", client.until(lambda: all(p.contract.conId != contract.conId or p.position == 0 for p in client.positions())))


def what_if_tells_the_margin(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        state = client.whatIfOrder(contract, MarketOrder("BUY", 2))
        checks.equal("initial margin of two", float(state.initMarginChange), 5600.0)
        checks.equal("maintenance margin of two", float(state.maintMarginChange), 4480.0)
        checks.that("commission", abs(state.commission - 4.54) < 1e-9, state.commission)
        checks.equal("before, change, after", float(state.initMarginBefore) + 5600, float(state.initMarginAfter))
        checks.equal("nothing was placed", client.reqOpenOrders(), [])
        bid, _ = touch(client, stock(client))
        fraction = float(client.whatIfOrder(stock(client), MarketOrder("BUY", 100)).initMarginChange) / (bid * 100)
        checks.that("half the value of a stock", 0.45 < fraction < 0.55, fraction)


def twenty_five_contracts_fill_in_parts(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        trade = client.placeOrder(contract, MarketOrder("BUY", 25))
        steps: list[tuple[float, float]] = []
        trade.statusEvent += lambda t: steps.append((t.orderStatus.filled, t.orderStatus.remaining))
        checks.that("filled", client.reaches(trade, "Filled"), trade.orderStatus)
        checks.that("in more than one execution", len(trade.fills) > 1, trade.fills)
        checks.that("with a partial state in between", any(0 < filled < 25 and filled + rest == 25 for filled, rest in steps), steps)
        checks.equal("no execution twice", len({f.execution.execId for f in trade.fills}), len(trade.fills))
        cumulative = [f.execution.cumQty for f in trade.fills]
        checks.that("cumulative quantity rises to 25", cumulative == sorted(cumulative) and cumulative[-1] == 25, cumulative)
        mean = sum(f.execution.shares * f.execution.price for f in trade.fills) / 25
        checks.that("average price is the weighted mean", abs(mean - trade.orderStatus.avgFillPrice) < 1e-4, mean, trade.orderStatus.avgFillPrice)
        back = client.placeOrder(contract, MarketOrder("SELL", 25))
        checks.that("and out again", client.reaches(back, "Filled"), back.orderStatus)


def stops_wait_and_trail(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, ask = touch(client, contract)
        entry = client.placeOrder(contract, StopOrder("BUY", 1, ask + 5000))
        trail = client.placeOrder(contract, Order(action="SELL", totalQuantity=1, orderType="TRAIL", auxPrice=500, tif="GTC"))
        part = client.placeOrder(stock(client), Order(action="SELL", totalQuantity=5, orderType="TRAIL", trailingPercent=3.0, tif="GTC"))
        for trade in (entry, trail, part):
            checks.that("a stop waits", client.reaches(trade, "PreSubmitted"), trade.orderStatus)
        # To the client that placed it, ib_async shows the order as it was sent; another one sees what the gateway told.
        with session(gateway, 2) as other:
            open_now = {t.order.permId: t for t in other.reqAllOpenOrders()}
        stop = open_now[trail.orderStatus.permId].order.trailStopPrice
        checks.that("the trailing stop stands its distance below", abs(stop - (bid - 500)) <= 100, stop, bid)
        checks.equal("the stop's price", open_now[entry.orderStatus.permId].order.auxPrice, ask + 5000)
        fired = client.placeOrder(contract, StopOrder("BUY", 1, bid - 50))
        checks.that("a stop that is already through fires", client.reaches(fired, "Filled"), fired.orderStatus)
        for trade in (entry, trail, part):
            client.cancelOrder(trade.order)
            checks.that("cancelled", client.reaches(trade, "Cancelled"), trade.orderStatus)
        client.reaches(client.placeOrder(contract, MarketOrder("SELL", 1)), "Filled")


def a_bracket_protects_and_cancels_its_other_side(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, ask = touch(client, contract)
        resting = client.bracketOrder("BUY", 1, bid - 5000, bid + 5000, bid - 9000)
        trades = [client.placeOrder(contract, order) for order in resting]
        checks.that("the parent works", client.reaches(trades[0], "Submitted"), trades[0].orderStatus)
        checks.that("the children wait", client.reaches(trades[1], "PreSubmitted") and client.reaches(trades[2], "PreSubmitted"))
        client.cancelOrder(trades[0].order)
        checks.that("they go with their parent", all([client.reaches(trade, "Cancelled") for trade in trades]), trades)
        taken = client.bracketOrder("BUY", 1, ask + 500, ask + 5000, ask - 5000)
        trades = [client.placeOrder(contract, order) for order in taken]
        checks.that("an entry through the market fills", client.reaches(trades[0], "Filled"), trades[0].orderStatus)
        checks.that("the take profit works", client.reaches(trades[1], "Submitted"), trades[1].orderStatus)
        checks.that("the stop waits", client.reaches(trades[2], "PreSubmitted"), trades[2].orderStatus)
        profit = trades[1].order
        profit.lmtPrice = bid - 500
        client.placeOrder(contract, profit)
        checks.that("one side fills", client.reaches(trades[1], "Filled"), trades[1].orderStatus)
        checks.that("the other is cancelled", client.reaches(trades[2], "Cancelled"), trades[2].orderStatus)


def what_happened_is_told_again(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        trade = client.placeOrder(contract, MarketOrder("BUY", 3))
        client.reaches(trade, "Filled")
        client.reaches(client.placeOrder(contract, MarketOrder("SELL", 3)), "Filled")
        mine = {f.execution.execId for f in trade.fills}
    with session(gateway) as client:
        everything = client.reqExecutions()
        told = {f.execution.execId: f for f in everything}
        checks.that("executions", mine <= set(told), mine)
        # ib_async keeps commissions with the first copy of a fill.
        checks.that("with their commissions", all(f.commissionReport.commission > 0 for f in client.fills() if f.execution.execId in mine))
        checks.that("times are in order", [f.time for f in everything] == sorted(f.time for f in everything))
        stocks = client.reqExecutions(ExecutionFilter(symbol="AAPL"))
        checks.that("by symbol", stocks and all(f.contract.symbol == "AAPL" for f in stocks))
        checks.equal("by another client", client.reqExecutions(ExecutionFilter(clientId=77)), [])
        completed = client.reqCompletedOrders(False)
        checks.that("completed orders", {"Filled", "Cancelled"} <= {t.orderStatus.status for t in completed})
        checks.that("know how much was filled", any(t.order.filledQuantity == 25 for t in completed))


def refusals_have_their_codes(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        for what, order, codes in (
            ("a price off the grid", LimitOrder("BUY", 1, bid - 4999), {110}),
            ("more than the account can carry", MarketOrder("BUY", 4000), {201}),
            ("a fraction of a contract", MarketOrder("BUY", 0.5), {10318, 201, 321, 110, 382}),
            ("another account", MarketOrder("BUY", 1, account="DU7654321"), {321}),
        ):
            seen = len(client.told)
            trade = client.placeOrder(contract, order)
            told = client.until(lambda: codes & {code for _, code, _ in client.told[seen:]}, 5)
            checks.that(what, told and not trade.fills, client.told[seen:])
        client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000, orderId=1))
        checks.that("a used order id", client.until(lambda: 103 in client.codes()), client.told)
        checks.equal("nothing is left working", client.reqOpenOrders(), [])


def a_global_cancel_ends_all(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client, session(gateway, 2) as other:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        trades = [client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000)), other.placeOrder(contract, LimitOrder("BUY", 1, bid - 5005))]
        checks.that("both work", client.reaches(trades[0], "Submitted") and other.reaches(trades[1], "Submitted"))
        client.reqGlobalCancel()
        checks.that("both end", client.reaches(trades[0], "Cancelled") and other.reaches(trades[1], "Cancelled"), trades)
