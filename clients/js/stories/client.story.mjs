// The published client against the real server: over each transport, and in a real browser.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { BROWSER, openBrowser } from '../browser.mjs';
import { connect, ConnectionLost, isRefusal, Refusal, rest } from '../published.mjs';
import { Replica } from '../replica.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';
import { passwordOf, signedIn } from '../visitor.mjs';

const PACKAGE = new URL('../../../packages/client/', import.meta.url);
const TRANSPORTS = { websocket: ['websocket'], polling: ['polling'], 'polling, then upgrade': undefined };
const { server, story, newUser } = await stage();

const opened = new Set();
after(() => opened.forEach((client) => client.close()));

async function open(user, transports, { on = server, ...more } = {}) {
  const { token, session } = user;
  const client = await connect({ url: on.url, token, session, transports, socketOptions: { reconnectionDelay: 20, reconnectionDelayMax: 100 }, ...more });
  opened.add(client);
  return client;
}

/** Follows with a strict replica. */
const follow = (client, more = {}) => client.follow({ newReplica: () => new Replica(), ...more });

/** Holds a live graph against a load over its own connection. */
async function isExact(client, graph) {
  await graph.whenLive();
  const page = await client.graph.get({ limit: 5000 });
  assert.equal(graph.rev, page.rev);
  graph.replica.equals(page);
}

for (const [way, transports] of Object.entries(TRANSPORTS)) {
  // Rules: P1, P7, P21.
  story(`Over ${way} a live graph follows what others do, also through a broken connection`, async () => {
    const [olha, petro] = [await newUser('olha'), await newUser('petro')];
    const [hers, his] = [await open(olha, transports), await open(petro, transports)];
    const graph = await follow(his);
    const id = crypto.randomUUID();
    await hers.node.add({ id, title: 'Roof' });
    await hers.node.access({ id, email: petro.email, level: 2 });
    await until(() => graph.nodes.get(id)?.title === 'Roof');
    for (let round = 0; round < 3; round++) {
      his.socket.io.engine.close();
      await hers.node.update({ id, title: `Roof ${round}` });
      await graph.whenLive();
      await until(() => graph.nodes.get(id)?.title === `Roof ${round}`);
    }
    await isExact(his, graph);
    his.socket.io.engine.close();
    await hers.node.access.delete({ id, email: petro.email });
    await until(() => graph.nodes.size === 0);
    for (const client of [hers, his]) client.close();
  });

  // Rules: D7, D9, T17.
  story(`Over ${way} refusals are typed, and a change is done once however often it is asked for`, async () => {
    const client = await open(await newUser('olha'), transports);
    const [id, batchId] = [crypto.randomUUID(), crypto.randomUUID()];
    const answers = await Promise.all([1, 2, 3].map(() => client.node.add({ id, title: 'Roof', batchId })));
    assert.deepEqual(answers.map(({ replayed }) => replayed === true).sort(), [false, true, true]);
    await assert.rejects(client.node.add({ title: 'Other', batchId }), (error) => isRefusal(error, 'node:add') && error.error === 'conflict.batch_id_conflict');
    await assert.rejects(client.graph.apply({ operations: [{ event: 'node:trash', id }, { event: 'node:trash', id }] }), (error) => error instanceof Refusal && error.index === 1 && error.code === 'already_trashed_node' && error.trace_id.length === 12);
    const snapshot = await client.graph.snapshot();
    assert.deepEqual(snapshot.nodes.map(({ title }) => title), ['Roof']);
    client.close();
  });
}

// Rules: T13, P24.
story('A client whose token is revoked is closed with the refusal, and one with a made-up token is never connected', async () => {
  const olha = await newUser('olha');
  const client = await open(olha);
  const [{ id }] = await server.cli('token', 'list', '--email', olha.email, '--json');
  const closed = new Promise((resolve) => client.onState((state, why) => state === 'closed' && resolve(why)));
  await server.cli('token', 'revoke', '--email', olha.email, '--id', id, '--json');
  const why = await closed;
  assert.ok(isRefusal(why) && why.error === 'forbidden.auth_invalid');
  await assert.rejects(client.node.add(), (error) => error === why);
  await assert.rejects(open({ token: `st_${'x'.repeat(27)}` }), isRefusal);
  await assert.rejects(open({ token: undefined }), (error) => isRefusal(error) && error.error === 'forbidden.auth_missing');
  await assert.rejects(rest({ url: server.url, token: 'st_x' }).graph.get(), (error) => isRefusal(error) && error.error === 'unauthorized');
});

