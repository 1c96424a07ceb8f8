// The contract with the cloud: every message of /api/v1 that the dashboard reads or writes. API.md says what each path does.
// A golden sample of each stands in Tests/Fixtures/api. Decimals are strings, times RFC 3339 with milliseconds, null is never sent.

import { anyObject, count, day, decimal, exactly, flag, type Infer, instant, integer, list, object, oneOf, optional, text } from "./schema";

// Words -------------------------------------------------------------------------------------------------------------------------------------

export const mode = oneOf("PAPER", "LIVE");
export const side = oneOf("BUY", "SELL");
export const positionSide = oneOf("LONG", "SHORT", "FLAT");
export const haltLevel = oneOf("NONE", "REDUCING", "HALT", "CANCEL", "FLATTEN");
export const origin = oneOf("MANUAL", "BOT", "SYSTEM", "EXTERNAL");
export const ordType = oneOf("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP");
export const ordStatus = oneOf(
  "PENDING_NEW", "NEW", "PARTIALLY_FILLED", "FILLED", "PENDING_CANCEL", "CANCELED", "PENDING_REPLACE", "REPLACED", "REJECTED", "EXPIRED",
  "SUSPENDED", "DENIED", "UNKNOWN", "DEAD", "ZOMBIE",
);
/** A command's walk. `accepted` is final for what has nothing to fill (cancel, kill); `final` says when no further state comes. */
export const commandState = oneOf("queued", "dispatched", "delivered", "accepted", "filled", "refused", "expired", "withdrawn", "superseded");
/** Where the edge stands with its gateway. Everything but `connected` comes with words and a cure. */
export const gatewayState = oneOf("connected", "connecting", "unreachable", "refusing", "silent", "loggedOut", "wrongAccount");
/** `delayed` and `none` forbid orders. */
export const dataSource = oneOf("live", "delayed", "none");

export type Mode = Infer<typeof mode>;
export type Side = Infer<typeof side>;
export type PositionSide = Infer<typeof positionSide>;
export type HaltLevel = Infer<typeof haltLevel>;
export type OrdStatus = Infer<typeof ordStatus>;
export type CommandState = Infer<typeof commandState>;
export type GatewayState = Infer<typeof gatewayState>;

// Session -----------------------------------------------------------------------------------------------------------------------------------

/** POST /auth/login. With `token` the answer carries a bearer token for scripts; without it only the cookie is set. */
export const loginRequest = object({ username: text, password: text, token: optional(flag) });
export const user = object({ name: text, role: oneOf("viewer", "trader", "risk", "admin") });
export const loginAnswer = object({ user, expiresAt: instant, token: optional(text) });
/** GET /session: 200 in both cases, so that the first probe of a page leaves no error behind. */
export const session = object({
  signedIn: flag, user: optional(user), expiresAt: optional(instant), serverTime: instant, version: text,
});
export type User = Infer<typeof user>;
export type Session = Infer<typeof session>;

// What is traded ----------------------------------------------------------------------------------------------------------------------------

export const instrument = object({
  id: text, symbol: text, localSymbol: text, name: text, securityType: text, exchange: text, currency: text,
  multiplier: decimal, tick: decimal, lotStep: decimal, priceDecimals: count,
  /** `2026-12` and the last trade date, for what expires. */
  contractMonth: optional(text), expiry: optional(day),
  /** True for the one instrument that the ticket opens with; `frontRule` is the sentence that says why this month. */
  front: flag, frontRule: optional(text),
  /** Open now by the venue's hours; absent when the hours are unknown. */
  open: optional(flag), hours: optional(text),
  asOf: instant,
});
export const quote = object({
  edge: text, instrument: text, source: dataSource,
  bid: optional(decimal), bidSize: optional(decimal), ask: optional(decimal), askSize: optional(decimal),
  last: optional(decimal), lastSize: optional(decimal), volume: optional(decimal), previousClose: optional(decimal), asOf: instant,
});
export const candle = object({ time: instant, open: decimal, high: decimal, low: decimal, close: decimal, volume: decimal });
/** The bar that still grows (or just closed): the stream's form of a candle. One row an edge and instrument; timeframe is 1m. */
export const bar = object({
  edge: text, instrument: text, time: instant, open: decimal, high: decimal, low: decimal, close: decimal, volume: decimal, closed: flag, asOf: instant,
});
/** GET /market/candles: oldest first, no gaps invented. `oldest` is the first bar that the cloud holds. */
export const candles = object({
  instrument: text, timeframe: exactly("1m"), source: dataSource, candles: list(candle), oldest: optional(instant), asOf: optional(instant),
});
export type Instrument = Infer<typeof instrument>;
export type Quote = Infer<typeof quote>;
export type Candle = Infer<typeof candle>;
export type Bar = Infer<typeof bar>;
export type Candles = Infer<typeof candles>;

