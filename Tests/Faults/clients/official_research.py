"""What the broker's own client is told beyond quotes and bars: single ticks, depth, options, other classes, and refusals in words."""

from ibapi.contract import Contract

from harness import Checks, Gateway
from official import Official, contract
from official_steps import near_month


def option(expiry: str) -> Contract:
    wanted = contract("AAPL")
    wanted.secType, wanted.lastTradeDateOrContractMonth, wanted.strike, wanted.right = "OPT", expiry, 230.0, "C"
    return wanted


def other(symbol: str, kind: str, exchange: str) -> Contract:
    wanted = contract(symbol)
    wanted.secType, wanted.exchange = kind, exchange
    return wanted


def single_ticks(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        future = near_month(client).contract
        for kind, event in (("Last", "tickByTickAllLast"), ("AllLast", "tickByTickAllLast"), ("BidAsk", "tickByTickBidAsk"), ("MidPoint", "tickByTickMidPoint")):
            number = client.number()
            client.reqTickByTickData(number, future, kind, 0, False)
            checks.that(f"{kind} ticks", client.until(lambda n=number, e=event: len(client.all(e, n)) >= 3), client.codes(number))
            client.cancelTickByTickData(number)
        for what, event in (("TRADES", "historicalTicksLast"), ("BID_ASK", "historicalTicksBidAsk"), ("MIDPOINT", "historicalTicks")):
            number = client.number()
            client.reqHistoricalTicks(number, future, "", "20260105-15:00:00", 50, what, 0, False, [])
            told = client.first(event, number)
            checks.that(f"{what} of the past", told and len(told[1]) >= 50 and told[2] is True, client.codes(number))


def depth(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        for wanted, smart, event in ((near_month(client).contract, False, "updateMktDepth"), (contract("AAPL"), True, "updateMktDepthL2")):
            number = client.number()
            client.reqMktDepth(number, wanted, 5, smart, [])
            checks.that("rows and changes", client.until(lambda n=number, e=event: len(client.all(e, n)) >= 14), client.codes(number))
            client.cancelMktDepth(number, smart)
        client.reqMktDepthExchanges()
        checks.that("exchanges with depth", client.first("mktDepthExchanges"))
        number = client.number()
        client.reqSmartComponents(number, "9c0001")
        checks.that("parts of the smart map", client.first("smartComponents", number))


def options(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        number = client.ask("reqSecDefOptParams", "AAPL", "", "STK", 265598, end="securityDefinitionOptionParameterEnd")
        chain = client.first("securityDefinitionOptionParameter", number)
        checks.that("a chain", chain and len(chain[5]) == 3 and len(chain[6]) == 11, chain)
        wanted = option(sorted(chain[5])[1])
        number = client.ask("reqContractDetails", wanted, end="contractDetailsEnd")
        details = client.all("contractDetails", number)[0][1]
        checks.equal("a right on the stock", (details.underConId, details.underSymbol, details.contract.right), (265598, "AAPL", "C"))
        number = client.number()
        client.reqMktData(number, details.contract, "", False, False, [])
        checks.that("computations", client.until(lambda: {10, 11, 13} <= {told[1] for told in client.all("tickOptionComputation", number)}))
        client.cancelMktData(number)
        number = client.number()
        client.calculateOptionPrice(number, details.contract, 0.35, 231.0, [])
        checks.that("a price", client.first("tickOptionComputation", number), client.codes(number))
        number = client.number()
        client.exerciseOptions(number, details.contract, 1, 1, "", 0, *exercise_rest(client))
        checks.that("exercise is refused in words", client.until(lambda: 322 in client.codes(number)), client.codes(number))


def exercise_rest(client: Official) -> list:
    """Newer clients ask for four more things."""
    count = client.exerciseOptions.__func__.__code__.co_argcount - 7
    return ["", "", False][:max(count, 0)]


def other_classes(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        for wanted in (other("EUR", "CASH", "IDEALPRO"), other("BTC", "CRYPTO", "PAXOS")):
            number = client.ask("reqContractDetails", wanted, end="contractDetailsEnd")
            checks.that(f"{wanted.symbol} is described", client.all("contractDetails", number))
            number = client.number()
            client.reqMktData(number, wanted, "", False, False, [])
            checks.that(f"{wanted.symbol} is quoted", client.until(lambda n=number: {1, 2} <= {told[1] for told in client.all("tickPrice", n)}))
            client.cancelMktData(number)
        number = client.number()
        client.reqMatchingSymbols(number, "bitcoin")
        found = client.first("symbolSamples", number)
        checks.equal("search by name", {item.contract.symbol for item in found[1]}, {"MBT", "BTC"})
        number = client.number()
        client.reqHistogramData(number, contract("AAPL"), False, "3 days")
        checks.that("a histogram", client.first("histogramData", number))
        number = client.number()
        client.reqHeadTimeStamp(number, contract("AAPL"), "TRADES", 0, 1)
        checks.that("the head of the data", client.first("headTimestamp", number))
        client.reqMarketRule(239)
        checks.that("a market rule", client.first("marketRule"))


def no_silence(checks: Checks, gateway: Gateway, _: int) -> None:
    with Official(gateway, 1) as client:
        for event, call in (
            ("newsProviders", lambda: client.reqNewsProviders()), ("scannerParameters", lambda: client.reqScannerParameters()),
            ("updateNewsBulletin", lambda: client.reqNewsBulletins(True)), ("familyCodes", lambda: client.reqFamilyCodes()),
            ("softDollarTiers", lambda: client.reqSoftDollarTiers(client.number())),
        ):
            call()
            checks.that(event, client.first(event) is not None)
        for code, call in (
            (10276, lambda n: client.reqHistoricalNews(n, 265598, "BRFG", "", "", 10, [])),
            (10172, lambda n: client.reqNewsArticle(n, "BRFG", "BRFG$1", [])),
            (430, lambda n: client.reqFundamentalData(n, contract("AAPL"), "ReportSnapshot", [])),
            (300, lambda n: client.cancelMktData(n)), (310, lambda n: client.cancelMktDepth(n, False)),
            (200, lambda n: client.reqHeadTimeStamp(n, contract("NOSUCH"), "TRADES", 0, 1)),
        ):
            number = client.number()
            call(number)
            checks.that(f"refused by {code}", client.until(lambda c=code, n=number: c in client.codes(n), 5), client.codes(number))


STEPS = (single_ticks, depth, options, other_classes, no_silence)
