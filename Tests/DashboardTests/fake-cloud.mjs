// A pretended cloud node for design and for the browser tests: serves the built dashboard and the API of Cloud/Dashboard/API.md.
// node fake-cloud.mjs [--port 0] [--dist DIR] [--samples DIR] [--seed N] [--while-stdin]; prints "listening on 127.0.0.1:PORT". Sign in as admin / tidewire-demo.
// POST /fake/turn {silent|gatewayGone|delayed|refuse|expire|lost|ttlMs|flat|unheard|mode|backlog|clockSkewMs|behind|still|notice|clearNotices}, /fake/end-sessions, /fake/drop {ms}, /fake/reset; GET /fake/log.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { upgrade } from "./fake/socket.mjs";
import { World } from "./fake/world.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const dist = option("dist", join(here, "../../deploy/web/dist"));
const samples = option("samples", join(here, "../Fixtures/api"));
const world = new World(samples, { seed: Number(option("seed", "7")) });

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".map": "application/json" };
const PASSWORD = "tidewire-demo", TRIES_MAX = 10, BODY_MAX = 65_536;

const sessions = new Set(), streams = new Set(), sockets = new Set();
let tries = 0, downUntil = 0;

class Problem extends Error {
  constructor(sample, change = {}) { super(sample); this.body = { ...world.read(`problem-${sample}`), ...change }; }
}

function cookieOf(request) { return /(?:^|; )tidewire=([^;]+)/.exec(request.headers.cookie ?? "")?.[1]; }
function isOwnPage(request) { return request.headers.origin === undefined || request.headers.origin === `http://${request.headers.host}`; }
function signedIn(request) { return sessions.has(cookieOf(request)); }

function json(response, status, body, headers = {}) {
  const problem = status >= 400;
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, { "Content-Length": Buffer.byteLength(text), "Content-Type": problem ? "application/problem+json" : "application/json", "Cache-Control": "no-store", "Content-Security-Policy": CSP, ...headers });
  response.end(text);
}

async function bodyOf(request) {
  let whole = "";
  for await (const chunk of request) {
    whole += chunk;
    if (whole.length > BODY_MAX) throw new Problem("not-json", { status: 413, title: "The body is too large" });
  }
  if (whole === "") return {};
  try { return JSON.parse(whole); } catch { throw new Problem("not-json"); }
}

function login(body, response) {
  if (tries >= TRIES_MAX) throw new Problem("too-many-tries");
  if (body.username !== "admin" || body.password !== PASSWORD) { tries += 1; throw new Problem("wrong-credentials"); }
  tries = 0;
  const id = randomUUID();
  sessions.add(id);
  json(response, 200, { ...world.read("auth-login"), expiresAt: world.stamp(world.now() + 43_200_000) }, { "Set-Cookie": `tidewire=${id}; HttpOnly; SameSite=Strict; Path=/` });
}

/** A write: one effect a key, the same answer when asked again. */
function write(request, response, path, body, act) {
  const key = (request.headers["idempotency-key"] ?? "").replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/.test(key)) throw new Problem("not-json", { type: "/problems/key-missing", title: "The Idempotency-Key is missing" });
  world.log.push({ path, key, body });
  const text = path + JSON.stringify(body);
  const before = world.answers.get(key);
  if (before !== undefined && before.text !== text) throw new Problem("key-reused");
  if (before === undefined) {
    const expiresAt = act(key);
    world.answers.set(key, { text, answer: { commandId: key, state: "queued", ...(expiresAt === undefined ? {} : { expiresAt }) } });
  }
  json(response, 202, world.answers.get(key).answer);
}

function placeOrder(request, response, path, body) {
  write(request, response, path, body, (key) => {
    if (world.scenario.silent) throw new Problem("edge-silent");
    if (world.edge.halt.level !== "NONE") throw new Problem("halted");
    const { quantity, opening, closing, side } = world.preview(body);
    if (body.confirmed !== undefined && Number(quantity) > Number(body.confirmed.quantity)) throw new Problem("changed-since-confirmed");
    const title = opening === "0" ? `Close ${closing} MBTZ6` : `${side === "BUY" ? "Long" : "Short"} ${opening} MBTZ6`;
    return world.command(key, "order", title, () => world.trade(side, Number(quantity), key, opening === "0" ? undefined : body.trailingStop));
  });
}

