// Tokens for less than everything: those that only read, and those for a branch, which see and do what a grant on it would.
import assert from 'node:assert/strict';
import { Replica } from '../replica.mjs';
import { isRefusal, ops } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';
import { TABLE } from '../table.mjs';
import { signedIn } from '../visitor.mjs';

const { server, story, newUser } = await stage();
const PROMPT_MS = 3_000;
const unused = () => crypto.randomUUID();
const ids = (entities) => entities.map(({ id }) => id).sort();
const actor = ({ username, email }) => ({ username, email });
const RELAYS = TABLE.filter((row) => row.relay);
const EVENTS = TABLE.filter((row) => !row.relay && row.overSockets !== false);

/** A token of a scope, by the command line: {token} like a user, with its id. */
const token = (user, scope, ...more) => server.cli('token', 'create', '--email', user.email, '--scope', scope, ...more, '--json');
const branchToken = (user, node, level, ...more) => token(user, `branch:${node}:${level}`, ...more);
const revoke = (user, { id }) => server.cli('token', 'revoke', '--email', user.email, '--id', id, '--json');

/** Olha's house: a root with a step and a step's step, a diary beside it that the root waits for, and a guest's view of it. */
async function house() {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const hers = await server.connect(olha);
  const root = await hers.addNode({ title: 'House' });
  const step = await hers.addNode({ title: 'Roof', target: root });
  const tile = await hers.addNode({ title: 'Tiles', target: step });
  const diary = await hers.addNode({ title: 'Diary' });
  return { olha, petro, hers, root, step, tile, diary };
}

/** A client whose replica applies what it receives and is compared with a load at the end. */
async function watching(user) {
  const client = await server.connect(user);
  const replica = new Replica();
  client.socket.on('graph:diff', (diff) => replica.diff(diff));
  replica.page(await client.does('graph:get', { limit: 5000 }));
  client.holds = async () => {
    replica.equals(await client.does('graph:get', { limit: 5000 }));
    return [...replica.nodes.keys()].sort();
  };
  return client;
}

/** Everything that its owner sees, as text. */
async function everything(client) {
  const { nodes, links } = await client.does('graph:get', { limit: 5000 });
  const trash = await client.does('trash:page', { limit: 1000 });
  const { account } = await client.does('account:get');
  return JSON.stringify([nodes, links, trash.nodes, trash.links, account]);
}

/** What an operation is asked with: its required fields, as far as they can be told by their names. */
function asked(row, { node, link, email, batch }) {
  const values = {
    id: row.event.startsWith('link:') ? link : node,
    source: node, target: node, root: node, ids: [node], email, batchId: batch, username: 'mallory', since: 0,
    showing: false, operations: [{ event: 'node:update', id: node, title: 'x' }], nodeId: node, x: 1, y: 2, z: 3,
    scopeType: 'GRAPH', scopeId: node,
  };
  const named = row.input.filter(({ name, required }) => required || ['target', 'ids', 'scopeType', 'scopeId', 'nodeId'].includes(name));
  const fields = Object.fromEntries(named.filter(({ name }) => name in values).map(({ name }) => [name, values[name]]));
  if (row.event === 'link:add') fields.target = unused();
  if (row.event === 'node:update') fields.title = 'x';
  if (row.event === 'link:update') fields.type = 1;
  if (/publish:update|access:update/.test(row.event)) fields.branch = true;
  return fields;
}

/** Over REST, whatever the status. */
function overRest(user, row, payload) {
  const query = row.method === 'GET' ? `?${new URLSearchParams(payload)}` : '';
  return server.rest(user, row.method, row.paths[0] + query, row.method === 'GET' ? undefined : payload);
}

// Rules: Y7, T4.
story('A token that only reads sees what its user sees, live, over both transports', async () => {
  const { olha, hers, root, step, tile, diary } = await house();
  const reader = await token(olha, 'read');
  const client = await watching(reader);
  assert.equal(client.all('connected')[0].uid, olha.id);
  assert.deepEqual(await client.holds(), [root, step, tile, diary].sort());
  const more = await hers.addNode({ title: 'Garden' });
  await client.hears('graph:diff', ({ nodes }) => nodes.some(({ after }) => after.id === more));
  assert.deepEqual(await client.holds(), [root, step, tile, diary, more].sort());
  const { status, body } = await server.rest(reader, 'GET', '/api/graph');
  assert.deepEqual([status, ids(body.nodes)], [200, [root, step, tile, diary, more].sort()]);
});

