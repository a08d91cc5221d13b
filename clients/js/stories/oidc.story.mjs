// Signing in with identity providers: the certified one, and ones that lie.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Server, freePort } from '../harness.mjs';
import { Browser, CLIENT, ForgedProvider, RealProvider, hmac, otherKey, s256, tables } from '../oidc.mjs';
import { isRefusal } from '../shapes.mjs';
import { keyOf } from '../visitor.mjs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOON_MS = 2_000;
const toStop = [];
after(async () => {
  for (const one of toStop.reverse()) await one.stop();
});

/** A server with identity providers, all of which end with the stories. */
async function serverWith({ registration = 'open', limits = 'off', real = [], forged = [], named = [], more = '' }) {
  const server = new Server(limits);
  server.port = await freePort();
  const providers = {};
  for (const name of real) providers[name] = await RealProvider.start(server.url, name);
  for (const name of [...forged, ...named]) {
    providers[name] = await ForgedProvider.start({ issNamed: named.includes(name) });
  }
  toStop.push(...Object.values(providers), server);
  const settings = `public_url = "${server.url}"\nregistration = "${registration}"\n${tables(providers)}${more}`;
  writeFileSync(join(server.dataDir, 'synaptask.toml'), settings);
  // What no log may show.
  for (const secret of [CLIENT.secret, 'access-token-that-no-log-shows']) server.tokens.add(secret);
  await server.up();
  return { server, ...providers };
}

const { server, certified, other, forged, named, google } = await serverWith({
  real: ['certified', 'other'], forged: ['forged', 'google'], named: ['named'],
});
const closed = await serverWith({ registration: 'closed', forged: ['forged'] });
const byInvite = await serverWith({ registration: 'invite', forged: ['forged'] });

let count = 0;
/** Somebody whom no story knows yet. */
const somebody = (name, more = {}) => {
  const username = `${name}-${++count}`;
  return { sub: `sub-${username}`, email: `${username}@example.com`, email_verified: true, preferred_username: username, ...more };
};

function story(name, tell) {
  test(name, async (t) => {
    for (const provider of [forged, named, google, closed.forged, byInvite.forged]) provider.behaves();
    const logStart = server.log.length;
    try {
      await tell(t);
    } catch (error) {
      t.diagnostic(server.log.slice(logStart).split('\n').slice(-40).join('\n'));
      throw error;
    }
  });
}

const isSignedIn = (answer, to = '/') => {
  assert.equal(answer.status, 302, answer.text);
  assert.equal(new URL(answer.location).pathname, to);
};

// Rules: I6.
story('Somebody lists the ways to sign in', async () => {
  const { body } = await new Browser().go(`${server.url}/api/oidc`);
  assert.deepEqual(body.providers.map(({ name }) => name), ['certified', 'forged', 'google', 'named', 'other']);
  assert.deepEqual(body.providers[0], { name: 'certified', title: 'certified', startUrl: '/api/oidc/certified/start' });
});

// Rules: I6, I7, I9.
story('Nobody has an account yet: she signs in with the certified provider and has one', async () => {
  const ada = somebody('ada');
  certified.person = ada;
  const browser = new Browser();
  const begun = await browser.go(`${server.url}/api/oidc/certified/start?next=/board%3Fa=b`);
  assert.equal(begun.status, 302);
  const asked = Object.fromEntries(new URL(begun.location).searchParams);
  assert.equal(new URL(begun.location).origin, certified.issuer);
  assert.equal(asked.code_challenge_method, 'S256');
  assert.equal(asked.response_type, 'code');
  assert.equal(asked.redirect_uri, `${server.url}/api/oidc/certified/callback`);
  for (const secret of [asked.state, asked.nonce, asked.code_challenge]) assert.match(secret, /^[\w-]{43}$/);
  const [cookie] = begun.headers.getSetCookie();
  assert.match(cookie, /^st_oidc=[\w-]+; HttpOnly; SameSite=Lax; Path=\/; Max-Age=600$/);

  const back = await browser.follow(begun.location, '/callback');
  const answer = await browser.go(back);
  isSignedIn(answer, '/board');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const account = await browser.account(server);
  assert.equal(account.email, ada.email);
  assert.equal(account.username, ada.preferred_username);
  assert.equal(browser.cookies.has('st_oidc'), false);
  assert.ok(!server.log.includes(new URL(back).searchParams.get('code')), 'no log has a code');
});