function ledger(query) {
  const kinds = query.get("kind")?.split(",").filter(Boolean) ?? [], follow = query.get("follow") ?? "", before = Number(query.get("before") ?? Infinity), limit = Number(query.get("limit") ?? 100);
  const from = query.has("from") ? Number(query.get("from")) : undefined;
  const all = world.rows.entries;
  const family = new Set([follow, ...world.rows.orders.filter((order) => order.parent === follow || order.command === follow).map((order) => order.id)]);
  const commands = new Set(world.rows.orders.filter((order) => family.has(order.id)).map((order) => order.command));
  const matches = all.filter((entry) => entry.seq < before && entry.seq >= (from ?? 0) && (kinds.length === 0 || kinds.includes(entry.kind)) && (follow === "" || family.has(entry.order) || entry.command === follow || (entry.order === undefined && commands.has(entry.command))));
  const entries = from === undefined ? matches.slice(-limit) : matches.slice(0, limit);
  return { edge: world.edge.id, head: { seq: world.ledgerSeq, hash: all[all.length - 1].hash }, announced: world.ledgerSeq + world.edge.backlog, entries, older: from === undefined && matches.length > entries.length, newer: from !== undefined && matches.length > entries.length, kinds: [...new Set(all.map((entry) => entry.kind))].sort(), asOf: world.stamp() };
}

/** The newest bars, or those from a time on; oldest first, at most 1,500. */
function candles(query) {
  const instrument = query.get("instrument"), limit = Math.min(1500, Number(query.get("limit") ?? 1500)), from = query.get("from");
  if (!world.rows.instruments.some((row) => row.id === instrument)) throw new Problem("not-found", { type: "/problems/not-watched", title: "Nobody watches this instrument" });
  if (instrument !== "MBTZ6.CME") return { instrument, timeframe: "1m", source: "live", candles: [] };
  const held = from === null ? world.history.slice(-limit) : world.history.filter((candle) => Date.parse(candle.time) >= Date.parse(from)).slice(0, limit);
  return { instrument, timeframe: "1m", source: "live", candles: held, oldest: world.history[0].time, asOf: world.stamp() };
}

function quote(instrument) {
  const found = world.rows.quotes.find((row) => row.instrument === instrument);
  if (found === undefined) throw new Problem("not-found", { type: "/problems/not-watched", title: "Nobody watches this instrument" });
  return found;
}

const LISTS = { accounts: "accounts", positions: "positions", orders: "orders", fills: "fills", bots: "bots" };

function read(path, query) {
  const list = LISTS[path.slice(1)];
  if (list !== undefined) {
    const rows = world.rows[list].filter((row) => path !== "/orders" || query.get("working") !== "true" || row.working);
    return { [list]: path === "/orders" || path === "/fills" ? [...rows].sort((a, b) => b.seq - a.seq) : rows, serverTime: world.stamp() };
  }
  if (path === "/edges") return { edges: world.rows.edges, refusals: world.rows.refusals, serverTime: world.stamp() };
  if (path === "/market/instruments") return { instruments: world.rows.instruments, serverTime: world.stamp() };
  if (path === "/market/candles") return candles(query);
  if (path.startsWith("/market/quotes/")) return quote(decodeURIComponent(path.slice(15)));
  if (path === "/ledger") return ledger(query);
  const command = /^\/commands\/(.+)$/.exec(path);
  return command === null ? undefined : world.rows.commands.find((row) => row.id === command[1]);
}

