// Everything a client could get wrong in a payload, sent to a running server: each has its answer, and a hundred
// thousand of them leave the server as it was.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { RawHttp, RawSocket } from '../raw.mjs';
import { HTTP_STATUS } from '../shapes.mjs';
import { stage } from '../story.mjs';
import { ROUTES } from '../ways.mjs';

const COUNT = 100_000;
const WARM_UP = 10_000;
const GROWTH_MB_MAX = 64;
const OVER_REST_ONE_IN = 8;
const [SOCKETS, HTTPS, IN_FLIGHT] = [4, 4, 48];

/** The table of crates/server/tests/hostile, as its example prints it: `{event, payload, code}` a line. */
function readTable() {
  const path = process.env.SYNAPTASK_HOSTILE;
  assert.ok(path, 'set SYNAPTASK_HOSTILE to the printed table of hostile payloads');
  return readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
}

const table = readTable();
const isGet = ({ event }) => ROUTES[event]?.[0] === 'GET';
const goesOverRest = (one) => ROUTES[one.event] && !isGet(one);
const wrong = [];

/** One payload over a socket: refused with its code. */
async function overSocket(socket, { event, payload, code }) {
  const ack = await socket.ask(event, payload);
  if (!ack?.startsWith(`{"ok":false,"error":"bad_request.${code}","code":"${code}","message":"`)) {
    wrong.push(`${event} ${payload.slice(0, 100)}: wanted ${code}, got ${String(ack).slice(0, 200)}`);
  }
}

/** The same over REST. */
async function overRest(http, token, { event, payload, code }) {
  const [method, [path]] = ROUTES[event];
  const answer = await http.ask(method, path, token, payload);
  if (answer?.status !== HTTP_STATUS.bad_request || !answer.body.startsWith(`{"ok":false,"error":"bad_request.${code}",`)) {
    wrong.push(`${method} ${path} ${payload.slice(0, 100)}: wanted ${code}, got ${JSON.stringify(answer)?.slice(0, 200)}`);
  }
}

/** Sends each of `cases` with `send`, some at a time. */
async function sendAll(cases, send) {
  let next = 0;
  const worker = async () => {
    while (next < cases.length && wrong.length < 20) await send(cases[next++]);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

function allRight() {
  assert.deepEqual(wrong.splice(0), []);
}

const { server, story, newUser } = await stage();
const olha = await newUser('olha');
const sockets = () => Promise.all(Array.from({ length: SOCKETS }, () => RawSocket.open(server, olha)));
const https = async () => {
  const opened = Array.from({ length: HTTPS }, () => new RawHttp(server));
  await Promise.all(opened.map((one) => one.connected));
  return opened;
};
const client = await server.connect(olha);
const id = await client.addNode({ title: 'Roof' });
const before = await client.does('graph:get');

/** Nothing has been done, and everything still works. */
async function isAsBefore() {
  const now = await server.connect(olha);
  const { nodes, links } = await now.does('graph:get');
  assert.deepEqual([nodes, links], [before.nodes, before.links]);
  await server.cli('check');
}

// Rules: O1, O4, O5, T4, T21.
story(`${table.length} hostile payloads over a socket are each refused with the code of the table`, async () => {
  assert.ok(table.length >= 500);
  const [socket] = await sockets();
  await sendAll(table, (one) => overSocket(socket, one));
  allRight();
  await isAsBefore();
});

const bodies = table.filter(goesOverRest);
// Rules: O1, O4, O5, T4, T21.
story(`${bodies.length} hostile bodies over REST are each refused with the code of the table`, async () => {
  assert.ok(bodies.length >= 500);
  const [http] = await https();
  await sendAll(bodies, (one) => overRest(http, olha.token, one));
  allRight();
  await isAsBefore();
});

for (const [path, queries] of Object.entries({
  '/api/graph': [['limit=0', 'out_of_range'], ['limit=5001', 'out_of_range'], ['offset=-1', 'out_of_range'],
    ['limit=99999999999999999999', 'out_of_range'], ['limit=1.0', 'invalid_limit'], ['limit=', 'invalid_limit'],
    ['limit=1e2', 'invalid_limit'], ['limit=NaN', 'invalid_limit'], ['limit=%00', 'invalid_limit'], ['offset=a', 'invalid_offset'],
    ['limit=1&limit=1', 'malformed_json'], ['limit=%', 'malformed_json'], ['limit=%ff', 'malformed_json'],
    ['limit=%ed%a0%80', 'malformed_json'], ['nonsense=1', 'unknown_field'], ['__proto__=1', 'unknown_field'], ['batchId=1', 'unknown_field']],
  '/api/trash': [['limit=0', 'out_of_range'], ['limit=1001', 'out_of_range'], ['limit=all', 'invalid_limit'], ['offset=1.5', 'invalid_offset']],
  '/api/branch': [['', 'missing_id'], [`root=${'x'.repeat(101)}`, 'invalid_node_id'], [`root=${id}&root=${id}`, 'malformed_json'],
    [`root=${id}&limit=0`, 'out_of_range'], [`root=${id}&Limit=1`, 'unknown_field']],
  '/api/account': [['limit=1', 'unknown_field'], ['%=', 'malformed_json']],
})) {
  // Rules: T1, G7, T20.
  story(`${queries.length} hostile queries of GET ${path} are each refused with their code`, async () => {
    const [http] = await https();
    for (const [query, code] of queries) {
      const { status, body } = await http.ask('GET', `${path}?${query}`, olha.token);
      assert.equal(status, 400, `${query}: ${body.slice(0, 200)}`);
      assert.equal(JSON.parse(body).error, `bad_request.${code}`, query);
    }
  });
}

// Rules: O1, O4.
story(`${COUNT} hostile payloads in a row leave the server's memory flat within ${GROWTH_MB_MAX} MB`, async () => {
  const [ways, calls] = [await sockets(), await https()];
  let sent = 0;
  const send = (one) => {
    sent += 1;
    if (sent % OVER_REST_ONE_IN === 0 && goesOverRest(one)) return overRest(calls[sent % HTTPS], olha.token, one);
    return overSocket(ways[sent % SOCKETS], one);
  };
  const many = (count) => Array.from({ length: count }, (_, i) => table[i % table.length]);
  await sendAll(many(WARM_UP), send);
  const warm = server.residentMb();
  let most = warm;
  const looking = setInterval(() => (most = Math.max(most, server.residentMb())), 100);
  const startMs = Date.now();
  await sendAll(many(COUNT), send);
  clearInterval(looking);
  allRight();
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  const after = server.residentMb();
  console.log(`${sent} payloads, ${COUNT} of them in ${seconds} s: ${warm.toFixed(1)} MB warm, ${most.toFixed(1)} at most, ${after.toFixed(1)} after`);
  assert.ok(most - warm < GROWTH_MB_MAX, `${warm} MB became ${most}`);
  for (const one of [...ways, ...calls]) one.close();
  await isAsBefore();
});
