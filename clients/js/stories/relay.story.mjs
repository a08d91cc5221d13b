// Relay events, which are not stored: where a user is, what they look at, what they drag.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal, isTraceId } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();

const limited = await stage({ limits: 'on' });
const RATE = 30;

const actor = ({ username, email }) => ({ username, email });

/** Olha shares a node with Petro, who may look, and Ivan, who may edit; Mallory sees nothing. */
async function shared(on = server, make = newUser) {
  const [olha, petro, ivan, mallory] = await Promise.all(['olha', 'petro', 'ivan', 'mallory'].map((name) => make(name)));
  const [hers, herOther, his, ivans, mallorys] = await Promise.all([olha, olha, petro, ivan, mallory].map((user) => on.connect(user)));
  const id = await hers.addNode({ title: 'Roof' });
  await hers.does('node:access', { id, email: petro.email, level: 3 });
  await hers.does('node:access', { id, email: ivan.email, level: 2 });
  return { olha, petro, ivan, hers, herOther, his, ivans, mallorys, id };
}

/** All that was sent before has arrived. */
const settled = (...clients) => Promise.all(clients.map((client) => client.settled()));

story('P27: presence goes to those who see the node and to the user\'s other windows, and to nobody else', async () => {
  const { olha, hers, herOther, his, ivans, mallorys, id } = await shared();
  hers.emit('presence:update', { nodeId: id, typing: true, cursor: { line: 3 } });
  for (const other of [herOther, his, ivans]) {
    assert.deepEqual(await other.hears('presence:state'), { nodeId: id, actor: actor(olha), cursor: { line: 3 }, typing: true });
  }
  await settled(hers, mallorys);
  for (const client of [hers, mallorys]) assert.deepEqual(client.all('presence:state'), []);
});

story('P27: presence nowhere goes to the user\'s other windows alone', async () => {
  const { olha, hers, herOther, his } = await shared();
  hers.emit('presence:update', { nodeId: null });
  assert.deepEqual(await herOther.hears('presence:state'), { nodeId: null, actor: actor(olha) });
  await settled(his);
  assert.deepEqual(his.all('presence:state'), []);
});

story('P27: presence at a node one does not see goes nowhere, and with an ack is node_not_found', async () => {
  const { hers, mallorys, id } = await shared();
  mallorys.emit('presence:update', { nodeId: id });
  isRefusal(await mallorys.call('presence:update', { nodeId: id }), 'not_found.node_not_found');
  await settled(hers);
  assert.deepEqual(hers.all('presence:state'), []);
  assert.deepEqual(mallorys.all('error'), []);
});

// Rules: P32.
story('P28: a camera goes to the user\'s other windows alone, as it was sent', async () => {
  const { hers, herOther, his } = await shared();
  const ack = await hers.does('camera:update', { x: 1.5, zoom: 2, look: ['up'] });
  isTraceId(ack.trace_id);
  assert.deepEqual(await herOther.hears('camera:presence'), { x: 1.5, zoom: 2, look: ['up'] });
  await settled(hers, his);
  for (const client of [hers, his]) assert.deepEqual(client.all('camera:presence'), []);
});

story('P29: whoever may edit a node drags it before the eyes of all who see it, and nothing is stored', async () => {
  const { ivan, hers, herOther, his, ivans, mallorys, id } = await shared();
  ivans.emit('node:drag', { id, x: 1, y: 2.5, z: -3 });
  for (const client of [hers, herOther, his]) {
    assert.deepEqual(await client.hears('node:drag'), { id, x: 1, y: 2.5, z: -3, actor: actor(ivan) });
  }
  await settled(mallorys, ivans);
  for (const client of [mallorys, ivans]) assert.deepEqual(client.all('node:drag'), []);
  const [node] = (await hers.does('graph:get')).nodes;
  assert.deepEqual([node.x, node.y, node.z, node.version], [0, 0, 0, 1]);
});

story('P29: whoever may only look does not drag', async () => {
  const { hers, his, id } = await shared();
  isRefusal(await his.call('node:drag', { id, x: 1, y: 1, z: 1 }), 'forbidden.no_permission');
  his.emit('node:drag', { id, x: 1, y: 1, z: 1 });
  await settled(his, hers);
  assert.deepEqual([hers.all('node:drag'), his.all('error')], [[], []]);
});

