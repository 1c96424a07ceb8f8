// How rows from the stream come into the data: put replaces by key, drop removes, and every collection has a bound.
import type { Bar, Candle, Drop, Put } from "../wire/types";
import type { Data, Rows } from "./model";

/** The most rows kept of what only grows; the oldest go first. Older ones are read from the cloud when asked for. */
const ENTRIES_MAX = 500;
const FILLS_MAX = 1000;
const ORDERS_MAX = 1000;
const COMMANDS_MAX = 100;
/** Two days of minutes and some. */
export const CANDLES_MAX = 3000;

function merged<T>(old: Rows<T>, rows: readonly T[] | undefined, key: (row: T) => string, max = Infinity): Rows<T> {
  if (rows === undefined || rows.length === 0) return old;
  const next = new Map(old);
  for (const row of rows) next.set(key(row), row);
  return next.size > max ? new Map([...next].slice(next.size - max)) : next;
}

function without<T>(old: Rows<T>, keys: readonly string[] | undefined): Rows<T> {
  if (keys === undefined || !keys.some((key) => old.has(key))) return old;
  const next = new Map(old);
  for (const key of keys) next.delete(key);
  return next;
}

const byId = (row: { readonly id: string }): string => row.id;
/** Two edges may watch one instrument, and each has its own word on it. */
export const watchKey = (edge: string | undefined, instrument: string): string => `${edge ?? ""}/${instrument}`;
const byWatch = (row: { readonly edge: string; readonly instrument: string }): string => watchKey(row.edge, row.instrument);
/** Padded, so that the text order of the keys is the order of the entries. */
export const entryKey = (row: { readonly edge: string; readonly seq: number }): string => `${row.edge}:${String(row.seq).padStart(16, "0")}`;

/** Takes rows in. Collections that only grow are kept in the order of their numbers, so that trimming drops the oldest. */
export function put(data: Data, rows: Put): Data {
  const inOrder = <T extends { readonly seq: number }>(list: readonly T[] | undefined): readonly T[] | undefined =>
    list === undefined ? undefined : [...list].sort((a, b) => a.seq - b.seq);
  return {
    instruments: merged(data.instruments, rows.instruments, byId),
    quotes: merged(data.quotes, rows.quotes, byWatch),
    bars: merged(data.bars, rows.bars, byWatch),
    gates: merged(data.gates, rows.gates, byWatch),
    accounts: merged(data.accounts, rows.accounts, byId),
    positions: merged(data.positions, rows.positions, byId),
    orders: merged(data.orders, inOrder(rows.orders), byId, ORDERS_MAX),
    fills: merged(data.fills, inOrder(rows.fills), byId, FILLS_MAX),
    commands: merged(data.commands, rows.commands, byId, COMMANDS_MAX),
    edges: merged(data.edges, rows.edges, byId),
    refusals: merged(data.refusals, rows.refusals, byId),
    bots: merged(data.bots, rows.bots, byId),
    notices: merged(data.notices, rows.notices, byId),
    entries: merged(data.entries, inOrder(rows.entries), entryKey, ENTRIES_MAX),
  };
}

export function drop(data: Data, keys: Drop): Data {
  return {
    ...data,
    positions: without(data.positions, keys.positions),
    orders: without(data.orders, keys.orders),
    notices: without(data.notices, keys.notices),
    bots: without(data.bots, keys.bots),
    refusals: without(data.refusals, keys.refusals),
    instruments: without(data.instruments, keys.instruments),
  };
}

/** Joins two runs of candles by time; where both have a minute, `newer` is right. */
export function joined(older: readonly Candle[], newer: readonly Candle[]): readonly Candle[] {
  if (newer.length === 0) return older;
  const last = older[older.length - 1];
  const first = newer[0];
  // The common case, many times a second: the newest bar again, or the next one.
  if (newer.length === 1 && first !== undefined) {
    if (last === undefined || first.time > last.time) return trimmed([...older, first]);
    if (first.time === last.time) return [...older.slice(0, -1), first];
  }
  const byTime = new Map(older.map((candle) => [candle.time, candle]));
  for (const candle of newer) byTime.set(candle.time, candle);
  return trimmed([...byTime.values()].sort((a, b) => (a.time < b.time ? -1 : 1)));
}

function trimmed(candles: readonly Candle[]): readonly Candle[] {
  return candles.length > CANDLES_MAX ? candles.slice(candles.length - CANDLES_MAX) : candles;
}

export function candleOf(bar: Bar): Candle {
  return { time: bar.time, open: bar.open, high: bar.high, low: bar.low, close: bar.close, volume: bar.volume };
}
