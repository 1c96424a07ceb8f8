"""Reconnects, client ids, and the gateway's own sudden deaths."""

import signal

from ib_async import LimitOrder, MarketOrder, Order

from harness import Checks, Gateway
from session import Client, micro_bitcoin, session, stock, touch


def orders_are_there_after_a_reconnect(checks: Checks, gateway: Gateway) -> None:
    with session(gateway, 5) as client:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        trade = client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000, tif="GTC", orderRef="stays"))
        client.reaches(trade, "Submitted")
        number, order_id = trade.orderStatus.permId, trade.order.orderId
    with session(gateway, 6) as other:
        checks.equal("not among another client's", [t for t in other.reqOpenOrders() if t.order.permId == number], [])
        seen = [t for t in other.reqAllOpenOrders() if t.order.permId == number]
        checks.equal("but among all", [(t.order.clientId, t.order.orderId) for t in seen], [(5, order_id)])
    with session(gateway, 5) as client:
        mine = [t for t in client.openTrades() if t.order.permId == number]
        checks.equal("our own is back", [(t.order.orderId, t.order.orderRef, t.orderStatus.status) for t in mine], [(order_id, "stays", "Submitted")])
        checks.that("the next id is higher", client.client.getReqId() > order_id)
        client.cancelOrder(mine[0].order)
        checks.that("and can be cancelled", client.reaches(mine[0], "Cancelled"), mine[0].orderStatus)


def a_client_id_is_used_once(checks: Checks, gateway: Gateway) -> None:
    with session(gateway, 8) as first:
        second = Client()
        try:
            second.connect("127.0.0.1", gateway.port, clientId=8, timeout=2)
            checks.that("the second is refused", False)
        except Exception:  # noqa: BLE001 - which exception is ib_async's business
            checks.that("told as 326", 326 in second.codes(), second.told)
        checks.that("the first goes on", first.reqCurrentTime() is not None)


def everything_outlives_a_kill(checks: Checks, gateway: Gateway) -> None:
    with session(gateway, 5) as client:
        contract = micro_bitcoin(client)
        bid, ask = touch(client, contract)
        for trade in (client.placeOrder(contract, MarketOrder("BUY", 3)), client.placeOrder(stock(client), MarketOrder("BUY", 20))):
            checks.that("bought", client.reaches(trade, "Filled"), trade.orderStatus)
        resting = client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000, tif="GTC"))
        trailing = client.placeOrder(contract, Order(action="SELL", totalQuantity=3, orderType="TRAIL", auxPrice=3000, tif="GTC"))
        bracket = [client.placeOrder(contract, order) for order in client.bracketOrder("BUY", 1, bid - 6000, ask + 5000, bid - 9000, tif="GTC")]
        working = [resting, trailing, *bracket]
        checks.that("all work", client.reaches(resting, "Submitted") and all([client.reaches(t, "PreSubmitted", "Submitted") for t in working]))
        before = picture(client)
        highest = max(trade.order.orderId for trade in client.trades() if trade.order.clientId == 5)
        code, _ = gateway.kill(signal.SIGKILL)
        checks.equal("it is dead", code, -signal.SIGKILL)
        checks.that("the client notices", client.until(lambda: not client.isConnected()))
    gateway.start()
    with session(gateway, 5) as client:
        after = picture(client)
        for part in before:
            checks.equal(part, after[part], before[part])
        checks.that("the next id is higher", client.client.getReqId() > highest)
        stop = next(t for t in client.openTrades() if t.order.orderType == "TRAIL")
        checks.that("the trailing stop has its level", stop.order.trailStopPrice > 0, stop.order)
        for trade in client.openTrades():
            client.cancelOrder(trade.order)
        checks.that("all can be cancelled", client.until(lambda: not client.openTrades()), client.openTrades())
        contract = micro_bitcoin(client)
        checks.that("and new ones fill", client.reaches(client.placeOrder(contract, MarketOrder("SELL", 3)), "Filled"))
        client.reaches(client.placeOrder(stock(client), MarketOrder("SELL", 20)), "Filled")
        client.reqExecutions()
        numbers = [f.execution.execId for f in client.fills()]
        checks.equal("no execution id twice", len(set(numbers)), len(numbers))


