// The trash, page by page: nodes first, then links, counted together.
import assert from 'node:assert/strict';
import { inParallel } from '../bulk.mjs';
import { isRefusal, isTraceId } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const range = (count) => Array.from({ length: count }, (_, i) => i);

// 130 trashed nodes in a chain of 129 links, and one active node that is not part of the story.
const NODES = 130;
const LINKS = NODES - 1;
const olha = await newUser('olha');
const batchOf = new Map();
{
  const client = await server.connect(olha);
  const nodeIds = await inParallel([client], range(NODES).map((i) => (c) => c.addNode({ title: `Old draft ${i}` })));
  await inParallel([client], range(LINKS).map((i) => (c) => c.addLink(nodeIds[i], nodeIds[i + 1])));
  await client.addNode({ title: 'still active' });
  for (const id of nodeIds) {
    const { diff } = await client.does('node:trash', { id });
    batchOf.set(id, diff.batchId);
  }
  client.close();
}

const FORMS = {
  'trash:page': async () => {
    const client = await server.connect(olha);
    return (query) => client.does('trash:page', query);
  },
  'GET /api/trash': async () => async (query) => {
    const { status, body } = await server.rest(olha, 'GET', `/api/trash?${new URLSearchParams(query)}`);
    assert.equal(status, 200);
    return body;
  },
};

for (const [form, open] of Object.entries(FORMS)) {
  for (const limit of [100, 43]) {
    // Rules: G9, N20, V12, V13, V14.
    story(`Olha pages through her trash by ${form}, ${limit} at a time: everything once, nodes before links`, async () => {
      const getPage = await open();
      const items = [];
      for (let offset = 0, more = true; more; offset += limit) {
        const page = await getPage({ limit, offset });
        isTraceId(page.trace_id);
        items.push(...page.nodes.map((node) => ({ node })), ...page.links.map((link) => ({ link })));
        if (page.hasMore) assert.equal(page.nodes.length + page.links.length, limit);
        assert.ok(items.length <= NODES + LINKS, 'the loop ends');
        more = page.hasMore;
      }
      const nodes = items.slice(0, NODES).map((item) => item.node);
      assert.ok(nodes.every(Boolean), 'nodes come before links');
      assert.deepEqual(nodes.map((node) => node.id).sort(), [...batchOf.keys()].sort());
      assert.equal(new Set(items.slice(NODES).map((item) => item.link.id)).size, LINKS);
      const times = nodes.map((node) => node.lastEditedTime);
      assert.deepEqual(times, [...times].sort().reverse(), 'latest first');
      for (const { node, link } of items) {
        assert.equal((node ?? link).inTrash, true);
        if (node) assert.equal(node.lastBatchID, batchOf.get(node.id), 'lastBatchID names the batch that trashed it');
        else assert.equal(link.lastBatchID, batchOf.get(link.source), 'a link went with the first of its ends');
      }
    });
  }

  // Rules: G6, G9.
  story(`hasMore by ${form} is exact: at the last item no more, one before it more`, async () => {
    const getPage = await open();
    assert.equal((await getPage({ limit: NODES + LINKS })).hasMore, false);
    assert.equal((await getPage({ limit: NODES + LINKS - 1 })).hasMore, true);
    assert.equal((await getPage({ limit: 1, offset: NODES + LINKS - 1 })).hasMore, false);
    const beyond = await getPage({ offset: 10_000 });
    assert.deepEqual([beyond.nodes, beyond.links, beyond.hasMore], [[], [], false]);
    const byDefault = await getPage({});
    assert.equal(byDefault.nodes.length + byDefault.links.length, 100);
  });
}

for (const [payload, error] of [
  [{ limit: 0 }, 'bad_request.out_of_range'],
  [{ limit: 1_001 }, 'bad_request.out_of_range'],
  [{ offset: -1 }, 'bad_request.out_of_range'],
  [{ limit: 'all' }, 'bad_request.invalid_limit'],
  [{ offset: 'all' }, 'bad_request.invalid_offset'],
]) {
  // Rules: G7.
  story(`A trash page of ${JSON.stringify(payload)} is ${error} by ack and over REST`, async () => {
    const client = await server.connect(olha);
    isRefusal(await client.call('trash:page', payload), error);
    const { status, body } = await server.rest(olha, 'GET', `/api/trash?${new URLSearchParams(payload)}`);
    assert.equal(status, 400);
    isRefusal(body, error);
  });
}

story('Petro sees nothing of Olha\'s trash', async () => {
  const client = await server.connect(await newUser('petro'));
  const page = await client.does('trash:page');
  assert.deepEqual([page.nodes, page.links, page.hasMore], [[], [], false]);
});

// Rules: O22, O23, O24.
story('A node in the trash is trashed no second time, restored once, and deleted for good only from there', async () => {
  const client = await server.connect(await newUser('olha'));
  const id = await client.addNode();
  isRefusal(await client.call('node:restore', { id }), 'bad_request.not_trashed_node');
  isRefusal(await client.call('node:delete', { id }), 'bad_request.cant_delete_active_node');
  await client.does('node:trash', { id });
  isRefusal(await client.call('node:trash', { id }), 'bad_request.already_trashed_node');
  isRefusal(await client.call('node:update', { id, title: 'x' }), 'bad_request.node_in_trash');
  await client.does('node:delete', { id });
  isRefusal(await client.call('node:restore', { id }), 'not_found.node_not_found');
  assert.deepEqual((await client.does('trash:page')).nodes, []);
});

story('Olha empties her trash at once, and what is active stays', async () => {
  const client = await server.connect(await newUser('olha'));
  const [kept, gone] = [await client.addNode(), await client.addNode()];
  await client.addLink(gone, kept);
  await client.does('node:trash', { id: gone });
  await client.does('trash:purge', {});
  const trash = await client.does('trash:page');
  assert.deepEqual([trash.nodes, trash.links], [[], []]);
  assert.deepEqual((await client.does('graph:get')).nodes.map((node) => node.id), [kept]);
});
