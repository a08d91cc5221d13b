// Two windows of one user: the answer in one, the diff in the other, each exactly once.
import assert from 'node:assert/strict';
import { isDiff, isRefusal, isTraceId } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();

async function twoWindows() {
  const olha = await newUser('olha');
  return { olha, here: await server.connect(olha), there: await server.connect(olha, { transports: ['polling'] }) };
}

const byBatch = (batchId) => (diff) => diff.batchId === batchId;

// Rules: P7, W6.
story('What Olha does here is acked here and heard there, the same diff, and not both at its origin', async () => {
  const { olha, here, there } = await twoWindows();
  const { diff } = await here.does('node:add', { title: 'Roof' });
  const heard = await there.hears('graph:diff', byBatch(diff.batchId));
  isDiff(heard, olha);
  assert.deepEqual(heard, diff);
  await here.settled();
  assert.deepEqual(here.all('graph:diff'), []);
  await there.settled();
  assert.equal(there.all('graph:diff').length, 1);
});

// Rules: T5, P7.
story('Without an ack the origin hears of its own change by graph:diff, like everyone else', async () => {
  const { here, there } = await twoWindows();
  here.emit('node:add', { title: 'Roof' });
  const diff = await here.hears('graph:diff');
  assert.equal(diff.nodes[0].after.title, 'Roof');
  assert.deepEqual(await there.hears('graph:diff', byBatch(diff.batchId)), diff);
  await here.settled();
  assert.equal(here.all('graph:diff').length, 1);
});

// Rules: P7, W6, T4.
story('A change over REST is heard in every window', async () => {
  const { olha, here, there } = await twoWindows();
  const { body } = await server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
  for (const window of [here, there]) assert.deepEqual(await window.hears('graph:diff', byBatch(body.diff.batchId)), body.diff);
});

// Rules: T5.
story('A failure without an ack is told to the origin alone, as `error` with the event it was', async () => {
  const { here, there } = await twoWindows();
  here.emit('link:add', { source: '123', target: '456' });
  const error = await here.hears('error');
  isRefusal(error, 'bad_request.invalid_source_target_id');
  assert.equal(error.event, 'link:add');
  await there.settled();
  assert.deepEqual(there.all('error'), []);
});

// Rules: P4, P20, D2.
story('A hundred changes in a row are heard in the order they were made', async () => {
  const { here, there } = await twoWindows();
  const acks = await Promise.all(Array.from({ length: 100 }, (_, i) => here.does('node:add', { title: `Step ${i}` })));
  await there.settled();
  assert.deepEqual(there.all('graph:diff').map((diff) => diff.batchId), acks.map((ack) => ack.diff.batchId));
  const revs = acks.map((ack) => ack.diff.rev);
  assert.deepEqual(revs, [...revs].sort((a, b) => a - b), 'rev grows with the order');
});

// Rules: P6.
story('Petro hears nothing of what is not his', async () => {
  const { here } = await twoWindows();
  const petro = await server.connect(await newUser('petro'));
  await here.does('node:add', { title: 'Diary' });
  await petro.settled();
  assert.deepEqual(petro.heard.map((one) => one.event), ['connected']);
});

// Rules: O2, P7.
story('An update that changes nothing is a yes with an empty diff and no batch, and is no news', async () => {
  const { here, there } = await twoWindows();
  const id = await here.addNode({ title: 'Roof' });
  const { diff } = await here.does('node:update', { id, title: 'Roof' });
  assert.equal(diff.batchId, null);
  assert.deepEqual([diff.nodes, diff.links, diff.user, diff.access], [[], [], [], []]);
  await there.settled();
  assert.equal(there.all('graph:diff').length, 1, 'the add alone');
});

// Rules: T8.
story('An event nobody knows is not_found.event by ack, and the connection goes on', async () => {
  const { here } = await twoWindows();
  for (const event of ['node:explode', 'graph:init', 'connected']) isRefusal(await here.call(event, {}), 'not_found.event');
  await here.settled();
});

// Rules: O28.
story('ws:ping is answered by ws:pong with the server\'s time', async () => {
  const { here } = await twoWindows();
  await here.does('ws:ping');
  here.heard.length = 0;
  here.emit('ws:ping', {});
  assert.ok((await here.hears('ws:pong')).serverTime);
});

for (const transports of [['websocket'], ['polling']]) {
  // Rules: R9.
  story(`A message of 3 MiB over ${transports} closes that connection and nothing else`, async () => {
    const { olha, here } = await twoWindows();
    const flood = await server.connect(olha, { transports });
    flood.emit('node:add', { title: 'x'.repeat(3 * 1024 * 1024) });
    assert.match(await flood.ends(), /transport/);
    await here.settled();
    assert.deepEqual((await here.does('graph:get')).nodes, []);
  });
}

// Rules: N21.
story('A wide text arrives as it was sent, in every window', async () => {
  const { here, there } = await twoWindows();
  const title = 'ї𝔘👩‍👩‍👧\u2028"\\\u007f<b>';
  const { diff } = await here.does('node:add', { title, description: 'tab\tline\nend\r\n' });
  assert.equal(diff.nodes[0].after.title, title);
  const heard = await there.hears('graph:diff');
  assert.equal(heard.nodes[0].after.description, 'tab\tline\nend\r\n');
  isTraceId((await here.does('graph:get')).trace_id);
});
