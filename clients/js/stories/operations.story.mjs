// Every operation there is, once over a socket and once over REST, from one table; and every one that changes
// something, sent again under its batchId.
import assert from 'node:assert/strict';
import { OP, STATUS, isDiff, isKeys, isRefusal, isTime, ops } from '../shapes.mjs';
import { stage } from '../story.mjs';
import { ROUTES, WAYS, goesOver, waysOf } from '../ways.mjs';

const { server, story, newUser } = await stage();
const ways = waysOf(server);
const [olha, petro, hanna, maria] = [await newUser('olha'), await newUser('petro'), await newUser('hanna'), await newUser('maria')];
const NEXT_YEAR = new Date(Date.now() + 365 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
const unused = () => crypto.randomUUID();

// What stories begin with, done by Olha over her socket.
const does = async (event, payload) => (await ways.clientOf(olha)).does(event, payload);
const node = async (fields = {}) => (await does('node:add', fields)).diff.nodes[0].after.id;
const trashedNode = async () => {
  const id = await node();
  await does('node:trash', { id });
  return id;
};
const link = async (more = {}) => {
  const ends = { source: await node(), target: await node(), ...more };
  return { ...ends, id: (await does('link:add', ends)).diff.links[0].after.id };
};
const trashedLink = async () => {
  const made = await link();
  await does('link:trash', { id: made.id });
  return made;
};
const published = async () => {
  const id = await node();
  const { diff } = await does('node:publish', { id });
  return { id, token: diff.nodes[0].after.publicToken };
};
const shared = async (user, more = {}) => {
  const id = await node();
  await does('node:access', { id, email: user.email, ...more });
  return id;
};

/** The graph of a user as {nodes, links}, each by id. */
async function graphOf(user) {
  const { nodes, links } = await (await ways.clientOf(user)).does('graph:get', { limit: 5_000 });
  const byId = (list) => new Map(list.map((one) => [one.id, one]));
  return { nodes: byId(nodes), links: byId(links) };
}

/** The batch of a title given to a new node. */
async function titled() {
  const id = await node();
  return { id, batchId: (await does('node:update', { id, title: 'Draft' })).diff.batchId };
}

const undone = async () => {
  const made = await titled();
  await does('history:undo', { batchId: made.batchId });
  return made;
};

const titleOf = async ({ id }) => (await graphOf(olha)).nodes.get(id).title;

/** A page of the trash, under both its names. */
const TRASH = {
  does: 'shows what is in the trash, and which batch put it there',
  given: async () => ({ id: await trashedNode(), payload: { limit: 1_000, offset: 0 } }),
  holds(body, { id }) {
    isKeys(body, ['ok', 'hasMore', 'nodes', 'links', 'rev', 'trace_id']);
    const found = body.nodes.find((one) => one.id === id);
    assert.equal(found.inTrash, true);
    assert.ok(found.lastBatchID);
  },
};

/** Undo and redo, under both their names. */
const UNDO = {
  does: 'sets back what a batch changed',
  given: async () => {
    const made = await titled();
    return { made, payload: { batchId: made.batchId } };
  },
  async holds({ batchId, undoOf, ...body }, { made }) {
    tells(body, { nodes: [OP.NODE_UPDATE] });
    assert.deepEqual([batchId, undoOf], [body.diff.batchId, made.batchId]);
    assert.deepEqual(changes(body.diff.nodes[0], 'title', 'version'), [['Draft', ''], [2, 3]]);
    assert.equal(await titleOf(made), '');
  },
  named: 'newBatchId',
  other: { batchId: unused() },
};
const REDO = {
  does: 'does again what was undone',
  given: async () => {
    const made = await undone();
    return { made, payload: { batchId: made.batchId } };
  },
  async holds({ batchId, redoOf, ...body }, { made }) {
    tells(body, { nodes: [OP.NODE_UPDATE] });
    assert.equal(batchId, body.diff.batchId);
    assert.ok(redoOf);
    assert.deepEqual(changes(body.diff.nodes[0], 'title', 'version'), [['', 'Draft'], [3, 4]]);
    assert.equal(await titleOf(made), 'Draft');
  },
  named: 'newBatchId',
  other: { batchId: unused() },
};

/** Holds a diff to have these codes, in order, in its lists, and no others. */
function tells(body, codes, actor = olha) {
  isKeys(body, ['ok', 'diff', 'rev', 'trace_id', ...(body.replayed ? ['replayed'] : [])]);
  isDiff(body.diff, actor);
  assert.equal(body.rev, body.diff.rev);
  const expected = { nodes: [], links: [], user: [], access: [], ...codes };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((list) => [list, ops(body.diff[list])])), expected);
}

