// Who may do what to what: every operation that names an entity, asked by everybody, of entities in every state.
// That "hidden" and "missing" cannot be told apart is held in every cell that is answered like a missing entity.
import assert from 'node:assert/strict';
import { stage } from '../story.mjs';
import { WAYS, goesOver, waysOf } from '../ways.mjs';

// By the specification. `=` is "as the owner"; codes stand without their class. Of one asked for what is not there,
// nothing depends on who asks. What is in the trash is seen by its placement (A8, A11). A hidden entity must be answered
// like a missing one to the byte.
const MATRIX = `
operation                    entity    | owner                    admin                    editor                   viewer                   stranger
branch:get                   active    | ok                       =                        =                        =                        branch_not_found
                             trashed   | branch_not_found         =                        =                        =                        =
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
graph:why                    active    | ok                       =                        =                        =                        node_not_found
                             trashed   | node_not_found           =                        =                        =                        =
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
graph:ready root             active    | ok                       =                        =                        =                        branch_not_found
                             trashed   | branch_not_found         =                        =                        =                        =
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
graph:critical               active    | ok                       =                        =                        =                        node_not_found
                             trashed   | node_not_found           =                        =                        =                        =
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
graph:critical root          active    | ok                       =                        =                        =                        branch_not_found
                             trashed   | branch_not_found         =                        =                        =                        =
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:grants                  active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | ok                       =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:add target              active    | ok                       =                        =                        =                        target_not_found
                             trashed   | target_in_trash          =                        =                        =                        target_not_found
                             missing   | target_not_found         =                        =                        =                        =
                             malformed | invalid_target_id        =                        =                        =                        =
node:update                  active    | ok                       =                        =                        no_permission            node_not_found
                             trashed   | node_in_trash            =                        =                        no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:trash                   active    | ok                       =                        =                        no_permission            node_not_found
                             trashed   | already_trashed_node     =                        =                        no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:duplicate               active    | ok                       =                        =                        =                        node_not_found
                             trashed   | node_in_trash            =                        =                        =                        node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:duplicate target        active    | ok                       =                        =                        =                        target_not_found
                             trashed   | target_in_trash          =                        =                        =                        target_not_found
                             missing   | target_not_found         =                        =                        =                        =
                             malformed | invalid_target_id        =                        =                        =                        =
node:restore                 active    | not_trashed_node         =                        =                        no_permission            node_not_found
                             trashed   | ok                       =                        =                        no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:delete                  active    | cant_delete_active_node  no_permission            no_permission            no_permission            node_not_found
                             trashed   | ok                       no_permission            no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
trash:purge ids              active    | not_in_trash             =                        =                        =                        =
                             trashed   | ok                       not_in_trash             not_in_trash             not_in_trash             not_in_trash
                             missing   | not_in_trash             =                        =                        =                        =
                             malformed | invalid_ids              =                        =                        =                        =
trash:purge link ids         active    | not_in_trash             =                        =                        =                        =
                             trashed   | ok                       not_in_trash             not_in_trash             not_in_trash             not_in_trash
                             missing   | not_in_trash             =                        =                        =                        =
                             malformed | invalid_ids              =                        =                        =                        =
node:publish                 active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:publish public          active    | already_public           =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:publish:update          active    | not_public               =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:publish:update public   active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:unpublish               active    | not_public               =                        no_permission            no_permission            node_not_found
                             trashed   | not_public               =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:unpublish public        active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | ok                       =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:embed                   active    | not_public               =                        =                        =                        branch_not_found
                             trashed   | node_in_trash            =                        =                        =                        branch_not_found
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:embed public            active    | has_access               =                        =                        =                        ok
                             trashed   | node_in_trash            =                        =                        =                        branch_not_found
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:unembed                 active    | not_embedded             =                        =                        =                        branch_not_found
                             trashed   | not_embedded             =                        =                        =                        branch_not_found
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:unembed public          active    | not_embedded             =                        =                        =                        =
                             trashed   | not_embedded             =                        =                        =                        branch_not_found
                             missing   | branch_not_found         =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:access                  active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:access:update           active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:access:update own       active    | not_shared               no_permission            no_permission            no_permission            node_not_found
                             trashed   | node_in_trash            no_permission            no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:access:delete           active    | ok                       =                        no_permission            no_permission            node_not_found
                             trashed   | ok                       =                        no_permission            no_permission            node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
node:access:delete own       active    | not_shared               ok                       ok                       ok                       node_not_found
                             trashed   | not_shared               ok                       ok                       ok                       node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
access:visibilityupdate      active    | not_shared               ok                       ok                       ok                       node_not_found
                             trashed   | not_shared               ok                       ok                       ok                       node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_node_id          =                        =                        =                        =
link:add source              active    | ok                       =                        =                        =                        source_not_found
                             trashed   | source_in_trash          =                        =                        =                        source_not_found
                             missing   | source_not_found         =                        =                        =                        =
                             malformed | invalid_source_target_id =                        =                        =                        =
link:add target              active    | ok                       =                        =                        =                        target_not_found
                             trashed   | target_in_trash          =                        =                        =                        target_not_found
                             missing   | target_not_found         =                        =                        =                        =
                             malformed | invalid_source_target_id =                        =                        =                        =
link:update type             active    | ok                       =                        =                        no_permission            link_not_found
                             trashed   | link_in_trash            =                        =                        no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
link:update private          active    | ok                       forbidden_private        forbidden_private        no_permission            link_not_found
                             trashed   | link_in_trash            forbidden_private        forbidden_private        no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
link:swap                    active    | ok                       =                        =                        no_permission            link_not_found
                             trashed   | link_in_trash            =                        =                        no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
link:trash                   active    | ok                       =                        =                        no_permission            link_not_found
                             trashed   | already_trashed_link     =                        =                        no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
link:restore                 active    | not_trashed_link         =                        =                        no_permission            link_not_found
                             trashed   | ok                       =                        =                        no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
link:delete                  active    | cant_delete_active_link  no_permission            no_permission            no_permission            link_not_found
                             trashed   | ok                       no_permission            no_permission            no_permission            link_not_found
                             missing   | link_not_found           =                        =                        =                        =
                             malformed | invalid_link_id          =                        =                        =                        =
history:page scope           active    | ok                       =                        =                        =                        node_not_found
                             trashed   | ok                       =                        =                        =                        node_not_found
                             missing   | node_not_found           =                        =                        =                        =
                             malformed | invalid_scope            =                        =                        =                        =
history:undo batch           active    | ok                       =                        =                        no_permission            batch_not_found
                             trashed   | node_in_trash            =                        batch_not_found          batch_not_found          batch_not_found
                             missing   | batch_not_found          =                        =                        =                        =
                             malformed | invalid_batch_id         =                        =                        =                        =
history:redo batch           active    | ok                       =                        =                        no_permission            batch_not_found
                             trashed   | node_in_trash            =                        batch_not_found          batch_not_found          batch_not_found
                             missing   | batch_not_found          =                        =                        =                        =
                             malformed | invalid_batch_id         =                        =                        =                        =
`;

