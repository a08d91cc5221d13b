// What a follower makes of everything that a connection may bring, in whatever order: always the graph of the model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Follower, Replica } from '../dist/replica/index.js';
import { expected, held, Model, randomFrom } from './model.mjs';

/** A diff in parts of its nodes, as a large one is sent; what it has besides nodes comes with the last part. */
function inParts(diff, count) {
  if (count === 1) return [diff];
  return Array.from({ length: count }, (_, nth) => {
    const own = diff.nodes.filter((_, at) => Math.floor((at * count) / diff.nodes.length) === nth);
    const isLast = nth === count - 1;
    return { ...diff, part: nth + 1, parts: count, nodes: own, links: isLast ? diff.links : [], user: isLast ? diff.user : [] };
  });
}

class Scene {
  constructor(seed) {
    this.random = randomFrom(seed);
    this.model = new Model(this.random);
    this.log = [];
    this.ids = { nodes: new Set(), links: new Set() };
    this.follower = new Follower({
      newReplica: () => new Replica({ onViolation: (violation) => assert.fail(`seed ${seed}: ${violation}`) }),
      onChange: (change) => this.#told(change),
    });
  }

  int(count) {
    return Math.floor(this.random() * count);
  }

  /** Something happens; the messages that tell of it. */
  happens() {
    const diff = this.model.batch({ expiry: this.int(8) === 0 });
    const parts = inParts(diff, diff.batchId && diff.nodes.length > 1 ? 1 + this.int(2) : 1);
    this.log.push(...parts);
    return parts;
  }

  tells(parts) {
    for (const part of parts) this.follower.take(part);
  }

  #told({ nodes, links }) {
    for (const [ids, { added, changed, removed }] of [[this.ids.nodes, nodes], [this.ids.links, links]]) {
      for (const id of added) assert.ok(!ids.has(id) && ids.add(id), `${id} is added twice`);
      for (const id of changed) assert.ok(ids.has(id), `${id} is changed, but was never added`);
      for (const id of removed) assert.ok(ids.delete(id), `${id} is removed, but was never there`);
    }
  }

  /** The graph that is shown is the model's, and whoever listens knows of all of it. */
  isExact(when) {
    assert.deepEqual(held(this.follower.replica), expected(this.model), when);
    assert.deepEqual([...this.ids.nodes].sort(), Object.keys(this.model.nodes).sort(), when);
    assert.deepEqual([...this.ids.links].sort(), Object.keys(this.model.links).sort(), when);
    assert.equal(this.follower.state, 'live', when);
  }

  load() {
    this.follower.beginSnapshot();
    const aside = this.int(4);
    for (let nth = 0; nth < aside; nth++) this.tells(this.happens());
    const snapshot = this.model.snapshot();
    // The answer is on its way while more happens.
    const later = this.int(4);
    for (let nth = 0; nth < later; nth++) this.tells(this.happens());
    this.follower.snapshot(snapshot);
  }

  loadByPages() {
    this.follower.beginPages();
    const sent = new Set();
    const limit = 1 + this.int(3);
    // As SPEC.md G4: what was there at the first page is sent, as far as it is still there, and a link with its later end.
    const ids = Object.keys(this.model.nodes);
    for (let at = 0; ; at += limit) {
      for (const id of ids.slice(at, at + limit)) sent.add(id);
      const { nodes, links, rev } = this.model.snapshot();
      const own = new Set(ids.slice(at, at + limit));
      const isSent = (id) => sent.has(id) || !ids.includes(id);
      const page = {
        nodes: nodes.filter(({ id }) => own.has(id)),
        links: links.filter(({ source, target }) => isSent(source) && isSent(target) && (own.has(source) || own.has(target))),
        rev,
        hasMore: at + limit < ids.length,
      };
      this.follower.page(page);
      if (!page.hasMore) return;
      if (this.int(2) === 0) this.tells(this.happens());
    }
  }

  /** Comes back after having missed some. Some of what happens meanwhile is told before what was missed, and again among it. */
  resume() {
    const since = this.follower.since;
    const missed = this.int(4);
    for (let nth = 0; nth < missed; nth++) this.happens();
    this.follower.beginResume();
    const live = this.int(3);
    for (let nth = 0; nth < live; nth++) this.tells(this.happens());
    if (this.int(4) === 0) {
      assert.equal(this.follower.synced({ recovered: false }), false);
      return this.load();
    }
    // An expiry without a batch since would not be recovered: the view shrank.
    const isTold = (diff) => diff.rev > since || (diff.rev === since && diff.batchId === null && !this.applied.has(diff));
    this.tells(this.log.filter(isTold));
    assert.equal(this.follower.synced({ recovered: true }), true);
  }

  run() {
    this.load();
    this.isExact('after the first load');
    for (let turn = 0; turn < 12; turn++) {
      for (let nth = this.int(4); nth > 0; nth--) this.tells(this.happens());
      this.isExact('while live');
      this.applied = new Set(this.log);
      [this.load, this.loadByPages, this.resume, this.resume][this.int(4)].call(this);
      this.isExact(`turn ${turn}`);
    }
  }
}

// Rules: P5, P17, P21, G12.
test('Loads, resumes, parts and expiries in any order give the graph, told without gaps', () => {
  for (let seed = 1; seed <= 300; seed++) new Scene(seed).run();
});

// Rules: P17.
test('A diff in parts is one change, told after its last part', () => {
  const changes = [];
  const follower = new Follower({ onChange: (change) => changes.push(change) });
  follower.beginSnapshot();
  follower.snapshot({ nodes: [], links: [], rev: 0 });
  const diff = { batchId: 'b', rev: 1, actor: null, ts: '', links: [], user: [], access: [] };
  const add = (id) => ({ op: 0, before: {}, after: { id, version: 1 } });
  follower.take({ ...diff, part: 1, parts: 2, nodes: [add('n1')] });
  assert.deepEqual(changes, []);
  assert.ok(follower.replica.nodes.has('n1'), 'applied as it comes');
  follower.take({ ...diff, part: 2, parts: 2, nodes: [add('n2')] });
  assert.deepEqual(changes.map(({ nodes }) => nodes.added), [['n1', 'n2']]);
});
