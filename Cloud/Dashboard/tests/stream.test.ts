// The stream's life with time and sockets moved by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../src/wire/schema";
import { messageOf, SILENCE_MS, type Socket, Stream, type World } from "../src/wire/stream";
import type { StreamMessage } from "../src/wire/types";
import { at } from "./builders";

class FakeSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  closed = false;
  constructor(readonly from: number) {}
  close(): void { this.closed = true; }
  say(message: StreamMessage): void { this.onmessage?.({ data: JSON.stringify(message) }); }
  fall(code = 1006): void { this.onclose?.({ code }); }
}

/** A world with one pending timer at a time, fired by hand. */
class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  timer: { readonly ms: number; readonly body: () => void } | undefined;
  readonly log: string[] = [];
  last = 0;
  answer: "ok" | "gap" = "ok";
  readonly stream = new Stream(this, {
    seq: () => this.last,
    take: (message) => {
      if (this.answer === "ok") this.last = message.seq;
      return this.answer;
    },
    lost: () => this.log.push("lost"),
    sessionOver: () => this.log.push("over"),
    unreadable: (error) => this.log.push(`unreadable ${error.path}`),
  });
  open(from: number): Socket {
    const socket = new FakeSocket(from);
    this.sockets.push(socket);
    return socket;
  }
  now(): number { return 0; }
  random(): number { return 1; }
  after(ms: number, body: () => void): () => void {
    const timer = { ms, body };
    this.timer = timer;
    return () => { if (this.timer === timer) this.timer = undefined; };
  }
  fire(): number {
    const timer = this.timer;
    if (timer === undefined) throw new Error("no timer runs");
    this.timer = undefined;
    timer.body();
    return timer.ms;
  }
  get socket(): FakeSocket {
    const socket = this.sockets[this.sockets.length - 1];
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }
}

const beat = (seq: number): StreamMessage => ({ type: "beat", seq, at: at() });

test("the first socket asks for everything, the next one from the last number", () => {
  const world = new FakeWorld();
  world.stream.start();
  assert.equal(world.socket.from, 0);
  world.socket.say({ type: "snap", seq: 41, at: at(), put: {} });
  world.socket.fall();
  assert.deepEqual(world.log, ["lost"]);
  world.fire();
  assert.equal(world.socket.from, 41);
});

test("pauses double up to five seconds and start anew after a message", () => {
  const world = new FakeWorld();
  world.stream.start();
  const pauses: number[] = [];
  for (let index = 0; index < 7; index += 1) {
    world.socket.fall();
    pauses.push(world.fire());
  }
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  world.socket.say(beat(0));
  world.socket.fall();
  assert.equal(world.fire(), 250);
});

test("a socket that says nothing for ten seconds counts as lost", () => {
  const world = new FakeWorld();
  world.stream.start();
  assert.equal(world.timer?.ms, SILENCE_MS);
  world.fire();
  assert.deepEqual(world.log, ["lost"]);
  assert.equal(world.socket.closed, true);
  world.fire();
  assert.equal(world.sockets.length, 2);
});

test("each message restarts the silence clock", () => {
  const world = new FakeWorld();
  world.stream.start();
  const before = world.timer;
  world.socket.say(beat(0));
  assert(world.timer !== before && world.timer?.ms === SILENCE_MS);
});

test("4401 ends it for good; nothing is tried again", () => {
  const world = new FakeWorld();
  world.stream.start();
  world.socket.fall(4401);
  assert.deepEqual(world.log, ["over"]);
  assert.equal(world.timer, undefined);
  world.stream.hurry();
  assert.equal(world.sockets.length, 1);
});

test("a gap reconnects from the last good number without calling it a loss", () => {
  const world = new FakeWorld();
  world.stream.start();
  world.socket.say({ type: "snap", seq: 7, at: at(), put: {} });
  world.answer = "gap";
  world.socket.say({ type: "delta", seq: 9, at: at() });
  assert.deepEqual(world.log, []);
  world.fire();
  assert.equal(world.socket.from, 7);
});

test("an answer that resumes from a wrong place asks for everything", () => {
  const world = new FakeWorld();
  world.last = 7;
  world.stream.start();
  world.answer = "gap";
  world.socket.say({ type: "resumed", seq: 9, at: at(), from: 5 });
  world.fire();
  assert.equal(world.socket.from, 0);
});

test("a message of an unknown shape stops the stream and names the place", () => {
  const world = new FakeWorld();
  world.stream.start();
  world.socket.onmessage?.({ data: JSON.stringify({ type: "beat", seq: "x", at: at() }) });
  assert.deepEqual(world.log, ["unreadable seq"]);
  assert.equal(world.timer, undefined);
});

test("stop is final: late events of the old socket reach nobody", () => {
  const world = new FakeWorld();
  world.stream.start();
  const socket = world.socket;
  world.stream.stop();
  socket.fall();
  socket.say(beat(3));
  assert.deepEqual(world.log, []);
  assert.equal(world.last, 0);
  assert.equal(world.timer, undefined);
});

test("hurry does not wait out the pause, and leaves an open socket alone", () => {
  const world = new FakeWorld();
  world.stream.start();
  world.stream.hurry();
  assert.equal(world.sockets.length, 1);
  world.socket.fall();
  world.stream.hurry();
  assert.equal(world.sockets.length, 2);
});

test("what is not JSON, not an object or of an unknown type is a WireError", () => {
  for (const text of ["", "{", "null", "[]", "3", '{"type":"hello"}', '{"type":"constructor"}', '{"type":7}']) {
    let error: unknown;
    try { messageOf(text); } catch (thrown) { error = thrown; }
    assert(error instanceof WireError, text);
  }
});