const CLASSES = {
  forbidden: 'no_permission forbidden_private',
  not_found: 'node_not_found link_not_found source_not_found target_not_found branch_not_found batch_not_found not_in_trash',
};
const named = (code) => {
  if (code === 'ok') return code;
  const found = Object.entries(CLASSES).find(([, codes]) => codes.split(' ').includes(code));
  return `${found ? found[0] : 'bad_request'}.${code}`;
};

const ROLES = ['owner', 'admin', 'editor', 'viewer', 'stranger'];
const LEVELS = { admin: 1, editor: 2, viewer: 3 };
const MISSING = () => crypto.randomUUID();

/** [{operation, cells: {state: {role: error}}}] */
function readMatrix() {
  const rows = [];
  for (const line of MATRIX.trim().split('\n').slice(1)) {
    const [left, right] = line.split('|');
    const words = left.trim().split(/\s+/);
    const state = words.pop();
    if (words.length > 0) rows.push({ operation: words.join(' '), cells: {} });
    const codes = right.trim().split(/\s+/);
    assert.equal(codes.length, ROLES.length, line);
    rows.at(-1).cells[state] = Object.fromEntries(ROLES.map((role, i) => [role, named(codes[i] === '=' ? codes[0] : codes[i])]));
  }
  return rows;
}