for (const [way, transports] of Object.entries(TRANSPORTS)) {
  // Rules: T11, T14.
  story(`Over ${way} a session does in place of a token what a token does, until it is ended`, async () => {
    const visitor = await signedIn(server, `ada-${way.replace(/\W/g, '')}`);
    const session = visitor.cookie.split('=')[1];
    const client = await open({ session }, transports);
    assert.equal(client.uid, visitor.account.id);
    const graph = await follow(client);
    await client.node.add({ title: 'Roof' });
    await rest({ url: server.url, session }).node.add({ title: 'Beam' });
    await until(() => graph.nodes.size === 2);
    await isExact(client, graph);
    const closed = new Promise((resolve) => client.onState((state, why) => state === 'closed' && resolve(why)));
    assert.equal((await client.account.logout()).ok, true);
    assert.ok(isRefusal(await closed));
    await assert.rejects(rest({ url: server.url, session }).graph.get(), (error) => isRefusal(error) && error.class === 'unauthorized');
  });
}

// Rules: P17, P18, G12.
story('A grant of a large branch, in parts, is one change; a revocation too; both by snapshot and by pages', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const root = crypto.randomUUID();
  const owner = rest({ url: server.url, token: olha.token });
  await owner.node.add({ id: root });
  for (const count of [1000, 1000, 599]) {
    await owner.graph.apply({ operations: Array.from({ length: count }, () => ({ event: 'node:add', target: root })) });
  }
  const clients = await Promise.all([open(petro), open(petro)]);
  const changes = [[], []];
  const graphs = await Promise.all(clients.map((client, nth) => follow(client, { load: nth ? 'pages' : 'snapshot', pageSize: 100, onChange: (change) => changes[nth].push(change) })));
  await owner.node.access({ id: root, email: petro.email });
  for (const [nth, graph] of graphs.entries()) {
    await until(() => changes[nth].length === 1);
    assert.equal(changes[nth][0].nodes.added.length, 2600);
    await isExact(clients[nth], graph);
    await graph.reload();
    assert.equal(changes[nth].length, 1, 'a load that brings nothing new is no change');
  }
  await owner.node.access.delete({ id: root, email: petro.email });
  for (const [nth, graph] of graphs.entries()) {
    await until(() => changes[nth].length === 2);
    assert.equal(graph.nodes.size, 0);
    clients[nth].close();
  }
});

// Rules: R7, R5.
storyOnOwnServer('Whoever asks for it waits as long as the server says, and everything is done', { limits: 'on', env: { SYNAPTASK_LIMITS_NODE: '5/1s', SYNAPTASK_LIMITS_CONNECT_USER: '3/1s' } }, async (own) => {
  const olha = await own.addUser('olha');
  const client = await open(olha, undefined, { on: own });
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => client.node.add({})));
  const refused = tries.filter(({ reason }) => reason && isRefusal(reason) && reason.class === 'rate_limited' && reason.retryAfter > 0);
  assert.equal(refused.length, 3);
  await Promise.all(Array.from({ length: 12 }, () => client.node.add({}, { wait: true })));
  const { nodes } = await client.graph.get();
  assert.equal(nodes.length, 17);
  const more = await Promise.all(Array.from({ length: 5 }, () => open(olha, ['websocket'], { on: own })));
  for (const one of [client, ...more]) {
    assert.equal(one.state, 'connected');
    one.close();
  }
});

