"""ib_async as it is, with a name for each thing the walks do with it: connecting, waiting on a condition, collecting errors."""

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterator

from ib_async import IB, ContFuture, Contract, Position, Stock, Trade

from harness import HOST, Gateway

# Errors are part of the walk; the checks look at them, the log would only repeat them.
logging.getLogger("ib_async").setLevel(logging.CRITICAL)


class Client(IB):
    """An unmodified IB that remembers what it was told as errors."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int, str]] = []
        self.errorEvent += lambda number, code, text, *_: self.told.append((number, code, text))

    def codes(self) -> list[int]:
        """Error codes so far, without the notices that data farms are well."""
        return [code for _, code, _ in self.told if not 2100 <= code < 2200]

    def until(self, condition: Callable[[], object], seconds: float = 20) -> bool:
        """Lets events come in until the condition holds; False when it does not in time."""
        end = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
        while not condition():
            if datetime.datetime.now() > end:
                return False
            try:
                self.waitOnUpdate(timeout=0.2)
            except ConnectionError:
                # The gateway is gone; whether that is what the caller waits for, the condition says.
                return bool(condition())
        return True

    def held(self) -> list[Position]:
        """What is held now, once each: what the request itself returns names a contract twice when a push to an earlier request falls into it."""
        self.reqPositions()
        return self.positions()

    def reaches(self, trade: Trade, *states: str) -> bool:
        return self.until(lambda: trade.orderStatus.status in states)


@contextlib.contextmanager
def session(gateway: Gateway, client_id: int = 1, **options: object) -> Iterator[Client]:
    client = Client()
    client.connect(HOST, gateway.port, clientId=client_id, timeout=10, raiseSyncErrors=True, **options)
    try:
        yield client
    finally:
        client.disconnect()


def micro_bitcoin(client: Client) -> Contract:
    """The month that trades now, named like an ordinary future."""
    front = client.reqContractDetails(ContFuture("MBT", "CME"))[0].contract
    contract = Contract(secType="FUT", conId=front.conId, exchange="CME")
    return client.qualifyContracts(contract)[0]


def stock(client: Client, symbol: str = "AAPL") -> Contract:
    return client.qualifyContracts(Stock(symbol, "SMART", "USD"))[0]


def touch(client: Client, contract: Contract) -> tuple[float, float]:
    """Bid and ask of this moment."""
    ticker = client.reqMktData(contract, "", False, False)
    client.until(lambda: ticker.bid > 0 and ticker.ask > 0)
    client.cancelMktData(contract)
    return ticker.bid, ticker.ask
