// One's own account: sessions, email, view settings and its end; and the accounts that administrators manage.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { after } from 'node:test';
import { binary } from '../harness.mjs';
import { isRefusal } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';
import { Visitor, keyOf, passwordOf } from '../visitor.mjs';

const { server, story, newUser } = await stage({ settings: 'registration = "open"\n' });
const DAY_MS = 86_400_000;
const NEWS_MS = 200;
const ENDS_MS_MAX = 5_000;
let count = 0;

/** Somebody new, with a session. */
async function resident(name, on = server) {
  const visitor = new Visitor(on);
  const username = `${name}-${++count}`;
  visitor.account = (await visitor.register(username)).account;
  visitor.password = passwordOf(username);
  return visitor;
}

/** The same person at another browser. */
async function elsewhere(visitor, agent) {
  const other = new Visitor(visitor.server, { headers: agent ? { 'user-agent': agent } : {} });
  const { body } = await other.login(visitor.account.username);
  assert.ok(body.ok, JSON.stringify(body));
  return Object.assign(other, { account: visitor.account, password: visitor.password });
}

async function admin(on = server) {
  const visitor = await resident('admin', on);
  await on.cli('user', 'set', '--email', visitor.account.email, '--admin', '--json');
  return visitor;
}

async function until(what, so, within = ENDS_MS_MAX) {
  for (const end = Date.now() + within; !(await so()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    assert.ok(Date.now() < end, what);
  }
}

const errorOf = async (asked) => (await asked).body.error ?? 'ok';
const isOut = async (visitor) => (await visitor.ask('GET', '/api/account')).status === 401;

async function open(visitor) {
  const client = visitor.socket();
  assert.ok((await client.hears('connected')).ok);
  return client;
}

// Rules: U2.
story('An account says what its owner may know of it, and what clients of the original look for', async () => {
  const olha = await resident('olha');
  const { account } = await olha.does('GET', '/api/account');
  const { admin: isAdmin, hasPassword, identities, cameraPosition, showAllCards, subscriptionState, annuallyPayment, cardPan } = account;
  assert.deepEqual(
    { isAdmin, hasPassword, identities, cameraPosition, showAllCards, subscriptionState, annuallyPayment, cardPan },
    { isAdmin: false, hasPassword: true, identities: [], cameraPosition: null, showAllCards: false, subscriptionState: 'active', annuallyPayment: false, cardPan: null },
  );
  const ivan = await newUser('ivan');
  assert.equal((await server.rest(ivan, 'GET', '/api/account')).body.account.hasPassword, false);
  assert.doesNotMatch(JSON.stringify([account, await server.cli('user', 'list', '--json')]), /argon2/);
});

// Rules: U3, T11, K3.
story('Olha sees where she is signed in, and signs the others out: their windows close', async () => {
  const olha = await resident('olha');
  const phone = await elsewhere(olha, 'Phone/7');
  const tablet = await elsewhere(olha, `Tablet/${'9'.repeat(300)}`);
  const sockets = { olha: await open(olha), phone: await open(phone), tablet: await open(tablet) };
  const { sessions } = await olha.does('GET', '/api/account/sessions');
  assert.deepEqual(sessions.map(({ current }) => current), [true, false, false]);
  assert.deepEqual(sessions.slice(1).map(({ agent }) => agent), ['Phone/7', `Tablet/${'9'.repeat(193)}`]);
  for (const { id, createdTime, lastUsedTime, ...rest } of sessions) {
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.now() - new Date(createdTime)) < 60_000 && new Date(lastUsedTime) >= new Date(createdTime));
    assert.deepEqual(Object.keys(rest).sort(), ['agent', 'current']);
  }
  // Another page makes her browser ask, and an API token is not enough.
  for (const [path, method, payload] of [['/api/account/sessions', 'DELETE', {}], ['/api/account', 'DELETE', { password: olha.password }], ['/api/account/email', 'PUT', { email: 'evil@example.com', password: olha.password }]]) {
    isRefusal((await olha.ask(method, path, payload, { origin: 'http://evil.example' })).body, 'forbidden.origin');
    const ivan = await newUser('ivan');
    isRefusal((await server.rest(ivan, method, path, payload)).body, 'forbidden.session_required');
  }
  // Somebody else's session is none of hers.
  const petro = await resident('petro');
  const [{ id: his }] = (await petro.does('GET', '/api/account/sessions')).sessions;
  isRefusal((await olha.ask('DELETE', '/api/account/sessions', { id: his })).body, 'not_found.session_not_found');
  isRefusal((await olha.ask('DELETE', '/api/account/sessions', { id: 'his' })).body, 'bad_request.invalid_id');
  await olha.does('DELETE', '/api/account/sessions', { id: sessions[1].id });
  await until('the phone\'s window is open', () => !sockets.phone.socket.connected);
  assert.ok(await isOut(phone) && !(await isOut(tablet)) && sockets.tablet.socket.connected);
  isRefusal((await olha.ask('DELETE', '/api/account/sessions', { id: sessions[1].id })).body, 'not_found.session_not_found');
  await olha.does('DELETE', '/api/account/sessions', {});
  await until('the tablet\'s window is open', () => !sockets.tablet.socket.connected);
  assert.ok(await isOut(tablet) && !(await isOut(olha)) && !(await isOut(petro)) && sockets.olha.socket.connected);
  assert.equal((await olha.does('GET', '/api/account/sessions')).sessions.length, 1);
});

