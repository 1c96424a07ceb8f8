// The ledger page's own rules, and the addresses that lead to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { belongs, holes, joinedEntries, olderThan, sought, touches } from "../src/pages/ledgerState";
import { addressOf, routeOf } from "../src/ui/route";
import { read } from "../src/wire/schema";
import * as types from "../src/wire/types";
import { sample } from "./samples";

const { entries, edge } = read(types.ledger, sample("ledger"));
const base = entries[0] ?? ((): never => { throw new Error("the sample has entries"); })();
const numbered = (...seqs: readonly number[]): types.Entry[] => seqs.map((seq) => ({ ...base, seq }));

test("lists join newest first, each entry once", () => {
  assert.deepEqual(joinedEntries(numbered(1, 2, 3), numbered(3, 4), numbered(2)).map(({ seq }) => seq), [4, 3, 2, 1]);
});

test("two edges may have the same number", () => {
  assert.equal(joinedEntries(numbered(1), [{ ...base, seq: 1, edge: "another" }]).length, 2);
});

test("a streamed entry belongs by edge and kind; what is followed is the cloud's to answer", () => {
  assert.equal(belongs(base, { kinds: [], follow: "" }, edge), true);
  assert.equal(belongs(base, { kinds: ["fill"], follow: "" }, edge), false);
  assert.equal(belongs(base, { kinds: ["intent", "fill"], follow: "" }, undefined), true);
  assert.equal(belongs(base, { kinds: [], follow: "" }, "another"), false);
  assert.equal(belongs(base, { kinds: [], follow: base.order ?? "" }, edge), false);
});

test("an entry touches what is followed by its own id or by a relative that is shown", () => {
  const { order: _, command: __, ...bare } = base;
  assert.equal(touches({ ...bare, order: "x" }, [], "x"), true);
  assert.equal(touches({ ...bare, command: "x" }, [], "x"), true);
  assert.equal(touches({ ...bare, order: "child" }, [{ ...bare, order: "child" }], "x"), true);
  assert.equal(touches(bare, [bare], "x"), false);
});

test("holes between neighbours are counted", () => {
  assert.deepEqual([...holes(joinedEntries(numbered(9, 8, 5, 1)))], [[8, 2], [5, 3]]);
  assert.deepEqual([...holes([])], []);
});

test("addresses lead to a page and back", () => {
  assert.deepEqual(routeOf(addressOf("ledger", "1f3c-10 41")), { page: "ledger", follow: "1f3c-10 41" });
  assert.deepEqual(routeOf(addressOf("edges")), { page: "edges", follow: "" });
  for (const hash of ["", "#", "#/", "#/nowhere", "#garbage"]) assert.equal(routeOf(hash).page, "trade");
});

test("a search goes on below what was looked at until something is found or nothing is left", async () => {
  const whole = read(types.ledger, sample("ledger"));
  const found = whole.entries.slice(0, 1);
  const steps: (number | undefined)[] = [];
  const answers = [{ ...whole, entries: [], older: true, lookedFrom: 40_001 }, { ...whole, entries: [], older: true, lookedFrom: 20_001 }, { ...whole, entries: found, older: true, lookedFrom: 1 }];
  const answer = await sought((before) => { steps.push(before); return Promise.resolve(answers[steps.length - 1] ?? whole); });
  assert.deepEqual(steps, [undefined, 40_001, 20_001]);
  assert.deepEqual(answer.entries, found);
  assert.equal(olderThan(answer, found), 1);
  assert.equal(olderThan({}, found), found[0]?.seq);
  let calls = 0;
  await sought(() => { calls += 1; return Promise.resolve({ ...whole, entries: [], lookedFrom: 5 }); });
  assert.equal(calls, 50);
});
