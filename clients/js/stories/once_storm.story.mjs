// One batch, a thousand sends, twenty connections and a kill -9 in the middle.
import assert from 'node:assert/strict';
import { randomFrom, seedFromEnv } from '../bulk.mjs';
import { isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const CONNECTIONS = 20;
const SENDS = 1_000;
const random = randomFrom(seedFromEnv('STORM_SEED'));

const connectAll = (user) => Promise.all(Array.from({ length: CONNECTIONS }, () => server.connect(user)));

/** Sends `count` times, spread over the clients; calls `onAck` with each answer that comes. */
function storm(clients, payload, count, onAck) {
  return Array.from({ length: count }, (_, i) => {
    const { socket } = clients[i % clients.length];
    return new Promise((resolve) => {
      socket.emit('node:add', payload, (ack) => resolve(onAck(ack)));
      socket.once('disconnect', resolve);
    });
  });
}

for (const killAfterAcks of [0, 1, 1 + Math.floor(random() * (SENDS / 2))]) {
  // Rules: D7, D8, D13.
  story(`One batchId sent ${SENDS} times over ${CONNECTIONS} connections, with a kill -9 after ${killAfterAcks} acks, is one batch`, async () => {
    const olha = await newUser('olha');
    const payload = { title: 'Once', batchId: crypto.randomUUID() };
    const acks = [];
    const before = await connectAll(olha);
    const enough = new Promise((resolve) => {
      if (killAfterAcks === 0) setImmediate(resolve);
      storm(before, payload, SENDS / 2, (ack) => {
        if (acks.push(ack) === killAfterAcks) resolve();
      });
    });
    await enough;
    await server.kill();
    await server.up();
    const after = await connectAll(olha);
    await Promise.all(storm(after, payload, SENDS / 2, (ack) => acks.push(ack)));
    assert.ok(acks.length >= SENDS / 2 + killAfterAcks);

    for (const ack of acks) {
      assert.equal(ack.ok, true, JSON.stringify(ack));
      assert.deepEqual(ack.diff, acks[0].diff);
    }
    assert.ok(acks.filter((ack) => !ack.replayed).length <= 1, 'at most one answer was not a replay');
    const [client] = after;
    const page = await client.does('graph:get');
    assert.deepEqual(page.nodes.map((node) => node.id), [acks[0].diff.nodes[0].after.id]);
    isRefusal(await client.call('node:add', { ...payload, title: 'Twice' }), 'conflict.batch_id_conflict');
    const history = await client.does('history:page');
    assert.deepEqual(history.batches.map((batch) => batch.batchId), [payload.batchId]);
  });
}
