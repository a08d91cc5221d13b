// Tokens: made, listed and revoked on the command line, while the server runs.
import assert from 'node:assert/strict';
import { Server } from '../harness.mjs';
import { isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const PROMPT_MS = 3_000;

// Rules: T9, C3, C4, C5.
story('A new user\'s token is long, random and hers, and the list never shows it again', async () => {
  const olha = await newUser('olha');
  assert.match(olha.token, /^st_[A-Za-z0-9]{27,}$/);
  assert.deepEqual([olha.email, olha.username], [`${olha.username}@example.com`, olha.username]);
  const list = await server.cli('token', 'list', '--email', olha.email, '--json');
  assert.ok(!JSON.stringify(list).includes(olha.token));
  const users = JSON.stringify(await server.cli('user', 'list', '--json'));
  assert.ok(users.includes(olha.id) && !users.includes(olha.token));
});

// Rules: C5, C10, D14.
story('A second token works beside the first', async () => {
  const olha = await newUser('olha');
  const { token } = await server.cli('token', 'create', '--email', olha.email, '--name', 'phone', '--json');
  assert.notEqual(token, olha.token);
  const [first, second] = [await server.connect(olha), await server.connect({ token })];
  const id = await first.addNode({ title: 'Roof' });
  assert.equal((await second.does('graph:get')).nodes[0].id, id);
});

// Rules: T9, C5.
story('A token has a name that a list can show, or it is not made', async () => {
  const olha = await newUser('olha');
  const create = (name) => server.cli('token', 'create', '--email', olha.email, '--name', name, '--json');
  for (const name of ['x'.repeat(81), 'two\nlines', '\u001b[31mred']) {
    await assert.rejects(create(name), (error) => error.code === 1 && /at most 80 characters.*invalid_token_name/.test(error.stderr), name);
  }
  await create('x'.repeat(80));
  const list = await server.cli('token', 'list', '--email', olha.email, '--json');
  assert.deepEqual(list.map((one) => one.name), ['first', 'x'.repeat(80)]);
});

// Rules: C15, C5.
story('A user without tokens, and an installation without users, is told of in a line, or as an empty list', async () => {
  const olha = await newUser('olha');
  await server.cli('token', 'revoke', '--email', olha.email, '--all', '--json');
  const list = ['token', 'list', '--email', olha.email];
  assert.equal(await server.cli(...list), `${olha.email} has no tokens.\n`);
  assert.deepEqual(await server.cli(...list, '--json'), []);
  const fresh = await Server.start();
  try {
    assert.equal(await fresh.cli('user', 'list'), 'There are no users.\n');
    assert.deepEqual(await fresh.cli('user', 'list', '--json'), []);
    assert.match(await fresh.cli('history', '--until', '2000-01-01'), /^There are no .*\n$/);
  } finally {
    await fresh.stop();
  }
});

// Rules: P24, C5, C10.
story('Revoking all tokens ends live sockets promptly, over both transports, and REST from the next call on', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const hers = [await server.connect(olha), await server.connect(olha, { transports: ['polling'] })];
  const his = await server.connect(petro);
  assert.equal((await server.rest(olha, 'GET', '/api/graph')).status, 200);
  await server.cli('token', 'revoke', '--email', olha.email, '--all', '--json');
  const { status, body } = await server.rest(olha, 'GET', '/api/graph');
  assert.equal(status, 401);
  isRefusal(body, 'unauthorized');
  for (const client of hers) await client.ends(PROMPT_MS);
  const back = server.socket(olha.token);
  assert.equal((await back.hears('connected')).error, 'forbidden.auth_invalid');
  await his.does('graph:get');
  const { token } = await server.cli('token', 'create', '--email', olha.email, '--json');
  await server.connect({ token });
});

// Rules: P24, C5.
story('Revoking one token leaves the other connected', async () => {
  const olha = await newUser('olha');
  const made = await server.cli('token', 'create', '--email', olha.email, '--name', 'phone', '--json');
  const [first, second] = [await server.connect(olha), await server.connect({ token: made.token })];
  await server.cli('token', 'revoke', '--email', olha.email, '--id', made.id, '--json');
  await second.ends(PROMPT_MS);
  await first.does('graph:get');
});

// Rules: P24, C5, C10, D14.
story('A rotated token has a new secret and is the same token; sockets and calls with the old secret end', async () => {
  const olha = await newUser('olha');
  const made = await server.cli('token', 'create', '--email', olha.email, '--name', 'phone', '--json');
  const [first, second] = [await server.connect(olha), await server.connect({ token: made.token })];
  const rotated = await server.cli('token', 'rotate', '--email', olha.email, '--id', made.id, '--json');
  assert.deepEqual({ ...rotated, token: null }, { ...made, token: null });
  assert.match(rotated.token, /^st_[A-Za-z0-9]{27,}$/);
  assert.notEqual(rotated.token, made.token);
  await second.ends(PROMPT_MS);
  isRefusal((await server.rest({ token: made.token }, 'GET', '/api/graph')).body, 'unauthorized');
  assert.equal((await server.socket(made.token).hears('connected')).error, 'forbidden.auth_invalid');
  const third = await server.connect({ token: rotated.token });
  await first.addNode({ title: 'Roof' });
  assert.equal((await third.does('graph:get')).nodes[0].title, 'Roof');
  const list = await server.cli('token', 'list', '--email', olha.email, '--json');
  assert.deepEqual(list.map((token) => token.name), ['first', 'phone']);
  assert.match(await server.cli('history', '--limit', '2'), /gave a new secret to the API token “phone” of olha/);
  const petro = await newUser('petro');
  const theirs = server.cli('token', 'rotate', '--email', petro.email, '--id', made.id, '--json');
  await assert.rejects(theirs, (error) => error.code === 1 && /token_not_found/.test(error.stderr));
});

// Rules: N33.
story('An email that reads as something else is refused', async () => {
  for (const email of ['<a@b.c>', 'a@b.c\u202e', '\u200ba@b.c', '"a"@b.c', 'a b@c.d', 'a@b@c.d', 'a..b@c.d', 'a@-b.c']) {
    const add = server.cli('user', 'add', '--email', email, '--username', 'somebody', '--json');
    await assert.rejects(add, (error) => error.code === 1 && /invalid_email/.test(error.stderr), email);
  }
});

// Rules: N1.
story('Two users cannot have one email, whatever its case, nor one username', async () => {
  const olha = await newUser('olha');
  await assert.rejects(server.cli('user', 'add', '--email', olha.email.toUpperCase(), '--username', 'other', '--json'));
  await assert.rejects(server.cli('user', 'add', '--email', 'other@example.com', '--username', olha.username, '--json'));
});
