// What each of several people is shown of one change: what comes, what goes, and what they are never told.
import assert from 'node:assert/strict';
import { OP, STATUS, isRefusal, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const NODE_ACCESS = 9;
const LINK_SHOW = 17;
const LINK_HIDE = 18;

/** Olha at her socket, and people she shares `plan` with, each at theirs, by level. */
async function shared(levels, more = {}) {
  const olha = await newUser('olha');
  const hers = await server.connect(olha);
  const plan = await hers.addNode({ title: 'Plan' });
  const others = {};
  for (const [name, level] of Object.entries(levels)) {
    const user = await newUser(name);
    await hers.does('node:access', { id: plan, email: user.email, level, ...more });
    others[name] = await server.connect(user);
    others[name].user = user;
  }
  return { olha, hers, plan, ...others };
}

/** The one diff a client heard of a batch. */
const heard = (client, diff) => client.hears('graph:diff', (one) => one.batchId === diff.batchId);
const entries = (list) => list.map(({ op, after }) => [op, after.id]);
const phantomsOf = async (client) => (await client.does('graph:get')).nodes.filter((node) => node.phantom);

// Rules: P8, P12, P13, W2.
story('A task that comes into Petro\'s view by a change that also frees it is one show, in its final state', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  const step = await hers.addNode({ title: 'Step' });
  const link = await hers.addLink(plan, step);
  await petro.settled();
  const { diff } = await hers.does('link:swap', { id: link });
  const told = await heard(petro, diff);
  assert.deepEqual(entries(told.nodes), [[OP.NODE_SHOW, step], [OP.NODE_STATUS, plan]]);
  const [{ before, after }] = told.nodes;
  assert.deepEqual([before, after.title, after.status, after.access], [{}, 'Step', STATUS.AVAILABLE, 3]);
  assert.deepEqual(entries(told.links), [[LINK_SHOW, link]]);
  assert.deepEqual([told.links[0].after.source, told.links[0].after.target], [step, plan]);
});

// Rules: P9, P11, P12.
story('What goes out of Petro\'s view is hidden, each node and each link, after everything else', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  const step = (await hers.does('node:add', { target: plan })).diff;
  const [stepId, link] = [step.nodes[0].after.id, step.links[0].after.id];
  const { diff } = await hers.does('link:trash', { id: link });
  const told = await heard(petro, diff);
  assert.deepEqual(entries(told.nodes), [[OP.NODE_STATUS, plan], [OP.NODE_HIDE, stepId]]);
  assert.deepEqual(told.nodes[1].before, { id: stepId });
  assert.deepEqual(told.nodes[1].after, { id: stepId, hidden: true });
  assert.deepEqual(entries(told.links), [[OP.LINK_TRASH, link]], 'the link itself he saw go to the trash');

  const back = await heard(petro, (await hers.does('link:restore', { id: link })).diff);
  assert.deepEqual(entries(back.nodes), [[OP.NODE_SHOW, stepId], [OP.NODE_STATUS, plan]]);
  const revoked = await heard(petro, (await hers.does('node:access:delete', { id: plan, email: petro.user.email })).diff);
  assert.deepEqual(entries(revoked.nodes).sort(), [[OP.NODE_HIDE, plan], [OP.NODE_HIDE, stepId]].sort());
  assert.deepEqual(revoked.links, [{ op: LINK_HIDE, before: { id: link }, after: { id: link, hidden: true } }]);
});

// Rules: P14.
story('What Petro sees go to the trash is told as that and no hide, and what returns is told whole', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  const step = await hers.addNode({ title: 'Step' });
  const link = await hers.addLink(step, plan);
  const gone = await heard(petro, (await hers.does('node:trash', { id: step })).diff);
  assert.deepEqual(entries(gone.nodes), [[OP.NODE_TRASH, step], [OP.NODE_STATUS, plan]]);
  assert.deepEqual(entries(gone.links), [[OP.LINK_TRASH, link]]);
  const back = await heard(petro, (await hers.does('node:restore', { id: step })).diff);
  assert.deepEqual(entries(back.nodes), [[OP.NODE_RESTORE, step], [OP.NODE_STATUS, plan]]);
  assert.deepEqual([back.nodes[0].after.title, back.nodes[0].after.access], ['Step', 3]);
  assert.deepEqual(entries(back.links), [[OP.LINK_RESTORE, link]]);
  assert.equal(back.links[0].after.source, step);
});

