// A client that holds the graph as the rules of the live view tell it to (SPEC.md P5), on the wire's own JSON, and
// objects to whatever those rules do not foresee.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { NODE_FIELDS } from './table.mjs';

const [NODE_ADD, NODE_UPDATE, NODE_STATUS, NODE_TRASH, NODE_RESTORE, NODE_DELETE, NODE_PUBLISH, NODE_SHOW, NODE_HIDE, NODE_ACCESS] =
  Array.from({ length: 10 }, (_, op) => op);
const [LINK_ADD, LINK_UPDATE, LINK_TRASH, LINK_RESTORE, LINK_DELETE, LINK_SWAP, , LINK_SHOW, LINK_HIDE] =
  Array.from({ length: 9 }, (_, i) => 10 + i);
const USER_UPDATE = 30;

const RESTORES = new Set([NODE_RESTORE, LINK_RESTORE]);
const INSERTS = new Set([NODE_ADD, NODE_SHOW, LINK_ADD, LINK_SHOW]);
const SHOWS = new Set([NODE_SHOW, LINK_SHOW]);
const HIDES = new Set([NODE_HIDE, LINK_HIDE]);
const REMOVES = new Set([NODE_TRASH, NODE_DELETE, NODE_HIDE, LINK_TRASH, LINK_DELETE, LINK_HIDE]);
const CHANGES = new Set([NODE_UPDATE, NODE_STATUS, NODE_PUBLISH, LINK_UPDATE, LINK_SWAP]);

// Rules: W7.
const NODE_KEYS = [
  ...NODE_FIELDS,
  ...'id type version createdTime lastEditedTime ownerUsername ownerEmail publicToken publicDue publicBranch access shareRoots'.split(' '),
].sort().join(' ');
const PHANTOM_KEYS = 'id phantom status';
const LINK_KEYS = 'createdTime id lastEditedTime private shareRoots source target type version wasBlocker';

const keys = (entity) => Object.keys(entity).sort().join(' ');
const withoutRoots = ({ shareRoots, ...rest }) => rest;

export class Replica {
  constructor() {
    this.clear();
  }

  /** Before a load from the start. */
  clear() {
    this.nodes = new Map();
    this.links = new Map();
    /** The place in the order of commits that it stands at. */
    this.rev = 0;
    /** Whether all pages of a load have come. */
    this.whole = false;
  }

