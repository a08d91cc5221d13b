// An operator watches the server: whether it lives, whether it is ready, its figures, and who asked what.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, freePort } from '../harness.mjs';
import { isKeys, isRefusal } from '../shapes.mjs';
import { storyOnOwnServer } from '../story.mjs';

const admin = await freePort();
const at = (path) => `http://127.0.0.1:${admin}${path}`;
const WATCHED = { env: { SYNAPTASK_ADMIN_LISTEN: `127.0.0.1:${admin}` } };

const ask = async (url, options) => {
  const answer = await fetch(url, options);
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), type: answer.headers.get('content-type'), body: await answer.text() };
};
const askJson = async (url, options) => {
  const answer = await ask(url, options);
  return { ...answer, body: JSON.parse(answer.body) };
};

/** The figures, by name and labels. */
async function figures() {
  const { status, type, body } = await ask(at('/metrics'));
  assert.equal(status, 200);
  assert.match(type, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok(body.endsWith('# EOF\n'));
  const samples = body.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** What the figures say in the end. */
async function eventually(look, expected) {
  let seen;
  for (let tries = 0; tries < 100; tries += 1) {
    seen = look(await figures());
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    await sleep(50);
  }
  assert.deepEqual(seen, expected);
}

// Rules: M1, M2, M4.
storyOnOwnServer('The server says that it lives and is ready, on both its addresses', WATCHED, async (server) => {
  for (const base of [server.url, at('')]) {
    assert.deepEqual((await askJson(`${base}/livez`)).body, { ok: true, status: 'live' });
    const { status, body } = await askJson(`${base}/readyz`);
    assert.deepEqual([status, body], [200, { ok: true, status: 'ready' }]);
    assert.equal((await fetch(`${base}/readyz`, { method: 'HEAD' })).status, 200);
    isRefusal((await askJson(`${base}/readyz`, { method: 'POST' })).body, 'not_found.method');
  }
  isRefusal((await askJson(`${server.url}/metrics`)).body, 'not_found.route');
  isRefusal((await askJson(at('/api/graph'))).body, 'not_found.route');
});

// Rule: M4.
storyOnOwnServer('Without the setting nothing listens for administration', {}, async (server) => {
  assert.equal((await askJson(`${server.url}/livez`)).status, 200);
  await assert.rejects(fetch(at('/metrics')));
});

// Rules: M3, R4.
storyOnOwnServer('A stranger who asks too often has to wait, and an operator has not', { limits: 'on', ...WATCHED }, async (server) => {
  const statuses = [];
  for (let n = 0; n < 121; n += 1) statuses.push((await ask(`${server.url}/${n % 2 ? 'livez' : 'readyz'}`)).status);
  assert.ok(statuses.slice(0, 110).every((status) => status === 200), String(statuses));
  assert.equal(statuses.at(-1), 429);
  assert.equal((await ask(at('/readyz'))).status, 200);
});

// Rule: M2.
storyOnOwnServer('A server that is stopping is not ready, and lives', WATCHED, async (server) => {
  const olha = await server.addUser('olha');
  await server.connect(olha);
  const ended = server.signal('SIGTERM');
  const seen = [];
  for (;;) {
    const [live, ready] = await Promise.all([ask(at('/livez')), ask(at('/readyz'))]).catch(() => []);
    if (!live) break;
    seen.push([live.status, ready.status, JSON.parse(ready.body)]);
  }
  await ended;
  const stopping = seen.filter(([, status]) => status === 503);
  assert.ok(stopping.length > 0, JSON.stringify(seen));
  for (const [live, , body] of stopping) {
    assert.equal(live, 200);
    isRefusal(body, 'unavailable');
    assert.equal(body.message, 'The server is stopping.');
  }
});

/** A small disk of its own; null where this user may not mount one. */
function smallDisk() {
  const place = mkdtempSync(join(tmpdir(), 'synaptask-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', place], { stdio: 'ignore' });
    return { place, free: () => execFileSync('umount', ['-l', place]) };
  } catch {
    rmSync(place, { recursive: true });
    return null;
  }
}

// Rules: M2, M5, D5.
const disk = smallDisk();
test('When its disk is full the server is not ready, until there is room again', { skip: disk ? false : 'this user may not mount a small disk' }, async () => {
  const server = new Server('off', WATCHED.env);
  server.dataDir = join(disk.place, 'data');
  const filler = join(disk.place, 'filler');
  try {
    await server.up();
    const olha = await server.addUser('olha');
    assert.equal((await ask(`${server.url}/readyz`)).status, 200);
    for (let bytes = 8 << 20; bytes >= 1 << 10; bytes >>= 1) {
      try {
        writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' });
      } catch {
        // There is less room than that.
      }
    }
    await sleep(1_100);
    const { status, retryAfter, body } = await askJson(`${server.url}/readyz`);
    assert.deepEqual([status, body.error, body.message], [503, 'unavailable', 'The disk is full.']);
    assert.ok(Number(retryAfter) > 0);
    assert.equal((await ask(`${server.url}/livez`)).status, 200);
    isRefusal((await server.rest(olha, 'POST', '/api/node', { description: 'x'.repeat(400) })).body, 'internal.storage');
    assert.ok((await figures()).get('synaptask_commit_failures_total') >= 1);
    assert.equal((await server.rest(olha, 'GET', '/api/graph')).status, 200, 'what is there can be read');
    rmSync(filler);
    await sleep(1_100);
    assert.equal((await ask(`${server.url}/readyz`)).status, 200);
    assert.equal((await server.rest(olha, 'POST', '/api/node', {})).status, 200);
  } finally {
    await server.stop();
    disk.free();
  }
});

/** Holds the write lock of a server's file, as another process may. */
async function holdLock(server) {
  const holds = 'import sqlite3, sys\nlock = sqlite3.connect(sys.argv[1], isolation_level=None)\nlock.execute("BEGIN IMMEDIATE")\nprint("held", flush=True)\nsys.stdin.read()\nlock.execute("ROLLBACK")';
  const child = spawn('python3', ['-c', holds, join(server.dataDir, 'synaptask.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'exit');
  };
}

// Rules: M1, M2.
storyOnOwnServer('While a commit hangs the server is not ready, and lives', WATCHED, async (server) => {
  const olha = await server.addUser('olha');
  assert.equal((await server.rest(olha, 'GET', '/api/graph')).status, 200);
  const release = await holdLock(server);
  const added = server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
  await sleep(300);
  const { status, body } = await askJson(`${server.url}/readyz`);
  assert.deepEqual([status, body.message], [503, 'The engine does not answer.']);
  assert.equal((await ask(`${server.url}/livez`)).status, 200);
  await release();
  assert.equal((await added).status, 200);
  await sleep(1_100);
  assert.equal((await ask(`${server.url}/readyz`)).status, 200);
});

// Rules: M2, M4.
storyOnOwnServer('A server that is starting is not ready, and lives', WATCHED, async (server) => {
  await server.kill();
  const release = await holdLock(server);
  let isUp = false;
  const up = server.up().then(() => (isUp = true));
  const seen = [];
  while (!isUp) {
    const [live, ready] = await Promise.all([ask(at('/livez')), askJson(at('/readyz'))]).catch(() => []);
    if (live) seen.push([live.status, ready.status, ready.body.message]);
    if (seen.length === 3) await release();
  }
  await up;
  assert.deepEqual(seen[0], [200, 503, 'The server is starting.']);
  assert.equal((await ask(at('/readyz'))).status, 200);
});

// Rules: M5, M6.
storyOnOwnServer('The figures move with what is done', WATCHED, async (server) => {
  const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
  const before = await figures();
  const client = await server.connect(olha);
  const watcher = await server.connect(petro);
  const id = await client.addNode();
  await client.does('node:access', { id, email: petro.email });
  await watcher.hears('graph:diff');
  await client.call('node:update', { id, title: 'x'.repeat(81) });
  await server.rest(olha, 'GET', '/api/graph');
  await server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
  await server.rest(null, 'GET', '/api/account');
  const requests = (operation, transport, outcome) => `synaptask_requests_total{operation="${operation}",transport="${transport}",outcome="${outcome}"}`;
  await eventually(
    (now) => [
      now.get(requests('node:add', 'socket', 'ok')),
      now.get(requests('node:add', 'rest', 'ok')),
      now.get(requests('graph:get', 'rest', 'ok')),
      now.get(requests('node:update', 'socket', 'refused')),
      now.get(requests('account:get', 'rest', 'refused')),
      now.get('synaptask_refusals_total{code="title_too_long"}'),
      now.get('synaptask_refusals_total{code="unauthorized"}'),
      now.get('synaptask_nodes') - before.get('synaptask_nodes'),
      now.get('synaptask_connections'),
      now.get('synaptask_users'),
    ],
    [1, 1, 1, 1, 1, 1, 1, 2, 2, 2],
  );
  const now = await figures();
  for (const grown of ['batches_total', 'projections_total', 'messages_total', 'rev', 'engine_round_duration_seconds_count', 'engine_commit_duration_seconds_count', 'engine_group_mutations_sum']) {
    assert.ok(now.get(`synaptask_${grown}`) > before.get(`synaptask_${grown}`), grown);
  }
  assert.ok(now.get('synaptask_log_tail_batches') > 0);
  assert.equal(now.get('synaptask_request_duration_seconds_count{transport="socket"}'), 3);
  assert.ok(now.get('synaptask_engine_commit_duration_seconds_sum') > 0);
  watcher.close();
  await eventually((later) => [later.get('synaptask_connections')], [1]);
});

// Rule: M6.
storyOnOwnServer('A flood of paths and events that nobody knows does not let the figures grow', WATCHED, async (server) => {
  const olha = await server.addUser('olha');
  const client = await server.connect(olha);
  const flood = async (tag) => {
    for (let n = 0; n < 300; n += 1) {
      const { body } = await server.rest(olha, 'GET', `/api/${tag}/${n}?key=${tag}`);
      isRefusal(body, 'not_found.route');
      isRefusal(await client.call(`${tag}:${n}`, {}), 'not_found.event');
    }
  };
  await flood('frist');
  const before = await figures();
  await flood('sceond');
  const now = await figures();
  assert.deepEqual([...now.keys()], [...before.keys()]);
  assert.equal(now.get('synaptask_requests_total{operation="other",transport="socket",outcome="refused"}'), 600);
  assert.equal(now.get('synaptask_requests_total{operation="other",transport="rest",outcome="refused"}'), 600);
  const { body } = await ask(at('/metrics'));
  assert.doesNotMatch(body, /frist|sceond|olha/);
});

/** The lines of the access log, as {field: value}. */
const accessLines = (server) =>
  server.log
    .split('\n')
    .filter((line) => line.includes('synaptask::access'))
    .map((line) => Object.fromEntries([...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [name, value.replaceAll('"', '')])));

// Rules: M7, T23.
storyOnOwnServer('An operator reads who asked what, and no secret', { env: { SYNAPTASK_ACCESS_LOG: 'on' } }, async (server) => {
  const olha = await server.addUser('olha');
  const client = await server.connect(olha);
  const id = await client.addNode();
  const { publicToken } = (await client.does('node:publish', { id })).diff.nodes[0].after;
  await server.rest(null, 'GET', `/api/branch?root=${publicToken}`);
  await server.rest(null, 'GET', `/branch/${publicToken}`);
  await fetch(`${server.url}/setup?key=secret-key`);
  await fetch(`${server.url}/nothing/secret-key?key=secret-key`);
  await client.call(`${publicToken}`, {});
  const refused = await client.call('node:update', { id, title: 5 });
  const { headers } = await server.rest(olha, 'DELETE', '/api/node', { id });
  for (let tries = 0; tries < 100 && accessLines(server).length < 9; tries += 1) await sleep(20);
  const lines = accessLines(server);
  assert.deepEqual(
    lines.map(({ transport, method, path, operation, status, code }) => [transport, method, path, operation, status, code].map((value) => value ?? '').join(' ')),
    [
      'socket   node:add 200 ',
      'socket   node:publish 200 ',
      'rest GET /api/branch branch:get 200 ',
      'rest GET  other 404 route',
      'rest GET  other 200 ',
      'rest GET  other 404 route',
      'socket   other 404 event',
      'socket   node:update 400 invalid_text',
      'rest DELETE /api/node node:delete 400 cant_delete_active_node',
    ],
  );
  for (const line of lines) {
    assert.equal(line.client, '127.0.0.1');
    assert.match(line.ms, /^\d+\.\d+$/);
    assert.match(line.trace_id, /^[0-9a-f]{12}$/);
  }
  assert.deepEqual(lines.map(({ user }) => user), [olha.id, olha.id, undefined, undefined, undefined, undefined, olha.id, olha.id, olha.id]);
  assert.equal(lines[7].trace_id, refused.trace_id);
  assert.equal(lines[8].trace_id, headers.get('x-trace-id'));
  assert.ok(lines.every(({ bytes }) => Number(bytes) > 50), JSON.stringify(lines));
  for (const secret of [publicToken, 'secret-key', olha.token]) assert.ok(!server.log.includes(secret), 'no secret is written');
});

// Rule: M7.
storyOnOwnServer('Unless it is switched on there is no access log', {}, async (server) => {
  const olha = await server.addUser('olha');
  await server.rest(olha, 'GET', '/api/graph');
  isKeys((await server.rest(olha, 'GET', '/api/account')).body, ['ok', 'account', 'rev', 'trace_id']);
  assert.deepEqual(accessLines(server), []);
});