// Rules: I9.
story('She comes again, with another email at the provider: it is the same account', async () => {
  const ada = somebody('ada');
  certified.person = ada;
  const first = new Browser();
  isSignedIn(await first.signIn(server, 'certified'));
  certified.person = { ...ada, email: `other-${ada.email}`, email_verified: false };
  const second = new Browser();
  isSignedIn(await second.signIn(server, 'certified'));
  assert.equal((await second.account(server)).id, (await first.account(server)).id);
  assert.equal((await second.account(server)).email, ada.email);
});

// Rules: I9, I13.
story('She has an account with that verified email: it is hers, and lists the identity', async () => {
  const ada = somebody('ada');
  const known = await server.addUser(ada.preferred_username);
  certified.person = ada;
  const browser = new Browser();
  isSignedIn(await browser.signIn(server, 'certified'));
  const account = await browser.account(server);
  assert.equal(account.username, known.username);
  assert.deepEqual(account.identities.map(({ provider }) => provider), ['certified']);
});

// Rules: I9.
story('An email that is not verified gives nobody an account, neither hers nor a new one', async () => {
  const eve = somebody('eve');
  await server.addUser(eve.preferred_username);
  const browser = new Browser();
  for (const email_verified of [false, undefined, 'no']) {
    certified.person = { ...eve, sub: `${eve.sub}-${email_verified}`, email_verified };
    if (email_verified !== 'no') isRefusal((await browser.signIn(server, 'certified')).body, 'forbidden.oidc_email');
    const answer = await forged.signsIn(browser, server, 'forged', { ...eve, email_verified });
    assert.notEqual(answer.status, 302, answer.text);
  }
  const nobody = somebody('nobody', { email_verified: false });
  isRefusal((await forged.signsIn(browser, server, 'forged', nobody)).body, 'forbidden.oidc_email');
  const without = somebody('nobody', { email: undefined });
  isRefusal((await forged.signsIn(browser, server, 'forged', without)).body, 'forbidden.oidc_email');
  const users = await server.cli('user', 'list', '--json');
  assert.ok(!JSON.stringify(users).includes('nobody'), 'no account was made');
  assert.equal(await browser.account(server), null);
});

// Rules: I9.
story('An account gets 16 identities by its email, and no more', async () => {
  const ada = somebody('ada');
  for (let count = 0; count < 16; count += 1) isSignedIn(await forged.signsIn(new Browser(), server, 'forged', { ...ada, sub: `${ada.sub}-${count}` }));
  const browser = new Browser();
  isRefusal((await forged.signsIn(browser, server, 'forged', { ...ada, sub: 'one-more' })).body, 'conflict.too_many_identities');
  isSignedIn(await forged.signsIn(browser, server, 'forged', { ...ada, sub: `${ada.sub}-7` }));
});

// Rules: I9.
story('Two people like the same name: each gets one of their own', async () => {
  const names = [];
  for (const person of [somebody('twin'), somebody('twin'), somebody('twin')]) {
    const browser = new Browser();
    isSignedIn(await forged.signsIn(browser, server, 'forged', { ...person, preferred_username: 'The Twin' }));
    names.push((await browser.account(server)).username);
  }
  assert.equal(names[0], 'The.Twin');
  assert.equal(new Set(names).size, 3);
  for (const name of names.slice(1)) assert.match(name, /^The\.Twin-[0-9a-f]{5}$/);
});

