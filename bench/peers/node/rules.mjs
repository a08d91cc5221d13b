// The domain: access, blocking and history, as SynapTask has them, in SQL on one file. Every mutation is one
// transaction that is durable when it returns (WAL, synchronous=FULL).
import Database from 'better-sqlite3';
import { createHash, randomUUID } from 'node:crypto';

const [AVAILABLE, IN_PROGRESS, BLOCKED, COMPLETED] = [0, 1, 2, 3];
const [NODE_ADD, NODE_UPDATE, NODE_STATUS, LINK_ADD, GRANT_UPSERT] = [0, 1, 2, 10, 20];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NODE_FIELDS = {
  title: (it) => typeof it === 'string' && [...it].length <= 80,
  description: (it) => typeof it === 'string' && [...it].length <= 400,
  status: (it) => [AVAILABLE, IN_PROGRESS, COMPLETED].includes(it),
  priority: (it) => Number.isInteger(it) && it >= 0 && it <= 9,
  volume: (it) => Number.isInteger(it) && it >= 0 && it <= 9,
  x: Number.isFinite,
  y: Number.isFinite,
  z: Number.isFinite,
};
const SCHEMA = `
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, token BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS nodes (
  id TEXT PRIMARY KEY, owner INTEGER NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL, status INTEGER NOT NULL,
  resume INTEGER NOT NULL, priority INTEGER NOT NULL, volume INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL,
  z REAL NOT NULL, version INTEGER NOT NULL, createdTime TEXT NOT NULL, lastEditedTime TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nodes_of_owner ON nodes (owner);
CREATE TABLE IF NOT EXISTS links (
  id TEXT PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL, type INTEGER NOT NULL, private INTEGER NOT NULL,
  owner INTEGER NOT NULL, version INTEGER NOT NULL, createdTime TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_of_source ON links (source, target);
CREATE INDEX IF NOT EXISTS links_of_target ON links (target, source);
CREATE TABLE IF NOT EXISTS grants (
  node TEXT NOT NULL, user INTEGER NOT NULL, level INTEGER NOT NULL, branch INTEGER NOT NULL, PRIMARY KEY (node, user)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  rev INTEGER PRIMARY KEY, batch TEXT NOT NULL UNIQUE, actor INTEGER NOT NULL, ts TEXT NOT NULL, entries TEXT NOT NULL
);`;
// The nodes from which a grant covers a node: itself and those above it with the same owner.
const ABOVE = `WITH RECURSIVE above(id) AS (SELECT @id UNION
  SELECT l.target FROM links l JOIN above ON l.source = above.id JOIN nodes n ON n.id = l.target
  WHERE l.private = 0 AND n.owner = @owner)`;

export const hash = (token) => createHash('sha256').update(token).digest();

/** Why a request is refused. */
export class Refusal extends Error {
  constructor(error) {
    super(`This request is refused: ${error}.`);
    this.error = error;
  }
}

const refuseUnless = (condition, error) => {
  if (!condition) throw new Refusal(error);
};

export class Rules {
  #db;
  #statements = new Map();
  #entries = [];
  #now = '';

  constructor(file) {
    this.#db = new Database(file);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.exec(SCHEMA);
  }

  #sql(text) {
    if (!this.#statements.has(text)) this.#statements.set(text, this.#db.prepare(text));
    return this.#statements.get(text);
  }

  addUsers(count) {
    const insert = this.#sql('INSERT INTO users (email, token) VALUES (?, ?)');
    const add = (n) => {
      const user = { email: `user-${n}@example.com`, token: `user-${n}-${randomUUID()}` };
      insert.run(user.email, hash(user.token));
      return user;
    };
    return this.#db.transaction(() => Array.from({ length: count }, (_, n) => add(n)))();
  }

  userOf(token) {
    return this.#sql('SELECT id, email FROM users WHERE token = ?').get(hash(token));
  }

  close() {
    this.#db.close();
  }

  /** One mutation, or several at once: one transaction, one row of history. Returns {rev, batchId, entries, at}. */
  mutate(user, event, input) {
    const operations = event === 'graph:apply' ? input.operations : [{ event, ...input }];
    refuseUnless(Array.isArray(operations) && operations.length <= 1000, 'bad_request.invalid_operations');
    const batchId = input.batchId ?? randomUUID();
    this.#entries = [];
    this.#now = `${new Date().toISOString().slice(0, 19)}Z`;
    const run = this.#db.transaction(() => {
      const known = this.#sql('SELECT 1 FROM history WHERE batch = ?').get(batchId);
      refuseUnless(!known, 'conflict.batch_id_conflict');
      for (const { event: name, ...fields } of operations) this.#operation(user, name, fields);
      const done = this.#sql('INSERT INTO history (batch, actor, ts, entries) VALUES (?, ?, ?, ?)');
      return done.run(batchId, user.id, this.#now, JSON.stringify(this.#entries)).lastInsertRowid;
    });
    const rev = run.immediate();
    return { rev, batchId, ts: this.#now, entries: this.#entries };
  }

