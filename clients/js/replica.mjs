// The replica of the published client, strict: it objects to whatever the rules of the live view (SPEC.md P5) do not foresee, and
// to entities and entries that have not the shape that the specification gives them.
import assert from 'node:assert/strict';
import { codes, Replica as Published } from './published.mjs';
import { NODE_FIELDS } from './table.mjs';

const { NODE_ADD, NODE_RESTORE, NODE_DELETE, NODE_SHOW, NODE_HIDE, NODE_ACCESS } = codes;
const { LINK_ADD, LINK_RESTORE, LINK_DELETE, LINK_SHOW, LINK_HIDE } = codes;

const RESTORES = new Set([NODE_RESTORE, LINK_RESTORE]);
const INSERTS = new Set([NODE_ADD, NODE_SHOW, LINK_ADD, LINK_SHOW]);
const SHOWS = new Set([NODE_SHOW, LINK_SHOW]);
const HIDES = new Set([NODE_HIDE, LINK_HIDE]);

// Rules: W7.
const NODE_KEYS = [
  ...NODE_FIELDS,
  ...'id type version createdTime lastEditedTime ownerUsername ownerEmail publicToken publicDue publicBranch access shareRoots'.split(' '),
].sort().join(' ');
const PHANTOM_KEYS = 'id phantom status';
const LINK_KEYS = 'createdTime id lastEditedTime private shareRoots source target type version wasBlocker';

const keys = (entity) => Object.keys(entity).sort().join(' ');
const withoutRoots = ({ shareRoots, ...rest }) => rest;
const nodeKeys = (node) => (node.phantom ? PHANTOM_KEYS : NODE_KEYS);

export class Replica extends Published {
  /** `faulty` is told of every violation; without it, violations are thrown. */
  constructor(faulty = (error) => { throw error; }) {
    super({ onViolation: (violation) => faulty(new Error(violation)) });
    this.faulty = faulty;
  }

  page(page) {
    this.#strictly(() => {
      for (const node of page.nodes) hasKeys(node, nodeKeys(node));
      for (const link of page.links) hasKeys(link, LINK_KEYS);
    });
    return super.page(page);
  }

  diff(diff, how) {
    this.#strictly(() => {
      for (const entry of diff.nodes) hasShape(entry, nodeKeys(entry.after), this.nodes);
      for (const entry of diff.links) hasShape(entry, LINK_KEYS, this.links);
      for (const list of [diff.nodes, diff.links]) inOrder(list);
    });
    return super.diff(diff, how);
  }

  #strictly(check) {
    try {
      check();
    } catch (error) {
      this.faulty(error);
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

function hasKeys(entity, expected) {
  assert.equal(keys(entity), expected, 'a whole entity has all its fields');
}

/** A whole entity has all its fields, and one that returns says that it has left the trash, which an entity in the graph does not. */
function hasShape({ op, before, after }, expected, held) {
  if (RESTORES.has(op)) {
    const { inTrash, lastBatchID, ...entity } = after;
    assert.ok(inTrash === false && lastBatchID, `${after.id} returns without inTrash and lastBatchID`);
    hasKeys(entity, expected);
  } else if (INSERTS.has(op)) {
    hasKeys(after, expected);
  } else if (op === NODE_ACCESS && held.has(after.id) && (after.phantom || before.phantom)) {
    hasKeys(after, expected);
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
