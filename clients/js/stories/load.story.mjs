// Loading a large graph: every way to page ends with everything exactly once.
import assert from 'node:assert/strict';
import { growGraph, randomFrom, seedFromEnv } from '../bulk.mjs';
import { isRefusal, isTraceId } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();

const NODES = 2_500;
const LINKS = 3_000;
const random = randomFrom(seedFromEnv('LOAD_SEED'));
const olha = await newUser('olha');
const growers = await Promise.all(Array.from({ length: 6 }, () => server.connect(olha)));
const { nodeIds, linkIds } = await growGraph(growers, NODES, LINKS, random);
for (const grower of growers) grower.close();

const FORMS = {
  'graph:get answered by the event graph:init': async () => {
    const client = await server.connect(olha);
    return async (limit, offset) => {
      client.heard.length = 0;
      client.emit('graph:get', { limit, offset });
      const page = await client.hears('graph:init');
      assert.equal(page.ok, true);
      assert.equal(page.hasMore, page.graph.hasMore, 'hasMore stands at the top and in the graph');
      return page.graph;
    };
  },
  'graph:get answered by ack': async () => {
    const client = await server.connect(olha);
    return (limit, offset) => client.does('graph:get', { limit, offset });
  },
  'GET /api/graph': async () => async (limit, offset) => {
    const { status, body } = await server.rest(olha, 'GET', `/api/graph?limit=${limit}&offset=${offset}`);
    assert.equal(status, 200);
    isTraceId(body.trace_id);
    return body;
  },
};

const LOOPS = {
  'offset += limit': (offset, limit) => offset + limit,
  'offset = nodes received': (_offset, _limit, received) => received,
};

/** Pages to the end; a link must never come before both its nodes. */
async function load(getPage, nextOffset, limit) {
  const nodes = [];
  const links = [];
  const seen = new Set();
  for (let offset = 0, more = true; more; ) {
    const page = await getPage(limit, offset);
    for (const node of page.nodes) seen.add(node.id);
    for (const link of page.links) {
      assert.ok(seen.has(link.source) && seen.has(link.target), `link ${link.id} came before both its nodes`);
    }
    nodes.push(...page.nodes);
    links.push(...page.links);
    if (page.hasMore) assert.equal(page.nodes.length, limit, 'every page but the last is full');
    assert.ok(nodes.length <= NODES, 'the loop ends');
    more = page.hasMore;
    offset = nextOffset(offset, limit, nodes.length);
  }
  return { nodes, links };
}

const sorted = (ids) => [...ids].sort();
const idsOf = (entities) => entities.map((entity) => entity.id);

for (const [form, open] of Object.entries(FORMS)) {
  for (const [loop, nextOffset] of Object.entries(LOOPS)) {
    for (const limit of [1_000, 333]) {
      // Rules: G1, G2, G3.
      story(`Olha loads ${NODES} nodes by ${form}, ${loop}, ${limit} at a time: each node and link exactly once`, async () => {
        const { nodes, links } = await load(await open(), nextOffset, limit);
        assert.deepEqual(sorted(idsOf(nodes)), sorted(nodeIds));
        assert.deepEqual(sorted(idsOf(links)), sorted(linkIds));
        const times = nodes.map((node) => node.createdTime);
        assert.deepEqual(times, sorted(times), 'oldest first');
      });
    }
  }
}

// Rules: G1, G6.
story('Olha loads everything in one page of 5,000, and hasMore is exact at the edge', async () => {
  const client = await server.connect(olha);
  const whole = await client.does('graph:get', { limit: 5_000 });
  assert.equal(whole.nodes.length, NODES);
  assert.equal(whole.links.length, LINKS);
  assert.equal(whole.hasMore, false);
  assert.equal((await client.does('graph:get', { limit: NODES })).hasMore, false);
  assert.equal((await client.does('graph:get', { limit: NODES - 1 })).hasMore, true);
});

// Rules: G1, G6.
story('A page beyond the end is empty and says there is no more; the default page is 1,000 from 0', async () => {
  const client = await server.connect(olha);
  const beyond = await server.rest(olha, 'GET', `/api/graph?offset=${NODES + 7}`);
  assert.deepEqual([beyond.body.nodes, beyond.body.links, beyond.body.hasMore], [[], [], false]);
  const first = await client.does('graph:get');
  assert.equal(first.nodes.length, 1_000);
  assert.equal(first.hasMore, true);
  assert.equal(typeof first.rev, 'number');
});

story('Someone else\'s load has nothing of it', async () => {
  const client = await server.connect(await newUser('petro'));
  const page = await client.does('graph:get');
  assert.deepEqual([page.nodes, page.links, page.hasMore], [[], [], false]);
});

// Rules: W7, T6, T7, N8, N18, N19.
story('A node has every documented field; by graph:init its tags are one string and assignees also stand under asignee', async () => {
  const marko = await newUser('marko');
  const client = await server.connect(marko);
  const fields = { title: 'Walls', tags: ['red, warm', 'home'], assignee: ['ivan', 'o@example.com'], dueDate: '2031-09-13T10:00:00Z', volume: 7, x: 1.5 };
  await client.does('node:add', fields);
  const [byAck] = (await client.does('graph:get')).nodes;
  const expected = {
    ...fields, description: '', status: 0, type: 0, priority: 0, independent: false, y: 0, z: 0, pinned: false,
    collapsed: false, version: 1, access: 0, publicToken: null, publicDue: null, publicBranch: null,
    ownerUsername: marko.username, ownerEmail: marko.email, shareRoots: [],
  };
  for (const [field, value] of Object.entries(expected)) assert.deepEqual(byAck[field], value, field);
  client.emit('graph:get', {});
  const [byEvent] = (await client.hears('graph:init')).graph.nodes;
  assert.equal(byEvent.tags, 'red\\, warm,home');
  assert.deepEqual(byEvent.asignee, fields.assignee);
  assert.equal(byEvent.title, 'Walls');
});

const BAD_PAGES = [
  [{ limit: 0 }, 'bad_request.out_of_range'],
  [{ limit: 5_001 }, 'bad_request.out_of_range'],
  [{ offset: -1 }, 'bad_request.out_of_range'],
  [{ limit: 'many' }, 'bad_request.invalid_limit'],
  [{ limit: 1.5 }, 'bad_request.invalid_limit'],
  [{ offset: 'x' }, 'bad_request.invalid_offset'],
];

for (const [payload, error] of BAD_PAGES) {
  // Rules: G7, T6.
  story(`A load that asks for ${JSON.stringify(payload)} is ${error} by ack, by graph:error and over REST`, async () => {
    const client = await server.connect(olha);
    isRefusal(await client.call('graph:get', payload), error);
    client.emit('graph:get', payload);
    const event = await client.hears('graph:error');
    assert.equal(event.error, error);
    assert.ok(event.message);
    isTraceId(event.trace_id);
    const { status, body } = await server.rest(olha, 'GET', `/api/graph?${new URLSearchParams(payload)}`);
    assert.equal(status, 400);
    isRefusal(body, error);
  });
}
