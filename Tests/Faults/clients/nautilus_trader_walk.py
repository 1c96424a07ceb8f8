"""NautilusTrader as it is, with its own Interactive Brokers adapter, trades a session on `rig gateway`: each step waits on what its strategy was told."""

import asyncio
import datetime
import time
from decimal import Decimal

from nautilus_trader.adapters.interactive_brokers.common import IB, IBContract
from nautilus_trader.adapters.interactive_brokers.config import (
    InteractiveBrokersDataClientConfig, InteractiveBrokersExecClientConfig, InteractiveBrokersInstrumentProviderConfig,
)
from nautilus_trader.adapters.interactive_brokers.factories import (
    IB_CLIENTS, InteractiveBrokersLiveDataClientFactory, InteractiveBrokersLiveExecClientFactory,
)
from nautilus_trader.config import LiveDataEngineConfig, LiveExecEngineConfig, LoggingConfig, RoutingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy

from harness import HOST, Checks, Gateway, speed

ACCOUNT = "DU1234567"
# Next month's future trades on every day of this month, whenever this month's expires.
MONTH = (datetime.date.today().replace(day=1) + datetime.timedelta(days=31)).strftime("%Y%m")
CONTRACTS = frozenset({
    IBContract(secType="FUT", symbol="MBT", exchange="CME", currency="USD", lastTradeDateOrContractMonth=MONTH),
    IBContract(secType="STK", symbol="AAPL", exchange="SMART", primaryExchange="NASDAQ", currency="USD"),
})


