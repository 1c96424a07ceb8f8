// What follows from the state: permissions, ages, banners.
import assert from "node:assert/strict";
import { test } from "node:test";
import { banners } from "../src/state/banners";
import { START, type State } from "../src/state/model";
import { ageMs, front, isFlowing, mainAccount, mainEdge, mayClose, mayOpen, positionOf, quoteOf, silentSince, skew, unrealisedOf } from "../src/state/select";
import { read } from "../src/wire/schema";
import * as types from "../src/wire/types";
import { after, at, delta, first, live, MBT, message, NOW, withEdge } from "./builders";
import { sample } from "./samples";

const HALT: types.Edge["halt"] = { level: "HALT", reason: "news", by: "admin", instruments: [] };

function gone(state: State): State {
  const edge = read(types.edges, sample("edges-gateway-gone")).edges[0];
  assert(edge !== undefined);
  return withEdge(state, { gateway: edge.gateway, reconciliation: edge.reconciliation });
}

test("in a healthy state both opening and closing are allowed", () => {
  assert.deepEqual(mayOpen(live(), MBT, NOW), { allowed: true });
  assert.deepEqual(mayClose(live(), MBT), { allowed: true });
});

test("each trouble forbids opening and says why", () => {
  const state = live();
  const gate = first(state.data.gates);
  const quote = first(state.data.quotes);
  const cases: readonly (readonly [State, RegExp])[] = [
    [after([{ kind: "link", state: "lost", at: NOW }], state), /cloud node/],
    [withEdge(state, { state: "silent" }), /silent/],
    [withEdge(state, { halt: HALT }), /HALT/],
    [gone(state), /does not take connections/],
    [after([message(delta(state, { quotes: [{ ...quote, source: "delayed" }] }))], state), /delayed/],
    [after([message(delta(state, { gates: [{ ...gate, opening: false, reason: "No futures permission (203)." }] }))], state), /203/],
    [{ ...state, data: { ...state.data, gates: new Map() } }, /Waiting for the edge/],
    [{ ...state, data: { ...state.data, edges: new Map() } }, /No edge/],
    [{ ...state, session: { ...read(types.session, sample("session")), user: { name: "guest", role: "viewer" } } }, /viewer/],
    [START, /cloud node/],
  ];
  for (const [broken, why] of cases) {
    const permission = mayOpen(broken, MBT, NOW);
    assert.equal(permission.allowed, false, String(why));
    assert.match(permission.reason ?? "", why);
  }
});

test("figures flow only while cloud, edge and gateway all answer", () => {
  const state = live();
  assert.equal(isFlowing(state, NOW), true);
  const cut = [START, after([{ kind: "link", state: "lost", at: NOW }], state), withEdge(state, { state: "silent" }), withEdge(state, { state: "never" }), gone(state)];
  for (const broken of cut) assert.equal(isFlowing(broken, NOW), false);
  assert.equal(isFlowing(state, NOW + 60_000), false, "the edge fell silent and the cloud did not say so");
});

test("closing stays possible with a silent edge, a halt and a lost gateway, not with a lost cloud", () => {
  const state = live();
  for (const broken of [withEdge(state, { state: "silent" }), withEdge(state, { halt: HALT }), gone(state)]) assert.equal(mayClose(broken, MBT).allowed, true);
  assert.equal(mayClose(after([{ kind: "link", state: "lost", at: NOW }], state), MBT).allowed, false);
  const shut = after([message(delta(state, { gates: [{ ...first(state.data.gates), closing: false }] }))], state);
  assert.equal(mayClose(shut, MBT).allowed, false);
});

test("an edge is silent by the cloud's word, and by its age should the cloud not say so", () => {
  const edge = first(live().data.edges);
  assert.equal(silentSince({ ...edge, lastHeard: at(-9_000) }, NOW), undefined);
  assert.equal(silentSince({ ...edge, lastHeard: at(-11_000) }, NOW), NOW - 11_000);
  assert.equal(silentSince({ ...edge, state: "silent", silentSince: at(-3_000) }, NOW), NOW - 3_000);
  assert.equal(silentSince({ ...edge, state: "never" }, NOW), undefined);
});

test("ages are by the server's clock, without the edge's own error, and never negative", () => {
  const edge = { ...first(live().data.edges), clockSkewMs: 3_000 };
  assert.equal(ageMs(at(-5_000), NOW), 5_000);
  assert.equal(ageMs(at(-5_000), NOW, edge), 8_000);
  assert.equal(ageMs(at(5_000), NOW), 0);
  assert.equal(skew([]), 0);
  assert.equal(skew([-40, -2, -90]), -2);
});

