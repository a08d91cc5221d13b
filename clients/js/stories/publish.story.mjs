// node:publish: a node or branch becomes readable by a token that cannot be guessed.
import assert from 'node:assert/strict';
import { OP, isDiff, isRefusal, isTime, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const UNGUESSABLE = /^[A-Za-z0-9_-]{22,}$/; // 128 bits in a URL-safe alphabet
const NEXT_YEAR = new Date(Date.now() + 365 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');

story('Olha publishes a branch: the ack holds the token that opens it', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const id = await client.addNode({ title: 'Plan' });
  const { diff } = await client.does('node:publish', { id, branch: true });
  isDiff(diff, olha);
  assert.deepEqual(ops(diff.nodes), [OP.NODE_PUBLISH]);
  const [{ before, after }] = diff.nodes;
  assert.deepEqual([before.id, before.publicToken, before.version], [id, null, 1]);
  assert.deepEqual([after.id, after.publicBranch, after.version], [id, true, 2]);
  assert.match(after.publicToken, UNGUESSABLE);
  assert.equal(after.publicDue ?? null, null, 'for ever, unless a due time is given');
  assert.deepEqual([diff.links, diff.user, diff.access], [[], [], []]);
  const [node] = (await client.does('graph:get')).nodes;
  assert.deepEqual([node.publicToken, node.publicBranch, node.publicDue], [after.publicToken, true, null]);
});

// Rules: S1, N6, N19.
story('Ivan publishes one node alone until next year, over REST; the branch is open by default', async () => {
  const ivan = await newUser('ivan');
  const client = await server.connect(ivan);
  const [one, two] = [await client.addNode(), await client.addNode()];
  const alone = await server.rest(ivan, 'POST', '/api/node/publish', { id: one, branch: false, due: NEXT_YEAR });
  assert.equal(alone.status, 200);
  const { after } = alone.body.diff.nodes[0];
  assert.deepEqual([after.publicBranch, after.publicDue], [false, NEXT_YEAR]);
  isTime(after.publicDue);
  const open = await server.rest(ivan, 'POST', '/api/node/publish', { id: two });
  assert.equal(open.body.diff.nodes[0].after.publicBranch, true);
  assert.notEqual(open.body.diff.nodes[0].after.publicToken, after.publicToken);
});

const REFUSALS = [
  ['due in the past', { due: '2020-01-01T00:00:00Z' }, 'bad_request.invalid_due'],
  ['a due that is no time', { due: 'tomorrow' }, 'bad_request.invalid_due'],
  ['a branch that is no bool', { branch: 'yes' }, 'bad_request.invalid_branch_value'],
  ['an id that is no id', { id: '<uuid>' }, 'bad_request.invalid_node_id'],
  ['an id never used', { id: crypto.randomUUID() }, 'not_found.node_not_found'],
];

for (const [what, change, error] of REFUSALS) {
  // Rules: S2, O1.
  story(`Publishing with ${what} is ${error}, by ack and over REST, and publishes nothing`, async () => {
    const olha = await newUser('olha');
    const client = await server.connect(olha);
    const payload = { id: await client.addNode(), ...change };
    isRefusal(await client.call('node:publish', payload), error);
    isRefusal((await server.rest(olha, 'POST', '/api/node/publish', payload)).body, error);
    assert.equal((await client.does('graph:get')).nodes[0].publicToken, null);
  });
}

// Rules: S2, S8.
story('What is public is not published again, and what is in the trash not at all', async () => {
  const client = await server.connect(await newUser('olha'));
  const [open, trashed] = [await client.addNode(), await client.addNode()];
  await client.does('node:publish', { id: open });
  isRefusal(await client.call('node:publish', { id: open }), 'bad_request.already_public');
  await client.does('node:trash', { id: trashed });
  isRefusal(await client.call('node:publish', { id: trashed }), 'bad_request.node_in_trash');
});

// Rules: S6, V10.
story('Petro, who may only look, may not publish; and hears branch:published when Olha does', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const id = await hers.addNode();
  await hers.does('node:access', { id, email: petro.email, level: 3 });
  isRefusal(await his.call('node:publish', { id }), 'forbidden.no_permission');
  const { diff } = await hers.does('node:publish', { id });
  const heard = await his.hears('branch:published', (one) => one.id === id);
  assert.equal(heard.publicBranch, true);
  assert.deepEqual(heard.actor, { username: olha.username, email: olha.email });
  assert.ok(!JSON.stringify(his.heard).includes(diff.nodes[0].after.publicToken), 'the token is for access 1 and better');
});

// Rules: S7, G8, T15.
// Rules: T12, T15, G7.
story('Whoever reads by a public token is told what is wrong with the rest; a cookie that is over is as good as none', async () => {
  const client = await server.connect(await newUser('olha'));
  const id = await client.addNode({ title: 'Open' });
  const { publicToken: token } = (await client.does('node:publish', { id })).diff.nodes[0].after;
  const stale = { headers: { cookie: `st_access=st_${'x'.repeat(27)}` } };
  const ask = async (query, how) => {
    const answer = await fetch(`${server.url}/api/branch?${query}`, how);
    return [answer.status, await answer.json()];
  };
  for (const how of [undefined, stale]) {
    assert.equal((await ask(`root=${token}`, how))[1].nodes[0].id, id);
    for (const [more, error] of [['limit=0', 'out_of_range'], ['offset=x', 'invalid_offset'], ['x=1', 'unknown_field']]) {
      const [status, body] = await ask(`root=${token}&${more}`, how);
      assert.equal(status, 400);
      isRefusal(body, `bad_request.${error}`);
    }
    for (const other of [`root=${id}`, 'limit=0', '']) isRefusal((await ask(other, how))[1], 'unauthorized');
    isRefusal((await ask('root=123', how))[1], 'not_found.branch_not_found');
  }
  isRefusal(await client.call('branch:get', { root: '123' }), 'not_found.branch_not_found');
  const wrong = { headers: { authorization: `Bearer st_${'x'.repeat(27)}` } };
  isRefusal((await ask(`root=${token}`, wrong))[1], 'unauthorized');
});

story('Anyone with the public token reads the branch, without an account, and nothing beside it', async () => {
  const client = await server.connect(await newUser('olha'));
  const root = await client.addNode({ title: 'Plan' });
  const { diff } = await client.does('node:add', { title: 'Step', target: root });
  await client.addNode({ title: 'Diary' });
  const published = await client.does('node:publish', { id: root });
  const token = published.diff.nodes[0].after.publicToken;
  const { status, body } = await server.rest(null, 'GET', `/api/branch?root=${token}`);
  assert.equal(status, 200);
  assert.deepEqual(body.nodes.map((node) => node.id).sort(), [root, diff.nodes[0].after.id].sort());
  assert.ok(body.nodes.every((node) => node.access === 3));
  assert.ok(!JSON.stringify(body).includes('@example.com'), 'no emails for strangers');
});
