// link:add: a dependency is made, what waits for it is blocked, and everyone sees the same diff.
import assert from 'node:assert/strict';
import { OP, STATUS, isDiff, isKeys, isTime, isTraceId, isUuid, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const { AVAILABLE, IN_PROGRESS, BLOCKED, COMPLETED } = STATUS;

const nodeOf = async (client, id) => (await client.does('graph:get')).nodes.find((node) => node.id === id);
const statusOf = async (client, id) => (await nodeOf(client, id)).status;

// Rules: L9, W2, W3, W8, N22, N25.
story('Olha makes a task wait for another: the ack holds the new link and the blocked target', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const source = await client.addNode({ title: 'Buy paint' });
  const target = await client.addNode({ title: 'Paint walls' });
  const ack = await client.does('link:add', { source, target, type: 0 });
  isTraceId(ack.trace_id);
  isDiff(ack.diff, olha);

  assert.equal(ack.diff.links.length, 1);
  const [made] = ack.diff.links;
  assert.equal(made.op, OP.LINK_ADD);
  assert.deepEqual(made.before, {});
  const { id, createdTime, lastEditedTime } = made.after;
  isUuid(id);
  isTime(createdTime);
  isTime(lastEditedTime);
  const expected = { source, target, type: 0, private: false, wasBlocker: true, version: 1, shareRoots: [] };
  for (const [field, value] of Object.entries(expected)) assert.deepEqual(made.after[field], value, field);

  assert.equal(ack.diff.nodes.length, 1);
  const [blocked] = ack.diff.nodes;
  assert.equal(blocked.op, OP.NODE_STATUS);
  assert.deepEqual(blocked.before, { id: target, status: AVAILABLE, version: 1 });
  isKeys(blocked.after, ['id', 'status', 'version', 'shareRoots', 'lastEditedTime']);
  assert.deepEqual([blocked.after.id, blocked.after.status, blocked.after.version], [target, BLOCKED, 2]);
  assert.deepEqual([ack.diff.user, ack.diff.access], [[], []]);
  assert.equal(await statusOf(client, target), BLOCKED);
});

// Rules: T4, W6, N23.
story('Ivan does the same over REST and gets the same shape', async () => {
  const ivan = await newUser('ivan');
  const client = await server.connect(ivan);
  const [source, target] = [await client.addNode(), await client.addNode()];
  const { status, body, headers } = await server.rest(ivan, 'POST', '/api/link', { source, target });
  assert.equal(status, 200);
  assert.equal(body.ok, true);
  isDiff(body.diff, ivan);
  assert.equal(headers.get('x-trace-id'), body.trace_id);
  assert.deepEqual(ops(body.diff.links), [OP.LINK_ADD]);
  assert.deepEqual(ops(body.diff.nodes), [OP.NODE_STATUS]);
  assert.equal(body.diff.links[0].after.type, 0, 'a link blocks unless told otherwise');
});

// Rules: B5, B6.
story('A completed chain is blocked again from the bottom up, each node once, causes before effects', async () => {
  const client = await server.connect(await newUser('olha'));
  const [paint, walls, room, house] = [await client.addNode(), await client.addNode(), await client.addNode(), await client.addNode()];
  await client.addLink(walls, room);
  await client.addLink(room, house);
  await client.does('node:update', { id: walls, status: COMPLETED });
  await client.does('node:update', { id: room, status: COMPLETED });
  assert.equal(await statusOf(client, house), AVAILABLE, 'all it waits for is done');
  const { diff } = await client.does('link:add', { source: paint, target: walls });
  assert.deepEqual(ops(diff.nodes), [OP.NODE_STATUS, OP.NODE_STATUS, OP.NODE_STATUS]);
  assert.deepEqual(diff.nodes.map((entry) => entry.after.id), [walls, room, house]);
  assert.deepEqual(diff.nodes.map((entry) => entry.after.status), [BLOCKED, BLOCKED, BLOCKED]);
});

// Rules: B3, B4.
story('A task in progress that was blocked goes on in progress when what it waited for is done', async () => {
  const client = await server.connect(await newUser('olha'));
  const [paint, walls] = [await client.addNode(), await client.addNode({ status: IN_PROGRESS })];
  await client.addLink(paint, walls);
  assert.equal(await statusOf(client, walls), BLOCKED);
  const { diff } = await client.does('node:update', { id: paint, status: COMPLETED });
  const freed = diff.nodes.find((entry) => entry.after.id === walls);
  assert.deepEqual([freed.op, freed.before.status, freed.after.status], [OP.NODE_STATUS, BLOCKED, IN_PROGRESS]);
});

// Rules: B1.
story('A secondary link blocks nothing, and neither does a primary one from a completed task or to an independent one', async () => {
  const client = await server.connect(await newUser('olha'));
  const [a, b] = [await client.addNode(), await client.addNode()];
  const done = await client.addNode({ status: COMPLETED });
  const free = await client.addNode({ independent: true });
  for (const link of [{ source: a, target: b, type: 1 }, { source: done, target: b }, { source: a, target: free }]) {
    const { diff } = await client.does('link:add', link);
    assert.deepEqual(diff.nodes, []);
    assert.equal(diff.links[0].after.wasBlocker, false);
  }
});