function changes({ before, after }, ...fields) {
  return fields.map((field) => [before[field], after[field]]);
}

/**
 * Of each operation: `does` says what is done, `given` makes the payload (the rest of what it returns is for `holds`),
 * `holds` looks at the answer and the graph. Of those that change something `other` is other content for the same batchId.
 */
const OPERATIONS = {
  'graph:get': {
    does: 'loads a page of the graph',
    given: async () => ({ made: await link(), payload: { limit: 5_000, offset: 0 } }),
    holds(body, { made }) {
      isKeys(body, ['ok', 'hasMore', 'nodes', 'links', 'rev', 'trace_id']);
      assert.equal(body.hasMore, false);
      const target = body.nodes.find((one) => one.id === made.target);
      assert.deepEqual([target.status, target.access, target.ownerEmail], [STATUS.BLOCKED, 0, olha.email]);
      assert.equal(body.links.find((one) => one.id === made.id).source, made.source);
    },
  },
  'branch:get': {
    does: 'loads a branch and nothing beside it',
    given: async () => {
      const made = await link();
      return { made, payload: { root: made.target, limit: 10, offset: 0 } };
    },
    holds(body, { made }) {
      isKeys(body, ['ok', 'hasMore', 'nodes', 'links', 'rev', 'trace_id']);
      assert.deepEqual(body.nodes.map((one) => one.id), [made.source, made.target]);
      assert.deepEqual([body.links.map((one) => one.id), body.hasMore], [[made.id], false]);
    },
  },
  'trash:page': TRASH,
  'trash:list': TRASH,
  'graph:sync': {
    does: 'catches up with what was missed',
    async given() {
      // What went to the trash just before is known, and no reason to load anew.
      await trashedNode();
      const { rev } = await does('graph:get', { limit: 1 });
      await server.rest(olha, 'POST', '/api/node', { title: 'missed' });
      return { rev, payload: { since: rev } };
    },
    async holds(body, { rev }) {
      isKeys(body, ['ok', 'recovered', 'rev', 'trace_id']);
      assert.equal(body.recovered, true);
      assert.ok(body.rev > rev);
      // What others do meanwhile, such as getting an account, moves rev on, and Olha is told nothing.
      const missed = (await ways.clientOf(olha)).all('graph:diff').filter((diff) => diff.rev > rev && diff.rev <= body.rev);
      assert.ok(missed.length >= 1 && missed.at(-1).nodes[0].after.title === 'missed');
    },
  },
  'graph:why': {
    does: 'says why a task waits, and where one can begin',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.target } };
    },
    holds(body, { made }) {
      isKeys(body, ['ok', 'held', 'blockers', 'frontier', 'more', 'rev', 'trace_id']);
      assert.deepEqual([body.held, body.blockers, body.more], [true, [made.source], false]);
      assert.deepEqual(body.frontier, [{ id: made.source, phantom: false, chain: [made.target, made.source] }]);
    },
  },
  'graph:ready': {
    does: 'lists what can be worked on, and says why in this order',
    given: async () => {
      const made = await link();
      await does('node:update', { id: made.target, dueDate: NEXT_YEAR });
      return { made, payload: { mine: false, root: made.target, limit: 10 } };
    },
    holds(body, { made }) {
      isKeys(body, ['ok', 'tasks', 'more', 'rev', 'trace_id']);
      const reason = { due: NEXT_YEAR, holds: 1, atLeast: false, priority: 0 };
      assert.deepEqual([body.tasks, body.more], [[{ id: made.source, reason }], false]);
    },
  },
  'graph:critical': {
    does: 'finds the longest chain into a task',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.target, root: made.target } };
    },
    holds(body, { made }) {
      isKeys(body, ['ok', 'tasks', 'volume', 'rev', 'trace_id']);
      const chain = [made.source, made.target];
      assert.deepEqual(body.tasks, { length: 2, chain, slack: [], more: false });
      assert.deepEqual(body.volume, { length: 12, chain, slack: [], more: false });
    },
  },
  'node:grants': {
    does: 'lists who has access to a node, and by what',
    given: async () => {
      const id = await shared(petro, { level: 2, due: NEXT_YEAR });
      return { id, payload: { id } };
    },
    holds(body, { id }) {
      isKeys(body, ['ok', 'grants', 'more', 'rev', 'trace_id']);
      const shown = { via: id, userName: petro.username, userEmail: petro.email, level: 2, branch: true, due: NEXT_YEAR, showing: true, inForce: true };
      assert.deepEqual([body.grants, body.more], [[shown], false]);
    },
  },
  'graph:apply': {
    does: 'does several things as one',
    async given() {
      const id = unused();
      const target = await node();
      const operations = [
        { event: 'node:add', id, title: 'Step' },
        { event: 'link:add', source: id, target },
        { event: 'node:update', id, title: 'First step' },
      ];
      return { id, target, payload: { operations } };
    },
    async holds(body, { id, target }) {
      tells(body, { nodes: [OP.NODE_ADD, OP.NODE_STATUS], links: [OP.LINK_ADD] });
      const { nodes } = await graphOf(olha);
      assert.deepEqual([nodes.get(id).title, nodes.get(id).version, nodes.get(target).status], ['First step', 2, STATUS.BLOCKED]);
    },
    other: { operations: [] },
  },
  'account:get': {
    does: 'tells who one is, what one gave and was given',
    given: async () => ({ id: await shared(petro, { level: 2, branch: false }), payload: {} }),
    holds(body, { id }) {
      isKeys(body, ['ok', 'account', 'rev', 'trace_id']);
      const { grantedBy, grantedTo, publicEmbeds, createdTime, ...who } = body.account;
      const nobodyPays = { subscriptionState: 'active', annuallyPayment: false, cardPan: null };
      const view = { cameraPosition: null, showAllCards: false };
      const signsIn = { admin: false, hasPassword: false, identities: [] };
      assert.deepEqual(who, { id: olha.id, username: body.account.username, email: olha.email, plan: 'pro', ...signsIn, ...view, ...nobodyPays });
      isTime(createdTime);
      const given = grantedBy.find((grant) => grant.nodeId === id);
      const shown = { nodeId: id, userName: petro.username, userEmail: petro.email, level: 2, branch: false, due: null, showing: true };
      assert.deepEqual(given, shown);
      assert.deepEqual([grantedTo, publicEmbeds], [[], []]);
    },
  },
  'ws:ping': {
    does: 'is answered with ws:pong',
    given: async () => ({ payload: {} }),
    async holds() {
      const pong = await (await ways.clientOf(olha)).hears('ws:pong');
      isKeys(pong, ['serverTime']);
    },
  },
  'node:add': {
    does: 'makes a task under another, which waits for it',
    async given() {
      const target = await node({ status: STATUS.IN_PROGRESS });
      const fields = {
        title: 'Sand the floor – підлога 🪚', description: 'first\n\tthe corners', status: 1, dueDate: NEXT_YEAR, tags: ['home', 'дім'],
        priority: 9, volume: 0, independent: true, assignee: ['ann', 'ann@example.com'], x: -1.5, y: 0.25, z: 1e6, pinned: true, collapsed: true,
      };
      return { target, fields, payload: { id: unused(), target, ...fields } };
    },
    holds(body, { target, fields, payload }) {
      tells(body, { nodes: [OP.NODE_ADD, OP.NODE_STATUS], links: [OP.LINK_ADD] });
      const [added, held] = body.diff.nodes;
      assert.deepEqual(added.before, {});
      for (const [name, value] of Object.entries(fields)) assert.deepEqual(added.after[name], value, name);
      assert.deepEqual([added.after.id, added.after.version, added.after.access], [payload.id, 1, 0]);
      assert.deepEqual([held.after.id, ...changes(held, 'status')], [target, [STATUS.IN_PROGRESS, STATUS.BLOCKED]]);
      const { after } = body.diff.links[0];
      assert.deepEqual([after.source, after.target, after.type, after.private], [payload.id, target, 0, false]);
    },
    other: { title: 'another' },
  },
  'node:update': {
    does: 'changes fields and status, each in its own entry',
    given: async () => ({ payload: { id: await node({ dueDate: NEXT_YEAR }), title: 'Oil', dueDate: null, status: 3, version: 1 } }),
    async holds(body, { payload }) {
      tells(body, { nodes: [OP.NODE_UPDATE, OP.NODE_STATUS] });
      const [update, status] = body.diff.nodes;
      assert.deepEqual(changes(update, 'title', 'dueDate', 'version'), [['', 'Oil'], [NEXT_YEAR, null], [1, 2]]);
      assert.deepEqual(changes(status, 'status', 'version'), [[0, 3], [2, 3]]);
      const now = (await graphOf(olha)).nodes.get(payload.id);
      assert.deepEqual([now.title, now.dueDate, now.status, now.version], ['Oil', null, 3, 3]);
    },
    other: { title: 'Wax' },
  },
  'node:trash': {
    does: 'takes a task and its links to the trash, and frees what waited',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.source } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_TRASH, OP.NODE_STATUS], links: [OP.LINK_TRASH] });
      const { nodes, links } = await graphOf(olha);
      assert.deepEqual([nodes.has(made.source), links.has(made.id), nodes.get(made.target).status], [false, false, 0]);
    },
    other: { id: unused() },
  },
  'node:duplicate': {
    does: 'copies a task with what it waits for, and says what became of what',
    async given() {
      const made = await link();
      return { made, payload: { id: made.target, ids: { [made.source]: unused() } } };
    },
    async holds({ ids, ...body }, { made, payload }) {
      tells(body, { nodes: [OP.NODE_ADD, OP.NODE_ADD, OP.NODE_STATUS], links: [OP.LINK_ADD] });
      assert.equal(ids[made.source], payload.ids[made.source]);
      const { nodes, links } = await graphOf(olha);
      const copy = links.get(ids[made.id]);
      assert.deepEqual([copy.source, copy.target, nodes.get(ids[made.target]).status], [ids[made.source], ids[made.target], STATUS.BLOCKED]);
    },
    other: { branch: false },
  },
  'node:restore': {
    does: 'brings a task back with the links that went with it',
    async given() {
      const made = await link();
      await does('node:trash', { id: made.source });
      return { made, payload: { id: made.source } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_RESTORE, OP.NODE_STATUS], links: [OP.LINK_RESTORE] });
      assert.equal(body.diff.nodes[0].after.title, '', 'the whole entity returns');
      const { nodes, links } = await graphOf(olha);
      assert.deepEqual([nodes.has(made.source), links.has(made.id), nodes.get(made.target).status], [true, true, 2]);
    },
    other: { id: unused() },
  },
  'node:delete': {
    does: 'deletes a task in the trash for good, with its links',
    async given() {
      const made = await link();
      await does('node:trash', { id: made.source });
      return { made, payload: { id: made.source } };
    },
    holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_DELETE], links: [OP.LINK_DELETE] });
      const [{ before, after }] = body.diff.nodes;
      assert.equal(before.title, '', 'the whole entity is told a last time');
      assert.deepEqual(after, { id: made.source, deleted: true, shareRoots: [] });
    },
    other: { id: unused() },
  },
  'link:add': {
    does: 'makes one task wait for another',
    async given() {
      const [source, target] = [await node(), await node()];
      return { payload: { id: unused(), source, target, type: 0, private: true } };
    },
    holds(body, { payload }) {
      tells(body, { nodes: [OP.NODE_STATUS], links: [OP.LINK_ADD] });
      const { after } = body.diff.links[0];
      for (const [name, value] of Object.entries(payload)) assert.deepEqual(after[name], value, name);
      assert.deepEqual([after.wasBlocker, after.version], [true, 1]);
    },
    other: { private: false },
  },
  'link:update': {
    does: 'turns a link secondary, and frees what waited',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.id, type: 1, private: true } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_STATUS], links: [OP.LINK_UPDATE] });
      const expected = [[0, 1], [false, true], [true, false], [1, 2]];
      assert.deepEqual(changes(body.diff.links[0], 'type', 'private', 'wasBlocker', 'version'), expected);
      assert.equal((await graphOf(olha)).nodes.get(made.target).status, 0);
    },
    other: { type: 0 },
  },
  'link:swap': {
    does: 'turns a link round, and what waited is waited for',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.id } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_STATUS, OP.NODE_STATUS], links: [OP.LINK_SWAP] });
      const { nodes, links } = await graphOf(olha);
      assert.deepEqual([nodes.get(made.source).status, nodes.get(made.target).status], [2, 0]);
      const now = links.get(made.id);
      assert.deepEqual([now.source, now.target, now.type], [made.target, made.source, 0]);
    },
    other: { id: unused() },
  },
  'link:trash': {
    does: 'takes a link to the trash, and frees what waited',
    given: async () => {
      const made = await link();
      return { made, payload: { id: made.id } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_STATUS], links: [OP.LINK_TRASH] });
      const { nodes, links } = await graphOf(olha);
      assert.deepEqual([links.has(made.id), nodes.get(made.target).status], [false, 0]);
    },
    other: { id: unused() },
  },
  'link:restore': {
    does: 'brings a link back, and its target waits again',
    given: async () => {
      const made = await trashedLink();
      return { made, payload: { id: made.id } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_STATUS], links: [OP.LINK_RESTORE] });
      assert.equal(body.diff.links[0].after.source, made.source, 'the whole entity returns');
      assert.equal((await graphOf(olha)).nodes.get(made.target).status, 2);
    },
    other: { id: unused() },
  },
  'link:delete': {
    does: 'deletes a link in the trash for good',
    given: async () => {
      const made = await trashedLink();
      return { made, payload: { id: made.id } };
    },
    holds(body, { made }) {
      tells(body, { links: [OP.LINK_DELETE] });
      assert.equal(body.diff.links[0].before.source, made.source);
      assert.deepEqual(body.diff.links[0].after, { id: made.id, deleted: true, shareRoots: [] });
    },
    other: { id: unused() },
  },
  'trash:restore': {
    does: 'brings back what went to the trash together',
    async given() {
      const made = await link();
      const { diff } = await does('node:trash', { id: made.target, branch: true });
      return { made, payload: { batchId: diff.batchId } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_RESTORE, OP.NODE_RESTORE], links: [OP.LINK_RESTORE] });
      const { nodes, links } = await graphOf(olha);
      assert.deepEqual([nodes.has(made.source), nodes.get(made.target).status, links.has(made.id)], [true, STATUS.BLOCKED, true]);
    },
    named: 'newBatchId',
    other: { batchId: unused() },
  },
  'trash:purge': {
    does: 'deletes what is named in the trash for good, and nothing else',
    async given() {
      const [kept, gone, made] = [await trashedNode(), await trashedNode(), await trashedLink()];
      return { kept, gone, made, payload: { ids: [gone, made.id] } };
    },
    async holds(body, { kept, gone, made }) {
      tells(body, { nodes: [OP.NODE_DELETE], links: [OP.LINK_DELETE] });
      assert.deepEqual([body.diff.nodes[0].after.id, body.diff.links[0].after.id], [gone, made.id]);
      const page = await does('trash:page', { limit: 1_000 });
      const there = new Set([...page.nodes, ...page.links].map((one) => one.id));
      assert.deepEqual([there.has(kept), there.has(gone), there.has(made.id)], [true, false, false]);
    },
    other: { ids: [unused()] },
  },
  'trash:empty': {
    does: 'deletes all in the trash for good',
    by: maria,
    async given() {
      const hers = await ways.clientOf(maria);
      const [id, kept] = [await hers.addNode(), await hers.addNode()];
      await hers.does('node:trash', { id });
      return { id, kept, payload: {} };
    },
    async holds(body, { id, kept }) {
      tells(body, { nodes: [OP.NODE_DELETE] }, maria);
      assert.equal(body.diff.nodes[0].after.id, id);
      const { nodes, links } = await (await ways.clientOf(maria)).does('trash:list');
      assert.deepEqual([nodes, links], [[], []]);
      assert.ok((await graphOf(maria)).nodes.has(kept));
    },
    other: {}, // it takes nothing that could be another
  },
  'node:publish': {
    does: 'opens a node to whoever has its token',
    given: async () => ({ payload: { id: await node(), branch: false, due: NEXT_YEAR } }),
    async holds(body) {
      tells(body, { nodes: [OP.NODE_PUBLISH] });
      const { publicToken, publicBranch, publicDue, version } = body.diff.nodes[0].after;
      assert.match(publicToken, /^[\w-]{22,}$/);
      assert.deepEqual([publicBranch, publicDue, version], [false, NEXT_YEAR, 2]);
    },
    other: { branch: true },
  },
  'node:publish:update': {
    does: 'changes a publication and keeps its token',
    given: async () => {
      const made = await published();
      return { made, payload: { id: made.id, branch: false, due: NEXT_YEAR } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_PUBLISH] });
      const now = (await graphOf(olha)).nodes.get(made.id);
      assert.deepEqual([now.publicToken, now.publicBranch, now.publicDue], [made.token, false, NEXT_YEAR]);
    },
    other: { branch: true },
  },
  'node:unpublish': {
    does: 'closes a publication',
    given: async () => {
      const made = await published();
      return { made, payload: { id: made.id } };
    },
    holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_PUBLISH] });
      const closed = [[made.token, null], [true, null]];
      assert.deepEqual(changes(body.diff.nodes[0], 'publicToken', 'publicBranch'), closed);
    },
    other: { id: unused() },
  },
  'node:embed': {
    does: 'takes a published branch into one\'s own graph',
    by: petro,
    given: async () => {
      const made = await published();
      return { made, payload: { id: made.token } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_SHOW], user: [OP.USER_UPDATE] }, petro);
      assert.equal((await graphOf(petro)).nodes.get(made.id).access, 3);
    },
    other: { id: unused() },
  },
  'node:unembed': {
    does: 'takes it out again',
    by: petro,
    async given() {
      const made = await published();
      await (await ways.clientOf(petro)).does('node:embed', { id: made.id });
      return { made, payload: { id: made.id } };
    },
    async holds(body, { made }) {
      tells(body, { nodes: [OP.NODE_HIDE], user: [OP.USER_UPDATE] }, petro);
      assert.equal((await graphOf(petro)).nodes.has(made.id), false);
    },
    again: 'tells nothing, for what it took out is out of sight',
    other: { id: unused() },
  },
  'node:access': {
    does: 'shares a node with somebody',
    given: async () => ({ payload: { id: await node(), email: petro.email.toUpperCase(), level: 2, branch: false, due: NEXT_YEAR } }),
    async holds(body, { payload: { id } }) {
      tells(body, { access: [OP.GRANT_UPSERT] });
      const [{ before, after }] = body.diff.access;
      assert.deepEqual(before, {});
      assert.deepEqual(after, { nodeId: id, email: petro.email, level: 2, due: NEXT_YEAR, branch: false, version: 1 });
      assert.equal((await graphOf(petro)).nodes.get(id).access, 2);
    },
    other: { level: 1 },
  },
  'node:access:update': {
    does: 'changes what somebody may do',
    given: async () => ({ payload: { id: await shared(petro), email: petro.email, level: 1, due: NEXT_YEAR } }),
    async holds(body, { payload: { id } }) {
      tells(body, { access: [OP.GRANT_UPDATE] });
      assert.deepEqual(changes(body.diff.access[0], 'level', 'due', 'version'), [[3, 1], [null, NEXT_YEAR], [1, 2]]);
      assert.equal((await graphOf(petro)).nodes.get(id).access, 1);
    },
    other: { level: 2 },
  },
  'node:access:delete': {
    does: 'takes a share back',
    given: async () => ({ payload: { id: await shared(petro), email: petro.email } }),
    async holds(body, { payload: { id } }) {
      tells(body, { access: [OP.GRANT_DELETE] });
      const [{ before, after }] = body.diff.access;
      assert.deepEqual([before.level, after], [3, { nodeId: id, email: petro.email, deleted: true }]);
      assert.equal((await graphOf(petro)).nodes.has(id), false);
    },
    other: { email: 'somebody@else.example' },
  },
  'access:visibilityupdate': {
    does: 'lets the person a node is shared with hide it',
    by: petro,
    given: async () => ({ payload: { id: await shared(petro), showing: false } }),
    async holds(body, { payload: { id } }) {
      assert.deepEqual(ops(body.diff.nodes), [OP.NODE_HIDE]);
      assert.equal((await graphOf(petro)).nodes.has(id), false);
      const { account } = await (await ways.clientOf(petro)).does('account:get');
      assert.equal(account.grantedTo.find((grant) => grant.nodeId === id).showing, false);
    },
    other: { showing: true },
  },
  'history:page': {
    does: 'tells what was done to a branch, latest first',
    given: async () => {
      const made = await titled();
      return { made, payload: { scopeType: 'GRAPH', scopeId: made.id, limit: 10, offset: 0 } };
    },
    holds(body, { made }) {
      isKeys(body, ['ok', 'hasMore', 'batches', 'rev', 'trace_id']);
      assert.equal(body.hasMore, false);
      assert.deepEqual(body.batches.map((batch) => batch.ops.map((op) => op.type)), [[OP.NODE_UPDATE], [OP.NODE_ADD]]);
      const [{ ops: [op], ...batch }] = body.batches;
      isKeys(batch, ['batchId', 'rev', 'actor', 'ts', 'undone', 'undoOf', 'undoneBy', 'redoOf', 'redoneBy']);
      assert.deepEqual([batch.batchId, batch.undone, batch.undoOf], [made.batchId, false, null]);
      isKeys(op, ['id', 'type', 'entityType', 'entityId', 'forwardPatch', 'inversePatch', 'guard', 'createdTime']);
      assert.deepEqual([op.entityType, op.entityId, op.guard], ['node', made.id, { version: 1 }]);
      assert.deepEqual([op.forwardPatch.title, op.inversePatch.title], ['Draft', '']);
    },
  },
  'history:undo': UNDO,
  'history:redo': REDO,
  'batch:undo': UNDO,
  'batch:redo': REDO,
  'settings:username': {
    does: 'renames oneself',
    by: hanna,
    given: async () => ({ payload: { username: `hanna.${unused().slice(0, 8)}` } }),
    async holds(body, { payload: { username } }) {
      assert.deepEqual(ops(body.diff.user), [OP.USER_UPDATE]);
      const { after } = body.diff.user[0];
      assert.deepEqual([after.email, after.username], [hanna.email, username]);
      assert.equal((await (await ways.clientOf(hanna)).does('account:get')).account.username, username);
    },
    other: { username: 'somebody.else' },
  },
  'settings:view': {
    does: 'keeps how one looks at the graph',
    by: hanna,
    given: async () => ({ payload: { cameraPosition: { seed: unused() }, showAllCards: true } }),
    async holds(body, { payload }) {
      assert.deepEqual([body.diff.nodes, body.diff.links, body.diff.user], [[], [], []]);
      const { account } = await (await ways.clientOf(hanna)).does('account:get');
      assert.deepEqual([account.cameraPosition, account.showAllCards], [payload.cameraPosition, true]);
    },
    other: { showAllCards: false },
  },
};

