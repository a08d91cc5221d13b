// Programs and people can read what the API is, and it is so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROWSER, openBrowser } from '../browser.mjs';
import { Described } from '../described.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';
import { TABLE } from '../table.mjs';

const { server, story, newUser } = await stage();
const DOCUMENTS = [['/api/openapi.json', 'openapi'], ['/api/asyncapi.json', 'asyncapi']];
const PAGES = ['/api/docs', '/api/docs/events'];

// Rules: E2.
story('The documents are there for everyone, and are what the binary prints', async () => {
  for (const [path, command] of DOCUMENTS) {
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.equal(await answer.text(), await server.cli(command), 'printed and served alike');
    const etag = answer.headers.get('etag');
    const again = await fetch(server.url + path, { headers: { 'if-none-match': etag } });
    assert.deepEqual([again.status, await again.text(), again.headers.get('etag')], [304, '', etag]);
    assert.equal((await fetch(server.url + path, { headers: { 'if-none-match': '"other"' } })).status, 200);
    const packed = await fetch(server.url + path, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    const refused = await server.rest(null, 'POST', path, {});
    assert.deepEqual([refused.status, refused.body.error, refused.headers.get('allow')], [405, 'not_found.method', 'GET, HEAD, OPTIONS']);
  }
});

// Rules: E4.
story('Every operation of the table is in the documents', async () => {
  const [openapi, asyncapi] = await Promise.all(DOCUMENTS.map(async ([path]) => (await fetch(server.url + path)).json()));
  const live = Object.values(asyncapi.operations).map(({ title }) => title);
  for (const { event, method, paths = [], overSockets, relay, errors } of TABLE) {
    if (relay || overSockets) assert.ok(live.includes(event), event);
    for (const path of method ? paths : []) {
      const operation = openapi.paths[path][method.toLowerCase()];
      const described = Object.values(operation.responses).flatMap(({ content }) => content?.['application/json'].schema.properties?.error.enum ?? []);
      assert.deepEqual(errors.filter((error) => !described.includes(error)), [], `${method} ${path}`);
    }
  }
});

// Rules: E2, R4.
storyOnOwnServer('Reading the documents is counted per address', { limits: 'on', settings: '[limits]\ndocuments = "3/60s"\n' }, async (own) => {
  for (let i = 0; i < 3; i += 1) assert.equal((await fetch(`${own.url}/api/openapi.json`)).status, 200);
  const refused = await own.rest(null, 'GET', '/api/openapi.json');
  assert.deepEqual([refused.status, refused.body.error], [429, 'rate_limited']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await own.rest(null, 'GET', '/api/health')).status, 200, 'health is counted apart');
});

// Rules: E3.
story('The pages allow no script but their own, and name no other place', async () => {
  for (const path of PAGES) {
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200);
    const policy = answer.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /unsafe-eval|https?:|\*/);
    assert.doesNotMatch(await answer.text(), /https?:|<script>|\son\w+=/);
  }
});

const told = BROWSER ? story : (name) => test(name, { skip: 'there is no Chromium here' });
const browser = BROWSER && (await openBrowser());

/** Opens a page and waits for what it shows; resolves with the page, and with what went wrong. */
async function opened(path, colorScheme, shown) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => {
    if (!/^(data:|blob:)/.test(request.url()) && new URL(request.url()).origin !== server.url) wrong.push(`asks for ${request.url()}`);
  });
  await page.goto(server.url + path);
  await page.waitForSelector(shown, { timeout: 30_000 });
  const shots = process.env.SYNAPTASK_SHOTS;
  if (shots) await page.screenshot({ path: `${shots}${path.replaceAll('/', '-')}-${colorScheme}.png` });
  return { page, wrong, close: () => context.close() };
}

// Rules: E3.
for (const scheme of ['light', 'dark']) {
  told(`A browser shows the documents, ${scheme}, without a fault and without another server`, async () => {
    const docs = await opened('/api/docs', scheme, '.opblock-summary-path');
    const paths = await docs.page.locator('.opblock-summary-path').count();
    assert.ok(paths > 30, `${paths} operations are shown`);
    const background = await docs.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background === 'rgb(255, 255, 255)', scheme === 'light', background);
    await docs.page.locator('.opblock-summary-control').first().click();
    await docs.page.waitForSelector('.opblock-body');
    assert.deepEqual(docs.wrong, []);
    await docs.close();
    const events = await opened('/api/docs/events', scheme, '#events details');
    const names = await events.page.locator('#events summary code').allTextContents();
    for (const name of ['node:add', 'graph:diff', 'presence:update', 'presence:state']) assert.ok(names.includes(name), name);
    assert.deepEqual(events.wrong, []);
    await events.close();
  });
}

// Rules: E5.
story('A wrong answer, ack or event is told from a right one', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const right = await client.does('node:add', { title: 'Roof' });
  const { body } = await server.rest(olha, 'GET', '/api/graph');
  const { diff } = right;
  const described = new Described();
  described.ack('node:add', right);
  described.answer('GET', '/api/graph?limit=1', 200, body);
  described.event('graph:diff', diff);
  const without = (object, key) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  const node = body.nodes[0];
  const wrongs = {
    'a field too many': () => described.ack('node:add', { ...right, more: 1 }),
    'a field too few': () => described.ack('node:add', without(right, 'rev')),
    'a type that is another': () => described.ack('node:add', { ...right, rev: '1' }),
    'another operation\'s answer': () => described.ack('graph:get', right),
    'an error that the operation does not have': () =>
      described.ack('node:add', { ok: false, error: 'conflict.duplicate_link', code: 'duplicate_link', message: 'No.', trace_id: '0123456789ab' }),
    'a node without its title': () => described.answer('GET', '/api/graph', 200, { ...body, nodes: [without(node, 'title')] }),
    'a time that is none': () => described.answer('GET', '/api/graph', 200, { ...body, nodes: [{ ...node, createdTime: 'now' }] }),
    'a status that is not described': () => described.answer('GET', '/api/graph', 418, body),
    'a diff with another list': () => described.event('graph:diff', { ...diff, tokens: [] }),
    'an event that there is not': () => described.event('graph:news', diff),
  };
  for (const [name, wrong] of Object.entries(wrongs)) assert.throws(wrong, undefined, name);
});
