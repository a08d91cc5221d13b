// Operations over REST alone, against a server that breaks and refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLost, isRefusal, rest } from '../dist/index.js';
import { EMPTY, Fake } from './fake.mjs';

async function withFake(answers, tell, more = {}) {
  const fake = await Fake.start({ rest: () => answers.shift() });
  const client = rest({ url: fake.url, token: 'st_x', ...more });
  try {
    await tell(client, fake.requests);
  } finally {
    client.close();
    await fake.stop();
  }
}

const OK = [200, { ok: true, rev: 3, trace_id: 'x' }];
const LIMITED = [429, { ok: false, error: 'rate_limited', message: 'Later.', retryAfter: 0.02 }];

// Rules: T1, T10.
test('Reads carry their input in the address, everything else in a JSON body', () =>
  withFake([OK, OK], async (client, requests) => {
    await client.graph.get({ limit: 5, offset: 0 });
    await client.node.update({ id: 'n1', title: 'x' });
    assert.equal(requests[0].method, 'GET');
    assert.equal(requests[0].url, '/api/graph?limit=5&offset=0');
    assert.equal(requests[0].headers.authorization, 'Bearer st_x');
    assert.equal(requests[0].body, null);
    assert.deepEqual([requests[1].method, requests[1].url], ['PUT', '/api/node']);
    assert.deepEqual(requests[1].body, { id: 'n1', title: 'x', batchId: requests[1].body.batchId });
  }));

// Rules: D7.
test('A change whose answer is lost is sent again with the same batchId, also past a proxy that says the server is away', () =>
  withFake([null, [502, '<html>bad gateway</html>'], OK], async (client, requests) => {
    assert.equal((await client.node.add({})).rev, 3);
    assert.equal(requests.length, 3);
    assert.equal(new Set(requests.map(({ body }) => body.batchId)).size, 1);
  }));

test('What cannot be named is not sent twice, and what is no answer of SynapTask is told', () =>
  withFake([null, [404, '<html>not here</html>'], [200, '"text"']], async (client, requests) => {
    await assert.rejects(client.account.logout(), ConnectionLost);
    assert.equal(requests.length, 1);
    await assert.rejects(client.graph.get(), /status 404 with what is not an answer of SynapTask/);
    await assert.rejects(client.graph.get(), /status 200 with what is not/);
    assert.equal(requests.length, 3);
  }));

test('A server that stays away is given up after the patience given', async () => {
  const client = rest({ url: 'http://127.0.0.1:9', patienceMs: 300 });
  await assert.rejects(client.graph.get(), (error) => error instanceof ConnectionLost && error.cause !== undefined);
});

// Rules: R7, T17.
test('A limit is a Refusal, and is waited out by whoever asks for that', async () => {
  await withFake([LIMITED, LIMITED, OK], async (client) => {
    await assert.rejects(client.graph.get(), (error) => isRefusal(error, 'graph:get') && error.retryAfter === 0.02);
    assert.equal((await client.graph.get({}, { wait: true })).rev, 3);
  });
  await withFake([LIMITED, OK], async (client) => assert.equal((await client.graph.get()).rev, 3), { wait: true });
});

test('A call that is aborted, or whose client is closed, is given up at once', () =>
  withFake([null, null, null, null, null, null, null], async (client) => {
    await assert.rejects(client.node.add({}, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
    const waiting = client.node.add({});
    setTimeout(() => client.close(), 20);
    await assert.rejects(waiting, ConnectionLost);
    await assert.rejects(client.node.add({}), ConnectionLost);
  }));

// Rules: T11.
test('A session outside of a browser is the cookie, with the Origin that mutations need', () =>
  withFake([OK], async (client, requests) => {
    await client.node.add({});
    const { cookie, origin, authorization } = requests[0].headers;
    assert.deepEqual([cookie, authorization], ['st_access=secret', undefined]);
    assert.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/);
  }, { token: undefined, session: 'secret' }));

test('A path in front of the server\'s own counts', async () => {
  const fake = await Fake.start({ rest: () => OK });
  await rest({ url: `${fake.url}/tasks/` }).graph.get();
  assert.equal(fake.requests[0].url, '/tasks/api/graph');
  await fake.stop();
});

test('What goes over a connection alone, an address that is none and a name that no operation has are said at once', async () => {
  await assert.rejects(rest({ url: 'http://127.0.0.1:9/' }).call('graph:sync', { since: 1 }), /over a connection alone/);
  await assert.rejects(rest({ url: 'http://127.0.0.1:9/' }).call('node:explode'), /there is no operation node:explode/);
  assert.throws(() => rest({ url: 'not an address' }), /Invalid URL/);
});
