"""What a broker does to its clients on bad days, as ib_async sees it: disorder, corrections, wrong numbers, nights; and who else is at the gateway."""

import time

from ib_async import Crypto, LimitOrder, MarketOrder, PriceCondition, TagValue

from harness import HOST, Checks, Gateway
from session import Client, micro_bitcoin, session, stock, touch


def held(client: Client) -> float:
    return sum(position.position for position in client.held())


def disorder(checks: Checks) -> None:
    """Whatever is told twice, late or in another order: 25 contracts are 25 contracts."""
    for faults in (["execution=duplicate"], ["execution=late"], ["execution=reorder"], ["status=duplicate", "status=reorder"], ["fill-before-ack"],
                   ["commission=late:1500", "split=3"], ["slow-reader=4000"]):
        options = [word for fault in faults for word in ("--fault", fault)]
        with Gateway(*options) as gateway, session(gateway) as client:
            trade = client.placeOrder(micro_bitcoin(client), MarketOrder("BUY", 25))
            # ib_async believes the status that comes last, which after a change of places need not be the newest.
            states = ("Filled", "Submitted") if "status=reorder" in faults else ("Filled",)
            done = client.until(lambda: trade.filled() == 25 and trade.orderStatus.status in states)
            checks.that(f"{faults}: filled", done, trade.orderStatus)
            ids = [fill.execution.execId for fill in trade.fills]
            checks.that(f"{faults}: once", len(ids) == len(set(ids)) and held(client) == 25, ids)
            checks.that(f"{faults}: with commissions", client.until(lambda: all(f.commissionReport.execId for f in trade.fills)), trade.fills)


def a_fill_behind_a_cancel(checks: Checks) -> None:
    with Gateway("--fault", "fill-after-cancel") as gateway, session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, _ = touch(client, contract)
        trade = client.placeOrder(contract, LimitOrder("BUY", 2, bid - 5000))
        client.reaches(trade, "Submitted")
        client.cancelOrder(trade.order)
        checks.that("cancelled in words", client.reaches(trade, "Cancelled") and not trade.fills, trade.orderStatus)
        checks.that("and filled behind them", client.until(lambda: trade.fills), trade)
        checks.equal("that is held", held(client), sum(fill.execution.shares for fill in trade.fills))


def commissions_that_say_nothing(checks: Checks) -> None:
    for word, unset in (("never", False), ("sentinel", True)):
        with Gateway("--fault", f"commission={word}") as gateway, session(gateway) as client:
            trade = client.placeOrder(stock(client), MarketOrder("BUY", 1))
            client.reaches(trade, "Filled")
            client.until(lambda: False, 1)
            amounts = [fill.commissionReport.commission for fill in trade.fills]
            checks.that(f"commission={word}", amounts and all((amount > 1e300) == unset for amount in amounts), amounts)


def a_corrected_execution(checks: Checks) -> None:
    with Gateway("--fault", "correction") as gateway, session(gateway) as client:
        trade = client.placeOrder(micro_bitcoin(client), MarketOrder("BUY", 1))
        checks.that("told twice", client.until(lambda: len(trade.fills) == 2), trade.fills)
        first, second = (fill.execution for fill in trade.fills[:2])
        checks.that("by ids of one root", first.execId[:-2] == second.execId[:-2] and second.execId.endswith(".02"), first.execId, second.execId)
        checks.that("at another price", first.price != second.price and held(client) == 1, first.price, second.price)


def numbers_at_the_edge(checks: Checks) -> None:
    with Gateway("--fault", "next-id=edge") as gateway, session(gateway) as client:
        # ib_async takes its request ids from the same numbers.
        checks.that("the numbers begin just below 2^31", 2**31 - 3 <= client.client.getReqId() < 2**31)
    with Gateway("--fault", "twin-perm") as gateway, session(gateway) as client:
        client.placeOrder(micro_bitcoin(client), MarketOrder("BUY", 1, orderRef="twin"))
        checks.that("both copies of an order fill", client.until(lambda: len(client.fills()) == 2) and held(client) == 2, client.fills())
        checks.equal("two permIds", len({fill.execution.permId for fill in client.fills()}), 2)
        checks.equal("under one reference", {fill.execution.orderRef for fill in client.fills()}, {"twin"})


def the_line_to_the_broker(checks: Checks) -> None:
    for word, codes in (("1101", {1100, 1101}), ("1102", {1100, 1102}), ("2110", {2110, 1102})):
        with Gateway("--fault", f"link={word}:3") as gateway, session(gateway) as client:
            seen = lambda: {code for _, code, _ in client.told}  # noqa: E731
            checks.that(f"link={word}", client.until(lambda: codes <= seen(), 10), client.told)
    with Gateway("--fault", "competing-session") as gateway, session(gateway) as client:
        ticker = client.reqMktData(stock(client))
        checks.that("10197 and no quotes", client.until(lambda: 10197 in client.codes(), 5) and not ticker.bid > 0, client.told)
    with Gateway("--fault", "pacing=20") as gateway, session(gateway) as client:
        for _ in range(40):
            client.client.reqCurrentTime()
        checks.that("100 when it is too much", client.until(lambda: 100 in client.codes(), 5), client.told)


