// Bytes drawn at random, and good ones spoilt at random, over websockets let in and over TCP. Whatever they are, the
// server lives, its log is clean, its data is sound, and no other client waits.
import assert from 'node:assert/strict';
import { randomFrom, seedFromEnv } from '../bulk.mjs';
import { OPCODE, RawHttp, RawSocket, RawTcp, frame } from '../raw.mjs';
import { stage } from '../story.mjs';
import { INPUTS } from '../table.mjs';
import { ROUTES } from '../ways.mjs';

const FUZZ_MS = Number(process.env.FUZZ_MS ?? 3_000);
const ANSWER_MS_MAX = 5_000;
const GROWTH_MB_MAX = 64;
const { server, story, newUser } = await stage({ settings: 'header_timeout_s = 1\nbody_timeout_s = 1\n' });
const olha = await newUser('olha');
const ivan = await newUser('ivan');
const seed = seedFromEnv('FUZZ_SEED');

const { body } = await server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
const [{ after: { id } }] = body.diff.nodes;

/** Everything drawn from one seed: each story has its own, so that one can be told alone. */
function dice(nth) {
  const random = randomFrom(seed + nth);
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];
  const bytes = (most) => Buffer.from(Array.from({ length: below(most) }, () => below(256)));
  return { random, below, pick, bytes };
}

const VALUES = ['null', 'true', '0', '-0', '-0.0', '1e308', '1e400', '5', '2', '-1', '1.5', '99999999999999999999', '""', '"x"', '"\\u0000"',
  '"\\ud83d\\ude00"', '"\\ud800"', '[]', '{}', '[[]]', '["a"]', '[{}]', '{"a":1,"a":1}', `"${id}"`, '"2030-01-01T00:00:00Z"', '"a@b"', 'NaN', '01', "'x'"];
const FIELDS = [...INPUTS, 'type', 'nonsense', '__proto__', ''];

/** A payload that looks like one. */
function payload({ below, pick }) {
  const fields = Array.from({ length: below(5) }, () => `"${pick(FIELDS)}":${pick(VALUES)}`);
  return below(10) === 0 ? pick(VALUES) : `{${fields.join(',')}}`;
}

/** Some of its bytes changed, taken out, doubled or made up. */
function spoil(text, { below, bytes }) {
  let spoilt = Buffer.from(text);
  for (let times = 1 + below(3); times > 0; times--) {
    const [at, length] = [below(spoilt.length + 1), below(8)];
    const [before, rest] = [spoilt.subarray(0, at), spoilt.subarray(at)];
    const way = below(4);
    if (way === 0) spoilt = Buffer.concat([before, rest.subarray(length)]);
    else if (way === 1) spoilt = Buffer.concat([before, rest.subarray(0, length), rest]);
    else if (way === 2) spoilt = Buffer.concat([before, bytes(8), rest]);
    else spoilt = Buffer.concat([before, Buffer.from(rest).fill(below(256), 0, Math.min(1, rest.length)).subarray(0, 1), rest.subarray(1)]);
  }
  return spoilt;
}

const readable = (bytes) => bytes.toString('utf8');

/** Goes on until the time is up; the count of rounds is told with the seed. */
async function forAWhile(what, round) {
  const until = Date.now() + FUZZ_MS;
  let rounds = 0;
  while (Date.now() < until) {
    await round();
    rounds += 1;
  }
  return `${what}: ${rounds} rounds`;
}

