// The chart: a thin layer over the library, which is loaded apart and may fail without taking the ticket or the tables with it.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { fixed, subtract, toWire } from "../numbers/decimal";
import { dayOf, minuteOf, price, quantity, share, tone } from "../numbers/format";
import { type Frame, minutes } from "../state/frames";
import { useTheme } from "../ui/theme";
import type { Candle, Fill, Instrument, Order, Position } from "../wire/types";
import { barOf, beyond, type Beyond, changeOf, type Colours, columnOf, linesOf, markersOf, seconds, widened } from "./plot";

interface Props {
  readonly instrument: Instrument;
  readonly candles: readonly Candle[];
  readonly frame: Frame;
  readonly fills: readonly Fill[];
  readonly position: Position | undefined;
  readonly orders: readonly Order[];
}

interface Drawing {
  readonly chart: LightweightCharts.Chart;
  readonly bars: LightweightCharts.Series<LightweightCharts.Bar>;
  readonly volume: LightweightCharts.Series<LightweightCharts.Column>;
  readonly markers: LightweightCharts.Markers;
  lines: readonly LightweightCharts.PriceLine[];
  options: readonly LightweightCharts.LineOptions[];
  outside: readonly Beyond[];
  drawn: readonly Candle[];
}

/** Bars in view when a series is first drawn: as many as can still be told apart. */
const BAR_PIXELS = 8, BARS_MIN = 40, BARS_MAX = 130;
/** Bars left free on the right, so that the names of lines do not cover the newest. */
const BARS_FREE = 9;

let loading: Promise<LightweightCharts.Library> | undefined;

function library(): Promise<LightweightCharts.Library> {
  loading ??= import("lightweight-charts").then(() => {
    const loaded = window.LightweightCharts;
    if (loaded === undefined) throw new Error("the chart library did not start");
    return loaded;
  });
  return loading;
}

/** The theme's colours, resolved by the browser itself, as the canvas knows no custom properties. */
function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement("i");
  element.append(probe);
  const resolve = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours: Colours = {
    up: resolve("--up"), down: resolve("--down"), upSoft: resolve("--up-soft"), downSoft: resolve("--down-soft"), accent: resolve("--accent"),
    warning: resolve("--warning"), text: resolve("--text-2"), grid: resolve("--grid"), panel: resolve("--panel"), raised: resolve("--raised"),
  };
  probe.remove();
  return colours;
}

/** The most frames for which a moving scale is followed: two seconds. Bars that come later ask again. */
const FRAMES_LOOKED_AT = 120;

/** The library's tick kinds up to this one are days and longer. */
const TICK_DAY = 2;

function optionsOf(colours: Colours, places: number): object {
  return {
    layout: { background: { type: "solid", color: "transparent" }, textColor: colours.text, attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 },
    grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
    rightPriceScale: { borderColor: colours.grid, scaleMargins: { top: 0.08, bottom: 0.22 } },
    timeScale: {
      borderColor: colours.grid, timeVisible: true, secondsVisible: false, rightOffset: BARS_FREE, minBarSpacing: 2,
      tickMarkFormatter: (time: number, kind: number) => (kind <= TICK_DAY ? dayOf : minuteOf)(new Date(time * 1000)),
    },
    crosshair: { mode: 0, vertLine: { labelBackgroundColor: colours.raised }, horzLine: { labelBackgroundColor: colours.raised } },
    localization: {
      priceFormatter: (value: number) => price(value.toFixed(places), places),
      timeFormatter: (time: number) => `${dayOf(new Date(time * 1000))}, ${minuteOf(new Date(time * 1000))}`,
    },
    handleScale: { axisPressedMouseMove: true },
  };
}