class Listener(Strategy):
    """Decides nothing: keeps what it is told, so that the walk can wait for it."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="WALK-1"))
        self.quotes: list = []
        self.trades: list = []
        self.bars: list = []
        self.told: list = []

    def on_quote_tick(self, tick) -> None:
        self.quotes.append(tick)

    def on_trade_tick(self, tick) -> None:
        self.trades.append(tick)

    def on_bar(self, bar) -> None:
        self.bars.append(bar)

    def on_historical_data(self, data) -> None:
        self.bars.append(data)

    def on_event(self, event) -> None:
        self.told.append(event)


class Walk:
    """The node, its strategy, and the steps."""

    def __init__(self, checks: Checks, gateway: Gateway):
        self.checks, self.gateway = checks, gateway
        provider = InteractiveBrokersInstrumentProviderConfig(load_contracts=CONTRACTS)
        self.node = TradingNode(config=TradingNodeConfig(
            trader_id=TraderId("WALK-001"), logging=LoggingConfig(log_level="ERROR"),
            data_clients={IB: InteractiveBrokersDataClientConfig(
                ibg_host=HOST, ibg_port=gateway.port, ibg_client_id=11, instrument_provider=provider, use_regular_trading_hours=False)},
            exec_clients={IB: InteractiveBrokersExecClientConfig(
                ibg_host=HOST, ibg_port=gateway.port, ibg_client_id=11, account_id=ACCOUNT, instrument_provider=provider,
                routing=RoutingConfig(default=True))},
            data_engine=LiveDataEngineConfig(time_bars_timestamp_on_close=False), exec_engine=LiveExecEngineConfig(reconciliation=True),
            timeout_connection=60, timeout_reconciliation=30, timeout_portfolio=30, timeout_disconnection=10, timeout_post_stop=2))
        self.strategy = Listener()
        self.node.trader.add_strategy(self.strategy)
        self.node.add_data_client_factory(IB, InteractiveBrokersLiveDataClientFactory)
        self.node.add_exec_client_factory(IB, InteractiveBrokersLiveExecClientFactory)
        self.node.build()

    async def until(self, condition, seconds: float = 30) -> bool:
        """Lets the node work until the condition holds; False when it does not in time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.05)
        return True

    async def reaches(self, order, *states: OrderStatus, seconds: float = 30) -> bool:
        return await self.until(lambda: order.status in states, seconds)

    # The instruments

    def instrument(self, symbol: str):
        return next((one for one in self.node.cache.instruments() if str(one.id.symbol).startswith(symbol)), None)

    async def the_node_comes_up(self) -> None:
        checks = self.checks
        checks.that("both instruments are loaded", await self.until(lambda: self.instrument("MBT") and self.instrument("AAPL")), self.node.cache.instruments())
        future, stock = self.instrument("MBT"), self.instrument("AAPL")
        checks.equal("the future's multiplier and tick", (future.multiplier.as_decimal(), future.price_increment.as_decimal()), (Decimal("0.1"), Decimal("5")))
        checks.equal("the stock's venue", stock.id, InstrumentId.from_str("AAPL.NASDAQ"))
        checks.that("the account is known", await self.until(lambda: self.node.cache.accounts()))
        account = self.node.cache.accounts()[0]
        money = lambda: any(total.as_decimal() > 0 for total in account.balances_total().values())
        checks.that("it has money", await self.until(money), account)
        checks.that("the strategy runs", await self.until(lambda: self.strategy.is_running))

    async def prices_come(self) -> None:
        strategy, checks = self.strategy, self.checks
        for symbol in ("MBT", "AAPL"):
            wanted = self.instrument(symbol).id
            strategy.subscribe_quote_ticks(wanted)
            strategy.subscribe_trade_ticks(wanted)
            quotes = lambda: [tick for tick in strategy.quotes if tick.instrument_id == wanted]
            trades = lambda: [tick for tick in strategy.trades if tick.instrument_id == wanted]
            checks.that(f"quotes of {symbol}", await self.until(lambda: len(quotes()) >= 3), len(quotes()))
            checks.that(f"trades of {symbol}", await self.until(lambda: len(trades()) >= 3), len(trades()))
            # The adapter makes a quote of each single price, so that one side may be ahead of the other for a moment.
            checks.that("bid below ask", sum(tick.bid_price < tick.ask_price for tick in quotes()) * 2 > len(quotes()), quotes()[-3:])
            checks.that("sizes", all(tick.bid_size > 0 and tick.ask_size > 0 for tick in quotes()))
            checks.that("times of today", all(abs(tick.ts_event / 1e9 - time.time()) < 3_600 for tick in quotes() + trades()))

    async def bars_come(self) -> None:
        strategy, checks = self.strategy, self.checks
        future = self.instrument("MBT").id
        five = BarType.from_str(f"{future}-5-SECOND-LAST-EXTERNAL")
        strategy.subscribe_bars(five)
        live = lambda: [bar for bar in strategy.bars if getattr(bar, "bar_type", None) == five]
        checks.that("five-second bars", await self.until(lambda: len(live()) >= 2, 40), len(live()))
        minute = BarType.from_str(f"{future}-1-MINUTE-LAST-EXTERNAL")
        now = datetime.datetime.now(datetime.timezone.utc)
        strategy.request_bars(minute, start=now - datetime.timedelta(hours=1), end=now)
        past = lambda: [bar for bar in strategy.bars if getattr(bar, "bar_type", None) == minute]
        checks.that("an hour of minutes", await self.until(lambda: len(past()) >= 55), len(past()))
        checks.that("they are well formed", all(bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high for bar in past()))
        strategy.unsubscribe_bars(five)

    # Orders

    def touch(self, symbol: str):
        return [tick for tick in self.strategy.quotes if tick.instrument_id == self.instrument(symbol).id][-1]

    def order(self, kind: str, symbol: str, side: OrderSide, quantity: int, **fields):
        instrument = self.instrument(symbol)
        for name in ("price", "trigger_price"):
            if name in fields:
                fields[name] = instrument.make_price(fields[name])
        return getattr(self.strategy.order_factory, kind)(
            instrument_id=instrument.id, order_side=side, quantity=instrument.make_qty(quantity), **fields)

    def fills(self, order) -> list:
        return [event for event in self.strategy.told if isinstance(event, OrderFilled) and event.client_order_id == order.client_order_id]

    def net(self, symbol: str) -> Decimal:
        return self.node.portfolio.net_position(self.instrument(symbol).id)

    async def market_orders_fill(self) -> None:
        checks = self.checks
        for symbol, quantity in (("MBT", 1), ("AAPL", 10)):
            order = self.order("market", symbol, OrderSide.BUY, quantity)
            self.strategy.submit_order(order)
            checks.that(f"{symbol} is filled", await self.reaches(order, OrderStatus.FILLED), order.status_string())
            checks.that("with a commission", self.fills(order) and all(fill.commission.as_decimal() > 0 for fill in self.fills(order)), self.fills(order))
            checks.that("at a price near the touch", self.fills(order) and abs(float(order.avg_px) / float(self.touch(symbol).ask_price) - 1) < 0.01, order.avg_px)
            checks.that("the position is there", await self.until(lambda: self.net(symbol) == quantity), self.net(symbol))

    async def twenty_five_contracts_fill_in_parts(self) -> None:
        order = self.order("market", "MBT", OrderSide.BUY, 25)
        self.strategy.submit_order(order)
        self.checks.that("all are filled", await self.reaches(order, OrderStatus.FILLED), order.status_string())
        self.checks.that("in several executions", len(self.fills(order)) > 1, len(self.fills(order)))
        self.checks.equal("each once", len({fill.trade_id for fill in self.fills(order)}), len(self.fills(order)))
        self.checks.that("twenty-six are held", await self.until(lambda: self.net("MBT") == 26), self.net("MBT"))
        out = self.order("market", "MBT", OrderSide.SELL, 26)
        self.strategy.submit_order(out)
        self.checks.that("and sold", await self.reaches(out, OrderStatus.FILLED), out.status_string())
        self.checks.that("none is left", await self.until(lambda: self.net("MBT") == 0), self.net("MBT"))

    async def a_limit_order_is_changed_and_cancelled(self) -> None:
        checks, bid = self.checks, float(self.touch("MBT").bid_price)
        order = self.order("limit", "MBT", OrderSide.BUY, 1, price=bid * 0.9 // 5 * 5, time_in_force=TimeInForce.GTC)
        self.strategy.submit_order(order)
        checks.that("it rests", await self.reaches(order, OrderStatus.ACCEPTED), order.status_string())
        venue = order.venue_order_id
        lower = self.instrument("MBT").make_price(bid * 0.85 // 5 * 5)
        self.strategy.modify_order(order, quantity=self.instrument("MBT").make_qty(2), price=lower)
        checks.that("it is changed", await self.until(lambda: order.price == lower and order.quantity == 2), order)
        checks.equal("and is the same order", order.venue_order_id, venue)
        self.strategy.cancel_order(order)
        checks.that("it is cancelled", await self.reaches(order, OrderStatus.CANCELED), order.status_string())

    async def a_bracket_protects(self) -> None:
        checks, instrument = self.checks, self.instrument("MBT")
        ask = float(self.touch("MBT").ask_price)
        bracket = self.strategy.order_factory.bracket(
            instrument_id=instrument.id, order_side=OrderSide.BUY, quantity=instrument.make_qty(2), time_in_force=TimeInForce.GTC,
            sl_trigger_price=instrument.make_price(ask * 0.9 // 5 * 5), tp_price=instrument.make_price(ask * 1.1 // 5 * 5), tp_post_only=False)
        entry, stop, target = bracket.orders
        self.strategy.submit_order_list(bracket)
        checks.that("the entry is filled", await self.reaches(entry, OrderStatus.FILLED), entry.status_string())
        checks.that("the stop rests", await self.reaches(stop, OrderStatus.ACCEPTED, OrderStatus.TRIGGERED), stop.status_string())
        checks.that("the target rests", await self.reaches(target, OrderStatus.ACCEPTED), target.status_string())
        checks.that("two are held", await self.until(lambda: self.net("MBT") == 2), self.net("MBT"))
        # The market is brought to the target by moving the target to the market.
        self.strategy.modify_order(target, price=instrument.make_price(float(self.touch("MBT").bid_price) * 0.999 // 5 * 5))
        checks.that("the target is filled", await self.reaches(target, OrderStatus.FILLED), target.status_string())
        checks.that("which cancels the stop", await self.reaches(stop, OrderStatus.CANCELED), stop.status_string())
        checks.that("nothing is held", await self.until(lambda: self.net("MBT") == 0), self.net("MBT"))

    async def a_trailing_stop_rests(self) -> None:
        checks = self.checks
        entry = self.order("market", "MBT", OrderSide.BUY, 1)
        self.strategy.submit_order(entry)
        checks.that("something to protect", await self.reaches(entry, OrderStatus.FILLED), entry.status_string())
        trail = self.order(
            "trailing_stop_market", "MBT", OrderSide.SELL, 1, trailing_offset=Decimal("2000"), trailing_offset_type=TrailingOffsetType.PRICE,
            trigger_price=float(self.touch("MBT").bid_price) - 2000, trigger_type=TriggerType.DEFAULT, time_in_force=TimeInForce.GTC)
        self.strategy.submit_order(trail)
        checks.that("it rests", await self.reaches(trail, OrderStatus.ACCEPTED), trail.status_string())
        self.strategy.cancel_order(trail)
        checks.that("and is cancelled", await self.reaches(trail, OrderStatus.CANCELED), trail.status_string())
        out = self.order("market", "MBT", OrderSide.SELL, 1)
        self.strategy.submit_order(out)
        checks.that("flat again", await self.reaches(out, OrderStatus.FILLED), out.status_string())

    async def a_bad_order_is_refused(self) -> None:
        order = self.order("limit", "AAPL", OrderSide.BUY, 9_000_000, price=float(self.touch("AAPL").bid_price))
        self.strategy.submit_order(order)
        self.checks.that("it is refused", await self.reaches(order, OrderStatus.REJECTED, OrderStatus.DENIED, OrderStatus.CANCELED), order.status_string())

    async def all_orders_are_cancelled(self) -> None:
        bid = float(self.touch("AAPL").bid_price)
        orders = [self.order("limit", "AAPL", OrderSide.BUY, 1, price=round(bid * part, 2), time_in_force=TimeInForce.GTC) for part in (0.8, 0.85, 0.9)]
        for order in orders:
            self.strategy.submit_order(order)
        for order in orders:
            self.checks.that("rests", await self.reaches(order, OrderStatus.ACCEPTED), order.status_string())
        self.strategy.cancel_all_orders(self.instrument("AAPL").id)
        for order in orders:
            self.checks.that("is cancelled", await self.reaches(order, OrderStatus.CANCELED), order.status_string())

    async def the_gateway_dies_and_orders_are_there_again(self) -> None:
        checks, bid = self.checks, float(self.touch("AAPL").bid_price)
        order = self.order("limit", "AAPL", OrderSide.BUY, 3, price=round(bid * 0.8, 2), time_in_force=TimeInForce.GTC)
        self.strategy.submit_order(order)
        checks.that("an order rests", await self.reaches(order, OrderStatus.ACCEPTED), order.status_string())
        self.gateway.kill()
        connections = [client._is_ib_connected for client in IB_CLIENTS.values()]  # noqa: SLF001 - it tells nobody that it has noticed
        checks.that("it notices the death", await self.until(lambda: connections and not any(one.is_set() for one in connections)))
        before = len(self.strategy.quotes)
        self.gateway.start()
        checks.that("quotes flow again", await self.until(lambda: len(self.strategy.quotes) > before + 5, 60), len(self.strategy.quotes) - before)
        checks.that("the order is still open", order.status == OrderStatus.ACCEPTED, order.status_string())
        self.strategy.cancel_order(order)
        checks.that("and can be cancelled", await self.reaches(order, OrderStatus.CANCELED), order.status_string())
        buy = self.order("market", "AAPL", OrderSide.BUY, 1)
        self.strategy.submit_order(buy)
        checks.that("and traded on", await self.reaches(buy, OrderStatus.FILLED), buy.status_string())

    async def run(self) -> None:
        working = asyncio.ensure_future(self.node.run_async())
        try:
            for step in (
                self.the_node_comes_up, self.prices_come, self.bars_come, self.market_orders_fill, self.twenty_five_contracts_fill_in_parts,
                self.a_limit_order_is_changed_and_cancelled, self.a_bracket_protects, self.a_trailing_stop_rests, self.a_bad_order_is_refused,
                self.all_orders_are_cancelled, self.the_gateway_dies_and_orders_are_there_again,
            ):
                if not await self.checks.astep(step):
                    break
        finally:
            await self.node.stop_async()
            await asyncio.wait([working], timeout=10)


def main() -> None:
    checks = Checks("nautilus_trader")
    with Gateway("--seed", "7", "--speed", speed(5), data=True) as gateway:
        walk = Walk(checks, gateway)
        walk.node.get_event_loop().run_until_complete(walk.run())
        walk.node.dispose()
    checks.finish()


if __name__ == "__main__":
    main()
