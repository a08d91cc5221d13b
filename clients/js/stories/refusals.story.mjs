// Every mistake has its name, the same by ack and over REST, and changes nothing.
import assert from 'node:assert/strict';
import { HTTP_STATUS, isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const unused = () => crypto.randomUUID();

// A small graph to be mistaken about: a → b → c primary, d secondary to a, t in the trash; e is a stranger's.
const olha = await newUser('olha');
const petro = await newUser('petro');
const g = {};
{
  const hers = await server.connect(olha);
  for (const name of ['a', 'b', 'c', 'd', 't']) g[name] = await hers.addNode({ title: name });
  await hers.addLink(g.a, g.b);
  await hers.addLink(g.b, g.c);
  await hers.addLink(g.d, g.a, { type: 1 });
  await hers.does('node:trash', { id: g.t });
  hers.close();
  const his = await server.connect(petro);
  g.e = await his.addNode({ title: 'private to Petro' });
  his.close();
}

const OPERATIONS = {
  'node:add': ['POST', '/api/node'],
  'node:update': ['PUT', '/api/node'],
  'node:trash': ['POST', '/api/node/trash'],
  'node:restore': ['POST', '/api/node/restore'],
  'node:delete': ['DELETE', '/api/node'],
  'link:add': ['POST', '/api/link'],
};

const ends = (source, target, more) => ({ source, target, ...more });

// Rules: O7, O9, B7, B8.
const REFUSALS = [
  ['link:add', 'ids that are no ids', ends('123', '456', { type: 0 }), 'bad_request.invalid_source_target_id'],
  ['link:add', 'a source that is a number', ends(123, g.a), 'bad_request.invalid_source_target_id'],
  ['link:add', 'a source never used', ends(unused(), g.a), 'not_found.source_not_found'],
  ['link:add', 'a target never used', ends(g.a, unused()), 'not_found.target_not_found'],
  ['link:add', 'a stranger\'s node as source', ends(g.e, g.a), 'not_found.source_not_found'],
  ['link:add', 'a stranger\'s node as target', ends(g.a, g.e), 'not_found.target_not_found'],
  ['link:add', 'a source in the trash', ends(g.t, g.a), 'bad_request.source_in_trash'],
  ['link:add', 'a target in the trash', ends(g.a, g.t), 'bad_request.target_in_trash'],
  ['link:add', 'a node and itself', ends(g.a, g.a), 'bad_request.self_link_not_allowed'],
  ['link:add', 'a link that is there', ends(g.a, g.b), 'conflict.duplicate_link'],
  ['link:add', 'a link that is there the other way', ends(g.b, g.a), 'conflict.duplicate_reversed_link'],
  ['link:add', 'a link that closes a cycle', ends(g.c, g.a), 'conflict.dependency_cycle'],
  ['link:add', 'a type there is not', ends(g.a, g.c, { type: 2 }), 'bad_request.invalid_link_type'],
  ['link:add', 'a private that is no bool', ends(g.a, g.c, { private: 1 }), 'bad_request.invalid_link_private'],
  ['link:add', 'a field there is not', ends(g.a, g.c, { colour: 'red' }), 'bad_request.unknown_field'],
  ['node:add', 'a title of 81 letters', { title: 'ї'.repeat(81) }, 'bad_request.title_too_long'],
  ['node:add', 'a description of 401 letters', { description: 'ї'.repeat(401) }, 'bad_request.description_too_long'],
  ['node:add', 'a control character', { title: 'a\u0000b' }, 'bad_request.invalid_text'],
  ['node:add', 'a status there is not', { status: 4 }, 'bad_request.invalid_status'],
  ['node:add', 'a due date that is no time', { dueDate: '31.12.2030' }, 'bad_request.invalid_due_datetime'],
  ['node:add', '33 tags', { tags: Array.from({ length: 33 }, (_, i) => `t${i}`) }, 'bad_request.too_many_tags'],
  ['node:add', 'a blank tag', { tags: ['  '] }, 'bad_request.tag_empty'],
  ['node:add', 'a tag of 51 letters', { tags: ['x'.repeat(51)] }, 'bad_request.tag_too_long'],
  ['node:add', 'tags that are no list', { tags: 'a,b' }, 'bad_request.invalid_tags'],
  ['node:add', 'priority 10', { priority: 10 }, 'bad_request.invalid_priority'],
  ['node:add', 'volume −1', { volume: -1 }, 'bad_request.invalid_volume'],
  ['node:add', 'independent as text', { independent: 'true' }, 'bad_request.invalid_independent'],
  ['node:add', 'a position as text', { x: 'left' }, 'bad_request.invalid_position'],
  ['node:add', 'a target never used', { target: unused() }, 'not_found.target_not_found'],
  ['node:add', 'two mistakes: the first by the table of fields is told', { priority: 10, title: 'x'.repeat(81) }, 'bad_request.title_too_long'],
  ['node:update', 'nothing to change', { id: g.a }, 'bad_request.no_fields_to_update'],
  ['node:update', 'a field that never changes', { id: g.a, createdTime: '2030-01-01T00:00:00Z' }, 'bad_request.immutable_field'],
  ['node:update', 'a field there is not', { id: g.a, colour: 'red' }, 'bad_request.unknown_field'],
  ['node:update', 'Blocked set by hand', { id: g.a, status: 2 }, 'bad_request.status_blocked'],
  ['node:update', 'any status of a held node', { id: g.b, status: 3 }, 'bad_request.node_blocked'],
  ['node:update', 'a version gone by', { id: g.a, title: 'x', version: 99 }, 'conflict.version_conflict'],
  ['node:update', 'a version that no node ever has', { id: g.a, title: 'x', version: -1 }, 'conflict.version_conflict'],
  ['node:update', 'a version beyond all numbers', { id: g.a, title: 'x', version: 1e20 }, 'conflict.version_conflict'],
  ['node:update', 'an id that is no id', { id: 'a', title: 'x' }, 'bad_request.invalid_node_id'],
  ['node:update', 'an id never used', { id: unused(), title: 'x' }, 'not_found.node_not_found'],
  ['node:update', 'a stranger\'s node', { id: g.e, title: 'x' }, 'not_found.node_not_found'],
  ['node:trash', 'a stranger\'s node', { id: g.e }, 'not_found.node_not_found'],
  ['node:restore', 'an active node', { id: g.a }, 'bad_request.not_trashed_node'],
  ['node:delete', 'an active node', { id: g.a }, 'bad_request.cant_delete_active_node'],
];

const everything = async (client) => {
  const { nodes, links } = await client.does('graph:get');
  const trash = await client.does('trash:page');
  return { nodes, links, trash: [trash.nodes, trash.links] };
};

for (const [event, what, payload, error] of REFUSALS) {
  // Rules: O1, O3, O7, B7, B8, A10.
  story(`${event} with ${what} is ${error} and leaves no trace`, async () => {
    const client = await server.connect(olha);
    const before = await everything(client);
    isRefusal(await client.call(event, payload), error);
    const [method, path] = OPERATIONS[event];
    const { status, body, headers } = await server.rest(olha, method, path, payload);
    isRefusal(body, error);
    assert.equal(status, HTTP_STATUS[error.split('.')[0]]);
    assert.equal(headers.get('x-trace-id'), body.trace_id);
    assert.deepEqual(await everything(client), before);
    assert.deepEqual(client.all('graph:diff'), []);
  });
}

// Rules: A9, T22.
story('A stranger\'s node and a node that never was are answered alike, but for the trace', async () => {
  const client = await server.connect(olha);
  for (const [event, ofId] of [
    ['node:trash', (id) => ({ id })],
    ['node:publish', (id) => ({ id })],
    ['link:add', (id) => ends(id, g.a)],
    ['link:add', (id) => ends(g.a, id)],
  ]) {
    const id = unused();
    const alike = (answer, own) => JSON.stringify({ ...answer, trace_id: '' }).replaceAll(own, '(id)');
    const [hidden, missing] = [await client.call(event, ofId(g.e)), await client.call(event, ofId(id))];
    assert.equal(alike(hidden, g.e), alike(missing, id), event);
  }
});

for (const payload of ['text', 7, null, [1, 2], true]) {
  // Rules: T21.
  story(`A payload that is ${JSON.stringify(payload)} instead of an object is fields_must_be_dict`, async () => {
    const client = await server.connect(olha);
    isRefusal(await client.call('link:add', payload), 'bad_request.fields_must_be_dict');
    const { body } = await server.rest(olha, 'POST', '/api/link', JSON.stringify(payload));
    isRefusal(body, 'bad_request.fields_must_be_dict');
  });
}

for (const [what, text] of [
  ['cut short', '{"title": "x"'],
  ['no JSON at all', 'title=x'],
  ['a key given twice', '{"title": "x", "title": "y"}'],
  ['NaN', '{"x": NaN}'],
]) {
  // Rules: T20.
  story(`A body that is ${what} is malformed_json`, async () => {
    const { status, body } = await server.rest(olha, 'POST', '/api/node', text);
    assert.equal(status, 400);
    isRefusal(body, 'bad_request.malformed_json');
  });
}