/** The lines that fall outside the pane; `look` asks to find out anew. */
function useOutside(drawing: { readonly current: Drawing | undefined }): { readonly outside: readonly Beyond[]; readonly look: () => void } {
  const [outside, setOutside] = useState<readonly Beyond[]>([]);
  const looking = useRef(false);
  const left = useRef(0);
  // The library moves its scale in a later frame, and not at once when the machine is busy: where the lines fall is looked at until it stands still.
  const look = useCallback((): void => {
    left.current = FRAMES_LOOKED_AT;
    if (looking.current) return;
    looking.current = true;
    let before = "";
    const frame = (): void => {
      const now = drawing.current;
      if (now === undefined) { looking.current = false; return; }
      const height = now.chart.paneSize().height;
      const places = now.options.map(({ price: each }) => now.bars.priceToCoordinate(each));
      const seen = [height, ...places.map((each) => (each === null ? "?" : Math.round(each)))].join();
      left.current -= 1;
      if (left.current > 0 && (seen !== before || places.includes(null))) {
        before = seen;
        requestAnimationFrame(frame);
        return;
      }
      looking.current = false;
      const next = beyond(now.options, height, (each) => now.bars.priceToCoordinate(each));
      if (sameBeyond(now.outside, next)) return;
      now.outside = next;
      // The library pushes the names of several such lines into view, over the ones that we write.
      now.lines.forEach((line, index) => {
        const options = now.options[index];
        const isOut = next.some((each) => each.line === options);
        if (options !== undefined) line.applyOptions({ axisLabelVisible: !isOut, title: isOut ? "" : options.title });
      });
      setOutside(next);
    };
    requestAnimationFrame(frame);
  }, []);
  return { outside, look };
}

