// Exact numbers: decimal texts as integers of 10^-8 in a bigint. Money, prices and quantities never pass through a float.

/** A number times 10^8. */
export type Fixed = bigint & { readonly fixed: unique symbol };

const PLACES = 8;
const ONE = 10n ** BigInt(PLACES);
const SHAPE = /^(-?)(\d+)(?:\.(\d+))?$/;

export const ZERO = 0n as Fixed;

/** The nearest integer to a/b, ties to even; b > 0. */
function divideEven(a: bigint, b: bigint): bigint {
  const negative = a < 0n;
  const size = negative ? -a : a;
  const whole = size / b;
  const twice = (size % b) * 2n;
  const up = twice > b || (twice === b && whole % 2n === 1n);
  const result = up ? whole + 1n : whole;
  return negative ? -result : result;
}

/** Reads `-12.5`; digits beyond the eighth are rounded half to even. Undefined when it is not a decimal. */
export function fixed(text: string): Fixed | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  const digits = BigInt(`${match[2] ?? "0"}${fraction.padEnd(PLACES, "0")}`);
  const extra = Math.max(0, fraction.length - PLACES);
  const size = extra === 0 ? digits : divideEven(digits, 10n ** BigInt(extra));
  return (match[1] === "-" ? -size : size) as Fixed;
}

/** As `fixed`, for texts that the wire has already checked; an absent one stays absent. */
export function maybe(text: string | undefined): Fixed | undefined {
  return text === undefined ? undefined : fixed(text);
}

export function add(a: Fixed, b: Fixed): Fixed { return (a + b) as Fixed; }
export function subtract(a: Fixed, b: Fixed): Fixed { return (a - b) as Fixed; }
export function multiply(a: Fixed, b: Fixed): Fixed { return divideEven(a * b, ONE) as Fixed; }
export function absolute(a: Fixed): Fixed { return (a < 0n ? -a : a) as Fixed; }

/** a/b to eight places; undefined when b is zero. */
export function divide(a: Fixed, b: Fixed): Fixed | undefined {
  if (b === 0n) return undefined;
  return (b < 0n ? divideEven(-a * ONE, -b) : divideEven(a * ONE, b)) as Fixed;
}

/** The digits with exactly `places` decimals, rounded half to even: `-12.50`. */
export function toText(value: Fixed, places: number): string {
  const kept = Math.min(places, PLACES);
  const rounded = divideEven(value, 10n ** BigInt(PLACES - kept));
  const negative = rounded < 0n;
  const digits = (negative ? -rounded : rounded).toString().padStart(kept + 1, "0");
  const whole = digits.slice(0, digits.length - kept);
  const fraction = (kept === 0 ? "" : digits.slice(-kept)) + "0".repeat(places - kept);
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The shortest exact text: `3`, `0.1`; the form the wire takes. */
export function toWire(value: Fixed): string {
  const text = toText(value, PLACES).replace(/\.?0+$/, "");
  return text === "-0" || text === "" ? "0" : text;
}

/** -1, 0 or 1. */
export function sign(value: Fixed): -1 | 0 | 1 { return value < 0n ? -1 : value > 0n ? 1 : 0; }

/** For drawing only (a chart has no use for the last digit); never for a figure that a person reads or sends. */
export function toPixelNumber(text: string): number { return Number(text); }