// Account, positions, orders, fills ---------------------------------------------------------------------------------------------------------

export const account = object({
  id: text, edge: text, mode, currency: text,
  netLiquidation: optional(decimal), availableFunds: optional(decimal), initialMargin: optional(decimal), maintenanceMargin: optional(decimal),
  excessLiquidity: optional(decimal), buyingPower: optional(decimal), dailyPnL: optional(decimal), asOf: instant,
});
export const position = object({
  /** account and instrument in one text; the key of the row. */
  id: text, account: text, instrument: text, side: positionSide, quantity: decimal, averagePrice: optional(decimal),
  markPrice: optional(decimal), unrealizedPnL: optional(decimal), realizedPnL: optional(decimal), notional: optional(decimal),
  /** Notional of this position over net liquidation. */
  leverage: optional(decimal), currency: text, stopPrice: optional(decimal), stopOrder: optional(text), owner: text, asOf: instant,
});
export const order = object({
  /** The intent's id, `boot-seq`. */
  id: text, account: text, instrument: text, side, type: ordType, quantity: decimal, filled: decimal, status: ordStatus, working: flag,
  limitPrice: optional(decimal), stopPrice: optional(decimal), trailingAmount: optional(decimal), trailingPercent: optional(decimal),
  averagePrice: optional(decimal), timeInForce: text, origin, bot: optional(text), command: optional(text), parent: optional(text),
  brokerOrderId: optional(text), reason: optional(text), seq: count, createdAt: instant, updatedAt: instant,
});
export const fill = object({
  /** The broker's execution id. */
  id: text, order: optional(text), account: text, instrument: text, side, quantity: decimal, price: decimal, currency: text,
  commission: optional(decimal), realizedPnL: optional(decimal), origin, bot: optional(text), seq: count, time: instant,
  /** The execution that this one stands for by the broker's correction; and the one that stands for this, which counts no more. */
  corrects: optional(text), correctedBy: optional(text),
});
export type Account = Infer<typeof account>;
export type Position = Infer<typeof position>;
export type Order = Infer<typeof order>;
export type Fill = Infer<typeof fill>;

// Commands ----------------------------------------------------------------------------------------------------------------------------------

export const command = object({
  /** 32 hexadecimal digits: the Idempotency-Key of the request that made it, without dashes. */
  id: text, edge: text, kind: oneOf("order", "close", "cancel", "kill", "watch", "withdraw"), title: text, issuer: text, state: commandState, final: flag,
  /** The walk so far, oldest first, each with the time at which the cloud learned it. */
  walk: list(object({ state: commandState, at: instant })),
  reason: optional(text), cure: optional(text), instrument: optional(text), orders: list(text),
  filled: optional(decimal), averagePrice: optional(decimal), expiresAt: optional(instant), createdAt: instant,
  /** The waiting command whose place it takes; of a `withdraw`, the command that it takes back. */
  supersedes: optional(text), target: optional(text),
});
/** 202 of every write. The same key again gives the same answer; the same key with another body is refused (422). */
export const accepted = object({ commandId: text, state: commandState, expiresAt: optional(instant) });
export type Command = Infer<typeof command>;
export type Accepted = Infer<typeof accepted>;

/** Exactly one of the two. */
export const trailingStop = object({ percent: optional(decimal), amount: optional(decimal) });
/** What the person saw; the edge refuses the command when it no longer holds. The position is signed. */
export const expected = object({
  position: optional(decimal), halt: optional(haltLevel), price: optional(object({ low: decimal, high: decimal })),
});
/** POST /orders. Without `instrument` the front contract. `confirmed` is what the person saw: the cloud refuses (409) when the order
    would now be larger than that. `reverse` lets an order open the other side after flattening; without it, it only flattens. */
