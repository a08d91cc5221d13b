// Connections without a client library: whatever bytes one likes, as fast as one likes.
import { connect } from 'node:net';

const OPEN_MS_MAX = 10_000;
export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

/** A TCP connection; `ended` resolves with all that was received when either side is done. */
export class RawTcp {
  constructor(server) {
    this.received = Buffer.alloc(0);
    this.isOver = false;
    this.tcp = connect({ port: server.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: false });
    this.tcp.on('error', () => {});
    this.tcp.on('data', (chunk) => this.take(chunk));
    this.ended = new Promise((resolve) =>
      this.tcp.on('close', () => {
        this.isOver = true;
        resolve(this.received);
      }),
    );
    this.connected = new Promise((resolve, reject) => {
      this.tcp.once('connect', resolve);
      this.tcp.once('error', reject);
    });
    this.connected.catch(() => {});
  }

  take(chunk) {
    this.received = Buffer.concat([this.received, chunk]);
  }

  write(bytes) {
    if (!this.isOver) this.tcp.write(bytes);
  }

  close() {
    this.tcp.destroy();
  }

  /** Whether the connection ends, by itself, within so long. */
  async endsWithin(ms) {
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, false)));
    return Promise.race([this.ended.then(() => true), late]).finally(() => clearTimeout(timer));
  }
}

/** A kept-alive HTTP connection. Requests may be sent without waiting; answers come in their order. */
export class RawHttp extends RawTcp {
  #waiting = [];

  take(chunk) {
    super.take(chunk);
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.received.toString('latin1', 0, end);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (this.received.length < end + 4 + length) return;
      const body = this.received.toString('utf8', end + 4, end + 4 + length);
      this.received = this.received.subarray(end + 4 + length);
      this.#waiting.shift()?.({ status: Number(head.slice(9, 12)), body });
    }
  }

  /** Resolves with {status, body}; with null if the connection ends before. */
  async ask(method, path, token, body) {
    const head = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1', `authorization: Bearer ${token}`];
    if (body !== undefined) head.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`);
    const answer = new Promise((resolve) => this.#waiting.push(resolve));
    this.write(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
    return Promise.race([answer, this.ended.then(() => null)]);
  }
}

/** A client's frame. The mask is all zeros, which is a mask like any other. */
export function frame(opcode, payload, { fin = true, masked = true, reserved = 0, length } = {}) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const size = length ?? BigInt(body.length);
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (size < 126n) head.push(mask | Number(size));
  else if (size < 65_536n) head.push(mask | 126, Number(size >> 8n), Number(size & 255n));
  else {
    head.push(mask | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((size >> shift) & 255n));
  }
  if (masked) head.push(0, 0, 0, 0);
  return Buffer.concat([Buffer.from(head), body]);
}

/** A websocket that has been let in, or may be; `texts` are the packets it was sent. */
export class RawSocket extends RawTcp {
  #open = false;
  #chunks = [];
  #waiting = new Map();
  #nextAck = 0;
  texts = [];

  /** Opens a websocket up to `connected` with ok true. */
  static async open(server, user, { path = '/socket.io/' } = {}) {
    const socket = await RawSocket.to(server, `${path}?EIO=4&transport=websocket`, [`authorization: Bearer ${user.token}`]);
    const welcomed = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not let in: ${socket.received.toString().slice(0, 300)}`)), OPEN_MS_MAX);
      socket.onText = (text) => {
        if (!text.startsWith('42["connected",{"ok":true')) return;
        clearTimeout(timer);
        socket.onText = null;
        resolve();
      };
    });
    socket.text('40');
    await welcomed;
    return socket;
  }

  /** Asks for a websocket with headers of one's own, and does not wait for what comes of it. */
  static async to(server, path, headers) {
    const socket = new RawSocket(server);
    await socket.connected;
    const head = [`GET ${path} HTTP/1.1`, 'host: 127.0.0.1', 'upgrade: websocket', 'connection: Upgrade'];
    head.push('sec-websocket-version: 13', 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', ...headers);
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    return socket;
  }

  /** Waits for a packet that begins so; null if the connection ends before. */
  async hears(start) {
    const heard = new Promise((resolve) => {
      const look = (text) => text.startsWith(start) && resolve(text);
      this.onText = look;
      this.texts.forEach(look);
    });
    return Promise.race([heard, this.ended.then(() => null)]);
  }

  take(chunk) {
    if (!this.#open) {
      super.take(chunk);
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#open = true;
      chunk = this.received.subarray(end + 4);
      this.received = Buffer.alloc(0);
    }
    this.#chunks.push(chunk);
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const read = readFrame(bytes);
      if (!read) break;
      bytes = bytes.subarray(read.size);
      this.#got(read.opcode, read.payload);
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
  }

  #got(opcode, payload) {
    if (opcode === OPCODE.PING) return this.write(frame(OPCODE.PONG, payload));
    if (opcode === OPCODE.CLOSE) return this.tcp.end();
    if (opcode !== OPCODE.TEXT) return undefined;
    const text = payload.toString();
    if (text === '2') return this.text('3');
    const ack = /^43(\d+)\[/.exec(text);
    if (ack) {
      const id = Number(ack[1]);
      this.#waiting.get(id)?.(text.slice(ack[0].length, -1));
      return this.#waiting.delete(id);
    }
    this.texts.push(text);
    return this.onText?.(text);
  }

  text(packet) {
    this.write(frame(OPCODE.TEXT, packet));
  }

  /** What the ack of that number will hold, as text; null if the connection ends before. */
  acked(id) {
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    return Promise.race([answer, this.ended.then(() => null)]);
  }

  /** Sends an event with its payload's very text, and resolves with the text of its ack. */
  ask(event, payload) {
    const id = this.#nextAck++;
    this.text(`42${id}["${event}",${payload}]`);
    return this.acked(id);
  }
}

function readFrame(bytes) {
  if (bytes.length < 2) return null;
  const [opcode, short] = [bytes[0] & 15, bytes[1] & 127];
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return null;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < head + length) return null;
  return { opcode, payload: bytes.subarray(head, head + length), size: head + length };
}
