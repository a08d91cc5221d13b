// A client against a server that breaks, refuses, limits and forgets.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { connect, ConnectionLost, isRefusal, Refusal } from '../dist/index.js';
import { added, diffOf, EMPTY, Fake, until, WELCOME } from './fake.mjs';

const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
after(() => assert.deepEqual(unhandled, [], 'no rejection was left unhandled'));

/** A test with a fake server, and clients that are closed in the end. */
function withFake(name, how, tell) {
  for (const transports of [['websocket'], ['polling']]) {
    test(`${name} (${transports})`, async () => {
      const fake = await Fake.start(how());
      const clients = [];
      const open = async (more = {}) => {
        const client = await connect({ url: fake.url, token: 'st_x', transports, socketOptions: { reconnectionDelay: 10 }, ...more });
        clients.push(client);
        return client;
      };
      try {
        await tell(fake, open);
      } finally {
        for (const client of clients) client.close();
        await fake.stop();
      }
    });
  }
}

// Rules: D7, P25.
withFake('A change is sent again after a lost connection, with the same batchId, and an old diff is not applied', () => {
  const seen = [];
  return {
    seen,
    asked(event, payload, ack, socket) {
      if (event === 'graph:sync') {
        socket.emit('graph:diff', diffOf(1, [added('n1')], seen[0]));
        return ack({ ok: true, rev: 1, recovered: true, trace_id: 'x' });
      }
      seen.push(payload.batchId);
      if (seen.length === 1) return socket.conn.close();
      return ack({ ok: true, replayed: true, diff: diffOf(1, [added('n1')], payload.batchId), rev: 1, trace_id: 'x' });
    },
  };
}, async (fake, open) => {
  const client = await open();
  const changes = [];
  const graph = await client.follow({ onChange: (change) => changes.push(change) });
  const answer = await client.node.add({ title: 'n1' });
  assert.equal(answer.replayed, true);
  await graph.whenLive();
  assert.deepEqual([...graph.nodes.keys()], ['n1']);
  assert.equal(changes.length, 1, 'once, by what was missed');
  const own = '11111111-1111-4111-8111-111111111111';
  const ids = [];
  fake.asked = (event, payload, ack) => (ids.push(payload.batchId), ack({ ok: true, rev: 1 }));
  await client.node.add({ batchId: own });
  await client.node.add({ batchId: null });
  assert.equal(ids[0], own);
  assert.match(ids[1], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

// Rules: D7, T5.
withFake('Everything unanswered is sent again once, in order, and nothing that was answered', () => ({}), async (fake, open) => {
  const client = await open();
  const events = [];
  fake.asked = (event, payload, ack) => (events.push(payload.title ?? event), payload.title === 'b' && ack({ ok: true }));
  const asking = ['a', 'b', 'c', 'd'].map((title) => client.node.add({ title }));
  await asking[1];
  await until(() => events.length === 4);
  fake.asked = (event, payload, ack) => (events.push(payload.title ?? event), ack({ ok: true }));
  fake.break();
  await Promise.all(asking);
  assert.deepEqual(events, ['a', 'b', 'c', 'd', 'a', 'c', 'd']);
});

// Rules: T17, O36.
withFake('A no is a Refusal with all that the server says', () => ({
  asked: (event, payload, ack) => ack({ ok: false, error: 'conflict.dependency_cycle', code: 'dependency_cycle', message: 'No circles.', index: 2, trace_id: 'abc' }),
}), async (_, open) => {
  const client = await open();
  await assert.rejects(client.graph.apply({ operations: [] }), (error) => {
    assert.ok(error instanceof Refusal && error instanceof Error);
    const { name, event, error: named, class: kind, code, message, index, trace_id, retryAfter } = error;
    assert.deepEqual(
      { name, event, named, kind, code, message, index, trace_id, retryAfter },
      { name: 'Refusal', event: 'graph:apply', named: 'conflict.dependency_cycle', kind: 'conflict', code: 'dependency_cycle', message: 'No circles.', index: 2, trace_id: 'abc', retryAfter: undefined },
    );
    assert.ok(isRefusal(error) && isRefusal(error, 'graph:apply') && !isRefusal(error, 'node:add'));
    return true;
  });
});

// Rules: R7.
withFake('A limit is a Refusal with retryAfter, and is waited out by whoever asks for that', () => {
  let asked = 0;
  return { asked: (event, payload, ack) => ack(++asked % 3 ? { ok: false, error: 'rate_limited', message: 'Later.', retryAfter: 0.03 } : { ok: true, rev: asked }) };
}, async (_, open) => {
  const client = await open();
  await assert.rejects(client.node.add({}), (error) => isRefusal(error, 'node:add') && error.class === 'rate_limited' && error.code === undefined && error.retryAfter === 0.03);
  assert.equal((await client.node.add({}, { wait: true })).rev, 3);
  const patient = await open({ wait: true });
  assert.equal((await patient.account.get()).rev, 6);
});

// Rules: T13.
for (const error of ['forbidden.auth_missing', 'forbidden.auth_invalid', 'forbidden.origin', 'forbidden.api_not_allowed']) {
  withFake(`A caller who is refused with ${error} is told so, and not connected again`, () => ({ welcomes: () => ({ ok: false, error, message: 'No.' }) }), async (fake, open) => {
    await assert.rejects(open(), (refusal) => isRefusal(refusal) && refusal.error === error && refusal.event === 'connected');
    const { length } = fake.sockets;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(fake.sockets.length, length);
  });
}

// Rules: R14.
withFake('Who connects too often comes back when the server says', () => {
  let tries = 0;
  return { welcomes: () => (++tries < 3 ? { ok: false, error: 'rate_limited', message: 'Later.', retryAfter: 0.05 } : WELCOME) };
}, async (fake, open) => {
  const start = performance.now();
  const client = await open();
  assert.equal(client.state, 'connected');
  assert.ok(performance.now() - start >= 95, 'after twice 50 ms');
  assert.equal(fake.sockets.length, 3);
});

withFake('A server that disconnects a client is connected to again', () => ({ asked: (event, payload, ack) => ack?.({ ok: true, rev: 7 }) }), async (fake, open) => {
  const client = await open();
  const states = [];
  client.onState((state) => states.push(state));
  fake.sockets[0].disconnect();
  await until(() => states.at(-1) === 'connected');
  assert.deepEqual(states, ['connecting', 'connected']);
  assert.equal((await client.account.get()).rev, 7);
});

// Rules: P24, T13.
withFake('When the token is revoked, all that waits is refused, and so is what comes later', () => ({}), async (fake, open) => {
  const client = await open();
  const graph = await client.follow();
  const waiting = [client.node.add({}), client.account.get()];
  const settled = Promise.allSettled(waiting);
  fake.welcomes = () => ({ ok: false, error: 'forbidden.auth_invalid', message: 'No.' });
  fake.break();
  for (const { reason } of await settled) assert.ok(isRefusal(reason) && reason.error === 'forbidden.auth_invalid');
  assert.equal(client.state, 'closed');
  assert.equal(graph.state, 'closed');
  assert.ok(isRefusal(client.why));
  await assert.rejects(client.node.add({}), isRefusal);
  await assert.rejects(client.graph.snapshot(), isRefusal);
  await assert.rejects(client.follow(), isRefusal);
});

withFake('Whoever aborts is answered at once; nothing is sent again, and a late answer still counts for the graph', () => ({}), async (fake, open) => {
  const client = await open();
  const graph = await client.follow();
  const acks = [];
  fake.asked = (event, payload, ack) => acks.push([event, ack]);
  const [one, two] = [new AbortController(), new AbortController()];
  const adding = client.node.add({}, { signal: one.signal });
  await until(() => acks.length === 1);
  one.abort(new Error('enough'));
  await assert.rejects(adding, /enough/);
  acks[0][1]({ ok: true, diff: diffOf(1, [added('n1')]), rev: 1 });
  await until(() => graph.nodes.has('n1'));
  const getting = client.account.get({}, { signal: two.signal });
  await until(() => acks.length === 2);
  two.abort();
  await assert.rejects(getting, { name: 'AbortError' });
  await assert.rejects(client.account.get({}, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  fake.break();
  await until(() => acks.length === 3);
  assert.equal(acks[2][0], 'graph:sync', 'and nothing else');
});

withFake('What is asked while suspended waits, and closing ends it', () => ({ asked: (event, payload, ack) => ack({ ok: true, rev: 1 }) }), async (fake, open) => {
  const client = await open();
  client.suspend();
  assert.equal(client.state, 'suspended');
  const waiting = client.node.add({});
  client.tell('presence:update', { nodeId: null });
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(fake.sockets.filter((socket) => socket.connected).length, 0);
  const events = [];
  fake.asked = (event, payload, ack) => (events.push(event), ack?.({ ok: true, rev: 1 }));
  client.resume();
  await waiting;
  client.presence.update({ nodeId: null });
  await until(() => events.length === 2);
  assert.deepEqual(events, ['node:add', 'presence:update'], 'what is passed on does not wait');
  client.suspend();
  const lost = client.node.add({});
  client.close();
  client.close();
  client.resume();
  await assert.rejects(lost, ConnectionLost);
  await assert.rejects(client.node.add({}), ConnectionLost);
  assert.equal(client.state, 'closed');
});

// Rules: P21, P22, G12.
withFake('What is no longer kept is loaded anew, and takes the place of the old graph as one change', () => ({
  rest: () => [200, { ...EMPTY, rev: 5, nodes: [{ id: 'n1', version: 1 }, { id: 'n2', version: 1 }] }],
}), async (fake, open) => {
  const client = await open();
  const changes = [];
  const graph = await client.follow({ onChange: (change) => changes.push(change) });
  assert.equal(fake.requests.at(-1).url, '/api/graph/snapshot');
  assert.equal(fake.requests.at(-1).headers.authorization, 'Bearer st_x');
  let socket;
  fake.asked = (event, payload, ack, from) => {
    assert.deepEqual([event, payload], ['graph:sync', { since: 5 }]);
    socket = from;
    ack({ ok: true, rev: 9, recovered: false });
  };
  fake.rest = async () => {
    // One that the snapshot has already, and one that it has not.
    socket.emit('graph:diff', diffOf(9, [added('n3')]));
    socket.emit('graph:diff', diffOf(10, [added('n4')]));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual([...graph.nodes.keys()], ['n1', 'n2'], 'the old one stays until the new one is whole');
    return [200, { ...EMPTY, rev: 9, nodes: [{ id: 'n2', version: 2 }, { id: 'n3', title: 'n3', version: 1 }] }];
  };
  fake.break();
  await graph.whenLive();
  await until(() => changes.length === 2);
  assert.deepEqual([...graph.nodes.keys()], ['n2', 'n3', 'n4']);
  assert.deepEqual(changes[1].nodes, { added: ['n3', 'n4'], changed: ['n2'], removed: ['n1'] });
  assert.equal(graph.rev, 10);
});

// Rules: P36, R7.
withFake('A load that fails for now is tried again, and one that is refused is told', () => {
  let tries = 0;
  return {
    rest: () => (++tries === 1 ? [503, { ok: false, error: 'unavailable', message: 'Busy.', retryAfter: 0.01 }] : [200, EMPTY]),
    asked: (event, payload, ack) => ack(++tries % 2 ? { ok: false, error: 'unavailable', message: 'Busy.', retryAfter: 0.01 } : { ok: true, rev: 3, nodes: [{ id: 'n1' }], links: [], hasMore: false }),
  };
}, async (fake, open) => {
  const client = await open();
  const graph = await client.follow();
  await assert.rejects(client.follow(), /follows the graph already/);
  await graph.reload({ load: 'pages' });
  assert.deepEqual([...graph.nodes.keys()], ['n1']);
  graph.close();
  assert.equal(graph.state, 'closed');
  fake.rest = () => [403, { ok: false, error: 'forbidden.no_permission', message: 'No.' }];
  await assert.rejects(client.follow(), (error) => isRefusal(error) && error.code === 'no_permission');
  fake.rest = () => [200, EMPTY];
  await client.follow();
});

withFake('Events of the server are heard until one lets go', () => ({}), async (fake, open) => {
  const client = await open();
  const heard = [];
  const off = client.on('branch:published', (payload) => heard.push(payload.id));
  fake.sockets[0].emit('branch:published', { id: 'n1' });
  await until(() => heard.length === 1);
  off();
  const last = new Promise((resolve) => client.on('rate_limited', resolve));
  fake.sockets[0].emit('branch:published', { id: 'n2' });
  fake.sockets[0].emit('rate_limited', {});
  await last;
  assert.deepEqual(heard, ['n1']);
});

test('A server that cannot be reached in time is ConnectionLost, and aborting is at once', async () => {
  const start = performance.now();
  await assert.rejects(connect({ url: 'http://127.0.0.1:9', token: 'st_x', timeoutMs: 150 }), (error) => error instanceof ConnectionLost && /not connected in 150 ms: ./.test(error.message));
  await assert.rejects(connect({ url: 'http://127.0.0.1:9', token: 'st_x', signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  assert.ok(performance.now() - start < 2000);
  await assert.rejects(connect({ url: 'http://127.0.0.1:9', token: 'a', session: 'b' }), TypeError);
});

/** Runs a program that may use `connect` and `url`; resolves with how it ended. */
async function run(fake, program) {
  const text = `
    const { connect } = await import('${new URL('../dist/index.js', import.meta.url)}');
    const client = await connect({ url: '${fake.url}', token: 'st_x' });
    ${program}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], { timeout: 5000 });
}

test('A program ends by itself after close', async () => {
  const fake = await Fake.start({ asked: (event, payload, ack) => ack?.({ ok: false, error: 'rate_limited', message: 'Later.', retryAfter: 600 }) });
  const { stdout } = await run(fake, `
    await client.follow();
    client.node.add({}, { wait: true }).catch(() => console.log('given up'));
    setTimeout(() => client.close(), 100);`);
  assert.equal(stdout, 'given up\n');
  await fake.stop();
});

test('What a listener throws is reported as uncaught, and stops neither the client nor other listeners', async () => {
  const fake = await Fake.start({ asked: (event, payload, ack) => ack({ ok: true, diff: diffOf(1, [added('n1')]), rev: 1 }) });
  const { stdout } = await run(fake, `
    process.on('uncaughtException', (error) => console.log(error.message));
    const graph = await client.follow();
    graph.onChange(() => { throw new Error('a bug in a view'); });
    graph.onChange(({ rev }) => console.log('changed to', rev));
    await client.node.add({});
    console.log(graph.nodes.size);
    client.close();`);
  assert.deepEqual(stdout.trim().split('\n'), ['changed to 1', 'a bug in a view', '1']);
  await fake.stop();
});
