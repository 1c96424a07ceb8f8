// Every way in which what the page knows can change: a pure function of the old state and one event.
import type { Candles, Command, Problem, Session, StreamMessage } from "../wire/types";
import { type Data, NO_DATA, type Request, type Rows, START, type State } from "./model";
import { candleOf, drop, joined, put } from "./rows";
import { mainEdge } from "./select";

export type Event =
  | { readonly kind: "message"; readonly message: StreamMessage; readonly receivedAt: number }
  | { readonly kind: "link"; readonly state: "opening" | "lost"; readonly at: number }
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "signedOut"; readonly why?: string }
  | { readonly kind: "history"; readonly history: Candles }
  | { readonly kind: "sending"; readonly id: string; readonly title: string; readonly at: number }
  | { readonly kind: "taken"; readonly id: string }
  | { readonly kind: "notTaken"; readonly id: string; readonly problem?: Problem }
  | { readonly kind: "dismiss"; readonly id: string };

/** Readings of the clock difference that count; at one beat every 2 s this is half a minute. */
const SKEWS_MAX = 15;

/** What to do with a numbered message: take it, skip it (seen before), or begin anew because something is missing. */
export function admit(seq: number, message: StreamMessage): "take" | "skip" | "gap" {
  switch (message.type) {
    case "snap": return "take";
    case "resumed": return message.from === seq ? "take" : "gap";
    case "beat": return message.seq > seq ? "gap" : "take";
    case "delta": return message.seq <= seq ? "skip" : message.seq === seq + 1 ? "take" : "gap";
  }
}

export function reduce(state: State, event: Event): State {
  switch (event.kind) {
    case "message": return received(state, event.message, event.receivedAt);
    case "link": return linked(state, event.state, event.at);
    case "session": return event.session.signedIn ? { ...state, session: event.session, farewell: undefined } : { ...START, session: event.session };
    case "signedOut":
      return { ...START, farewell: event.why, session: { signedIn: false, serverTime: state.session?.serverTime ?? "", version: state.session?.version ?? "" } };
    case "history": return withHistory(state, event.history);
    case "sending": return withRequest(state, { id: event.id, title: event.title, sentAt: event.at, state: "sending" });
    case "taken": return changed(state, event.id, (request) => ({ ...request, state: "taken" }));
    case "notTaken": return changed(state, event.id, (request) => notTaken(request, event.problem));
    case "dismiss": return { ...state, dismissed: new Set([...state.dismissed, event.id]) };
  }
}

function received(state: State, message: StreamMessage, receivedAt: number): State {
  if (admit(state.seq, message) !== "take") return state;
  const link: State["link"] = state.link.state === "open" ? state.link : { state: "open", since: receivedAt };
  const skews = [...state.skews, Date.parse(message.at) - receivedAt].slice(-SKEWS_MAX);
  const base = { ...state, link, skews };
  switch (message.type) {
    case "beat":
    case "resumed": return base;
    case "snap": {
      const data = put(NO_DATA, message.put);
      // The candles stay on the screen until the history is loaded again and corrects them.
      return { ...base, seq: message.seq, snaps: state.snaps + 1, data, candles: withBars(state.candles, data) };
    }
    case "delta": {
      const grown = message.put === undefined ? state.data : put(state.data, message.put);
      const data = message.drop === undefined ? grown : drop(grown, message.drop);
      const candles = data.bars === state.data.bars ? state.candles : withBars(state.candles, data);
      return { ...base, seq: message.seq, data, candles };
    }
  }
}

function withBars(candles: State["candles"], data: Data): State["candles"] {
  const next = new Map(candles);
  const edge = mainEdge(data)?.id;
  for (const bar of data.bars.values()) {
    // One chart, one edge: the minute that grows is not the same at two that watch it.
    if (bar.edge === edge) next.set(bar.instrument, joined(next.get(bar.instrument) ?? [], [candleOf(bar)]));
  }
  return next;
}

/** History is right about every minute before its last; about the last and later ones the stream is, whose bars are newer. */
function withHistory(state: State, history: Candles): State {
  const last = history.candles[history.candles.length - 1];
  if (last === undefined) return state;
  const live = state.candles.get(history.instrument) ?? [];
  const newer = live.filter((candle) => candle.time >= last.time);
  return { ...state, candles: new Map(state.candles).set(history.instrument, joined(joined(live, history.candles), newer)) };
}

/** A second loss does not restart the clock of the first; the very first try is not a loss. */
function linked(state: State, to: "opening" | "lost", at: number): State {
  if (to === "opening") return state.link.state === "idle" ? { ...state, link: { state: "opening", since: at } } : state;
  return state.link.state === "lost" ? state : { ...state, link: { state: "lost", since: at } };
}

function withRequest(state: State, request: Request): State {
  return { ...state, requests: new Map(state.requests).set(request.id, request) };
}

function changed(state: State, id: string, change: (request: Request) => Request): State {
  const request = state.requests.get(id);
  return request === undefined ? state : withRequest(state, change(request));
}

function notTaken(request: Request, problem: Problem | undefined): Request {
  return problem === undefined ? { ...request, state: "unanswered" } : { ...request, state: "refused", problem };
}

/** One line of the toast list: a command as the cloud tells it, or a request that the cloud has not told about. */
export interface Walk {
  readonly id: string;
  readonly title: string;
  readonly command?: Command;
  readonly request?: Request;
}

/** What this page asked for, newest first, each with the command it became; put-away ones left out. */
export function walks(requests: Rows<Request>, commands: Rows<Command>, dismissed: ReadonlySet<string>): readonly Walk[] {
  return [...requests.values()].reverse().filter((request) => !dismissed.has(request.id)).map((request) => {
    const command = commands.get(request.id);
    return command === undefined ? { id: request.id, title: request.title, request } : { id: request.id, title: command.title, command, request };
  });
}
