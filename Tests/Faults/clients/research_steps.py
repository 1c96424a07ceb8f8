"""Single ticks, depth, schedules, options, currencies and coins, as ib_async sees them; and that nothing asked is met with silence."""

import datetime

from ib_async import Crypto, Forex, Future, Option, ScannerSubscription, Stock

from harness import Checks, Gateway
from session import micro_bitcoin, session, stock


def single_ticks(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        future = micro_bitcoin(client)
        for kind in ("Last", "AllLast", "BidAsk", "MidPoint"):
            ticker = client.reqTickByTickData(future, kind)
            heard: list = []
            ticker.updateEvent += lambda t, heard=heard: heard.extend(t.tickByTicks)
            checks.that(f"{kind} ticks flow", client.until(lambda heard=heard: len(heard) >= 3), len(heard))
            client.cancelTickByTickData(future, kind)
        now = datetime.datetime.now(datetime.timezone.utc)
        trades = client.reqHistoricalTicks(future, "", now, 200, "TRADES", False)
        checks.that("trades of the past", len(trades) >= 200 and all(t.price > 0 and t.size > 0 for t in trades), len(trades))
        checks.that("in order", all(a.time <= b.time for a, b in zip(trades, trades[1:])))
        touches = client.reqHistoricalTicks(future, now - datetime.timedelta(minutes=2), "", 100, "BID_ASK", False)
        checks.that("touches of the past", len(touches) >= 100 and all(t.priceBid < t.priceAsk for t in touches), len(touches))
        middles = client.reqHistoricalTicks(future, "", now, 50, "MIDPOINT", False)
        checks.that("midpoints of the past", len(middles) >= 50, len(middles))
        checks.equal("no error", client.codes(), [])


def depth(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        for contract, smart in ((micro_bitcoin(client), False), (stock(client), True)):
            ticker = client.reqMktDepth(contract, 5, smart)
            checks.that("five rows a side", client.until(lambda: len(ticker.domBids) == 5 and len(ticker.domAsks) == 5))
            moves: list = []
            ticker.updateEvent += lambda t, moves=moves: moves.append((t.domBids[0].price, t.domAsks[0].price))
            checks.that("that move", client.until(lambda moves=moves: len(moves) > 5), len(moves))
            bids, asks = [row.price for row in ticker.domBids], [row.price for row in ticker.domAsks]
            checks.that("in order", bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0], bids, asks)
            client.cancelMktDepth(contract, smart)
        checks.that("exchanges with depth", any(row.exchange == "CME" for row in client.reqMktDepthExchanges()))
        parts = client.reqSmartComponents("9c0001")
        checks.that("parts of the smart map", any(part.exchange == "ISLAND" for part in parts), parts)
        checks.equal("no error", client.codes(), [])


def options(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        apple = stock(client)
        chains = client.reqSecDefOptParams("AAPL", "", "STK", apple.conId)
        smart = next(chain for chain in chains if chain.exchange == "SMART")
        checks.equal("expiries and strikes", (len(smart.expirations), len(smart.strikes), smart.multiplier), (3, 11, "100"))
        call = client.qualifyContracts(Option("AAPL", smart.expirations[1], 230, "C", "SMART"))[0]
        checks.that("a right of the chain", call.conId > 0 and call.localSymbol.endswith("C00230000"), call)
        rights = client.reqContractDetails(Option("AAPL", smart.expirations[1], exchange="SMART"))
        checks.equal("all rights of a month", len(rights), 22)
        ticker = client.reqMktData(call)
        checks.that("greeks", client.until(lambda: ticker.modelGreeks is not None and ticker.bid > 0), ticker)
        checks.that("a delta of a call", 0 <= ticker.modelGreeks.delta <= 1, ticker.modelGreeks)
        client.cancelMktData(call)
        told = client.calculateOptionPrice(call, 0.35, 231.0)
        back = client.calculateImpliedVolatility(call, told.optPrice, 231.0)
        checks.that("price and volatility agree", abs(back.impliedVol - 0.35) < 0.001, told, back)
        checks.equal("no error", client.codes(), [])


def other_classes(checks: Checks, gateway: Gateway) -> None:
    with session(gateway) as client:
        for contract in (Forex("EURUSD"), Forex("GBPUSD"), Crypto("BTC", "PAXOS", "USD"), Crypto("ETH", "PAXOS", "USD")):
            found = client.qualifyContracts(contract)
            checks.that(f"{contract.symbol} is found", bool(found) and contract.conId > 0, found)
            ticker = client.reqMktData(contract)
            checks.that(f"{contract.symbol} quotes", client.until(lambda ticker=ticker: ticker.bid > 0 and ticker.ask > ticker.bid), ticker)
            client.cancelMktData(contract)
            bars = client.reqHistoricalData(contract, "", "1800 S", "1 min", "MIDPOINT", False, 2)
            checks.equal(f"{contract.symbol} bars", len(bars), 30)
        names = {item.contract.symbol for item in client.reqMatchingSymbols("bitcoin")}
        checks.equal("search by name", names, {"MBT", "BTC"})
        schedule = client.reqHistoricalSchedule(stock(client), 5)
        checks.that("a schedule", len(schedule.sessions) >= 5 and schedule.timeZone == "US/Eastern", schedule)
        checks.that("a histogram", len(client.reqHistogramData(stock(client), False, "3 days")) > 0)
        checks.equal("no error", client.codes(), [])


def no_silence(checks: Checks, gateway: Gateway) -> None:
    """What the gateway does not have is refused in words or comes empty; a client never waits for ever."""
    with session(gateway) as client:
        checks.equal("no news providers", client.reqNewsProviders(), [])
        client.reqHistoricalNews(265598, "BRFG", "", "", 10)
        checks.that("no news", 10276 in client.codes(), client.told)
        client.reqNewsArticle("BRFG", "BRFG$1")
        checks.that("no article", 10172 in client.codes(), client.told)
        checks.that("scanner parameters", client.reqScannerParameters().startswith("<?xml"))
        client.reqScannerData(ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN"))
        checks.that("no scanner", 162 in client.codes(), client.told)
        client.reqFundamentalData(stock(client), "ReportSnapshot")
        checks.that("no fundamentals", 430 in client.codes(), client.told)
        checks.equal("user", client.reqUserInfo(), [])
        client.reqNewsBulletins(True)
        checks.that("a bulletin", client.until(lambda: len(client.newsBulletins()) == 1), client.newsBulletins())
        nobody = Stock("NOSUCH", "SMART", "USD")
        client.reqHeadTimeStamp(nobody, "TRADES", False)
        client.reqHistoricalTicks(Future("NOSUCH", exchange="CME"), "", datetime.datetime.now(), 10, "TRADES", False)
        checks.that("unknown contracts", client.codes().count(200) >= 2, client.told)