test("the front instrument, the account and its edge, and the position that is not flat are found", () => {
  const { data } = live();
  assert.equal(front(data)?.id, MBT);
  assert.equal(mainAccount(data)?.id, "DU4402117");
  assert.equal(mainEdge(data)?.name, "home-1");
  assert.equal(positionOf(data, MBT)?.quantity, "3");
  const flat = after([message(delta(live(), { positions: [{ ...first(data.positions), side: "FLAT", quantity: "0" }] }))], live());
  assert.equal(positionOf(flat.data, MBT), undefined);
  assert.equal(front(START.data), undefined);
});

test("without a front contract there is none: no other takes its place", () => {
  const { data } = live();
  const others = new Map([...data.instruments].map(([id, instrument]) => [id, { ...instrument, front: false }]));
  assert.equal(front({ ...data, instruments: others }), undefined);
});

test("what the positions stand at is summed, and unknown when one of them is", () => {
  const { data } = live();
  const account = first(data.accounts);
  assert.equal(unrealisedOf(data, account), "698.1");
  assert.equal(unrealisedOf({ ...data, positions: new Map() }, account), "0");
  const { unrealizedPnL: _, ...unknown } = first(data.positions);
  assert.equal(unrealisedOf({ ...data, positions: new Map([["x", unknown]]) }, account), undefined);
  assert.equal(unrealisedOf({ ...data, positions: new Map([["x", { ...first(data.positions), currency: "EUR" }]]) }, account), undefined);
});

test("an edge not heard since the cloud started is told as that, not as a gateway that connects", () => {
  const state = withEdge(gone(live()), { state: "never" });
  assert.deepEqual(banners(state, NOW, NOW).map(({ id }) => id).filter((id) => id !== "ib-354"), ["unheard"]);
  assert.match(mayOpen(state, MBT, NOW).reason ?? "", /home-1 has not reported since the cloud node started/);
  assert.equal(mayClose(state, MBT).allowed, true);
});

test("banners come worst first, with words and a cure", () => {
  const state = after([{ kind: "link", state: "lost", at: NOW - 4_000 }], withEdge(withEdge(live(), { state: "silent", silentSince: at(-134_000) }), { halt: HALT }));
  const list = banners(state, NOW, NOW);
  assert.deepEqual(list.map((banner) => banner.id), ["cloud", "edge", "halt", "ib-354"]);
  assert.equal(list[0]?.lastsMs, 4_000);
  assert.equal(list[1]?.lastsMs, 134_000);
  assert.match(list[2]?.title ?? "", /HALT by admin: news/);
  assert.match(list[2]?.words ?? "", /tidewire-edge resume/);
  assert.match(list[3]?.words ?? "", /354/);
});

test("a lost gateway speaks with its own words and cure; a silent edge speaks instead of its gateway", () => {
  const [banner] = banners(gone(live()), NOW, NOW);
  assert.equal(banner?.id, "gateway");
  assert.match(banner?.words ?? "", /Start IB Gateway/);
  assert(!banners(withEdge(gone(live()), { state: "silent" }), NOW, NOW).some(({ id }) => id === "gateway"));
});

test("a difference with the broker is an error, a running comparison is only told", () => {
  const told = (state: types.Edge["reconciliation"]["state"]): string | undefined =>
    banners(withEdge(live(), { reconciliation: { state, since: at(), words: "words" } }), NOW, NOW).find(({ id }) => id === "reconciliation")?.tone;
  assert.deepEqual([told("clean"), told("running"), told("difference")], [undefined, "info", "error"]);
});

test("another edge that watches the same instrument neither opens nor closes, prices nothing and draws nothing here", () => {
  const state = live();
  const gate = { ...first(state.data.gates), opening: false, reason: "No futures permission (203)." };
  const other = "ffffffffffffffffffffffffffffffff";
  const shut = after([message(delta(state, { gates: [gate] }))], state);
  const quote = { ...first(state.data.quotes), edge: other, bid: "1", ask: "1", last: "1" };
  const bar = { ...first(state.data.bars), edge: other, close: "1" };
  const both = after([message(delta(shut, { gates: [{ ...gate, edge: other, opening: true }], quotes: [quote], bars: [bar] }))], shut);
  assert.match(mayOpen(both, MBT, NOW).reason ?? "", /203/);
  assert.equal(both.data.gates.size, shut.data.gates.size + 1);
  assert.deepEqual(quoteOf(both.data, MBT), quoteOf(state.data, MBT));
  assert.deepEqual(both.candles.get(MBT), shut.candles.get(MBT));
  assert.equal(mayClose(after([message(delta(both, { gates: [{ ...gate, edge: other, closing: false }] }))], both), MBT).allowed, true);
  assert.equal(mayClose(after([message(delta(both, { gates: [{ ...gate, edge: other, closing: false }] }))], both), MBT, other).allowed, false);
});