const { server, story, newUser } = await stage();
const ways = waysOf(server);
const users = {};
for (const role of ROLES) users[role] = await newUser(role);
const guest = await newUser('guest');

// All the owner's, shared as a whole branch with the admin, the editor and the viewer.
const does = async (event, payload) => (await ways.clientOf(users.owner)).does(event, payload);
const root = (await does('node:add', { title: 'Root' })).diff.nodes[0].after.id;
for (const [role, level] of Object.entries(LEVELS)) {
  await does('node:access', { id: root, email: users[role].email, level });
}

const addUnder = async (target) => (await does('node:add', { target })).diff.nodes[0].after.id;
const ownNode = async (user) => (await (await ways.clientOf(user)).does('node:add', {})).diff.nodes[0].after.id;

/** A node of the branch, with whatever the operation needs it to have; then perhaps trashed. */
async function nodeIn(state, { isPublic, grantTo, level }) {
  const id = await addUnder(root);
  if (isPublic) await does('node:publish', { id });
  if (grantTo) await does('node:access', { id, email: grantTo.email, level });
  if (state === 'trashed') await does('node:trash', { id });
  return id;
}

/** A link of the owner's between two nodes of the branch; then perhaps trashed, its ends staying. */
async function linkIn(state) {
  const [source, target] = [await addUnder(root), await addUnder(root)];
  const { diff } = await does('link:add', { source, target });
  const { id } = diff.links[0].after;
  if (state === 'trashed') await does('link:trash', { id });
  return id;
}

/** The batch of a title given to a node of the branch, which is then perhaps trashed. */
async function batchIn(state) {
  const id = await addUnder(root);
  const { diff } = await does('node:update', { id, title: 'Draft' });
  if (state === 'trashed') await does('node:trash', { id });
  return diff.batchId;
}

/** The same, undone. */
async function undoneIn(state) {
  const id = await addUnder(root);
  const { diff } = await does('node:update', { id, title: 'Draft' });
  await does('history:undo', { batchId: diff.batchId });
  if (state === 'trashed') await does('node:trash', { id });
  return diff.batchId;
}

/** What is asked by an operation of the matrix with the id in its place. */
const byId = (id) => ({ id });
const ASKED = {
  'branch:get': { asks: (id) => ({ root: id }), malformed: 'x'.repeat(101) },
  'graph:ready root': { asks: (id) => ({ root: id }), malformed: 'x'.repeat(101) },
  'graph:critical root': { asks: (id) => ({ root: id }), malformed: 'x'.repeat(101) },
  'node:add target': { asks: (target) => ({ target, title: 'Step' }) },
  'node:duplicate target': { asks: async (target, user) => ({ id: await ownNode(user), target }), malformed: '123' },
  'node:update': { asks: (id) => ({ id, title: 'News', status: 3 }) },
  'trash:purge ids': { asks: (id) => ({ ids: [id] }) },
  'trash:purge link ids': { asks: (id) => ({ ids: [id] }), of: linkIn },
  'node:publish:update': { asks: (id) => ({ id, branch: false }) },
  'node:publish public': { asks: byId, isPublic: true },
  'node:publish:update public': { asks: (id) => ({ id, branch: false }), isPublic: true },
  'node:unpublish public': { asks: byId, isPublic: true },
  'node:embed': { asks: byId, malformed: 5 },
  'node:embed public': { asks: byId, malformed: 5, isPublic: true, granted: true },
  'node:unembed': { asks: byId, malformed: 5 },
  'node:unembed public': { asks: byId, malformed: 5, isPublic: true },
  'node:access': { asks: (id) => ({ id, email: guest.email, level: 3 }) },
  'node:access:update': { asks: (id) => ({ id, email: guest.email, level: 2 }), toGuest: true },
  'node:access:update own': { asks: (id, user) => ({ id, email: emailOf(user), level: 1 }), granted: true },
  'node:access:delete': { asks: (id) => ({ id, email: guest.email }), toGuest: true },
  'node:access:delete own': { asks: (id, user) => ({ id, email: emailOf(user) }), granted: true },
  'access:visibilityupdate': { asks: (id) => ({ id, showing: false }), granted: true },
  'link:add source': { asks: async (source, user) => ({ source, target: await ownNode(user) }), malformed: '123' },
  'link:add target': { asks: async (target, user) => ({ source: await ownNode(user), target }), malformed: '123' },
  'history:page scope': { asks: (id) => ({ scopeType: 'GRAPH', scopeId: id }) },
  'history:undo batch': { asks: (batchId) => ({ batchId }), of: batchIn },
  'history:redo batch': { asks: (batchId) => ({ batchId }), of: undoneIn },
  'link:update type': { asks: (id) => ({ id, type: 1 }), of: linkIn },
  'link:update private': { asks: (id) => ({ id, private: true }), of: linkIn },
};