storyOnOwnServer('A server that is killed and comes back has each change once, and every live graph is exact', {}, async (own) => {
  const olha = await own.addUser('olha');
  const clients = await Promise.all(['websocket', 'polling'].map((one) => open(olha, [one], { on: own })));
  const graphs = await Promise.all(clients.map((client) => follow(client)));
  const adding = [];
  for (let round = 0; round < 3; round++) {
    for (const client of clients) for (let nth = 0; nth < 10; nth++) adding.push(client.node.add({ title: `${adding.length}` }));
    await new Promise((resolve) => setTimeout(resolve, 5 * round));
    await own.kill();
    for (const client of clients) for (let nth = 0; nth < 10; nth++) adding.push(client.node.add({ title: `${adding.length}` }));
    await own.up();
    await Promise.all(adding);
  }
  for (const [nth, client] of clients.entries()) {
    await isExact(client, graphs[nth]);
    const titles = [...graphs[nth].nodes.values()].map(({ title }) => Number(title));
    assert.deepEqual(titles.sort((a, b) => a - b), adding.map((_, one) => one));
    client.close();
  }
  await assert.rejects(clients[0].node.add(), ConnectionLost);
});

async function until(is) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 5))) if (is()) return;
  throw new Error(`never came: ${is}`);
}

/** A site of another origin with one page, which has the package as a bundler makes it. */
async function site() {
  const { build } = createRequire(PACKAGE)('esbuild');
  const { outputFiles } = await build({ entryPoints: [new URL('dist/index.js', PACKAGE).pathname], bundle: true, minify: true, format: 'iife', globalName: 'synaptask', write: false });
  const page = createServer((request, response) => {
    if (request.url === '/client.js') return response.setHeader('content-type', 'text/javascript').end(outputFiles[0].contents);
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>A site</title><script src="/client.js"></script>');
  });
  await new Promise((resolve) => page.listen(0, '127.0.0.1', resolve));
  after(() => page.close());
  return `http://127.0.0.1:${page.address().port}`;
}

const browser = BROWSER && (await openBrowser());
const told = BROWSER ? storyOnOwnServer : (name) => test(name, { skip: 'there is no Chromium here' });

// Rules: T11, T25.
const listed = BROWSER && (await site());
told('In a browser, on a page whose origin is allowed, the session takes the place of a token', { settings: `allowed_origins = ["${listed}"]\n` }, async (own) => {
  await signedIn(own, 'ada');
  const page = await (await browser.newContext()).newPage();
  await page.goto(listed);
  const titles = await page.evaluate(async ([url, password]) => {
    await window.synaptask.rest({ url, session: true }).account.login({ email: 'ada@example.com', password });
    const client = await window.synaptask.connect({ url, session: true });
    const graph = await client.follow();
    await client.node.add({ title: 'Roof' });
    await window.synaptask.rest({ url, session: true }).node.add({ title: 'Beam' });
    for (const end = Date.now() + 5000; Date.now() < end && graph.nodes.size < 2; ) await new Promise((resolve) => setTimeout(resolve, 5));
    client.close();
    return [...graph.nodes.values()].map(({ title }) => title).sort();
  }, [own.url, passwordOf('ada')]);
  assert.deepEqual(titles, ['Beam', 'Roof']);
});

// Rules: T25, P1, P21.
told('In a browser, on a page of another origin, the client follows the graph and comes back', {}, async (own) => {
  const olha = await own.addUser('olha');
  const here = await open(olha, ['websocket'], { on: own });
  const page = await (await browser.newContext()).newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error));
  await page.goto(await site());
  await page.evaluate(async ([url, token]) => {
    window.client = await window.synaptask.connect({ url, token });
    window.graph = await window.client.follow();
  }, [own.url, olha.token]);
  const titles = () => page.evaluate(() => [...window.graph.nodes.values()].map(({ title }) => title).sort());
  const come = async (expected) => {
    for (const end = Date.now() + 10_000; Date.now() < end && String(await titles()) !== String(expected); );
    assert.deepEqual(await titles(), expected);
  };
  await here.node.add({ title: 'Roof' });
  await come(['Roof']);
  await page.evaluate(() => window.client.node.add({ title: 'Beam' }));
  await come(['Beam', 'Roof']);
  const refused = await page.evaluate(() => window.client.node.update({ id: 'x', title: 'y' }).catch((error) => [window.synaptask.isRefusal(error), error.error]));
  assert.deepEqual(refused, [true, 'bad_request.invalid_node_id']);
  await own.kill();
  const adding = page.evaluate(() => window.client.node.add({ title: 'Door' }));
  await own.up();
  await adding;
  await come(['Beam', 'Door', 'Roof']);
  await page.evaluate(() => window.client.close());
  here.close();
  assert.deepEqual(faults, []);
});
