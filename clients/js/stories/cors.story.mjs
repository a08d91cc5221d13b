// Pages of other origins, in a real browser: what the browser lets them do and read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROWSER, openBrowser, site } from '../browser.mjs';
import { storyOnOwnServer } from '../story.mjs';
import { signedIn } from '../visitor.mjs';

const told = BROWSER ? storyOnOwnServer : (name) => test(name, { skip: 'there is no Chromium here' });
const browser = BROWSER && (await openBrowser());
const [listed, other] = BROWSER ? [await site(), await site()] : [];

/** A tab on a page of that origin, with or without a session at the server. */
async function tab(origin, session) {
  const context = await browser.newContext();
  if (session) {
    const [name, value] = session.cookie.split('=');
    await context.addCookies([{ name, value, url: session.server.url, httpOnly: true, sameSite: 'Lax' }]);
  }
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

/** What a page can read of an answer; `blocked` where the browser shows it nothing. */
const call = (page, url, options) =>
  page.evaluate(
    async ([url, options]) => {
      try {
        const answer = await fetch(url, options);
        const { headers } = answer;
        return { status: answer.status, body: await answer.json(), traceId: headers.get('x-trace-id'), etag: headers.get('etag'), retryAfter: headers.get('retry-after') };
      } catch {
        return 'blocked';
      }
    },
    [url, options],
  );

/** What a page hears first over a socket: `connected`, or `blocked` where no connection comes about. */
const hear = (page, url, options) =>
  page.evaluate(
    ([url, options]) =>
      new Promise((resolve) => {
        const socket = window.io(url, { reconnection: false, forceNew: true, ...options });
        const end = (what) => {
          resolve(what);
          socket.close();
        };
        socket.on('connected', ({ ok, client, error }) => end(ok ? client : error));
        socket.on('connect_error', () => end('blocked'));
      }),
    [url, options],
  );

/** The preflights that a page's browser makes from now on. */
async function preflightsOf(page) {
  const preflights = [];
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  devtools.on('Network.requestWillBeSent', ({ request }) => request.method === 'OPTIONS' && preflights.push(request.url));
  return preflights;
}

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
const WITH_COOKIES = { credentials: 'include', headers: { 'content-type': 'application/json' } };
const ADD = { method: 'POST', body: '{"title":"Roof"}' };
const POLLING = { transports: ['polling'] };
const WEBSOCKET = { transports: ['websocket'] };

// Rules: T25.
told('A page of any origin calls with a token, and reads what it needs', {}, async (server) => {
  const olha = await server.addUser('olha');
  const page = await tab(other);
  const preflights = await preflightsOf(page);
  const added = await call(page, `${server.url}/api/node`, { ...ADD, ...bearer(olha.token) });
  assert.deepEqual([added.status, added.body.diff.nodes[0].after.title], [200, 'Roof']);
  assert.equal(added.traceId, added.body.trace_id);
  assert.equal((await call(page, `${server.url}/api/node`, { ...ADD, ...bearer(olha.token) })).status, 200);
  assert.equal(preflights.length, 1, 'the browser keeps the answer to its preflight');
  const { etag } = await call(page, `${server.url}/api/graph/snapshot`, bearer(olha.token));
  assert.match(etag, /^W\//);
  const refused = await call(page, `${server.url}/api/nothing`, bearer(olha.token));
  assert.deepEqual([refused.status, refused.body.error], [404, 'not_found.route']);
  const stranger = await call(page, `${server.url}/api/graph`, bearer('st_nobody'));
  assert.deepEqual([stranger.status, stranger.body.error], [401, 'unauthorized']);
  for (const transport of [POLLING, WEBSOCKET]) {
    assert.equal(await hear(page, server.url, { ...transport, auth: { api_token: olha.token } }), 'api');
  }
  await page.context().close();
});

// Rules: T25, R7.
told('A page of another origin reads how long to wait', { limits: 'on', env: { SYNAPTASK_LIMITS_REST: '1/60s' } }, async (server) => {
  const olha = await server.addUser('olha');
  const page = await tab(other);
  const asked = () => call(page, `${server.url}/api/graph`, bearer(olha.token));
  assert.equal((await asked()).status, 200);
  const { status, retryAfter, body } = await asked();
  assert.deepEqual([status, Number(retryAfter)], [429, body.retryAfter]);
  await page.context().close();
});

// Rules: T11, T25. The sites differ by port alone, so the browser sends the cookie from both of them.
for (const [mode, ofListed, ofOther] of [
  ['any', 'session', 'token'],
  ['listed', 'session', 'nothing'],
  ['off', 'nothing', 'nothing'],
]) {
  told(`With cors = "${mode}" a listed origin has: ${ofListed}; any other: ${ofOther}`, { settings: `cors = "${mode}"\nallowed_origins = ["${listed}"]\n` }, async (server) => {
    const olha = await signedIn(server, 'olha');
    const { token } = await server.cli('token', 'create', '--email', 'olha@example.com', '--json');
    for (const [origin, has] of [[listed, ofListed], [other, ofOther]]) {
      const page = await tab(origin, olha);
      const byToken = await call(page, `${server.url}/api/graph`, bearer(token));
      assert.equal(byToken.status ?? byToken, has === 'nothing' ? 'blocked' : 200, `${origin} by token`);
      const read = await call(page, `${server.url}/api/graph`, WITH_COOKIES);
      const added = await call(page, `${server.url}/api/node`, { ...ADD, ...WITH_COOKIES });
      for (const answer of [read, added]) assert.equal(answer.status ?? answer, has === 'session' ? 200 : 'blocked', `${origin} by session`);
      assert.equal(await hear(page, server.url, { ...POLLING, withCredentials: true }), has === 'session' ? 'web' : 'blocked', `${origin} polls`);
      // A browser opens a websocket to anywhere. The server itself looks where the page is from.
      const mayOpen = origin === listed ? 'web' : 'forbidden.origin';
      assert.equal(await hear(page, server.url, WEBSOCKET), mayOpen, `${origin} by websocket`);
      await page.context().close();
    }
    const titles = (await olha.does('GET', '/api/graph')).nodes.map(({ title }) => title);
    assert.deepEqual(titles, ofListed === 'session' ? ['Roof'] : [], 'what was blocked has changed nothing');
  });
}

// Rules: T11. The browser sends a form from anywhere without asking, but the cookie only from the same site, and the
// server looks where it is from.
told('A form of another origin changes nothing', {}, async (server) => {
  const olha = await signedIn(server, 'olha');
  const page = await tab(other, olha);
  const answered = page.waitForResponse(`${server.url}/api/node`);
  await page.evaluate((url) => {
    const form = Object.assign(document.createElement('form'), { method: 'POST', action: url, enctype: 'text/plain' });
    form.append(Object.assign(document.createElement('input'), { name: '{"title":"Roof","description":"', value: '"}' }));
    document.body.append(form);
    form.submit();
  }, `${server.url}/api/node`);
  assert.equal((await answered).status(), 403);
  assert.deepEqual((await olha.does('GET', '/api/graph')).nodes, []);
  await page.context().close();
});
