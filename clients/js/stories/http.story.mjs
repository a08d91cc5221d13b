// HTTP as clients and browsers expect it: HEAD, OPTIONS, other origins, encodings, and who is asked to say who they are.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { RawTcp } from '../raw.mjs';
import { isRefusal } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';

const { server, story, newUser } = await stage();

/** One HTTP call with headers of one's own, which `fetch` would not send; resolves with {status, headers, text}. */
function ask(on, method, path, headers = {}, body = '') {
  return new Promise((resolve, reject) => {
    const call = request(on.url + path, { method, headers, agent: false });
    call.on('error', reject);
    call.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    call.end(body);
  });
}

const bearer = (user) => ({ authorization: `Bearer ${user.token}` });
const sorted = (list) => list.split(',').map((one) => one.trim()).sort();

// Rules: T24.
story('HEAD is answered as GET is, without the body', async () => {
  const olha = await newUser('olha');
  await server.rest(olha, 'POST', '/api/node', { title: 'Roof' });
  for (const [path, headers, status] of [
    ['/api/health', {}, 200],
    ['/api/graph', bearer(olha), 200],
    ['/api/graph?limit=0', bearer(olha), 400],
    ['/api/graph', {}, 401],
    ['/api/nothing', bearer(olha), 404],
    ['/api/node', bearer(olha), 405],
  ]) {
    const [get, head] = [await ask(server, 'GET', path, headers), await ask(server, 'HEAD', path, headers)];
    assert.deepEqual([get.status, head.status, head.text], [status, status, ''], path);
    assert.equal(Number(head.headers['content-length']), get.text.length, path);
    const told = ({ 'x-trace-id': _, date: __, ...others }) => others;
    assert.deepEqual(told(head.headers), told(get.headers), path);
    assert.match(head.headers['x-trace-id'], /^[0-9a-f]{12}$/);
  }
});

// Rules: T24.
story('OPTIONS is 204 with the methods of the path in Allow, and of no path 404', async () => {
  for (const [path, methods] of [
    ['/api/health', 'GET, HEAD, OPTIONS'],
    ['/api/graph', 'GET, HEAD, OPTIONS'],
    ['/api/node', 'DELETE, OPTIONS, POST, PUT'],
    ['/socket.io/', 'GET, OPTIONS, POST'],
  ]) {
    const answer = await ask(server, 'OPTIONS', path);
    assert.deepEqual([answer.status, answer.text], [204, ''], path);
    assert.equal(answer.headers['content-length'], undefined, 'a 204 has no length');
    assert.deepEqual(sorted(answer.headers.allow), sorted(methods), path);
  }
  const nothing = await ask(server, 'OPTIONS', '/api/nothing');
  assert.equal(nothing.status, 404);
  isRefusal(JSON.parse(nothing.text), 'not_found.route');
});

// Rules: T2, T24.
story('Whoever takes a wrong method is told the right ones', async () => {
  const olha = await newUser('olha');
  const answer = await ask(server, 'PATCH', '/api/graph', bearer(olha));
  assert.equal(answer.status, 405);
  assert.deepEqual(sorted(answer.headers.allow), ['GET', 'HEAD', 'OPTIONS']);
});

// Rules: T12.
story('A 401 says how to authenticate', async () => {
  for (const headers of [{}, { authorization: 'Bearer st_nobody' }]) {
    const answer = await ask(server, 'GET', '/api/graph', headers);
    assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer']);
  }
});

// Rules: T26, T18.
story('A body in an encoding is refused as such, also where the encoding is a lie; what it is called else does not matter', async () => {
  const olha = await newUser('olha');
  const json = JSON.stringify({ title: 'Roof' });
  for (const [encoding, body] of [['gzip', gzipSync(json)], ['gzip', json], ['br', json], ['identity, gzip', json], ['x', json]]) {
    const answer = await ask(server, 'POST', '/api/node', { ...bearer(olha), 'content-encoding': encoding }, body);
    assert.equal(answer.status, 415, encoding);
    isRefusal(JSON.parse(answer.text), 'bad_request.unsupported_encoding');
    assert.equal(answer.headers['accept-encoding'], 'identity');
  }
  assert.deepEqual((await server.rest(olha, 'GET', '/api/graph')).body.nodes, []);
  for (const headers of [{ 'content-encoding': 'Identity' }, { 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencoded' }, {}]) {
    const answer = await ask(server, 'POST', '/api/node', { ...bearer(olha), ...headers }, json);
    assert.equal(answer.status, 200, JSON.stringify(headers));
  }
  const polled = await ask(server, 'POST', '/socket.io/?EIO=4&transport=polling&sid=x', { 'content-encoding': 'gzip' }, gzipSync('40'));
  assert.equal(polled.status, 415);
});

/** What is answered to these bytes before the connection ends: status, headers and body. */
async function answerTo(bytes, on = server) {
  const raw = new RawTcp(on);
  await raw.connected;
  raw.write(bytes);
  assert.ok(await raw.endsWithin(5_000), 'the connection ends');
  const [head, body] = raw.received.toString().split('\r\n\r\n');
  const [line, ...headers] = head.split('\r\n');
  return { line, headers: Object.fromEntries(headers.map((one) => one.split(': '))), body };
}

// Rules: T2, T24.
story('A method that the Socket.IO paths do not take is 405, with those that they do', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD']) {
    const answer = await ask(server, method, '/socket.io/?EIO=4&transport=polling');
    assert.deepEqual([answer.status, sorted(answer.headers.allow ?? '')], [405, ['GET', 'OPTIONS', 'POST']], method);
    if (method !== 'HEAD') isRefusal(JSON.parse(answer.text), 'not_found.method');
  }
});