story('P30: the end of a drag is passed on and stored', async () => {
  const { ivan, hers, his, ivans, id } = await shared();
  const { diff } = await ivans.does('node:dragend', { id, x: 7, y: 8, z: 9 });
  assert.deepEqual(diff.nodes.map(({ op, after }) => [op, after.x, after.y, after.z]), [[1, 7, 8, 9]]);
  for (const client of [hers, his]) {
    assert.deepEqual(await client.hears('node:dragend'), { id, x: 7, y: 8, z: 9, actor: actor(ivan) });
    await client.hears('graph:diff', (one) => one.batchId === diff.batchId);
    const events = client.heard.map(({ event }) => event);
    assert.ok(events.indexOf('node:dragend') < events.lastIndexOf('graph:diff'), 'passed on, then stored');
  }
  const batchId = crypto.randomUUID();
  const again = await ivans.does('node:dragend', { id, x: 1, y: 1, z: 1, batchId });
  const replayed = await ivans.does('node:dragend', { id, x: 1, y: 1, z: 1, batchId });
  assert.deepEqual([replayed.replayed, replayed.diff.batchId, replayed.diff.nodes[0].after.version], [true, batchId, again.diff.nodes[0].after.version]);
});

story('P30: the end of a drag fails like a node:update', async () => {
  const { hers, his, id } = await shared();
  isRefusal(await his.call('node:dragend', { id, x: 1, y: 1, z: 1 }), 'forbidden.no_permission');
  isRefusal(await hers.call('node:dragend', { id: crypto.randomUUID(), x: 1, y: 1, z: 1 }), 'not_found.node_not_found');
  await hers.does('node:trash', { id });
  isRefusal(await hers.call('node:dragend', { id, x: 1, y: 1, z: 1 }), 'bad_request.node_in_trash');
});

story('P31: without an ack a drag never answers, whatever is wrong with it', async () => {
  const { hers, his, mallorys, id } = await shared();
  const wrong = [{}, { id }, { id: 'x', x: 1, y: 1, z: 1 }, { id, x: '1', y: 1, z: 1 }, { id, x: 1, y: 1, z: 1, title: 'no' }, 'text', null];
  for (const event of ['node:drag', 'node:dragend']) for (const payload of wrong) hers.emit(event, payload);
  for (const client of [his, mallorys]) client.emit('node:dragend', { id, x: 1, y: 1, z: 1 });
  await settled(hers, his, mallorys);
  for (const client of [hers, his, mallorys]) assert.deepEqual(client.heard.filter(({ event }) => event === 'error'), []);
  await hers.settled();
  assert.deepEqual(his.all('node:drag'), []);
});

// Rules: P27, P32.
const REFUSED = [
  ['presence:update', { nodeId: 'here' }, 'bad_request.invalid_node_id'],
  ['presence:update', { actor: { username: 'god' } }, 'bad_request.immutable_field'],
  ['presence:update', 'here', 'bad_request.fields_must_be_dict'],
  ['presence:update', { note: 'x'.repeat(5_000) }, 'payload_too_large'],
  ['camera:update', { note: 'x'.repeat(5_000) }, 'payload_too_large'],
  ['node:drag', { x: 1, y: 1, z: 1 }, 'bad_request.missing_id'],
  ['node:drag', { id: crypto.randomUUID(), x: 1, y: 1 }, 'bad_request.invalid_position'],
  ['node:drag', { id: crypto.randomUUID(), x: 1, y: 1, z: 1, w: 1 }, 'bad_request.unknown_field'],
  ['node:dragend', { id: crypto.randomUUID(), x: 1, y: 1, z: true }, 'bad_request.invalid_position'],
];

// Rules: P31, P32.
story('P27: what is wrong with a payload is answered to who asked for an ack', async () => {
  const { hers, herOther } = await shared();
  for (const [event, payload, error] of REFUSED) isRefusal(await hers.call(event, payload), error);
  await settled(herOther);
  assert.deepEqual(herOther.heard.map(({ event }) => event).filter((event) => !['connected', 'graph:diff'].includes(event)), []);
});

{
  limited.story('R8: of a flood of drags thirty a second arrive, the latest among them, and none is an error', async () => {
    const { hers, herOther, his, id } = await shared(limited.server, limited.newUser);
    const acks = [];
    for (let x = 1; x <= 500; x++) {
      if (x % 50) hers.emit('node:drag', { id, x, y: 0, z: 0 });
      else acks.push(hers.does('node:drag', { id, x, y: 0, z: 0 }));
    }
    await Promise.all(acks);
    for (const client of [herOther, his]) {
      await client.hears('node:drag', (one) => one.x === 500);
      const heard = client.all('node:drag').map((one) => one.x);
      assert.ok(heard.length <= RATE * 2, `${heard.length} arrived`);
      assert.deepEqual(heard, [...heard].sort((a, b) => a - b), 'in order');
    }
    await sleep(1_100);
    assert.deepEqual(hers.all('error'), []);
  });
}
