"""The gateway's bad days, one flag each, as ib_async meets them; and the oldest protocol it speaks."""

import datetime
import tempfile
import time

from ib_async import MarketOrder

from harness import HOST, Checks, Gateway
from session import Client, micro_bitcoin, session, stock


def refused(gateway: Gateway, seconds: float = 2) -> Client:
    """A client whose connection must not succeed."""
    client = Client()
    try:
        client.connect(HOST, gateway.port, clientId=1, timeout=seconds)
    except Exception:  # noqa: BLE001 - which exception is ib_async's business
        pass
    return client


def wedge(checks: Checks) -> None:
    with Gateway("--fault", "wedge-after=1") as gateway, session(gateway):
        checks.that("the second connection is not answered", not gateway.greets())
    with Gateway("--fault", "wedge") as gateway:
        begin = time.monotonic()
        client = refused(gateway)
        checks.that("accepts and never answers", not client.isConnected() and time.monotonic() - begin > 1.5 and not client.told, client.told)


def client_id_in_use(checks: Checks) -> None:
    with Gateway("--fault", "client-id-in-use") as gateway:
        for _ in range(2):
            client = refused(gateway)
            checks.that("refused by 326 each time", not client.isConnected() and 326 in client.codes(), client.told)
    with Gateway("--fault", "client-id-in-use=1") as gateway:
        checks.that("refused once", 326 in refused(gateway).codes())
        with session(gateway) as client:
            checks.that("then served", client.isConnected())


def live_account(checks: Checks) -> None:
    with Gateway("--fault", "live-account") as gateway, session(gateway) as client:
        checks.that("a live account", client.managedAccounts()[0].startswith("U"), client.managedAccounts())


def no_market_data(checks: Checks) -> None:
    for code in (354, 10089, 10168):
        with Gateway("--fault", f"no-market-data={code}:MBT") as gateway, session(gateway) as client:
            contract = micro_bitcoin(client)
            ticker, good = client.reqMktData(contract), client.reqMktData(stock(client))
            checks.that(f"{code} for that symbol", client.until(lambda: code in client.codes()), client.told)
            checks.that("quotes for the other", client.until(lambda: good.bid > 0))
            checks.that("and none for it", not ticker.bid > 0, ticker)
            client.cancelMktData(contract)
            client.reqMarketDataType(3)
            late = client.reqMktData(contract)
            checks.that("delayed ones when asked for", client.until(lambda: late.bid > 0) and late.marketDataType == 3, late)
            checks.that("said to be delayed", 10167 in client.codes(), client.told)


def no_permission(checks: Checks) -> None:
    with Gateway("--fault", "no-permission") as gateway, session(gateway) as client:
        trade = client.placeOrder(micro_bitcoin(client), MarketOrder("BUY", 1))
        checks.that("203 on a future", client.until(lambda: 203 in client.codes()) and not trade.fills, client.told)
        checks.that("a stock fills", client.reaches(client.placeOrder(stock(client), MarketOrder("BUY", 1)), "Filled"))


def read_only(checks: Checks) -> None:
    with Gateway("--fault", "read-only") as gateway, session(gateway) as client:
        client.placeOrder(stock(client), MarketOrder("BUY", 1))
        checks.that("321 on every order", client.until(lambda: 321 in client.codes()), client.told)


def recorded_bars(checks: Checks) -> None:
    """`--bars`: the last hour is what the file says."""
    first = int(time.time()) // 60 * 60 - 7200
    rows = [(first + 60 * n, 90_000 + 5 * (n * 37 % 100)) for n in range(300)]
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("time,open,high,low,close\n" + "".join(f"{at},{p},{p + 20},{p - 20},{p + 5}\n" for at, p in rows))
        file.flush()
        with Gateway("--bars", file.name) as gateway, session(gateway) as client:
            history = client.reqHistoricalData(micro_bitcoin(client), "", "3600 S", "1 min", "TRADES", False, 2)[:-1]
            wanted = {at: (p, p + 20, p - 20, p + 5) for at, p in rows}
            told = {int(bar.date.timestamp()): (bar.open, bar.high, bar.low, bar.close) for bar in history}
            wrong = {at: (bar, wanted.get(at)) for at, bar in told.items() if bar != wanted.get(at)}
            checks.that("recorded bars come back", len(told) == 59 and not wrong, wrong)


def real_hours(checks: Checks) -> None:
    """`--hours real`: stocks rest at night and on Sundays, and an order that must wait says so."""
    with Gateway("--hours", "real") as gateway, session(gateway) as client:
        details = client.reqContractDetails(stock(client))[0]
        checks.that("closed days are listed", "CLOSED" in details.liquidHours, details.liquidHours)
        now = datetime.datetime.now(datetime.timezone.utc)
        is_open = any(s.start <= now < s.end for s in details.liquidSessions())
        trade = client.placeOrder(details.contract, MarketOrder("BUY", 1))
        if is_open:
            checks.that("fills while the market is open", client.reaches(trade, "Filled"), trade.orderStatus)
        else:
            # ib_async marks an order with a warning by a status of its own; a second client sees what the gateway says.
            checks.that("says when the market opens", client.until(lambda: 399 in client.codes()), client.told)
            with session(gateway, 2) as other:
                checks.equal("waits meanwhile", [t.orderStatus.status for t in other.reqAllOpenOrders()], ["PreSubmitted"])
            client.cancelOrder(trade.order)
            checks.that("and can be cancelled", client.reaches(trade, "Cancelled"))


def the_oldest_protocol(checks: Checks) -> None:
    with Gateway("--max-version", "157") as gateway, session(gateway) as client:
        checks.equal("server version", client.client.serverVersion(), 157)
        contract = micro_bitcoin(client)
        ticker = client.reqMktData(contract)
        checks.that("quotes", client.until(lambda: ticker.bid > 0 and ticker.ask > 0))
        trade = client.placeOrder(contract, MarketOrder("BUY", 25))
        checks.that("fills in parts", client.reaches(trade, "Filled") and len(trade.fills) > 1, trade)
        checks.equal("bars", len(client.reqHistoricalData(contract, "", "600 S", "1 min", "TRADES", False, 2)), 10)
        checks.equal("account", len([v for v in client.accountSummary() if v.tag == "NetLiquidation"]), 1)
        checks.equal("no error", client.codes(), [])
