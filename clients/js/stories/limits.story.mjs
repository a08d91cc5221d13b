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

/** A client that the official library keeps connecting, and what it is told last. */
function keepsConnecting(server, user, options = {}) {
  const client = server.socket(user.token, { reconnection: true, reconnectionDelay: 200, reconnectionDelayMax: 1_000, ...options });
  client.isIn = () => client.socket.connected && client.all('connected').at(-1)?.ok === true;
  return client;
}

async function until(what, holds, waitMs = 20_000) {
  for (const deadline = Date.now() + waitMs; !holds(); await sleep(50)) assert.ok(Date.now() < deadline, `waited for ${what}`);
}

for (const [way, options] of [
  ['their tokens in auth', {}],
  ['their tokens in auth, by polling first', { transports: ['polling', 'websocket'] }],
  ['their tokens as header', { how: 'header' }],
]) {
  // Rules: R5, R14.
  story(`Fourteen colleagues behind one address all get in, and again after a restart, with ${way}`, async (server) => {
    const users = await Promise.all(Array.from({ length: 14 }, (_, i) => server.addUser(`colleague-${i}`)));
    const clients = users.map((user) => keepsConnecting(server, user, options));
    await until('all fourteen', () => clients.every((client) => client.isIn()));
    await server.signal('SIGTERM');
    await until('none', () => clients.every((client) => !client.socket.connected));
    await server.up();
    await until('all fourteen again', () => clients.every((client) => client.isIn()));
    for (const client of clients) await client.does('ws:ping');
  });
}

// Rules: R5, R14, T13.
story('Whoever connects without a valid token is told so ten times a minute from one address, and then refused at the handshake', async (server) => {
  const olha = await server.addUser('olha');
  const here = await server.connect(olha);
  for (let i = 0; i < 10; i++) {
    const stranger = server.socket('st_nobody');
    assert.equal((await stranger.hears('connected')).error, 'forbidden.auth_invalid');
    assert.equal(await stranger.ends(), 'io server disconnect');
  }
  for (const transports of [['websocket'], ['polling']]) {
    await assert.rejects(server.socket('st_nobody', { transports }).hears('connected'), /could not connect/);
  }
  const handshake = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  assert.equal(handshake.status, 429);
  const answer = await handshake.json();
  isLimited(answer);
  assert.deepEqual([handshake.headers.get('retry-after'), handshake.headers.get('x-trace-id')], [String(answer.retryAfter), answer.trace_id]);
  // Who is known at the handshake is counted as a user, and who is connected stays so.
  await server.connect(olha, { how: 'header' });
  await server.connect(olha, { how: 'subprotocol' });
  await here.does('ws:ping');
});

// Rules: R5, R14.
story('A session that tries one token after the other counts each', async (server) => {
  const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1));
  const told = [];
  for (let i = 0; i < 12; i++) {
    await fetch(`${url}&sid=${sid}`, { method: 'POST', body: `40{"api_token":"st_nobody${i}"}` });
    let text = '';
    for (const deadline = Date.now() + 3_000; !text.includes('"connected"') && Date.now() < deadline; ) {
      const poll = await fetch(`${url}&sid=${sid}`);
      if (poll.status !== 200) break;
      text += await poll.text();
    }
    const error = /"error":"([^"]*)"/.exec(text)?.[1];
    if (!error) break;
    told.push(error);
  }
  assert.deepEqual(told, [...Array(10).fill('forbidden.auth_invalid'), 'rate_limited']);
});

