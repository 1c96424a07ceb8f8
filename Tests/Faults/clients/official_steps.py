"""What the broker's own client sees of `rig gateway`: handshake, data, orders, account, and a death in between."""

import signal

from harness import Checks, Gateway
from official import Official, contract, order

TAGS = "NetLiquidation,TotalCashValue,AvailableFunds,InitMarginReq,MaintMarginReq,BuyingPower,GrossPositionValue,Cushion,Leverage"


def near_month(client: Official):
    """The nearest month of MBT, found as a client finds it."""
    number = client.ask("reqContractDetails", contract(), end="contractDetailsEnd")
    chain = sorted((details for _, details in client.all("contractDetails", number)), key=lambda d: d.contract.lastTradeDateOrContractMonth)
    return chain[0]


def handshake(checks: Checks, gateway: Gateway, version: int) -> None:
    with Official(gateway, 1) as client:
        checks.equal("server version", client.serverVersion(), version)
        checks.equal("account", client.first("managedAccounts"), ("DU1234567",))
        checks.that("first order id", client.order_id >= 1)
        client.reqCurrentTime()
        checks.that("time", client.first("currentTime"))
        checks.that("farms", client.until(lambda: {2104, 2106, 2158} <= client.codes()), client.codes())


def data(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        details = near_month(client)
        checks.equal("multiplier and tick", (details.contract.multiplier, details.minTick), ("0.1", 5.0))
        checks.that("local symbol", details.contract.localSymbol.startswith("MBT"), details.contract.localSymbol)
        for wanted in (details.contract, contract("AAPL")):
            number = client.number()
            client.reqMktData(number, wanted, "", False, False, [])
            told = lambda n=number: {arguments[1]: float(arguments[2]) for arguments in client.all("tickPrice", n)}
            checks.that("bid, ask and last", client.until(lambda: {1, 2, 4} <= set(told())), told())
            checks.that("bid below ask", told()[1] < told()[2], told())
            checks.that("sizes", client.until(lambda: {0, 3, 5, 8} <= {a[1] for a in client.all("tickSize", number)}))
            checks.that("parameters", client.first("tickReqParams", number))
            client.cancelMktData(number)
        number = client.ask("reqHistoricalData", details.contract, "", "3600 S", "1 min", "TRADES", 0, 2, False, [], end="historicalDataEnd")
        bars = [bar for _, bar in client.all("historicalData", number)]
        checks.equal("an hour of minutes", len(bars), 60)
        checks.that("well formed", all(bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high for bar in bars))
        live = client.ask("reqHistoricalData", details.contract, "", "600 S", "1 min", "TRADES", 0, 2, True, [], end="historicalDataEnd")
        checks.that("kept up to date", client.first("historicalDataUpdate", live))
        client.cancelHistoricalData(live)


def orders(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        future = near_month(client).contract
        far = client.place(future, order("BUY", 1, "LMT", lmtPrice=5000.0, tif="GTC"))
        checks.that("submitted", client.reaches(far, "Submitted"), client.events[-3:])
        permanent = client.all("orderStatus", far)[-1][5]
        client.placeOrder(far, future, order("BUY", 2, "LMT", lmtPrice=5005.0, tif="GTC"))
        changed = lambda: any(a[2].lmtPrice == 5005.0 and float(a[2].totalQuantity) == 2 for a in client.all("openOrder", far))
        checks.that("changed", client.until(changed))
        checks.equal("same permanent number", {a[5] for a in client.all("orderStatus", far)}, {permanent})
        client.cancel(far)
        checks.that("cancelled", client.reaches(far, "Cancelled") and 202 in client.codes(far), client.codes(far))
        for wanted, size, parts in ((future, 25, 2), (contract("AAPL"), 10, 1)):
            number = client.place(wanted, order("BUY", size))
            checks.that("filled", client.reaches(number, "Filled"), client.events[-3:])
            fills = [e for _, _, e in client.all("execDetails") if e.orderId == number]
            checks.that("in parts", len(fills) >= parts and sum(float(e.shares) for e in fills) == size, fills)
            reports = lambda: {a[0].execId for name in ("commissionReport", "commissionAndFeesReport") for a in client.all(name)}
            checks.that("commissions", client.until(lambda: {e.execId for e in fills} <= reports()))
            back = client.place(wanted, order("SELL", size))
            checks.that("and out again", client.reaches(back, "Filled"))
        preview = client.place(future, order("BUY", 2, whatIf=True))
        told = client.first("openOrder", preview)
        checks.that("what-if", told and float(told[3].initMarginChange) == 5600, told)
        trail = client.place(future, order("SELL", 1, "TRAIL", auxPrice=500.0))
        checks.that("a trailing stop waits", client.reaches(trail, "PreSubmitted"))
        levels = [a[2].trailStopPrice for a in client.all("openOrder", trail)]
        checks.that("and has its level", levels and 5000 < levels[-1] < 1_000_000, levels)
        client.cancel(trail)
        checks.that("cancelled", client.reaches(trail, "Cancelled"))
        bad = client.place(future, order("BUY", 1, "LMT", lmtPrice=5001.0))
        checks.that("a price off the grid", client.until(lambda: 110 in client.codes(bad)), client.codes(bad))


def account(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        number = client.ask("reqAccountSummary", "All", TAGS, end="accountSummaryEnd")
        checks.equal("summary", {a[2] for a in client.all("accountSummary", number)}, set(TAGS.split(",")))
        client.reqAccountUpdates(True, "DU1234567")
        checks.that("values", client.first("accountDownloadEnd") and any(a[0] == "NetLiquidation" for a in client.all("updateAccountValue")))
        client.reqPositions()
        checks.that("positions", client.first("positionEnd") is not None)
        client.reqCompletedOrders(False)
        checks.that("completed orders", client.first("completedOrdersEnd") is not None)
        states = {a[2].completedStatus.split(" ")[0] for a in client.all("completedOrder")}
        checks.that("filled and cancelled ones", {"Filled", "Cancelled"} <= states, states)


def death(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 4) as client:
        future = near_month(client).contract
        resting = client.place(future, order("BUY", 1, "LMT", lmtPrice=5000.0, tif="GTC"))
        bought = client.place(future, order("BUY", 2))
        checks.that("one rests, one fills", client.reaches(resting, "Submitted") and client.reaches(bought, "Filled"))
        permanent = client.all("orderStatus", resting)[-1][5]
        executions = {e.execId for _, _, e in client.all("execDetails")}
        gateway.kill(signal.SIGKILL)
        checks.that("the client notices", client.until(lambda: client.all("connectionClosed")))
    gateway.start()
    from ibapi.execution import ExecutionFilter

    with Official(gateway, 4) as client:
        checks.that("ids go on", client.order_id > bought, client.order_id)
        client.reqOpenOrders()
        checks.that("the order is there", client.first("openOrderEnd") is not None and client.all("openOrder", resting))
        checks.equal("under its number", client.all("openOrder", resting)[0][2].permId, permanent)
        number = client.ask("reqExecutions", ExecutionFilter(), end="execDetailsEnd")
        checks.that("executions", executions <= {e.execId for n, _, e in client.all("execDetails") if n == number})
        client.reqPositions()
        client.first("positionEnd")
        checks.that("position", any(a[1].conId == future.conId and float(a[2]) == 2 for a in client.all("position")), client.all("position"))
        client.cancel(resting)
        checks.that("it can be cancelled", client.reaches(resting, "Cancelled"))
        checks.that("and the position closed", client.reaches(client.place(future, order("SELL", 2)), "Filled"))


def walk(name: str, version: int) -> None:
    """All steps for one client, which must agree on `version`."""
    import official_research

    checks = Checks(name)
    with Gateway("--seed", "11", data=True) as gateway:
        for step in (handshake, data, orders, account, *official_research.STEPS, death):
            checks.step(step, gateway, version)
    checks.finish()
