// Exact numbers and how they are written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { absolute, add, divide, type Fixed, fixed, maybe, multiply, sign, subtract, toText, toWire } from "../src/numbers/decimal";
import * as format from "../src/numbers/format";

function exact(text: string): Fixed {
  const value = fixed(text);
  assert(value !== undefined, `${text} should be a number`);
  return value;
}

test("0.1 + 0.2 is 0.3, which no float gives", () => {
  assert.equal(toWire(add(exact("0.1"), exact("0.2"))), "0.3");
});

test("numbers beyond 2^53 keep their last digit", () => {
  assert.equal(toWire(add(exact("9007199254740993.00000001"), exact("0.00000001"))), "9007199254740993.00000002");
});

test("what is not a decimal is undefined, never zero", () => {
  for (const text of ["", " ", "1e3", "abc", "1.", ".5", "+1", "1,000", "--1", "0x10", "NaN", "Infinity"]) assert.equal(fixed(text), undefined, text);
  assert.equal(maybe(undefined), undefined);
});

test("the ninth digit is rounded half to even", () => {
  assert.equal(toWire(exact("0.000000005")), "0");
  assert.equal(toWire(exact("0.000000015")), "0.00000002");
  assert.equal(toWire(exact("-0.000000015")), "-0.00000002");
  assert.equal(toWire(exact("0.0000000150001")), "0.00000002");
});

test("products and quotients round half to even, with either sign", () => {
  assert.equal(toWire(multiply(exact("98750"), exact("0.1"))), "9875");
  assert.equal(toWire(multiply(exact("0.00000001"), exact("0.5"))), "0");
  assert.equal(toWire(multiply(exact("0.00000003"), exact("0.5"))), "0.00000002");
  assert.equal(toWire(multiply(exact("-0.00000003"), exact("0.5"))), "-0.00000002");
  assert.equal(divide(exact("1"), exact("0")), undefined);
  assert.equal(toWire(divide(exact("1"), exact("3")) ?? exact("0")), "0.33333333");
  assert.equal(toWire(divide(exact("2"), exact("-3")) ?? exact("0")), "-0.66666667");
});

test("texts round half to even and keep their zeros; the wire form drops them", () => {
  assert.equal(toText(exact("2.345"), 2), "2.34");
  assert.equal(toText(exact("2.355"), 2), "2.36");
  assert.equal(toText(exact("-0.5"), 0), "0");
  assert.equal(toText(exact("1.5"), 0), "2");
  assert.equal(toText(exact("7"), 10), "7.0000000000");
  assert.equal(toWire(exact("-0")), "0");
  assert.equal(toWire(exact("100")), "100");
  assert.equal(toWire(exact("100.10")), "100.1");
});

test("sign, size and difference", () => {
  assert.deepEqual([sign(exact("-2")), sign(exact("0")), sign(exact("3"))], [-1, 0, 1]);
  assert.equal(toWire(absolute(exact("-2.5"))), "2.5");
  assert.equal(toWire(subtract(exact("1"), exact("1.5"))), "-0.5");
});

test("prices are grouped and carry the instrument's decimals", () => {
  assert.equal(format.price("98750", 2), "98,750.00");
  assert.equal(format.price("1234567.125", 2), "1,234,567.12");
  assert.equal(format.price("-5", 0), "\u22125");
  assert.equal(format.price(undefined, 2), "–");
});

test("money has its currency, gains have their sign, zero has none", () => {
  assert.equal(format.money("9875", "USD"), "$9,875.00");
  assert.equal(format.money("-97.7", "USD"), "\u2212$97.70");
  assert.equal(format.money("5", "CHF"), "5.00 CHF");
  assert.equal(format.gain("124.5", "USD"), "+$124.50");
  assert.equal(format.gain("-0.001", "USD"), "$0.00");
  assert.equal(format.gain("0", "USD"), "$0.00");
  assert.equal(format.gain(undefined, "USD"), "–");
});

test("the tone follows the sign", () => {
  assert.deepEqual([format.tone("1"), format.tone("-0.01"), format.tone("0"), format.tone(undefined)], ["up", "down", "flat", "flat"]);
});

test("shares and multiples", () => {
  assert.equal(format.share(exact("9120"), exact("41994.7")), "21.72%");
  assert.equal(format.share(exact("1075"), exact("97675"), true), "+1.10%");
  assert.equal(format.share(exact("1"), exact("0")), "–");
  assert.equal(format.share(undefined, exact("1")), "–");
  assert.equal(format.times("0.7054"), "0.71×");
});

test("ages use at most two units and never run backwards", () => {
  const second = 1000, minute = 60 * second, hour = 60 * minute;
  assert.equal(format.span(-5), "0 s");
  assert.equal(format.span(59_999), "59 s");
  assert.equal(format.span(2 * minute + 14 * second), "2 min 14 s");
  assert.equal(format.span(3 * minute), "3 min");
  assert.equal(format.span(3 * hour + 5 * minute + 9 * second), "3 h 5 min");
  assert.equal(format.span(49 * hour), "2 d 1 h");
  assert.equal(format.ago(999), "now");
  assert.equal(format.ago(1000), "1 s ago");
});

test("months and days read as people say them", () => {
  assert.equal(format.month("2026-12"), "Dec 2026");
  assert.equal(format.date("2026-12-04"), "4 Dec 2026");
});

test("what others say becomes whole sentences", () => {
  assert.equal(format.told("No security definition has been found", "Check the symbol."), "No security definition has been found. Check the symbol.");
  assert.equal(format.told(undefined, " ", "Wait!"), "Wait!");
  assert.equal(format.sentence("already ended."), "already ended.");
  assert.equal(format.kindWords("commandRefused"), "command refused");
});

test("times inside a text are written as everywhere on the page", () => {
  const time = "2026-12-01T14:30:05.024Z";
  assert.equal(format.spoken(`Out until ${time}.`), `Out until ${format.moment(time)}.`);
  assert.equal(format.spoken("at 2026-13-41T99:00:00Z"), "at 2026-13-41T99:00:00Z");
  assert.equal(format.sentence(`HALT since ${time}`), `HALT since ${format.moment(time)}.`);
});
