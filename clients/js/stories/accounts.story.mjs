// Accounts: changed, disabled and removed on the command line, while the server runs and others look on.
import assert from 'node:assert/strict';
import { Replica } from '../replica.mjs';
import { OP, isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const PROMPT_MS = 1_000;

const user = (...words) => server.cli('user', ...words, '--json');
const refused = (command, text) => assert.rejects(command, (error) => error.code === 1 && text.test(error.stderr), String(text));

/** A client with a replica that follows what it hears. */
async function watching(who) {
  const client = await server.connect(who);
  client.replica = new Replica();
  client.socket.on('graph:diff', (diff) => client.replica.diff(diff));
  client.replica.page(await client.does('graph:get', { limit: 5000 }));
  return client;
}

// Rules: C19, N34, P24, D14.
story('A disabled user is turned away until enabled again, and what is theirs stays with those who share it', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const hers = await server.connect(olha);
  const id = await hers.addNode({ title: 'Roof' });
  await hers.does('node:access', { id, email: petro.email, level: 2 });
  const his = await watching(petro);
  const before = Date.now();
  const shown = await user('disable', '--email', olha.email.toUpperCase());
  assert.deepEqual(shown, { id: olha.id, username: olha.username, email: olha.email, plan: 'pro', disabled: true, admin: false, closing: null });
  await hers.ends(PROMPT_MS - (Date.now() - before));
  const { status, body } = await server.rest(olha, 'GET', '/api/graph');
  assert.equal(status, 401);
  isRefusal(body, 'unauthorized');
  assert.equal((await server.socket(olha.token).hears('connected')).error, 'forbidden.auth_invalid');
  await his.does('node:update', { id, title: 'Mended roof' });
  const listed = async () => (await user('list')).find((one) => one.id === olha.id);
  assert.equal((await listed()).disabled, true);
  assert.match(await server.cli('user', 'list'), new RegExp(`${olha.email}>  pro  disabled\n`));
  assert.equal((await user('disable', '--email', olha.email)).disabled, true);
  assert.equal((await user('enable', '--email', olha.email)).disabled, false);
  assert.equal((await listed()).disabled, false);
  const again = await server.connect(olha);
  assert.equal((await again.does('graph:get')).nodes[0].title, 'Mended roof');
  await refused(user('disable', '--email', 'nobody@example.com'), /user_not_found/);
});

// Rules: C18, N36, O26, D14.
story('A new email and username reach everyone who sees a task of theirs, and the old ones are free', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const hers = await server.connect(olha);
  const id = await hers.addNode({ title: 'Roof' });
  await hers.does('node:access', { id, email: petro.email });
  const his = await watching(petro);
  const [email, username] = [`new-${olha.email}`, `${olha.username}.new`];
  const shown = await user('set', '--email', olha.email, '--new-email', email, '--username', username);
  assert.deepEqual(shown, { id: olha.id, username, email, plan: 'pro', disabled: false, admin: false, closing: null });
  const diff = await his.hears('graph:diff');
  const side = (name, mail) => ({ email: mail, username: name });
  assert.deepEqual(diff.user, [{ op: OP.USER_UPDATE, before: side(olha.username, olha.email), after: side(username, email) }]);
  assert.deepEqual([diff.actor, diff.nodes], [null, []]);
  his.replica.equals(await his.does('graph:get', { limit: 5000 }));
  assert.equal(his.replica.nodes.get(id).ownerEmail, email);
  await hers.addNode({ title: 'She goes on' });
  await server.addUser(olha.username);
  for (const [words, text] of [
    [['--new-email', petro.email.toUpperCase()], /email_taken/],
    [['--username', petro.username], /username_taken/],
    [['--new-email', '<a@b.c>'], /invalid_email/],
    [['--username', 'x'], /invalid_username/],
  ]) {
    await refused(user('set', '--email', email, ...words), text);
  }
  await assert.rejects(user('set', '--email', email));
});

