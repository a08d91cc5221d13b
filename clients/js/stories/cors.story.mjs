// Pages of other origins, in a real browser: what the browser lets them do and read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROWSER, openBrowser, site } from '../browser.mjs';
import { storyOnOwnServer } from '../story.mjs';

const told = BROWSER ? storyOnOwnServer : (name) => test(name, { skip: 'there is no Chromium here' });
const browser = BROWSER && (await openBrowser());
const other = BROWSER && (await site());

/** A tab on a page of that origin. */
async function tab(origin) {
  const page = await (await browser.newContext()).newPage();
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
