// Asking the cloud: what signing out does to questions that are under way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, Unanswered } from "../src/wire/api";

/** A network that answers nothing but the sign-out, and that only when told to. */
function quietNetwork(): { asked: string[]; answer: () => void } {
  const asked: string[] = [];
  let signedOut: (response: Response) => void = () => undefined;
  globalThis.fetch = (path, init) => new Promise((resolve, reject) => {
    asked.push(String(path));
    init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    if (String(path).endsWith("/auth/logout")) signedOut = resolve;
  });
  return { asked, answer: () => signedOut(new Response(null, { status: 204 })) };
}

/** What a question failed with, or nothing when it was answered. */
const failure = (question: Promise<unknown>): Promise<unknown> => question.then(() => undefined, (error: unknown) => error);

test("signing out takes back questions under way and asks nothing until somebody signs in again", async () => {
  const network = quietNetwork();
  const early = failure(api.session());
  const leaving = api.logout();
  assert.equal(await early instanceof Unanswered, true);
  assert.equal(await failure(api.session()) instanceof Unanswered, true, "nobody is asked meanwhile");
  assert.deepEqual(network.asked, ["/api/v1/session", "/api/v1/auth/logout"]);
  network.answer();
  await leaving;
  assert.equal(await failure(api.session()) instanceof Unanswered, true, "a page that is not gone yet asks nobody either");
  assert.equal(network.asked.length, 2);
  const late = failure(api.login("owner", "a password"));
  assert.equal(network.asked.length, 3, "the next sign-in asks again");
  const again = api.logout();
  assert.equal(await late instanceof Unanswered, true);
  network.answer();
  await again;
});