// Rules: Y7, T18.
story('A token that only reads changes nothing by any operation of the table, over either transport', async () => {
  const { olha, petro, hers, root } = await house();
  const link = (await hers.does('graph:get')).links[0].id;
  const reader = await token(olha, 'read');
  const client = await server.connect(reader);
  const before = await everything(hers);
  const known = { node: root, link, email: petro.email, batch: unused() };
  let refused = 0;
  for (const row of EVENTS) {
    const changes = row.errors.includes('forbidden.read_only');
    for (const payload of [asked(row, known), {}, { nonsense: 1 }]) {
      const ack = await client.call(row.event, payload);
      if (changes) isRefusal(ack, 'forbidden.read_only');
      else assert.notEqual(ack.error, 'forbidden.read_only', row.event);
      if (!changes || !row.method) continue;
      const { status, body } = await overRest(reader, row, payload);
      isRefusal(body, 'forbidden.read_only');
      assert.equal(status, 403);
      refused++;
    }
  }
  assert.ok(refused > 60, `${refused} were refused`);
  const gets = TABLE.filter((row) => !row.relay && row.method === 'GET').map((row) => row.event);
  const reads = EVENTS.filter((row) => !row.errors.includes('forbidden.read_only')).map((row) => row.event);
  const others = reads.filter((event) => !gets.includes(event)).sort();
  assert.deepEqual(others, ['graph:sync', 'trash:list', 'ws:ping'], 'what is not refused to it changes nothing');
  assert.equal(await everything(hers), before);
});

// Rules: Y8, P27, P29, P31.
story('A token that only reads shows nobody where it is', async () => {
  const { olha, hers, root } = await house();
  const client = await server.connect(await token(olha, 'read'));
  for (const row of RELAYS) {
    const payload = asked(row, { node: root });
    isRefusal(await client.call(row.event, payload), 'forbidden.read_only');
    client.emit(row.event, payload);
  }
  await client.settled();
  await hers.settled();
  for (const event of ['presence:state', 'camera:presence', 'node:drag', 'node:dragend', 'graph:diff']) assert.deepEqual(hers.all(event), [], event);
  assert.deepEqual(client.all('error'), [], 'none of them is answered without an ack');
  assert.equal(RELAYS.length, 4);
});

for (const level of [1, 2, 3]) {
  // Rules: Y9, Y10, V1, P8, P9.
  story(`A branch token of level ${level} sees the branch as a grant of that level would show it, and all that happens in it`, async () => {
    const { olha, petro, hers, root, step, tile, diary } = await house();
    await hers.addLink(diary, tile);
    await hers.does('link:add', { source: diary, target: step, private: true });
    await hers.does('node:access', { id: root, email: petro.email, level });
    const made = await branchToken(olha, root, level);
    assert.deepEqual(made.scope, { branch: root, level });
    const [guest, his] = [await watching(made), await watching(petro)];
    // The diary was not of the branch before the link, and is now.
    assert.deepEqual(await guest.holds(), [root, step, tile, diary].sort());
    const seen = async (client) => {
      const { nodes, links } = await client.does('graph:get', { limit: 5000 });
      return JSON.stringify([nodes, links]);
    };
    assert.equal(await seen(guest), await seen(his));
    const other = await hers.addNode({ title: 'Taxes' });
    const roof = await hers.addNode({ title: 'Beam', target: step });
    await hers.does('node:update', { id: other, title: 'Nobody hears this' });
    await hers.does('node:trash', { id: tile });
    await guest.hears('graph:diff', ({ nodes }) => nodes.some(({ op }) => op === 3));
    assert.deepEqual(await guest.holds(), [root, step, roof].sort());
    await his.holds();
    assert.equal(await seen(guest), await seen(his));
    assert.ok(!JSON.stringify(guest.heard).includes(other), 'what is outside is never named');
    const connected = guest.all('connected')[0];
    assert.deepEqual([connected.ok, connected.uid, connected.client], [true, olha.id, 'api']);
  });
}