export function CandleChart({ instrument, candles, frame, fills, position, orders }: Props): JSX.Element | null {
  const holder = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing>();
  const [ready, setReady] = useState(0);
  const [failed, setFailed] = useState(false);
  const [pointed, setPointed] = useState<number>();
  const { shown: theme } = useTheme();
  const { outside, look } = useOutside(drawing);

  useEffect(() => {
    let gone = false;
    library().then(({ createChart, createSeriesMarkers, CandlestickSeries, HistogramSeries }) => {
      const element = holder.current;
      if (gone || element === null) return;
      const chart = createChart(element, { autoSize: true, layout: { attributionLogo: false } }); // The logo would bring an inline style, which the CSP forbids.
      const bars = chart.addSeries(CandlestickSeries, {});
      const volume = chart.addSeries(HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
      volume.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
      chart.subscribeCrosshairMove((event) => { setPointed(event.time); look(); });
      chart.timeScale().subscribeVisibleLogicalRangeChange(look);
      chart.timeScale().subscribeSizeChange(look);
      drawing.current = { chart, bars, volume, markers: createSeriesMarkers(bars, []), lines: [], options: [], outside: [], drawn: [] };
      setReady((n) => n + 1);
    }).catch(() => { if (!gone) setFailed(true); });
    return () => {
      gone = true;
      drawing.current?.chart.remove();
      drawing.current = undefined;
    };
  }, []);

  const colours = useMemo(() => (ready === 0 || holder.current === null ? undefined : coloursOf(holder.current)), [ready, theme]);

  useEffect(() => {
    const now = drawing.current;
    if (now === undefined || colours === undefined) return;
    now.chart.applyOptions(optionsOf(colours, instrument.priceDecimals));
    now.bars.applyOptions({
      upColor: colours.up, downColor: colours.down, wickUpColor: colours.up, wickDownColor: colours.down, borderVisible: false,
      priceFormat: { type: "price", precision: instrument.priceDecimals, minMove: Number(instrument.tick) },
    });
    now.drawn = [];
  }, [colours, frame, instrument.id, instrument.priceDecimals, instrument.tick]);

  useEffect(() => {
    if (drawing.current !== undefined && colours !== undefined) draw(drawing.current, candles, colours);
    look();
  }, [candles, colours, frame, look]);

  useEffect(() => {
    if (colours !== undefined) drawing.current?.markers.setMarkers(markersOf(fills, candles, minutes(frame), colours));
  }, [fills, candles.length, candles[0]?.time, frame, colours]);

  useEffect(() => {
    const now = drawing.current;
    if (now === undefined || colours === undefined) return;
    for (const line of now.lines) now.bars.removePriceLine(line);
    const lines = linesOf(position, orders, colours);
    now.lines = lines.map((line) => now.bars.createPriceLine(line));
    now.options = lines;
    now.bars.applyOptions({ autoscaleInfoProvider: (own: () => LightweightCharts.Scale | null) => widened(own(), lines.map((line) => line.price)) });
    look();
  }, [position?.averagePrice, position?.quantity, position?.side, orders, colours, look]);

  const legend = pointed === undefined ? candles[candles.length - 1] : candles.find((candle) => seconds(candle.time) === pointed);
  return (
    <div className="chart">
      <Legend candle={legend ?? candles[candles.length - 1]} places={instrument.priceDecimals} />
      <OutOfView lines={outside} places={instrument.priceDecimals} />
      <div ref={holder} className="chart-canvas" role="img" aria-label={`Candles of ${instrument.localSymbol}, ${frame}`} />
      {failed ? <p className="empty">The chart could not be loaded; ticket and tables work without it. Reload the page to try again.</p> : null}
      {!failed && candles.length === 0 ? <p className="empty chart-empty">No bars yet: they come from the gateway&apos;s history when the edge is connected.</p> : null}
    </div>
  );
}

function draw(now: Drawing, candles: readonly Candle[], colours: Colours): void {
  const change = changeOf(now.drawn, candles);
  if (change === "none") return;
  if (change === "all") {
    // A few live bars may come before the history; the view is set when there is enough to look at.
    const shown = Math.max(BARS_MIN, Math.min(BARS_MAX, Math.round(now.chart.timeScale().width() / BAR_PIXELS)));
    const first = now.drawn.length === 0 || (now.drawn.length < shown && candles.length >= shown);
    now.bars.setData(candles.map(barOf));
    now.volume.setData(candles.map((candle) => columnOf(candle, colours)));
    if (first && candles.length > 0) now.chart.timeScale().setVisibleLogicalRange({ from: candles.length - shown, to: candles.length + BARS_FREE });
  } else {
    for (const candle of candles.slice(change.from)) {
      now.bars.update(barOf(candle));
      now.volume.update(columnOf(candle, colours));
    }
  }
  now.drawn = candles;
}

function Legend({ candle, places }: { readonly candle: Candle | undefined; readonly places: number }): JSX.Element | null {
  if (candle === undefined) return <p className="legend" />;
  const [open, close] = [fixed(candle.open), fixed(candle.close)];
  const change = open === undefined || close === undefined ? undefined : subtract(close, open);
  return (
    <p className="legend">
      {(["open", "high", "low", "close"] as const).map((name) => <span key={name}><b>{name.charAt(0).toUpperCase()}</b> {price(candle[name], places)}</span>)}
      <span className="gain" data-tone={tone(change === undefined ? undefined : toWire(change))}>{share(change, open, true)}</span>
      <span className="volume"><b>V</b> {quantity(candle.volume)}</span>
    </p>
  );
}

function sameBeyond(a: readonly Beyond[], b: readonly Beyond[]): boolean {
  return a.length === b.length && a.every((each, index) => each.above === b[index]?.above && each.line === b[index]?.line);
}

/** Names each line that lies above or below the pane, at the edge behind which it lies. */
function OutOfView({ lines, places }: { readonly lines: readonly Beyond[]; readonly places: number }): JSX.Element | null {
  return (
    <>
      {(["above", "below"] as const).map((where) => (
        <ul key={where} className="beyond" data-where={where}>
          {lines.filter(({ above }) => above === (where === "above")).map(({ line }) => (
            <li key={line.title + line.price} data-line={line.kind}>{where === "above" ? "\u2191" : "\u2193"} {line.title} <b>{price(line.price.toFixed(places), places)}</b></li>
          ))}
        </ul>
      ))}
    </>
  );
}
