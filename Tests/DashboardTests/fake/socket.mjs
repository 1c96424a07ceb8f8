// The server's half of a WebSocket (RFC 6455), as little as the fake cloud needs: text out, close and ping in.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CLOSE = 8, PING = 9, PONG = 10, TEXT = 1;

function frame(opcode, payload) {
  const size = payload.length;
  const head = size < 126 ? Buffer.from([0x80 | opcode, size])
    : size < 65536 ? Buffer.from([0x80 | opcode, 126, size >> 8, size & 255])
    : Buffer.concat([Buffer.from([0x80 | opcode, 127]), bigEndian(size)]);
  return Buffer.concat([head, payload]);
}

function bigEndian(size) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size));
  return bytes;
}

/** Finishes the handshake on a raw socket; the answer sends texts, closes with a code, and tells when the peer is gone. */
export function upgrade(request, socket, onGone) {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  let gone = false;
  const leave = () => { if (!gone) { gone = true; onGone(); } };
  let held = Buffer.alloc(0);
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    for (;;) {
      if (held.length < 2) return;
      const size = held[1] & 127, masked = (held[1] & 128) !== 0;
      const whole = 2 + (masked ? 4 : 0) + size;
      if (size > 125) return socket.destroy(); // The page sends nothing, so nothing long.
      if (held.length < whole) return;
      const opcode = held[0] & 15;
      const payload = Buffer.from(held.subarray(2 + (masked ? 4 : 0), whole));
      if (masked) for (let i = 0; i < size; i += 1) payload[i] ^= held[2 + (i % 4)];
      held = held.subarray(whole);
      if (opcode === PING) socket.write(frame(PONG, payload));
      if (opcode === CLOSE) { socket.end(frame(CLOSE, payload)); leave(); }
    }
  });
  socket.on("close", leave);
  socket.on("error", leave);
  return {
    send(text) { if (!gone) socket.write(frame(TEXT, Buffer.from(text))); },
    close(code) { if (!gone) { socket.end(frame(CLOSE, Buffer.from([code >> 8, code & 255]))); leave(); } },
    destroy() { socket.destroy(); leave(); },
  };
}