// Rules: O10, N2.
story('Olha names the new node and link herself, and an id in use is refused', async () => {
  const client = await server.connect(await newUser('olha'));
  const [source, target, link] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  assert.equal(await client.addNode({ id: source }), source);
  assert.equal(await client.addNode({ id: target }), target);
  assert.equal(await client.addLink(source, target, { id: link }), link);
  assert.equal((await client.call('node:add', { id: source })).error, 'conflict.id_taken');
});

// Rules: O14, O17.
story('A subtask made with a target is linked to it and blocks it, in one batch', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const target = await client.addNode({ title: 'House' });
  const { diff } = await client.does('node:add', { title: 'Roof', target });
  isDiff(diff, olha);
  assert.deepEqual(ops(diff.nodes), [OP.NODE_ADD, OP.NODE_STATUS]);
  assert.deepEqual(ops(diff.links), [OP.LINK_ADD]);
  const [link] = diff.links;
  assert.deepEqual([link.after.source, link.after.target, link.after.type], [diff.nodes[0].after.id, target, 0]);
});

// Rules: L7.
story('Adding a link whose like is in the trash brings that one back', async () => {
  const client = await server.connect(await newUser('olha'));
  const [source, target] = [await client.addNode(), await client.addNode()];
  const id = await client.addLink(source, target);
  const trashed = await client.does('link:trash', { id });
  assert.deepEqual(ops(trashed.diff.links), [OP.LINK_TRASH]);
  assert.equal(await statusOf(client, target), AVAILABLE, 'a link in the trash holds nothing');
  const { diff } = await client.does('link:add', { source, target });
  assert.deepEqual(ops(diff.links), [OP.LINK_RESTORE]);
  assert.equal(diff.links[0].after.id, id);
  assert.equal(await statusOf(client, target), BLOCKED);
});

// Rules: L7, L8, W5, N16.
story('Adding it the other way round restores it, then swaps it: one link, its own id, two versions on', async () => {
  const client = await server.connect(await newUser('olha'));
  const [source, target] = [await client.addNode(), await client.addNode()];
  const id = await client.addLink(source, target);
  const { diff: trash } = await client.does('link:trash', { id });
  const version = trash.links[0].after.version;
  const { diff } = await client.does('link:add', { source: target, target: source, id: crypto.randomUUID() });
  assert.deepEqual(ops(diff.links), [OP.LINK_RESTORE, OP.LINK_SWAP]);
  assert.deepEqual(diff.links.map((entry) => entry.after.id), [id, id], 'the client\'s own id is passed over');
  assert.deepEqual(diff.links.map((entry) => entry.after.version), [version + 1, version + 2]);
  assert.deepEqual([diff.links[1].after.source, diff.links[1].after.target], [target, source]);
  const { links } = await client.does('graph:get');
  assert.deepEqual(links.map((link) => [link.id, link.source, link.target]), [[id, target, source]]);
  assert.equal(await statusOf(client, source), BLOCKED);
});

// Rules: O22, O23, P14.
story('Trashing a task takes its links along, frees what waited, and restoring brings all of it back', async () => {
  const client = await server.connect(await newUser('olha'));
  const [source, target] = [await client.addNode(), await client.addNode()];
  const link = await client.addLink(source, target);
  const { diff: gone } = await client.does('node:trash', { id: source });
  assert.ok(gone.nodes.some((entry) => entry.op === OP.NODE_TRASH && entry.after.id === source));
  assert.deepEqual(gone.links.map((entry) => [entry.op, entry.after.id]), [[OP.LINK_TRASH, link]]);
  assert.equal(await statusOf(client, target), AVAILABLE);
  const { diff: back } = await client.does('node:restore', { id: source });
  assert.ok(back.nodes.some((entry) => entry.op === OP.NODE_RESTORE && entry.after.id === source));
  assert.deepEqual(back.links.map((entry) => [entry.op, entry.after.id]), [[OP.LINK_RESTORE, link]]);
  assert.equal(await statusOf(client, target), BLOCKED);
});

// Rules: B12, P6, L12.
story('Petro, an editor, makes Olha\'s finished task wait for his own: her whole chain is blocked, and she hears it', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const [walls, room] = [await hers.addNode({ status: COMPLETED }), await hers.addNode()];
  await hers.addLink(walls, room);
  await hers.does('node:access', { id: walls, email: petro.email, level: 2 });
  const paint = await his.addNode({ title: 'Paint' });
  const { diff } = await his.does('link:add', { source: paint, target: walls });
  assert.deepEqual([diff.links[0].after.type, diff.links[0].after.private], [0, false]);
  assert.deepEqual(diff.nodes.map((entry) => entry.after.id), [walls], 'Petro hears of what he sees');
  const heard = await hers.hears('graph:diff', (one) => one.batchId === diff.batchId);
  assert.deepEqual(heard.actor, { username: petro.username, email: petro.email });
  const blocked = heard.nodes.filter((entry) => entry.op === OP.NODE_STATUS);
  assert.deepEqual(blocked.map((entry) => [entry.after.id, entry.after.status]), [[walls, BLOCKED], [room, BLOCKED]]);
  assert.ok(!JSON.stringify(heard).includes('Paint'), 'she does not read his task by it');
});