export const orderRequest = object({
  instrument: optional(text), side, quantity: text, trailingStop: optional(trailingStop), reverse: optional(flag),
  confirmed: optional(object({ quantity: decimal, price: decimal })), expected: optional(expected), supersedes: optional(text),
});
/** POST /orders:preview; CLOSE asks what closing the position would do. */
export const previewRequest = object({
  instrument: optional(text), side: oneOf("BUY", "SELL", "CLOSE"), quantity: optional(text), trailingStop: optional(trailingStop), reverse: optional(flag),
});
export const preview = object({
  instrument: text, account: text, mode, side, allowed: flag,
  /** Why not, when not allowed. */
  reason: optional(text), cure: optional(text),
  /** What is held before it, signed: all of this rests on that. */
  position: decimal,
  /** quantity = closing + opening. */
  quantity: decimal, closing: decimal, opening: decimal,
  /** What *max* is now, and the term that bound it, as a word and as a sentence. */
  max: object({ quantity: decimal, term: text, words: text }),
  /** What the edge values the order by: the ask of a purchase, the bid of a sale; the last price only to show a closing by. */
  price: optional(decimal), pricePart: optional(oneOf("bid", "ask", "last")), priceAsOf: optional(instant), notional: optional(decimal), leverage: optional(decimal),
  initialMargin: optional(decimal), maintenanceMargin: optional(decimal), marginAsOf: optional(instant),
  /** `accountCurrency` is that of the funds and the margins; `currency` that of the instrument, so of price and notional. */
  availableFunds: optional(decimal), fundsAsOf: optional(instant), accountCurrency: optional(text),
  stopPrice: optional(decimal), expiresAfterMs: count, warnings: list(text), currency: text, asOf: instant,
});
export const closeRequest = object({ confirmed: optional(object({ quantity: decimal })), expected: optional(expected), supersedes: optional(text) });
export const killRequest = object({ level: oneOf("REDUCING", "HALT", "CANCEL"), reason: text });
export type TrailingStop = Infer<typeof trailingStop>;
export type OrderRequest = Infer<typeof orderRequest>;
export type PreviewRequest = Infer<typeof previewRequest>;
export type Preview = Infer<typeof preview>;
export type KillRequest = Infer<typeof killRequest>;

/** problem+json (RFC 9457) with one more key: what to do about it. */
export const problem = object({
  type: text, title: text, status: count, detail: optional(text), cure: optional(text), retryAfterMs: optional(count),
});
export type Problem = Infer<typeof problem>;

// Edges, bots, notices ----------------------------------------------------------------------------------------------------------------------

/** The newest comparison of an edge's stored bytes here and at the edge; `proof` holds what a stranger can check again, a line each. */
export const comparison = object({
  state: oneOf("running", "agrees", "healed", "differs", "interrupted"), askedBy: text, startedAt: instant, endedAt: optional(instant),
  /** The last entry compared, how many are compared so far, in how many ranges, and how many were put right. */
  through: count, compared: count, ranges: count, healed: count, words: text, cure: optional(text), proof: list(text),
});
/** How many stored entries something has yet to follow, and since when the first of them is there; told once it lasts for more than 2 s. */
export const lag = object({ entries: count, since: instant });
export const edge = object({
  id: text, name: text, mode, state: oneOf("live", "silent", "never"), lastHeard: optional(instant), silentSince: optional(instant),
  roundTripMs: optional(count), clockSkewMs: optional(integer),
  /** Entries that the edge holds and the cloud has not stored, and the age of the oldest. */
  backlog: count, backlogOldest: optional(instant), announcedSeq: count, storedSeq: count, ackedSeq: count,
  /** Of what is shown here, and of the index and the posting table beside the stored entries. */
  bookBehind: optional(lag), tablesBehind: optional(lag),
  boot: optional(text), version: optional(text),
  halt: object({ level: haltLevel, since: optional(instant), reason: optional(text), by: optional(text), instruments: list(text) }),
  gateway: object({ state: gatewayState, since: instant, words: text, cure: optional(text), data: dataSource, server: optional(text) }),
  reconciliation: object({ state: oneOf("waiting", "running", "clean", "difference"), since: instant, words: text, cure: optional(text) }),
  comparison: optional(comparison),
  asOf: instant,
});
/** What a person has to decide about an edge's ledger: which history goes on. Without choices it is decided, and the edge will be told. */
export const decision = object({
  edge: text, since: instant, decided: optional(text), choices: list(object({ keep: oneOf("edge", "cloud", "readmit", "close"), words: text })),
});
/** A link that the cloud refused: unknown key, FORK, ROLLBACK_UNSYNCED, ... */
export const refusal = object({
  id: text, edge: optional(text), key: optional(text), verdict: text, words: text, cure: text, times: count, first: instant, last: instant,
  decision: optional(decision),
});
/** POST /edges/{edge}/settle */
export const settled = object({ edge: text, keep: oneOf("edge", "cloud", "readmit", "close"), state: exactly("decided") });
/** POST /edges/{edge}/reconcile */
export const reconciled = object({ edge: text, comparison });
/** GET /edges */
export const edges = object({ edges: list(edge), refusals: list(refusal), serverTime: instant });
export const bot = object({
  id: text, name: text, edge: text, state: oneOf("running", "paused", "stopped", "halted"), words: text, instruments: list(text),
  /** -1 to +1. */
  score: optional(decimal), position: optional(text), dailyPnL: optional(decimal), currency: text, asOf: instant,
});
/** Something a person should know, in words, with the cure. Gone from the list when it is over. */
export const notice = object({
  id: text, severity: oneOf("info", "warning", "error"), title: text, words: text, cure: optional(text), since: instant, edge: optional(text),
});
/** Whether an instrument may be opened and closed from here, decided by the cloud from everything it knows. */
export const gate = object({
  edge: text, instrument: text, account: text, opening: flag, closing: flag, reason: optional(text), cure: optional(text), asOf: instant,
});
export type Edge = Infer<typeof edge>;
export type Lag = Infer<typeof lag>;
export type Refusal = Infer<typeof refusal>;
export type Decision = Infer<typeof decision>;
export type Edges = Infer<typeof edges>;
export type Bot = Infer<typeof bot>;
export type Notice = Infer<typeof notice>;
export type Gate = Infer<typeof gate>;

