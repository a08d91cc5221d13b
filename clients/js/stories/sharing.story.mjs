// Sharing, told from both sides: what one gives, the other sees at once – and no longer than it is given.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Replica } from '../replica.mjs';
import { isRefusal, isTime, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const OP = {
  TRASH: 3, RESTORE: 4, DELETE: 5, PUBLISH: 6, SHOW: 7, HIDE: 8, ACCESS: 9,
  LINK_ADD: 10, LINK_TRASH: 12, LINK_SHOW: 17, LINK_HIDE: 18, UPSERT: 20, UPDATE: 21, LEFT: 22, USER: 30,
};
const LATE_MS = 1_000;
const soon = (ms) => new Date(Date.now() + ms).toISOString();
const actor = ({ username, email }) => ({ username, email });
const ids = (entries) => entries.map(({ after }) => after.id);

/** A client whose replica applies what it receives and is compared with a load at the end. */
async function watching(user) {
  const client = await server.connect(user);
  const replica = new Replica();
  client.socket.on('graph:diff', (diff) => replica.diff(diff));
  replica.page(await client.does('graph:get', { limit: 5000 }));
  client.nth = 0;
  /** The next diff that has not been looked at. */
  client.next = async () => {
    await client.hears('graph:diff', () => client.all('graph:diff').length > client.nth);
    return client.all('graph:diff')[client.nth++];
  };
  client.holds = async () => {
    replica.equals(await client.does('graph:get', { limit: 5000 }));
    return [...replica.nodes.keys()];
  };
  return client;
}

/** Olha's house: a root with a step and a step's step, and a diary beside it. */
async function house() {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const hers = await server.connect(olha);
  const root = await hers.addNode({ title: 'House' });
  const step = await hers.addNode({ title: 'Roof', target: root });
  const tile = await hers.addNode({ title: 'Tiles', target: step });
  const diary = await hers.addNode({ title: 'Diary' });
  const his = await watching(petro);
  return { olha, petro, hers, his, root, step, tile, diary };
}

story('S13, P8: a branch grant shows the branch at once, whole, and not the diary', async () => {
  const { olha, petro, hers, his, root, step, tile } = await house();
  const { diff } = await hers.does('node:access', { id: root, email: petro.email.toUpperCase() });
  assert.deepEqual(diff.access.map(({ op, before, after }) => [op, before, after.email, after.level, after.branch, after.due]), [
    [OP.UPSERT, {}, petro.email, 3, true, null],
  ]);
  const told = await his.next();
  assert.deepEqual([told.batchId, told.actor], [diff.batchId, actor(olha)]);
  assert.deepEqual(told.nodes.map(({ op, before, after }) => [op, before, after.id, after.access, after.shareRoots]), [
    [OP.SHOW, {}, root, 3, [root]], [OP.SHOW, {}, step, 3, [root]], [OP.SHOW, {}, tile, 3, [root]],
  ]);
  assert.equal(told.nodes[0].after.title, 'House');
  assert.deepEqual(ops(told.links), [OP.LINK_SHOW, OP.LINK_SHOW]);
  assert.deepEqual(ops(told.access), [OP.UPSERT]);
  assert.deepEqual((await his.holds()).sort(), [root, step, tile].sort());
});

story('S13, V2: a grant without branch shows the node, and its blocker as a phantom', async () => {
  const { olha, petro, hers, his, root, step } = await house();
  const { body } = await server.rest(olha, 'POST', '/api/node/access', { id: root, email: petro.email, level: 2, branch: false });
  assert.equal(body.ok, true, JSON.stringify(body));
  const told = await his.next();
  const phantom = told.nodes.find(({ after }) => after.id === step);
  assert.deepEqual(phantom, { op: OP.SHOW, before: {}, after: { id: step, status: 2, phantom: true } });
  assert.equal(told.nodes.find(({ after }) => after.id === root).after.access, 2);
  assert.deepEqual(ops(told.links), [OP.LINK_SHOW]);
  await his.holds();
  // Its status is broadcast, its title is not.
  await hers.does('node:update', { id: step, title: 'Nobody hears this' });
  await hers.does('node:update', { id: step, independent: true, status: 3 });
  const done = await his.next();
  assert.deepEqual(done.nodes.find(({ after }) => after.id === step), { op: 2, before: { id: step, status: 2 }, after: { id: step, status: 3 } });
  assert.ok(!JSON.stringify(his.heard).includes('Nobody hears this'));
  await his.holds();
});

story('P10: a phantom becomes a node in full, and fades again', async () => {
  const { petro, hers, his, root, step } = await house();
  await hers.does('node:access', { id: root, email: petro.email, branch: false });
  await his.next();
  await hers.does('node:access', { id: step, email: petro.email, branch: false, level: 1 });
  const full = (await his.next()).nodes.find(({ after }) => after.id === step);
  assert.deepEqual([full.op, full.before, full.after.title, full.after.access], [OP.ACCESS, { id: step, phantom: true }, 'Roof', 1]);
  await hers.does('node:access:delete', { id: step, email: petro.email });
  const faded = (await his.next()).nodes.find(({ after }) => after.id === step);
  assert.deepEqual(faded, { op: OP.ACCESS, before: { id: step }, after: { id: step, status: 2, phantom: true } });
  await his.holds();
});

story('P10: another level is told with the token it uncovers, and nothing else', async () => {
  const { petro, hers, his, root } = await house();
  const token = (await hers.does('node:publish', { id: root, branch: false })).diff.nodes[0].after.publicToken;
  await hers.does('node:access', { id: root, email: petro.email, branch: false });
  assert.equal((await his.next()).nodes.find(({ after }) => after.id === root).after.publicToken, null);
  for (const [level, shown] of [[2, undefined], [1, token], [3, null]]) {
    await hers.does('node:access:update', { id: root, email: petro.email, level });
    const told = await his.next();
    const { op, after } = told.nodes[0];
    assert.deepEqual([told.nodes.length, op, after.access, after.publicToken, after.version], [1, OP.ACCESS, level, shown, undefined]);
    assert.deepEqual(ops(told.access), [OP.UPDATE]);
    assert.equal((await his.does('graph:get')).nodes.find(({ id }) => id === root).access, level);
  }
  await his.holds();
});

story('S13: what each level may do', async () => {
  const { petro, hers, his, root } = await house();
  const third = await newUser('ivan');
  await hers.does('node:access', { id: root, email: petro.email, level: 3 });
  const may = async (event, payload) => (await his.call(event, payload)).ok;
  const tries = [
    ['node:update', { id: root, title: 'Mine' }],
    ['node:publish', { id: root }],
    ['node:access', { id: root, email: third.email }],
  ];
  const allowed = { 3: [false, false, false], 2: [true, false, false], 1: [true, true, true] };
  for (const level of [3, 2, 1]) {
    if (level < 3) await hers.does('node:access:update', { id: root, email: petro.email, level });
    const did = [];
    for (const [event, payload] of tries) did.push(await may(event, payload));
    assert.deepEqual(did, allowed[level], `level ${level}`);
  }
  isRefusal(await his.call('node:access:update', { id: root, email: petro.email, level: 3 }), 'forbidden.no_permission');
  await his.does('node:trash', { id: root });
  isRefusal(await his.call('node:delete', { id: root }), 'forbidden.no_permission');
});

story('S20: a grant is hidden and shown again by who it is for, over REST and socket', async () => {
  const { petro, hers, his, root, step, tile } = await house();
  await hers.does('node:access', { id: root, email: petro.email });
  await his.next();
  const hidden = await his.does('access:visibilityupdate', { id: root, showing: false });
  assert.deepEqual(hidden.diff.nodes.map(({ op, before, after }) => [op, before, after]), [root, step, tile].map((id) => [OP.HIDE, { id }, { id, hidden: true }]));
  assert.deepEqual(ops(hidden.diff.links), [OP.LINK_HIDE, OP.LINK_HIDE]);
  assert.deepEqual((await his.does('graph:get')).nodes, []);
  isRefusal(await his.call('node:update', { id: root, title: 'x' }), 'not_found.node_not_found');
  const { account } = await his.does('account:get');
  assert.deepEqual(account.grantedTo.map(({ nodeId, showing }) => [nodeId, showing]), [[root, false]]);
  const { body } = await server.rest(petro, 'PUT', '/api/account/access', { id: root, showing: true });
  assert.deepEqual(ops(body.diff.nodes), [OP.SHOW, OP.SHOW, OP.SHOW]);
  assert.equal((await his.does('graph:get')).nodes.length, 3);
});

story('S19: Petro leaves, awake or asleep, and the share is gone for both', async () => {
  for (const asleep of [false, true]) {
    const { petro, hers, his, root } = await house();
    await hers.does('node:access', { id: root, email: petro.email });
    if (asleep) await his.does('access:visibilityupdate', { id: root, showing: false });
    const { diff } = await his.does('node:access:delete', { id: root, email: petro.email });
    assert.deepEqual(ops(diff.access), [OP.LEFT]);
    assert.deepEqual(diff.access[0].after, { nodeId: root, email: petro.email, deleted: true });
    assert.equal(diff.nodes.length, asleep ? 0 : 3);
    await hers.hears('graph:diff', ({ access }) => access.some(({ op }) => op === OP.LEFT));
    assert.deepEqual((await hers.does('account:get')).account.grantedBy, []);
  }
});

story('P15: a grant that runs out hides what it showed within a second, and nobody did it', async () => {
  const { petro, hers, his, root, step, tile } = await house();
  const due = Date.now() + 1_200;
  await hers.does('node:access', { id: root, email: petro.email, due: new Date(due).toISOString() });
  await his.next();
  const told = await his.next();
  const lateMs = Date.now() - due;
  assert.ok(lateMs >= 0 && lateMs < LATE_MS, `${lateMs} ms after its due time`);
  assert.deepEqual([told.actor, told.batchId], [null, null]);
  assert.deepEqual(ids(told.nodes).sort(), [root, step, tile].sort());
  assert.deepEqual([new Set(ops(told.nodes)), new Set(ops(told.links))], [new Set([OP.HIDE]), new Set([OP.LINK_HIDE])]);
  assert.deepEqual(await his.holds(), []);
  isRefusal(await his.call('node:update', { id: root, title: 'x' }), 'not_found.node_not_found');
});

story('P15: a publication that runs out ends the embeds\' sight, and its token opens nothing', async () => {
  const { hers, his, root } = await house();
  const { diff } = await hers.does('node:publish', { id: root, due: soon(1_200) });
  const token = diff.nodes[0].after.publicToken;
  await his.does('node:embed', { id: token });
  assert.equal((await server.rest(null, 'GET', `/api/branch?root=${token}`)).status, 200);
  const told = await his.next();
  assert.deepEqual([told.actor, told.batchId, new Set(ops(told.nodes))], [null, null, new Set([OP.HIDE])]);
  isRefusal((await server.rest(null, 'GET', `/api/branch?root=${token}`)).body, 'not_found.branch_not_found');
  await his.does('node:unembed', { id: root });
});

story('S6: whoever has access hears branch:published; who has not, and its author\'s window, do not', async () => {
  const { olha, petro, hers, his, root, step } = await house();
  const [stranger, herOther] = [await server.connect(await newUser('ivan')), await server.connect(olha)];
  await hers.does('node:access', { id: root, email: petro.email, branch: false });
  await hers.does('node:publish', { id: step, due: null });
  await hers.does('node:publish', { id: root, branch: false });
  const heard = await his.hears('branch:published');
  assert.deepEqual({ ...heard, ts: null }, { id: root, publicBranch: false, publicDue: null, actor: actor(olha), ts: null });
  isTime(heard.ts);
  await herOther.hears('branch:published', ({ id }) => id === root);
  for (const client of [his, stranger, hers]) await client.settled();
  assert.equal(his.all('branch:published').length, 1, 'a phantom does not count');
  assert.deepEqual([stranger.all('branch:published'), hers.all('branch:published')], [[], []]);
});

story('S9: an embed shows a published branch to a stranger, until it is taken out or unpublished', async () => {
  const { petro, hers, his, root, step, tile, diary } = await house();
  isRefusal(await his.call('node:embed', { id: root }), 'not_found.branch_not_found');
  const token = (await hers.does('node:publish', { id: root })).diff.nodes[0].after.publicToken;
  const embedded = await his.does('node:embed', { id: token });
  assert.deepEqual(embedded.diff.user, [{ op: OP.USER, before: { email: petro.email, publicEmbed: null }, after: { email: petro.email, publicEmbed: root } }]);
  assert.deepEqual(ids(embedded.diff.nodes).sort(), [root, step, tile].sort());
  assert.ok(embedded.diff.nodes.every(({ op, after }) => op === OP.SHOW && after.access === 3 && after.publicToken === null));
  isRefusal(await his.call('node:embed', { id: token }), 'bad_request.already_embedded');
  const out = await server.rest(petro, 'DELETE', '/api/node/embed', { id: root });
  assert.deepEqual(new Set(ops(out.body.diff.nodes)), new Set([OP.HIDE]));
  isRefusal(await his.call('node:unembed', { id: token }), 'bad_request.not_embedded');
  await his.does('node:embed', { id: root });
  await hers.does('node:publish:update', { id: root, branch: false });
  const narrowed = await his.hears('graph:diff', ({ nodes }) => nodes.some(({ op }) => op === OP.PUBLISH));
  assert.ok(narrowed.nodes.some(({ op, after }) => op === OP.HIDE && after.id === tile));
  await hers.does('node:unpublish', { id: root });
  await his.hears('graph:diff', ({ nodes }) => nodes.some(({ op, after }) => op === OP.HIDE && after.id === root));
  assert.deepEqual((await his.does('graph:get')).nodes, []);
  assert.ok(!JSON.stringify(his.heard).includes(diary));
});

story('G8: a branch by id as its reader sees it, and by token for anyone, without the owner\'s email', async () => {
  const { olha, petro, hers, his, root, step, tile } = await house();
  await hers.does('node:access', { id: step, email: petro.email });
  const seen = await his.does('branch:get', { root: step });
  assert.deepEqual(seen.nodes.map(({ id }) => id).sort(), [step, tile].sort());
  isRefusal(await his.call('branch:get', { root }), 'not_found.branch_not_found');
  isRefusal(await his.call('branch:get', { root: crypto.randomUUID() }), 'not_found.branch_not_found');
  const token = (await hers.does('node:publish', { id: root })).diff.nodes[0].after.publicToken;
  const { status, body } = await server.rest(null, 'GET', `/api/branch?root=${token}`);
  assert.equal(status, 200);
  assert.equal(body.nodes.length, 3);
  assert.ok(body.nodes.every((node) => node.access === 3 && node.ownerUsername === olha.username && !('ownerEmail' in node) && node.publicToken === null));
  const member = (await server.rest(petro, 'GET', `/api/branch?root=${token}`)).body;
  assert.ok(member.nodes.every((node) => node.ownerEmail === olha.email));
  const paged = await server.rest(null, 'GET', `/api/branch?root=${token}&limit=2`);
  assert.deepEqual([paged.body.nodes.length, paged.body.hasMore], [2, true]);
  await hers.does('node:publish:update', { id: root, branch: false });
  assert.deepEqual((await server.rest(null, 'GET', `/api/branch?root=${token}`)).body.nodes.map(({ id }) => id), [root]);
  await hers.does('node:unpublish', { id: root });
  isRefusal((await server.rest(null, 'GET', `/api/branch?root=${token}`)).body, 'not_found.branch_not_found');
});

story('P3: what is revoked is hidden at once, and nothing written after it arrives', async () => {
  const { petro, hers, his, root, step } = await house();
  await hers.does('node:access', { id: root, email: petro.email, level: 2 });
  await his.does('node:update', { id: step, title: 'Petro was here' });
  const { diff } = await hers.does('node:access:delete', { id: root, email: petro.email });
  const told = await his.hears('graph:diff', ({ batchId }) => batchId === diff.batchId);
  assert.deepEqual(new Set(ops(told.nodes)), new Set([OP.HIDE]));
  await hers.does('node:update', { id: step, title: 'SECRET' });
  await hers.addNode({ title: 'SECRET', target: root });
  await hers.does('node:trash', { id: step });
  isRefusal(await his.call('node:update', { id: step, title: 'x' }), 'not_found.node_not_found');
  await his.settled();
  assert.ok(!JSON.stringify(his.heard).includes('SECRET'));
  assert.equal(his.all('graph:diff').at(-1).batchId, diff.batchId);
});

story('P24: a revoked token ends its live sockets at once, and its REST calls from the next on', async () => {
  const { petro, hers, root } = await house();
  await hers.does('node:access', { id: root, email: petro.email });
  const other = await server.cli('token', 'create', '--email', petro.email, '--name', 'phone', '--json');
  const [phone, desk] = [await server.connect({ token: other.token }), await server.connect(petro)];
  await server.cli('token', 'revoke', '--email', petro.email, '--id', other.id, '--json');
  assert.equal(await phone.ends(2_000), 'io server disconnect');
  await hers.does('node:update', { id: root, title: 'SECRET' });
  assert.equal((await server.rest(other.token, 'GET', '/api/graph')).status, 401);
  await desk.hears('graph:diff');
  assert.ok(!JSON.stringify(phone.heard).includes('SECRET'));
});

story('V2: a phantom appears with the link that needs it and goes with it', async () => {
  const { petro, hers, his, root, diary } = await house();
  await hers.does('node:access', { id: root, email: petro.email, level: 2, branch: false });
  await his.next();
  const link = await hers.addLink(diary, root);
  const told = await his.next();
  assert.deepEqual(told.nodes.find(({ after }) => after.id === diary), { op: OP.SHOW, before: {}, after: { id: diary, status: 0, phantom: true } });
  assert.equal(told.links.find(({ after }) => after.id === link).op, OP.LINK_ADD);
  await his.holds();
  const { diff } = await his.does('link:trash', { id: link });
  assert.deepEqual(diff.nodes.find(({ after }) => after.id === diary), { op: OP.HIDE, before: { id: diary }, after: { id: diary, hidden: true } });
  assert.deepEqual(ops(diff.links), [OP.LINK_TRASH]);
  await his.does('link:restore', { id: link }).catch(() => null);
  await hers.does('node:trash', { id: diary });
  await his.settled();
  assert.ok(!JSON.stringify(his.heard).includes('Diary'));
});

story('P14: what goes to the trash in one\'s sight is trashed, not hidden, and returns whole', async () => {
  const { petro, hers, his, root, step } = await house();
  await hers.does('node:access', { id: root, email: petro.email });
  await his.next();
  await hers.does('node:trash', { id: step });
  const gone = await his.next();
  assert.deepEqual(gone.nodes.filter(({ after }) => after.id === step).map(({ op }) => op), [OP.TRASH]);
  await hers.does('node:restore', { id: step });
  const back = (await his.next()).nodes.find(({ after }) => after.id === step);
  assert.deepEqual([back.op, back.after.title, back.after.access], [OP.RESTORE, 'Roof', 3]);
  assert.equal((await his.holds()).length, 3);
});

story('P6: a purge takes others\' private links along, and tells nobody of them but their owner', async () => {
  const { petro, hers, his, root } = await house();
  await hers.does('node:access', { id: root, email: petro.email });
  const { diff } = await his.does('node:add', { title: 'My own thoughts', target: root });
  const [mine, link] = [diff.nodes[0].after.id, diff.links[0].after.id];
  const herOther = await server.connect(await newUser('ivan'));
  await hers.does('node:trash', { id: root });
  const { diff: purged } = await hers.does('trash:purge', {});
  assert.ok(ids(purged.nodes).includes(root));
  await hers.settled();
  for (const client of [hers, herOther]) {
    for (const secret of [mine, link]) assert.ok(!JSON.stringify([client.heard, purged]).includes(secret), 'a private link of Petro\'s');
  }
  await his.settled();
  assert.deepEqual((await his.does('graph:get')).nodes.map(({ id }) => id), [mine]);
});

story('P21: who comes back catches up by what they missed, unless their view shrank', async () => {
  const { petro, hers, his, root, step } = await house();
  await hers.does('node:access', { id: root, email: petro.email });
  const { rev } = await his.does('graph:get');
  his.close();
  await hers.does('node:update', { id: step, title: 'Missed' });
  await hers.does('node:update', { id: step, title: 'Missed too' });
  const back = await server.connect(petro);
  const synced = await back.does('graph:sync', { since: rev });
  assert.deepEqual([synced.recovered, back.all('graph:diff').map(({ nodes }) => nodes[0].after.title)], [true, ['Missed', 'Missed too']]);
  assert.equal(synced.rev, back.all('graph:diff').at(-1).rev);
  back.close();
  await hers.does('node:update', { id: step, title: 'SECRET' });
  await hers.does('node:access:delete', { id: root, email: petro.email });
  const again = await server.connect(petro);
  assert.equal((await again.does('graph:sync', { since: synced.rev })).recovered, false);
  assert.ok(!JSON.stringify(again.heard).includes('SECRET'));
  await sleep(0);
});
