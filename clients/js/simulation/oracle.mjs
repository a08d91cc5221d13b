// Who could read what, at every place in the order: recomputed by the words of SPEC.md A and V from the batches that the
// server's log holds. Where a rule is not worth telling twice, it errs on the side of allowing.
const NODE = { ADD: 0, TRASH: 3, RESTORE: 4, DELETE: 5, PUBLISH: 6 };
const LINK = { ADD: 10, UPDATE: 11, TRASH: 12, RESTORE: 13, DELETE: 14, SWAP: 15 };
const GRANT = { UPSERT: 20, UPDATE: 21, DELETE: 22 };
const VIEWER = 3;
/** How late the passing of a due time may be heard of on a busy machine. */
const DUE_SLACK_MS = 5_000;

/** Of a patch, the fields that decide who reads what. */
function pick(patch, ...names) {
  return Object.fromEntries(names.filter((name) => name in patch).map((name) => [name, patch[name]]));
}

const linkFields = (patch) => pick(patch, 'source', 'target', 'type', 'private');

/** A publication after a change; null when it has ended. */
function publication(was, { publicToken: token, publicBranch: branch, publicDue: due }) {
  const now = { due: null, ...was, ...JSON.parse(JSON.stringify({ token, branch, due })) };
  return now.token ? now : null;
}

/** The whole of a plan's graph at one place in the order. */
class State {
  constructor() {
    this.nodes = new Map(); // id → {owner, trashed, pub: {token, branch, due}}
    this.links = new Map(); // id → {source, target, type, private, owner, trashed}
    this.grants = new Map(); // node and email → {nodeId, email, level, branch, due, showing}
    this.embeds = new Set(); // node and user id
  }

  copy() {
    const state = new State();
    for (const part of ['nodes', 'links', 'grants']) {
      for (const [id, one] of this[part]) state[part].set(id, { ...one });
    }
    state.embeds = new Set(this.embeds);
    return state;
  }

  /** Takes in a batch as the log has it. */
  apply({ ops }) {
    for (const { type, entityId: id, forwardPatch: after, inversePatch: before, owner } of ops) {
      const node = this.nodes.get(id);
      const link = this.links.get(id);
      if (type === NODE.ADD) this.nodes.set(id, { owner, trashed: false, pub: null });
      else if (type === NODE.TRASH || type === NODE.RESTORE) node.trashed = type === NODE.TRASH;
      else if (type === NODE.DELETE) this.nodes.delete(id);
      else if (type === NODE.PUBLISH) node.pub = publication(node.pub, after);
      else if (type === LINK.ADD) this.links.set(id, { owner, trashed: false, ...linkFields(after) });
      else if (type === LINK.TRASH || type === LINK.RESTORE) link.trashed = type === LINK.TRASH;
      else if (type === LINK.UPDATE || type === LINK.SWAP) Object.assign(link, linkFields(after));
      else if (type === LINK.DELETE) this.links.delete(id);
      else if (type === GRANT.UPSERT || type === GRANT.UPDATE) this.grants.set(`${id} ${after.email}`, { ...after });
      else if (type === GRANT.DELETE) this.grants.delete(`${id} ${before.email}`);
      else if (after.publicEmbed) this.embeds.add(`${after.publicEmbed} ${id}`);
      else if (before.publicEmbed) this.embeds.delete(`${before.publicEmbed} ${id}`);
    }
  }