// Rules: U5, T11, H4.
story('A view is kept, reaches her other windows and no history, and is small', async () => {
  const olha = await resident('olha');
  const [here, there] = [await open(olha), await open(await elsewhere(olha))];
  const petro = await open(await resident('petro'));
  const cameraPosition = { zoom: 1.5, x: -3, look: ['up', null] };
  await olha.does('PUT', '/api/account/view', { cameraPosition });
  for (const client of [here, there]) assert.deepEqual(await client.hears('settings:view'), { cameraPosition, showAllCards: false });
  const answer = await here.does('settings:view', { showAllCards: true });
  assert.deepEqual([answer.diff.nodes, answer.diff.actor.username], [[], olha.account.username]);
  assert.deepEqual(await there.hears('settings:view', (view) => view.showAllCards), { cameraPosition, showAllCards: true });
  assert.equal(here.all('settings:view').length, 1, 'who stored it is answered');
  const { account } = await here.does('account:get');
  assert.deepEqual([account.cameraPosition, account.showAllCards], [cameraPosition, true]);
  assert.deepEqual((await here.does('history:page')).batches, []);
  const undo = await here.call('history:undo', { batchId: answer.diff.batchId ?? answer.batchId ?? answer.diff.id });
  assert.match(undo.error, /batch_not_found|missing_batchId/);
  // The same request again is answered as before; another one with its id is not.
  const batchId = crypto.randomUUID();
  await olha.does('PUT', '/api/account/view', { showAllCards: false, batchId });
  assert.equal((await olha.does('PUT', '/api/account/view', { showAllCards: false, batchId })).replayed, true);
  isRefusal((await olha.ask('PUT', '/api/account/view', { showAllCards: true, batchId })).body, 'conflict.batch_id_conflict');
  await olha.does('PUT', '/api/account/view', { cameraPosition: { pad: 'x'.repeat(2_048 - 10) } });
  for (const [payload, error] of [
    [{ cameraPosition: { pad: 'x'.repeat(2_048 - 9) } }, 'bad_request.invalid_view'],
    [{ cameraPosition: [1] }, 'bad_request.invalid_view'],
    [{ showAllCards: null }, 'bad_request.invalid_view'],
    [{}, 'bad_request.no_fields_to_update'],
  ]) isRefusal((await olha.ask('PUT', '/api/account/view', payload)).body, error);
  isRefusal((await olha.ask('PUT', '/api/account/view', { showAllCards: true }, { origin: 'http://evil.example' })).body, 'forbidden.origin');
  await olha.does('PUT', '/api/account/view', { cameraPosition: null });
  assert.equal((await here.does('account:get')).account.cameraPosition, null);
  assert.deepEqual(petro.all('settings:view'), []);
  const words = await server.cli('history', '--user', olha.account.email);
  assert.doesNotMatch(words, /view settings/);
});

// Rules: U6, U7.
story('A new email takes the password, and nobody else\'s email', async () => {
  const [olha, petro] = [await resident('olha'), await resident('petro')];
  const email = `new-${olha.account.email}`;
  for (const [payload, error] of [
    [{ email }, 'forbidden.wrong_password'],
    [{ email, password: 'wrong password 1' }, 'forbidden.wrong_password'],
    [{ email: petro.account.email.toUpperCase(), password: olha.password }, 'conflict.email_taken'],
    [{ email: 'nothing', password: olha.password }, 'bad_request.invalid_email'],
    [{ password: olha.password }, 'bad_request.missing_email'],
  ]) isRefusal((await olha.ask('PUT', '/api/account/email', payload)).body, error);
  const answer = await olha.does('PUT', '/api/account/email', { email, password: olha.password });
  assert.equal(answer.confirmed, true);
  assert.equal((await olha.does('GET', '/api/account')).account.email, email);
  const login = (to) => errorOf(new Visitor(server).ask('POST', '/api/login', { email: to, password: olha.password }));
  assert.deepEqual([await login(email), await login(olha.account.email)], ['ok', 'unauthorized']);
  isRefusal((await new Visitor(server).ask('POST', '/api/account/email/confirm', { key: 'x' })).body, 'forbidden.invalid_key');
});

