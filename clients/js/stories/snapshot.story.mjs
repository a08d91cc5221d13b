// The whole graph in one answer: at one rev, compressed as asked for, and only if something has changed.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import * as zlib from 'node:zlib';
import { growGraph, randomFrom, seedFromEnv } from '../bulk.mjs';
import { Replica } from '../replica.mjs';
import { isRefusal, isTraceId } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';

const { server, story, newUser } = await stage();
const PATH = '/api/graph/snapshot';
const random = randomFrom(seedFromEnv('SNAPSHOT_SEED'));

/** One HTTP call; resolves with {status, headers, bytes}, the bytes as they were sent. */
function ask(on, user, path, { method = 'GET', ...headers } = {}) {
  if (user) headers.authorization = `Bearer ${user.token}`;
  return new Promise((resolve, reject) => {
    const call = request(on.url + path, { method, headers, agent: false });
    call.on('error', reject);
    call.on('response', (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(chunks) }));
    });
    call.end();
  });
}

async function snapshot(user, query = '') {
  const { status, headers, bytes } = await ask(server, user, PATH + query);
  assert.equal(status, 200, bytes.toString());
  return { tag: headers.etag, ...JSON.parse(bytes) };
}

const byId = (entities) => new Map(entities.map((entity) => [entity.id, entity]));
const sortedIds = (entities) => entities.map(({ id }) => id).sort();

/** Everything, page by page. */
async function pages(user, path = '/api/graph?') {
  const all = { nodes: [], links: [] };
  for (let offset = 0, more = true; more; offset += 500) {
    const { status, body } = await server.rest(user, 'GET', `${path}limit=500&offset=${offset}`);
    assert.equal(status, 200);
    all.nodes.push(...body.nodes);
    all.links.push(...body.links);
    more = body.hasMore;
  }
  return all;
}

function same(got, want) {
  assert.deepEqual(byId(got.nodes), byId(want.nodes));
  assert.deepEqual(byId(got.links), byId(want.links));
}

// Rules: G11, T16.
story('Olha gets her whole graph in one answer, the same as page by page', async () => {
  const olha = await newUser('olha');
  const grower = await server.connect(olha);
  await growGraph([grower], 700, 900, random);
  const { tag, ...got } = await snapshot(olha);
  assert.deepEqual(Object.keys(got), ['ok', 'rev', 'nodes', 'links', 'trace_id']);
  isTraceId(got.trace_id);
  const want = await pages(olha);
  same(got, want);
  assert.deepEqual(got.nodes.map(({ id }) => id), want.nodes.map(({ id }) => id), 'in order of creation');
  assert.equal(got.rev, (await grower.does('graph:get', { limit: 1 })).rev);
  const refusal = await grower.call('graph:snapshot', {});
  isRefusal(refusal, 'not_found.event');
});

// Rules: G12.
story('Diffs put aside during a snapshot and applied after it give the graph, while others edit', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [editor, helper] = [await server.connect(olha), await server.connect(petro)];
  const { nodeIds } = await growGraph([editor], 400, 500, random);
  await editor.does('node:access', { id: nodeIds[0], email: petro.email, level: 2 });
  let editing = true;
  const edits = [editor, helper].map(async (client, nth) => {
    for (let round = 0; editing || round < 30; round += 1) {
      const id = nodeIds[Math.floor(random() * nodeIds.length)];
      await client.call('node:update', { id, title: `${nth} ${round}`, status: [0, 1, 3][round % 3] });
      await client.call('node:add', { title: `new ${nth} ${round}`, target: id });
      if (round % 5 === 0) await client.call('node:trash', { id });
      if (round % 7 === 0) await client.call('node:access', { id, email: petro.email, level: 3 });
    }
  });
  for (let round = 0; round < 5; round += 1) {
    for (const user of [olha, petro]) {
      const watcher = await server.connect(user);
      const { rev, nodes, links } = await snapshot(user);
      const replica = new Replica();
      replica.page({ nodes, links, rev, hasMore: false });
      await watcher.settled();
      const live = await watcher.does('graph:get', { limit: 5000 });
      const later = watcher.all('graph:diff').filter((diff) => diff.rev > rev || (diff.batchId === null && diff.rev === rev));
      for (const diff of later) if (diff.rev <= live.rev) replica.diff(diff);
      const withoutRoots = ({ shareRoots, ...rest }) => rest;
      same(
        { nodes: [...replica.nodes.values()].map(withoutRoots), links: [...replica.links.values()].map(withoutRoots) },
        { nodes: live.nodes.map(withoutRoots), links: live.links.map(withoutRoots) },
      );
      watcher.close();
    }
  }
  editing = false;
  await Promise.all(edits);
});