/** No other client waits meanwhile. */
async function besides(fuzzing) {
  let going = true;
  let slowestMs = 0;
  const asking = (async () => {
    while (going) {
      const startMs = Date.now();
      assert.equal((await server.rest(ivan, 'GET', '/api/graph')).status, 200);
      slowestMs = Math.max(slowestMs, Date.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const before = server.residentMb();
  const told = await fuzzing().finally(() => (going = false));
  await asking;
  const grownMb = server.residentMb() - before;
  console.log(`${told}, FUZZ_SEED=${seed}; the slowest answer to another took ${slowestMs} ms; memory grew by ${grownMb.toFixed(1)} MB`);
  assert.ok(slowestMs < ANSWER_MS_MAX);
  assert.ok(grownMb < GROWTH_MB_MAX);
  const client = await server.connect(ivan);
  await client.does('node:trash', { id: await client.addNode({ title: 'still here' }) });
  await server.cli('check');
  assert.doesNotMatch(server.log, /panicked|internal error|overflow/);
}

const EVENTS = [...Object.keys(ROUTES), 'presence:update', 'node:drag', 'node:dragend', 'camera:update', 'nonsense'];

/** Sockets by turns; one that was ended is replaced. */
function pool(size, open) {
  const all = Array.from({ length: size });
  return async (nth) => {
    if (!all[nth % size] || all[nth % size].isOver) all[nth % size] = await open();
    return all[nth % size];
  };
}

// Rules: D6, T5, T17, T18.
story('Packets that look like events, over a websocket: every one that asks for an ack has an answer or ends its connection', () =>
  besides(() => {
    const d = dice(1);
    const sockets = pool(4, () => RawSocket.open(server, olha));
    let nth = 0;
    return forAWhile('events', async () => {
      const round = Array.from({ length: 64 }, () => [d.pick(EVENTS), payload(d)]);
      const socket = await sockets(nth++);
      const late = new Promise((_, reject) => setTimeout(reject, ANSWER_MS_MAX * 2, new Error(`no answer to one of ${JSON.stringify(round)}`)).unref());
      for (const ack of await Promise.race([Promise.all(round.map((one) => socket.ask(...one))), late])) {
        if (ack === null) continue;
        const { ok, error } = JSON.parse(ack);
        assert.ok(ok || /^(bad_request|not_found|forbidden|conflict)\./.test(error), ack);
      }
    });
  }));

story('Packets spoilt at random, and packets of random bytes, over a websocket', () =>
  besides(() => {
    const d = dice(2);
    const sockets = pool(4, () => RawSocket.open(server, olha));
    let nth = 0;
    return forAWhile('packets', async () => {
      const socket = await sockets(nth++);
      for (let count = 16; count > 0; count--) {
        const whole = `42${d.below(100)}["${d.pick(EVENTS)}",${payload(d)}]`;
        const kind = d.below(6);
        if (kind === 0) socket.text(readable(d.bytes(200)));
        else if (kind === 1) socket.write(frame(OPCODE.BINARY, d.bytes(200)));
        else if (kind === 2) socket.text(`${d.below(8)}${d.below(8)}${readable(d.bytes(50))}`);
        else if (kind === 3) socket.text(`45${d.below(3)}-${d.below(9)}["node:add",{"title":{"_placeholder":true,"num":${d.below(3)}}}]`);
        else socket.text(readable(spoil(whole, d)));
      }
      const pong = socket.ask('ws:ping', '{}');
      await Promise.race([pong, new Promise((resolve) => setTimeout(resolve, 200))]);
      if (d.below(4) === 0) socket.close();
    });
  }));

story('Frames of random bytes on a websocket', () =>
  besides(() => {
    const d = dice(3);
    return forAWhile('frames', async () => {
      const sockets = await Promise.all(Array.from({ length: 4 }, () => RawSocket.open(server, olha, { path: d.pick(['/socket.io/', '/ext-socket.io/']) })));
      for (const socket of sockets) {
        for (let count = 1 + d.below(8); count > 0; count--) {
          const options = { fin: d.below(4) > 0, masked: d.below(8) > 0, reserved: d.below(8) === 0 ? d.below(8) : 0 };
          if (d.below(8) === 0) options.length = BigInt(d.below(2 ** 31)) * BigInt(1 + d.below(2 ** 31));
          socket.write(d.below(3) === 0 ? d.bytes(300) : frame(d.below(16), d.bytes(300), options));
        }
      }
      await Promise.race([Promise.all(sockets.map((one) => one.ended)), new Promise((resolve) => setTimeout(resolve, 30))]);
      for (const socket of sockets) socket.close();
    });
  }));

story('Requests spoilt at random, and random bytes, over TCP', () =>
  besides(() => {
    const d = dice(4);
    const routes = Object.values(ROUTES).filter(Boolean);
    return forAWhile('requests', async () => {
      const tcps = Array.from({ length: 8 }, () => new RawTcp(server));
      for (const tcp of tcps) {
        const [method, [path]] = d.pick(routes);
        const sent = payload(d);
        const query = d.below(3) === 0 ? `?${readable(d.bytes(30)).replace(/\s/g, '+')}` : '';
        const head = `${method} ${path}${query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${olha.token}\r\ncontent-length: ${Buffer.byteLength(sent)}`;
        tcp.write(d.below(4) === 0 ? d.bytes(500) : spoil(`${head}\r\n\r\n${sent}`, d));
      }
      await Promise.race([Promise.all(tcps.map((one) => one.ended)), new Promise((resolve) => setTimeout(resolve, 30))]);
      for (const tcp of tcps) tcp.close();
    });
  }));

// Rules: D6, T17, T18.
story('Bodies that look like payloads, over REST: every one has an answer with its class\'s status', () =>
  besides(() => {
    const d = dice(5);
    const routes = Object.values(ROUTES).filter((route) => route && route[0] !== 'GET');
    const https = pool(2, async () => {
      const http = new RawHttp(server);
      await http.connected;
      return http;
    });
    let nth = 0;
    return forAWhile('bodies', async () => {
      const http = await https(nth++);
      const round = Array.from({ length: 32 }, () => [d.pick(routes), d.below(4) === 0 ? readable(spoil(payload(d), d)) : payload(d)]);
      const answers = await Promise.all(round.map(([[method, [path]], sent]) => http.ask(method, path, olha.token, sent)));
      for (const [i, answer] of answers.entries()) {
        assert.ok([200, 400, 403, 404, 409].includes(answer?.status), `${JSON.stringify(round[i])}: ${JSON.stringify(answer)}`);
        assert.equal(JSON.parse(answer.body).ok, answer.status === 200);
      }
    });
  }));
