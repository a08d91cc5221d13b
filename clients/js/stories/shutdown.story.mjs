// An orderly end: SIGTERM lets nobody wait, and what was acknowledged stays.
import assert from 'node:assert/strict';
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
