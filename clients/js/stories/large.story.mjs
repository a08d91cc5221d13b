// A change of view of any size reaches whoever reads, and holds up nobody else.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Replica } from '../replica.mjs';
import { storyOnOwnServer } from '../story.mjs';

const NODES = Number(process.env.LARGE_NODES ?? 10_000);
const AT_ONCE = 250;
const WAIT_MS_MAX = 120_000;

/** A branch: a tree under one node, each node with a second link to an older one. Resolves with its root's id. */
async function growBranch(client, count) {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await client.does('node:add', { id: ids[0], title: 'Root' });
  for (let from = 1; from < count; from += AT_ONCE) {
    const operations = [];
    for (let nth = from; nth < Math.min(count, from + AT_ONCE); nth++) {
      operations.push({ event: 'node:add', id: ids[nth], title: `Step ${nth}`, target: ids[(nth - 1) >> 2] });
      const second = nth >> 1;
      if (second !== (nth - 1) >> 2) operations.push({ event: 'link:add', source: ids[nth], target: ids[second], type: 1 });
    }
    await client.does('graph:apply', { operations });
  }
  return ids[0];
}

/** Everything the client sees, loaded page by page. */
async function load(client) {
  const whole = { nodes: [], links: [], rev: 0, hasMore: true };
  while (whole.hasMore) {
    const page = await client.does('graph:get', { limit: 1_000, offset: whole.nodes.length });
    whole.nodes.push(...page.nodes);
    whole.links.push(...page.links);
    Object.assign(whole, { rev: page.rev, hasMore: page.hasMore });
  }
  return whole;
}

/** A client that keeps a replica, and knows when it stands at the end of a diff. */
class Follower {
  static async of(server, user) {
    const client = await server.connect(user);
    const follower = Object.assign(new Follower(), { client, replica: new Replica(), ended: 0, parts: 0, connected: true });
    follower.replica.page(await load(client));
    client.socket.offAny();
    client.socket.on('graph:diff', (diff) => {
      follower.replica.diff(diff);
      follower.parts++;
      if (diff.part === diff.parts) follower.ended = diff.rev;
    });
    client.gone.then((why) => (follower.connected = why));
    return follower;
  }

  /** Waits until the diff that leads to `rev` has come whole, and holds the replica against a fresh load. */
  async reaches(rev) {
    for (const startMs = Date.now(); this.ended < rev; await sleep(20)) {
      assert.equal(this.connected, true, 'whoever reads stays connected');
      assert.ok(Date.now() - startMs < WAIT_MS_MAX, `stands at rev ${this.ended}, not ${rev}`);
    }
    this.replica.equals(await load(this.client), `at rev ${rev}`);
  }
}

// Rules: P17, P18, P19.
storyOnOwnServer('P19: a large branch that is granted and revoked reaches whoever reads, whole, and holds up nobody else', {}, async (server) => {
  const [olha, petro, iryna] = [await server.addUser('olha'), await server.addUser('petro'), await server.addUser('iryna')];
  const hers = await server.connect(olha);
  const id = await growBranch(hers, NODES);
  const his = await Follower.of(server, petro);
  const aside = await server.connect(iryna);

  // Somebody else goes on working all the while.
  let working = true;
  const waits = [];
  const work = (async () => {
    for (let nth = 0; working; nth++) {
      const startMs = performance.now();
      await aside.does('node:add', { title: `Aside ${nth}` });
      waits.push(performance.now() - startMs);
    }
  })();
  const grant = () => hers.does('node:access', { id, email: petro.email });
  const revoke = () => hers.does('node:access:delete', { id, email: petro.email });

  const times = [];
  try {
    for (const [change, nodes] of [[grant, NODES], [revoke, 0]]) {
      const startMs = performance.now();
      const { rev } = await change();
      times.push(performance.now() - startMs);
      await his.reaches(rev);
      assert.equal(his.replica.nodes.size, nodes);
    }
    assert.ok(his.parts > (2 * NODES) / 1_000, 'in parts');
    // One after another, faster than they are sent.
    await grant();
    await hers.does('node:update', { id, title: 'Trunk' });
    await revoke();
    await hers.does('node:update', { id, title: 'Stem' });
    const { rev } = await grant();
    await hers.does('node:update', { id, title: 'Log' });
    await his.reaches(rev);
    assert.equal(his.replica.nodes.get(id).title, 'Log');
  } finally {
    working = false;
    await work;
  }
  waits.sort((a, b) => a - b);
  const ms = (value) => value.toFixed(0);
  console.log(`grant ${ms(times[0])} ms, revoke ${ms(times[1])} ms; others waited ${ms(waits[waits.length >> 1])} ms, at most ${ms(waits.at(-1))} ms`);
  assert.ok(waits.length > 20, `${waits.length} acks meanwhile`);
});
