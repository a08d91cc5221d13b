// Behind a reverse proxy: where a client is, and which address and scheme it used, is what a trusted proxy says.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { storyOnOwnServer } from '../story.mjs';
import { signedIn } from '../visitor.mjs';

/** One HTTP call with headers of one's own; resolves with its status. */
function ask(server, method, path, headers) {
  return new Promise((resolve, reject) => {
    const call = request(server.url + path, { method, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    call.on('error', reject);
    call.end(method === 'GET' ? '' : '{}');
  });
}

const TRUSTING = (proxies) => `trusted_proxies = ${JSON.stringify(proxies)}\n[limits]\n"health.minute" = "1/1m"\n`;
const proxied = (name, proxies, tell) =>
  storyOnOwnServer(name, { limits: 'on', settings: TRUSTING(proxies) }, tell);

/** Whether an address is counted for the first time: each may ask once. */
const isNew = async (server, headers) => (await ask(server, 'GET', '/api/health', headers)) === 200;

// The stage has asked from 127.0.0.1 already, to see the server come up: who counts as the proxy is never new.
const SAME_CLIENT = [
  { 'x-forwarded-for': '31.1.1.2' },
  { 'x-forwarded-for': '31.1.1.2:40000' },
  { 'x-forwarded-for': '"31.1.1.2:40001"' },
  { 'x-forwarded-for': '203.0.113.7, 31.1.1.2:40002' },
  { 'x-forwarded-for': '[::ffff:31.1.1.2]:40003, 10.1.2.3:50000' },
  { 'x-forwarded-for': '31.1.1.2, 10.1.2.3, 2001:db8:1::7' },
  { 'x-forwarded-for': '31.1.1.2', forwarded: 'for=203.0.113.7' },
  { forwarded: 'for="31.1.1.2:40000";proto=https;host=tasks.example' },
  { forwarded: 'for=203.0.113.7, For=31.1.1.2;by=10.0.0.1, for="[2001:db8:1::7]:40000"' },
];

// Rules: T27.
proxied('A client is counted by its own address, with a port or without, through every proxy that is trusted', ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:1::/48'], async (server) => {
  assert.equal(await isNew(server, SAME_CLIENT[0]), true);
  for (const headers of SAME_CLIENT) assert.equal(await isNew(server, headers), false, JSON.stringify(headers));
  for (const address of ['[2001:db8:2::1]:40000', '2001:db8:3::1', '"[2001:db8:4::1]:40000"']) {
    assert.equal(await isNew(server, { 'x-forwarded-for': address }), true, address);
    assert.equal(await isNew(server, { 'x-forwarded-for': address }), false, address);
    assert.equal(await isNew(server, { forwarded: `for="${address.replaceAll('"', '')}"` }), false, address);
  }
  for (const nonsense of ['unknown', '_hidden', '1.2.3', '1.2.3.4:x', '[1.2.3.4', '']) {
    assert.equal(await isNew(server, { 'x-forwarded-for': nonsense }), false, `${nonsense} is the proxy's own`);
  }
});

// Rules: T27.
proxied('Of a proxy that is not trusted nothing is believed', ['10.0.0.0/8', '192.0.2.1'], async (server) => {
  for (const headers of SAME_CLIENT) assert.equal(await isNew(server, headers), false, JSON.stringify(headers));
});

/** What a change by cookie is answered from these headers: 403 for another origin's page, else 200. */
const changes = (server, user, headers) => ask(server, 'POST', '/api/node', { cookie: user.cookie, ...headers });

const OWN = [
  [{ host: 'tasks.example:443', origin: 'https://tasks.example' }, 200],
  [{ host: 'tasks.example:80', origin: 'http://tasks.example' }, 200],
  [{ host: 'tasks.example', origin: 'https://Tasks.example' }, 200],
  [{ host: 'tasks.example', origin: 'http://tasks.example' }, 200],
  [{ host: '[2001:db8::1]:8000', origin: 'http://[2001:db8::1]:8000' }, 200],
  [{ host: 'tasks.example:80', origin: 'https://tasks.example' }, 403],
  [{ host: 'tasks.example:443', origin: 'http://tasks.example' }, 403],
  [{ host: 'tasks.example', origin: 'https://tasks.example:8443' }, 403],
  [{ host: 'tasks.example', origin: 'https://tasks.example.evil.example' }, 403],
  [{ host: 'tasks.example', origin: 'https://me@tasks.example' }, 403],
  [{ host: 'tasks.example', origin: 'ftp://tasks.example' }, 403],
  [{ host: 'tasks.example', origin: 'null' }, 403],
];
const FORWARDED = [
  [{ host: 'inside:8000', 'x-forwarded-host': 'tasks.example', 'x-forwarded-proto': 'https', origin: 'https://tasks.example' }, 200],
  [{ host: 'inside:8000', 'x-forwarded-host': 'tasks.example:443', 'x-forwarded-proto': 'https', origin: 'https://tasks.example' }, 200],
  [{ host: 'inside:8000', forwarded: 'for=31.1.1.2;host="tasks.example:8443";proto=https', origin: 'https://tasks.example:8443' }, 200],
];
const FORWARDED_FOREIGN = [
  [{ host: 'inside:8000', 'x-forwarded-host': 'tasks.example', 'x-forwarded-proto': 'https', origin: 'http://tasks.example' }, 403],
  [{ host: 'inside:8000', 'x-forwarded-host': 'tasks.example', origin: 'https://inside:8000' }, 403],
  [{ host: 'inside:8000', 'x-forwarded-for': '31.1.1.2', forwarded: 'host=evil.example', origin: 'https://evil.example' }, 403],
];

// Rules: T28.
proxied('The pages of the server\'s own origin may change things by cookie, however that origin is written', ['127.0.0.1'], async (server) => {
  const olha = await signedIn(server, 'olha');
  for (const [headers, status] of [...OWN, ...FORWARDED, ...FORWARDED_FOREIGN]) {
    assert.equal(await changes(server, olha, headers), status, JSON.stringify(headers));
  }
});

// Rules: T11, T27, T28.
proxied('A browser\'s session opens a socket through a proxy from the server\'s own pages, and from no other', ['127.0.0.1'], async (server) => {
  const olha = await signedIn(server, 'olha');
  const connected = async (more) => {
    const extraHeaders = { Cookie: olha.cookie, 'X-Forwarded-Host': 'tasks.example', 'X-Forwarded-Proto': 'https', ...more };
    return (await server.socket(null, { how: 'none', extraHeaders })).hears('connected');
  };
  assert.equal((await connected({ Origin: 'https://tasks.example' })).client, 'web');
  for (const more of [{ Origin: 'http://tasks.example' }, { Origin: 'https://tasks.example', 'X-Forwarded-Host': 'other.example' }]) {
    assert.equal((await connected(more)).error, 'forbidden.origin', JSON.stringify(more));
  }
});

// Rules: T27, T28.
proxied('What an unknown client says of host and scheme makes no page the server\'s own', [], async (server) => {
  const olha = await signedIn(server, 'olha');
  for (const [headers, status] of OWN) assert.equal(await changes(server, olha, headers), status, JSON.stringify(headers));
  for (const [headers] of FORWARDED) assert.equal(await changes(server, olha, headers), 403, JSON.stringify(headers));
});
