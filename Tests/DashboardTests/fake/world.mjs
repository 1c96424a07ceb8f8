// A pretended cloud's memory: the golden samples brought to life by a seeded market and commands that walk. No sockets here.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const DAY_MS = 86_400_000, TICK = 5, MULTIPLIER = 0.1, MARGIN = 1850, MAINTENANCE = 1682.1;
const COMMAND_TTL_MS = 10_000, RING_MAX = 2000;
const MBT = "MBTZ6.CME";

/** A small seeded generator (mulberry32): the same seed, the same market. */
function seeded(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const text = (value) => (Math.round(value * 100) / 100).toString();
const toTick = (value) => Math.round(value / TICK) * TICK;

export class World {
  constructor(samples, { seed = 7, now = Date.now } = {}) {
    this.read = (name) => JSON.parse(readFileSync(join(samples, `${name}.json`), "utf8"));
    this.now = now;
    this.seed = seed;
    this.listeners = new Set();
    this.walks = new Map();
    this.reset();
  }

  stamp(ms = this.now()) { return new Date(ms).toISOString(); }

  /** Everything back to the beginning: the golden snap, its times moved so that it is now. */
  reset() {
    const snap = this.read("stream-snap");
    const shift = this.now() - Date.parse(snap.at);
    const moved = (value) => {
      if (Array.isArray(value)) return value.map(moved);
      if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, moved(inner)]));
      return typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? this.stamp(Date.parse(value) + shift) : value;
    };
    this.rows = moved(snap.put);
    const soon = new Date(this.now() + 33 * DAY_MS);
    const front = this.rows.instruments[0];
    front.expiry = soon.toISOString().slice(0, 10);
    front.contractMonth = front.expiry.slice(0, 7);
    this.rows.commands = [];
    this.rows.refusals = this.rows.refusals ?? [];
    this.seq = this.now() * 1000;
    this.ring = [];
    this.random = seeded(this.seed);
    this.scenario = { silent: false, gatewayGone: false, delayed: false, refuse: false, expire: false, ttlMs: COMMAND_TTL_MS, still: false };
    this.answers = new Map();
    this.log = [];
    this.timers ??= new Set();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.ledgerSeq = Math.max(...this.rows.entries.map((entry) => entry.seq));
    this.history = this.makeHistory();
  }

  get price() { return Number(this.rows.quotes.find((quote) => quote.instrument === MBT).last); }
  get edge() { return this.rows.edges[0]; }
  get account() { return this.rows.accounts[0]; }
  get position() { return this.rows.positions.find((position) => position.instrument === MBT); }

  /** A day of minutes that ends at the present price; steep enough that one per cent below is in view, flat enough that the sample's stop clearly is not. */
  makeHistory() {
    const minute = Math.floor(this.now() / 60_000) * 60_000;
    const bars = [];
    let close = this.price;
    for (let index = 0; index < 1500; index += 1) {
      const drift = index < 30 ? -2 : index < 45 ? 20 : index < 100 ? 5 : -5;
      const open = toTick(close - drift + (this.random() - 0.5) * 70);
      const high = toTick(Math.max(open, close) + this.random() * 40), low = toTick(Math.min(open, close) - this.random() * 40);
      const busy = 20 + Math.floor(this.random() * 80 + Math.abs(close - open));
      bars.push({ time: this.stamp(minute - index * 60_000), open: text(open), high: text(high), low: text(low), close: text(close), volume: String(busy) });
      close = open;
    }
    return bars.reverse();
  }

  /** Keeps the rows, remembers the delta for those who resume, and tells the listeners. */
  publish(put, drop) {
    for (const [topic, list] of Object.entries(put ?? {})) {
      const key = { quotes: "instrument", bars: "instrument", gates: "instrument" }[topic] ?? (topic === "entries" ? "seq" : "id");
      for (const row of list) {
        const at = this.rows[topic].findIndex((old) => old[key] === row[key]);
        if (at < 0) this.rows[topic].push(row); else this.rows[topic][at] = row;
      }
    }
    for (const [topic, keys] of Object.entries(drop ?? {})) this.rows[topic] = this.rows[topic].filter((row) => !keys.includes(row.id));
    this.seq += 1;
    const message = { type: "delta", seq: this.seq, at: this.stamp(), ...(put ? { put } : {}), ...(drop ? { drop } : {}) };
    this.ring.push(message);
    if (this.ring.length > RING_MAX) this.ring.shift();
    for (const listener of this.listeners) listener(message);
  }

  /** What a new listener gets first. */
  greeting(from) {
    const oldest = this.ring[0]?.seq;
    const known = from === this.seq || (oldest !== undefined && from >= oldest - 1 && from < this.seq);
    if (from > 0 && known) return [{ type: "resumed", seq: this.seq, at: this.stamp(), from }, ...this.ring.filter((message) => message.seq > from)];
    return [{ type: "snap", seq: this.seq, at: this.stamp(), put: { ...this.rows, entries: this.rows.entries.slice(-50) } }];
  }

  beat() { return { type: "beat", seq: this.seq, at: this.stamp() }; }

  /** One step of the market: five a second. */
  step() {
    if (this.scenario.silent || this.scenario.gatewayGone || this.rows.quotes[0].source === "none") return;
    const asOf = this.stamp();
    const moveTo = this.scenario.still ? this.price : toTick(this.price + (this.random() - 0.49) * 24);
    const quote = { ...this.rows.quotes[0], last: text(moveTo), bid: text(moveTo - TICK), ask: text(moveTo), source: this.scenario.delayed ? "delayed" : "live", asOf };
    this.publish({ quotes: [quote], bars: this.barOf(moveTo, asOf), ...this.worth(moveTo, asOf) });
  }

  barOf(price, asOf) {
    const time = this.stamp(Math.floor(this.now() / 60_000) * 60_000);
    const old = this.rows.bars[0];
    const fresh = old === undefined || old.time !== time;
    const bar = fresh
      ? { edge: this.edge.id, instrument: MBT, time, open: text(price), high: text(price), low: text(price), close: text(price), volume: "1", closed: false, asOf }
      : { ...old, high: text(Math.max(price, Number(old.high))), low: text(Math.min(price, Number(old.low))), close: text(price), volume: String(Number(old.volume) + 1), asOf };
    const { edge: ____, instrument: _, closed: __, asOf: ___, ...candle } = bar;
    if (this.history[this.history.length - 1].time === time) this.history[this.history.length - 1] = candle; else this.history.push(candle);
    return [bar];
  }

  worth(price, asOf) {
    const positions = this.rows.positions.map((row) => {
      if (row.instrument !== MBT) return { ...row, asOf };
      const count = Number(row.quantity) * (row.side === "SHORT" ? -1 : row.side === "FLAT" ? 0 : 1);
      const notional = Math.abs(count) * price * MULTIPLIER;
      return {
        ...row, markPrice: text(price), unrealizedPnL: text((price - Number(row.averagePrice ?? price)) * count * MULTIPLIER), notional: text(notional),
        leverage: text(notional / Number(this.account.netLiquidation)), asOf,
      };
    });
    const held = this.position;
    const count = held === undefined || held.side === "FLAT" ? 0 : Number(held.quantity);
    const pnl = positions.reduce((sum, row) => sum + Number(row.unrealizedPnL ?? 0), 0);
    const net = 41_296.6 + pnl, initial = 3570 + count * MARGIN;
    const account = {
      ...this.account, netLiquidation: text(net), availableFunds: text(net - initial), initialMargin: text(initial), maintenanceMargin: text(initial * 0.909),
      excessLiquidity: text(net - initial * 0.909), dailyPnL: text(pnl - 64.2), asOf,
    };
    return { positions, accounts: [account] };
  }

  /** Every two seconds: the edge beats. */
  edgeBeat() {
    if (this.scenario.silent) return;
    const asOf = this.stamp();
    this.publish({
      edges: [{ ...this.edge, lastHeard: asOf, asOf, state: "live", roundTripMs: 30 + Math.floor(this.random() * 25), announcedSeq: this.ledgerSeq, storedSeq: this.ledgerSeq, ackedSeq: this.ledgerSeq }],
      bots: this.rows.bots.map((bot) => ({ ...bot, asOf })), gates: [this.gate()],
    });
  }

  gate() {
    const { silent, gatewayGone, delayed, denied } = this.scenario;
    const halted = this.edge.halt.level !== "NONE";
    const reason = denied !== undefined ? denied.words : silent ? "The edge is silent." : gatewayGone ? "The gateway is gone." : delayed ? "The market data is delayed; no order is placed on it." : halted ? "Trading is halted." : undefined;
    const { reason: _, cure: __, ...base } = this.rows.gates[0];
    return { ...base, opening: reason === undefined, closing: true, ...(reason === undefined ? {} : { reason, cure: denied?.cure ?? "Look at the Edges page." }), asOf: this.stamp() };
  }

  /** Switches of the play: what goes wrong from now on. */
  turn(change) {
    Object.assign(this.scenario, change);
    const asOf = this.stamp();
    const edge = { ...this.edge };
    if (change.silent === true) {
      const since = this.now() - (change.silentForMs ?? 0);
      Object.assign(edge, { state: "silent", silentSince: this.stamp(since), lastHeard: this.stamp(since) });
      this.age(this.stamp(since));
    }
    if (change.silent === false) { edge.state = "live"; delete edge.silentSince; edge.lastHeard = asOf; }
    if (change.unheard === true) this.forget(edge);
    if (change.gatewayGone === true) Object.assign(edge, this.only(this.read("edges-gateway-gone").edges[0], ["gateway", "reconciliation"]));
    if (change.gatewayGone === false) Object.assign(edge, this.only(this.read("edges").edges[0], ["gateway", "reconciliation"]));
    if (change.backlog !== undefined) edge.backlog = change.backlog;
    if (change.clockSkewMs !== undefined) edge.clockSkewMs = change.clockSkewMs;
    if (change.behind !== undefined) this.fallBehind(edge, change.behind);
    if (change.mode !== undefined) { edge.mode = change.mode; this.publish({ accounts: [{ ...this.account, mode: change.mode }] }); }
    if (change.notice !== undefined) this.notice(change.notice);
    if (change.clearNotices === true) this.publish(undefined, { notices: this.rows.notices.map((notice) => notice.id), refusals: this.rows.refusals.map((row) => row.id) });
    if (change.flat === true) this.publish({ positions: [{ ...this.position, side: "FLAT", quantity: "0" }] });
    this.publish({ edges: [{ ...edge, asOf }], gates: [this.gate()] });
    this.step();
  }

  /** What follows the stored entries is so many of them behind, for so long; 0: not any more. */
  fallBehind(edge, { book = 0, tables = 0, ms = 0 }) {
    for (const [key, entries] of [["bookBehind", book], ["tablesBehind", tables]]) {
      if (entries > 0) edge[key] = { entries, since: this.stamp(this.now() - ms) };
      else delete edge[key];
    }
  }

  /** As after a start of the cloud whose edge has not linked yet: the ledger is known, nothing else is, not even the front contract. */
  forget(edge) {
    this.scenario.silent = true;
    edge.state = "never";
    for (const key of ["lastHeard", "roundTripMs", "silentSince"]) delete edge[key];
    Object.assign(edge, { gateway: { state: "connecting", since: this.stamp(), words: "The edge has not told yet how it stands with its gateway.", data: "none" } });
    this.rows.quotes = [];
    this.rows.accounts = [];
    this.rows.instruments = this.rows.instruments.map(({ frontRule: _, ...row }) => ({ ...row, front: false }));
    for (const stream of this.listeners) stream(this.greeting(0)[0]);
  }

  /** All that the edge reports is as old as its last word. */
  age(asOf) {
    const aged = (rows) => rows.map((row) => ({ ...row, asOf }));
    const { quotes, positions, accounts, bots } = this.rows;
    this.publish({ quotes: aged(quotes), positions: aged(positions), accounts: aged(accounts), bots: aged(bots) });
  }

  /** The broker denies something: market data (354, 10089, 10168) or the permission to trade (203). */
  notice(code) {
    const row = this.read("stream-delta-notices").put.notices.find((each) => each.id.startsWith(`ib-${code}-`));
    this.scenario.denied = row;
    this.publish({ notices: [{ ...row, since: this.stamp() }] });
    if (code !== 203) this.publish({ quotes: this.rows.quotes.map((quote) => (quote.instrument === MBT ? { edge: this.edge.id, instrument: MBT, source: "none", asOf: this.stamp() } : quote)) });
  }

  only(row, keys) { return Object.fromEntries(keys.map((key) => [key, row[key]])); }

  later(ms, body) {
    const timer = setTimeout(() => { this.timers.delete(timer); body(); }, ms);
    this.timers.add(timer);
  }

  // Orders ------------------------------------------------------------------------------------------------------------------------------

  max() {
    const funds = Number(this.account.availableFunds) * 0.98;
    const quantity = Math.max(0, Math.floor(funds / MARGIN));
    return { quantity: String(quantity), term: "availableFunds", words: `available funds of ${Number(this.account.availableFunds).toLocaleString("en-US", { minimumFractionDigits: 2 })} USD, less 2 % held back, pay the initial margin of ${quantity} contracts.` };
  }

  signedPosition() {
    const held = this.position;
    return held === undefined || held.side === "FLAT" ? 0 : Number(held.quantity) * (held.side === "SHORT" ? -1 : 1);
  }

  /** Closing with nothing known but the ledger: no price, no margin. */
  blindClose({ instrument }) {
    const held = this.rows.positions.find((row) => row.instrument === instrument);
    return {
      instrument, account: held.account, mode: "PAPER", side: held.side === "LONG" ? "SELL" : "BUY", allowed: true, position: held.side === "LONG" ? held.quantity : `-${held.quantity}`, quantity: held.quantity, closing: held.quantity, opening: "0",
      max: { quantity: "0", term: "edgeSilent", words: "Nothing is opened while the edge is not heard." }, expiresAfterMs: 60_000,
      warnings: ["The edge is silent: the command waits for it and expires."], currency: held.currency, asOf: this.stamp(),
    };
  }

  preview(request) {
    if (this.rows.accounts.length === 0) return this.blindClose(request);
    const held = this.signedPosition();
    const side = request.side === "CLOSE" ? (held > 0 ? "SELL" : "BUY") : request.side;
    const against = side === "BUY" ? held < 0 : held > 0;
    const max = this.max();
    const wanted = request.side === "CLOSE" ? 0 : request.quantity === "max" ? Number(max.quantity) : Number(request.quantity ?? 1);
    const closing = request.side === "CLOSE" ? Math.abs(held) : against ? Math.abs(held) : 0;
    const opening = request.side === "CLOSE" ? 0 : against && request.reverse !== true ? 0 : wanted;
    const quantity = closing + opening, price = this.price, after = held + (side === "BUY" ? quantity : -quantity);
    const trail = request.trailingStop;
    const distance = trail?.percent !== undefined ? (price * Number(trail.percent)) / 100 : Number(trail?.amount ?? 0);
    const tooMany = opening > Number(max.quantity);
    return {
      instrument: MBT, account: this.account.id, mode: this.account.mode, side, allowed: !tooMany && quantity > 0, ...(tooMany ? { reason: `${opening} contracts need ${text(opening * MARGIN)} USD of initial margin; ${this.account.availableFunds} USD are available.`, cure: "Ask for fewer contracts, or for max." } : {}),
      position: String(held), quantity: String(quantity), closing: String(closing), opening: String(opening), max, price: text(price), pricePart: side === "BUY" ? "ask" : "bid", priceAsOf: this.rows.quotes[0].asOf, notional: text(quantity * price * MULTIPLIER),
      leverage: text((Math.abs(after) * price * MULTIPLIER) / Number(this.account.netLiquidation)), initialMargin: text(opening * MARGIN), maintenanceMargin: text(opening * MAINTENANCE),
      marginAsOf: this.stamp(this.now() - 85_000), availableFunds: this.account.availableFunds, fundsAsOf: this.stamp(this.now() - 40_000), accountCurrency: "USD", ...(trail && opening > 0 ? { stopPrice: text(toTick(side === "BUY" ? price - distance : price + distance)) } : {}),
      expiresAfterMs: this.scenario.ttlMs, warnings: against && opening === 0 && request.side !== "CLOSE" ? [`You are ${held > 0 ? "long" : "short"} ${Math.abs(held)}: this closes them and opens nothing.`] : [], currency: "USD", asOf: this.stamp(),
    };
  }

  entry(kind, words, more, body = {}) {
    this.ledgerSeq += 1;
    const hex = (n) => (n * 2654435761 % 4294967296).toString(16).padStart(8, "0").repeat(8);
    return { edge: this.edge.id, seq: this.ledgerSeq, epoch: 1, time: this.stamp(), kind, words, ...more, hash: hex(this.ledgerSeq), previous: hex(this.ledgerSeq - 1), body };
  }

  /** The edge had not executed it: it never will. */
  takenBack(id) {
    this.walks.get(id)?.("withdrawn", true, { reason: "Taken back before it was executed." });
  }

  /** One command's walk. `effect` runs when the edge has accepted. */
  command(id, kind, title, effect, { fills = true, ttl = true } = {}) {
    const { silent, refuse, expire, lost, ttlMs } = this.scenario;
    this.scenario.refuse = false;
    this.scenario.expire = false;
    const walk = [];
    const base = { id, edge: this.edge.id, kind, title, issuer: "admin", instrument: MBT, orders: [], createdAt: this.stamp(), ...(ttl ? { expiresAt: this.stamp(this.now() + ttlMs) } : {}) };
    const to = (state, final, more = {}) => {
      walk.push({ state, at: this.stamp() });
      this.publish({ commands: [{ ...base, ...more, state, final, walk: [...walk] }] });
    };
    to("queued", false);
    this.walks.set(id, to);
    if (kind !== "withdraw" && (silent || expire || lost)) {
      if (lost) to("dispatched", false);
      // Lost means sent into a dead link: nobody can tell yet whether it arrived.
      if (ttl && !lost) this.later(ttlMs, () => to("expired", true, { reason: `The edge did not take it within ${ttlMs / 1000} s.`, cure: "Look at the position, then ask again." }));
      return base.expiresAt;
    }
    this.later(30, () => to("dispatched", false));
    this.later(60, () => to("delivered", false));
    this.later(150, () => {
      if (refuse) {
        this.publish({ entries: [this.entry("commandRefused", "Refused: the collar of 5 % was crossed", { command: id, instrument: MBT })] });
        to("refused", true, { reason: "The price moved beyond the collar of 5 % since the quote.", cure: "Look at the quote and ask again." });
        return;
      }
      to("accepted", !fills);
      const result = effect();
      if (fills) this.later(180, () => to("filled", true, result));
    });
    return base.expiresAt;
  }

  /** A market order that fills in two parts, with an optional stop behind it. */
  trade(side, quantity, command, trailing) {
    const price = this.price, boot = this.edge.boot;
    const intent = this.entry("intent", `${side === "BUY" ? "Buy" : "Sell"} ${quantity} MBTZ6 at market, by admin`, { command, instrument: MBT });
    const id = `${boot}-${intent.seq}`;
    intent.order = id;
    const order = { id, account: this.account.id, instrument: MBT, side, type: "MARKET", quantity: String(quantity), filled: "0", status: "NEW", working: true, timeInForce: "DAY", origin: "MANUAL", command, seq: intent.seq, createdAt: this.stamp(), updatedAt: this.stamp() };
    this.publish({ orders: [order], entries: [intent] });
    this.later(120, () => {
      const first = quantity > 1 ? Math.ceil(quantity / 2) : quantity;
      const parts = first === quantity ? [quantity] : [first, quantity - first];
      const fills = parts.map((part, index) => {
        const fact = this.entry("fill", `${side === "BUY" ? "Bought" : "Sold"} ${part} MBTZ6 at ${price.toLocaleString("en-US", { minimumFractionDigits: 2 })}`, { order: id, instrument: MBT });
        return { fact, fill: { id: `exec.${intent.seq}.${index}`, order: id, account: this.account.id, instrument: MBT, side, quantity: String(part), price: text(price), currency: "USD", commission: text(2.37 * part), origin: "MANUAL", seq: fact.seq, time: this.stamp() } };
      });
      this.publish({ orders: [{ ...order, filled: String(quantity), status: "FILLED", working: false, averagePrice: text(price), updatedAt: this.stamp() }], fills: fills.map(({ fill }) => fill), entries: fills.map(({ fact }) => fact), positions: [this.moved(side, quantity, price)] });
      // A stop without its position has nothing left to protect.
      if (this.position.stopPrice === undefined) for (const stop of this.rows.orders.filter((row) => row.instrument === MBT && row.working && row.type === "TRAILING_STOP")) this.cancel(stop.id);
      if (trailing) this.rest(side, quantity, command, id, trailing);
      this.step();
    });
    return { filled: String(quantity), averagePrice: text(price), orders: [id] };
  }

  moved(side, quantity, price) {
    const held = this.signedPosition(), after = held + (side === "BUY" ? quantity : -quantity);
    const { stopPrice: _, stopOrder: __, ...base } = this.position;
    const grows = Math.sign(after) === Math.sign(held) && Math.abs(after) > Math.abs(held);
    const average = after === 0 ? undefined : grows ? (Number(base.averagePrice) * Math.abs(held) + price * quantity) / Math.abs(after) : Math.sign(after) === Math.sign(held) ? Number(base.averagePrice) : price;
    const next = { ...base, side: after > 0 ? "LONG" : after < 0 ? "SHORT" : "FLAT", quantity: String(Math.abs(after)), asOf: this.stamp() };
    if (average === undefined) delete next.averagePrice; else next.averagePrice = text(average);
    return after !== 0 && this.position.stopPrice !== undefined && Math.sign(after) === Math.sign(held) ? { ...next, stopPrice: this.position.stopPrice } : next;
  }

  rest(side, quantity, command, parent, { percent, amount }) {
    const distance = percent !== undefined ? (this.price * Number(percent)) / 100 : Number(amount);
    const stop = text(toTick(side === "BUY" ? this.price - distance : this.price + distance));
    const intent = this.entry("intent", `${side === "BUY" ? "Sell" : "Buy"} ${quantity} MBTZ6, trailing stop`, { command, instrument: MBT });
    const id = `${this.edge.boot}-${intent.seq}`;
    intent.order = id;
    const order = { id, account: this.account.id, instrument: MBT, side: side === "BUY" ? "SELL" : "BUY", type: "TRAILING_STOP", quantity: String(quantity), filled: "0", status: "NEW", working: true, stopPrice: stop, ...(percent ? { trailingPercent: percent } : { trailingAmount: amount }), timeInForce: "GTC", origin: "MANUAL", command, parent, seq: intent.seq, createdAt: this.stamp(), updatedAt: this.stamp() };
    this.publish({ orders: [order], entries: [intent], positions: [{ ...this.position, stopPrice: stop, stopOrder: id }] });
  }

  cancel(id) {
    const order = this.rows.orders.find((row) => row.id === id);
    if (order === undefined) return;
    this.publish({ orders: [{ ...order, status: "CANCELED", working: false, updatedAt: this.stamp() }], entries: [this.entry("orderState", "Cancelled at the broker", { order: id, instrument: order.instrument })] });
  }

  halt(level, reason) {
    const edge = { ...this.edge, halt: { level, since: this.stamp(), reason, by: "admin", instruments: [] } };
    this.publish({ edges: [edge], entries: [this.entry("halt", `${level} by admin: ${reason}`, {})] });
    this.publish({ gates: [this.gate()] });
  }
}