def picture(client: Client) -> dict[str, object]:
    """What must be the same after a death."""
    orders = client.reqAllOpenOrders()
    values = {value.tag: value.value for value in client.accountSummary()}
    client.reqExecutions()
    return {
        "working orders": sorted((t.order.permId, t.order.orderId, t.order.orderType, t.order.totalQuantity, t.order.lmtPrice, t.order.parentId) for t in orders),
        "their states": sorted((t.order.permId, t.orderStatus.status) for t in orders),
        "positions": sorted((p.contract.conId, p.position, p.avgCost) for p in client.held()),
        "executions": sorted((f.execution.execId, f.execution.price, f.commissionReport.commission) for f in client.fills()),
        "completed orders": sorted((t.order.permId, t.orderStatus.status) for t in client.reqCompletedOrders(False)),
        "cash": values["TotalCashValue"],
    }


def what_was_acknowledged_is_there_after_a_kill_in_the_middle(checks: Checks, gateway: Gateway) -> None:
    """Five deaths while orders pour in: whatever the client was told exists afterwards, and nothing exists twice."""
    for death in range(5):
        with session(gateway, 9) as client:
            contract = micro_bitcoin(client)
            bid, _ = touch(client, contract)
            trades = [client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000 - 5 * number, tif="GTC")) for number in range(20)]
            client.until(lambda: sum(trade.orderStatus.permId > 0 for trade in trades) > death * 4)
            gateway.kill(signal.SIGKILL)
            client.until(lambda: not client.isConnected())
            told = {trade.orderStatus.permId: trade.order.orderId for trade in trades if trade.orderStatus.permId}
        gateway.start()
        with session(gateway, 9) as client:
            there = [(t.order.permId, t.order.orderId) for t in client.reqAllOpenOrders() if t.order.clientId == 9]
            checks.that("what was told is there", set(told.items()) <= set(there), told, there)
            checks.equal("nothing is there twice", len({number for _, number in there}), len(there))
            client.reqGlobalCancel()
            checks.that("and ends", client.until(lambda: not client.openTrades()))


def a_full_disk_ends_the_gateway_before_it_can_lie(checks: Checks) -> None:
    """The journal cannot grow any more: the gateway dies instead of acknowledging what it will not remember."""
    with Gateway("--seed", "7", data=True, file_bytes=24_000) as gateway:
        with session(gateway, 9) as client:
            contract = micro_bitcoin(client)
            bid, _ = touch(client, contract)
            trades = []
            for number in range(40):
                if not client.isConnected():
                    break
                trades.append(client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000 - 5 * number, tif="GTC")))
                client.until(lambda: trades[-1].orderStatus.permId > 0 or not client.isConnected())
            told = {trade.orderStatus.permId for trade in trades if trade.orderStatus.permId}
            checks.that("some were acknowledged and one was not", 0 < len(told) == len(trades) - 1, len(told), len(trades))
        code = gateway.process.wait(20) if gateway.process else None
        checks.equal("it ended with an error", code, 1)
        gateway.kill()
        gateway.file_bytes = None
        gateway.start()
        with session(gateway, 9) as client:
            there = {t.order.permId for t in client.reqAllOpenOrders()}
            checks.that("what was acknowledged is there", told <= there, told, there)


def a_polite_end_is_quick(checks: Checks, gateway: Gateway) -> None:
    with session(gateway, 5):
        code, seconds = gateway.kill(signal.SIGTERM)
    checks.equal("exit code", code, 0)
    checks.that("within a second", seconds < 1, seconds)
    gateway.start()
    with session(gateway, 5) as client:
        checks.that("and it starts again", client.isConnected())
