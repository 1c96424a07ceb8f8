// The ticket's rules, the chart's rows and the tables' order.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barOf, beyond, changeOf, type Colours, columnOf, linesOf, markersOf, widened } from "../src/chart/plot";
import { toWire } from "../src/numbers/decimal";
import { framed } from "../src/state/frames";
import { front, positionOf, quoteOf } from "../src/state/select";
import { actionWords, FIRST_TICKET, marginOf, notionalOf, nudged, orderOf, quantityOf, type Ticket, trailOf, trouble } from "../src/trade/ticketState";
import { read } from "../src/wire/schema";
import * as types from "../src/wire/types";
import { candle, first, live, MBT } from "./builders";
import { sample } from "./samples";

const { data } = live();
const instrument = front(data) ?? ((): never => { throw new Error("the golden snap has a front instrument"); })();
const preview = read(types.preview, sample("orders-preview"));
const flatten = read(types.preview, sample("orders-preview-flatten"));
const colours: Colours = { up: "u", down: "d", upSoft: "us", downSoft: "ds", accent: "a", warning: "w", text: "t", grid: "g", panel: "p", raised: "r" };
const ticket = (change: Partial<Ticket>): Ticket => ({ ...FIRST_TICKET, ...change });

test("a ticket that can be sent has no trouble", () => {
  for (const good of [ticket({}), ticket({ quantity: " 25 " }), ticket({ max: true, quantity: "nonsense" }), ticket({ trailKind: "percent", trail: "1.5" }), ticket({ trailKind: "amount", trail: "750" })]) {
    assert.equal(trouble(good, instrument), undefined);
  }
});

test("each wrong ticket is told in words", () => {
  const cases: readonly (readonly [Partial<Ticket>, RegExp])[] = [
    [{ quantity: "" }, /above zero/], [{ quantity: "0" }, /above zero/], [{ quantity: "-1" }, /above zero/], [{ quantity: "1e3" }, /above zero/], [{ quantity: "1.5" }, /multiple of 1/],
    [{ quantity: "100001" }, /100,000/], [{ trailKind: "percent", trail: "" }, /above zero/], [{ trailKind: "percent", trail: "100" }, /below 100/], [{ trailKind: "amount", trail: "7" }, /tick 5/],
    [{ trailKind: "amount", trail: "-5" }, /above zero/],
  ];
  for (const [change, words] of cases) assert.match(trouble(ticket(change), instrument) ?? "", words);
});

test("steps stay on whole lots, leave max, and never go below one", () => {
  assert.equal(nudged(ticket({ quantity: "1" }), instrument, false).quantity, "1");
  assert.equal(nudged(ticket({ quantity: "9" }), instrument, true).quantity, "10");
  assert.deepEqual(nudged(ticket({ quantity: "abc", max: true }), instrument, true), ticket({ quantity: "2", max: false }));
});

test("notional and margin are exact products", () => {
  assert.equal(toWire(notionalOf("3", instrument, quoteOf(data, MBT)) ?? ((): never => { throw new Error("unknown"); })()), "29625");
  assert.equal(notionalOf("x", instrument, quoteOf(data, MBT)), undefined);
  assert.equal(notionalOf("3", instrument, undefined), undefined);
  assert.equal(toWire(marginOf("2", preview) ?? ((): never => { throw new Error("unknown"); })()), "3700");
  assert.equal(marginOf("2", flatten), undefined);
});

test("the order repeats what was confirmed", () => {
  const order = orderOf(ticket({ max: true, trailKind: "percent", trail: "1.50" }), "BUY", preview, false);
  assert.deepEqual(order, { instrument: MBT, side: "BUY", quantity: "max", trailingStop: { percent: "1.5" }, confirmed: { quantity: "17", price: "98750" }, expected: { position: "3" } });
  read(types.orderRequest, order, { strict: true });
});

test("an order that only closes carries no stop; one that reverses says so", () => {
  assert.deepEqual(orderOf(ticket({ trailKind: "amount", trail: "750" }), "SELL", flatten, false), { instrument: MBT, side: "SELL", quantity: "3", confirmed: { quantity: "3", price: "98745" }, expected: { position: "3" } });
  const bare = { ...preview, position: "0" };
  assert.deepEqual(orderOf(ticket({}), "BUY", bare, false).expected, { position: "0" }, "nothing held is a position too");
  assert.equal(orderOf(ticket({}), "SELL", { ...flatten, opening: "1", quantity: "4" }, true).reverse, true);
});

test("quantity and stop take the wire's form", () => {
  assert.equal(quantityOf(ticket({ quantity: " 03.0 " })), "3");
  assert.equal(quantityOf(ticket({ max: true })), "max");
  assert.deepEqual(trailOf(ticket({ trailKind: "amount", trail: "750.0" })), { amount: "750" });
  assert.equal(trailOf(ticket({})), undefined);
});