// Rules: G13, T30, T24.
story('Who has it already is answered 304, until something they see changes', async () => {
  const [olha, petro, ivan] = [await newUser('olha'), await newUser('petro'), await newUser('ivan')];
  const [owner, other] = [await server.connect(olha), await server.connect(ivan)];
  const [root, waits] = [await owner.addNode({ title: 'Roof' }), await owner.addNode({ title: 'Beam', assignee: ['carol@example.org'] })];
  await owner.addLink(waits, root);
  await owner.does('node:access', { id: root, email: petro.email, level: 3, branch: false });
  const { tag } = await snapshot(petro);
  assert.match(tag, /^W\/"[0-9a-f]{32}"$/);
  for (const named of [tag, tag.replace('W/', ''), `"x", ${tag}`, '*']) {
    const again = await ask(server, petro, PATH, { 'if-none-match': named });
    assert.deepEqual([again.status, again.bytes.length, again.headers.etag], [304, 0, tag], named);
    assert.match(again.headers.vary, /accept-encoding/);
    isTraceId(again.headers['x-trace-id']);
  }
  assert.equal((await ask(server, petro, PATH, { 'if-none-match': '"other", W/"x"' })).status, 200);
  const unchanged = async (why) => {
    const { status } = await ask(server, petro, PATH, { 'if-none-match': tag });
    assert.equal(status, 304, why);
  };
  await other.addNode({ title: 'Elsewhere' });
  await unchanged('another user did something');
  await owner.does('node:update', { id: waits, title: 'Rafter', tags: ['secret'] });
  await unchanged('a phantom was edited');
  const known = new Set([tag]);
  const changes = async (why) => {
    const now = await snapshot(petro);
    assert.ok(!known.has(now.tag), why);
    known.add(now.tag);
    const head = await ask(server, petro, PATH, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.etag, head.bytes.length], [200, now.tag, 0]);
  };
  await owner.does('node:update', { id: waits, status: 1 });
  await changes('the phantom has another status');
  await owner.does('node:update', { id: root, title: 'New roof' });
  await changes('the node was edited');
  await owner.does('node:access:update', { id: root, email: petro.email, level: 2 });
  await changes('the access is another');
  await owner.does('node:access:update', { id: root, email: petro.email, branch: true });
  await changes('what was a phantom is seen in full');
  await owner.does('settings:username', { username: `olha-${Date.now() % 1e9}` });
  await changes('the owner has another name');
  const link = (await snapshot(petro)).links[0];
  await owner.does('link:update', { id: link.id, type: 1 });
  await changes('the link is another');
});

// Rules: G11, G8, T15, T22.
story('A snapshot of a branch is what branch:get brings, by id and by public token, without an account too', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const owner = await server.connect(olha);
  const [top, root, below] = [await owner.addNode({}), await owner.addNode({ assignee: ['carol@example.org'] }), await owner.addNode({})];
  await owner.addLink(root, top);
  await owner.addLink(below, root);
  const { diff } = await owner.does('node:publish', { id: root });
  const token = diff.nodes[0].after.publicToken;
  for (const [user, by, ids] of [
    [olha, top, [top, root, below]],
    [olha, root, [root, below]],
    [petro, token, [root, below]],
    [null, token, [root, below]],
  ]) {
    const got = await snapshot(user, `?root=${by}`);
    assert.deepEqual(sortedIds(got.nodes), [...ids].sort());
    same(got, await pages(user, `/api/branch?root=${by}&`));
  }
  const anyone = await snapshot(null, `?root=${token}`);
  assert.deepEqual(anyone.nodes.find(({ id }) => id === root).assignee, ['carol']);
  assert.ok(!JSON.stringify(anyone).includes('@'), 'no email');
  assert.equal((await ask(server, null, `${PATH}?root=${token}`, { 'if-none-match': anyone.tag })).status, 304);
  for (const [user, query, status, error] of [
    [petro, `?root=${root}`, 404, 'not_found.branch_not_found'],
    [petro, '?root=nothing', 404, 'not_found.branch_not_found'],
    [null, '?root=nothing', 404, 'not_found.branch_not_found'],
    [petro, `?root=${'x'.repeat(101)}`, 400, 'bad_request.invalid_node_id'],
    [petro, '?limit=5', 400, 'bad_request.unknown_field'],
    [null, '', 401, 'unauthorized'],
    [null, `?root=${root}`, 401, 'unauthorized'],
  ]) {
    const { status: got, body } = await server.rest(user, 'GET', PATH + query);
    assert.equal(got, status, query);
    isRefusal(body, error);
  }
  await owner.does('node:unpublish', { id: root });
  assert.equal((await ask(server, null, `${PATH}?root=${token}`)).status, 404);
});

