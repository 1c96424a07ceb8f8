// What follows from the state: which edge and account are shown, what is stale, and whether an order may be asked for.
import { add, maybe, toWire, ZERO } from "../numbers/decimal";
import type { Account, Edge, Gate, Instrument, Position, Quote } from "../wire/types";
import type { Data, State } from "./model";
import { watchKey } from "./rows";

/** The cloud calls an edge silent after 6 s; should it fail to say so, the page does. */
const EDGE_SILENT_MS = 10_000;
/** A quote older than this is shown as old. */
export const QUOTE_STALE_MS = 5_000;
/** Account and position figures come about every three minutes from a quiet broker; older than this is odd. */
export const ACCOUNT_STALE_MS = 200_000;

/** Server's clock minus ours. Each reading is short by the time the message took, so the largest is the best. */
export function skew(skews: readonly number[]): number {
  return skews.length === 0 ? 0 : Math.max(...skews);
}

/** How old a datum is, by the server's clock; the edge's own clock error, when known, is taken out. Never negative. */
export function ageMs(asOf: string, serverNow: number, edge?: Edge): number {
  return Math.max(0, serverNow - (Date.parse(asOf) - (edge?.clockSkewMs ?? 0)));
}

/** The instrument that the ticket opens with. While the edge has not named it there is none: the ticket must never turn to another by itself. */
export function front(data: Data): Instrument | undefined {
  return [...data.instruments.values()].find((instrument) => instrument.front);
}

export function mainAccount(data: Data): Account | undefined {
  return [...data.accounts.values()][0];
}

/** The edge that holds the account shown, else the first. */
export function mainEdge(data: Data): Edge | undefined {
  const account = mainAccount(data);
  return (account === undefined ? undefined : data.edges.get(account.edge)) ?? [...data.edges.values()][0];
}

/** The gate that an order asked for here meets: that of the edge it goes to, whoever else watches the instrument. */
export function gateOf(data: Data, instrument: string, edge = mainEdge(data)?.id): Gate | undefined {
  return data.gates.get(watchKey(edge, instrument));
}

/** The quote of the edge shown. */
export function quoteOf(data: Data, instrument: string): Quote | undefined {
  return data.quotes.get(watchKey(mainEdge(data)?.id, instrument));
}

/** The sum of what an account's positions stand at, in its currency; undefined when one of them cannot be told. */
export function unrealisedOf(data: Data, account: Account): string | undefined {
  let sum = ZERO;
  for (const position of data.positions.values()) {
    if (position.account !== account.id || position.side === "FLAT") continue;
    const value = position.currency === account.currency ? maybe(position.unrealizedPnL) : undefined;
    if (value === undefined) return undefined;
    sum = add(sum, value);
  }
  return toWire(sum);
}

export function positionOf(data: Data, instrument: string): Position | undefined {
  return [...data.positions.values()].find((position) => position.instrument === instrument && position.side !== "FLAT");
}

/** Since when the edge has been silent, by the cloud's word or by its age; undefined while it is heard. */
export function silentSince(edge: Edge, serverNow: number): number | undefined {
  if (edge.state === "silent") return Date.parse(edge.silentSince ?? edge.lastHeard ?? edge.asOf);
  if (edge.state === "live" && edge.lastHeard !== undefined) {
    const heard = Date.parse(edge.lastHeard);
    return serverNow - heard > EDGE_SILENT_MS ? heard : undefined;
  }
  return undefined;
}

/** Whether figures still flow from the broker to this page: cloud, edge and gateway all answer. What does not flow is shown as old. */
export function isFlowing(state: State, serverNow: number): boolean {
  const edge = mainEdge(state.data);
  return state.link.state === "open" && edge?.state === "live" && silentSince(edge, serverNow) === undefined && edge.gateway.state === "connected";
}

/** Whether a kind of order may be asked for, and if not, why and what to do. */
export interface Permission { readonly allowed: boolean; readonly reason?: string; readonly cure?: string }

const YES: Permission = { allowed: true };

/** Opening orders: one check a line, the first that fails speaks. */
export function mayOpen(state: State, instrument: string, serverNow: number): Permission {
  const { data } = state;
  const edge = mainEdge(data);
  const gate = gateOf(data, instrument);
  const quote = quoteOf(data, instrument);
  if (state.link.state !== "open") return no("No link to the cloud node.", "Orders are off until it answers again.");
  if (state.session?.user?.role === "viewer") return no("A viewer may look, not trade.", "Sign in as a trader.");
  if (edge === undefined) return no("No edge has reported yet.", "The Edges page says how to enrol one.");
  if (edge.state === "never") return no(`${edge.name} has not reported since the cloud node started.`, "New entries are off until it does.");
  if (silentSince(edge, serverNow) !== undefined) return no("New entries are off while the edge is silent.", "Close and Kill are queued, and expire.");
  if (edge.halt.level !== "NONE") return no(`${edge.halt.level}: new entries are off.`, "Lower it at the edge's console: tidewire-edge resume.");
  if (edge.gateway.state !== "connected") return no(edge.gateway.words, edge.gateway.cure);
  if (quote !== undefined && quote.source === "delayed") return no("The market data is delayed; no order is placed on it.", gate?.cure);
  if (gate !== undefined && !gate.opening) return no(gate.reason ?? "The cloud does not take new entries now.", gate.cure);
  return gate === undefined ? no("Waiting for the edge to say that this may be traded.", undefined) : YES;
}

/** Closing stays possible while the edge is silent: the command waits and expires. */
export function mayClose(state: State, instrument: string, edge?: string): Permission {
  const gate = gateOf(state.data, instrument, edge);
  if (state.link.state !== "open") return no("No link to the cloud node.", "At the edge: tidewire-edge close.");
  if (state.session?.user?.role === "viewer") return no("A viewer may look, not trade.", "Sign in as a trader.");
  if (gate !== undefined && !gate.closing) return no(gate.reason ?? "This cannot be closed now.", gate.cure);
  return YES;
}

function no(reason: string, cure: string | undefined): Permission {
  return cure === undefined ? { allowed: false, reason } : { allowed: false, reason, cure };
}