// Rules: Y9, Y10, O14, W9.
story('What a branch token does is its owner\'s doing, and the owner\'s', async () => {
  const { olha, petro, hers, root, step } = await house();
  await hers.does('node:access', { id: root, email: petro.email, level: 3 });
  const his = await watching(petro);
  const guest = await server.connect(await branchToken(olha, root, 2));
  const { diff } = await guest.does('node:add', { title: 'By a program', target: step });
  const { after } = diff.nodes.find(({ op }) => op === 0);
  assert.deepEqual([diff.actor, after.ownerEmail, after.access], [actor(olha), olha.email, 2]);
  const heard = await his.hears('graph:diff', ({ batchId }) => batchId === diff.batchId);
  assert.deepEqual(heard.actor, actor(olha));
  assert.equal((await hers.hears('graph:diff', ({ batchId }) => batchId === diff.batchId)).nodes[0].after.access, 0);
  // She may take back what her program did, and it what she did.
  const { batches } = await hers.does('history:page', { scopeType: 'USER' });
  assert.deepEqual([batches[0].batchId, batches[0].actor], [diff.batchId, actor(olha)]);
  await hers.does('history:undo', { batchId: diff.batchId });
  await guest.does('history:redo', { batchId: diff.batchId });
  isRefusal(await guest.call('node:publish', { id: root }), 'forbidden.no_permission');
});

// Rules: Y10, O27, S13.
story('A branch token of level 1 gives in its owner\'s name, and what it gave stays when it is revoked', async () => {
  const { olha, petro, hers, root } = await house();
  const made = await branchToken(olha, root, 1);
  const guest = await server.connect(made);
  const { diff } = await guest.does('node:access', { id: root, email: petro.email, level: 3 });
  assert.deepEqual(diff.access.map(({ after }) => after.email), [petro.email]);
  isRefusal(await guest.call('node:access', { id: root, email: olha.email }), 'bad_request.already_granted');
  const given = ({ account }) => account.grantedBy.map(({ nodeId, userEmail }) => [nodeId, userEmail]);
  assert.deepEqual(given(await hers.does('account:get')), [[root, petro.email]]);
  assert.deepEqual(given(await guest.does('account:get')), [[root, petro.email]]);
  const his = await server.connect(petro);
  assert.deepEqual((await his.does('account:get')).account.grantedTo.map(({ userName }) => userName), [olha.username]);
  await revoke(olha, made);
  await guest.ends(PROMPT_MS);
  assert.equal((await his.does('graph:get')).nodes.length, 3);
});

// Rules: Y9, A9, A10, T22.
story('Only who owns a node makes a token for its branch', async () => {
  const { olha, petro, hers, root } = await house();
  await hers.does('node:access', { id: root, email: petro.email, level: 1 });
  const refused = async (user, node, code) =>
    assert.rejects(branchToken(user, node, 3), (error) => error.code === 1 && error.stderr.includes(code), code);
  await refused(petro, root, 'no_permission');
  await refused(await newUser('lesia'), root, 'node_not_found');
  await refused(olha, unused(), 'node_not_found');
  await hers.does('node:trash', { id: root });
  await refused(olha, root, 'node_in_trash');
  for (const scope of ['write', `branch:${root}:0`, `branch:${root}:4`, `branch:${root}`, 'branch:x:1']) {
    await assert.rejects(token(olha, scope), (error) => error.code === 2, scope);
  }
});

// Rules: Y11, P2, H3, C4.
story('A guest is nobody: in no list, found by no email, told of to no one', async () => {
  const { olha, petro, hers, root } = await house();
  await hers.does('node:access', { id: root, email: petro.email, level: 1 });
  const his = await server.connect(petro);
  const users = await server.cli('user', 'list', '--json');
  const made = await branchToken(olha, root, 2);
  assert.deepEqual(await server.cli('user', 'list', '--json'), users);
  await his.settled();
  await hers.settled();
  for (const client of [hers, his]) {
    assert.deepEqual(client.all('graph:diff').flatMap(({ access }) => access).filter(({ after }) => after.email !== petro.email), []);
    const { account } = await client.does('account:get');
    assert.ok([...account.grantedBy, ...account.grantedTo].every(({ userEmail }) => [olha.email, petro.email].includes(userEmail)));
    const { batches } = await client.does('history:page', { limit: 1000 });
    const grants = batches.flatMap(({ batchId, ops: entries }) => entries.filter(({ entityType }) => entityType === 'grant').map(() => batchId));
    assert.equal(grants.length, 1, 'the grant to Petro');
    isRefusal(await client.call('node:access:update', { id: root, email: 'a@b.example', level: 3 }), 'not_found.user_not_found');
    isRefusal(await client.call('node:access:delete', { id: root, email: 'a@b.example' }), 'not_found.user_not_found');
  }
  const guest = await server.connect(made);
  const { nodes } = await guest.does('graph:get');
  assert.deepEqual(nodes.map(({ ownerEmail }) => ownerEmail), nodes.map(() => olha.email));
  await server.cli('check');
});