// Rules: C18, S25, S26, T12, T13.
story('On the basic plan tokens are refused and not deleted, and three grants show', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const ids = [];
  for (const level of [3, 3, 1, 2, 3]) {
    const id = await hers.addNode({ title: `Level ${level}` });
    await hers.does('node:access', { id, email: petro.email, level });
    ids.push(id);
  }
  assert.equal((await user('set', '--email', petro.email, '--plan', 'basic')).plan, 'basic');
  await his.ends(PROMPT_MS);
  const { status, body } = await server.rest(petro, 'GET', '/api/graph');
  assert.equal(status, 403);
  isRefusal(body, 'forbidden.api_not_allowed');
  assert.equal((await server.socket(petro.token).hears('connected')).error, 'forbidden.api_not_allowed');
  const { account } = await hers.does('account:get');
  const showing = new Map(account.grantedBy.map((grant) => [grant.nodeId, grant.showing]));
  assert.deepEqual(ids.map((id) => showing.get(id)), [true, false, true, true, false]);
  await user('set', '--email', petro.email, '--plan', 'plus');
  const back = await watching(petro);
  assert.deepEqual([...back.replica.nodes.keys()], [ids[0], ids[2], ids[3]]);
});

// Rules: C20, N35, P9, P24, D14, W9, H3.
story('A removed user is gone for good: others see the shared tasks vanish at once, and keep what is theirs', async () => {
  const [olha, petro, ivan] = [await newUser('olha'), await newUser('petro'), await newUser('ivan')];
  const hers = await server.connect(olha);
  const root = await hers.addNode({ title: 'House' });
  for (let i = 0; i < 20; i++) await hers.addNode({ title: `Step ${i}`, target: root });
  const his = await watching(petro);
  const [held, other] = [await his.addNode({ title: 'Move in' }), await his.addNode({ title: 'Rest' })];
  await his.does('graph:get', { limit: 5000 });
  await hers.does('node:access', { id: root, email: petro.email, level: 2 });
  await his.does('node:access', { id: held, email: olha.email, level: 2 });
  await his.does('node:access', { id: other, email: olha.email, level: 2, branch: false });
  await hers.does('link:add', { source: root, target: held });
  const kept = (await hers.does('link:add', { source: held, target: other })).diff.links[0].after.id;
  const onlooker = await watching(ivan);
  await his.does('graph:get', { limit: 5000 });

  const ask = server.cli('user', 'remove', '--email', olha.email);
  await refused(ask, /21 tasks with 21 links, 3 grants, 0 embeds and 1 API token; add --yes/);
  assert.equal((await hers.does('graph:get')).nodes.length, 23);

  const gone = await user('remove', '--email', olha.email, '--yes');
  const { name, ...counted } = gone;
  assert.match(name, /^removed-[0-9a-f]{8}$/);
  const { id, username, email } = olha;
  assert.deepEqual(counted, { id, username, email, nodes: 21, links: 21, grants: 3, embeds: 0, tokens: 1 });
  await hers.ends(PROMPT_MS);
  const shown = (await his.does('graph:get', { limit: 5000 })).nodes.map((node) => node.title);
  assert.deepEqual(shown, ['Move in', 'Rest']);
  const diff = his.all('graph:diff').at(-1);
  assert.equal(diff.actor, null);
  assert.equal(diff.nodes.filter((entry) => entry.op === OP.NODE_HIDE).length, 21);
  assert.deepEqual(diff.access.map((entry) => [entry.op, entry.before.email]).sort(), [
    [OP.GRANT_DELETE, olha.email], [OP.GRANT_DELETE, olha.email], [OP.GRANT_DELETE, petro.email],
  ].sort());
  assert.deepEqual(onlooker.all('graph:diff'), []);
  // The link she made between his tasks is his to trash; her email and username are free; her deeds keep a name.
  await his.does('link:trash', { id: kept });
  const fresh = await server.addUser(olha.username);
  assert.notEqual(fresh.id, olha.id);
  assert.deepEqual((await (await server.connect(fresh)).does('graph:get')).nodes, []);
  const { batches } = await his.does('history:page');
  assert.ok(batches.some((batch) => batch.actor?.username === name && batch.actor?.email === name), JSON.stringify(batches.map((it) => it.actor)));
  assert.match(await server.cli('history', '--user', name), /House/);
  assert.ok(!(await user('list')).some((one) => one.id === olha.id));
  await refused(user('enable', '--email', name), /user_not_found/);
  assert.match(await server.cli('check'), /^ok: /);
});
