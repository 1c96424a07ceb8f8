// The reducer: what comes in from the stream and the person, and what is known afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { START } from "../src/state/model";
import { admit, reduce, walks } from "../src/state/reduce";
import { CANDLES_MAX, drop, entryKey, joined, put } from "../src/state/rows";
import { Store } from "../src/state/store";
import type { Beat, Delta, Entry } from "../src/wire/types";
import { after, at, candle, delta, first, live, MBT, message, NOW, snap } from "./builders";

const beat = (seq: number): Beat => ({ type: "beat", seq, at: at() });

test("a snap replaces everything and opens the link", () => {
  const state = live();
  assert.equal(state.link.state, "open");
  assert.equal(state.seq, snap().seq);
  assert.equal(state.data.positions.size, 2);
  assert.equal(state.snaps, 1);
  const empty = after([message({ type: "snap", seq: state.seq + 500, at: at(), put: {} })], state);
  assert.equal(empty.data.positions.size, 0);
  assert.equal(empty.snaps, 2);
});

test("the same delta twice changes nothing the second time", () => {
  const state = live();
  const fill = { ...first(state.data.fills), id: "new" };
  const change = delta(state, { fills: [fill] });
  const once = after([message(change)], state);
  const twice = after([message(change)], once);
  assert.equal(once.data.fills.size, state.data.fills.size + 1);
  assert.equal(twice, once);
});

test("deltas are taken in order, skipped when seen, and a hole asks for a fresh start", () => {
  const next: Delta = { type: "delta", seq: 11, at: at() };
  assert.equal(admit(10, next), "take");
  assert.equal(admit(11, next), "skip");
  assert.equal(admit(9, next), "gap");
  assert.equal(admit(10, beat(10)), "take");
  assert.equal(admit(10, beat(12)), "gap");
  assert.equal(admit(0, { type: "snap", seq: 5, at: at(), put: {} }), "take");
  assert.equal(admit(10, { type: "resumed", seq: 20, at: at(), from: 10 }), "take");
  assert.equal(admit(10, { type: "resumed", seq: 20, at: at(), from: 9 }), "gap");
});

test("resuming gives the missed rows once, and keeps those that were there", () => {
  const state = after([{ kind: "link", state: "lost", at: NOW }], live());
  const missed = delta(state, { orders: [{ ...first(state.data.orders), id: "missed" }] });
  const back = after([message({ type: "resumed", seq: missed.seq, at: at(), from: state.seq }), message(missed), message(missed)], state);
  assert.equal(back.link.state, "open");
  assert.equal(back.data.orders.size, state.data.orders.size + 1);
  assert.equal(back.snaps, state.snaps);
});

test("drop removes rows by key and leaves the rest alone", () => {
  const state = live();
  const gone = after([message(delta(state, {}, { notices: ["ib-354"], positions: ["nobody"] }))], state);
  assert.equal(gone.data.notices.size, 0);
  assert.equal(gone.data.positions, drop(state.data, { positions: ["nobody"] }).positions);
  assert.equal(gone.data.positions.size, 2);
});

test("what did not change keeps its identity, so that nothing is drawn again", () => {
  const state = live();
  const next = put(state.data, { quotes: [first(state.data.quotes)] });
  assert.equal(next.orders, state.data.orders);
  assert.equal(next.positions, state.data.positions);
  assert(next.quotes !== state.data.quotes);
});

test("entries are kept in order and bounded, the oldest go", () => {
  const base = first(live().data.entries);
  const entries: Entry[] = Array.from({ length: 700 }, (_, index) => ({ ...base, seq: 700 - index }));
  const data = put(live().data, { entries });
  assert.equal(data.entries.size, 500);
  assert([...data.entries.values()].some((entry) => entry.seq === 700));
  assert(![...data.entries.values()].some((entry) => entry.seq === 1 && entryKey(entry) === entryKey({ ...base, seq: 1 })));
});

test("the clock difference is the largest reading of the last ones", () => {
  const state = after([message({ ...snap(), at: at(5000) }, NOW), message({ ...beat(snap().seq), at: at(5100) }, NOW + 900)]);
  assert.deepEqual(state.skews, [5000, 4200]);
});

test("a second loss does not restart the clock of the first, and opening is not a loss", () => {
  const opening = reduce(START, { kind: "link", state: "opening", at: 1 });
  assert.equal(opening.link.state, "opening");
  const lost = after([{ kind: "link", state: "lost", at: 10 }, { kind: "link", state: "lost", at: 20 }, { kind: "link", state: "opening", at: 30 }], live());
  assert.deepEqual(lost.link, { state: "lost", since: 10 });
});