/** A mail server that takes what it is sent. */
async function mailbox() {
  const mails = [];
  const listener = createServer((socket) => {
    let [buffer, data] = ['', false];
    socket.write('220 mail\r\n');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      buffer += chunk;
      for (let end; (end = buffer.indexOf(data ? '\r\n.\r\n' : '\r\n')) >= 0; ) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + (data ? 5 : 2));
        if (data) mails.push(line.replace(/=\r\n/g, '').replace(/=3D/g, '='));
        data = !data && /^DATA/i.test(line);
        socket.write(data ? '354 go on\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  after(() => listener.close());
  return { mails, port: listener.address().port };
}

const box = await mailbox();
const MAIL = `registration = "open"\npublic_url = "http://127.0.0.1"\n[mail]\nsmtp = "smtp://127.0.0.1:${box.port}?tls=off"\nfrom = "SynapTask <tasks@example.com>"\n`;

// Rules: U7, I3.
storyOnOwnServer('With mail, a new email is confirmed by the link that is sent there, the latest one', { settings: MAIL }, async (own) => {
  const olha = new Visitor(own, { origin: 'http://127.0.0.1' });
  olha.account = (await olha.register('olha')).account;
  const password = passwordOf('olha');
  const linkTo = async (email) => {
    assert.equal((await olha.does('PUT', '/api/account/email', { email, password })).confirmed, false);
    await until(`no mail to ${email}`, () => box.mails.some((mail) => mail.includes(`To: ${email}`)));
    return keyOf(box.mails.find((mail) => mail.includes(`To: ${email}`)).match(/http:\S+\/email\?key=\w+/)[0]);
  };
  const [older, newer] = [await linkTo('one@example.com'), await linkTo('two@example.com')];
  assert.equal((await olha.does('GET', '/api/account')).account.email, 'olha@example.com', 'not yet');
  const confirm = (key) => new Visitor(own, { origin: null }).ask('POST', '/api/account/email/confirm', { key });
  isRefusal((await confirm(older)).body, 'forbidden.invalid_key');
  assert.equal((await confirm(newer)).body.email, 'two@example.com');
  isRefusal((await confirm(newer)).body, 'forbidden.invalid_key');
  assert.equal((await olha.does('GET', '/api/account')).account.email, 'two@example.com');
  // Somebody may have it by then.
  const late = await linkTo('three@example.com');
  await own.cli('user', 'add', '--email', 'Three@example.com', '--username', 'petro', '--json');
  isRefusal((await confirm(late)).body, 'conflict.email_taken');
  assert.ok(![older, newer, late].some((key) => own.logged.includes(key)), 'no key stands in the log');
});

// Rules: U8, U6, T11.
story('Closing an account takes its password, shuts everyone out at once, and can be undone for seven days', async () => {
  const olha = await resident('olha');
  const { token } = await server.cli('token', 'create', '--email', olha.account.email, '--name', 'cli', '--json');
  const [window, program] = [await open(olha), await server.connect({ token })];
  const id = await program.addNode({ title: 'Hers' });
  isRefusal((await olha.ask('DELETE', '/api/account', { password: 'wrong password 1' })).body, 'forbidden.wrong_password');
  isRefusal((await olha.ask('DELETE', '/api/account', {})).body, 'forbidden.wrong_password');
  const { status, body, cookies } = await olha.ask('DELETE', '/api/account', { password: olha.password });
  assert.equal(status, 200, JSON.stringify(body));
  const days = (new Date(body.closing) - Date.now()) / DAY_MS;
  assert.ok(days > 6.99 && days <= 7, `${days} days`);
  assert.match(cookies[0], /^st_access=;/);
  await until('a socket is open', () => !window.socket.connected && !program.socket.connected);
  assert.equal((await server.rest({ token }, 'GET', '/api/graph')).status, 401);
  assert.equal((await olha.login(olha.account.username)).status, 401);
  const listed = async () => (await server.cli('user', 'list', '--json')).find((user) => user.id === olha.account.id);
  assert.equal((await listed()).closing, body.closing);
  assert.match(await server.cli('user', 'list'), new RegExp(`${olha.account.email}>  pro  closed, removed on ${body.closing}`));
  await assert.rejects(server.addUser(olha.account.username), /taken/, 'its names are still its own');
  const shown = await server.cli('user', 'reopen', '--email', olha.account.email, '--json');
  assert.equal(shown.closing, null);
  assert.equal((await (await server.connect({ token })).does('graph:get')).nodes[0].id, id);
  assert.ok((await olha.login(olha.account.username)).body.ok);
  await assert.rejects(server.cli('user', 'reopen', '--email', olha.account.email), /not_closing/);
  const words = await server.cli('history', '--user', olha.account.email);
  assert.match(await server.cli('history'), new RegExp(`${olha.account.username} closed the account of ${olha.account.username}`));
  assert.doesNotMatch(words, /closed the account/, 'it is not among what she did');
});

// Rules: U10, U9, T11.
story('An administrator lists, changes, disables and removes accounts; nobody else does', async () => {
  const [ada, petro] = [await admin(), await resident('petro')];
  const path = (visitor, more = '') => `/api/admin/users/${visitor.account.id}${more}`;
  const asks = [['GET', '/api/admin/users'], ['PUT', path(petro), { admin: true }], ['POST', path(petro, '/disable')], ['POST', path(petro, '/enable')], ['POST', path(petro, '/reopen')], ['DELETE', path(petro)]];
  for (const ask of asks) {
    isRefusal((await petro.ask(...ask)).body, 'forbidden.no_permission');
    assert.equal((await new Visitor(server).ask(...ask)).status, 401);
    if (ask[0] !== 'GET') isRefusal((await ada.ask(ask[0], ask[1], ask[2], { origin: 'http://evil.example' })).body, 'forbidden.origin');
  }
  const { users } = await ada.does('GET', '/api/admin/users');
  const { createdTime, ...row } = users.find(({ id }) => id === petro.account.id);
  assert.deepEqual(row, { id: petro.account.id, username: petro.account.username, email: petro.account.email, plan: 'pro', admin: false, disabled: false, closing: null, hasPassword: true, identities: [] });
  assert.ok(Math.abs(new Date(createdTime) - Date.now()) < 60_000);
  assert.ok(!users.some(({ username }) => username.startsWith('removed-')));
  // A program with her token may do the same.
  const { token } = await server.cli('token', 'create', '--email', ada.account.email, '--name', 'cli', '--json');
  assert.equal((await server.rest({ token }, 'PUT', path(petro), { plan: 'plus' })).body.user.plan, 'plus');
  const [window, { token: his }] = [await open(petro), await server.cli('token', 'create', '--email', petro.account.email, '--name', 'cli', '--json')];
  assert.equal((await ada.does('POST', path(petro, '/disable'))).user.disabled, true);
  await until('his window is open', () => !window.socket.connected);
  assert.ok(await isOut(petro) && (await server.rest({ token: his }, 'GET', '/api/graph')).status === 401);
  assert.equal((await ada.does('POST', path(petro, '/enable'))).user.disabled, false);
  assert.ok(await isOut(petro), 'his session has ended');
  assert.equal((await server.rest({ token: his }, 'GET', '/api/graph')).status, 200);
  for (const [method, where, payload, error] of [
    ['PUT', path(petro), {}, 'bad_request.no_fields_to_update'],
    ['PUT', path(petro), { plan: 'gold' }, 'bad_request.invalid_plan'],
    ['PUT', path(petro), { admin: 1 }, 'bad_request.invalid_admin'],
    ['PUT', `/api/admin/users/${crypto.randomUUID()}`, { admin: true }, 'not_found.user_not_found'],
    ['POST', '/api/admin/users/petro/disable', {}, 'bad_request.invalid_id'],
    ['POST', path(petro, '/reopen'), {}, 'bad_request.not_closing'],
  ]) isRefusal((await ada.ask(method, where, payload)).body, error);
  // What he closes, she opens.
  await petro.login(petro.account.username);
  await petro.does('DELETE', '/api/account', { password: petro.password });
  assert.equal((await ada.does('POST', path(petro, '/reopen'))).user.closing, null);
  assert.match((await ada.does('DELETE', path(petro))).name, /^removed-/);
  isRefusal((await ada.ask('DELETE', path(petro))).body, 'not_found.user_not_found');
  assert.equal((await petro.login(petro.account.username)).status, 401);
  const words = await server.cli('history');
  assert.match(words, new RegExp(`${ada.account.username} disabled the user ${petro.account.username}`));
  assert.match(words, new RegExp(`${ada.account.username} removed the user ${petro.account.username}`));
});

// Rules: U11.
storyOnOwnServer('The last administrator stays one, unless the command line says otherwise', { settings: 'registration = "open"\n' }, async (own) => {
  const [ada, ben] = [await admin(own), await resident('ben', own)];
  const path = ({ account }, more = '') => `/api/admin/users/${account.id}${more}`;
  const last = [['PUT', path(ada), { admin: false }], ['POST', path(ada, '/disable')], ['DELETE', path(ada)], ['DELETE', '/api/account', { password: ada.password }]];
  for (const ask of last) isRefusal((await ada.ask(...ask)).body, 'conflict.last_admin');
  await ada.does('PUT', path(ben), { admin: true });
  await ada.does('PUT', path(ada), { admin: false });
  isRefusal((await ada.ask('GET', '/api/admin/users')).body, 'forbidden.no_permission');
  assert.equal((await own.cli('user', 'set', '--email', ben.account.email, '--no-admin', '--json')).admin, false);
  isRefusal((await ben.ask('GET', '/api/admin/users')).body, 'forbidden.no_permission');
});

/** `synaptask user add` with what it reads. */
async function addWith(input, ...args) {
  const child = spawn(binary(), ['--data', server.dataDir, 'user', 'add', ...args], { env: server.env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

// Rules: U12, C3, K7, D14.
story('The command line makes an administrator with a password, and the running server knows', async () => {
  const username = `ada-${++count}`;
  const email = `${username}@example.com`;
  const add = (input, ...more) => addWith(input, '--email', email, '--username', username, '--admin', '--password-stdin', '--json', ...more);
  const weak = await add('password1\n');
  assert.equal(weak.code, 1);
  assert.match(weak.stderr, /easily guessed.*invalid_password/);
  assert.ok(!weak.stderr.includes('password1'));
  const made = await add(`${passwordOf(username)}\r\nmore`);
  assert.equal(made.code, 0, made.stderr);
  assert.ok(!made.stdout.includes(passwordOf(username)) && !/argon2/.test(made.stdout));
  const ada = new Visitor(server);
  await until('nobody knows her', async () => (await ada.login(username)).body.ok, NEWS_MS * 5);
  const { users } = await ada.does('GET', '/api/admin/users');
  assert.ok(users.some(({ id, admin: isAdmin }) => id === JSON.parse(made.stdout).id && isAdmin));
  const listed = (await server.cli('user', 'list', '--json')).find((user) => user.email === email);
  assert.deepEqual([listed.admin, listed.closing], [true, null]);
  assert.match(await server.cli('user', 'list'), new RegExp(`${email}>  pro  admin\n`));
  await assert.rejects(server.cli('user', 'set', '--email', email, '--admin', '--no-admin'), /cannot be used with/);
  await server.cli('user', 'set', '--email', email, '--no-admin', '--json');
  isRefusal((await ada.ask('GET', '/api/admin/users')).body, 'forbidden.no_permission');
});

// Rules: U1, U3, D18.
storyOnOwnServer('Sessions, passwords and view settings are there after a crash, and no secret is in what is printed', { settings: 'registration = "open"\n' }, async (own) => {
  const olha = await resident('olha', own);
  const phone = await elsewhere(olha);
  await olha.does('PUT', '/api/account/view', { cameraPosition: { x: 1 }, showAllCards: true });
  await own.signal('SIGKILL');
  await own.up();
  const { account } = await olha.does('GET', '/api/account');
  assert.deepEqual([account.cameraPosition, account.showAllCards], [{ x: 1 }, true]);
  assert.equal((await phone.does('GET', '/api/account/sessions')).sessions.length, 2);
  assert.ok((await new Visitor(own).login(olha.account.username)).body.ok);
  const words = await own.cli('history');
  assert.match(words, new RegExp(`${olha.account.username} signed in with`));
  await own.signal('SIGTERM');
  const printed = [words, await own.cli('history', '--json'), await own.cli('check'), own.logged].map((text) => JSON.stringify(text)).join('\n');
  assert.doesNotMatch(printed, /argon2|\$v=/);
  assert.ok(![olha.cookie, phone.cookie].some((cookie) => printed.includes(cookie.split('=')[1])));
});
