// The door: who may come in, how often somebody may try, and what keeps strangers out.
import assert from 'node:assert/strict';
import { isRefusal } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';
import { TABLE } from '../table.mjs';
import { Visitor, keyOf, passwordOf, setupLink, signedIn } from '../visitor.mjs';

const { server, story, newUser } = await stage({ settings: 'registration = "open"\n' });
const EVIL = 'http://evil.example';
const ENDS_MS_MAX = 5_000;
let count = 0;
const fresh = (name) => `${name}-${++count}`;

/** Somebody new, with a session. */
async function resident(name, options) {
  const visitor = new Visitor(server, options);
  const username = fresh(name);
  visitor.account = (await visitor.register(username)).account;
  return visitor;
}

const errorOf = async (asked) => (await asked).body.error ?? 'ok';

// Rules: K10, K11, T14.
story('Whoever registers is signed in, and a socket of theirs is a browser\'s', async () => {
  const visitor = new Visitor(server);
  const username = fresh('olha');
  const { status, body, cookies } = await visitor.ask('POST', '/api/register', { email: `${username}@Example.com`, username, password: passwordOf(username) });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.account.username, body.account.email, body.account.plan], [username, `${username}@Example.com`, 'pro']);
  assert.match(cookies[0], /^st_access=ss_[0-9A-Za-z]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=2592000$/);
  assert.equal((await visitor.does('GET', '/api/account')).account.id, body.account.id);
  const connected = await visitor.socket().hears('connected');
  assert.deepEqual([connected.ok, connected.uid, connected.client], [true, body.account.id, 'web']);
});

// Rules: K10, N1, N33.
story('What cannot be an account is refused with the reason, and nothing is made', async () => {
  const olha = await resident('olha');
  const good = () => {
    const username = fresh('petro');
    return { email: `${username}@example.com`, username, password: passwordOf(username) };
  };
  for (const [wrong, error] of [
    [{ email: olha.account.email.toUpperCase() }, 'conflict.email_taken'],
    [{ username: olha.account.username.toUpperCase() }, 'conflict.username_taken'],
    [{ email: 'nobody' }, 'bad_request.invalid_email'],
    [{ email: undefined }, 'bad_request.missing_email'],
    [{ username: 'a b' }, 'bad_request.invalid_username'],
    [{ password: 'short1!' }, 'bad_request.invalid_password'],
    [{ password: undefined }, 'bad_request.invalid_password'],
    [{ password: 'password1' }, 'bad_request.invalid_password'],
    [{ password: 12345678 }, 'bad_request.invalid_password'],
    [{ password: `x${'9#kQ'.repeat(256)}` }, 'bad_request.invalid_password'],
    [{ invite: 5 }, 'bad_request.malformed_key'],
    [{ invite: 'x'.repeat(101) }, 'bad_request.malformed_key'],
    [{ invite: 'nothing' }, 'forbidden.invalid_invite'],
    [{ admin: true }, 'bad_request.unknown_field'],
  ]) {
    const visitor = new Visitor(server);
    const { body, cookies } = await visitor.ask('POST', '/api/register', { ...good(), ...wrong });
    isRefusal(body, error);
    assert.deepEqual(cookies, []);
  }
  const weak = await new Visitor(server).ask('POST', '/api/register', { ...good(), username: 'mariana', password: 'xMARIANA-99' });
  assert.match(weak.body.message, /contains the username/);
  const users = await server.cli('user', 'list', '--json');
  assert.deepEqual(users.filter(({ username }) => username === 'mariana' || username.startsWith('petro')), []);
});