// Rules: Y12, O13, O16, S11.
story('A branch token makes nothing that would be its own', async () => {
  const { olha, petro, hers, root, step } = await house();
  const his = await server.connect(petro);
  const fair = await his.addNode({ title: 'Fair' });
  await his.does('node:publish', { id: fair });
  const before = await everything(hers);
  for (const level of [1, 2, 3]) {
    const made = await branchToken(olha, root, level);
    const guest = await server.connect(made);
    const rows = [
      ['node:add', { title: 'x' }], ['node:duplicate', { id: step }], ['node:embed', { id: fair }], ['node:unembed', { id: fair }],
      ['access:visibilityupdate', { id: root, showing: false }], ['settings:username', { username: 'mallory' }],
      ...(level === 3 ? [['node:add', { target: step }], ['node:duplicate', { id: step, target: root }]] : []),
    ];
    for (const [event, payload] of rows) {
      isRefusal(await guest.call(event, payload), 'forbidden.no_permission');
      const { body } = await overRest(made, EVENTS.find((row) => row.event === event), payload);
      isRefusal(body, 'forbidden.no_permission');
      if (event !== 'settings:username') isRefusal(await guest.call('graph:apply', { operations: [{ event, ...payload }] }), 'forbidden.no_permission');
    }
    await revoke(olha, made);
  }
  assert.equal(await everything(hers), before);
});

// Rules: Y9, A9, T22.
story('What is outside the branch is to its token as if it had never been, by every operation of the table', async () => {
  const { olha, hers, root, step, diary } = await house();
  const other = await hers.addNode({ title: 'Taxes' });
  const link = await hers.addLink(other, diary);
  const { diff } = await hers.does('node:update', { id: diary, title: 'Dear diary' });
  const before = await everything(hers);
  for (const level of [1, 2, 3]) {
    const made = await branchToken(olha, root, level);
    const guest = await server.connect(made);
    let compared = 0;
    for (const row of EVENTS) {
      const hidden = { node: diary, link, email: olha.email, batch: diff.batchId };
      const missing = { node: unused(), link: unused(), email: olha.email, batch: unused() };
      // What has both a target and an id is tried with each of them outside.
      const payloads = [hidden, missing].map((known) => asked(row, known));
      const mixed = row.input.some(({ name }) => name === 'target') && row.input.some(({ name }) => name === 'id');
      if (mixed && row.event !== 'node:add') payloads.push(...payloads.map((payload) => ({ ...payload, id: step })));
      const answers = [];
      for (const payload of payloads) {
        const plain = (answer) => JSON.stringify({ ...answer, trace_id: '', rev: 0 })
          .replaceAll(new RegExp(`${Object.values({ ...hidden, ...missing }).filter((one) => one !== olha.email).join('|')}|${payload.target ?? 'none'}`, 'g'), '(id)');
        const body = await guest.call(row.event, payload);
        if (row.event !== 'account:get' && row.event !== 'ws:ping') {
          assert.ok(!JSON.stringify(body).includes('Dear') && !JSON.stringify(body).includes('Taxes'), row.event);
        }
        answers.push(plain(body));
        if (row.method) answers.push(plain((await overRest(made, row, payload)).body));
      }
      if (row.event === 'ws:ping' || row.event === 'account:get' || row.event === 'graph:sync') continue;
      const [first] = answers;
      const alike = mixed && row.event !== 'node:add' ? answers.slice(0, answers.length / 2) : answers;
      for (const answer of alike) assert.equal(answer, first, row.event);
      if (!alike.includes(undefined)) compared++;
    }
    assert.ok(compared > 30, `${compared} rows were compared`);
    await revoke(olha, made);
  }
  assert.equal(await everything(hers), before);
});