const DECODE = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync, zstd: zlib.zstdDecompressSync, undefined: (bytes) => bytes };

// Rules: T30.
story('Large answers are compressed as is asked for, and the same whatever the encoding', async () => {
  const olha = await newUser('olha');
  await growGraph([await server.connect(olha)], 600, 600, random);
  for (const path of [PATH, '/api/graph']) {
    const plain = JSON.parse((await ask(server, olha, path)).bytes);
    for (const [accept, encoding] of [
      ['gzip', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['gzip, br, zstd', 'zstd'],
      ['zstd;q=0, br;q=0.1, gzip;q=0.2', 'gzip'],
      ['identity', undefined],
      ['identity;q=0, *;q=0', undefined],
    ]) {
      const { status, headers, bytes } = await ask(server, olha, path, { 'accept-encoding': accept });
      assert.deepEqual([status, headers['content-encoding']], [200, encoding], accept);
      assert.match(headers.vary, /accept-encoding/);
      if (encoding) assert.ok(bytes.length < JSON.stringify(plain).length / 2, `${accept}: ${bytes.length} bytes`);
      if (encoding === 'zstd') assert.equal(bytes.readUInt32LE(0), 0xfd2fb528, 'a zstd frame');
      const decode = DECODE[encoding];
      if (!decode) continue;
      const { trace_id: _, ...got } = JSON.parse(decode(bytes));
      const { trace_id: __, ...want } = plain;
      assert.deepEqual(got, want, accept);
    }
  }
});

// Rules: T30.
story('An answer that carries a public token is not compressed, and small ones are not', async () => {
  const olha = await newUser('olha');
  const long = { title: 'x'.repeat(80), description: 'y'.repeat(400), tags: Array.from({ length: 32 }, (_, n) => `tag ${n} ${'z'.repeat(30)}`) };
  const call = (method, path, body) =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${olha.token}`, 'accept-encoding': 'gzip' },
      body: JSON.stringify(body),
    });
  const added = await call('POST', '/api/node', long);
  assert.equal(added.headers.get('content-encoding'), 'gzip', 'a long answer without a secret is');
  const { id } = (await added.json()).diff.nodes[0].after;
  for (const [method, body] of [
    ['POST', { id, branch: true }],
    ['PUT', { id, branch: false }],
  ]) {
    const published = await call(method, '/api/node/publish', body);
    assert.equal(published.status, 200);
    assert.equal(published.headers.get('content-encoding'), null, method);
  }
  const small = await call('DELETE', '/api/node/publish', { id: 'no id' });
  assert.deepEqual([small.status, small.headers.get('content-encoding')], [400, null]);
});

// Rules: T25, T30.
storyOnOwnServer('Pages of other origins may name a tag and read it, and caches keep origins and encodings apart', { settings: 'allowed_origins = ["https://app.example"]\n' }, async (own) => {
  const olha = await own.addUser('olha');
  const origin = 'https://app.example';
  const { headers } = await ask(own, olha, PATH, { origin, 'accept-encoding': 'gzip' });
  assert.match(headers['access-control-expose-headers'], /\bETag\b/);
  assert.deepEqual(headers.vary.toLowerCase().split(/, ?/).sort(), ['accept-encoding', 'origin']);
  const before = await ask(own, null, PATH, { method: 'OPTIONS', origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'if-none-match' });
  assert.equal(before.status, 204);
  assert.match(before.headers['access-control-allow-headers'], /\bIf-None-Match\b/);
  const options = await ask(own, null, PATH, { method: 'OPTIONS' });
  assert.deepEqual(options.headers.allow.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS']);
});

// Rules: R19, R7.
for (const who of ['user', 'address']) {
  const options = { limits: 'on' };
  storyOnOwnServer(`Ten snapshots in ten seconds for one ${who}, and no more`, options, async (own) => {
    const olha = await own.addUser('olha');
    const added = await own.rest(olha, 'POST', '/api/node', {});
    const { id } = added.body.diff.nodes[0].after;
    const published = await own.rest(olha, 'POST', '/api/node/publish', { id });
    const { publicToken } = published.body.diff.nodes[0].after;
    const [reader, query] = who === 'user' ? [olha, ''] : [null, `?root=${publicToken}`];
    for (let nth = 0; nth < 10; nth += 1) assert.equal((await ask(own, reader, PATH + query)).status, 200);
    const { status, headers, body } = await own.rest(reader, 'GET', PATH + query);
    assert.equal(status, 429);
    isRefusal(body, 'rate_limited');
    assert.ok(Number(headers.get('retry-after')) >= 1);
    assert.equal((await own.rest(olha, 'GET', '/api/graph')).status, 200, 'other reads have limits of their own');
  });
}
