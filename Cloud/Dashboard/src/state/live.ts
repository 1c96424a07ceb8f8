// The life of a signed-in page: the session probe, the stream, and the writes. The only place that ties wire and state together.
import { api, newKey, Refused, Unanswered } from "../wire/api";
import { WireError } from "../wire/schema";
import { browserWorld, Stream } from "../wire/stream";
import type { Accepted, Problem } from "../wire/types";
import { admit } from "./reduce";
import { store } from "./store";

const PROBE_AGAIN_MS = 2_000;

let stream: Stream | undefined;

/** Asks who we are; while nobody answers it keeps asking, and the page says so. */
export async function probe(): Promise<void> {
  try {
    const session = await api.session();
    store.dispatch({ kind: "session", session });
    if (session.signedIn) openStream();
  } catch (error) {
    store.dispatch({ kind: "link", state: "lost", at: Date.now() });
    if (error instanceof WireError) outdated(error);
    setTimeout(() => void probe(), PROBE_AGAIN_MS);
  }
}

function openStream(): void {
  stream?.stop();
  store.dispatch({ kind: "link", state: "opening", at: Date.now() });
  stream = new Stream(browserWorld, {
    seq: () => store.latest.seq,
    take(message, receivedAt) {
      if (admit(store.latest.seq, message) === "gap") return "gap";
      store.dispatch({ kind: "message", message, receivedAt });
      return "ok";
    },
    lost: (at) => store.dispatch({ kind: "link", state: "lost", at }),
    sessionOver: () => leave("Your session is over. Sign in again."),
    unreadable: outdated,
  });
  stream.start();
}

function outdated(error: WireError): void {
  leave(`This page and the cloud node do not fit together (${error.message}). Reload the page.`);
}

function leave(why?: string): void {
  stream?.stop();
  stream = undefined;
  store.dispatch(why === undefined ? { kind: "signedOut" } : { kind: "signedOut", why });
}

/** Signs in; throws Refused or Unanswered for the form to show. */
export async function signIn(username: string, password: string): Promise<void> {
  await api.login(username, password);
  await probe();
}

export async function signOut(): Promise<void> {
  try { await api.logout(); } finally { leave(); }
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) stream?.hurry(); });
window.addEventListener("online", () => stream?.hurry());

/** Sends one write under its own key and keeps track of it; asking again with the same key is one effect. */
export async function send(title: string, write: (key: string) => Promise<Accepted>, key: string = newKey()): Promise<void> {
  store.dispatch({ kind: "sending", id: key, title, at: Date.now() });
  retries.set(key, () => send(title, write, key));
  try {
    await write(key);
    store.dispatch({ kind: "taken", id: key });
    retries.delete(key);
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 401) leave("Your session is over. Sign in again.");
    store.dispatch(notTaken(key, error));
  }
}

function notTaken(id: string, error: unknown): { kind: "notTaken"; id: string; problem?: Problem } {
  if (error instanceof Refused) return { kind: "notTaken", id, problem: error.problem };
  if (error instanceof Unanswered) return { kind: "notTaken", id };
  return { kind: "notTaken", id, problem: { type: "about:blank", title: "The answer could not be read", status: 0, detail: String(error) } };
}

const retries = new Map<string, () => Promise<void>>();

/** Asks again what got no answer, under the same key. */
export function askAgain(id: string): void {
  void retries.get(id)?.();
}