for (const [how, transports] of [['auth', ['websocket']], ['auth', ['polling']], ['header', ['websocket']], ['header', ['polling']]]) {
  // Rules: R5, R14, T13.
  story(`A user has at most 10 sockets open; the eleventh (${transports}, ${how}) tries on, and is let in when one is closed`, async (server) => {
    const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
    const open = [];
    for (let i = 0; i < 10; i++) open.push(await server.connect(olha));
    const late = keepsConnecting(server, olha, { how, transports });
    await (how === 'header' ? until('a refusal', () => late.all('(connect_error)').length > 1) : late.hears('connected', (told) => told.error === 'rate_limited'));
    assert.equal(late.isIn(), false);
    await server.connect(petro);
    for (const client of open) await client.does('ws:ping');
    open[0].close();
    await until('the eleventh', () => late.isIn());
    await late.does('graph:get');
  });
}

for (const how of ['auth', 'header']) {
  // Rules: R5, R14.
  story(`A user connects at most 20 times a minute, with the token as ${how}`, async (server) => {
    const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
    for (let i = 0; i < 20; i++) (await server.connect(olha, { how })).close();
    const late = server.socket(olha.token, { how });
    if (how === 'header') {
      await assert.rejects(late.hears('connected'), /could not connect/);
    } else {
      const connected = await late.hears('connected');
      assert.deepEqual([connected.ok, connected.error], [false, 'rate_limited']);
      assert.notEqual(await late.ends(), 'io server disconnect', 'the client would not try again');
    }
    await server.connect(petro, { how });
  });
}

// Rules: R6, C8.
story('A limit on connects that the settings switch off does not count', async (server) => {
  await server.signal('SIGTERM');
  writeFileSync(join(server.dataDir, 'synaptask.toml'), '[limits]\n"connect.address" = "off"\n');
  await server.up();
  for (let i = 0; i < 12; i++) {
    assert.equal((await server.socket('st_nobody').hears('connected')).error, 'forbidden.auth_invalid');
  }
});

// Rules: R12, T12.
story('Sixty times a minute a bad token is told 401 from one address, then rate_limited; a good one goes on', async (server) => {
  const olha = await server.addUser('olha');
  const statuses = [];
  let limited;
  for (let i = 0; i < 70; i++) {
    const answer = await server.rest(`st_nobody${i}`, 'GET', '/api/graph');
    statuses.push(answer.status);
    if (answer.status === 429) limited ??= answer;
  }
  assert.deepEqual(statuses, [...Array(60).fill(401), ...Array(10).fill(429)]);
  isLimited(limited.body);
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  assert.equal((await server.rest(olha, 'GET', '/api/graph')).status, 200);
  assert.equal((await server.rest(null, 'GET', '/api/graph')).status, 401, 'nothing was tried');
  assert.equal((await fetch(`${server.url}/api/branch?root=none`, { headers: { cookie: 'st_access=st_over' } })).status, 404, 'a cookie that is over is as good as none');
});

// Rules: P26, R15.
story('Over a limit a socket hears rate_limited besides what it is answered', async (server) => {
  const client = await server.connect(await server.addUser('olha'));
  const acks = await floods(client, 'trash:page', {}, 5);
  const refused = acks.filter((ack) => ack.error === 'rate_limited');
  await client.hears('rate_limited', () => client.all('rate_limited').length === refused.length);
  for (const [i, told] of client.all('rate_limited').entries()) assert.deepEqual(told, { ...refused[i], event: 'trash:page' });
  client.emit('trash:page', {});
  const error = await client.hears('error');
  const told = await client.hears('rate_limited', ({ trace_id }) => trace_id === error.trace_id);
  assert.deepEqual(told, error);
  for (let i = 0; i < 11; i++) client.emit('graph:get', {});
  await client.hears('graph:error');
  isLimited(await client.hears('rate_limited', ({ event }) => event === 'graph:get'));
});

// Rules: R6, C8.
storyOnOwnServer('A server told SYNAPTASK_LIMITS=off refuses nobody', { limits: 'off' }, async (server) => {
  const olha = await server.addUser('olha');
  const clients = await Promise.all(Array.from({ length: 25 }, () => server.connect(olha)));
  await Promise.all(Array.from({ length: 60 }, (_, i) => clients[i % 25].does('trash:page')));
});
