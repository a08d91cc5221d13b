// Operations on many things at once, as others see them, and as one undoes them.
import assert from 'node:assert/strict';
import { OP, STATUS, isDiff, isRefusal, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const unused = () => crypto.randomUUID();
const byBatch = (batchId) => (diff) => diff.batchId === batchId;

/** Olha with a task, shared as a branch with Petro, who watches. */
async function together(level = 3) {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [here, there] = [await server.connect(olha), await server.connect(petro)];
  const root = (await here.does('node:add', { title: 'House' })).diff.nodes[0].after.id;
  await here.does('node:access', { id: root, email: petro.email, level });
  await there.settled();
  return { olha, petro, here, there, root };
}

const nodesOf = async (client) => new Map((await client.does('graph:get', { limit: 5_000 })).nodes.map((one) => [one.id, one]));
const linksOf = async (client) => new Map((await client.does('graph:get', { limit: 5_000 })).links.map((one) => [one.id, one]));

// Rules: O35, P7, W5.
story('Petro hears of ten operations of Olha as one diff, and one undo takes them all back', async () => {
  const { olha, here, there, root } = await together();
  const ids = Array.from({ length: 5 }, unused);
  const operations = ids.flatMap((id, nth) => [
    { event: 'node:add', id, target: nth ? ids[nth - 1] : root, title: `Step ${nth}` },
    { event: 'node:update', id, volume: 7 },
  ]);
  const { diff } = await here.does('graph:apply', { operations });
  const heard = await there.hears('graph:diff', byBatch(diff.batchId));
  isDiff(heard, olha);
  await there.settled();
  assert.equal(there.all('graph:diff').filter(byBatch(diff.batchId)).length, 1);
  assert.deepEqual(ids.map((id) => heard.nodes.find(({ after }) => after.id === id).after.volume), Array(5).fill(7));
  const { batches } = (await server.rest(olha, 'GET', '/api/history?limit=1')).body;
  assert.equal(batches[0].batchId, diff.batchId);
  const undo = await here.does('history:undo', { batchId: diff.batchId });
  await there.hears('graph:diff', byBatch(undo.diff.batchId));
  const seen = await nodesOf(there);
  assert.deepEqual([seen.size, seen.get(root).status], [1, STATUS.AVAILABLE]);
  await here.does('history:redo', { batchId: diff.batchId });
  assert.equal((await nodesOf(there)).size, 6);
});

// Rules: O36, O37, T17.
story('The second of three operations is refused: nothing is done, and the answer says which it was, over both transports', async () => {
  const { olha, here } = await together();
  const operations = (second) => [{ event: 'node:add', title: 'No' }, second, { event: 'node:add' }];
  const wrong = [
    [{ event: 'node:trash', id: unused() }, 'not_found.node_not_found'],
    [{ event: 'node:add', title: 5 }, 'bad_request.invalid_text'],
    [{ event: 'trash:purge' }, 'bad_request.unknown_operation'],
    [{ event: 'node:add', batchId: unused() }, 'bad_request.unknown_field'],
  ];
  for (const [second, error] of wrong) {
    for (const body of [
      await here.call('graph:apply', { operations: operations(second) }),
      (await server.rest(olha, 'POST', '/api/batch', { operations: operations(second) })).body,
    ]) {
      isRefusal(body, error);
      assert.equal(body.index, 1);
    }
  }
  assert.equal((await nodesOf(here)).size, 1);
});

// Rules: O39, O30, A8.
story('Petro trashes a branch as an editor, and brings it back whole', async () => {
  const { here, there, root } = await together(2);
  const add = async (target, more) => (await here.does('node:add', { target, ...more })).diff.nodes[0].after.id;
  const branch = await add(root);
  for (let nth = 0; nth < 3; nth++) await add(branch);
  const before = await nodesOf(here);
  const { diff } = await there.does('node:trash', { id: branch, branch: true });
  assert.deepEqual(ops(diff.nodes).filter((op) => op === OP.NODE_TRASH).length, 4);
  await here.hears('graph:diff', byBatch(diff.batchId));
  const { nodes } = await here.does('trash:page', {});
  assert.deepEqual(nodes.map((one) => one.lastBatchID), Array(4).fill(diff.batchId));
  const back = await there.does('trash:restore', { batchId: diff.batchId });
  await here.hears('graph:diff', byBatch(back.diff.batchId));
  const statuses = (graph) => [...graph].map(([id, { status }]) => [id, status]).sort();
  assert.deepEqual(statuses(await nodesOf(here)), statuses(before));
  isRefusal(await there.call('trash:restore', { batchId: diff.batchId }), 'not_found.not_in_trash');
  const undo = await there.does('history:undo', { batchId: back.diff.batchId });
  assert.equal(ops(undo.diff.nodes).filter((op) => op === OP.NODE_TRASH).length, 4);
});

// Rules: O32, O33, O34, D7.
story('Petro copies what he sees of a branch into his own graph; the copy is his, and a replay says the same of it', async () => {
  const { petro, here, there, root } = await together();
  const child = (await here.does('node:add', { target: root, title: 'Roof', tags: ['top'] })).diff.nodes[0].after.id;
  const batchId = unused();
  const done = await there.does('node:duplicate', { id: root, batchId });
  assert.deepEqual(Object.keys(done.ids).length, 3, 'two tasks and the link between them');
  const copy = (await nodesOf(there)).get(done.ids[child]);
  assert.deepEqual([copy.title, copy.tags, copy.access, copy.x], ['Roof', ['top'], 0, 40]);
  const again = await there.does('node:duplicate', { id: root, batchId });
  assert.deepEqual([again.replayed, again.ids], [true, done.ids]);
  await here.settled();
  assert.deepEqual(here.all('graph:diff'), [], 'it is none of hers');
  // Of what he sees no more he is told nothing.
  await here.does('node:access:delete', { id: root, email: petro.email });
  assert.equal((await there.does('node:duplicate', { id: root, batchId })).ids, undefined);
});

// Rules: O38, R1.
story('More than a thousand operations are refused, and a thousand are done', async () => {
  const { here, there, root } = await together();
  const many = (count) => Array.from({ length: count }, (_, nth) => ({ event: 'node:add', target: root, title: `Step ${nth}` }));
  isRefusal(await here.call('graph:apply', { operations: many(1_001) }), 'bad_request.invalid_operations');
  const { diff } = await here.does('graph:apply', { operations: many(1_000) });
  assert.equal(diff.parts, 3, 'in parts, as every large diff');
  await there.hears('graph:diff', (one) => one.batchId === diff.batchId && one.part === 3);
  assert.deepEqual([(await nodesOf(there)).size, (await linksOf(there)).size], [1_001, 1_000]);
});
