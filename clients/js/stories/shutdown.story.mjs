// An orderly stop: no client waits after SIGTERM, and what was acknowledged stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, ENV, freePort, runOn } from '../harness.mjs';
import { storyOnOwnServer } from '../story.mjs';

const DRAIN_MS_MAX = 10_000;

// Rules: D12.
storyOnOwnServer('SIGTERM amid changes ends the server by itself within 10 s, and every acknowledged change is kept', {}, async (server) => {
  const olha = await server.addUser('olha');
  const clients = [await server.connect(olha), await server.connect(olha, { transports: ['polling'] })];
  const acked = [];
  let going = true;
  const working = clients.map(async (client) => {
    while (going) {
      const ack = await new Promise((resolve) => {
        client.socket.once('disconnect', () => resolve(null));
        client.socket.emit('node:add', {}, resolve);
      });
      if (!ack?.ok) return; // gone, or told `unavailable` while the server drains
      acked.push(ack.diff.nodes[0].after.id);
    }
  });
  await clients[0].hears('graph:diff');
  const startMs = Date.now();
  assert.equal(await server.signal('SIGTERM'), 'exit code 0');
  assert.ok(Date.now() - startMs < DRAIN_MS_MAX, 'it took too long');
  going = false;
  await Promise.all(clients.map((client) => client.ends()));
  await Promise.all(working);
  assert.ok(acked.length > 0);

  await server.up();
  const page = await (await server.connect(olha)).does('graph:get', { limit: 5_000 });
  const kept = new Set(page.nodes.map((node) => node.id));
  assert.deepEqual(acked.filter((id) => !kept.has(id)), []);
});

// Rules: C6, C10.
storyOnOwnServer('While the server runs, `check` says in one line that every invariant holds', {}, async (server) => {
  const client = await server.connect(await server.addUser('olha'));
  await client.addLink(await client.addNode(), await client.addNode());
  assert.equal((await server.cli('check')).trim().split('\n').length, 1);
});

const STOPS = 12;

/** What `command` says of a copy of the data directory's one file. */
async function askCopy(dataDir, command) {
  const copy = mkdtempSync(join(tmpdir(), 'synaptask-copy-'));
  try {
    copyFileSync(join(dataDir, 'synaptask.db'), join(copy, 'synaptask.db'));
    await runOn(copy, ['check']);
    return JSON.parse(await runOn(copy, command));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

// Rules: D18.
storyOnOwnServer('A stop with nobody connected leaves one file, and a copy of it has everything', {}, async (server) => {
  const added = [];
  for (let stop = 0; stop < STOPS; stop++) {
    if (stop > 0) await server.up();
    added.push((await server.addUser(`user-${stop}`)).id);
    assert.equal(await server.signal(['SIGTERM', 'SIGINT', 'SIGHUP'][stop % 3]), 'exit code 0');
    assert.deepEqual(readdirSync(server.dataDir), ['synaptask.db'], `after stop ${stop}`);
    const users = await askCopy(server.dataDir, ['user', 'list', '--json']);
    assert.deepEqual(users.map((user) => user.id).sort(), [...added].sort());
  }
});

// Rules: D18.
storyOnOwnServer('A stop amid changes and pages of history leaves one file, and a copy of it has everything', {}, async (server) => {
  const olha = await server.addUser('olha');
  let known = 0;
  for (let stop = 0; stop < 4; stop++) {
    if (stop > 0) await server.up();
    const clients = [await server.connect(olha), await server.connect(olha, { transports: ['polling'] })];
    for (let i = 0; i < 50; i++) {
      for (const client of clients) {
        client.socket.emit('node:add', {}, (ack) => (known += ack.ok ? 1 : 0));
        client.socket.emit('history:page', {}, () => {});
      }
    }
    await clients[0].hears('graph:diff');
    assert.equal(await server.signal('SIGTERM'), 'exit code 0');
    assert.deepEqual(readdirSync(server.dataDir), ['synaptask.db'], `after stop ${stop}`);
    await Promise.all(clients.map((client) => client.ends()));
    const batches = await askCopy(server.dataDir, ['history', '--user', olha.email, '--limit', '1000', '--json']);
    assert.ok(known > 0 && batches.length >= known, `${batches.length} of ${known}`);
  }
});

// Rules: D18.
storyOnOwnServer('A server that cannot listen leaves one file', {}, async (server) => {
  const data = mkdtempSync(join(tmpdir(), 'synaptask-story-'));
  try {
    await runOn(data, ['user', 'add', '--email', 'olha@example.com', '--username', 'olha']);
    for (let start = 0; start < 5; start++) {
      const failing = runOn(data, ['serve', '--listen', `127.0.0.1:${server.port}`]);
      await assert.rejects(failing, (error) => error.code === 1 && /cannot listen on/.test(error.stderr));
      assert.deepEqual(readdirSync(data), ['synaptask.db'], `after start ${start}`);
    }
  } finally {
    rmSync(data, { recursive: true });
  }
});

// Rules: D12.
test('A server begun with `nohup` outlives its terminal', async () => {
  const data = mkdtempSync(join(tmpdir(), 'synaptask-story-'));
  const port = await freePort();
  const child = spawn('nohup', [binary(), '--data', data, 'serve', '--listen', `127.0.0.1:${port}`], { env: ENV, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const answers = () => fetch(`http://127.0.0.1:${port}/api/health`).then((answer) => answer.status, () => null);
  try {
    const deadline = Date.now() + 20_000;
    while ((await answers()) !== 200) assert.ok(Date.now() < deadline, 'it did not start');
    child.kill('SIGHUP');
    assert.equal(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_000, 'goes on'))]), 'goes on');
    assert.equal(await answers(), 200);
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true });
  }
});
