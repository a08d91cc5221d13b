// The generated types against the table of the real server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { documents, generated } from '../generate.mjs';
import { declared, typeOf } from '../schema_types.mjs';

const skip = process.env.SYNAPTASK_BIN ? false : 'set SYNAPTASK_BIN to hold the types against the table of that binary';

test('src/generated.ts is what the table gives: otherwise run `make generate`', { skip }, () => {
  assert.equal(readFileSync(new URL('../src/generated.ts', import.meta.url), 'utf8'), generated(documents()));
});

test('An operation that the table gains has its types, its errors and its way without a line written for it', { skip }, () => {
  const { table, openapi, asyncapi } = documents();
  const input = { type: 'object', properties: { id: { type: 'string' }, force: { type: ['integer', 'null'] } }, required: ['id'], additionalProperties: false };
  const message = (payload) => ({ payload });
  table.push({ event: 'node:explode', about: 'Explodes a node.', overSockets: true, method: 'POST', paths: ['/api/node/explode'], input: [{ name: 'id', required: true }, { name: 'batchId', required: false }], errors: ['conflict.too_late'] });
  openapi.paths['/api/node/explode'] = { post: { operationId: 'nodeExplode', 'x-event': 'node:explode', responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Changed' } } } } } } };
  asyncapi.channels.namespace.messages.nodeExplode = message(input);
  asyncapi.channels.namespace.messages.nodeExplodeAck = message({});
  const of = (key) => ({ $ref: `#/channels/namespace/messages/${key}` });
  asyncapi.operations.nodeExplode = { action: 'receive', title: 'node:explode', messages: [of('nodeExplode')], reply: { messages: [of('nodeExplodeAck')] } };
  const text = generated({ table, openapi, asyncapi });
  assert.match(text, /export interface NodeExplodeInput \{\n {2}id: string;\n {2}force\?: number \| null;\n\}/);
  assert.match(text, /\/\*\* Explodes a node\. \*\/\n {2}'node:explode': \{\n {4}input: NodeExplodeInput;\n {4}output: Changed;\n {4}errors: 'conflict\.too_late';/);
  assert.match(text, / {2}\| 'conflict\.too_late'/);
  assert.match(text, /'node:explode': \{ rest: \['POST', '\/api\/node\/explode'\], socket: true, batch: 'batchId' \},/);
});

for (const [schema, type] of [
  [{ type: 'string', format: 'uuid' }, 'string'],
  [{ type: ['integer', 'null'] }, 'number | null'],
  [{ enum: [0, 1, null] }, '0 | 1 | null'],
  [{ type: 'array', items: { anyOf: [{ $ref: '#/components/schemas/Node' }, { $ref: '#/components/schemas/Phantom' }] } }, '(Node | Phantom)[]'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, 'Record<string, string>'],
  [{ type: 'object', additionalProperties: false }, 'Record<string, never>'],
  [{ type: 'object', properties: { ok: { const: true }, 'a-b': {} }, required: ['ok'], additionalProperties: false }, '{\n  ok: true;\n  "a-b"?: unknown;\n}'],
  [{ type: 'object', properties: { id: { type: 'string' } }, additionalProperties: false, anyOf: [{ required: ['id'] }] }, '{\n  id?: string;\n}'],
  [{ allOf: [{ $ref: '#/components/schemas/A' }, { type: 'object', properties: { b: { type: 'number' } } }] }, 'A & {\n  b?: number;\n  [field: string]: unknown;\n}'],
]) {
  test(`${JSON.stringify(schema)} is ${JSON.stringify(type)}`, () => assert.equal(typeOf(schema), type));
}

test('A keyword or type that has no meaning for a type is refused, and comments cannot be broken out of', () => {
  assert.throws(() => typeOf({ if: {} }), /keyword if/);
  assert.throws(() => typeOf({ type: 'tuple' }), /tuple/);
  assert.equal(declared('A', { description: 'x */ y', type: 'string' }), '/** x *\\/ y */\nexport type A = string;\n');
});