/** What of a diff a replay tells again: the batch's own entries. Shows and hides were news of that moment (O12), and
 *  shareRoots are worked out whenever something is sent (V9). */
function lasting(diff) {
  const { NODE_SHOW, NODE_HIDE } = OP;
  const nodes = diff.nodes.filter((entry) => entry.op !== NODE_SHOW && entry.op !== NODE_HIDE);
  return JSON.parse(JSON.stringify({ ...diff, nodes }, (key, value) => (key === 'shareRoots' ? undefined : value)));
}

const isDone = ({ body }, event) => assert.equal(body.ok, true, `${event}: ${JSON.stringify(body)}`);

for (const [event, { does: what, by = olha, given, holds }] of Object.entries(OPERATIONS)) {
  for (const way of WAYS.filter((one) => goesOver(event, one))) {
    // Rules: T1, T4, W1, W6, O11.
    story(`${event} over ${way} ${what}`, async () => {
      for (let nth = 0; nth < (way === 'REST' ? ROUTES[event][1].length : 1); nth++) {
        const made = await given();
        const answer = await ways[way](by, event, made.payload, nth);
        isDone(answer, event);
        await holds(answer.body, made);
      }
    });
  }
}

for (const [event, { by = olha, given, holds, other, again: told = 'is answered as before', named = 'batchId' }] of Object.entries(OPERATIONS)) {
  if (!other) continue;
  const stranger = await newUser('stranger');
  const able = WAYS.filter((way) => goesOver(event, way));
  for (const [first, second = first] of able.length > 1 ? [able, [...able].reverse()] : [able]) {
    // Rules: D7, D9, D17.
    story(`${event} over ${first}, sent again under its ${named} over ${second}, ${told} and is not done again`, async () => {
      const made = await given();
      const payload = { ...made.payload, [named]: unused() };
      const done = await ways[first](by, event, payload);
      isDone(done, event);
      assert.equal(done.body.diff.batchId, payload[named]);
      for (const way of [second, first]) {
        const again = await ways[way](by, event, payload);
        isDone(again, event);
        assert.equal(again.body.replayed, true);
        const wanted = lasting(done.body.diff);
        assert.deepEqual(lasting(again.body.diff), OPERATIONS[event].again ? { ...wanted, user: [] } : wanted);
        if (Object.keys(other).length) isRefusal((await ways[way](by, event, { ...payload, ...other })).body, 'conflict.batch_id_conflict');
        isRefusal((await ways[way](stranger, event, payload)).body, 'conflict.batch_id_conflict');
      }
      await holds(done.body, made);
    });
  }
}

// Rules: C7.
story('The table that `synaptask operations` prints lists what has a story here, and nothing else', async () => {
  // Relay events have their stories in relay.story.mjs, and what is served over REST alone in snapshot.story.mjs.
  const listed = (await server.cli('operations', '--json')).filter((row) => !row.relay && row.overSockets);
  assert.deepEqual(listed.map((row) => row.event).sort(), Object.keys(OPERATIONS).sort());
  for (const { event, method, paths, input } of listed) {
    const [statedMethod, statedPaths] = ROUTES[event] ?? [null, []];
    assert.deepEqual([event, method, paths], [event, statedMethod, statedPaths]);
    const { other, named = 'batchId' } = OPERATIONS[event];
    const takesName = input.some((field) => field.name === named && field.limits === 'UUID v4');
    assert.equal(takesName, other !== undefined, `${event} takes a ${named} of the client's making if it changes something`);
  }
});