// Rules: Y14, P24.
story('A branch token that is revoked sees and does nothing from then on, and leaves nothing behind', async () => {
  const { olha, hers, root, step, tile } = await house();
  const made = await branchToken(olha, root, 2);
  const [guest, polling] = [await server.connect(made), await server.connect(made, { transports: ['polling'] })];
  const kept = await guest.addLink(tile, root);
  const { diff } = await guest.does('link:add', { source: step, target: tile, type: 1, private: true }).catch(() => ({}));
  await revoke(olha, made);
  for (const client of [guest, polling]) await client.ends(PROMPT_MS);
  isRefusal((await server.rest(made, 'GET', '/api/graph')).body, 'unauthorized');
  assert.equal((await server.socket(made.token).hears('connected')).error, 'forbidden.auth_invalid');
  const { links, nodes } = await hers.does('graph:get');
  assert.ok(links.some(({ id }) => id === kept), 'the link that others see');
  assert.ok(nodes.every(({ shareRoots }) => shareRoots.length === 0));
  if (diff) assert.ok(!links.some(({ id }) => id === diff.links[0].after.id));
  await server.cli('check');
});

// Rules: Y14, N34, S25, N35.
story('With its owner\'s account a branch token rests, and ends', async () => {
  const { olha, root, step, tile } = await house();
  const made = await branchToken(olha, root, 3);
  const comesBack = async () => {
    const { nodes } = await (await server.connect(made)).does('graph:get');
    assert.deepEqual(ids(nodes), [root, step, tile].sort());
  };
  for (const [off, on, error] of [
    [['user', 'disable'], ['user', 'enable'], 'unauthorized'],
    [['user', 'set', '--plan', 'basic'], ['user', 'set', '--plan', 'pro'], 'forbidden.api_not_allowed'],
  ]) {
    const guest = await server.connect(made);
    await server.cli(...off.slice(0, 2), '--email', olha.email, ...off.slice(2), '--json');
    await guest.ends(PROMPT_MS);
    isRefusal((await server.rest(made, 'GET', '/api/graph')).body, error);
    await server.cli(...on.slice(0, 2), '--email', olha.email, ...on.slice(2), '--json');
    await comesBack();
  }
  const guest = await server.connect(made);
  const gone = await server.cli('user', 'remove', '--email', olha.email, '--yes', '--json');
  assert.deepEqual([gone.nodes, gone.grants, gone.tokens], [4, 0, 2]);
  await guest.ends(PROMPT_MS);
  isRefusal((await server.rest(made, 'GET', '/api/graph')).body, 'unauthorized');
  await server.cli('check');
});

// Rules: Y14, O24.
story('Without its node a branch token sees nothing, and no undo gives it anything', async () => {
  const { olha, hers, root, step } = await house();
  const made = await branchToken(olha, step, 1);
  const guest = await watching(made);
  await hers.does('node:trash', { id: step });
  assert.deepEqual(await guest.holds(), []);
  await hers.does('node:restore', { id: step });
  assert.equal((await guest.holds()).length, 2);
  await hers.does('node:trash', { id: step });
  await hers.does('node:delete', { id: step });
  assert.deepEqual(await guest.holds(), []);
  isRefusal(await guest.call('node:update', { id: root, title: 'x' }), 'not_found.node_not_found');
  const { batches } = await hers.does('history:page', { limit: 1000 });
  for (const { batchId } of batches) await hers.call('history:undo', { batchId });
  assert.deepEqual(await guest.holds(), []);
  const list = await server.cli('token', 'list', '--email', olha.email, '--json');
  assert.deepEqual(list.map(({ scope }) => scope), ['all', { branch: step, level: 1 }]);
  await server.cli('check');
});

// Rules: Y13, O27.
story('A branch token reads of its owner\'s account what it needs, and no more', async () => {
  const { olha, petro, hers, root, diary } = await house();
  const his = await server.connect(petro);
  const fair = await his.addNode({ title: 'Fair' });
  await his.does('node:publish', { id: fair });
  await hers.does('node:embed', { id: fair });
  await his.does('node:access', { id: await his.addNode({ title: 'Theirs' }), email: olha.email });
  await hers.does('node:access', { id: diary, email: petro.email });
  for (const level of [1, 3]) {
    const guest = await server.connect(await branchToken(olha, root, level));
    const { account } = await guest.does('account:get');
    const { id, username, email, plan } = account;
    assert.deepEqual({ id, username, email, plan }, { id: olha.id, username: olha.username, email: olha.email, plan: 'pro' });
    assert.deepEqual([account.grantedBy, account.grantedTo, account.publicEmbeds], [[], [], []]);
  }
});

