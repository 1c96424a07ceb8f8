// The REST half of the contract: typed reads and writes; every refusal is a Problem with words and a cure.
import { read, type Shape } from "./schema";
import * as types from "./types";

const BASE = "/api/v1";
const LOGOUT = "/auth/logout";
/** A request without an answer in this time counts as unanswered; asking again with the same key is safe. */
const TIMEOUT_MS = 8_000;

/** The cloud said no. */
export class Refused extends Error {
  constructor(readonly problem: types.Problem) { super(problem.title); this.name = "Refused"; }
}

/** Nobody answered: the network or the cloud is gone. Whether a write was taken is not known. */
export class Unanswered extends Error {
  constructor(cause: unknown) { super(`The cloud node did not answer (${String(cause)}).`); this.name = "Unanswered"; }
}

interface Ask { readonly method?: "GET" | "POST"; readonly body?: object; readonly key?: string }

/** Questions under way, which signing out takes back: behind it each would be answered as nobody's. Writes are let go on. */
const questions = new Set<AbortController>();
/** From signing out until the next sign-in: a page that is just going must not ask once more as nobody. */
let isParting = false;

async function answer(path: string, ask: Ask): Promise<Response> {
  if (isParting && path !== LOGOUT) throw new Unanswered("signing out");
  const headers: Record<string, string> = { Accept: "application/json" };
  if (ask.body !== undefined) headers["Content-Type"] = "application/json";
  if (ask.key !== undefined) headers["Idempotency-Key"] = ask.key;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  if (ask.key === undefined && path !== LOGOUT) questions.add(stop);
  try {
    return await fetch(BASE + path, {
      method: ask.method ?? "GET", headers, credentials: "same-origin", cache: "no-store", signal: stop.signal,
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
    });
  } catch (cause) {
    throw new Unanswered(cause);
  } finally {
    clearTimeout(timer);
    questions.delete(stop);
  }
}

async function problemOf(response: Response): Promise<types.Problem> {
  try {
    return read(types.problem, await response.json());
  } catch {
    // A proxy in between answers in its own words; the status is then all that is known.
    return { type: "about:blank", title: `The cloud node answered ${response.status}`, status: response.status };
  }
}

async function asked<T>(path: string, shape: Shape<T>, ask: Ask = {}): Promise<T> {
  const response = await answer(path, ask);
  if (!response.ok) throw new Refused(await problemOf(response));
  return read(shape, await response.json());
}

function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(parameters).filter((pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== "");
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()}`;
}

export interface LedgerQuery {
  readonly limit?: number | undefined;
  readonly before?: number | undefined;
  readonly from?: number | undefined;
  readonly kind?: string | undefined;
  readonly follow?: string | undefined;
}

export const api = {
  session: () => asked("/session", types.session),
  login(username: string, password: string) {
    isParting = false;
    return asked("/auth/login", types.loginAnswer, { method: "POST", body: { username, password } });
  },
  async logout(): Promise<void> {
    isParting = true;
    for (const question of questions) question.abort();
    const response = await answer(LOGOUT, { method: "POST", body: {} });
    if (!response.ok && response.status !== 401) throw new Refused(await problemOf(response));
  },
  candles: (instrument: string) => asked(`/market/candles${query({ instrument })}`, types.candles),
  ledger: (parameters: LedgerQuery) => asked(`/ledger${query({ ...parameters })}`, types.ledger),
  preview: (request: types.PreviewRequest) => asked("/orders:preview", types.preview, { method: "POST", body: request }),
  order: (request: types.OrderRequest, key: string) => asked("/orders", types.accepted, { method: "POST", body: request, key }),
  close: (instrument: string, quantity: string, position: string, key: string) =>
    asked(`/positions/${encodeURIComponent(instrument)}/close`, types.accepted, { method: "POST", body: { confirmed: { quantity }, expected: { position } }, key }),
  withdraw: (command: string, key: string) => asked(`/commands/${encodeURIComponent(command)}/withdraw`, types.accepted, { method: "POST", body: {}, key }),
  cancel: (order: string, key: string) => asked(`/orders/${encodeURIComponent(order)}/cancel`, types.accepted, { method: "POST", body: {}, key }),
  settle: (edge: string, request: { readonly keep: types.Decision["choices"][number]["keep"]; readonly confirm: string }) =>
    asked(`/edges/${encodeURIComponent(edge)}/settle`, types.settled, { method: "POST", body: request }),
  reconcile: (edge: string) => asked(`/edges/${encodeURIComponent(edge)}/reconcile`, types.reconciled, { method: "POST", body: {} }),
  kill: (request: types.KillRequest, key: string) => asked("/kill", types.accepted, { method: "POST", body: request, key }),
};

/** A fresh Idempotency-Key, which becomes the command's id: 32 hexadecimal digits. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