// Rules: I7.
story('Mallory brings a state that is wrong, missing, used, or of another browser', async () => {
  certified.person = somebody('ada');
  const browser = new Browser();
  const back = await browser.comesBack(server, 'certified');
  const changed = (change) => {
    const url = new URL(back);
    change(url.searchParams);
    return url.href;
  };
  const wrong = changed((search) => search.set('state', s256('wrong')));
  const missing = changed((search) => search.delete('state'));
  const refused = async (who, url) => {
    const answer = await who.go(url);
    isRefusal(answer.body, 'forbidden.oidc_state');
    assert.equal(await who.account(server), null);
  };
  await refused(browser, wrong);
  await refused(browser, missing);
  await refused(new Browser(), back);
  const another = new Browser();
  await another.begin(server, 'certified');
  await refused(another, back);
  // Cookies of both: the state is of the other's sign-in, and so is the code.
  const cookie = browser.cookies.get('st_oidc');
  isSignedIn(await browser.go(back));
  const replaying = new Browser();
  replaying.cookies.set('st_oidc', cookie);
  await refused(replaying, back);
  replaying.cookies.set('st_oidc', `${cookie.slice(0, -2)}AA`);
  await refused(replaying, back);
  const elsewhere = back.replace('/certified/', '/forged/');
  replaying.cookies.set('st_oidc', cookie);
  await refused(replaying, elsewhere);
});

// Rules: I7.
story('Mallory injects a code of another sign-in: its PKCE verifier is not hers', async () => {
  certified.person = somebody('ada');
  const victim = new Browser();
  const code = new URL(await victim.comesBack(server, 'certified')).searchParams.get('code');
  const mallory = new Browser();
  const { state } = await mallory.begin(server, 'certified');
  const answer = await mallory.bring(server, 'certified', { code, state, iss: certified.issuer });
  isRefusal(answer.body, 'forbidden.oidc_code');
  assert.equal(await mallory.account(server), null);
  // A code that somebody got without PKCE for the same client is not taken by way of google-auth either.
  const { redirect_uri } = await victim.begin(server, 'certified');
  assert.ok(redirect_uri);
});

// Rules: I7.
story('The provider gets the verifier of the challenge, and the client\'s credentials', async () => {
  const browser = new Browser();
  const asked = await browser.begin(server, 'forged');
  Object.assign(forged, { person: somebody('ada'), nonce: asked.nonce });
  const before = forged.asked.length;
  isSignedIn(await browser.bring(server, 'forged', { code: 'a-code', state: asked.state, scope: 'openid', authuser: '0', prompt: 'none' }));
  const [token] = forged.asked.slice(before).filter(({ path }) => path === '/token');
  assert.equal(s256(token.form.code_verifier), asked.code_challenge);
  assert.equal(token.form.redirect_uri, asked.redirect_uri);
  assert.equal(token.headers.authorization, `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`);
});

