// Kills the server (SIGKILL) again and again while eight clients, sockets and REST mixed, change the graph.
// After each restart: every change that was acknowledged is there, nothing else is, and `synaptask check` is clean.
// What was on its way at the kill is sent again under its batchId and must come out done exactly once.
//
//   SYNAPTASK_BIN=… node kill_loop.mjs            KILL_ROUNDS=60  KILL_SEED=…
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom, seedFromEnv } from './bulk.mjs';
import { Server } from './harness.mjs';
import { KillClient } from './kill_client.mjs';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 60);
const CLIENTS = 8;
const random = randomFrom(seedFromEnv('KILL_SEED'));
const pick = (low, high) => low + Math.floor(random() * (high - low + 1));

/** All a user has, trash included, as {nodes, links}: id → what matters of it. */
async function loadAll(server, user) {
  const found = { nodes: new Map(), links: new Map() };
  const add = ({ nodes, links }, trashed) => {
    for (const { id, title } of nodes) found.nodes.set(id, { title, trashed });
    for (const { id, source, target } of links) found.links.set(id, { source, target, trashed });
  };
  for (const [path, limit, trashed] of [['graph', 5_000, false], ['trash', 1_000, true]]) {
    for (let offset = 0, more = true; more; offset += limit) {
      const { status, body } = await server.rest(user, 'GET', `/api/${path}?limit=${limit}&offset=${offset}`);
      assert.equal(status, 200, JSON.stringify(body));
      add(body, trashed);
      more = body.hasMore;
    }
  }
  return found;
}

/** Holds what the server has against what the clients of each user know. */
async function compare(server, users, clients, moment) {
  for (const user of users) {
    const found = await loadAll(server, user);
    for (const kind of ['nodes', 'links']) {
      for (const client of clients.filter((one) => one.user === user)) {
        for (const [id, expected] of client[kind]) {
          const actual = found[kind].get(id);
          const allowed = [expected, ...client.perhaps(kind, id)];
          const fits = allowed.some((state) => JSON.stringify(state) === JSON.stringify(actual));
          assert.ok(fits, `${moment}: ${kind} ${id} is ${JSON.stringify(actual)}, acknowledged was ${JSON.stringify(allowed)}`);
          found[kind].delete(id);
        }
        for (const id of client.perhapsNew(kind)) found[kind].delete(id);
      }
      assert.equal(found[kind].size, 0, `${moment}: ${found[kind].size} ${kind} nobody was told of`);
    }
  }
}

const server = await Server.start();
const startMs = Date.now();
let acked = 0;
let inDoubt = 0;
try {
  const users = [await server.addUser('olha'), await server.addUser('petro')];
  const clients = Array.from({ length: CLIENTS }, (_, i) => {
    return new KillClient(server, users[i % users.length], i < CLIENTS / 2 ? 'socket' : 'rest', random);
  });
  for (let round = 1; round <= ROUNDS; round++) {
    const moment = `round ${round}`;
    await Promise.all(clients.map((client) => client.open()));
    const working = clients.map((client) => client.work());
    await sleep(pick(40, 350));
    await server.kill();
    acked += (await Promise.all(working)).reduce((sum, count) => sum + count, 0);
    inDoubt += clients.filter((client) => client.inDoubt).length;

    if (round % 2) await server.cli('check');
    await server.up();
    if (round % 2 === 0) await server.cli('check');
    await compare(server, users, clients, `${moment}, after the kill`);
    await Promise.all(clients.map((client) => client.settle()));
    if (round % 5 === 0 || round === ROUNDS) await compare(server, users, clients, `${moment}, after the retries`);
  }
  await server.kill();
  await server.cli('check');
  assert.ok(acked >= ROUNDS * CLIENTS, `only ${acked} changes were acknowledged: the loop showed little`);
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`kill loop: ${ROUNDS} kills, ${acked} acknowledged changes, ${inDoubt} in doubt and retried, none lost, ${seconds} s`);
} catch (error) {
  console.error(server.log.trim().split('\n').slice(-60).join('\n'));
  console.error(error.stderr ? `${error.message}\n${error.stderr}` : error);
  process.exitCode = 1;
} finally {
  await server.stop();
}
