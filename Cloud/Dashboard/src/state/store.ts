// The one store: events come in at any pace, what is shown changes at most once a frame.
import { useCallback, useSyncExternalStore } from "react";
import { START, type State } from "./model";
import { type Event, reduce } from "./reduce";

/** A hidden tab has no frames; it is brought up to date this often instead. */
const HIDDEN_MS = 250;

export class Store {
  /** Up to the last event: what the stream resumes from. */
  latest: State = START;
  /** What is on the screen. */
  shown: State = START;
  private readonly listeners = new Set<() => void>();
  private waiting = false;

  constructor(private readonly schedule: (paint: () => void) => void) {}

  dispatch(event: Event): void {
    this.latest = reduce(this.latest, event);
    if (this.waiting || this.latest === this.shown) return;
    this.waiting = true;
    this.schedule(() => {
      this.waiting = false;
      this.shown = this.latest;
      for (const listener of this.listeners) listener();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export const store = new Store((paint) => {
  if (document.hidden) setTimeout(paint, HIDDEN_MS);
  else requestAnimationFrame(paint);
});

/** A part of the state; `select` must give the same value for the same state. */
export function useStore<T>(select: (state: State) => T): T {
  return useSyncExternalStore(store.subscribe, () => select(store.shown));
}

// A second clock, apart from the state, so that ages grow without a new state every second.
const tickers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribeClock(listener: () => void): () => void {
  tickers.add(listener);
  if (timer === undefined) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of tickers) each();
    }, 1000);
  }
  return () => {
    tickers.delete(listener);
    if (tickers.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Our clock in ms, new every second. */
export function useNow(): number {
  return useSyncExternalStore(subscribeClock, useCallback(() => now, []));
}
