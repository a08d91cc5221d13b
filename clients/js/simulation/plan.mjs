// Steps of a plan: who does what, to whom the connection breaks. They name things by signs – `@n3` a node, `@l2` a link, `@k3`
// the link that came with node 3, `@u1` an email, `@t3` a public token, `@b7` the batch of step 7, `@m` a new marker, `@d900`
// a due time in 900 ms – so that a plan can be run again and with steps left out.
export const USERS_MAX = 6;

const NODES_MAX = 24;
const CUT_EVERY = 6;

/** Draws steps for a plan under way, most of them such that they will be done. */
export class Drawing {
  constructor(plan, random) {
    Object.assign(this, { plan, random, nodes: 0, links: 0, steps: 0 });
  }

  int(count) {
    return Math.floor(this.random() * count);
  }

  chance(of) {
    return this.random() < of;
  }

  any(list) {
    return list.length ? list[this.int(list.length)] : undefined;
  }

  step() {
    const { plan } = this;
    const user = this.int(plan.users.length);
    const full = this.nodes - plan.gone.size >= NODES_MAX;
    let total = 0;
    const weights = EVENTS.map(([event, [weight]]) => (total += full && event === 'node:add' ? 0 : weight));
    const dice = this.random() * total;
    const [event, [, draw]] = EVENTS[weights.findIndex((weight) => dice < weight)];
    this.user = user;
    // Few things are asked by who sees next to nothing.
    for (let tries = 0; tries < 5 && event !== 'node:add' && plan.seats[this.user].replica.nodes.size < 2; tries++) {
      this.user = this.int(plan.users.length);
    }
    this.view = plan.seats[this.user].replica;
    const payload = draw(this);
    const step = { nth: this.steps++, user: this.user, event, payload };
    if (this.chance(1 / CUT_EVERY)) {
      step.cut = { user: this.int(plan.users.length), away: this.int(4), how: this.chance(0.7) ? 'sync' : 'load', limit: 1 + this.int(9) };
    }
    const dice2 = this.random();
    if (dice2 < 0.04) step.lost = true;
    else if (dice2 < 0.1) step.way = 'rest';
    if (this.chance(0.1)) step.looksBack = { user: this.int(plan.users.length), limit: 1 + this.int(40), offset: this.int(10) };
    return step;
  }

  /** A node's sign; most often one that the user has such access to. */
  node(level = 3, fits = () => true) {
    const seen = [...this.view.nodes.values()].filter((node) => !node.phantom && node.access <= level && fits(node));
    if (seen.length && !this.chance(0.08)) return this.plan.sign(this.any(seen).id);
    return `@n${this.int(Math.max(1, this.nodes))}`;
  }

  link(fits = () => true) {
    const seen = [...this.view.links.values()].filter(fits);
    if (seen.length && !this.chance(0.1)) return this.plan.sign(this.any(seen).id);
    return this.chance(0.7) ? `@l${this.int(Math.max(1, this.links))}` : `@k${this.int(Math.max(1, this.nodes))}`;
  }

  /** Of what is gone from all eyes, most of it is in the trash. */
  trashed(kind) {
    const inTrash = this.plan.trashed(kind);
    if (inTrash.length && !this.chance(0.1)) {
      const one = this.any(inTrash);
      const owner = this.plan.users.findIndex((user) => user.email === one.owner);
      if (owner >= 0 && this.chance(0.7)) this.user = owner;
      return one.sign;
    }
    return kind === 'node' ? this.node() : this.link();
  }

  someone() {
    const user = this.int(this.plan.users.length);
    return `@u${user === this.user && !this.chance(0.1) ? (user + 1) % this.plan.users.length : user}`;
  }

  due() {
    const dice = this.random();
    if (dice < 0.05) return `@d${500 + this.int(2500)}`;
    return dice < 0.5 ? null : '@d86400000';
  }

  some(fields) {
    const names = Object.keys(fields).filter(() => this.chance(0.5));
    return Object.fromEntries(names.map((name) => [name, fields[name]]));
  }

  grant() {
    const grant = this.any(this.plan.grants());
    if (!grant || this.chance(0.1)) return { id: this.node(1), email: this.someone() };
    // Most often the one whose it is to give.
    const giver = this.plan.users.findIndex((user) => user.email === grant.owner);
    if (giver >= 0 && this.chance(0.8)) this.user = giver;
    return { id: this.plan.sign(grant.nodeId), email: this.plan.signOf(grant.email) };
  }

  batch(which) {
    const known = this.plan.batches[which].slice(-6);
    const one = this.any(known);
    if (!one || this.chance(0.1)) return `@b${this.int(this.steps)}`;
    if (this.chance(0.8)) this.user = one.user;
    return `@b${one.nth}`;
  }
}