// Rules: K8.
story('No such email, no password, a wrong one and a disabled account are answered alike', async () => {
  const olha = await resident('olha');
  const disabled = await resident('petro');
  await server.cli('user', 'disable', '--email', disabled.account.email, '--json');
  const without = await newUser('ivan');
  const seen = new Set();
  for (const [email, password] of [
    [olha.account.email, 'wrong password 1'],
    [disabled.account.email, passwordOf(disabled.account.username)],
    [without.email, 'wrong password 1'],
    [`${fresh('nobody')}@example.com`, 'wrong password 1'],
  ]) {
    const { status, headers, body, cookies } = await new Visitor(server).ask('POST', '/api/login', { email, password });
    assert.equal(status, 401);
    isRefusal(body, 'unauthorized');
    assert.deepEqual(cookies, []);
    const told = [...headers].filter(([name]) => name !== 'x-trace-id' && name !== 'date');
    seen.add(JSON.stringify([told, { ...body, trace_id: '' }]));
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
});

const THROTTLED = 'trusted_proxies = ["127.0.0.1"]\nregistration = "open"\n[limits]\n"account:login" = "off"\n';

// Rules: K9.
storyOnOwnServer('After ten failures in a row an account admits one try a minute, from wherever, right or wrong', { limits: 'on', settings: THROTTLED }, async (own) => {
  const from = (nth) => new Visitor(own, { origin: null, headers: { 'x-forwarded-for': `31.1.1.${nth}` } });
  await from(1).register('olha');
  for (const name of ['olha', 'nobody']) {
    for (let nth = 1; nth <= 10; nth++) assert.equal(await errorOf(from(nth).login(name, 'wrong password 1')), 'unauthorized');
    for (const password of ['wrong password 1', passwordOf(name)]) {
      const { status, headers, body } = await from(99).login(name, password);
      assert.equal(status, 429);
      isRefusal(body, 'rate_limited');
      const waits = Number(headers.get('retry-after'));
      assert.ok(waits > 50 && waits <= 60, `${waits} s`);
      assert.equal(body.retryAfter, waits);
    }
    assert.equal(await errorOf(from(1).ask('POST', '/api/login', { email: `${name.toUpperCase()}@example.com`, password: passwordOf(name) })), 'rate_limited');
  }
});

// Rules: K9.
storyOnOwnServer('A success forgets the failures before it', { limits: 'on', settings: THROTTLED.replace('[limits]', '[limits]\n"login.account" = "3/1m"') }, async (own) => {
  const visitor = () => new Visitor(own);
  await visitor().register('olha');
  for (let round = 0; round < 3; round++) {
    for (let nth = 0; nth < 2; nth++) assert.equal(await errorOf(visitor().login('olha', 'wrong password 1')), 'unauthorized');
    assert.equal(await errorOf(visitor().login('olha')), 'ok');
  }
});

// Rules: K11.
story('Signing in makes a new secret, whatever cookie the browser brought', async () => {
  const olha = await resident('olha');
  for (const planted of [`st_access=ss_${'a'.repeat(43)}`, olha.cookie]) {
    const visitor = new Visitor(server);
    visitor.cookie = planted;
    assert.equal(await errorOf(visitor.login(olha.account.username)), 'ok');
    assert.notEqual(visitor.cookie, planted);
    assert.equal((await visitor.does('GET', '/api/account')).account.id, olha.account.id);
  }
  const planted = new Visitor(server);
  planted.cookie = `st_access=ss_${'a'.repeat(43)}`;
  isRefusal((await planted.ask('GET', '/api/account')).body, 'unauthorized');
});

// Rules: K11.
story('A session\'s secret is no API token, and an API token is no session', async () => {
  const olha = await resident('olha');
  const secret = olha.cookie.split('=')[1];
  isRefusal((await server.rest(secret, 'GET', '/api/account')).body, 'unauthorized');
  assert.equal((await server.socket(secret).hears('connected')).error, 'forbidden.auth_invalid');
  const petro = await newUser('petro');
  const visitor = new Visitor(server);
  visitor.cookie = `st_access=${petro.token}`;
  isRefusal((await visitor.ask('GET', '/api/account')).body, 'unauthorized');
});

const PUBLIC = new Set(TABLE.filter((row) => row.credentials === 'none').map((row) => row.event));
const CHANGES = TABLE.filter((row) => row.method && row.method !== 'GET');

// Rules: K3, T11.
story(`No page of another site changes anything: each of ${CHANGES.length} operations that change something refuses it`, async () => {
  assert.ok(CHANGES.length > 30 && PUBLIC.size >= 4);
  const olha = await resident('olha');
  const answers = [];
  for (const { event, method, paths } of CHANGES) {
    for (const path of paths.map((one) => one.replaceAll(/\{\w+\}/g, 'x'))) {
      for (const [what, origin, cookie] of [
        ['a foreign page', EVIL, olha.cookie],
        ['a page that says nothing', null, olha.cookie],
        ['a page without an origin', 'null', olha.cookie],
        ['another port', `http://127.0.0.1:${server.port + 1}`, olha.cookie],
        ...(PUBLIC.has(event) ? [['a foreign page without a cookie', EVIL, null]] : []),
      ]) {
        const visitor = new Visitor(server, { origin });
        visitor.cookie = cookie;
        const { status, body, cookies } = await visitor.ask(method, path, {});
        if (status !== 403 || body.error !== 'forbidden.origin' || cookies.length) answers.push(`${event}, ${what}: ${status} ${body.error}`);
      }
    }
  }
  assert.deepEqual(answers, []);
  assert.equal((await olha.does('GET', '/api/account')).account.id, olha.account.id);
});

// Rules: K3.
story('A foreign page signs nobody in, with the right password or with a made-up token beside it', async () => {
  const olha = await resident('olha');
  const login = { email: olha.account.email, password: passwordOf(olha.account.username) };
  const foreign = new Visitor(server, { origin: EVIL });
  for (const more of [{}, { authorization: 'Bearer st_anything' }]) {
    const { body, cookies } = await foreign.ask('POST', '/api/login', login, more);
    isRefusal(body, 'forbidden.origin');
    assert.deepEqual(cookies, []);
  }
  assert.equal(await errorOf(new Visitor(server, { origin: null }).ask('POST', '/api/login', login)), 'ok', 'a program has no origin');
});

// Rules: K11, T27.
storyOnOwnServer('The cookie is for TLS alone where a trusted proxy, or the public address, says that there is TLS', { settings: 'registration = "open"\ntrusted_proxies = ["127.0.0.1"]\n' }, async (own) => {
  const proxied = new Visitor(own, { origin: 'https://tasks.example', headers: { 'x-forwarded-for': '31.1.1.1', 'x-forwarded-host': 'tasks.example', 'x-forwarded-proto': 'https' } });
  const flags = async (asked) => (await asked).cookies.map((one) => one.split('; ').slice(1).join(' '));
  await proxied.register('olha');
  const SECURE = 'HttpOnly SameSite=Lax Path=/ Max-Age=2592000 Secure';
  assert.deepEqual(await flags(proxied.login('olha')), [SECURE]);
  assert.deepEqual(await flags(proxied.ask('GET', '/api/account')), [SECURE]);
  assert.deepEqual(await flags(proxied.ask('POST', '/api/logout')), ['HttpOnly SameSite=Lax Path=/ Max-Age=0 Secure']);
  assert.deepEqual(await flags(new Visitor(own).login('olha')), [SECURE.replace(' Secure', '')]);
  own.env.SYNAPTASK_PUBLIC_URL = 'https://tasks.example';
  await own.signal('SIGTERM');
  await own.up();
  assert.deepEqual(await flags(new Visitor(own, { origin: 'https://tasks.example' }).login('olha')), [SECURE], 'its own address is its own origin');
});

// Rules: K12.
story('The cookie is renewed by use, and not by a request that fails', async () => {
  const olha = await resident('olha');
  const { cookie } = olha;
  for (const path of ['/api/account', '/api/graph']) {
    const { cookies } = await olha.ask('GET', path);
    assert.match(cookies[0], /Max-Age=2592000/);
    assert.equal(olha.cookie, cookie, 'it is the same');
  }
  assert.deepEqual((await olha.ask('GET', '/api/branch?root=nothing')).cookies, []);
  const petro = await newUser('petro');
  assert.equal((await server.rest(petro, 'GET', '/api/account')).headers.get('set-cookie'), null);
});

// Rules: K5, P24.
story('Signing out ends the session, its cookie and its sockets, and no other session', async () => {
  const olha = await resident('olha');
  const other = new Visitor(server);
  await other.login(olha.account.username);
  const [socket, otherSocket] = [olha.socket(), other.socket()];
  for (const one of [socket, otherSocket]) assert.ok((await one.hears('connected')).ok);
  const { cookie } = olha;
  const { status, cookies } = await olha.ask('POST', '/api/logout');
  assert.equal(status, 200);
  assert.deepEqual(cookies, ['st_access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0']);
  olha.cookie = cookie;
  isRefusal((await olha.ask('GET', '/api/account')).body, 'unauthorized');
  for (const until = Date.now() + ENDS_MS_MAX; socket.socket.connected; await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(Date.now() < until, 'its socket is still open');
  }
  assert.equal((await other.does('GET', '/api/account')).account.id, olha.account.id);
  assert.ok(otherSocket.socket.connected);
});

// Rules: K13.
storyOnOwnServer('An installation is open, for the invited, or closed', { settings: 'registration = "open"\n' }, async (own) => {
  const invited = async () => keyOf((await own.cli('invite', '--json')).url);
  const tries = async (invite) => {
    const username = fresh('anna');
    return errorOf(new Visitor(own).ask('POST', '/api/register', { email: `${username}@example.com`, username, password: passwordOf(username), ...(invite && { invite }) }));
  };
  const again = async (registration) => {
    own.env.SYNAPTASK_REGISTRATION = registration;
    await own.signal('SIGTERM');
    await own.up();
  };
  assert.deepEqual([await tries(), await tries(await invited()), await tries('wrong')], ['ok', 'ok', 'forbidden.invalid_invite']);
  await again('invite');
  assert.deepEqual([await tries(), await tries(await invited()), await tries('wrong')], ['forbidden.invalid_invite', 'ok', 'forbidden.invalid_invite']);
  await again('closed');
  assert.deepEqual([await tries(), await tries(await invited()), await tries('wrong')], Array(3).fill('forbidden.registration_closed'));
});


// Rules: K14.
storyOnOwnServer('The first start prints a link, and whoever opens it makes the administrator\'s account, once', {}, async (own) => {
  const old = await setupLink(own);
  assert.ok(old.startsWith(own.url), own.printed);
  await own.signal('SIGTERM');
  own.printed = '';
  await own.up();
  const link = await setupLink(own);
  assert.notEqual(link, old, 'a new start prints a fresh link');
  const visitor = new Visitor(own);
  isRefusal((await visitor.ask('POST', '/api/register', { email: 'olha@example.com', username: 'olha', password: passwordOf('olha'), invite: keyOf(old) })).body, 'forbidden.invalid_invite');
  await visitor.register('olha', { invite: keyOf(link) });
  await visitor.does('GET', '/api/invite');
  const [user] = await own.cli('user', 'list', '--json');
  assert.equal(user.username, 'olha');
  const late = new Visitor(own);
  const { body } = await late.ask('POST', '/api/register', { email: 'petro@example.com', username: 'petro', password: passwordOf('petro'), invite: keyOf(link) });
  isRefusal(body, 'forbidden.invalid_invite');
  await own.signal('SIGTERM');
  own.printed = '';
  await own.up();
  await own.signal('SIGTERM');
  assert.doesNotMatch(own.printed, /setup/);
  assert.ok(!own.logged.includes(keyOf(link)), 'the link does not stand in the log');
});

// Rules: K14.
storyOnOwnServer('Of two who open the link at once one wins', {}, async (own) => {
  const invite = keyOf(await setupLink(own));
  const names = ['olha', 'petro', 'ivan', 'anna'];
  const answers = await Promise.all(names.map((username) => errorOf(new Visitor(own).ask('POST', '/api/register', { email: `${username}@example.com`, username, password: passwordOf(username), invite }))));
  assert.equal(answers.filter((error) => error === 'ok').length, 1, String(answers));
  for (const error of answers) assert.match(error, /^(ok|forbidden\.invalid_invite)$/);
  assert.equal((await own.cli('user', 'list', '--json')).length, 1);
});

// Rules: K14.
storyOnOwnServer('A link for the first account is none once there is another', {}, async (own) => {
  const invite = keyOf(await setupLink(own));
  await own.addUser('ivan');
  const { body } = await new Visitor(own).ask('POST', '/api/register', { email: 'olha@example.com', username: 'olha', password: passwordOf('olha'), invite });
  isRefusal(body, 'forbidden.invalid_invite');
});

/** An installation with its administrator and somebody else. */
async function installation(own) {
  const admin = new Visitor(own);
  await admin.register('olha', { invite: keyOf(await setupLink(own)) });
  return { admin, other: await signedIn(own, 'petro') };
}

// Rules: K15, A10.
storyOnOwnServer('Administrators invite, list and revoke invitations; others do not', {}, async (own) => {
  const { admin, other } = await installation(own);
  const registers = (username, url, email = `${username}@example.com`) =>
    errorOf(new Visitor(own).ask('POST', '/api/register', { email, username, password: passwordOf(username), invite: keyOf(url) }));
  const { invite } = await admin.does('POST', '/api/invite', { email: 'Ivan@example.com' });
  assert.match(invite.url, /^http:\/\/127\.0\.0\.1:\d+\/invite\?key=[0-9A-Za-z]{43}$/);
  const days = (new Date(invite.expires) - Date.now()) / 86_400_000;
  assert.ok(days > 6.99 && days <= 7, `${days} days`);
  assert.equal(await registers('anna', invite.url), 'forbidden.invalid_invite');
  assert.equal(await registers('ivan', invite.url, 'IVAN@example.com'), 'ok');
  assert.equal(await registers('anna', invite.url, 'ivan2@example.com'), 'forbidden.invalid_invite');

  const open = (await admin.does('POST', '/api/invite', {})).invite;
  const { invites } = await admin.does('GET', '/api/invite');
  assert.deepEqual(invites.map(({ id, email, by, url }) => ({ id, email, by, url })), [{ id: open.id, email: null, by: 'olha', url: undefined }]);
  await admin.does('DELETE', '/api/invite', { id: open.id });
  assert.equal(await registers('anna', open.url), 'forbidden.invalid_invite');
  isRefusal((await admin.ask('DELETE', '/api/invite', { id: open.id })).body, 'not_found.key_not_found');
  isRefusal((await admin.ask('DELETE', '/api/invite', { id: 'x' })).body, 'bad_request.invalid_id');

  for (const [method, payload] of [['POST', {}], ['GET', undefined], ['DELETE', { id: open.id }]]) {
    isRefusal((await other.ask(method, '/api/invite', payload)).body, 'forbidden.no_permission');
  }
  own.env.SYNAPTASK_INVITE_BY = 'all';
  await own.signal('SIGTERM');
  await own.up();
  const { invite: theirs } = await other.does('POST', '/api/invite', {});
  assert.equal(await registers('anna', theirs.url), 'ok');
  isRefusal((await other.ask('GET', '/api/invite')).body, 'forbidden.no_permission');
});

// Rules: K16.
story('A new password takes the old one, and ends the other sessions with their sockets', async () => {
  const olha = await resident('olha');
  const other = new Visitor(server);
  await other.login(olha.account.username);
  const socket = other.socket();
  assert.ok((await socket.hears('connected')).ok);
  const old = passwordOf(olha.account.username);
  isRefusal((await olha.ask('POST', '/api/account/password', { old: 'wrong password 1', new: 'six blue tractors' })).body, 'forbidden.wrong_password');
  isRefusal((await olha.ask('POST', '/api/account/password', { old, new: 'password' })).body, 'bad_request.invalid_password');
  assert.ok((await other.does('GET', '/api/account')).ok);
  await olha.does('POST', '/api/account/password', { old, new: 'six blue tractors' });
  assert.equal((await olha.does('GET', '/api/account')).account.id, olha.account.id);
  isRefusal((await other.ask('GET', '/api/account')).body, 'unauthorized');
  for (const until = Date.now() + ENDS_MS_MAX; socket.socket.connected; await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(Date.now() < until, 'the other session\'s socket is still open');
  }
  assert.equal(await errorOf(new Visitor(server).login(olha.account.username)), 'unauthorized');
  assert.equal(await errorOf(new Visitor(server).login(olha.account.username, 'six blue tractors')), 'ok');
  const petro = await newUser('petro');
  isRefusal((await server.rest(petro, 'POST', '/api/account/password', { old, new: 'six blue tractors' })).body, 'forbidden.session_required');
});

// Rules: K17.
story('Whoever forgot their password gets a link from the operator, which works once and ends every session', async () => {
  const olha = await resident('olha');
  const { url } = await server.cli('user', 'reset', '--email', olha.account.email, '--json');
  const replaced = keyOf(url);
  const key = keyOf((await server.cli('user', 'reset', '--email', olha.account.email, '--json')).url);
  const reset = (payload) => errorOf(new Visitor(server).ask('POST', '/api/password/reset', payload));
  assert.equal(await reset({ key: replaced, password: 'six blue tractors' }), 'forbidden.invalid_key');
  assert.equal(await reset({ key, password: 'password' }), 'bad_request.invalid_password');
  assert.equal(await reset({ key, password: `${olha.account.username} 9x9#Q` }), 'bad_request.invalid_password');
  assert.equal(await reset({ password: 'six blue tractors' }), 'bad_request.missing_key');
  assert.equal(await reset({ key: 'nothing', password: 'six blue tractors' }), 'forbidden.invalid_key');
  assert.ok((await olha.does('GET', '/api/account')).ok);
  assert.equal(await reset({ key, password: 'six blue tractors' }), 'ok');
  assert.equal(await reset({ key, password: 'seven red tractors' }), 'forbidden.invalid_key');
  isRefusal((await olha.ask('GET', '/api/account')).body, 'unauthorized');
  assert.equal(await errorOf(new Visitor(server).login(olha.account.username, 'six blue tractors')), 'ok');
  const invite = keyOf((await server.cli('invite', '--json')).url);
  assert.equal(await reset({ key: invite, password: 'six blue tractors' }), 'forbidden.invalid_key');
});

// Rules: K17.
story('Whether an account exists, asking for a link does not tell', async () => {
  const olha = await resident('olha');
  const seen = new Set();
  for (const email of [olha.account.email, 'nobody@example.com']) {
    const { status, body } = await new Visitor(server).ask('POST', '/api/password/forgot', { email });
    seen.add(JSON.stringify([status, { ...body, trace_id: '' }]));
  }
  assert.deepEqual([...seen], ['[200,{"ok":true,"trace_id":""}]']);
});

// Rules: K4, R7.
storyOnOwnServer('Registering and signing in are counted by address, a session\'s own requests by user', { limits: 'on', settings: 'registration = "open"\ntrusted_proxies = ["127.0.0.1"]\n[limits]\n"account:password" = "2/1m"\n' }, async (own) => {
  const from = (nth) => new Visitor(own, { origin: null, headers: { 'x-forwarded-for': `31.1.1.${nth}` } });
  for (const path of ['/api/register', '/api/login']) {
    for (let nth = 0; nth < 10; nth++) isRefusal((await from(1).ask('POST', path, { nonsense: 1 })).body, 'bad_request.unknown_field');
    const { status, headers, body } = await from(1).ask('POST', path, { nonsense: 1 });
    isRefusal(body, 'rate_limited');
    assert.equal(status, 429);
    assert.ok(Number(headers.get('retry-after')) > 0);
    isRefusal((await from(2).ask('POST', path, { nonsense: 1 })).body, 'bad_request.unknown_field');
  }
  for (const name of ['olha', 'petro']) {
    const visitor = new Visitor(own);
    await visitor.register(name);
    for (const _ of [1, 2]) isRefusal((await visitor.ask('POST', '/api/account/password', {})).body, 'bad_request.invalid_password');
    isRefusal((await visitor.ask('POST', '/api/account/password', {})).body, 'rate_limited');
  }
});

// Rules: K1, T2, T24.
story('What concerns accounts has paths of its own, as strict as all others', async () => {
  const olha = await resident('olha');
  isRefusal((await olha.ask('POST', '/api/logout', { everywhere: true })).body, 'bad_request.unknown_field');
  isRefusal((await olha.ask('POST', '/api/logout?everywhere=true')).body, 'bad_request.malformed_json');
  const get = await olha.ask('GET', '/api/logout');
  isRefusal(get.body, 'not_found.method');
  assert.equal(get.headers.get('allow'), 'POST, OPTIONS');
  const client = await server.connect(await newUser('petro'));
  isRefusal(await client.call('account:logout', {}), 'not_found.event');
});

// Rules: K2, T12.
story('What needs a session takes neither an API token nor nothing', async () => {
  const olha = await newUser('olha');
  for (const { event, method, paths: [path] } of TABLE.filter((row) => row.credentials === 'web session')) {
    const payload = method === 'GET' ? undefined : {};
    isRefusal((await server.rest(olha, method, path, payload)).body, 'forbidden.session_required', event);
    isRefusal((await server.rest(null, method, path, payload)).body, 'unauthorized', event);
    isRefusal((await server.rest('st_nobody', method, path, payload)).body, 'unauthorized', event);
  }
});

// Rules: K6, T23.
storyOnOwnServer('No password, key or cookie stands in the log, however much is logged', { settings: 'registration = "open"\n', env: { SYNAPTASK_LOG: 'trace' } }, async (own) => {
  const visitor = new Visitor(own);
  await visitor.register('olha');
  await visitor.login('olha', 'a wrong secret 1');
  await visitor.login('olha');
  const socket = visitor.socket();
  await socket.hears('connected');
  const key = keyOf((await own.cli('user', 'reset', '--email', 'olha@example.com', '--json')).url);
  const invite = keyOf((await own.cli('invite', '--json')).url);
  await fetch(`${own.url}/reset?key=${key}`);
  await fetch(`${own.url}/invite?key=${invite}`);
  await new Visitor(own).ask('POST', '/api/password/reset', { key, password: 'password' });
  await new Visitor(own).ask('POST', '/api/password/reset', { key, password: 'six blue tractors' });
  for (const secret of [passwordOf('olha'), 'a wrong secret 1', 'six blue tractors', key, invite, ...own.tokens]) {
    assert.ok(!own.logged.includes(secret), secret.slice(0, 6));
  }
  const history = await own.cli('history');
  for (const secret of [key, invite, '$argon2']) assert.ok(!history.includes(secret), secret);
});

// Rules: K18.
story('The pages that links lead to load nothing from elsewhere, are kept nowhere and tell nobody their key', async () => {
  for (const path of ['/', '/setup?key=x', '/invite?key=x', '/reset?key=x', '/email?key=x', '/door.js', '/door.css', '/door.svg']) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(server.url + path, { method });
      assert.equal(answer.status, 200, path);
      const header = (name) => answer.headers.get(name);
      assert.match(header('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none'$/);
      assert.deepEqual([header('referrer-policy'), header('cache-control'), header('x-content-type-options'), header('x-frame-options')], ['no-referrer', 'no-store', 'nosniff', 'DENY']);
      const text = await answer.text();
      assert.equal(text.length > 0, method === 'GET');
      assert.doesNotMatch(text.replace('http://www.w3.org/2000/svg', ''), /https?:\/\/|\son\w+=|style=/);
    }
    const post = await fetch(server.url + path, { method: 'POST' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
  }
});
