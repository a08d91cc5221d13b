// Who could read what, at every place in the order: recomputed from what the owners of things were told, by the words
// of SPEC.md A and V. Where the wire does not say enough, it errs on the side of allowing.
const NODE = { ADD: 0, TRASH: 3, RESTORE: 4, DELETE: 5, PUBLISH: 6 };
const LINK = { ADD: 10, UPDATE: 11, TRASH: 12, RESTORE: 13, DELETE: 14, SWAP: 15, SHOW: 17 };
const VIEWER = 3;
const ADMIN = 1;
/** How late the passing of a due time may be heard of on a busy machine. */
const DUE_SLACK_MS = 5_000;

const key = (nodeId, email) => `${nodeId} ${email}`;
const pub = ({ publicToken, publicBranch, publicDue }) =>
  publicToken === null ? null : { token: publicToken, branch: publicBranch, due: publicDue };

/** The whole of a plan's graph at one place in the order. */
export class State {
  constructor() {
    this.nodes = new Map(); // id → {owner, trashed, pub}
    this.links = new Map(); // id → {source, target, type, private, owner, trashed}
    this.grants = new Map(); // node and email → {node, email, level, branch, due, showing}
    this.embeds = new Set(); // node and email
  }

  copy() {
    const state = new State();
    for (const part of ['nodes', 'links', 'grants']) {
      for (const [id, one] of this[part]) state[part].set(id, { ...one });
    }
    state.embeds = new Set(this.embeds);
    return state;
  }

  /** Takes in a diff as `email` was told it. */
  apply(diff, email) {
    for (const { op, after } of diff.nodes) {
      const { id } = after;
      if (op === NODE.DELETE) this.nodes.delete(id);
      if (op === NODE.TRASH && this.nodes.has(id)) this.nodes.get(id).trashed = true;
      if (after.ownerEmail === email) this.nodes.set(id, { owner: email, trashed: false, pub: pub(after) });
      const node = this.nodes.get(id);
      if (op === NODE.PUBLISH && node?.owner === email) {
        const was = node.pub ?? { token: null, branch: null, due: null };
        node.pub = pub({ publicToken: was.token, publicBranch: was.branch, publicDue: was.due, ...after });
        if (!node.pub) for (const embed of this.embeds) if (embed.startsWith(id)) this.embeds.delete(embed);
      }
    }
    for (const { op, after } of diff.links) {
      const { id } = after;
      const link = this.links.get(id);
      if (op === LINK.DELETE) this.links.delete(id);
      else if (op === LINK.TRASH && link) link.trashed = true;
      else if (op === LINK.ADD || op === LINK.RESTORE || op === LINK.SHOW) {
        const { source, target, type } = after;
        const owner = link?.owner ?? (op === LINK.ADD ? diff.actor?.email : undefined);
        this.links.set(id, { source, target, type, private: after.private, owner, trashed: false });
      } else if ((op === LINK.UPDATE || op === LINK.SWAP) && link) {
        for (const field of ['source', 'target', 'type', 'private']) if (field in after) link[field] = after[field];
      }
    }
    for (const { after } of diff.access) {
      const { nodeId, email: grantee } = after;
      if (after.deleted) this.grants.delete(key(nodeId, grantee));
      else this.grant({ showing: true, ...this.grants.get(key(nodeId, grantee)), ...after });
    }
    for (const { before, after } of diff.user) {
      if (after.publicEmbed) this.embeds.add(key(after.publicEmbed, after.email));
      else if (before.publicEmbed) this.embeds.delete(key(before.publicEmbed, after.email));
    }
  }

  grant({ nodeId, email, level, branch, due, showing }) {
    this.grants.set(key(nodeId, email), { nodeId, email, level, branch, due, showing });
  }

  /** What one user can read: nodes by their level (in the trash by placement), phantoms, links. */
  readable(email, atMs) {
    const running = (due) => due === null || due === undefined || Date.parse(due) > atMs - DUE_SLACK_MS;
    const roots = [];
    for (const grant of this.grants.values()) {
      if (grant.email === email && grant.showing && running(grant.due)) roots.push([grant.nodeId, grant.level, grant.branch]);
    }
    for (const embed of this.embeds) {
      const [nodeId, user] = embed.split(' ');
      const published = this.nodes.get(nodeId)?.pub;
      if (user === email && published && running(published.due)) roots.push([nodeId, VIEWER, published.branch]);
    }
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
      const mine = link.owner === undefined || link.owner === email;
      if (link.private && !mine && !(link.type === 0 && target.owner === email)) continue;
      if (link.trashed || source.trashed || target.trashed) {
        // Whoever trashed a node went on seeing its links by placement, phantoms at their other end included.
        if (trash.has(link.target) && (trash.has(link.source) || link.type === 0 || trash.get(link.target) <= ADMIN)) links.add(id);
      } else if (graph.has(link.target) && (graph.has(link.source) || link.type === 0)) {
        links.add(id);
        if (!graph.has(link.source)) phantoms.add(link.source);
      }
    }
    // A link that can be read names its ends, in the trash also those that cannot.
    const ends = new Set([...links].flatMap((id) => [this.links.get(id).source, this.links.get(id).target]));
    return { levels, phantoms, links, ends };
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
  constructor() {
    this.told = [];
  }

  /** What a user who is always connected was told. */
  tell(diff, email) {
    this.told.push({ rev: diff.rev, due: diff.batchId === null ? 1 : 0, diff, email });
  }

  /** All there was after a restart. */
  rebuilt(rev, state) {
    this.told.push({ rev, due: 2, state });
  }

  /** Settles the order; what was told is complete. */
  settle() {
    const told = this.told.map((one, nth) => ({ ...one, nth })).sort((a, b) => a.rev - b.rev || a.due - b.due || a.nth - b.nth);
    this.states = [{ rev: -1, state: new State(), memo: new Map() }];
    for (const one of told) {
      let last = this.states.at(-1);
      if (last.rev !== one.rev) {
        last = { rev: one.rev, state: last.state.copy(), memo: new Map() };
        this.states.push(last);
      }
      if (one.state) {
        for (const [id, link] of one.state.links) link.owner = last.state.links.get(id)?.owner;
        last.state = one.state.copy();
      } else {
        last.state.apply(one.diff, one.email);
      }
    }
  }

  /** What a user could read from just before `from` to just after `to`, in the order of commits. */
  *readable(email, from, to, atMs) {
    for (let nth = this.#upTo(from - 1); nth <= this.#upTo(to); nth++) {
      const { state, memo } = this.states[nth];
      const second = `${email} ${Math.floor(atMs / 1000)}`;
      if (!memo.has(second)) memo.set(second, state.readable(email, atMs));
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