const fields = (draw) =>
  draw.some({
    title: '@m',
    description: 'so @m',
    tags: draw.chance(0.5) ? ['@m'] : ['@m', '@m'],
    assignee: ['@m'],
    priority: draw.int(10),
    volume: draw.int(10),
    independent: draw.chance(0.2),
    x: draw.int(1000) / 4,
    y: -draw.int(100),
    z: 0.5,
    pinned: draw.chance(0.5),
    collapsed: draw.chance(0.5),
    dueDate: draw.chance(0.5) ? null : '2031-01-02T03:04:05Z',
  });

/** What is drawn for the user whose turn it is, so that several can be one batch. */
const PARTS = ['node:add', 'node:update', 'node:update', 'node:trash', 'link:add', 'link:add', 'link:update', 'link:swap', 'link:trash', 'node:access', 'node:publish', 'node:unpublish'];

/** How often each is drawn, and its payload. `as` steps may change who does it. */
const KINDS = {
  'node:add': [22, (draw) => {
    const id = `@n${draw.nodes}`;
    const target = draw.nodes > 2 && draw.chance(0.75) ? { target: draw.node() } : {};
    draw.nodes++;
    return { id, title: '@m', description: '@m', tags: ['@m'], assignee: ['@m'], status: draw.any([0, 0, 1, 3]), ...target };
  }],
  'node:update': [20, (draw) => {
    if (draw.chance(0.5)) return { id: draw.node(2, (node) => node.status !== 2), status: draw.any([0, 1, 3, 3]) };
    return { id: draw.node(2), title: '@m', ...fields(draw) };
  }],
  'node:trash': [6, (draw) => ({ id: draw.node(2), ...draw.some({ branch: draw.chance(0.5) }) })],
  'node:restore': [7, (draw) => ({ id: draw.trashed('node') })],
  'node:delete': [2, (draw) => ({ id: draw.trashed('node') })],
  'trash:restore': [3, (draw) => ({ batchId: draw.batch('done') })],
  'trash:purge': [1, (draw) => (draw.chance(0.5) ? {} : { ids: [draw.trashed('node')] })],
  'link:add': [16, (draw) => {
    const source = draw.node();
    const target = draw.node(3, (node) => draw.plan.sign(node.id) !== source);
    return { id: `@l${draw.links++}`, source, target, type: draw.chance(0.45) ? 1 : 0, private: draw.chance(0.25) };
  }],
  'link:update': [5, (draw) => {
    const id = draw.link();
    return draw.chance(0.5) ? { id, type: draw.int(2) } : { id, private: draw.chance(0.5) };
  }],
  'link:swap': [4, (draw) => ({ id: draw.link() })],
  'link:trash': [4, (draw) => ({ id: draw.link() })],
  'link:restore': [6, (draw) => ({ id: draw.trashed('link') })],
  'link:delete': [1, (draw) => ({ id: draw.trashed('link') })],
  'node:publish': [5, (draw) => ({ id: draw.node(1, (node) => node.publicBranch === null), branch: draw.chance(0.75), due: draw.due() })],
  'node:publish:update': [3, (draw) => {
    const id = draw.node(1, (node) => node.publicBranch !== null);
    return draw.chance(0.5) ? { id, branch: draw.chance(0.5) } : { id, due: draw.due() };
  }],
  'node:unpublish': [2, (draw) => ({ id: draw.node(1, (node) => node.publicBranch !== null) })],
  'node:embed': [5, (draw) => {
    const id = draw.any(draw.plan.published()) ?? draw.node();
    return { id: draw.chance(0.5) ? id : id.replace('@n', '@t') };
  }],
  'node:unembed': [2, (draw) => ({ id: draw.any(draw.plan.published()) ?? draw.node() })],
  'node:access': [14, (draw) => ({ id: draw.node(1), email: draw.someone(), level: 1 + draw.int(3), branch: draw.chance(0.75), due: draw.due() })],
  'node:access:update': [6, (draw) => {
    const { id, email } = draw.grant();
    const change = draw.any([{ level: 1 + draw.int(3) }, { branch: draw.chance(0.5) }, { due: draw.due() }]);
    return { id, email, ...change };
  }],
  'node:access:delete': [5, (draw) => draw.grant()],
  'access:visibilityupdate': [6, (draw) => {
    const grant = draw.any(draw.plan.grants());
    if (!grant) return { id: draw.node(), showing: draw.chance(0.5) };
    if (draw.chance(0.9)) draw.user = draw.plan.users.findIndex((user) => user.email === grant.email);
    return { id: draw.plan.sign(grant.nodeId), showing: draw.chance(0.5) };
  }],
  'history:undo': [6, (draw) => ({ batchId: draw.batch('done') })],
  'history:redo': [3, (draw) => ({ batchId: draw.batch('undone') })],
  'graph:apply': [8, (draw) => {
    const parts = Array.from({ length: 1 + draw.int(5) }, () => draw.any(PARTS));
    // What would be linked as it is made has no sign for its link.
    const operations = parts.map((event) => ({ event, ...KINDS[event][1](draw), ...(event === 'node:add' ? { target: null } : {}) }));
    return { operations };
  }],
  'settings:username': [1, () => ({ username: '@name' })],
};

const EVENTS = Object.entries(KINDS);
