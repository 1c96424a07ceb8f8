"""The broker's own Python client, old or new, as a recorder: every event it raises is kept, and waited for by name."""

import logging
import threading
import time
from collections.abc import Callable

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper

from harness import HOST, Gateway

logging.disable(logging.CRITICAL)

Event = tuple[str, tuple]


def _recording(name: str) -> Callable[..., None]:
    def record(self: "Official", *arguments: object, **_: object) -> None:
        with self.heard:
            self.events.append((name, arguments))
            self.heard.notify_all()

    return record


_EVENTS = {
    name: _recording(name) for name, member in vars(EWrapper).items()
    if callable(member) and not name.startswith("_") and name not in ("logAnswer", "winError")
}


class Official(type("Recorder", (EWrapper,), _EVENTS), EClient):
    """Connected from its creation on; `close` ends it."""

    def __init__(self, gateway: Gateway, client_id: int):
        EClient.__init__(self, self)
        self.events: list[Event] = []
        self.heard = threading.Condition()
        self.numbers = 100
        self.connect(HOST, gateway.port, client_id)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        first = self.first("nextValidId")
        self.order_id = first[0] if first else 0

    def close(self) -> None:
        reader = getattr(self, "reader", None)
        self.disconnect()
        self.thread.join(5)
        # The reader keeps the socket, and with it the client id, until its own second of waiting is over.
        if reader:
            reader.join(5)

    def __enter__(self) -> "Official":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Waiting

    def until(self, condition: Callable[[], object], seconds: float = 20) -> bool:
        end = time.monotonic() + seconds
        with self.heard:
            while not condition():
                if not self.heard.wait(max(0.0, min(0.2, end - time.monotonic()))) and time.monotonic() >= end:
                    return False
        return True

    def all(self, name: str, number: int | None = None) -> list[tuple]:
        """Every event of a name; those of one request or order when its number is given."""
        return [arguments for heard, arguments in list(self.events) if heard == name and (number is None or arguments[0] == number)]

    def first(self, name: str, number: int | None = None, seconds: float = 20) -> tuple | None:
        self.until(lambda: self.all(name, number), seconds)
        return (self.all(name, number) or [None])[0]

    def codes(self, number: int | None = None) -> set[int]:
        """Error codes: the number before the text; newer clients put a time before both."""
        return {next(code for code, text in zip(told, told[1:]) if isinstance(text, str)) for told in self.all("error", number)}

    # Asking

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def ask(self, call: str, *arguments: object, end: str) -> int:
        """Makes a request under a new number and waits for its end mark."""
        number = self.number()
        getattr(self, call)(number, *arguments)
        self.first(end, number)
        return number

    def place(self, contract: Contract, order: Order) -> int:
        number, self.order_id = self.order_id, self.order_id + 1
        self.placeOrder(number, contract, order)
        return number

    def cancel(self, number: int) -> None:
        try:
            self.cancelOrder(number)
        except TypeError:
            from ibapi.order_cancel import OrderCancel

            self.cancelOrder(number, OrderCancel())

    def status(self, number: int) -> str:
        told = self.all("orderStatus", number)
        return told[-1][1] if told else ""

    def reaches(self, number: int, *states: str) -> bool:
        return self.until(lambda: self.status(number) in states)


def contract(symbol: str = "MBT", expiry: str = "") -> Contract:
    wanted = Contract()
    wanted.symbol, wanted.currency = symbol, "USD"
    wanted.secType, wanted.exchange = ("FUT", "CME") if symbol == "MBT" else ("STK", "SMART")
    wanted.lastTradeDateOrContractMonth = expiry
    return wanted


def order(side: str, quantity: int, kind: str = "MKT", **fields: object) -> Order:
    made = Order()
    made.action, made.totalQuantity, made.orderType = side, quantity, kind
    # The old client sets two flags that gateways of today refuse.
    for flag in ("eTradeOnly", "firmQuoteOnly"):
        if hasattr(made, flag):
            setattr(made, flag, False)
    for name, value in fields.items():
        setattr(made, name, value)
    return made
