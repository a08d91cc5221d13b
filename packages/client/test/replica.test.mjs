// The replica against a naive model, on random diffs.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codes, Replica } from '../dist/replica/index.js';
import { expected, held, Model, randomFrom } from './model.mjs';

const strict = () => new Replica({ onViolation: (violation) => assert.fail(violation) });

/** The ids of a change, worked out by comparing everything. */
function difference(before, after) {
  const kinds = { added: [], changed: [], removed: [] };
  for (const id of Object.keys(before)) if (!(id in after)) kinds.removed.push(id);
  for (const id of Object.keys(after)) if (!(id in before)) kinds.added.push(id);
  return kinds;
}

const sorted = ({ added, removed }) => ({ added: [...added].sort(), removed: [...removed].sort() });

// Rules: P5, P1.
test('After every diff the replica holds what the model holds, and names what was added and removed', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const model = new Model(randomFrom(seed));
    const replica = strict();
    replica.page(model.snapshot());
    for (let step = 0; step < 60; step++) {
      const before = held(replica);
      const change = replica.diff(model.batch({ expiry: step % 9 === 8 }));
      assert.deepEqual(held(replica), expected(model), `seed ${seed}, step ${step}`);
      assert.equal(replica.rev, model.rev);
      for (const kind of ['nodes', 'links']) {
        const want = difference(before[kind], held(replica)[kind]);
        assert.deepEqual(sorted(change?.[kind] ?? { added: [], removed: [] }), sorted(want), `seed ${seed}, step ${step}: ${kind}`);
        for (const [id, entity] of Object.entries(held(replica)[kind])) {
          if (!(id in before[kind])) continue;
          const isTold = change?.[kind].changed.includes(id) ?? false;
          if (!isTold) assert.equal(entity, before[kind][id], 'what is not told of is the same object');
        }
      }
    }
  }
});

// Rules: P5.
test('What a diff says of entities that are not held is ignored, and entities are never changed in place', () => {
  const replica = strict();
  const change = { op: codes.NODE_UPDATE, before: { id: 'n1', title: 'a', version: 1 }, after: { id: 'n1', title: 'b', version: 2 } };
  const diff = { batchId: 'b', rev: 1, actor: null, ts: '', nodes: [change], links: [], user: [], access: [] };
  assert.equal(replica.diff(diff), null);
  assert.equal(replica.nodes.size, 0);
  const node = { id: 'n1', title: 'a', version: 1 };
  replica.page({ nodes: [node], links: [], rev: 1 });
  const before = replica.nodes.get('n1');
  assert.deepEqual(replica.diff(diff), { rev: 1, nodes: { added: [], changed: ['n1'], removed: [] }, links: { added: [], changed: [], removed: [] } });
  assert.deepEqual([before.title, replica.nodes.get('n1').title], ['a', 'b']);
});

const diff = (nodes, more = {}) => ({ batchId: 'b', rev: 2, actor: null, ts: '', nodes, links: [], user: [], access: [], ...more });
const node = (more = {}) => ({ id: 'n1', title: 'a', status: 0, version: 1, access: 1, ...more });
const phantom = { id: 'n1', status: 2, phantom: true };

for (const [violation, holds, told] of [
  [/title was "x", held is "a"/, node(), diff([{ op: codes.NODE_UPDATE, before: { id: 'n1', title: 'x', version: 1 }, after: { id: 'n1', title: 'b', version: 2 } }])],
  [/from version 1 to 3/, node(), diff([{ op: codes.NODE_UPDATE, before: { id: 'n1', version: 1 }, after: { id: 'n1', title: 'b', version: 3 } }])],
  [/changes not just its status/, phantom, diff([{ op: codes.NODE_STATUS, before: { id: 'n1', status: 2 }, after: { id: 'n1', status: 0, version: 2 } }])],
  [/fades twice/, phantom, diff([{ op: codes.NODE_ACCESS, before: { id: 'n1' }, after: phantom }])],
  [/is full already/, node(), diff([{ op: codes.NODE_ACCESS, before: { id: 'n1', phantom: true }, after: node() }])],
  [/operation 99 is none/, node(), diff([{ op: 99, before: {}, after: { id: 'n1' } }])],
  [/operation 1 is none on users/, node(), diff([], { user: [{ op: 1, before: {}, after: {} }] })],
  [/leads back from rev 1 to 0/, node(), diff([], { rev: 0 })],
]) {
  // Rules: P5, P10, V3, N16.
  test(`A strict replica objects: ${violation.source}`, () => {
    const heard = [];
    const replica = new Replica({ onViolation: (one) => heard.push(one) });
    replica.page({ nodes: [holds], links: [], rev: 1 });
    replica.diff(told);
    assert.equal(heard.length, 1);
    assert.match(heard[0], violation);
    const lenient = new Replica();
    lenient.page({ nodes: [holds], links: [], rev: 1 });
    lenient.diff(told);
    assert.deepEqual(held(lenient), held(replica), 'and applies it all the same');
  });
}

// Rules: G2.
test('A strict replica objects to a page that brings a link without its ends', () => {
  const heard = [];
  const replica = new Replica({ onViolation: (one) => heard.push(one) });
  replica.page({ nodes: [node()], links: [{ id: 'l1', source: 'n1', target: 'n2' }], rev: 1 });
  assert.deepEqual(heard, ['a page brings link l1 without its target n2']);
});

test('The replica knows no network, clock, randomness or DOM', () => {
  const folder = new URL('../src/replica/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    for (const [, from] of text.matchAll(/from '([^']+)'/g)) assert.match(from, /^(\.\/|\.\.\/generated\.js$)/, `${file} imports ${from}`);
    assert.doesNotMatch(text, /\b(fetch|setTimeout|setInterval|Date|performance|Math\.random|crypto|document|window|globalThis|process)\b\s*[.(]/, file);
  }
});