// Rules: Y15, H18.
story('History tells a branch token what it sees of its owner\'s batches, under the owner\'s id', async () => {
  const { olha, hers, root, step, diary } = await house();
  const guest = await server.connect(await branchToken(olha, root, 2));
  await hers.does('graph:apply', { operations: [{ event: 'node:update', id: step, title: 'Slates' }, { event: 'node:update', id: diary, title: 'Secret' }] });
  const both = await guest.does('history:page', { scopeType: 'USER', scopeId: olha.id });
  assert.deepEqual(ids(both.batches[0].ops.map(({ entityId }) => ({ id: entityId }))), [step]);
  assert.ok(!JSON.stringify(both).includes(diary) && !JSON.stringify(both).includes('Secret'));
  isRefusal(await guest.call('history:page', { scopeType: 'USER', scopeId: unused() }), 'bad_request.invalid_scope');
  // What reaches beyond the branch is not the token's to undo.
  isRefusal(await guest.call('history:undo', { batchId: both.batches[0].batchId }), 'forbidden.no_permission');
});

// Rules: Y14, Y15, D13.
story('A server that is started anew knows its guests', async () => {
  const { olha, hers, root, step, tile } = await house();
  const [made, other] = [await branchToken(olha, root, 2), await branchToken(olha, tile, 1)];
  const batch = (await (await server.connect(made)).does('node:update', { id: step, title: 'Slates' })).diff.batchId;
  hers.close();
  await server.kill();
  await server.cli('check');
  await revoke(olha, other);
  await server.up();
  const again = await server.connect(olha);
  const guest = await watching(made);
  assert.deepEqual(await guest.holds(), [root, step, tile].sort());
  await guest.does('history:undo', { batchId: batch });
  const { batches } = await again.does('history:page', { limit: 2 });
  assert.deepEqual(batches.map((one) => one.actor), [actor(olha), actor(olha)]);
  isRefusal((await server.rest(other, 'GET', '/api/graph')).body, 'unauthorized');
  await server.cli('check');
});

const PATH = '/api/account/tokens';
const soon = (ms) => new Date(Date.now() + ms).toISOString();
let people = 0;

/** Somebody with a session, and a socket of theirs. */
async function atHome(of = server) {
  const visitor = await signedIn(of, `lesia-${++people}`);
  const hers = visitor.socket();
  await hers.welcome();
  return { visitor, hers, account: visitor.account };
}

// Rules: Y1, Y2, T9.
story('A user makes tokens, is shown each secret once, and lists them', async () => {
  const { visitor, hers, account } = await atHome();
  const root = await hers.addNode({ title: 'House' });
  const made = [];
  for (const asked of [{}, { name: 'phone', expires: '2031-01-01T00:00:00.250+01:00' }, { scope: 'all', expires: null }, { name: 'board', scope: 'read' }, { scope: { branch: root.toUpperCase(), level: 2 } }]) {
    const { token: one, secret } = await visitor.does('POST', PATH, asked);
    assert.match(secret, /^st_[A-Za-z0-9]{27,}$/);
    assert.deepEqual(Object.keys(one), ['id', 'name', 'createdTime', 'lastUsedTime', 'expires', 'scope']);
    made.push({ ...one, secret });
  }
  assert.deepEqual(made.map(({ name, expires, scope }) => [name, expires, scope]), [
    ['', null, 'all'], ['phone', '2030-12-31T23:00:00.25Z', 'all'], ['', null, 'all'], ['board', null, 'read'], ['', null, { branch: root, level: 2 }],
  ]);
  const connected = await (await server.connect({ token: made[4].secret })).hears('connected');
  assert.equal(connected.uid, account.id);
  const { tokens } = await visitor.does('GET', PATH);
  assert.deepEqual(tokens.map(({ id }) => id), made.map(({ id }) => id), 'without the session');
  assert.ok(!JSON.stringify(tokens).includes('st_'));
  assert.deepEqual(tokens.map(({ lastUsedTime }) => lastUsedTime !== null), [false, false, false, false, true]);
  const listed = await server.cli('token', 'list', '--email', account.email, '--json');
  assert.deepEqual(listed.map(({ id, scope }) => ({ id, scope })), tokens.map(({ id, scope }) => ({ id, scope })));
});