async function api(request, response, path, query) {
  if (path === "/session") {
    const user = { name: "admin", role: "admin" };
    return json(response, 200, { signedIn: signedIn(request), ...(signedIn(request) ? { user, expiresAt: world.stamp(world.now() + 43_200_000) } : {}), serverTime: world.stamp(), version: "0.1.0" });
  }
  // A page of another origin may neither write nor listen: its Origin header gives it away.
  if (request.method !== "GET" && !isOwnPage(request)) throw new Problem("not-signed-in", { type: "/problems/wrong-origin", title: "Another site asked", status: 403 });
  if (path === "/auth/login") return login(await bodyOf(request), response);
  if (!signedIn(request)) throw new Problem("not-signed-in");
  if (path === "/auth/logout") {
    endSession(cookieOf(request));
    return json(response, 204, undefined, { "Set-Cookie": "tidewire=; Max-Age=0; Path=/" });
  }
  if (request.method === "GET") {
    const found = read(path, query);
    if (found === undefined) throw new Problem("not-found");
    return json(response, 200, found);
  }
  const body = await bodyOf(request);
  if (path === "/orders:preview") return json(response, 200, world.preview(body));
  if (path === "/orders") return placeOrder(request, response, path, body);
  if (path === "/kill") return write(request, response, path, body, (key) => world.command(key, "kill", `Kill switch: ${body.level}`, () => world.halt(body.level, body.reason), { fills: false, ttl: false }));
  const cancel = /^\/orders\/(.+)\/cancel$/.exec(path);
  if (cancel !== null) return write(request, response, path, body, (key) => world.command(key, "cancel", "Cancel an order", () => world.cancel(decodeURIComponent(cancel[1])), { fills: false }));
  const withdraw = /^\/commands\/(.+)\/withdraw$/.exec(path);
  if (withdraw !== null) return write(request, response, path, body, (key) => world.command(key, "withdraw", "Take back", () => world.takenBack(withdraw[1]), { fills: false }));
  if (/^\/positions\/.+\/close$/.test(path)) {
    return write(request, response, path, body, (key) => {
      const { quantity, side } = world.preview({ side: "CLOSE" });
      return world.command(key, "close", `Close ${quantity} MBTZ6`, () => world.trade(side, Number(quantity), key));
    });
  }
  throw new Problem("not-found");
}

function file(response, path) {
  const wanted = normalize(path === "/" ? "/index.html" : path);
  const full = join(dist, wanted);
  if (!full.startsWith(dist) || !existsSync(full)) return json(response, 404, world.read("problem-not-found"));
  const cache = wanted.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  const headers = { "Content-Type": TYPES[extname(full)] ?? "application/octet-stream", "Cache-Control": cache, "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff" };
  const zipped = existsSync(`${full}.gz`);
  response.writeHead(200, zipped ? { ...headers, "Content-Encoding": "gzip" } : headers);
  response.end(readFileSync(zipped ? `${full}.gz` : full));
}

/** The strings of the play. */
async function fake(request, response, path) {
  const body = await bodyOf(request);
  if (path === "/fake/turn") world.turn(body);
  if (path === "/fake/reset") { world.reset(); tries = 0; for (const stream of streams) stream.destroy(); }
  if (path === "/fake/end-sessions") for (const id of [...sessions]) endSession(id);
  // The answer goes out first: its own connection falls with the others.
  if (path === "/fake/drop") response.on("finish", () => { downUntil = Date.now() + (body.ms ?? 3000); for (const socket of sockets) socket.destroy(); });
  json(response, 200, path === "/fake/log" ? world.log : {});
}

function endSession(id) {
  sessions.delete(id);
  for (const stream of streams) if (stream.session === id) stream.close(4401);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  const work = pathname.startsWith("/fake/") ? fake(request, response, pathname)
    : pathname.startsWith("/api/v1/") ? api(request, response, pathname.slice(7), searchParams)
    : Promise.resolve(file(response, pathname));
  work.catch((error) => {
    if (error instanceof Problem) json(response, error.body.status, error.body);
    else { console.error(error); json(response, 500, { type: "about:blank", title: "The fake cloud broke", status: 500, detail: String(error) }); }
  });
});

server.on("connection", (socket) => {
  // Down means down, for the strings of the play too; it comes back by its own clock.
  if (Date.now() < downUntil) return socket.destroy();
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
});

server.on("upgrade", (request, socket) => {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  if (pathname !== "/api/v1/stream") return socket.destroy();
  const listener = (message) => stream.send(JSON.stringify(message));
  const stream = upgrade(request, socket, () => { streams.delete(stream); world.listeners.delete(listener); });
  if (!signedIn(request) || !isOwnPage(request)) return stream.close(4401);
  stream.session = cookieOf(request);
  streams.add(stream);
  for (const message of world.greeting(Number(searchParams.get("from") ?? 0))) listener(message);
  world.listeners.add(listener);
});

// A test that dies takes its fake cloud along: the pipe to it closes.
if (process.argv.includes("--while-stdin")) process.stdin.on("end", () => process.exit(0)).resume();
setInterval(() => world.step(), 200);
setInterval(() => { world.edgeBeat(); for (const stream of streams) stream.send(JSON.stringify(world.beat())); }, 2000);
server.listen(Number(option("port", "0")), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
