// A shape is a type and its check in one: what comes off the wire is read through it, so that the types below it are true.

/** A message that does not have the agreed shape; `path` says where, `Error.message` says what was there. */
export class WireError extends Error {
  constructor(readonly path: string, problem: string) {
    super(`${path === "" ? "message" : path}: ${problem}`);
    this.name = "WireError";
  }
}

/** `strict` refuses keys that the shape does not name; the page is lenient (a newer cloud may add keys), the tests are strict. */
export interface Reading { readonly strict: boolean }

export interface Shape<T> {
  read(value: unknown, path: string, how: Reading): T;
  readonly optional?: boolean;
}

export type Infer<S> = S extends Shape<infer T> ? T : never;

type OptionalKeys<F> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F];
type Fields<F> =
  & { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> }
  & { readonly [K in OptionalKeys<F>]?: Infer<F[K]> };
type Flat<T> = { [K in keyof T]: T[K] };

function told(value: unknown): string {
  if (value === undefined) return "is missing";
  const text = JSON.stringify(value);
  return `is ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}

function matching(pattern: RegExp, what: string): Shape<string> {
  return {
    read(value, path) {
      if (typeof value === "string" && pattern.test(value)) return value;
      throw new WireError(path, `${told(value)}, not ${what}`);
    },
  };
}

/** Any text, also the empty one. */
export const text: Shape<string> = matching(/^[\s\S]*$/, "a text");
/** An exact number: `-12.50`; never a float, never an exponent. */
export const decimal: Shape<string> = matching(/^-?(0|[1-9]\d*)(\.\d+)?$/, "a decimal number in a string");
/** RFC 3339 with milliseconds and Z. */
export const instant: Shape<string> = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "a time such as 2026-12-01T14:30:00.000Z");
/** A calendar day. */
export const day: Shape<string> = matching(/^\d{4}-\d\d-\d\d$/, "a day such as 2026-12-24");

/** A whole number from 0 on that a JavaScript number holds exactly. */
export const count: Shape<number> = {
  read(value, path) {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new WireError(path, `${told(value)}, not a whole number from 0 on`);
  },
};

/** A whole number, negative ones too. */
export const integer: Shape<number> = {
  read(value, path) {
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw new WireError(path, `${told(value)}, not a whole number`);
  },
};

export const flag: Shape<boolean> = {
  read(value, path) {
    if (typeof value === "boolean") return value;
    throw new WireError(path, `${told(value)}, not true or false`);
  },
};

/** Exactly this value: the mark by which one message is told from another. */
export function exactly<V extends string | boolean>(wanted: V): Shape<V> {
  return {
    read(value, path) {
      if (value === wanted) return wanted;
      throw new WireError(path, `${told(value)}, not ${JSON.stringify(wanted)}`);
    },
  };
}

/** One word of a closed set. */
export function oneOf<V extends string>(...words: readonly V[]): Shape<V> {
  return {
    read(value, path) {
      const found = words.find((word) => word === value);
      if (found !== undefined) return found;
      throw new WireError(path, `${told(value)}, not one of ${words.join(", ")}`);
    },
  };
}

/** A key that may be absent. Absent means unknown or not applicable; null is never sent. */
export function optional<T>(shape: Shape<T>): Shape<T> & { readonly optional: true } {
  return { optional: true, read: (value, path, how) => shape.read(value, path, how) };
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return {
    read(value, path, how) {
      if (!Array.isArray(value)) throw new WireError(path, `${told(value)}, not a list`);
      return value.map((item: unknown, index) => shape.read(item, `${path}[${index}]`, how));
    },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON object whose keys are not known here: the body of a ledger entry. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = {
  read(value, path) {
    if (isRecord(value)) return value;
    throw new WireError(path, `${told(value)}, not an object`);
  },
};

export function object<F extends { readonly [key: string]: Shape<unknown> }>(fields: F): Shape<Flat<Fields<F>>> {
  return {
    read(value, path, how) {
      if (!isRecord(value)) throw new WireError(path, `${told(value)}, not an object`);
      const result: Record<string, unknown> = {};
      for (const key of Object.keys(fields)) {
        const shape = fields[key];
        if (shape === undefined) continue;
        const inner = value[key];
        if (inner === undefined && shape.optional === true) continue;
        result[key] = shape.read(inner, path === "" ? key : `${path}.${key}`, how);
      }
      if (how.strict) {
        const extra = Object.keys(value).find((key) => !(key in fields));
        if (extra !== undefined) throw new WireError(path, `has a key "${extra}" that the contract does not know`);
      }
      return result as Flat<Fields<F>>;
    },
  };
}

/** Reads one value; throws WireError. */
export function read<T>(shape: Shape<T>, value: unknown, how: Reading = { strict: false }): T {
  return shape.read(value, "", how);
}