// Rules: Y1, Y3, Y4, Y6, S25.
story('A token that cannot be is refused with the reason, and nothing is made', async () => {
  const { visitor, hers, account } = await atHome();
  const root = await hers.addNode({ title: 'House' });
  const { token: one } = await visitor.does('POST', PATH, { name: 'one' });
  const unknown = unused();
  for (const [method, payload, error, path = PATH] of [
    ['POST', { name: 'x'.repeat(81) }, 'bad_request.invalid_token_name'],
    ['POST', { name: 5 }, 'bad_request.invalid_token_name'],
    ['POST', { expires: 'tomorrow' }, 'bad_request.invalid_expires'],
    ['POST', { expires: '2020-01-01T00:00:00Z' }, 'bad_request.invalid_expires'],
    ...['write', 1, null, [], { branch: root }, { branch: root, level: 0 }, { branch: root, level: 4 }, { branch: 'x', level: 1 }, { branch: root, level: 1, due: null }]
      .map((scope) => ['POST', { scope }, 'bad_request.invalid_token_scope']),
    ['POST', { scope: { branch: unknown, level: 1 } }, 'not_found.node_not_found'],
    ['POST', { admin: true }, 'bad_request.unknown_field'],
    ['PUT', { id: one.id }, 'bad_request.no_fields_to_update'],
    ['PUT', { id: one.id, scope: 'all' }, 'bad_request.unknown_field'],
    ['PUT', { id: unknown, name: 'x' }, 'not_found.token_not_found'],
    ['PUT', { id: 'x', name: 'x' }, 'bad_request.invalid_token_id'],
    ['PUT', { name: 'x' }, 'bad_request.missing_id'],
    ['PUT', { id: one.id, expires: '2020-01-01T00:00:00Z' }, 'bad_request.invalid_expires'],
    ['DELETE', {}, 'bad_request.missing_id'],
    ['DELETE', { all: false }, 'bad_request.missing_id'],
    ['DELETE', { id: one.id, all: true }, 'bad_request.invalid_all'],
    ['DELETE', { all: 1 }, 'bad_request.invalid_all'],
    ['DELETE', { id: unknown }, 'not_found.token_not_found'],
    ['POST', { id: unknown }, 'not_found.token_not_found', `${PATH}/rotate`],
  ]) {
    const { body } = await visitor.ask(method, path, payload);
    isRefusal(body, error);
  }
  assert.deepEqual((await visitor.does('GET', PATH)).tokens, [one]);
  await hers.does('node:trash', { id: root });
  isRefusal((await visitor.ask('POST', PATH, { scope: { branch: root, level: 1 } })).body, 'bad_request.node_in_trash');
  await server.cli('user', 'set', '--email', account.email, '--plan', 'basic', '--json');
  isRefusal((await visitor.ask('POST', PATH, {})).body, 'forbidden.api_not_allowed');
  const other = await atHome();
  for (const [method, payload, path = PATH] of [['PUT', { id: one.id, name: 'mine' }], ['DELETE', { id: one.id }], ['POST', { id: one.id }, `${PATH}/rotate`]]) {
    isRefusal((await other.visitor.ask(method, path, payload)).body, 'not_found.token_not_found');
  }
});

// Rules: Y6, K2.
story('A token makes no more of itself', async () => {
  const { visitor } = await atHome();
  for (const asked of [{}, { scope: 'read' }]) {
    const { token: one, secret } = await visitor.does('POST', PATH, asked);
    for (const [method, payload, path = PATH] of [
      ['GET', undefined], ['POST', {}], ['PUT', { id: one.id, expires: null }], ['DELETE', { all: true }], ['POST', { id: one.id }, `${PATH}/rotate`],
    ]) {
      isRefusal((await server.rest({ token: secret }, method, path, payload)).body, 'forbidden.session_required');
    }
  }
  assert.equal((await visitor.does('GET', PATH)).tokens.length, 2);
});

// Rules: Y6.
story('A user has a hundred tokens and not one more', async () => {
  const { visitor } = await atHome();
  for (let nth = 0; nth < 100; nth++) await visitor.does('POST', PATH, { name: `${nth}` });
  isRefusal((await visitor.ask('POST', PATH, {})).body, 'conflict.too_many_tokens');
  const [first] = (await visitor.does('GET', PATH)).tokens;
  await visitor.does('DELETE', PATH, { id: first.id });
  await visitor.does('POST', PATH, {});
});

