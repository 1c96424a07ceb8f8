// Small makers of rows and messages for the tests, taken from the golden samples where a whole row is wanted.
import { START, type State } from "../src/state/model";
import { type Event, reduce } from "../src/state/reduce";
import { read } from "../src/wire/schema";
import * as types from "../src/wire/types";
import { sample } from "./samples";

export const MBT = "MBTZ6.CME";
/** The golden snap's own time. */
export const NOW = Date.parse("2026-12-01T14:30:05.250Z");

export function at(offsetMs = 0): string { return new Date(NOW + offsetMs).toISOString(); }

export function snap(): types.Snap { return read(types.snap, sample("stream-snap")); }

/** The state after these events. */
export function after(events: readonly Event[], from: State = START): State { return events.reduce(reduce, from); }

export function message(value: types.StreamMessage, receivedAt = NOW): Event { return { kind: "message", message: value, receivedAt }; }

/** Signed in, with the golden snap taken in. */
export function live(): State {
  return after([{ kind: "session", session: read(types.session, sample("session")) }, message(snap())]);
}

export function delta(state: State, put: types.Put, drop?: types.Drop): types.Delta {
  return { type: "delta", seq: state.seq + 1, at: at(), put, ...(drop === undefined ? {} : { drop }) };
}

/** The state with its first edge changed. */
export function withEdge(state: State, change: Partial<types.Edge>): State {
  const edge = [...state.data.edges.values()][0];
  if (edge === undefined) throw new Error("the golden snap has an edge");
  return after([message(delta(state, { edges: [{ ...edge, ...change }] }))], state);
}

export function candle(minute: number, close: string, volume = "1"): types.Candle {
  const time = new Date(Date.parse("2026-12-01T14:00:00.000Z") + minute * 60_000).toISOString();
  return { time, open: close, high: close, low: close, close, volume };
}

/** The first of a map's rows. */
export function first<T>(rows: ReadonlyMap<string, T>): T {
  const row = [...rows.values()][0];
  if (row === undefined) throw new Error("no row");
  return row;
}
