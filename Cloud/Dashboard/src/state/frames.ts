// Longer bars from one-minute bars, for the chart's bar sizes.
import { add, type Fixed, fixed, toWire, ZERO } from "../numbers/decimal";
import type { Candle } from "../wire/types";

/** Minutes a bar. */
export const FRAMES = [["1m", 1], ["5m", 5], ["15m", 15], ["1h", 60]] as const;
export type Frame = (typeof FRAMES)[number][0];

export function minutes(frame: Frame): number {
  return FRAMES.find(([name]) => name === frame)?.[1] ?? 1;
}

function larger(a: string, b: string): string { return value(a) >= value(b) ? a : b; }
function smaller(a: string, b: string): string { return value(a) <= value(b) ? a : b; }
function value(text: string): Fixed { return fixed(text) ?? ZERO; }

/** Bars of `frame`, aligned to the hour, from one-minute bars that are oldest first. A frame without a minute makes no bar. */
export function framed(candles: readonly Candle[], frame: Frame): readonly Candle[] {
  const length = minutes(frame) * 60_000;
  if (length === 60_000) return candles;
  const result: Candle[] = [];
  let current: Candle | undefined;
  let volume = ZERO;
  for (const candle of candles) {
    const time = new Date(Math.floor(Date.parse(candle.time) / length) * length).toISOString();
    if (current !== undefined && current.time === time) {
      volume = add(volume, value(candle.volume));
      current = {
        time, open: current.open, high: larger(current.high, candle.high), low: smaller(current.low, candle.low), close: candle.close, volume: toWire(volume),
      };
    } else {
      if (current !== undefined) result.push(current);
      volume = value(candle.volume);
      current = { ...candle, time };
    }
  }
  if (current !== undefined) result.push(current);
  return result;
}
