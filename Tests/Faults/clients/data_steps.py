"""Handshake, contracts, quotes, bars and the account, as ib_async sees them."""

import datetime

from ib_async import ContFuture, Future, RealTimeBar, Stock

from harness import Checks, Gateway
from session import Client, micro_bitcoin, session, stock

SUMMARY = (
    "AccountType NetLiquidation TotalCashValue SettledCash AccruedCash BuyingPower EquityWithLoanValue PreviousDayEquityWithLoanValue "
    "GrossPositionValue RegTEquity RegTMargin SMA InitMarginReq MaintMarginReq AvailableFunds ExcessLiquidity Cushion FullInitMarginReq "
    "FullMaintMarginReq FullAvailableFunds FullExcessLiquidity LookAheadNextChange LookAheadInitMarginReq LookAheadMaintMarginReq "
    "LookAheadAvailableFunds LookAheadExcessLiquidity HighestSeverity DayTradesRemaining DayTradesRemainingT+1 DayTradesRemainingT+2 "
    "DayTradesRemainingT+3 DayTradesRemainingT+4 Leverage CashBalance TotalCashBalance RealizedPnL UnrealizedPnL NetLiquidationByCurrency "
    "ExchangeRate"
).split()


def handshake(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        checks.equal("server version", client.client.serverVersion(), 178)
        checks.equal("account", client.managedAccounts(), ["DU1234567"])
        checks.that("first order id", client.client.getReqId() >= 1)
        now = datetime.datetime.now(datetime.timezone.utc)
        checks.that("current time", abs((client.reqCurrentTime() - now).total_seconds()) < 5)
        checks.that("data farms are told to be well", {code for _, code, _ in client.told} >= {2104, 2106, 2158}, client.told)
        checks.equal("no error", client.codes(), [])


def contracts(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        chain = client.reqContractDetails(Future("MBT", exchange="CME"))
        checks.that("a chain of months", len(chain) >= 6, len(chain))
        for details in chain:
            contract = details.contract
            month = contract.lastTradeDateOrContractMonth
            code = "MBT" + "FGHJKMNQUVXZ"[int(month[4:6]) - 1] + month[3]
            checks.equal("month code", (contract.localSymbol, contract.tradingClass), (code, "MBT"))
            checks.equal("multiplier and tick", (contract.multiplier, details.minTick), ("0.1", 5.0))
            checks.equal("contract month", details.contractMonth, month[:6])
        front = client.reqContractDetails(ContFuture("MBT", "CME"))
        checks.equal("one continuous future", len(front), 1)
        checks.equal("it is the nearest month", front[0].contract.conId, min(chain, key=lambda d: d.realExpirationDate).contract.conId)
        sessions = [s for s in front[0].tradingSessions()]
        today = datetime.datetime.now(datetime.timezone.utc)
        checks.that("open now, by its own hours", any(s.start <= today < s.end for s in sessions), sessions)
        checks.equal("zone", front[0].timeZoneId, "US/Central")
        by_month = client.qualifyContracts(Future("MBT", chain[1].contract.lastTradeDateOrContractMonth[:6], "CME"))
        checks.equal("qualified by month", by_month[0].conId, chain[1].contract.conId)
        apple = client.qualifyContracts(Stock("AAPL", "SMART", "USD"))[0]
        checks.equal("stock", (apple.conId, apple.primaryExchange, apple.localSymbol), (265598, "NASDAQ", "AAPL"))
        checks.equal("stock tick", client.reqContractDetails(apple)[0].minTick, 0.01)
        checks.equal("an unknown contract", client.reqContractDetails(Stock("NOSUCH", "SMART", "USD")), [])
        checks.that("is told as 200", 200 in client.codes(), client.told)
        found = client.reqMatchingSymbols("AAP")
        checks.that("search by symbol", any(item.contract.symbol == "AAPL" for item in found), found)
        checks.equal("market rule", [(rule.lowEdge, rule.increment) for rule in client.reqMarketRule(67)], [(0.0, 5.0)])


def quotes(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        for contract, tick, deepest in ((micro_bitcoin(client), 5.0, 24), (stock(client), 0.01, 100_000)):
            ticker = client.reqMktData(contract)
            seen: list[tuple[float, float]] = []
            ticker.updateEvent += lambda t, seen=seen: seen.append((t.bid, t.ask))
            checks.that(f"{contract.localSymbol} quotes flow", client.until(lambda: len(seen) > 12), len(seen))
            checks.that("bid below ask", all(bid < ask for bid, ask in seen if bid > 0 and ask > 0), seen)
            checks.that("on the tick grid", abs(ticker.bid / tick - round(ticker.bid / tick)) < 1e-6, ticker.bid)
            checks.that("thin at the touch", 0 < ticker.bidSize <= deepest and 0 < ticker.askSize <= deepest, ticker.bidSize, ticker.askSize)
            checks.that("a trade", client.until(lambda: ticker.last > 0 and ticker.lastSize > 0))
            checks.that("day's range", ticker.low <= ticker.last <= ticker.high, ticker.low, ticker.last, ticker.high)
            checks.that("close before", ticker.close > 0 and ticker.volume > 0)
            checks.equal("live data", ticker.marketDataType, 1)
            client.cancelMktData(contract)
            client.reqCurrentTime()
            count = len(seen)
            # Another stream's ticks tell that time has passed: by then this one would have spoken several times.
            other, heard = stock(client, "TSLA"), []
            witness = client.reqMktData(other)
            witness.updateEvent += lambda t, heard=heard: heard.append(t.bid)
            checks.that("another stream goes on", client.until(lambda: len(heard) > 8), len(heard))
            client.cancelMktData(other)
            checks.equal("silent after the cancellation", len(seen), count)
        snapshot = client.reqTickers(stock(client, "MSFT"))[0]
        checks.that("snapshot", snapshot.bid > 0 and snapshot.ask > snapshot.bid, snapshot)
        checks.equal("no error", client.codes(), [])


def bars(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        contract = micro_bitcoin(client)
        hour = client.reqHistoricalData(contract, "", "3600 S", "1 min", "TRADES", False, 2)
        checks.equal("an hour of minutes", len(hour), 60)
        checks.that("without holes", all((b.date - a.date).total_seconds() == 60 for a, b in zip(hour, hour[1:])))
        checks.that("well formed", all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in hour))
        zoned = client.reqHistoricalData(contract, "", "600 S", "1 min", "TRADES", False, 1)
        checks.equal("the same bars in the login's zone", zoned[0].date.timestamp(), hour[-10].date.timestamp())
        days = client.reqHistoricalData(contract, "", "5 D", "1 day", "TRADES", False)
        checks.equal("five days", len(days), 5)
        end = hour[30].date
        checks.equal("up to an end", client.reqHistoricalData(contract, end, "300 S", "1 min", "MIDPOINT", False, 2)[-1].date, hour[29].date)
        live = client.reqHistoricalData(contract, "", "600 S", "1 min", "TRADES", False, 2, keepUpToDate=True)
        news: list[bool] = []
        live.updateEvent += lambda _, is_new: news.append(is_new)
        checks.that("history is kept up to date", client.until(lambda: len(news) > 3), news)
        checks.that("a new minute begins", client.until(lambda: any(news), 65), news)
        checks.that("minutes go on without a hole", all((b.date - a.date).total_seconds() == 60 for a, b in zip(live, live[1:])))
        client.cancelHistoricalData(live)
        client.reqHistoricalData(contract, "", "2 Y", "1 secs", "TRADES", False)
        checks.that("too much is refused by 162 or 321", {162, 321} & set(client.codes()), client.told)
        checks.that("head of the data", client.reqHeadTimeStamp(contract, "TRADES", False, 2).year >= 2021)
        stream = client.reqRealTimeBars(stock(client), 5, "TRADES", False)
        checks.that("five-second bars", client.until(lambda: len(stream) >= 2, 15) and isinstance(stream[0], RealTimeBar))
        checks.equal("five seconds apart", (stream[1].time - stream[0].time).total_seconds(), 5)
        client.cancelRealTimeBars(stream)


def account(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        summary = {value.tag: value for value in client.accountSummary()}
        for tag in SUMMARY:
            checks.that(f"summary has {tag}", tag in summary)
        checks.equal("who and what", (summary["NetLiquidation"].account, summary["NetLiquidation"].currency), ("DU1234567", "USD"))
        values = {value.tag: value.value for value in client.accountValues()}
        checks.that("account is ready", values.get("AccountReady") == "true" and float(values["NetLiquidation"]) > 0, values)
        pnl = client.reqPnL("DU1234567")
        checks.that("profit and loss", client.until(lambda: pnl.dailyPnL == pnl.dailyPnL), pnl)
        client.cancelPnL("DU1234567")


def a_quiet_client(checks: Checks, gateway: Gateway) -> None:
    """What other calls of a start bring when there is nothing."""
    client: Client
    with session(gateway, 31) as client:
        checks.equal("no positions", client.positions(), [])
        checks.equal("no orders", client.openTrades(), [])
        checks.equal("no executions", client.reqExecutions(), [])
        checks.equal("no completed orders", client.reqCompletedOrders(False), [])