// Rules: V2, V3, V11, P10.
story('What holds a task of Petro\'s from out of his sight is a phantom to him: its status and nothing else', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 }, { branch: false });
  const secret = await hers.addNode({ title: 'Secret' });
  await hers.addLink(secret, plan);
  assert.deepEqual(await phantomsOf(petro), [{ id: secret, status: STATUS.AVAILABLE, phantom: true }]);

  const renamed = await hers.does('node:update', { id: secret, title: 'Still secret' });
  await petro.settled();
  assert.equal(petro.all('graph:diff').filter((one) => one.rev >= renamed.rev).length, 0, 'its other changes are no news');

  const told = await heard(petro, (await hers.does('node:update', { id: secret, status: STATUS.IN_PROGRESS })).diff);
  const status = { op: OP.NODE_STATUS, before: { id: secret, status: STATUS.AVAILABLE }, after: { id: secret, status: STATUS.IN_PROGRESS } };
  assert.deepEqual(told.nodes, [status]);

  const full = await heard(petro, (await hers.does('node:access', { id: secret, email: petro.user.email })).diff);
  const [shown] = full.nodes;
  assert.deepEqual([shown.op, shown.after.title, shown.after.access], [NODE_ACCESS, 'Still secret', 3]);
  const faded = await heard(petro, (await hers.does('node:access:delete', { id: secret, email: petro.user.email })).diff);
  assert.deepEqual(faded.nodes, [{ op: NODE_ACCESS, before: { id: secret }, after: { id: secret, status: STATUS.IN_PROGRESS, phantom: true } }]);

  const hidden = await heard(petro, (await hers.does('node:trash', { id: secret })).diff);
  assert.deepEqual(hidden.nodes.filter(({ after }) => after.id === secret).map(({ op }) => op), [OP.NODE_HIDE]);
  assert.ok(!JSON.stringify(hidden).includes('ecret'), 'not a word of it');
});

// Rules: P10, V10.
story('When only Petro\'s access changes he is told that, and the public token with it when he may know it', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  const { publicToken } = (await hers.does('node:publish', { id: plan })).diff.nodes[0].after;
  const email = petro.user.email;
  const up = await heard(petro, (await hers.does('node:access:update', { id: plan, email, level: 1 })).diff);
  assert.deepEqual(up.nodes.map(({ op, before }) => [op, before]), [[NODE_ACCESS, { id: plan, access: 3, publicToken: null }]]);
  assert.deepEqual([up.nodes[0].after.access, up.nodes[0].after.publicToken], [1, publicToken]);
  const down = await heard(petro, (await hers.does('node:access:update', { id: plan, email, level: 2 })).diff);
  assert.deepEqual([down.nodes[0].after.access, down.nodes[0].after.publicToken], [2, null]);
  assert.equal('version' in down.nodes[0].after, false, 'the node itself has not changed');
});

// Rules: P23, W4.
story('A deletion for good is told to those whose trash showed it, and to nobody else', async () => {
  const { olha, hers, plan, admin, editor } = await shared({ admin: 1, editor: 2 });
  const there = await server.connect(olha);
  const step = (await hers.does('node:add', { title: 'Step', target: plan })).diff.nodes[0].after.id;
  await hers.does('node:trash', { id: step });
  assert.deepEqual((await admin.does('trash:page')).nodes.map((node) => node.id), [step]);
  assert.deepEqual((await editor.does('trash:page')).nodes, [], 'only who runs it finds it in their trash');
  const { diff } = await hers.does('node:delete', { id: step });
  for (const client of [there, admin]) {
    const told = await heard(client, diff);
    assert.deepEqual(entries(told.nodes), [[OP.NODE_DELETE, step]]);
    assert.equal(told.nodes[0].before.title, 'Step');
  }
  await editor.settled();
  assert.ok(!editor.all('graph:diff').some((one) => one.batchId === diff.batchId));
});