// Ledger ------------------------------------------------------------------------------------------------------------------------------------

export const entry = object({
  edge: text, seq: count, epoch: count, time: instant, kind: text, words: text,
  order: optional(text), command: optional(text), instrument: optional(text), bot: optional(text),
  hash: text, previous: text, body: anyObject,
});
/** GET /ledger: ascending by seq. `announced` beyond `head` means entries that the edge has and the cloud still waits for. */
export const ledger = object({
  edge: text, head: object({ seq: count, hash: text }), announced: count, entries: list(entry),
  /** True when there are, or may be, older (newer) entries that match than those given. A search by kind looks through a bounded stretch of the
   * ledger; when it ends before the page is full, `lookedFrom` (`lookedTo`, for `from`) is the last seq it looked at: ask on with it as `before`
   * (from the next one). */
  older: flag, newer: flag, lookedFrom: optional(count), lookedTo: optional(count), kinds: list(text), asOf: instant,
});
export type Entry = Infer<typeof entry>;
export type Ledger = Infer<typeof ledger>;

// Lists -------------------------------------------------------------------------------------------------------------------------------------

export const accounts = object({ accounts: list(account), serverTime: instant });
export const positions = object({ positions: list(position), serverTime: instant });
export const orders = object({ orders: list(order), serverTime: instant });
export const fills = object({ fills: list(fill), serverTime: instant });
export const bots = object({ bots: list(bot), serverTime: instant });
export const instruments = object({ instruments: list(instrument), serverTime: instant });

// The stream --------------------------------------------------------------------------------------------------------------------------------

/** Rows to put in place, each by its key (`id`; for quotes, bars and gates edge and `instrument`; for entries edge and seq).
    A row replaces the whole row of the same key: getting one twice changes nothing. */
const rows = {
  instruments: optional(list(instrument)), quotes: optional(list(quote)), bars: optional(list(bar)), gates: optional(list(gate)),
  accounts: optional(list(account)), positions: optional(list(position)), orders: optional(list(order)), fills: optional(list(fill)),
  commands: optional(list(command)), edges: optional(list(edge)), refusals: optional(list(refusal)), bots: optional(list(bot)),
  notices: optional(list(notice)), entries: optional(list(entry)),
};
export const put = object(rows);
export const drop = object({
  positions: optional(list(text)), orders: optional(list(text)), notices: optional(list(text)), bots: optional(list(text)),
  refusals: optional(list(text)), instruments: optional(list(text)),
});
/** Everything, from nothing: what the page knew before is forgotten. Orders: working and today's; fills: today's; entries: the last 50. */
export const snap = object({ type: exactly("snap"), seq: count, at: instant, put });
/** The answer to `?from=` when the cloud still holds what came after: the gap follows as deltas. */
export const resumed = object({ type: exactly("resumed"), seq: count, at: instant, from: count });
export const delta = object({ type: exactly("delta"), seq: count, at: instant, put: optional(put), drop: optional(drop) });
/** Every 2 s: the server's clock, for skew and for noticing a half-open socket. */
export const beat = object({ type: exactly("beat"), seq: count, at: instant });
export type Put = Infer<typeof put>;
export type Drop = Infer<typeof drop>;
export type Snap = Infer<typeof snap>;
export type Resumed = Infer<typeof resumed>;
export type Delta = Infer<typeof delta>;
export type Beat = Infer<typeof beat>;
export type StreamMessage = Snap | Resumed | Delta | Beat;
