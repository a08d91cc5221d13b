// The door: signing in and out over REST, and whom it keeps out.
import assert from 'node:assert/strict';
import { isRefusal } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';

const { server, story, newUser } = await stage();
const OWN = () => server.url;
const EVIL = 'http://evil.example';

/** One HTTP call with headers of one's own; resolves with {status, headers, body}. */
async function ask(method, path, headers = {}, body, of = server) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(of.url + path, { method, headers: { 'content-type': 'application/json', ...headers }, body: payload });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const cookie = (user) => ({ cookie: `st_access=${user.token}`, origin: OWN() });

// Rules: K5.
story('Signing out takes the cookie away', async () => {
  const olha = await newUser('olha');
  const { status, headers, body } = await ask('POST', '/api/logout', cookie(olha));
  assert.deepEqual([status, body.ok], [200, true]);
  assert.deepEqual(headers.getSetCookie(), ['st_access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0']);
});

// Rules: K1, T2, T24.
story('What concerns accounts has paths of its own, as strict as all others', async () => {
  const olha = await newUser('olha');
  isRefusal((await ask('POST', '/api/logout', cookie(olha), { everywhere: true })).body, 'bad_request.unknown_field');
  isRefusal((await ask('POST', '/api/logout?everywhere=true', cookie(olha))).body, 'bad_request.malformed_json');
  const get = await ask('GET', '/api/logout', cookie(olha));
  isRefusal(get.body, 'not_found.method');
  assert.equal(get.headers.get('allow'), 'POST, OPTIONS');
  const client = await server.connect(olha);
  isRefusal(await client.call('account:logout', {}), 'not_found.event');
});

// Rules: K2, T11, T12.
story('An API token is no session', async () => {
  const olha = await newUser('olha');
  isRefusal((await ask('POST', '/api/logout', { authorization: `Bearer ${olha.token}` })).body, 'forbidden.session_required');
  isRefusal((await ask('POST', '/api/logout')).body, 'unauthorized');
  isRefusal((await ask('POST', '/api/logout', { cookie: 'st_access=st_nobody', origin: OWN() })).body, 'unauthorized');
  for (const origin of [EVIL, undefined]) {
    const { body } = await ask('POST', '/api/logout', { cookie: cookie(olha).cookie, ...(origin && { origin }) });
    isRefusal(body, 'forbidden.origin');
  }
});

// Rules: K4, R7.
storyOnOwnServer('Of one user\'s requests so many are answered, of another\'s as many again', { limits: 'on', settings: '[limits]\n"account:logout" = "2/1m"\n' }, async (own) => {
  for (const name of ['olha', 'petro']) {
    const user = await own.addUser(name);
    const leave = () => ask('POST', '/api/logout', { cookie: `st_access=${user.token}`, origin: own.url }, { nonsense: 1 }, own);
    for (const _ of [1, 2]) isRefusal((await leave()).body, 'bad_request.unknown_field');
    const { status, headers, body } = await leave();
    isRefusal(body, 'rate_limited');
    assert.equal(status, 429);
    assert.ok(Number(headers.get('retry-after')) > 0);
  }
});