// Rules: I10.
story('Whatever is wrong with the id token, nobody is signed in', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [what, says] of Object.entries({
    'another nonce': { claims: { nonce: s256('another') } },
    'no nonce': { claims: { nonce: undefined } },
    'another audience': { claims: { aud: 'another-client' } },
    'a further audience': { claims: { aud: [CLIENT.id, 'another-client'] } },
    'no audience': { claims: { aud: undefined } },
    'another party': { claims: { azp: 'another-client' } },
    'another issuer': { claims: { iss: 'https://id.example' } },
    'an issuer with a slash more': { claims: { iss: `${forged.issuer}/` } },
    'an end in the past': { claims: { exp: now - 1, iat: now - 60 } },
    'no end': { claims: { exp: undefined } },
    'a time in the future': { claims: { iat: now + 3_600, exp: now + 7_200 } },
    'another access token': { claims: { at_hash: s256('another').slice(0, 22) } },
    'no subject': { claims: { sub: undefined } },
    'an empty subject': { claims: { sub: '' } },
    'a subject that is too long': { claims: { sub: 'x'.repeat(256) } },
    'no signature': { header: { alg: 'none', kid: undefined }, signs: () => '' },
    'a signature with the client\'s secret': { header: { alg: 'HS256', kid: undefined }, signs: hmac(CLIENT.secret) },
    'a signature with the public key as a secret': { header: { alg: 'HS256' }, signs: hmac(JSON.stringify(forged.key.jwk)) },
    'a signature with another key': { signs: otherKey() },
    'a broken signature': { signs: () => 'x' },
    'a critical header': { header: { crit: ['b64'], b64: false } },
  })) {
    forged.behaves();
    Object.assign(forged, says);
    const browser = new Browser();
    const answer = await forged.signsIn(browser, server, 'forged', somebody('mallory'));
    assert.ok(['forbidden.oidc_token', 'unavailable.oidc_unavailable'].includes(answer.body?.error), `${what}: ${answer.status} ${answer.text}`);
    assert.equal(await browser.account(server), null, what);
  }
  assert.ok(!JSON.stringify(await server.cli('user', 'list', '--json')).includes('mallory'));
  const browser = new Browser();
  forged.behaves();
  forged.claims = { at_hash: Buffer.from(s256(forged.accessToken), 'base64url').subarray(0, 16).toString('base64url'), azp: CLIENT.id };
  isSignedIn(await forged.signsIn(browser, server, 'forged', somebody('ada')));
});

// Rules: I10.
story('A provider without an id token, or with an answer that is none, is unavailable', async () => {
  for (const answer of [{ access_token: 'a', token_type: 'Bearer' }, {}, 'not json', '[]', { error: 'invalid_client' }]) {
    forged.onToken = (json) => json(answer, answer.error ? 401 : 200);
    const { body, status } = await forged.signsIn(new Browser(), server, 'forged', somebody('eve'));
    assert.ok(['forbidden.oidc_token', 'unavailable.oidc_unavailable'].includes(body.error), JSON.stringify(body));
    assert.ok([403, 503].includes(status));
  }
});

// Rules: I10.
story('A code that has expired is not taken', async () => {
  forged.onToken = (json) => json({ error: 'invalid_grant', error_description: 'a-description-that-stays-here' }, 400);
  const { body, text } = await forged.signsIn(new Browser(), server, 'forged', somebody('ada'));
  isRefusal(body, 'forbidden.oidc_code');
  assert.ok(!text.includes('a-description'));
});

// Rules: I10.
story('A token endpoint that is slow, huge, failing or elsewhere is unavailable, and nobody else waits', async () => {
  const ada = await server.addUser(somebody('ada').preferred_username);
  for (const [what, onToken] of Object.entries({
    failing: (json) => json({}, 500),
    huge: (json) => json({ ...forged.tokens(), more: 'x'.repeat(1 << 20) }),
    elsewhere: (_, response) => {
      response.writeHead(307, { location: `${certified.issuer}/token` });
      response.end();
    },
    gone: (_, response) => response.destroy(),
    slow: () => {},
  })) {
    forged.onToken = onToken;
    const answered = forged.signsIn(new Browser(), server, 'forged', somebody('eve'));
    const before = Date.now();
    assert.equal((await server.rest(ada, 'GET', '/api/account')).status, 200);
    assert.ok(Date.now() - before < SOON_MS, what);
    const { body, headers } = await answered;
    isRefusal(body, 'unavailable.oidc_unavailable');
    assert.equal(headers.get('retry-after'), '5', what);
  }
});

