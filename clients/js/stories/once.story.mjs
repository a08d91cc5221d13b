// Exactly once: a change sent again under the same batchId is not done again.
import assert from 'node:assert/strict';
import { isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const titles = async (client) => (await client.does('graph:get')).nodes.map((node) => node.title);

// Rules: D7.
story('A node added twice under one batchId is there once; the second answer is the first, marked replayed', async () => {
  const client = await server.connect(await newUser('olha'));
  const payload = { title: 'Roof', batchId: crypto.randomUUID() };
  const first = await client.does('node:add', payload);
  const second = await client.does('node:add', payload);
  assert.equal(first.diff.batchId, payload.batchId, 'the client\'s own name is the batch\'s name');
  assert.equal(first.replayed, undefined);
  assert.equal(second.replayed, true);
  assert.deepEqual(second.diff, first.diff);
  assert.deepEqual(await titles(client), ['Roof']);
});

story('A replay is no news to the other windows', async () => {
  const olha = await newUser('olha');
  const [here, there] = [await server.connect(olha), await server.connect(olha)];
  const payload = { title: 'Roof', batchId: crypto.randomUUID() };
  await here.does('node:add', payload);
  await here.does('node:add', payload);
  await there.settled();
  assert.equal(there.all('graph:diff').length, 1);
});

// Rules: D9.
story('Other content under the same batchId is a conflict, and so is another user\'s', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const batchId = crypto.randomUUID();
  await hers.does('node:add', { title: 'Roof', batchId });
  isRefusal(await hers.call('node:add', { title: 'Wall', batchId }), 'conflict.batch_id_conflict');
  isRefusal(await his.call('node:add', { title: 'Roof', batchId }), 'conflict.batch_id_conflict');
  const { status, body } = await server.rest(olha, 'POST', '/api/node', { title: 'Wall', batchId });
  assert.equal(status, 409);
  isRefusal(body, 'conflict.batch_id_conflict');
  assert.deepEqual(await titles(hers), ['Roof']);
});

// Rules: D10.
story('A refusal uses nothing up: the same batchId may be tried again', async () => {
  const client = await server.connect(await newUser('olha'));
  const id = await client.addNode({ title: 'Roof' });
  const payload = { id, batchId: crypto.randomUUID() };
  isRefusal(await client.call('node:restore', payload), 'bad_request.not_trashed_node');
  await client.does('node:trash', { id });
  const ack = await client.does('node:restore', payload);
  assert.equal(ack.replayed, undefined);
});

// Rules: D7, T4.
story('What was sent over a socket may be sent again over REST, and the other way round', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const one = { title: 'Roof', batchId: crypto.randomUUID() };
  const first = await client.does('node:add', one);
  const again = await server.rest(olha, 'POST', '/api/node', one);
  assert.equal(again.status, 200);
  assert.equal(again.body.replayed, true);
  assert.deepEqual(again.body.diff, first.diff);
  const two = { title: 'Wall', batchId: crypto.randomUUID() };
  await server.rest(olha, 'POST', '/api/node', two);
  assert.equal((await client.does('node:add', two)).replayed, true);
  assert.deepEqual(await titles(client), ['Roof', 'Wall']);
});

// Rules: D8, D9, D13.
story('A retry after the server was killed and came back is answered as before, on a new connection', async () => {
  const olha = await newUser('olha');
  const before = await server.connect(olha);
  const [source, target] = [await before.addNode(), await before.addNode()];
  const payload = { source, target, batchId: crypto.randomUUID() };
  const first = await before.does('link:add', payload);
  await server.kill();
  await server.up();
  const after = await server.connect(olha);
  const again = await after.does('link:add', payload);
  assert.equal(again.replayed, true);
  assert.deepEqual(again.diff, first.diff);
  isRefusal(await after.call('link:add', { ...payload, type: 1 }), 'conflict.batch_id_conflict');
  assert.equal((await after.does('graph:get')).links.length, 1);
});

// Rules: O9.
story('A batchId that is none is refused before anything is done', async () => {
  const client = await server.connect(await newUser('olha'));
  const ack = await client.call('node:add', { title: 'Roof', batchId: 'once' });
  assert.equal(ack.ok, false);
  assert.match(ack.error, /^bad_request\./);
  assert.deepEqual(await titles(client), []);
});