def lists_without_an_end(checks: Checks) -> None:
    with Gateway("--fault", "snapshot-without-end=executions") as gateway:
        client = Client()
        begin = time.monotonic()
        try:
            client.connect(HOST, gateway.port, clientId=1, timeout=3)
        except Exception:  # noqa: BLE001 - which exception is ib_async's business
            pass
        checks.that("the client waits for its time-out", time.monotonic() - begin > 2.5)
        checks.that("all else was told", bool(client.managedAccounts()), client.managedAccounts())
        client.disconnect()


def nights(checks: Checks) -> None:
    with Gateway("--fault", "restart-at=+6") as gateway:
        with session(gateway) as client:
            contract = micro_bitcoin(client)
            bid, _ = touch(client, contract)
            client.reaches(client.placeOrder(contract, LimitOrder("BUY", 1, bid - 5000, tif="GTC", orderRef="kept")), "Submitted")
            checks.that("the gateway hangs up", client.until(lambda: not client.isConnected(), 15))
        checks.that("and serves nobody", not gateway.greets())
        begin = time.monotonic()
        while not gateway.greets() and time.monotonic() - begin < 25:
            time.sleep(0.1)
        back = Client()
        back.connect(HOST, gateway.port, clientId=1, timeout=10)
        checks.equal("ten seconds later the order is there", [t.order.orderRef for t in back.openTrades()], ["kept"])
        back.disconnect()
    with Gateway("--fault", "reset-at=+4") as gateway, session(gateway) as client:
        good = stock(client)
        checks.that("the night begins", client.until(lambda: {2103, 1100} <= {code for _, code, _ in client.told}, 10), client.told)
        checks.that("a good contract is unknown", not client.reqContractDetails(good) and 200 in client.codes(), client.told)
        checks.that("history is refused", not client.reqHistoricalData(good, "", "600 S", "1 min", "TRADES", False) and 162 in client.codes())
        trade = client.placeOrder(good, MarketOrder("BUY", 1))
        checks.that("and ends", client.until(lambda: {1101, 1102} & set(client.codes()), 75), client.told)
        checks.that("the order that waited is done", client.reaches(trade, "Filled"), trade.orderStatus)


def others_at_the_gateway(checks: Checks) -> None:
    """A person at the TWS, client 0 that binds, and a master that hears of all."""
    with Gateway("--manual", "--master", "9", "--fault-seed", "3") as gateway:
        with session(gateway) as client:
            manual = lambda: [t for t in client.reqAllOpenOrders() if t.order.clientId == 0]  # noqa: E731
            checks.that("an order made by hand is seen", client.until(lambda: time.sleep(1) or manual(), 60))
            checks.that("under no number", all(t.order.orderId <= 0 for t in manual()), manual())
        with session(gateway, 0) as client:
            bound = [t for t in client.openTrades() if t.order.orderId < 0]
            checks.that("client 0 binds it", bound, client.openTrades())
            client.cancelOrder(bound[0].order)
            checks.that("and cancels it", client.reaches(bound[0], "Cancelled"), bound[0].orderStatus)
        with session(gateway, 9) as master, session(gateway, 1) as client:
            client.reaches(client.placeOrder(stock(client), MarketOrder("BUY", 1)), "Filled")
            checks.that("the master hears of fills", master.until(lambda: any(f.execution.clientId == 1 for f in master.fills())), master.fills())


def orders_with_blocks(checks: Checks) -> None:
    with Gateway() as gateway, session(gateway) as client:
        contract = micro_bitcoin(client)
        bid, ask = touch(client, contract)
        clever = client.placeOrder(
            contract, LimitOrder("BUY", 1, bid - 5000, algoStrategy="Adaptive", algoParams=[TagValue("adaptivePriority", "Normal")]))
        later = client.placeOrder(contract, LimitOrder("BUY", 1, ask + 500, conditions=[
            PriceCondition(price=ask + 50000, isMore=True, conId=contract.conId, exch="CME")]))
        checks.that("an algorithm works", client.reaches(clever, "Submitted"), clever.orderStatus)
        checks.that("a condition waits", client.reaches(later, "PreSubmitted") and not later.fills, later.orderStatus)
        with session(gateway, 2) as other:
            told = {t.order.permId: t.order for t in other.reqAllOpenOrders()}
            again = told[clever.orderStatus.permId]
            checks.that("it is told again", again.algoStrategy == "Adaptive" and again.algoParams[0].value == "Normal", again)
            checks.that("so is the condition", told[later.orderStatus.permId].conditions[0].price == ask + 50000, told)
        later.order.conditions[0].price = bid - 50000
        client.placeOrder(contract, later.order)
        checks.that("once it is met the order fills", client.reaches(later, "Filled"), later.orderStatus)
        coin = client.qualifyContracts(Crypto("BTC", "PAXOS", "USD"))[0]
        client.placeOrder(coin, MarketOrder("BUY", 0.01, tif="IOC"))
        checks.that("coins are bought for money", client.until(lambda: 10289 in client.codes(), 5), client.told)
        bought = client.placeOrder(coin, MarketOrder("BUY", 0, cashQty=500, tif="Minutes"))
        checks.that("for five hundred dollars", client.until(lambda: bought.fills) and 0 < held(client), bought)