// Rules: I10.
story('A provider signs with a new key: it is asked for its keys once a minute at most', async () => {
  isSignedIn(await forged.signsIn(new Browser(), server, 'forged', somebody('ada')));
  const before = forged.countOf('/jwks');
  isSignedIn(await forged.signsIn(new Browser(), server, 'forged', somebody('ada')));
  assert.equal(forged.countOf('/jwks'), before, 'keys that are known are not asked for');
  // A story before this one may have used up the minute: then the new key waits for it.
  const asked = forged.countOf('/jwks');
  forged.rotateKey();
  const { server: fresh, forged: rotating } = await serverWith({ forged: ['forged'] });
  isSignedIn(await rotating.signsIn(new Browser(), fresh, 'forged', somebody('ada')));
  const known = rotating.countOf('/jwks');
  rotating.rotateKey();
  isSignedIn(await rotating.signsIn(new Browser(), fresh, 'forged', somebody('ada')));
  assert.equal(rotating.countOf('/jwks'), known + 1);
  for (let times = 0; times < 3; times += 1) {
    rotating.header = { kid: `unknown-${times}` };
    isRefusal((await rotating.signsIn(new Browser(), fresh, 'forged', somebody('eve'))).body, 'forbidden.oidc_token');
  }
  assert.equal(rotating.countOf('/jwks'), known + 1);
  assert.ok(forged.countOf('/jwks') >= asked);
});

// Rules: I11.
story('One provider\'s answer is not taken for another\'s', async () => {
  const browser = new Browser();
  // The attacker's provider sent her on to the honest one, whose answer comes to the attacker's callback.
  const { state } = await browser.begin(server, 'named');
  Object.assign(named, { person: somebody('eve'), nonce: 'x' });
  isRefusal((await browser.bring(server, 'named', { code: 'a', state, iss: certified.issuer })).body, 'forbidden.oidc_issuer');
  const { state: again } = await browser.begin(server, 'named');
  isRefusal((await browser.bring(server, 'named', { code: 'a', state: again })).body, 'forbidden.oidc_issuer');
  assert.equal(named.countOf('/token'), 0, 'the code went nowhere');
  // Each provider has its own way back.
  const { state: third } = await browser.begin(server, 'named');
  isRefusal((await browser.bring(server, 'certified', { code: 'a', state: third, iss: certified.issuer })).body, 'forbidden.oidc_state');
  isSignedIn(await named.signsIn(browser, server, 'named', somebody('ada')));
  other.person = somebody('ada');
  isSignedIn(await browser.signIn(server, 'other'));
});

// Rules: I11.
story('The same subject of two providers is two people', async () => {
  const [one, two] = [somebody('one'), somebody('two')];
  const [first, second] = [new Browser(), new Browser()];
  isSignedIn(await forged.signsIn(first, server, 'forged', one));
  isSignedIn(await named.signsIn(second, server, 'named', { ...two, sub: one.sub }));
  assert.notEqual((await first.account(server)).id, (await second.account(server)).id);
});

// Rules: I6.
story('Somebody says no at the provider', async () => {
  certified.person = somebody('ada');
  certified.refuses = true;
  const browser = new Browser();
  isRefusal((await browser.signIn(server, 'certified')).body, 'forbidden.oidc_denied');
  certified.refuses = false;
  // And is told so on a page, which has nothing of the answer in it.
  const { state } = await browser.begin(server, 'forged');
  const page = await browser.bring(server, 'forged', { error: '<script>', state }, { accept: 'text/html,*/*' });
  assert.equal(page.status, 403);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  assert.match(page.text, /did not let you sign in/);
  assert.ok(!page.text.includes('<script>'));
});

// Rules: I9.
story('A disabled account stays closed, whichever way', async () => {
  const ada = somebody('ada');
  const browser = new Browser();
  isSignedIn(await forged.signsIn(browser, server, 'forged', ada));
  await server.cli('user', 'disable', '--email', ada.email);
  const again = new Browser();
  isRefusal((await forged.signsIn(again, server, 'forged', ada)).body, 'forbidden.account_disabled');
  isRefusal((await named.signsIn(again, server, 'named', { ...ada, sub: 'another' })).body, 'forbidden.account_disabled');
  assert.equal(await again.account(server), null);
  await server.cli('user', 'enable', '--email', ada.email);
  isSignedIn(await forged.signsIn(again, server, 'forged', ada));
});

