// A naive model: one user's graph as plain objects, and diffs of random changes to it as a server would send them.
import { codes } from '../dist/index.js';

/** A small generator of numbers from 0 to 1; the same seed gives the same. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TITLES = ['Roof', 'Beam', 'Door', 'Nail', 'Paint'];
const OWNERS = ['olha', 'petro'];

export class Model {
  constructor(random) {
    this.random = random;
    this.rev = 0;
    this.nodes = {};
    this.links = {};
    this.made = 0;
  }

  int(count) {
    return Math.floor(this.random() * count);
  }

  any(record, fits = () => true) {
    const list = Object.values(record).filter(fits);
    return list[this.int(list.length)];
  }

  #node(id) {
    const owner = OWNERS[this.int(2)];
    return { id, title: TITLES[this.int(5)], status: 0, version: 1, access: this.int(3), ownerUsername: owner, ownerEmail: `${owner}@example.com`, shareRoots: [] };
  }

  snapshot() {
    return structuredClone({ nodes: Object.values(this.nodes), links: Object.values(this.links), rev: this.rev });
  }

  /** A batch of up to five changes; its diff. An expiry has no rev of its own, and only takes away. */
  batch({ expiry = false } = {}) {
    if (!expiry) this.rev++;
    const diff = { batchId: expiry ? null : `b${this.rev}`, rev: this.rev, actor: null, ts: '', nodes: [], links: [], user: [], access: [] };
    for (let left = 1 + this.int(5); left > 0; left--) this.#change(diff, expiry);
    return structuredClone(diff);
  }

  #change(diff, expiry) {
    // A renaming ends a batch: nodes made after it would have the new name.
    if (diff.user.length > 0) return;
    const dice = expiry ? 7 + this.int(3) : this.int(14);
    const node = this.any(this.nodes, (one) => !one.phantom);
    const add = (list, op, before, after) => list.push({ op, before, after: structuredClone(after) });
    if (dice < 3 || (!node && !expiry)) {
      const made = this.#node(`n${this.made++}`);
      this.nodes[made.id] = made;
      add(diff.nodes, [codes.NODE_ADD, codes.NODE_SHOW][this.int(2)], {}, made);
    } else if (!node) {
      return;
    } else if (expiry && this.int(3) === 0) {
      const before = { id: node.id, access: node.access };
      node.access = 3 - node.access;
      add(diff.nodes, codes.NODE_ACCESS, before, { id: node.id, access: node.access });
    } else if (dice < 5) {
      const [before, after] = [{ id: node.id, title: node.title, version: node.version }, { id: node.id, title: TITLES[this.int(5)], version: node.version + 1 }];
      Object.assign(node, after);
      add(diff.nodes, codes.NODE_UPDATE, before, { ...after, shareRoots: [] });
    } else if (dice < 7) {
      const other = this.any(this.nodes);
      const link = { id: `l${this.made++}`, source: other.id, target: node.id, type: 0, version: 1, shareRoots: [] };
      this.links[link.id] = link;
      add(diff.links, codes.LINK_ADD, {}, link);
    } else if (dice < 9) {
      // All its links go with it, each of them told.
      for (const link of Object.values(this.links)) {
        if (link.source !== node.id && link.target !== node.id) continue;
        delete this.links[link.id];
        add(diff.links, expiry ? codes.LINK_HIDE : codes.LINK_TRASH, { id: link.id }, { id: link.id });
      }
      delete this.nodes[node.id];
      add(diff.nodes, expiry ? codes.NODE_HIDE : codes.NODE_TRASH, { id: node.id }, { id: node.id });
    } else if (dice < 10) {
      const phantom = { id: node.id, status: node.status, phantom: true };
      this.nodes[node.id] = phantom;
      add(diff.nodes, codes.NODE_ACCESS, { id: node.id }, phantom);
    } else if (dice < 11) {
      const faded = this.any(this.nodes, (one) => one.phantom);
      if (!faded) return;
      this.nodes[faded.id] = this.#node(faded.id);
      add(diff.nodes, codes.NODE_ACCESS, { id: faded.id, phantom: true }, this.nodes[faded.id]);
    } else if (dice < 12) {
      const restored = { ...this.#node(`n${this.made++}`), version: 3 };
      this.nodes[restored.id] = restored;
      add(diff.nodes, codes.NODE_RESTORE, { id: restored.id, inTrash: true }, { ...restored, inTrash: false, lastBatchID: diff.batchId });
    } else if (dice < 13) {
      const link = this.any(this.links);
      if (!link) return;
      const before = { id: link.id, source: link.source, target: link.target, version: link.version };
      Object.assign(link, { source: before.target, target: before.source, version: link.version + 1 });
      add(diff.links, codes.LINK_SWAP, before, { id: link.id, source: link.source, target: link.target, version: link.version });
    } else {
      const email = node.ownerEmail;
      const username = `${email.split('@')[0]}-${this.rev}`;
      diff.user.push({ op: codes.USER_UPDATE, before: { email, username: node.ownerUsername }, after: { email, username } });
      for (const one of Object.values(this.nodes)) if (one.ownerEmail === email) one.ownerUsername = username;
    }
  }
}

/** What a replica holds, to be compared with a model. */
export const held = (replica) => ({
  nodes: Object.fromEntries([...replica.nodes].sort()),
  links: Object.fromEntries([...replica.links].sort()),
});

/** What a model holds. */
export const expected = (model) => ({
  nodes: Object.fromEntries(Object.entries(model.nodes).sort()),
  links: Object.fromEntries(Object.entries(model.links).sort()),
});
