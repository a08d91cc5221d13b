// Limits: a fair share for everyone, told in words a client can wait by.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal } from '../shapes.mjs';
import { storyOnOwnServer } from '../story.mjs';

const story = (name, tell) => storyOnOwnServer(name, { limits: 'on' }, tell);

function isLimited(answer) {
  isRefusal(answer, 'rate_limited');
  assert.ok(answer.retryAfter > 0 && answer.retryAfter <= 60, `retryAfter is in seconds: ${answer.retryAfter}`);
}

/** Sends `allowed` × 1.5 at once: the first `allowed` pass, the last does not (some between may, as time goes by). */
async function floods(client, event, payload, allowed) {
  const acks = await Promise.all(Array.from({ length: Math.ceil(allowed * 1.5) }, () => client.call(event, payload)));
  for (const ack of acks.slice(0, allowed)) assert.notEqual(ack.error, 'rate_limited');
  isLimited(acks.at(-1));
  return acks;
}

for (const [event, payload, allowed] of [
  ['graph:get', {}, 10],
  ['trash:page', {}, 5],
  ['link:add', { source: '123', target: '456' }, 30],
]) {
  // Rules: R1, R2, R7.
  story(`${event} passes ${allowed} times in 10 s, refusals included; then it is rate_limited with retryAfter`, async (server) => {
    const client = await server.connect(await server.addUser('olha'));
    const acks = await floods(client, event, payload, allowed);
    if (event === 'link:add') isRefusal(acks[0], 'bad_request.invalid_source_target_id');
    else assert.ok(acks.slice(0, allowed).every((ack) => ack.ok));
  });
}

story('A load by event that comes too often is told graph:error rate_limited', async (server) => {
  const client = await server.connect(await server.addUser('olha'));
  for (let i = 0; i < 15; i++) client.emit('graph:get', {});
  const error = await client.hears('graph:error');
  assert.equal(error.error, 'rate_limited');
  assert.ok(error.message);
  // Refusals need no engine, so they may overtake the pages asked for before them.
  await client.hears('graph:init', () => client.all('graph:init').length >= 10);
});

// Rules: R1.
story('The share is a user\'s, over all windows; another user and another operation have their own', async (server) => {
  const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
  const [here, there, his] = [await server.connect(olha), await server.connect(olha), await server.connect(petro)];
  await floods(here, 'trash:page', {}, 5);
  isLimited(await there.call('trash:page', {}));
  await here.does('graph:get');
  await his.does('trash:page');
});

// Rules: R7.
story('Who waits retryAfter seconds is served again', async (server) => {
  const client = await server.connect(await server.addUser('olha'));
  const acks = await floods(client, 'trash:page', {}, 5);
  await sleep(acks.at(-1).retryAfter * 1000 + 100);
  await client.does('trash:page');
});

// Rules: R2.
story('The later pages of one load do not count, its beginnings do', async (server) => {
  const olha = await server.addUser('olha');
  for (let i = 0; i < 25; i++) await server.rest(olha, 'POST', '/api/node', { title: `${i}` });
  const client = await server.connect(olha);
  const nodes = [];
  for (let offset = 0, more = true; more; offset += 1) {
    const page = await client.does('graph:get', { limit: 1, offset });
    nodes.push(...page.nodes);
    more = page.hasMore;
  }
  assert.equal(nodes.length, 25);
});

// Rules: R3, R7.
story('Over REST 300 calls a minute pass on a route; then 429 with Retry-After, and other routes go on', async (server) => {
  const olha = await server.addUser('olha');
  const statuses = [];
  let limited;
  for (let burst = 0; burst < 8; burst++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.rest(olha, 'GET', '/api/trash')));
    statuses.push(...answers.map((answer) => answer.status));
    limited ??= answers.find((answer) => answer.status === 429);
  }
  assert.ok(statuses.slice(0, 300).every((status) => status === 200), '300 pass');
  assert.equal(statuses.at(-1), 429);
  isLimited(limited.body);
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  assert.equal((await server.rest(olha, 'GET', '/api/graph')).status, 200);
});

// Rules: R4.
story('The health of the server may be asked 120 times a minute from one address', async (server) => {
  const statuses = [];
  let limited;
  for (let burst = 0; burst < 3; burst++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.rest(null, 'GET', '/api/health')));
    statuses.push(...answers.map((answer) => answer.status));
    limited ??= answers.find((answer) => answer.status === 429);
  }
  assert.ok(statuses.slice(0, 50).every((status) => status === 200));
  const passed = statuses.filter((status) => status === 200).length;
  // To see it come up, the stage has asked a few times itself; and the window slides on.
  assert.ok(passed >= 90 && passed <= 125, `${passed} passed`);
  isLimited(limited.body);
});

// Rules: R4, T15.
story('Without an account a branch may be asked for 300 times a minute from one address', async (server) => {
  const statuses = [];
  for (let burst = 0; burst < 8; burst++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.rest(null, 'GET', '/api/branch?root=none')));
    statuses.push(...answers.map((answer) => answer.status));
  }
  assert.ok(statuses.slice(0, 300).every((status) => status === 404));
  assert.equal(statuses.at(-1), 429);
});

// Rules: R5, T13.
story('Who connects more than ten times a minute from one address is told rate_limited and disconnected', async (server) => {
  const olha = await server.addUser('olha');
  for (let i = 0; i < 10; i++) (await server.connect(olha)).close();
  const late = server.socket(olha.token);
  const connected = await late.hears('connected');
  assert.equal(connected.ok, false);
  assert.equal(connected.error, 'rate_limited');
  assert.equal(await late.ends(), 'io server disconnect');
});

// Rules: R5, R6, C8, T13.
story('A user has at most 10 sockets open and opens at most 20 a minute; what the settings switch off does not count', async (server) => {
  await server.signal('SIGTERM');
  writeFileSync(join(server.dataDir, 'synaptask.toml'), '[limits]\n"connect.address" = "off"\n');
  await server.up();
  const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
  const refused = async (user) => {
    const late = server.socket(user.token);
    const connected = await late.hears('connected');
    assert.deepEqual([connected.ok, connected.error], [false, 'rate_limited']);
    assert.equal(await late.ends(), 'io server disconnect');
  };
  const open = [];
  for (let i = 0; i < 10; i++) open.push(await server.connect(olha));
  await refused(olha);
  await server.connect(petro);
  for (const client of open) await client.does('ws:ping');
  for (let i = 0; i < 20; i++) (await server.connect(petro).catch(() => null))?.close();
  await refused(petro);
});

// Rules: R6, C8.
storyOnOwnServer('A server told SYNAPTASK_LIMITS=off refuses nobody', { limits: 'off' }, async (server) => {
  const olha = await server.addUser('olha');
  const clients = await Promise.all(Array.from({ length: 25 }, () => server.connect(olha)));
  await Promise.all(Array.from({ length: 60 }, (_, i) => clients[i % 25].does('trash:page')));
});