// Rules: T20.
story('A body that ends early is malformed over the polling transport as over REST', async () => {
  const { line, body } = await answerTo('POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n');
  assert.match(line, /^HTTP\/1.1 400 /);
  isRefusal(JSON.parse(body), 'bad_request.malformed_json');
});

// Rules: T29. Without CORS headers the library's refusal looks most like that of a request that is not HTTP.
storyOnOwnServer('A refusal of the Socket.IO library to a client that closes is sent as it is', { settings: 'cors = "off"\n' }, async (own) => {
  const bytes = 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  const { line, headers, body } = await answerTo(bytes, own);
  assert.match(line, /^HTTP\/1.1 400 /);
  assert.deepEqual([headers['content-length'], body], ['0', '']);
});

const MANY_HEADERS = Array.from({ length: 200 }, (_, i) => `x-${i}: ${i}\r\n`).join('');
// Rules: T29.
const UNREADABLE = [
  ['that is no HTTP', 'hello there\r\n\r\n', 400, 'bad_request.malformed_request'],
  ['with a header that is none', 'GET /api/health HTTP/1.1\r\nhost: x\r\nno header\r\n\r\n', 400, 'bad_request.malformed_request'],
  ['with two lengths', 'POST /api/node HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400, 'bad_request.malformed_request'],
  ['with a path of 70,000 characters', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 414, 'bad_request.uri_too_long'],
  ['with 200 headers', `GET /api/health HTTP/1.1\r\nhost: x\r\n${MANY_HEADERS}\r\n`, 431, 'bad_request.headers_too_large'],
  ['with a header of a million characters', `GET /api/health HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`, 431, 'bad_request.headers_too_large'],
];
for (const [what, bytes, status, error] of UNREADABLE) {
  story(`A request ${what} is answered ${status} with the error object`, async () => {
    const { line, headers, body } = await answerTo(bytes);
    assert.match(line, new RegExp(`^HTTP/1.1 ${status} `));
    const answer = JSON.parse(body);
    isRefusal(answer, error);
    assert.deepEqual(
      [headers['content-type'], headers['content-length'], headers['x-trace-id'], headers.connection],
      ['application/json', String(Buffer.byteLength(body)), answer.trace_id, 'close'],
    );
  });
}

const PAGE = 'https://page.example';
const LISTED = 'https://app.example';
const asked = (method) => ({ 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' });

/** What an answer says to a browser. */
function cors({ headers }) {
  const told = Object.entries(headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary');
  return Object.fromEntries(told.map(([name, value]) => [name.replace('access-control-', ''), value.toLowerCase()]));
}

const FOR_ALL = { 'allow-origin': '*', 'expose-headers': 'x-trace-id, retry-after, etag' };
const FOR_LISTED = { 'allow-origin': LISTED, 'allow-credentials': 'true', 'expose-headers': 'x-trace-id, retry-after, etag' };
const PREFLIGHT = { 'allow-methods': 'get, head, post, put, delete', 'allow-headers': 'authorization, content-type, if-none-match', 'max-age': '3600' };

const PLACES = [
  ['GET', '/api/health', 200],
  ['GET', '/api/graph', 401],
  ['GET', '/api/nothing', 404],
  ['DELETE', '/api/graph', 405],
  ['GET', '/socket.io/?EIO=4&transport=polling', 200],
  ['POST', '/ext-socket.io/?EIO=4&transport=polling&sid=none', 400],
];

/** Holds what is told to pages of an origin, wherever they ask, and to their preflights. */
async function tells(on, origin, expected, preflight) {
  for (const [method, path, status] of PLACES) {
    const answer = await ask(on, method, path, { origin });
    assert.equal(answer.status, status, path);
    assert.deepEqual(cors(answer), expected, `${method} ${path} for ${origin}`);
    const before = await ask(on, 'OPTIONS', path, { origin, ...asked(method) });
    if (expected.vary || expected['allow-origin']) assert.equal(before.status, 204, `a preflight of ${path}`);
    assert.deepEqual(cors(before), preflight, `a preflight of ${method} ${path} for ${origin}`);
  }
}

// Rules: T25, T29. The origin of a request that cannot be read is not known.
story('A page of any origin may read why its request could not be read', async () => {
  const { headers } = await answerTo(`GET /${'a'.repeat(70_000)} HTTP/1.1\r\nhost: x\r\norigin: ${PAGE}\r\n\r\n`);
  assert.deepEqual(cors({ headers }), FOR_ALL);
});

// Rules: T25.
story('A page of any origin may call with a token, over REST and by polling, and read what is refused', async () => {
  await tells(server, PAGE, FOR_ALL, { ...FOR_ALL, ...PREFLIGHT });
});

for (const [cors, others, othersPreflight] of [
  ['any', { ...FOR_ALL, vary: 'origin' }, { ...FOR_ALL, ...PREFLIGHT, vary: 'origin' }],
  ['listed', { vary: 'origin' }, { vary: 'origin' }],
]) {
  // Rules: T25.
  storyOnOwnServer(`With cors = "${cors}" the pages of an allowed origin may bring cookies, and no others`, { settings: `cors = "${cors}"\nallowed_origins = ["${LISTED}"]\n` }, async (own) => {
    await tells(own, LISTED, { ...FOR_LISTED, vary: 'origin' }, { ...FOR_LISTED, ...PREFLIGHT, vary: 'origin' });
    await tells(own, PAGE, others, othersPreflight);
    await tells(own, 'null', others, othersPreflight);
  });
}

// Rules: T25.
storyOnOwnServer('With cors = "off" no page of another origin is told anything', { settings: `cors = "off"\nallowed_origins = ["${LISTED}"]\n` }, async (own) => {
  for (const origin of [LISTED, PAGE]) await tells(own, origin, {}, {});
});