// Rules: I9.
story('A closed server makes no account, one by invitation makes it with an invitation', async () => {
  const ada = somebody('ada');
  const browser = new Browser();
  isRefusal((await closed.forged.signsIn(browser, closed.server, 'forged', ada)).body, 'forbidden.registration_closed');
  await closed.server.addUser(ada.preferred_username);
  isSignedIn(await closed.forged.signsIn(browser, closed.server, 'forged', ada));

  const { server: inviting, forged: provider } = byInvite;
  isRefusal((await provider.signsIn(browser, inviting, 'forged', ada)).body, 'forbidden.invalid_invite');
  const key = keyOf((await inviting.cli('invite', '--json')).url);
  inviting.tokens.add(key);
  const invited = new Browser();
  isSignedIn(await provider.signsIn(invited, inviting, 'forged', ada, `?invite=${key}`));
  assert.equal((await invited.account(inviting)).email, ada.email);
  const late = somebody('late');
  isRefusal((await provider.signsIn(new Browser(), inviting, 'forged', late, `?invite=${key}`)).body, 'forbidden.invalid_invite');
});

// Rules: I8.
story('Nobody is sent elsewhere afterwards', async () => {
  const browser = new Browser();
  for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/\t/evil.example', '/a\r\nSet-Cookie: x=y', '/x/..//evil.example', '/api/logout', 'board', ' /']) {
    const answer = await browser.go(`${server.url}/api/oidc/forged/start?next=${encodeURIComponent(next)}`);
    isRefusal(answer.body, 'bad_request.invalid_next');
    assert.equal(answer.headers.getSetCookie().length, 0);
  }
  isSignedIn(await forged.signsIn(browser, server, 'forged', somebody('ada'), '?next=%2Fboard%23a'), '/board');
});

// Rules: I12.
story('A page that got a code from Google signs in with it', async () => {
  const send = (browser, body, headers = { origin: server.url }) => browser.go(`${server.url}/api/google-auth`, { method: 'POST', body, headers });
  const ada = somebody('ada');
  Object.assign(google, { person: ada, nonce: undefined });
  const browser = new Browser();
  for (const redirectUri of [undefined, null, 'postmessage', `${server.url}/`, server.url]) {
    const { status, body } = await send(browser, { code: 'a-code-of-a-page', redirectUri });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.account.email, ada.email);
    const sent = google.asked.at(-1).form;
    assert.equal(sent.redirect_uri, redirectUri ?? `${server.url}/api/oidc/google/callback`);
    assert.equal(sent.code_verifier, undefined);
  }
  assert.equal((await browser.account(server)).email, ada.email);
  assert.ok(!server.log.includes('a-code-of-a-page'));
  const stranger = new Browser();
  for (const redirectUri of ['https://evil.example/', `${server.url}.evil.example/`, 'nonsense', 5]) {
    isRefusal((await send(stranger, { code: 'a', redirectUri })).body, 'bad_request.invalid_redirect_uri');
  }
  isRefusal((await send(stranger, {})).body, 'bad_request.missing_code');
  isRefusal((await send(stranger, { code: 5 })).body, 'bad_request.invalid_answer');
  isRefusal((await send(stranger, { code: 'a' }, { origin: 'https://evil.example' })).body, 'forbidden.origin');
  google.claims = { aud: 'another-client' };
  isRefusal((await send(stranger, { code: 'a' })).body, 'forbidden.oidc_token');
  google.onToken = (json) => json({ error: 'invalid_grant' }, 400);
  isRefusal((await send(stranger, { code: 'a' })).body, 'forbidden.oidc_code');
  assert.equal(await stranger.account(server), null);
});