  #operation(user, event, input) {
    if (event === 'node:add') return this.#nodeAdd(user, input);
    if (event === 'node:update') return this.#nodeUpdate(user, input);
    if (event === 'link:add') return this.#linkAdd(user, input);
    if (event === 'node:access') return this.#nodeAccess(user, input);
    throw new Refusal('bad_request.unknown_operation');
  }

  #node(id) {
    return this.#sql('SELECT * FROM nodes WHERE id = ?').get(id);
  }

  /** 0 owner, 1 admin, 2 editor, 3 viewer, 9 none. */
  #access(user, node) {
    if (node.owner === user.id) return 0;
    const found = this.#sql(`${ABOVE} SELECT min(g.level) AS level FROM above JOIN grants g ON g.node = above.id
      WHERE g.user = @user AND (g.branch = 1 OR above.id = @id)`);
    return found.get({ id: node.id, owner: node.owner, user: user.id }).level ?? 9;
  }

  #seen(user, id, error, levelMax = 3) {
    refuseUnless(typeof id === 'string' && UUID.test(id), 'bad_request.invalid_node_id');
    const node = this.#node(id);
    refuseUnless(node, error);
    const access = this.#access(user, node);
    refuseUnless(access <= 3, error);
    refuseUnless(access <= levelMax, 'forbidden.no_permission');
    return { node, access };
  }

  #fields(input) {
    const fields = {};
    for (const [name, value] of Object.entries(input)) {
      refuseUnless(name in NODE_FIELDS, 'bad_request.unknown_field');
      refuseUnless(NODE_FIELDS[name](value), `bad_request.invalid_${name}`);
      fields[name] = value;
    }
    return fields;
  }

  #nodeAdd(user, { id = randomUUID(), target, batchId: _, ...input }) {
    refuseUnless(UUID.test(id), 'bad_request.invalid_id');
    const fields = this.#fields(input);
    const above = target == null ? null : this.#seen(user, target, 'not_found.target_not_found');
    const [owns, kept] = above && above.access <= 2 ? [above.node.owner, false] : [user.id, above !== null];
    refuseUnless(!this.#node(id), 'conflict.id_taken');
    const plain = { title: '', description: '', status: AVAILABLE, priority: 0, volume: 5, x: 0, y: 0, z: 0 };
    const node = { ...plain, ...fields, id, owner: owns, version: 1, createdTime: this.#now, lastEditedTime: this.#now };
    node.resume = AVAILABLE;
    this.#sql(`INSERT INTO nodes (id, owner, title, description, status, resume, priority, volume, x, y, z, version,
      createdTime, lastEditedTime) VALUES (@id, @owner, @title, @description, @status, @resume, @priority, @volume, @x, @y,
      @z, @version, @createdTime, @lastEditedTime)`).run(node);
    this.#entries.push({ op: NODE_ADD, node: id, before: {}, after: node });
    if (above) this.#insertLink(user, { source: id, target, type: kept ? 1 : 0, private: kept ? 1 : 0 });
  }

  #nodeUpdate(user, { id, version, batchId: _, ...input }) {
    const fields = this.#fields(input);
    refuseUnless(Object.keys(fields).length > 0, 'bad_request.no_fields_to_update');
    const { node } = this.#seen(user, id, 'not_found.node_not_found', 2);
    refuseUnless(version == null || version === node.version, 'conflict.version_conflict');
    const { status, ...others } = fields;
    const changed = Object.keys(others).filter((name) => others[name] !== node[name]);
    if (changed.length > 0) {
      const sets = changed.map((name) => `${name} = @${name}`).join(', ');
      const update = this.#sql(`UPDATE nodes SET ${sets}, version = version + 1, lastEditedTime = @now WHERE id = @id`);
      update.run({ ...others, id, now: this.#now });
      this.#changed(NODE_UPDATE, node, Object.fromEntries(changed.map((name) => [name, others[name]])));
    }
    if (status === undefined || status === node.status) return;
    refuseUnless(node.status !== BLOCKED, 'bad_request.node_blocked');
    this.#setStatus(this.#node(id), status, node.resume);
    this.#settle(this.#above(id));
  }

  #linkAdd(user, { source, target, type = 0, private: hidden = false, batchId: _ }) {
    refuseUnless(source !== target, 'bad_request.self_link_not_allowed');
    refuseUnless(type === 0 || type === 1, 'bad_request.invalid_link_type');
    const from = this.#seen(user, source, 'not_found.source_not_found');
    const to = this.#seen(user, target, 'not_found.target_not_found');
    const there = this.#sql('SELECT 1 FROM links WHERE (source = @a AND target = @b) OR (source = @b AND target = @a)');
    refuseUnless(!there.get({ a: source, b: target }), 'conflict.duplicate_link');
    const link = { source, target, type: to.access === 3 ? 1 : type, private: 1 };
    if (from.access <= 2 && to.access <= 2) link.private = hidden ? 1 : 0;
    if (link.type === 0) {
      const cycle = this.#sql(`WITH RECURSIVE after(id) AS (SELECT @target UNION SELECT l.target FROM links l
        JOIN after ON l.source = after.id WHERE l.type = 0) SELECT 1 FROM after WHERE id = @source`);
      refuseUnless(!cycle.get({ source, target }), 'conflict.dependency_cycle');
    }
    this.#insertLink(user, link);
  }

  #insertLink(user, link) {
    const whole = { id: randomUUID(), ...link, owner: user.id, version: 1, createdTime: this.#now };
    this.#sql(`INSERT INTO links (id, source, target, type, private, owner, version, createdTime)
      VALUES (@id, @source, @target, @type, @private, @owner, @version, @createdTime)`).run(whole);
    this.#entries.push({ op: LINK_ADD, link: whole, before: {}, after: whole });
    if (link.type === 0) this.#settle([link.target]);
  }

  #nodeAccess(user, { id, email, level = 3, branch = true, batchId: _ }) {
    refuseUnless([1, 2, 3].includes(level), 'bad_request.invalid_level');
    this.#seen(user, id, 'not_found.node_not_found', 1);
    const grantee = this.#sql('SELECT id FROM users WHERE email = ?').get(String(email).toLowerCase());
    refuseUnless(grantee, 'not_found.user_not_found');
    const row = { node: id, user: grantee.id, level, branch: branch ? 1 : 0 };
    const insert = this.#sql('INSERT OR IGNORE INTO grants (node, user, level, branch) VALUES (@node, @user, @level, @branch)');
    refuseUnless(insert.run(row).changes === 1, 'bad_request.already_granted');
    this.#entries.push({ op: GRANT_UPSERT, grant: row, before: {}, after: row });
  }

  #above(id) {
    return this.#sql('SELECT target FROM links WHERE source = ? AND type = 0').pluck().all(id);
  }

  /** Blocks and frees what the given nodes depend on has decided, and whatever follows from that. */
  #settle(ids) {
    const queue = [...ids];
    const held = this.#sql(`SELECT 1 FROM links l JOIN nodes n ON n.id = l.source
      WHERE l.target = ? AND l.type = 0 AND n.status <> ${COMPLETED} LIMIT 1`);
    for (let at = 0; at < queue.length; at += 1) {
      const node = this.#node(queue[at]);
      const isHeld = held.get(node.id) !== undefined;
      if (isHeld === (node.status === BLOCKED)) continue;
      const resume = node.status === IN_PROGRESS ? IN_PROGRESS : AVAILABLE;
      this.#setStatus(node, isHeld ? BLOCKED : node.resume, isHeld ? resume : AVAILABLE);
      queue.push(...this.#above(node.id));
    }
  }

  #setStatus(node, status, resume) {
    const update = this.#sql('UPDATE nodes SET status = ?, resume = ?, version = version + 1, lastEditedTime = ? WHERE id = ?');
    update.run(status, resume, this.#now, node.id);
    this.#changed(NODE_STATUS, node, { status });
  }

  #changed(op, node, fields) {
    const before = Object.fromEntries(Object.keys(fields).map((name) => [name, node[name]]));
    const after = { id: node.id, ...fields, version: node.version + 1, lastEditedTime: this.#now };
    this.#entries.push({ op, node: node.id, before: { id: node.id, ...before, version: node.version }, after });
  }

  /** Who may see a node: Map of user id to {access, shareRoots}. */
  audience(id) {
    const node = this.#node(id);
    const views = new Map([[node.owner, { access: 0, shareRoots: [] }]]);
    const all = this.#sql(`${ABOVE} SELECT g.user, g.level, g.node FROM above JOIN grants g ON g.node = above.id
      WHERE g.branch = 1 OR above.id = @id ORDER BY g.node`);
    for (const { user, level, node: root } of all.iterate({ id, owner: node.owner })) {
      views.get(node.owner).shareRoots.push(root);
      if (user === node.owner) continue;
      const view = views.get(user) ?? { access: 9, shareRoots: [] };
      view.access = Math.min(view.access, level);
      view.shareRoots.push(root);
      views.set(user, view);
    }
    const owner = views.get(node.owner);
    owner.shareRoots = [...new Set(owner.shareRoots)];
    return views;
  }

  /** A page of what a user owns, for the generator to count. */
  page(user, { limit = 1000, offset = 0 }) {
    const nodes = this.#sql('SELECT * FROM nodes WHERE owner = ? ORDER BY createdTime, id LIMIT ? OFFSET ?');
    const found = nodes.all(user.id, limit + 1, offset);
    return { nodes: found.slice(0, limit), hasMore: found.length > limit };
  }
}
