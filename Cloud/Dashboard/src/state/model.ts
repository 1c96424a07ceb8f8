// All that the page knows, as one immutable value.
import type {
  Account, Bar, Bot, Candle, Command, Edge, Entry, Fill, Gate, Instrument, Notice, Order, Position, Problem, Quote, Refusal, Session,
} from "../wire/types";

export type Rows<T> = ReadonlyMap<string, T>;

/** The rows that the stream keeps up to date, each under its key. */
export interface Data {
  readonly instruments: Rows<Instrument>;
  readonly quotes: Rows<Quote>;
  readonly bars: Rows<Bar>;
  readonly gates: Rows<Gate>;
  readonly accounts: Rows<Account>;
  readonly positions: Rows<Position>;
  readonly orders: Rows<Order>;
  readonly fills: Rows<Fill>;
  readonly commands: Rows<Command>;
  readonly edges: Rows<Edge>;
  readonly refusals: Rows<Refusal>;
  readonly bots: Rows<Bot>;
  readonly notices: Rows<Notice>;
  readonly entries: Rows<Entry>;
}

/** `lost` keeps the time since when, for the banner; `opening` is the very first try. */
export type Link =
  | { readonly state: "idle" }
  | { readonly state: "opening"; readonly since: number }
  | { readonly state: "open"; readonly since: number }
  | { readonly state: "lost"; readonly since: number };

/** A write that this page sent and for which the stream may not have a command yet. */
export interface Request {
  readonly id: string;
  readonly title: string;
  readonly sentAt: number;
  readonly state: "sending" | "taken" | "refused" | "unanswered";
  readonly problem?: Problem;
}

export interface State {
  /** Undefined until the first answer. */
  readonly session: Session | undefined;
  /** Why the sign-in page is shown, when that needs saying. */
  readonly farewell: string | undefined;
  readonly link: Link;
  /** The last sequence number taken in; 0 before the first. */
  readonly seq: number;
  /** Counts snaps: what was loaded beside the stream must be loaded again when it changes. */
  readonly snaps: number;
  /** Server's clock minus ours, in ms: the largest of the last readings, because delay only makes it smaller. */
  readonly skews: readonly number[];
  readonly data: Data;
  /** One-minute bars by instrument, oldest first. */
  readonly candles: Rows<readonly Candle[]>;
  readonly requests: Rows<Request>;
  /** Commands and requests whose toast was put away. */
  readonly dismissed: ReadonlySet<string>;
}

export const NO_DATA: Data = {
  instruments: new Map(), quotes: new Map(), bars: new Map(), gates: new Map(), accounts: new Map(), positions: new Map(), orders: new Map(),
  fills: new Map(), commands: new Map(), edges: new Map(), refusals: new Map(), bots: new Map(), notices: new Map(), entries: new Map(),
};

export const START: State = {
  session: undefined, farewell: undefined, link: { state: "idle" }, seq: 0, snaps: 0, skews: [], data: NO_DATA, candles: new Map(), requests: new Map(),
  dismissed: new Set(),
};