  /** What one user can read: nodes by their level (in the trash by placement), phantoms, links. */
  readable({ id: userId, email, branch }, atMs) {
    const running = (due) => due === null || Date.parse(due) > atMs - DUE_SLACK_MS;
    const roots = [];
    for (const grant of this.grants.values()) {
      if (grant.email === email && grant.showing && running(grant.due)) roots.push([grant.nodeId, grant.level, grant.branch]);
    }
    for (const embed of this.embeds) {
      const [nodeId, embedder] = embed.split(' ');
      const pub = this.nodes.get(nodeId)?.pub;
      if (embedder === userId && pub && running(pub.due)) roots.push([nodeId, VIEWER, pub.branch]);
    }
    // A branch token reads what a grant of its level on its node would show, and nothing else.
    if (branch) roots.push([branch.node, branch.level, true]);
    const graph = this.#levels(email, roots, false);
    const trash = this.#levels(email, roots, true);
    const levels = new Map();
    for (const [id, node] of this.nodes) {
      const level = (node.trashed ? trash : graph).get(id);
      if (level !== undefined) levels.set(id, level);
    }
    const [phantoms, links] = [new Set(), new Set()];
    for (const [id, link] of this.links) {
      const source = this.nodes.get(link.source);
      const target = this.nodes.get(link.target);
      if (!source || !target) continue;
      if (link.private && link.owner !== email && !(link.type === 0 && target.owner === email)) continue;
      if (link.trashed || source.trashed || target.trashed) {
        if (trash.has(link.target) && (trash.has(link.source) || link.type === 0)) links.add(id);
      } else if (graph.has(link.target) && (graph.has(link.source) || link.type === 0)) {
        links.add(id);
        if (!graph.has(link.source)) phantoms.add(link.source);
      }
    }
    // A link that can be read names its ends, in the trash also those that cannot.
    const ends = new Set([...links].flatMap((id) => [this.links.get(id).source, this.links.get(id).target]));
    // What a user was given or took is named by their account and their history, in force or not.
    const given = [...this.grants.values()].filter((grant) => grant.email === email).map(({ nodeId }) => nodeId);
    const taken = [...this.embeds].map((embed) => embed.split(' ')).filter(([, embedder]) => embedder === userId).map(([id]) => id);
    return { levels, phantoms, links, ends, held: new Set([...given, ...taken]) };
  }

  /** Access by ownership and share roots; with the trash, as if everything in it were back. */
  #levels(email, roots, withTrash) {
    const there = (node) => node && (withTrash || !node.trashed);
    const levels = new Map();
    for (const [id, node] of this.nodes) if (node.owner === email && there(node)) levels.set(id, 0);
    const give = (id, level) => levels.set(id, Math.min(level, levels.get(id) ?? Infinity));
    for (const [root, level, branch] of roots) {
      if (!there(this.nodes.get(root))) continue;
      const { owner } = this.nodes.get(root);
      const reached = new Set([root]);
      for (const id of reached) {
        give(id, level);
        if (!branch) break;
        for (const link of this.links.values()) {
          if (link.target !== id || link.private || (link.trashed && !withTrash)) continue;
          const source = this.nodes.get(link.source);
          if (there(source) && source.owner === owner) reached.add(link.source);
        }
      }
    }
    return levels;
  }
}

/** The states of one plan in the order of commits. */
export class Timeline {
  /** `batches` are those of the plan's users, oldest first, from when none of them had anything. */
  constructor(batches) {
    this.states = [{ rev: -1, state: new State(), memo: new Map() }];
    for (const batch of batches) {
      const state = this.states.at(-1).state.copy();
      state.apply(batch);
      this.states.push({ rev: batch.rev, state, memo: new Map() });
    }
  }

  /** What a user could read from just before `from` to just after `to`, in the order of commits. */
  *readable(user, from, to, atMs) {
    for (let nth = this.#upTo(from - 1); nth <= this.#upTo(to); nth++) {
      const { state, memo } = this.states[nth];
      const second = `${user.email} ${Math.floor(atMs / 1000)}`;
      if (!memo.has(second)) memo.set(second, state.readable(user, atMs));
      yield memo.get(second);
    }
  }

  /** The state at a rev, for people to read. */
  at(rev) {
    const { state } = this.states[this.#upTo(rev)];
    const { nodes, links, grants, embeds } = state;
    return { nodes: [...nodes], links: [...links], grants: [...grants.values()], embeds: [...embeds] };
  }

  #upTo(rev) {
    let [low, high] = [0, this.states.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.states[middle].rev <= rev) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
