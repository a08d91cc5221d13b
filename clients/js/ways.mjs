// One operation, two transports. Where each stands is written down here a second time, from the API's pages and not from
// the server's own table, so that neither can drift alone.
import assert from 'node:assert/strict';
import { judged } from './described.mjs';
import { HTTP_STATUS, isTraceId } from './shapes.mjs';

const PUBLISH = ['/api/node/publish', '/api/node/public'];

/** event: [method, every path]; null where there is no REST form. */
export const ROUTES = {
  'graph:get': ['GET', ['/api/graph', '/api/nodes']],
  'branch:get': ['GET', ['/api/branch']],
  'trash:page': ['GET', ['/api/trash']],
  'trash:list': null,
  'history:page': ['GET', ['/api/history']],
  'graph:why': ['GET', ['/api/why']],
  'graph:ready': ['GET', ['/api/ready']],
  'graph:critical': ['GET', ['/api/critical']],
  'graph:sync': null,
  'graph:apply': ['POST', ['/api/batch']],
  'account:get': ['GET', ['/api/account']],
  'node:add': ['POST', ['/api/node']],
  'node:update': ['PUT', ['/api/node']],
  'node:delete': ['DELETE', ['/api/node']],
  'node:trash': ['POST', ['/api/node/trash']],
  'node:duplicate': ['POST', ['/api/node/duplicate']],
  'node:restore': ['POST', ['/api/node/restore']],
  'link:add': ['POST', ['/api/link']],
  'link:update': ['PUT', ['/api/link']],
  'link:delete': ['DELETE', ['/api/link']],
  'link:trash': ['POST', ['/api/link/trash']],
  'link:restore': ['POST', ['/api/link/restore']],
  'link:swap': ['POST', ['/api/link/swap']],
  'node:publish': ['POST', PUBLISH],
  'node:publish:update': ['PUT', PUBLISH],
  'node:unpublish': ['DELETE', PUBLISH],
  'node:embed': ['POST', ['/api/node/embed']],
  'node:unembed': ['DELETE', ['/api/node/embed']],
  'node:access': ['POST', ['/api/node/access']],
  'node:access:update': ['PUT', ['/api/node/access']],
  'node:access:delete': ['DELETE', ['/api/node/access']],
  'node:grants': ['GET', ['/api/node/access']],
  'access:visibilityupdate': ['PUT', ['/api/account/access']],
  'trash:restore': ['POST', ['/api/trash/restore']],
  'trash:purge': ['DELETE', ['/api/trash']],
  'trash:empty': null,
  'history:undo': ['POST', ['/api/history/undo']],
  'history:redo': ['POST', ['/api/history/redo']],
  'batch:undo': null,
  'batch:redo': null,
  'settings:username': ['PUT', ['/api/account']],
  'settings:view': ['PUT', ['/api/account/view']],
  'ws:ping': null,
};

/** What an answer is but for what differs from one to the next: its trace, and over REST its time. */
const bare = (text) => text.replace(/"trace_id":"[0-9a-f]{12}"/, '"trace_id":""');

/** Asks over a socket. The answer's `bare` is its very text as it arrived, without the trace. */
export async function overSocket(client, event, payload) {
  const { engine } = client.socket.io;
  const texts = [];
  const note = ({ type, data }) => type === 'message' && typeof data === 'string' && texts.push(data);
  engine.on('packet', note);
  const body = await client.call(event, payload);
  engine.off('packet', note);
  const written = JSON.stringify(body);
  const text = texts.find((one) => /^3\d+\[/.test(one) && JSON.stringify(JSON.parse(one.slice(one.indexOf('[')))[0]) === written);
  isTraceId(body.trace_id);
  return { body, bare: text && bare(text.slice(text.indexOf('['))) };
}

/** Asks over REST, on the operation's `nth` path. The status must be the one of the answer's class. */
export async function overRest(server, user, event, payload = {}, nth = 0) {
  const [method, paths] = ROUTES[event];
  const headers = { authorization: `Bearer ${user.token}` };
  let path = paths[nth];
  let sent;
  if (method === 'GET') {
    path += `?${new URLSearchParams(payload)}`;
  } else {
    headers['content-type'] = 'application/json';
    sent = JSON.stringify(payload);
  }
  const answer = await fetch(server.url + path, { method, headers, body: sent });
  const text = await answer.text();
  const body = JSON.parse(text);
  judged('answer', method, path, answer.status, body);
  assert.equal(answer.status, body.ok ? 200 : HTTP_STATUS[body.error.split('.')[0]], `${event}: ${text.slice(0, 300)}`);
  assert.equal(answer.headers.get('x-trace-id'), body.trace_id);
  isTraceId(body.trace_id);
  const told = [...answer.headers].filter(([name]) => name !== 'x-trace-id' && name !== 'date').sort();
  return { body, bare: `${answer.status} ${JSON.stringify(told)} ${bare(text)}` };
}

/** `ask(user, event, payload)` for each way; a user's socket is opened when it is first needed. */
export function waysOf(server) {
  const clients = new Map();
  const clientOf = async (user) => {
    const open = clients.get(user);
    if (open && (await open).socket.connected) return open;
    clients.set(user, server.connect(user));
    return clients.get(user);
  };
  return {
    clientOf,
    'a socket': async (user, event, payload) => overSocket(await clientOf(user), event, payload),
    REST: async (user, event, payload, nth) => overRest(server, user, event, payload, nth),
  };
}

export const WAYS = ['a socket', 'REST'];
export const goesOver = (event, way) => way === 'a socket' || ROUTES[event] !== null;
