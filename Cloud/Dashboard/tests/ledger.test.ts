// The ledger page's own rules, and the addresses that lead to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { belongs, holes, joinedEntries, touches } from "../src/pages/ledgerState";
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
