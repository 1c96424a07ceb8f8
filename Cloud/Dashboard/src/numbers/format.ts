// How numbers, times and ages are written on the screen. Texts in, texts out; what is unknown is a dash.
import { divide, type Fixed, fixed, maybe, multiply, sign, toText, toWire } from "./decimal";

export const DASH = "–";
const MINUS = "\u2212";
const HUNDRED = fixed("100") as Fixed;

/** `-1234567.5` becomes `−1,234,567.5`. */
function grouped(text: string): string {
  const negative = text.startsWith("-");
  const [whole = "0", fraction] = (negative ? text.slice(1) : text).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${negative ? MINUS : ""}${groups}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** A price with the instrument's own number of decimals. */
export function price(text: string | undefined, places: number): string {
  const value = maybe(text);
  return value === undefined ? DASH : grouped(toText(value, places));
}

/** A quantity without needless zeros. */
export function quantity(text: string | undefined): string {
  const value = maybe(text);
  return value === undefined ? DASH : grouped(toWire(value));
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: "$", CAD: "CA$", EUR: "€", GBP: "£" };

function coin(value: Fixed, currency: string, signed: boolean): string {
  const digits = toText(value, 2);
  const negative = digits.startsWith("-") && /[1-9]/.test(digits);
  const size = grouped(digits.replace("-", ""));
  const symbol = SYMBOLS[currency];
  const plus = signed && !negative && /[1-9]/.test(digits) ? "+" : "";
  return `${negative ? MINUS : plus}${symbol ?? ""}${size}${symbol === undefined ? ` ${currency}` : ""}`;
}

/** An amount: `$9,875.00`, `−$97.70`. */
export function money(text: string | undefined, currency: string): string {
  const value = maybe(text);
  return value === undefined ? DASH : coin(value, currency, false);
}

/** A gain or loss, with its sign always shown: `+$124.50`. */
export function gain(text: string | undefined, currency: string): string {
  const value = maybe(text);
  return value === undefined ? DASH : coin(value, currency, true);
}

/** As `money`, for a figure that was worked out here. */
export function moneyOf(value: Fixed | undefined, currency: string): string {
  return value === undefined ? DASH : coin(value, currency, false);
}

/** part/whole as a percentage with two decimals; a dash when it cannot be told. */
export function share(part: Fixed | undefined, whole: Fixed | undefined, signed = false): string {
  const ratio = part === undefined || whole === undefined ? undefined : divide(part, whole);
  if (ratio === undefined) return DASH;
  const digits = toText(multiply(ratio, HUNDRED), 2);
  return `${signed && sign(ratio) > 0 ? "+" : ""}${grouped(digits)}%`;
}

/** `0.71×` */
export function times(text: string | undefined): string {
  const value = maybe(text);
  return value === undefined ? DASH : `${grouped(toText(value, 2))}×`;
}

/** `up`, `down` or `flat`: the tone of a gain. A sign always stands beside the colour. */
export function tone(text: string | undefined): "up" | "down" | "flat" {
  const value = maybe(text);
  const direction = value === undefined ? 0 : sign(value);
  return direction > 0 ? "up" : direction < 0 ? "down" : "flat";
}

/** How long ago, in words of at most two units: `4 s`, `2 min 14 s`, `3 h 5 min`, `2 d 1 h`. */
export function span(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? two(hours, "h", minutes % 60, "min") : two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** `now`, `3 s ago`, `2 min 14 s ago`. */
export function ago(millis: number): string {
  return millis < 1000 ? "now" : `${span(millis)} ago`;
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** Times inside a text in the browser's zone, as everywhere on the page: `until 2026-12-01T14:30:00.000Z` becomes `until 1 Dec 14:30:00`. */
export function spoken(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => (Number.isNaN(Date.parse(time)) ? time : moment(time)));
}

/** With a full stop when the text has no end of its own: what brokers say often has none. */
export function sentence(text: string): string {
  const trimmed = spoken(text.trim());
  return trimmed === "" || /[.!?…:]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What is wrong and what to do about it, as whole sentences. */
export function told(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part): part is string => part !== undefined && part.trim() !== "").map(sentence).join(" ");
}

/** `commandRefused` becomes `command refused`. */
export function kindWords(kind: string): string { return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`); }

const pad = (value: number): string => String(value).padStart(2, "0");

/** `14:12:40` in the browser's zone. */
export function clock(time: string): string {
  const date = new Date(time);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `1 Dec 14:12:40` in the browser's zone. */
export function moment(time: string): string {
  const date = new Date(time);
  return `${date.getDate()} ${MONTHS[date.getMonth()] ?? ""} ${clock(time)}`;
}

/** `1 Dec` in the browser's zone. */
export function dayOf(time: Date): string { return `${time.getDate()} ${MONTHS[time.getMonth()] ?? ""}`; }

/** `14:12` in the browser's zone. */
export function minuteOf(time: Date): string { return `${pad(time.getHours())}:${pad(time.getMinutes())}`; }

/** `2026-12` becomes `Dec 2026`. */
export function month(text: string): string {
  const [year = "", number = ""] = text.split("-");
  return `${MONTHS[Number(number) - 1] ?? number} ${year}`;
}

/** `2026-12-24` becomes `24 Dec 2026`. */
export function date(text: string): string {
  const [year = "", number = "", day = ""] = text.split("-");
  return `${Number(day)} ${MONTHS[Number(number) - 1] ?? number} ${year}`;
}
