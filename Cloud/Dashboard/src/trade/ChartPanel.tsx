// The instrument's head (symbol, month, expiry, rule, last price with its age) and its chart.
import { useEffect, useMemo, useState } from "react";
import { CandleChart } from "../chart/CandleChart";
import { fixed, maybe, subtract } from "../numbers/decimal";
import { ago, date, month, price, share, span, tone } from "../numbers/format";
import { FRAMES, type Frame, framed } from "../state/frames";
import { front, positionOf, QUOTE_STALE_MS, quoteOf } from "../state/select";
import { store, useStore } from "../state/store";
import { Panel, useAge, useStalled } from "../ui/parts";
import { api } from "../wire/api";
import type { Candle, Instrument, Quote } from "../wire/types";

const NO_CANDLES: readonly Candle[] = [];

export function ChartPanel({ instrument }: { readonly instrument: Instrument }): JSX.Element | null {
  const [frame, setFrame] = useState<Frame>("1m");
  const snaps = useStore((state) => state.snaps);
  const candles = useStore((state) => state.candles.get(instrument.id)) ?? NO_CANDLES;
  const allFills = useStore((state) => state.data.fills);
  const allOrders = useStore((state) => state.data.orders);
  const position = useStore((state) => positionOf(state.data, instrument.id));
  const fills = useMemo(() => [...allFills.values()].filter((fill) => fill.instrument === instrument.id), [allFills, instrument.id]);
  const orders = useMemo(() => [...allOrders.values()].filter((order) => order.instrument === instrument.id && order.working), [allOrders, instrument.id]);
  const shown = useMemo(() => framed(candles, frame), [candles, frame]);

  // The history comes by request: at first, and again whenever the stream had to begin anew.
  useEffect(() => {
    let gone = false;
    api.candles(instrument.id).then((history) => { if (!gone) store.dispatch({ kind: "history", history }); }, () => undefined);
    return () => { gone = true; };
  }, [instrument.id, snaps]);

  return (
    <Panel className="chart-panel" label={`Chart of ${instrument.localSymbol}`}>
      <header className="chart-head">
        <h2>{instrument.symbol} <small>{instrument.name} · {instrument.localSymbol}{instrument.contractMonth === undefined ? "" : ` · ${month(instrument.contractMonth)}`}</small></h2>
        <LastPrice instrument={instrument} />
        <div className="segments" role="group" aria-label="Bar size">
          {FRAMES.map(([name]) => <button key={name} type="button" aria-pressed={name === frame} onClick={() => setFrame(name)}>{name}</button>)}
        </div>
      </header>
      <Contract instrument={instrument} />
      <CandleChart key={instrument.id} instrument={instrument} candles={shown} frame={frame} fills={fills} position={position} orders={orders} />
      <p className="caption">
        <span>Times in {Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
        <span>Charts by <a href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer">TradingView</a> Lightweight Charts™</span>
      </p>
    </Panel>
  );
}

function Contract({ instrument }: { readonly instrument: Instrument }): JSX.Element | null {
  const hasOther = useStore((state) => front(state.data)?.symbol === instrument.symbol && !instrument.front);
  if (instrument.expiry === undefined) return <p className="contract">{instrument.exchange} · {instrument.currency} · tick {instrument.tick}</p>;
  return (
    <p className="contract">
      {instrument.front ? <b>Front month</b> : hasOther ? <b>Back month</b> : <b>Future</b>}, last trade {date(instrument.expiry)}.{instrument.frontRule === undefined ? "" : ` ${instrument.frontRule}`}
      {" "}{instrument.exchange}, {instrument.multiplier} a contract, tick {instrument.tick}.{instrument.open === false ? " Closed now." : ""}
    </p>
  );
}

/** The price to show: the last trade, else the bid stands in; a middle would be a price that nobody named. */
function lastOf(quote: Quote | undefined): string | undefined {
  return quote?.last ?? quote?.bid;
}

function LastPrice({ instrument }: { readonly instrument: Instrument }): JSX.Element | null {
  const quote = useStore((state) => quoteOf(state.data, instrument.id));
  const age = useAge(quote?.asOf);
  const stalled = useStalled();
  const last = lastOf(quote);
  if (quote === undefined || last === undefined || age === undefined) return <p className="last"><b>–</b> <small>no quote yet</small></p>;
  const before = maybe(quote.previousClose);
  const change = before === undefined ? undefined : subtract(fixed(last) ?? before, before);
  const stale = stalled || age > QUOTE_STALE_MS;
  const source = quote.source === "delayed" ? "delayed" : quote.source === "none" ? "no market data" : stale ? `quote ${span(age)} old` : `live quote, ${ago(age)}`;
  return (
    <p className="last" data-stale={stale || quote.source !== "live"}>
      <b data-testid="last-price">{price(last, instrument.priceDecimals)}</b>
      <span className="gain" data-tone={tone(change === undefined ? undefined : String(change))}>{share(change, before, true)}</span>
      <small>{source}</small>
    </p>
  );
}
