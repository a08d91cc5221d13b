// A server that does what a test says, over the official Socket.IO server: to answer late, twice or not at all.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

export const WELCOME = { ok: true, uid: 'u1', client: 'api', serverTime: '2026-01-01T00:00:00Z' };
export const EMPTY = { ok: true, rev: 0, nodes: [], links: [], trace_id: '0'.repeat(12) };

export class Fake {
  /** `welcomes(socket)` answers a connection; `asked(event, payload, ack, socket)` is told of every request; `rest(request, body)` answers HTTP. */
  static async start({ welcomes = () => WELCOME, asked = () => {}, rest = () => [200, EMPTY] } = {}) {
    const fake = new Fake();
    Object.assign(fake, { welcomes, asked, rest, requests: [], sockets: [] });
    fake.http = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      fake.requests.push({ method: request.method, url: request.url, headers: request.headers, body: body ? JSON.parse(body) : null });
      const answer = await fake.rest(request, fake.requests.at(-1));
      if (!answer) return request.socket.destroy();
      const [status, sent] = answer;
      response.writeHead(status, { 'content-type': 'application/json' }).end(typeof sent === 'string' ? sent : JSON.stringify(sent));
    });
    fake.io = new Server(fake.http);
    fake.io.on('connection', (socket) => {
      fake.sockets.push(socket);
      socket.onAny((event, payload, ack) => fake.asked(event, payload, ack, socket));
      const welcome = fake.welcomes(socket);
      if (welcome) socket.emit('connected', welcome);
    });
    await new Promise((resolve) => fake.http.listen(0, '127.0.0.1', resolve));
    fake.url = `http://127.0.0.1:${fake.http.address().port}`;
    return fake;
  }

  /** The connection breaks, without a word. */
  break() {
    for (const socket of this.sockets.splice(0)) socket.conn.close();
  }

  async stop() {
    await this.io.close();
  }
}

export const diffOf = (rev, nodes = [], batchId = `b${rev}`) => ({ batchId, rev, actor: null, ts: '', nodes, links: [], user: [], access: [] });
export const added = (id) => ({ op: 0, before: {}, after: { id, title: id, version: 1 } });

/** Resolves when `is` gives something. */
export async function until(is, what = is.toString()) {
  for (const end = Date.now() + 5000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 5))) {
    const got = is();
    if (got) return got;
  }
  throw new Error(`never came: ${what}`);
}