  /** A page overwrites. */
  page({ nodes, links, rev, hasMore }) {
    for (const node of nodes) this.nodes.set(node.id, this.#whole(node, node.phantom ? PHANTOM_KEYS : NODE_KEYS));
    for (const link of links) {
      for (const end of [link.source, link.target]) {
        assert.ok(this.nodes.has(end), `a page brings link ${link.id} without its end ${end}`);
      }
      this.links.set(link.id, this.#whole(link, LINK_KEYS));
    }
    this.rev = Math.max(this.rev, rev);
    if (!hasMore) this.whole = true;
  }

  /** Nodes, then links, entry by entry. */
  diff(diff) {
    assert.ok(diff.rev >= this.rev, `a diff leads back from rev ${this.rev} to ${diff.rev}`);
    this.rev = diff.rev;
    for (const entry of diff.nodes) this.#entry(this.nodes, entry, entry.after.phantom ? PHANTOM_KEYS : NODE_KEYS);
    for (const entry of diff.links) this.#entry(this.links, entry, LINK_KEYS);
    for (const list of [diff.nodes, diff.links]) inOrder(list);
    for (const { op, before, after } of diff.user) {
      assert.equal(op, USER_UPDATE);
      if (after.username === undefined) continue;
      for (const node of this.nodes.values()) {
        if (node.ownerEmail === before.email) [node.ownerEmail, node.ownerUsername] = [after.email, after.username];
      }
    }
  }

  #whole(entity, expected) {
    assert.equal(keys(entity), expected, 'a whole entity has all its fields');
    return { ...entity };
  }

  #entry(held, { op, before, after }, expected) {
    const { id } = after;
    const has = held.get(id);
    if (RESTORES.has(op)) {
      // It says that it has left the trash, which an entity in the graph does not.
      const { inTrash, lastBatchID, ...entity } = after;
      assert.ok(inTrash === false && lastBatchID, `${id} returns without inTrash and lastBatchID`);
      held.set(id, this.#whole(entity, expected));
    } else if (INSERTS.has(op)) {
      held.set(id, this.#whole(after, expected));
    } else if (REMOVES.has(op)) {
      held.delete(id);
    } else if (op === NODE_ACCESS) {
      if (has) this.#access(held, has, before, after, expected);
    } else {
      assert.ok(CHANGES.has(op), `operation ${op} is none that a diff has`);
      if (has) this.#change(has, before, after);
    }
  }

  #access(held, has, before, after, expected) {
    if (after.phantom) {
      assert.ok(!has.phantom, `${after.id} fades twice`);
      held.set(after.id, this.#whole(after, PHANTOM_KEYS));
    } else if (before.phantom) {
      assert.ok(has.phantom, `${after.id} is full already`);
      held.set(after.id, this.#whole(after, expected));
    } else {
      this.#fits(has, before);
      Object.assign(has, after);
    }
  }

  #change(has, before, after) {
    this.#fits(has, before);
    if (has.phantom) assert.equal(keys(after), 'id status', 'a phantom changes nothing but its status');
    else assert.equal(after.version, has.version + 1, `${after.id} goes from version ${has.version} to ${after.version}`);
    Object.assign(has, after);
  }

  /** What a change says was before is what is held. */
  #fits(has, before) {
    for (const [key, value] of Object.entries(before)) {
      if (isDeepStrictEqual(has[key], value)) continue;
      assert.fail(`${before.id}: ${key} was ${JSON.stringify(value)}, held is ${JSON.stringify(has[key])}`);
    }
  }

  /** Holds it against a load of everything in one page. */
  equals({ nodes, links }, moment = '') {
    for (const [kind, held, fresh] of [['node', this.nodes, nodes], ['link', this.links, links]]) {
      const loaded = new Map(fresh.map((entity) => [entity.id, entity]));
      assert.equal(loaded.size, fresh.length, `${moment}: a load sends a ${kind} twice`);
      for (const [id, entity] of held) {
        const other = loaded.get(id);
        if (!other) assert.fail(`${moment}: ${kind} ${id} is held, but a load has none: ${JSON.stringify(entity)}`);
        assert.deepEqual(withoutRoots(entity), withoutRoots(other), `${moment}: ${kind} ${id} differs from a load`);
      }
      for (const id of loaded.keys()) assert.ok(held.has(id), `${moment}: ${kind} ${id} is loaded, but not held`);
    }
  }
}

/** Shows come before the entries that need them, hides last; nothing is both shown and hidden (P12). */
function inOrder(entries) {
  const place = ({ op, after }) => {
    if (HIDES.has(op) || (op === NODE_ACCESS && after.phantom)) return 2;
    return SHOWS.has(op) || op === NODE_ACCESS ? 0 : 1;
  };
  const told = entries.filter(({ op }) => op !== NODE_DELETE && op !== LINK_DELETE);
  // A phantom's status is told with the shows.
  const places = told.map((entry) => (keys(entry.after) === 'id status' ? null : place(entry))).filter((one) => one !== null);
  if (places.some((one, nth) => nth > 0 && one < places[nth - 1])) assert.fail(`shows first, hides last: ${JSON.stringify(entries)}`);
  const ids = (wanted) => told.filter(({ op }) => wanted.has(op)).map(({ after }) => after.id);
  const [shown, hidden] = [ids(SHOWS), ids(HIDES)];
  for (const list of [shown, hidden]) assert.equal(new Set(list).size, list.length, `twice in one diff: ${list}`);
  assert.ok(!shown.some((id) => hidden.includes(id)), 'both shown and hidden in one diff');
}
