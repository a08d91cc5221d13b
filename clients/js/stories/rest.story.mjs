// Plain HTTP: the right status, JSON whatever happens, and a trace to ask about.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { HTTP_STATUS, isRefusal, isTraceId } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();

// Rules: T15.
story('Anyone may ask for the server\'s health', async () => {
  const { status, body } = await server.rest(null, 'GET', '/api/health');
  assert.equal(status, 200);
  assert.deepEqual([body.ok, body.status], [true, 'up']);
});

for (const [method, path, body] of [
  ['GET', '/api/graph'],
  ['GET', '/api/trash'],
  ['POST', '/api/node', { title: 'graffiti' }],
  ['POST', '/api/link', { source: '1', target: '2' }],
  ['POST', '/api/node/publish', { id: '1' }],
]) {
  // Rules: T12, T15.
  story(`${method} ${path} without a token, or with one that is not, is 401 unauthorized`, async () => {
    for (const token of [null, 'st_nobody', 'x']) {
      const answer = await server.rest(token, method, path, body);
      assert.equal(answer.status, 401);
      isRefusal(answer.body, 'unauthorized');
      assert.equal(answer.headers.get('x-trace-id'), answer.body.trace_id);
    }
  });
}

// Rules: T10, T12.
story('A token under another scheme than Bearer is 401', async () => {
  const olha = await newUser('olha');
  const answer = await fetch(`${server.url}/api/graph`, { headers: { authorization: `Basic ${olha.token}` } });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
});

// Rules: T2.
story('A path that is not is 404, a method that is not 405, both in JSON', async () => {
  const olha = await newUser('olha');
  for (const [method, path, error, expected] of [
    ['GET', '/api/nothing', 'not_found.route', 404],
    ['POST', '/api/node/nothing', 'not_found.route', 404],
    ['PATCH', '/api/node', 'not_found.method', 405],
    ['POST', '/api/graph', 'not_found.method', 405],
    ['DELETE', '/api/health', 'not_found.method', 405],
  ]) {
    const { status, body, headers } = await server.rest(olha, method, path);
    assert.equal(status, expected, `${method} ${path}`);
    isRefusal(body, error);
    assert.match(headers.get('content-type'), /^application\/json/);
  }
});

// Rules: T1, O25.
story('What stands in the query string of a change is refused, and not passed over: a purge of one is no purge of all', async () => {
  const olha = await newUser('olha');
  const { body } = await server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
  const { id } = body.diff.nodes[0].after;
  await server.rest(olha, 'POST', '/api/node/trash', { id });
  for (const [method, path] of [['DELETE', `/api/trash?ids=${crypto.randomUUID()}`], ['POST', '/api/node?title=x'], ['DELETE', '/api/trash?']]) {
    const answer = await server.rest(olha, method, path);
    if (path.endsWith('?')) assert.equal(answer.status, 200, 'an empty query is none');
    else isRefusal(answer.body, 'bad_request.malformed_json');
    const trash = (await server.rest(olha, 'GET', '/api/trash')).body.nodes;
    assert.equal(trash.length, path.endsWith('?') ? 0 : 1, path);
  }
});

// Rules: T16.
story('A success carries its trace in the body and in X-Trace-Id, each its own', async () => {
  const olha = await newUser('olha');
  const seen = new Set();
  for (let i = 0; i < 5; i++) {
    const { status, headers, body } = await server.rest(olha, 'GET', '/api/graph');
    assert.equal(status, 200);
    isTraceId(body.trace_id);
    assert.equal(headers.get('x-trace-id'), body.trace_id);
    seen.add(body.trace_id);
  }
  assert.equal(seen.size, 5);
});

/** Sends `bytes` of body and resolves with the answer, though the server need not read it all. */
function sendBytes(token, bytes) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': bytes };
    const call = request(`${server.url}/api/node`, { method: 'POST', headers });
    let answered = false;
    call.on('response', (answer) => {
      answered = true;
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(text) }));
    });
    call.on('error', (error) => answered || reject(error));
    call.end(`{"title": "${'x'.repeat(bytes - 13)}"}`);
  });
}

// Rules: R9.
story('A body over 1 MiB is 413 payload_too_large; one just under it is read', async () => {
  const olha = await newUser('olha');
  const over = await sendBytes(olha.token, 1024 * 1024 + 1);
  assert.equal(over.status, HTTP_STATUS.payload_too_large);
  isRefusal(over.body, 'payload_too_large');
  const under = await sendBytes(olha.token, 1024 * 1024);
  assert.equal(under.status, 400);
  isRefusal(under.body, 'bad_request.title_too_long');
});

// Rules: T1.
story('A task\'s whole life over plain HTTP: made, changed, trashed, restored, trashed, deleted with a body', async () => {
  const olha = await newUser('olha');
  const does = async (method, path, payload) => {
    const { status, body } = await server.rest(olha, method, path, payload);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.ok, true);
    return body;
  };
  const id = (await does('POST', '/api/node', { title: 'Roof' })).diff.nodes[0].after.id;
  const changed = await does('PUT', '/api/node', { id, title: 'New roof', status: 1 });
  assert.deepEqual(changed.diff.nodes.map((entry) => [entry.op, entry.after.version]), [[1, 2], [2, 3]]);
  await does('POST', '/api/node/trash', { id });
  assert.deepEqual((await does('GET', '/api/graph')).nodes, []);
  await does('POST', '/api/node/restore', { id });
  const [node] = (await does('GET', '/api/graph')).nodes;
  assert.deepEqual([node.title, node.status], ['New roof', 1]);
  await does('POST', '/api/node/trash', { id });
  await does('DELETE', '/api/node', { id });
  assert.deepEqual((await does('GET', '/api/trash')).nodes, []);
});