// Rules: I6, I12.
story('A provider that is not set up says so', async () => {
  const browser = new Browser();
  for (const answer of [
    await browser.go(`${server.url}/api/oidc/nobody/start`),
    await browser.go(`${server.url}/api/oidc/nobody/callback?code=a&state=b`),
    await browser.go(`${closed.server.url}/api/google-auth`, { method: 'POST', body: { code: 'a' } }),
  ]) {
    isRefusal(answer.body, 'unavailable.oidc_not_configured');
    assert.equal(answer.status, 503);
  }
  const { body } = await browser.go(`${server.url}/api/oidc/${'x'.repeat(33)}/start`);
  isRefusal(body, 'bad_request.invalid_provider');
});

// Rules: I13.
story('She removes an identity, as long as another way in remains', async () => {
  const ada = somebody('ada');
  const [browser, elsewhere] = [new Browser(), new Browser()];
  isSignedIn(await forged.signsIn(browser, server, 'forged', ada));
  isSignedIn(await forged.signsIn(elsewhere, server, 'forged', ada));
  const remove = (provider) => browser.go(`${server.url}/api/account/identities`, { method: 'DELETE', body: { provider }, headers: { origin: server.url } });
  isRefusal((await remove('forged')).body, 'conflict.last_identity');
  isRefusal((await remove('named')).body, 'not_found.identity_not_found');
  isRefusal((await remove(undefined)).body, 'bad_request.missing_provider');
  isSignedIn(await named.signsIn(browser, server, 'named', ada));
  assert.deepEqual((await browser.account(server)).identities.map(({ provider }) => provider), ['forged', 'named']);
  assert.equal((await remove('forged')).status, 200);
  assert.deepEqual((await browser.account(server)).identities.map(({ provider }) => provider), ['named']);
  assert.equal(await elsewhere.account(server), null, 'sessions that began that way have ended');
  // By the same email it may become hers again.
  isSignedIn(await forged.signsIn(elsewhere, server, 'forged', ada));
  assert.equal((await elsewhere.account(server)).id, (await browser.account(server)).id);
});

// Rules: I7.
story('A session that somebody planted in her browser is not the one she gets', async () => {
  const browser = new Browser();
  browser.cookies.set('st_access', 'ss_planted');
  isSignedIn(await forged.signsIn(browser, server, 'forged', somebody('ada')));
  assert.match(browser.cookies.get('st_access'), /^ss_\w{43}$/);
});

// Rules: I14.
story('Ten sign-ins a minute are begun from an address, and no more', async () => {
  const { server: limited } = await serverWith({ limits: 'on', forged: ['google'] });
  const browser = new Browser();
  for (const [path, more] of [
    ['/api/oidc'], ['/api/oidc/google/start'], ['/api/oidc/google/callback'],
    ['/api/google-auth', { method: 'POST', body: {}, headers: { origin: limited.url } }],
  ]) {
    for (let times = 0; times < 10; times += 1) assert.notEqual((await browser.go(limited.url + path, more)).status, 429);
    const { status, headers } = await browser.go(limited.url + path, more);
    assert.equal(status, 429, path);
    assert.ok(Number(headers.get('retry-after')) > 0);
  }
});

// Rules: I10.
story('A provider that is not there is asked again after a while, and not by everybody at once', async () => {
  const { server: lonely, forged: absent } = await serverWith({ forged: ['forged'] });
  absent.says = { issuer: 'https://id.example' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => new Browser().go(`${lonely.url}/api/oidc/forged/start`)));
  for (const { body } of answers) isRefusal(body, 'unavailable.oidc_unavailable');
  assert.equal(absent.countOf('/.well-known/openid-configuration'), 1);
  assert.match(lonely.log, /names another issuer than the settings/);
});

// Rules: I10.
story('A provider that sends people to a page without https is not used', async () => {
  const { server: fresh, forged: insecure } = await serverWith({ forged: ['forged'] });
  insecure.says = { authorization_endpoint: 'http://id.example/auth' };
  isRefusal((await new Browser().go(`${fresh.url}/api/oidc/forged/start`)).body, 'unavailable.oidc_unavailable');
});
