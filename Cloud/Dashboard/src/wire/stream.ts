// The live stream: one WebSocket that resumes by sequence number, notices a half-open link, and tries again with growing pauses.
import { read, type Shape, WireError } from "./schema";
import * as types from "./types";

/** Two and a half beats missed and some: the socket may look open, but nobody is there. */
export const SILENCE_MS = 10_000;
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 5_000;
/** The cloud's word for "no such session": a browser cannot see the HTTP status of a failed upgrade. */
const CLOSE_SESSION = 4401;

export interface Socket {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number }) => void) | null;
  close(code?: number): void;
}

/** The world around the stream, so that tests can move time and sockets by hand. */
export interface World {
  open(from: number): Socket;
  now(): number;
  /** Runs `body` once after `ms`; the answer stops it. */
  after(ms: number, body: () => void): () => void;
  random(): number;
}

export interface Listener {
  /** The last sequence number taken in. */
  seq(): number;
  /** `gap` asks for a fresh start: something was missed. */
  take(message: types.StreamMessage, receivedAt: number): "ok" | "gap";
  lost(at: number): void;
  sessionOver(): void;
  /** The cloud speaks in shapes that this page does not know: it was upgraded under the page. */
  unreadable(error: WireError): void;
}

const SHAPES: ReadonlyMap<unknown, Shape<types.StreamMessage>> = new Map<unknown, Shape<types.StreamMessage>>([
  ["snap", types.snap], ["resumed", types.resumed], ["delta", types.delta], ["beat", types.beat],
]);

/** Reads one text frame; throws WireError. */
export function messageOf(text: string): types.StreamMessage {
  let value: unknown;
  try { value = JSON.parse(text); } catch { throw new WireError("", "is not JSON"); }
  const type = typeof value === "object" && value !== null ? (value as { readonly type?: unknown }).type : undefined;
  const shape = SHAPES.get(type);
  if (shape === undefined) throw new WireError("type", `is ${JSON.stringify(type)}, not a message of the stream`);
  return read(shape, value);
}

export class Stream {
  private socket: Socket | undefined;
  private stopTimer: (() => void) | undefined;
  private pause = PAUSE_FIRST_MS;
  private ended = false;
  private fresh = false;

  constructor(private readonly world: World, private readonly listener: Listener) {}

  start(): void { this.connect(); }

  /** Ends for good; nothing is called afterwards. */
  stop(): void {
    this.ended = true;
    this.leave();
  }

  /** The page was shown again or the network came back: do not wait out the pause. */
  hurry(): void {
    if (this.ended || this.socket !== undefined) return;
    this.pause = PAUSE_FIRST_MS;
    this.connect();
  }

  private connect(): void {
    this.stopTimer?.();
    const socket = this.world.open(this.fresh ? 0 : this.listener.seq());
    this.fresh = false;
    this.socket = socket;
    socket.onmessage = (event) => this.received(String(event.data));
    socket.onclose = (event) => this.closed(event.code);
    this.watch();
  }

  /** Restarts the clock that tells a half-open socket. */
  private watch(): void {
    this.stopTimer?.();
    this.stopTimer = this.world.after(SILENCE_MS, () => this.retry());
  }

  private received(text: string): void {
    this.watch();
    try {
      const message = messageOf(text);
      if (this.listener.take(message, this.world.now()) === "gap") {
        this.fresh = message.type === "resumed";
        this.retry(PAUSE_FIRST_MS);
        return;
      }
      this.pause = PAUSE_FIRST_MS;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.stop();
      this.listener.unreadable(error);
    }
  }

  private closed(code: number): void {
    this.leave();
    if (code === CLOSE_SESSION) {
      this.ended = true;
      this.listener.sessionOver();
    } else {
      this.retry();
    }
  }

  private retry(after?: number): void {
    this.leave();
    if (this.ended) return;
    if (after === undefined) this.listener.lost(this.world.now());
    const wait = after ?? this.pause * (0.5 + this.world.random() / 2);
    this.pause = Math.min(this.pause * 2, PAUSE_MAX_MS);
    this.stopTimer = this.world.after(wait, () => this.connect());
  }

  private leave(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    const socket = this.socket;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    this.socket = undefined;
    socket.close(1000);
  }
}

/** The browser's own sockets and timers. */
export const browserWorld: World = {
  open(from) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const inner = new WebSocket(`${scheme}//${location.host}/api/v1/stream${from > 0 ? `?from=${from}` : ""}`);
    const socket: Socket = { onmessage: null, onclose: null, close: (code) => inner.close(code) };
    inner.onmessage = (event: MessageEvent<unknown>) => socket.onmessage?.(event);
    inner.onclose = (event) => socket.onclose?.(event);
    return socket;
  },
  now: () => Date.now(),
  after(ms, body) {
    const timer = setTimeout(body, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