test("the button says what will happen", () => {
  assert.equal(actionWords(preview, "MBTZ6"), "Long 17 MBTZ6");
  assert.equal(actionWords(flatten, "MBTZ6"), "Close long 3 MBTZ6");
  assert.equal(actionWords({ ...flatten, side: "BUY" }, "MBTZ6"), "Close short 3 MBTZ6");
  assert.equal(actionWords({ ...flatten, opening: "2", quantity: "5" }, "MBTZ6"), "Close 3, then short 2 MBTZ6");
});

test("five-minute bars hold first open, last close, extremes by value and the sum of volume", () => {
  const minutes = [candle(0, "100", "1"), candle(1, "99.5", "2.5"), candle(4, "1000", "3"), candle(5, "7", "4")];
  assert.deepEqual(framed(minutes, "5m"), [
    { time: candle(0, "1").time, open: "100", high: "1000", low: "99.5", close: "1000", volume: "6.5" },
    { time: candle(5, "1").time, open: "7", high: "7", low: "7", close: "7", volume: "4" },
  ]);
  assert.equal(framed(minutes, "1m"), minutes);
  assert.deepEqual(framed([], "1h"), []);
});

test("the chart is redrawn whole only when it must be", () => {
  const drawn = [candle(0, "1"), candle(1, "2")];
  assert.equal(changeOf(drawn, drawn), "none");
  assert.equal(changeOf([], drawn), "all");
  assert.deepEqual(changeOf(drawn, [...drawn.slice(0, 1), candle(1, "3")]), { from: 1 });
  assert.deepEqual(changeOf(drawn, [...drawn, candle(2, "3")]), { from: 1 });
  assert.equal(changeOf(drawn, [candle(0, "9"), candle(1, "2")]), "all");
  assert.equal(changeOf(drawn, [candle(1, "2")]), "all");
  assert.equal(changeOf(drawn, [...drawn, ...[2, 3, 4, 5, 6, 7].map((minute) => candle(minute, "3"))]), "all");
});

test("columns take the colour of their bar", () => {
  assert.equal(columnOf({ ...candle(0, "5"), open: "6" }, colours).color, "ds");
  assert.equal(columnOf(candle(0, "5"), colours).color, "us");
  assert.equal(barOf(candle(1, "5")).time - barOf(candle(0, "5")).time, 60);
});

test("fills of one bar and side are one marker; those outside the bars are left out", () => {
  const fill = first(data.fills);
  const when = (minute: number, seconds: number): string => new Date(Date.parse(candle(minute, "1").time) + seconds * 1000).toISOString();
  const fills: types.Fill[] = [
    { ...fill, quantity: "2", time: when(1, 3) }, { ...fill, quantity: "1", time: when(1, 59) }, { ...fill, side: "SELL", quantity: "3", time: when(1, 30) }, { ...fill, time: when(9, 0) },
    { ...fill, id: "late", quantity: "7", time: when(1, 4), correctedBy: fill.id },
  ];
  const markers = markersOf(fills, [candle(0, "1"), candle(1, "1")], 1, colours);
  assert.deepEqual(markers.map(({ text, position, shape }) => [text, position, shape]), [["S3", "aboveBar", "arrowDown"], ["B3", "belowBar", "arrowUp"]]);
  assert.deepEqual(markersOf(fills, [], 1, colours), []);
});

test("the average and every working order with a price is a line", () => {
  const orders = [...data.orders.values()].filter((order) => order.instrument === MBT);
  const lines = linesOf(positionOf(data, MBT), orders, colours);
  assert.deepEqual(lines.map(({ title, price }) => [title, price]), [["LONG 3", 98335], ["TRAIL 3", 97270]]);
  assert.deepEqual(linesOf(undefined, [], colours), []);
});

test("near lines widen the axis, far ones do not", () => {
  const own = { priceRange: { minValue: 100, maxValue: 110 } };
  assert.deepEqual(widened(own, [95, 500])?.priceRange, { minValue: 95, maxValue: 110 });
  assert.equal(widened(null, [95]), null);
});

test("lines outside the pane are named at the edge behind which they lie", () => {
  const lines = linesOf(positionOf(data, MBT), [...data.orders.values()].filter((order) => order.instrument === MBT), colours);
  const told = (yOf: (price: number) => number | null): readonly (readonly [string, boolean])[] => beyond(lines, 300, yOf).map(({ line, above }) => [line.title, above]);
  assert.deepEqual(told((price) => (price === 97270 ? 301 : 120)), [["TRAIL 3", false]]);
  assert.deepEqual(told((price) => (price === 97270 ? 300 : -1)), [["LONG 3", true]]);
  assert.deepEqual(told(() => null), [], "nothing to measure by yet");
});
