// From what is known to what is drawn: bars, volume columns, fill markers and lines. Pure; the floats made here are pixels, not money.
import { add, type Fixed, fixed, toPixelNumber, toWire, ZERO } from "../numbers/decimal";
import type { Candle, Fill, Order, Position } from "../wire/types";

export interface Colours {
  readonly up: string; readonly down: string; readonly upSoft: string; readonly downSoft: string;
  readonly accent: string; readonly warning: string; readonly text: string; readonly grid: string; readonly panel: string; readonly raised: string;
}

export function seconds(time: string): number { return Math.floor(Date.parse(time) / 1000); }

export function barOf(candle: Candle): LightweightCharts.Bar {
  return {
    time: seconds(candle.time), open: toPixelNumber(candle.open), high: toPixelNumber(candle.high), low: toPixelNumber(candle.low), close: toPixelNumber(candle.close),
  };
}

export function columnOf(candle: Candle, colours: Colours): LightweightCharts.Column {
  const rose = toPixelNumber(candle.close) >= toPixelNumber(candle.open);
  return { time: seconds(candle.time), value: toPixelNumber(candle.volume), color: rose ? colours.upSoft : colours.downSoft };
}

/** How the drawn series differ from the new ones: nothing, only the tail from an index on, or everything. */
export function changeOf(drawn: readonly Candle[], next: readonly Candle[]): "none" | "all" | { readonly from: number } {
  if (drawn === next) return "none";
  const from = drawn.length - 1;
  if (from < 0 || next.length < drawn.length || next.length - drawn.length > 5) return "all";
  if (drawn[0]?.time !== next[0]?.time || drawn[from]?.time !== next[from]?.time) return "all";
  // A bar further back that changed (the history was loaded again) needs everything.
  for (let index = 0; index < from; index += 1) if (drawn[index] !== next[index] && !same(drawn[index], next[index])) return "all";
  return { from };
}

function same(a: Candle | undefined, b: Candle | undefined): boolean {
  return a?.time === b?.time && a?.open === b?.open && a?.high === b?.high && a?.low === b?.low && a?.close === b?.close && a?.volume === b?.volume;
}

/** One marker a side and bar, with the sum of the fills: `B3`, `S1`. Fills outside the bars shown are left out. */
export function markersOf(fills: readonly Fill[], candles: readonly Candle[], frameMinutes: number, colours: Colours): readonly LightweightCharts.Marker[] {
  const first = candles[0];
  const last = candles[candles.length - 1];
  if (first === undefined || last === undefined) return [];
  const length = frameMinutes * 60;
  const [from, to] = [seconds(first.time), seconds(last.time) + length];
  const sums = new Map<string, { readonly time: number; readonly buy: boolean; readonly sum: Fixed }>();
  for (const fill of fills) {
    const at = seconds(fill.time);
    if (at < from || at >= to || fill.correctedBy !== undefined) continue;
    const time = Math.floor(at / length) * length;
    const key = `${time}${fill.side}`;
    sums.set(key, { time, buy: fill.side === "BUY", sum: add(sums.get(key)?.sum ?? ZERO, fixed(fill.quantity) ?? ZERO) });
  }
  return [...sums.values()].sort((a, b) => a.time - b.time || Number(a.buy) - Number(b.buy)).map(({ time, buy, sum }) => ({
    time, position: buy ? "belowBar" : "aboveBar", shape: buy ? "arrowUp" : "arrowDown", color: buy ? colours.up : colours.down, text: `${buy ? "B" : "S"}${toWire(sum)}`,
  }));
}

/** The average price and every working order that has a price, each one line. */
export function linesOf(position: Position | undefined, orders: readonly Order[], colours: Colours): readonly LightweightCharts.LineOptions[] {
  const lines: LightweightCharts.LineOptions[] = [];
  const dotted = { lineWidth: 1, lineStyle: 1, axisLabelVisible: true };
  if (position?.averagePrice !== undefined && position.side !== "FLAT") {
    lines.push({ ...dotted, price: toPixelNumber(position.averagePrice), color: colours.accent, title: `${position.side} ${position.quantity}`, kind: "position" });
  }
  for (const order of orders) {
    const price = order.stopPrice ?? order.limitPrice;
    if (!order.working || price === undefined) continue;
    const word = order.type === "TRAILING_STOP" ? "TRAIL" : order.type === "LIMIT" ? "LIMIT" : "STOP";
    lines.push({ ...dotted, lineStyle: 2, price: toPixelNumber(price), color: colours.warning, title: `${word} ${order.quantity}`, kind: "order" });
  }
  return lines;
}

/** The most that lines may stretch the price axis, in heights of the bars themselves; lines further away are left out of view. */
const STRETCH_MAX = 2;

/** The axis that the bars ask for, made to hold the lines that are near. */
export function widened(own: LightweightCharts.Scale | null, prices: readonly number[]): LightweightCharts.Scale | null {
  if (own === null) return null;
  const { minValue, maxValue } = own.priceRange;
  const reach = (maxValue - minValue) * (STRETCH_MAX - 1);
  const near = prices.filter((price) => price >= minValue - reach && price <= maxValue + reach);
  return { ...own, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
}

export interface Beyond { readonly line: LightweightCharts.LineOptions; readonly above: boolean }

/** The lines that fall outside the pane, so that they can be named at its edge; `yOf` gives pixels from the top, null when not yet known. */
export function beyond(lines: readonly LightweightCharts.LineOptions[], height: number, yOf: (price: number) => number | null): readonly Beyond[] {
  return lines.flatMap((line) => {
    const y = yOf(line.price);
    return y === null || (y >= 0 && y <= height) ? [] : [{ line, above: y < 0 }];
  });
}