test("signing out forgets everything that was on the screen and says why", () => {
  const out = reduce(live(), { kind: "signedOut", why: "Your session is over." });
  assert.equal(out.data.positions.size, 0);
  assert.equal(out.seq, 0);
  assert.equal(out.session?.signedIn, false);
  assert.equal(out.farewell, "Your session is over.");
});

test("history corrects every minute before its last, the stream is right about the last", () => {
  const bar = { ...first(live().data.bars), time: candle(3, "1").time, open: "9", high: "9", low: "9", close: "9", volume: "9" };
  let state = live();
  state = after([message(delta(state, { bars: [{ ...bar, time: candle(1, "1").time }] }))], state);
  state = after([message(delta(state, { bars: [bar] }))], state);
  state = reduce(state, {
    kind: "history", history: { instrument: MBT, timeframe: "1m", source: "live", candles: [candle(0, "1"), candle(1, "2"), candle(2, "3"), candle(3, "4")] },
  });
  const shown = (state.candles.get(MBT) ?? []).filter((each) => each.time <= candle(3, "1").time);
  assert.deepEqual(shown.map((each) => each.close), ["1", "2", "3", "9"]);
});

test("candles join by time, whatever the order, and are bounded", () => {
  const many = Array.from({ length: CANDLES_MAX + 10 }, (_, index) => candle(index, "1"));
  assert.equal(joined(many, [candle(CANDLES_MAX + 10, "2")]).length, CANDLES_MAX);
  assert.deepEqual(joined([candle(0, "1"), candle(2, "3")], [candle(1, "2"), candle(0, "5")]).map((each) => each.close), ["5", "2", "3"]);
  const run = [candle(0, "1"), candle(1, "2")];
  assert.deepEqual(joined(run, [candle(1, "7")]).map((each) => each.close), ["1", "7"]);
  assert.equal(joined(run, []), run);
});

test("a request walks: sending, taken, then its command; a refusal keeps its problem; no answer is told as such", () => {
  let state = after([{ kind: "sending", id: "a", title: "Long 1", at: NOW }, { kind: "sending", id: "b", title: "Short 1", at: NOW }], live());
  state = after([{ kind: "taken", id: "a" }, { kind: "notTaken", id: "b" }], state);
  assert.equal(state.requests.get("a")?.state, "taken");
  assert.equal(state.requests.get("b")?.state, "unanswered");
  const problem = { type: "/problems/halted", title: "Trading is halted", status: 409 };
  state = reduce(state, { kind: "notTaken", id: "b", problem });
  assert.deepEqual(state.requests.get("b")?.problem, problem);
  assert.equal(reduce(state, { kind: "taken", id: "unknown" }), state);
});

test("toasts show the newest first, as the command tells them, without those put away", () => {
  let state = live();
  const command = { ...first(state.data.commands), id: "a", title: "told by the cloud" };
  state = after([
    { kind: "sending", id: "a", title: "asked here", at: NOW }, { kind: "sending", id: "b", title: "second", at: NOW }, { kind: "sending", id: "c", title: "third", at: NOW },
    message(delta(state, { commands: [command] })), { kind: "dismiss", id: "c" },
  ], state);
  assert.deepEqual(walks(state.requests, state.data.commands, state.dismissed).map((walk) => walk.title), ["second", "told by the cloud"]);
});

test("any number of events between two frames is one notification", () => {
  const paints: (() => void)[] = [];
  const store = new Store((paint) => paints.push(paint));
  let told = 0;
  const leave = store.subscribe(() => { told += 1; });
  for (let index = 0; index < 100; index += 1) store.dispatch({ kind: "sending", id: String(index), title: "x", at: index });
  assert.equal(paints.length, 1);
  assert.equal(store.shown.requests.size, 0);
  assert.equal(store.latest.requests.size, 100);
  paints[0]?.();
  assert.equal(told, 1);
  assert.equal(store.shown.requests.size, 100);
  leave();
  store.dispatch({ kind: "dismiss", id: "1" });
  paints[1]?.();
  assert.equal(told, 1);
});

test("an event that changes nothing asks for no frame", () => {
  const paints: (() => void)[] = [];
  const store = new Store((paint) => paints.push(paint));
  store.dispatch({ kind: "taken", id: "nobody" });
  assert.equal(paints.length, 0);
});
