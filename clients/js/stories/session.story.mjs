// Sessions from below: a browser's cookie and where its page is from; and a transport that changes under way.
import assert from 'node:assert/strict';
import { RawSocket } from '../raw.mjs';
import { stage } from '../story.mjs';
import { signedIn } from '../visitor.mjs';

const { server, story } = await stage();
/** Somebody with a session. */
const newSession = async (name) => signedIn(server, `${name}-${crypto.randomUUID().slice(0, 8)}`);
const OWN = () => `http://127.0.0.1:${server.port}`;
const EVIL = 'http://evil.example';
const ENDS_MS_MAX = 5_000;

const cookie = (visitor) => visitor.cookie;

/** Begins a session by polling; resolves with its path and what it hears next. */
async function poll(headers = {}) {
  const base = '/socket.io/?EIO=4&transport=';
  const begun = await fetch(`${server.url}${base}polling`, { headers });
  const { sid } = JSON.parse((await begun.text()).slice(1));
  const url = `${server.url}${base}polling&sid=${sid}`;
  return {
    path: `${base}websocket&sid=${sid}`,
    says: (packet) => fetch(url, { method: 'POST', body: packet, headers }),
    hears: async () => (await fetch(url, { headers })).text(),
  };
}

// Rules: T11, T13, T14.
story('A browser\'s session counts from a page of the server\'s own, and from no other', async () => {
  const olha = await newSession('olha');
  for (const [origin, ok] of [[OWN(), true], [undefined, true], [EVIL, false]]) {
    const extraHeaders = { Cookie: cookie(olha), Host: `127.0.0.1:${server.port}`, ...(origin && { Origin: origin }) };
    const connected = await server.socket(null, { how: 'none', extraHeaders }).hears('connected');
    assert.deepEqual([connected.ok, connected.client, connected.error], ok ? [true, 'web', undefined] : [false, undefined, 'forbidden.origin'], origin);
  }
  for (const [origin, status] of [[OWN(), 200], [undefined, 403], [EVIL, 403]]) {
    const headers = { cookie: cookie(olha), 'content-type': 'application/json', ...(origin && { origin }) };
    const answer = await fetch(`${server.url}/api/node`, { method: 'POST', headers, body: '{"title":"Roof"}' });
    assert.equal(answer.status, status, origin);
    if (status === 403) assert.equal((await answer.json()).error, 'forbidden.origin');
    assert.equal((await fetch(`${server.url}/api/graph`, { headers: { cookie: cookie(olha) } })).status, 200);
  }
});

// Rules: T11.
story('A cookie that comes with the upgrade is too late: nobody has judged where its page is from', async () => {
  const olha = await newSession('olha');
  const session = await poll();
  await session.says('40');
  const upgrade = await RawSocket.to(server, session.path, [`cookie: ${cookie(olha)}`, `origin: ${EVIL}`]);
  upgrade.text('2probe');
  assert.equal(await upgrade.hears('3probe'), '3probe');
  upgrade.text('5');
  const connected = await upgrade.hears('42["connected"');
  assert.equal(JSON.parse(connected.slice(2))[1].error, 'forbidden.auth_missing');
  upgrade.close();
});

// Rules: T13.
story('A request that is no upgrade does not keep the websocket of a dismissed client open', async () => {
  const session = await poll();
  const socket = await RawSocket.to(server, session.path, []);
  socket.text('2probe');
  assert.equal(await socket.hears('3probe'), '3probe');
  socket.text('5');
  socket.text('40{"api_token":"st_nobody"}');
  assert.match(await socket.hears('42["connected"'), /auth_invalid/);
  const decoy = await fetch(`${server.url}${session.path}`);
  assert.equal(decoy.status, 400);
  assert.ok(await socket.endsWithin(ENDS_MS_MAX), 'still open');
});