// Rules: Y3, Y4, Y5, P24.
story('A token is renamed, rotated and revoked by its owner, and its sockets end with its secret', async () => {
  const { visitor, hers } = await atHome();
  const root = await hers.addNode({ title: 'House' });
  const scope = { branch: root, level: 1 };
  const { token: one, secret } = await visitor.does('POST', PATH, { scope });
  const { token: named } = await visitor.does('PUT', PATH, { id: one.id, name: 'kitchen', expires: '2031-01-01T00:00:00Z' });
  assert.deepEqual(named, { ...one, name: 'kitchen', expires: '2031-01-01T00:00:00Z' });
  const first = await server.connect({ token: secret });
  const rotated = await visitor.does('POST', `${PATH}/rotate`, { id: one.id });
  await first.ends(PROMPT_MS);
  assert.notEqual(rotated.secret, secret);
  assert.deepEqual([rotated.token.id, rotated.token.name, rotated.token.expires, rotated.token.scope], [one.id, 'kitchen', named.expires, scope]);
  isRefusal((await server.rest({ token: secret }, 'GET', '/api/graph')).body, 'unauthorized');
  const second = await server.connect({ token: rotated.secret });
  assert.deepEqual(ids((await second.does('graph:get')).nodes), [root]);
  const { token: more } = await visitor.does('POST', PATH, {});
  assert.deepEqual((await visitor.does('DELETE', PATH, { id: one.id })).revoked, [one.id]);
  await second.ends(PROMPT_MS);
  assert.deepEqual((await visitor.does('DELETE', PATH, { all: true })).revoked, [more.id]);
  assert.deepEqual((await visitor.does('DELETE', PATH, { all: true })).revoked, []);
  assert.deepEqual((await visitor.does('GET', PATH)).tokens, []);
  await hers.does('graph:get');
  await server.cli('check');
});

// Rules: Y6, Y14, P15.
story('A token that expires is refused from then on, and its sockets end', async () => {
  const { visitor, hers } = await atHome();
  const root = await hers.addNode({ title: 'House' });
  const expires = soon(2_000);
  const made = [];
  for (const scope of ['all', 'read', { branch: root, level: 2 }]) made.push(await visitor.does('POST', PATH, { scope, expires }));
  const sockets = [];
  for (const { secret } of made) sockets.push(await server.connect({ token: secret }));
  for (const socket of sockets) await socket.ends(2_000 + PROMPT_MS);
  assert.ok(Date.now() >= Date.parse(expires), 'not before');
  for (const { secret } of made) {
    isRefusal((await server.rest({ token: secret }, 'GET', '/api/graph')).body, 'unauthorized');
    assert.equal((await server.socket(secret).hears('connected')).error, 'forbidden.auth_invalid');
  }
  assert.deepEqual((await visitor.does('GET', PATH)).tokens, []);
  isRefusal((await visitor.ask('PUT', PATH, { id: made[0].token.id, expires: null })).body, 'not_found.token_not_found');
  assert.deepEqual((await hers.does('graph:get')).nodes[0].shareRoots, []);
  await server.cli('check');
});

// Rules: Y16, R1.
storyOnOwnServer('All of a user\'s tokens share one count', { limits: 'on', settings: '[limits]\nnode = "6/1m"\n' }, async (own) => {
  const olha = await own.addUser('olha');
  const hers = await own.connect(olha);
  const root = await hers.addNode({ title: 'House' });
  const scoped = async (scope) => own.connect(await own.cli('token', 'create', '--email', olha.email, '--scope', scope, '--json'));
  const [guest, reader] = [await scoped(`branch:${root}:2`), await scoped('read')];
  for (const client of [guest, hers]) await client.does('node:update', { id: root, title: crypto.randomUUID() });
  for (const client of [reader, reader]) isRefusal(await client.call('node:update', { id: root, title: 'x' }), 'forbidden.read_only');
  await guest.does('node:update', { id: root, title: crypto.randomUUID() });
  for (const client of [guest, reader, hers]) isRefusal(await client.call('node:update', { id: root, title: 'x' }), 'rate_limited');
});
