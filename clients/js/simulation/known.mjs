// What a plan's steps are drawn by: whatever the answers have told of who owns what, what lies in the trash, what is granted
// and published. It need not be right, only close enough that most of what is drawn will be done.
const NODE = { TRASH: 3, DELETE: 5, PUBLISH: 6 };
const LINK = { ADD: 10, TRASH: 12, RESTORE: 13, DELETE: 14 };

export class Known {
  constructor() {
    this.nodes = new Map(); // id → {owner, trashed, isPublic}
    this.links = new Map(); // id → {owner, trashed}
    this.grants = new Map(); // node and email → {nodeId, email}
  }

  /** Takes in the diff of an answer to `email`. */
  take(diff, email) {
    for (const { op, after } of diff.nodes) {
      const { id } = after;
      if (op === NODE.DELETE) this.nodes.delete(id);
      if (after.ownerEmail) this.nodes.set(id, { owner: after.ownerEmail, trashed: false, isPublic: after.publicBranch !== null });
      const node = this.nodes.get(id);
      if (node && op === NODE.TRASH) node.trashed = true;
      if (node && op === NODE.PUBLISH && 'publicBranch' in after) node.isPublic = after.publicBranch !== null;
    }
    for (const { op, after } of diff.links) {
      const link = this.links.get(after.id);
      if (op === LINK.DELETE) this.links.delete(after.id);
      else if (op === LINK.ADD) this.links.set(after.id, { owner: email, trashed: false });
      else if (link && (op === LINK.TRASH || op === LINK.RESTORE)) link.trashed = op === LINK.TRASH;
    }
    for (const { after } of diff.access) {
      const key = `${after.nodeId} ${after.email}`;
      if (after.deleted) this.grants.delete(key);
      else this.grants.set(key, { nodeId: after.nodeId, email: after.email });
    }
  }
}
