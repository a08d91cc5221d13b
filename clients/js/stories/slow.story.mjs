// One who stops reading costs only themselves: they are gone within 30 s, and the others miss nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { storyOnOwnServer } from '../story.mjs';

const HEALTHY = 100;
const USERS = 10;
const GONE_MS_MAX = 30_000;
const WARM_UP = 10;
const RSS_GROWTH_MAX = 48 * 1024 * 1024;

/** A masked text frame. */
function frame(text) {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const masked = payload.map((byte, nth) => byte ^ mask[nth % 4]);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]);
}

/** Upgrades to a WebSocket, connects with a token, and then never reads again. */
async function zeroWindow(port, token) {
  const socket = connect({ port, host: '127.0.0.1' });
  let heard = '';
  const hears = (text) =>
    new Promise((resolve, reject) => {
      const look = (chunk = '') => {
        heard += chunk;
        if (heard.includes(text)) {
          socket.off('data', look);
          resolve();
        }
      };
      socket.on('data', look);
      socket.on('error', reject);
      look();
    });
  socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await hears('"sid"');
  socket.write(frame(`40${JSON.stringify({ api_token: token })}`));
  await hears('"connected"');
  socket.removeAllListeners('data');
  socket.pause();
  return socket;
}

/** How many connections the server's process has, and how much memory, as the system sees it. */
const openTo = (port) => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/));
  return (peer) => lines.some(([, local, remote, state]) => local.endsWith(`:${hex}`) && remote.endsWith(`:${peer}`) && state === '01');
};
const rssBytes = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

storyOnOwnServer('P19: a client that stops reading is gone within 30 s, and a hundred others miss nothing', {}, async (server) => {
  const olha = await server.addUser('olha');
  const hers = await server.connect(olha);
  const id = await hers.addNode({ title: 'Wall' });
  const users = [];
  for (let nth = 0; nth < USERS; nth++) users.push(await server.addUser(`reader-${nth}`));
  const slow = await server.addUser('slow');
  for (const { email } of [...users, slow]) await hers.does('node:access', { id, email });

  const healthy = await Promise.all(Array.from({ length: HEALTHY }, (_, nth) => server.connect(users[nth % USERS])));
  const counts = new Array(HEALTHY).fill(0);
  const revs = new Array(HEALTHY).fill(0);
  for (const [nth, client] of healthy.entries()) {
    client.socket.offAny();
    client.socket.on('graph:diff', ({ rev, nodes }) => {
      assert.ok(rev > revs[nth] && nodes.length === 1);
      revs[nth] = rev;
      counts[nth]++;
    });
  }
  let sent = 0;
  let rev = 0;
  /** A diff of 64 KB: before and after of 32 long names. */
  const change = async () => {
    const assignee = Array.from({ length: 32 }, (_, nth) => String.fromCodePoint(0x10000 + ((sent * 37 + nth) % 4096)).repeat(254));
    ({ rev } = await hers.does('node:update', { id, assignee }));
    sent++;
  };
  const allHeard = async () => {
    for (let tries = 0; counts.some((count) => count < sent) && tries < 600; tries++) await sleep(50);
    assert.deepEqual(new Set(counts), new Set([sent]), 'everybody heard everything');
    assert.deepEqual(new Set(revs), new Set([rev]));
  };
  for (let nth = 0; nth < WARM_UP; nth++) await change();
  await allHeard();
  const before = rssBytes(server.child.pid);

  const socket = await zeroWindow(server.port, slow.token);
  const peer = socket.localPort.toString(16).toUpperCase().padStart(4, '0');
  const startMs = Date.now();
  let most = before;
  while (openTo(server.port)(peer) && Date.now() - startMs < GONE_MS_MAX) {
    await change();
    most = Math.max(most, rssBytes(server.child.pid));
    await sleep(100);
  }
  const goneMs = Date.now() - startMs;
  assert.ok(goneMs < GONE_MS_MAX, `still there after ${goneMs} ms and ${sent} diffs`);
  for (let nth = 0; nth < WARM_UP; nth++) await change();
  await allHeard();
  for (let tries = 0; rssBytes(server.child.pid) - before > RSS_GROWTH_MAX && tries < 50; tries++) await sleep(100);
  const after = rssBytes(server.child.pid);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`gone after ${(goneMs / 1000).toFixed(1)} s and ${sent} diffs of 64 KB; memory ${megabytes(before)}, at most ${megabytes(most)}, then ${megabytes(after)}`);
  assert.ok(after - before <= RSS_GROWTH_MAX, `memory went from ${megabytes(before)} to ${megabytes(after)}`);
  socket.destroy();
});

// Rules: P19, R7, T5.
storyOnOwnServer('P19: whoever asks faster than they are answered waits for their answers, and is not cut off', { limits: 'on' }, async (server) => {
  const olha = await server.addUser('olha');
  const client = await server.connect(olha);
  const acks = await Promise.all(Array.from({ length: 3_000 }, (_, nth) => client.call('node:add', { title: `Step ${nth}` })));
  assert.deepEqual([acks.filter(({ ok }) => ok).length, acks.filter(({ error }) => error === 'rate_limited').length], [30, 2_970]);
  assert.ok(acks.slice(0, 30).every(({ ok }) => ok), 'in the order asked');
  const wrong = await Promise.all(Array.from({ length: 4_000 }, () => client.call('link:update', { id: 'x' })));
  assert.ok(wrong.every(({ ok }) => ok === false));
  assert.ok(client.socket.connected);
});

// Rules: P21, P19.
storyOnOwnServer('P21: more missed diffs than a line holds are caught up all the same, or loaded anew', {}, async (server) => {
  const [olha, petro] = [await server.addUser('olha'), await server.addUser('petro')];
  const hers = await server.connect(olha);
  const id = await hers.addNode({ title: 'Roof' });
  await hers.does('node:access', { id, email: petro.email });
  const his = await server.connect(petro);
  const { rev } = await his.does('graph:get');
  his.close();
  for (let nth = 0; nth < 15; nth++) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => hers.does('node:update', { id, title: `${nth} ${n}` })));
  }
  const back = await server.connect(petro);
  const { recovered } = await back.does('graph:sync', { since: rev });
  assert.equal(back.all('graph:diff').length, recovered ? 1_500 : 0);
  assert.ok(recovered, 'fifteen hundred small diffs are held');
  await back.does('ws:ping');
});