/** Nobody shares with the owner; what the owner asks for names somebody who has no share. */
const emailOf = (user) => (user === users.owner ? users.stranger.email : user.email);

/** The answer of one cell, in one way. */
async function ask(way, operation, state, role) {
  const [event] = operation.split(' ');
  const isLink = event.startsWith('link:') && event !== 'link:add';
  const { asks = byId, malformed = 'not-an-id', of = isLink ? linkIn : nodeIn, ...has } = ASKED[operation] ?? {};
  const user = users[role];
  const { isPublic, granted, toGuest } = has;
  const grant = granted && LEVELS[role] ? { grantTo: user, level: LEVELS[role] } : {};
  if (toGuest) Object.assign(grant, { grantTo: guest, level: 3 });
  const ids = { missing: MISSING, malformed: () => malformed };
  const id = await (ids[state] ?? (() => of(state, { isPublic, ...grant })))();
  return ways[way](user, event, await asks(id, user));
}

for (const { operation, cells } of readMatrix()) {
  const [event, ...variant] = operation.split(' ');
  for (const way of WAYS.filter((one) => goesOver(event, one))) {
    const what = variant.length > 0 ? `${event} (${variant.join(' ')})` : event;
    // Rules: A8, A9, A10, O3, O8, T4, T22.
    story(`${what} over ${way}, by everybody, of what is active, trashed, missing and malformed`, async () => {
      const wrong = [];
      const asked = ROLES.map(async (role) => {
        // One after the other on a user's connection, so that every answer can be told by its text.
        let missing;
        for (const state of ['missing', 'malformed', 'active', 'trashed']) {
          const { body, bare } = await ask(way, operation, state, role);
          const [want, got] = [cells[state][role], body.ok ? 'ok' : body.error];
          if (got !== want) wrong.push(`${role}, ${state}: wanted ${want}, got ${got}`);
          if (state === 'missing') missing = { want, bare };
          assert.ok(bare, `the text of the answer was seen: ${JSON.stringify(body)}`);
          if (want === missing.want && bare !== missing.bare) wrong.push(`${role}, ${state}: told apart from missing: ${bare} ${missing.bare}`);
        }
      });
      await Promise.all(asked);
      assert.deepEqual(wrong, []);
    });
  }
}

story('The matrix has a row for every listed operation that names an entity, and every cell', async () => {
  const rows = readMatrix();
  for (const { operation, cells } of rows) {
    assert.deepEqual(Object.keys(cells), ['active', 'trashed', 'missing', 'malformed'], operation);
  }
  // What is served over REST alone has its stories in snapshot.story.mjs.
  const listed = (await server.cli('operations', '--json')).filter((row) => !row.relay && row.overSockets);
  const entities = ['id', 'ids', 'root', 'source', 'target', 'scopeId'];
  const names = ({ event, input }) => /^history:(un|re)do$/.test(event) || input.some(({ name }) => entities.includes(name));
  const inMatrix = new Set(rows.map(({ operation }) => operation.split(' ')[0]));
  assert.deepEqual([...inMatrix].sort(), listed.filter(names).map((row) => row.event).sort());
});
