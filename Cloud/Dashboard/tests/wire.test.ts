// The contract: every golden sample has its shape, to the last key, and a wrong message is refused with its place named.
import assert from "node:assert/strict";
import { test } from "node:test";
import { read, type Shape } from "../src/wire/schema";
import * as types from "../src/wire/types";
import { sample, sampleNames } from "./samples";

const shapes: readonly (readonly [pattern: RegExp, shape: Shape<unknown>])[] = [
  [/^auth-login(-token)?\.request$/, types.loginRequest], [/^auth-login(-token)?$/, types.loginAnswer], [/^session/, types.session],
  [/^accounts$/, types.accounts], [/^positions$/, types.positions], [/^orders$/, types.orders], [/^fills$/, types.fills], [/^bots$/, types.bots],
  [/^edges/, types.edges], [/^market-instruments$/, types.instruments], [/^market-quote$/, types.quote], [/^market-candles$/, types.candles],
  [/^ledger$/, types.ledger], [/^command-/, types.command], [/^orders-place.*\.request$/, types.orderRequest],
  [/^orders-preview.*\.request$/, types.previewRequest], [/^orders-preview/, types.preview], [/^close\.request$/, types.closeRequest],
  [/^kill\.request$/, types.killRequest], [/^accepted/, types.accepted], [/^problem-/, types.problem], [/^stream-snap$/, types.snap],
  [/^stream-delta/, types.delta], [/^stream-resumed$/, types.resumed], [/^stream-beat$/, types.beat],
];

test("every golden sample has a shape and fits it without an unknown key", () => {
  const names = sampleNames();
  assert(names.length >= 40, `only ${names.length} samples were found`);
  for (const name of names) {
    const found = shapes.find(([pattern]) => pattern.test(name));
    assert(found !== undefined, `no shape for ${name}`);
    try {
      read(found[1], sample(name), { strict: true });
    } catch (error) {
      throw new Error(`${name}: ${String(error)}`);
    }
  }
});

test("every shape of the list has a sample", () => {
  const names = sampleNames();
  for (const [pattern] of shapes) assert(names.some((name) => pattern.test(name)), `no sample for ${String(pattern)}`);
});

test("a number where a decimal text belongs is refused, and the place is named", () => {
  const wrong = { ...(sample("market-quote") as object), bid: 98745 };
  assert.throws(() => read(types.quote, wrong), /bid: is 98745, not a decimal number in a string/);
});

test("exponents, leading zeros, a bare point and a plus sign are not decimals", () => {
  for (const last of ["1e3", "01", ".5", "5.", "+1", "", "NaN", "--1"]) {
    assert.throws(() => read(types.quote, { edge: "e", instrument: "X", source: "live", last, asOf: "2026-12-01T14:30:05.010Z" }), /last/, last);
  }
});

test("a time without milliseconds or zone is refused", () => {
  for (const asOf of ["2026-12-01T14:30:05Z", "2026-12-01T14:30:05.010", "2026-12-01 14:30:05.010Z", 1796135405]) {
    assert.throws(() => read(types.quote, { edge: "e", instrument: "X", source: "live", asOf }), /asOf/);
  }
});

test("null is never a value", () => {
  assert.throws(() => read(types.quote, { edge: "e", instrument: "X", source: "live", last: null, asOf: "2026-12-01T14:30:05.010Z" }), /last: is null/);
});

test("a missing key is named with its place inside a list", () => {
  assert.throws(
    () => read(types.edges, { edges: [{ id: "a", name: "b" }], refusals: [], serverTime: "2026-12-01T14:30:05.010Z" }),
    /edges\[0\]\.mode: is missing/,
  );
});

test("a word outside its set is refused", () => {
  assert.throws(() => read(types.mode, "DEMO"), /not one of PAPER, LIVE/);
});

test("the page takes unknown keys from a newer cloud, the strict reading does not", () => {
  const newer = { type: "beat", seq: 1, at: "2026-12-01T14:30:05.010Z", mood: "calm" };
  assert.deepEqual(read(types.beat, newer), { type: "beat", seq: 1, at: "2026-12-01T14:30:05.010Z" });
  assert.throws(() => read(types.beat, newer, { strict: true }), /mood/);
});

test("counts are whole and never negative", () => {
  for (const seq of [-1, 1.5, 2 ** 53, "1"]) assert.throws(() => read(types.beat, { type: "beat", seq, at: "2026-12-01T14:30:05.010Z" }), /seq/);
});
