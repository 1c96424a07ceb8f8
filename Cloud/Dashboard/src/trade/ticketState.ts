// What the ticket holds and what follows from it; pure, so that every rule of it has a test.
import { divide, type Fixed, fixed, maybe, multiply, toWire } from "../numbers/decimal";
import type { Instrument, OrderRequest, Preview, Quote, Side, TrailingStop } from "../wire/types";

/** `trail` is what was typed; `trailKind` says what it means. */
export interface Ticket {
  readonly quantity: string;
  readonly max: boolean;
  readonly trailKind: "none" | "percent" | "amount";
  readonly trail: string;
}

export const FIRST_TICKET: Ticket = { quantity: "1", max: false, trailKind: "none", trail: "" };
/** The percentages that one tap chooses. */
export const TRAILS = ["1", "2", "5", "10"] as const;
const QUANTITY_MAX = fixed("100000") as Fixed;

/** Whether `value` is a whole number of `step`s. */
function stepped(value: Fixed, step: Fixed): boolean { return step > 0n && value % step === 0n; }

/** What is wrong with the ticket, in words; undefined when it can be sent. */
export function trouble(ticket: Ticket, instrument: Instrument): string | undefined {
  const lot = fixed(instrument.lotStep) ?? (fixed("1") as Fixed);
  if (!ticket.max) {
    const quantity = fixed(ticket.quantity.trim());
    if (quantity === undefined || quantity <= 0n) return "The quantity must be a number above zero, or max.";
    if (!stepped(quantity, lot)) return `The quantity must be a multiple of ${instrument.lotStep}.`;
    if (quantity > QUANTITY_MAX) return "The quantity is beyond 100,000.";
  }
  if (ticket.trailKind === "none") return undefined;
  const trail = fixed(ticket.trail.trim());
  if (trail === undefined || trail <= 0n) return "The trailing stop must be a number above zero.";
  if (ticket.trailKind === "percent" && trail >= (fixed("100") as Fixed)) return "The trailing stop must be below 100 %.";
  if (ticket.trailKind === "amount" && !stepped(trail, fixed(instrument.tick) ?? trail)) return `The stop's distance must be a multiple of the tick ${instrument.tick}.`;
  return undefined;
}

/** The typed number in the wire's form: no spaces, no needless zeros. */
function plain(text: string): string {
  const value = fixed(text.trim());
  return value === undefined ? text.trim() : toWire(value);
}

export function trailOf(ticket: Ticket): TrailingStop | undefined {
  if (ticket.trailKind === "percent") return { percent: plain(ticket.trail) };
  return ticket.trailKind === "amount" ? { amount: plain(ticket.trail) } : undefined;
}

export function quantityOf(ticket: Ticket): string { return ticket.max ? "max" : plain(ticket.quantity); }

/** One step up or down, never below one lot. */
export function nudged(ticket: Ticket, instrument: Instrument, up: boolean): Ticket {
  const lot = fixed(instrument.lotStep) ?? (fixed("1") as Fixed);
  const now = fixed(ticket.quantity.trim()) ?? lot;
  const next = up ? now + lot : now - lot;
  return { ...ticket, max: false, quantity: toWire((next < lot ? lot : next) as Fixed) };
}

/** quantity × price × multiplier, by the quote on the screen. */
export function notionalOf(quantity: string | undefined, instrument: Instrument, quote: Quote | undefined): Fixed | undefined {
  const [count, price, multiplier] = [maybe(quantity), maybe(quote?.last ?? quote?.bid), maybe(instrument.multiplier)];
  return count === undefined || price === undefined || multiplier === undefined ? undefined : multiply(multiply(count, price), multiplier);
}

/** Margin of `quantity` by the margin a contract that a preview told. */
export function marginOf(quantity: string | undefined, preview: Preview | undefined): Fixed | undefined {
  const [count, whole, opened] = [maybe(quantity), maybe(preview?.initialMargin), maybe(preview?.opening)];
  if (count === undefined || whole === undefined || opened === undefined) return undefined;
  const each = divide(whole, opened);
  return each === undefined ? undefined : multiply(each, count);
}

/** The order as the person saw it: what was previewed is what is confirmed. */
export function orderOf(ticket: Ticket, side: Side, preview: Preview, reverse: boolean): OrderRequest {
  const trail = trailOf(ticket);
  return {
    // An order that only closes is for all that is held: the edge closes no more than it is asked for.
    instrument: preview.instrument, side, quantity: preview.opening === "0" && preview.closing !== "0" ? preview.closing : quantityOf(ticket),
    ...(trail === undefined || preview.opening === "0" ? {} : { trailingStop: trail }),
    ...(reverse ? { reverse: true } : {}),
    ...(preview.price === undefined ? {} : { confirmed: { quantity: preview.quantity, price: preview.price } }),
    expected: { position: preview.position },
  };
}

/** What the button of the confirm step says, and the toast after it. */
export function actionWords(preview: Preview, name: string): string {
  const held = preview.side === "BUY" ? "short" : "long";
  const wanted = preview.side === "BUY" ? "Long" : "Short";
  if (preview.closing === "0") return `${wanted} ${preview.opening} ${name}`;
  return preview.opening === "0" ? `Close ${held} ${preview.closing} ${name}` : `Close ${preview.closing}, then ${wanted.toLowerCase()} ${preview.opening} ${name}`;
}