// Rules: V12, V13.
story('A public link in the trash is shown to who runs its target, if they see its source or the link was a blocker', async () => {
  const { hers, plan, admin } = await shared({ admin: 1 }, { branch: false });
  const [holder, other] = [await hers.addNode(), await hers.addNode()];
  const [primary, secondary] = [await hers.addLink(holder, plan), await hers.addLink(other, plan, { type: 1 })];
  await hers.does('link:trash', { id: primary });
  await hers.does('link:trash', { id: secondary });
  assert.deepEqual((await admin.does('trash:page')).links.map((link) => link.id), [primary]);
  assert.deepEqual((await hers.does('trash:page')).links.map((link) => link.id).sort(), [primary, secondary].sort());
});

// Rules: S6.
story('Of a publication those hear who have access; to whom the node is a phantom it is no news', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 }, { branch: false });
  const secret = await hers.addNode({ title: 'Secret' });
  await hers.addLink(secret, plan);
  await hers.does('node:publish', { id: secret });
  await hers.does('node:publish', { id: plan });
  await petro.hears('branch:published', (one) => one.id === plan);
  assert.equal(petro.all('branch:published').length, 1);
  await hers.settled();
  assert.deepEqual(hers.all('branch:published'), [], 'and not who published it');
});

// Rules: P25.
story('What a replay tells is of then and not of now: applied, it would bring back what is gone', async () => {
  const client = await server.connect(await newUser('olha'));
  const payload = { title: 'Roof', batchId: crypto.randomUUID() };
  const first = await client.does('node:add', payload);
  const { rev } = await client.does('node:trash', { id: first.diff.nodes[0].after.id });
  const again = await client.does('node:add', payload);
  assert.equal(again.replayed, true, 'which is how a client knows');
  assert.ok(again.diff.rev === first.diff.rev && again.diff.rev < rev);
  assert.deepEqual((await client.does('graph:get')).nodes, []);
});

// Rules: G8, S7.
story('A publication without its branch is its root alone; one withdrawn or run out is no branch, and a branch has no phantoms', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  await hers.does('node:add', { title: 'Step', target: plan });
  const foreign = await petro.addNode({ title: 'Not hers' });
  await hers.does('node:access:update', { id: plan, email: petro.user.email, level: 2 });
  await petro.addLink(foreign, plan);
  const own = await hers.does('branch:get', { root: plan });
  assert.deepEqual(own.nodes.map((node) => node.title).sort(), ['Plan', 'Step']);
  assert.equal((await phantomsOf(hers)).length, 1, 'which the graph itself has');

  const { publicToken } = (await hers.does('node:publish', { id: plan, branch: false })).diff.nodes[0].after;
  const read = async (root) => (await server.rest(null, 'GET', `/api/branch?root=${root}`)).body;
  const alone = await read(publicToken);
  assert.deepEqual(alone.nodes.map((node) => [node.title, node.access, node.ownerEmail ?? null]), [['Plan', 3, null]]);
  await hers.does('node:unpublish', { id: plan });
  isRefusal(await read(publicToken), 'not_found.branch_not_found');
  isRefusal(await petro.call('branch:get', { root: publicToken }), 'not_found.branch_not_found');
});

// Rules: O12, H3.
story('Shows, hides and changes of access are told and never kept: the history has only what was done', async () => {
  const { hers, plan, petro } = await shared({ petro: 3 });
  const email = petro.user.email;
  await hers.does('node:add', { target: plan });
  await hers.does('node:access:update', { id: plan, email, level: 1 });
  await hers.does('node:access:delete', { id: plan, email });
  await petro.hears('graph:diff', (diff) => ops(diff.nodes).includes(OP.NODE_HIDE));
  const told = petro.all('graph:diff').flatMap((diff) => ops(diff.nodes));
  assert.ok(told.includes(NODE_ACCESS) && told.includes(OP.NODE_HIDE));
  const { batches } = await hers.does('history:page');
  const kept = new Set(batches.flatMap((batch) => batch.ops.map((op) => op.type)));
  assert.deepEqual([...kept].sort((a, b) => a - b), [OP.NODE_ADD, OP.NODE_STATUS, OP.LINK_ADD, OP.GRANT_UPSERT, OP.GRANT_UPDATE, OP.GRANT_DELETE]);
});
