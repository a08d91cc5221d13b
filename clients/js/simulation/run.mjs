// A plan under way: its users, their windows, what its signs stand for, and what all of them were sent.
import assert from 'node:assert/strict';
import { foreign, leaks, newMarker, owners } from './canary.mjs';
import { Known } from './known.mjs';
import { Timeline } from './oracle.mjs';
import { Drawing } from './plan.mjs';
import { isPython, PythonSeat } from './python_seat.mjs';
import { Seat } from './seat.mjs';

const CHECK_EVERY = 12;
const CHECK_ALL_EVERY = 50;
const CALM_TRIES = 20;
/** From which step on a plan has a reader by a branch token, once there is a node to read. */
const BRANCH_FROM = 20;

export class Plan {
  /** `stage` has the server, and knows when it is restarted; `watched` plans have their bytes judged. */
  constructor(stage, users, { watched, name }) {
    Object.assign(this, { stage, users, watched, name });
    this.epoch = stage.epoch;
    this.bySign = new Map();
    this.byId = new Map();
    this.markers = new Map(); // → node id
    this.gone = new Set(); // signs of nodes that were deleted for good
    this.batches = { done: [], undone: [] };
    this.heard = new Map(); // seat → messages
    this.known = new Known();
    this.counts = { operations: 0, refused: 0, cuts: 0, checks: 0, synced: 0, loads: 0, messages: 0, bytes: 0 };
    this.fault = null;
    const hears = {
      heard: (seat, text) => this.#hears(seat, text),
      faulty: (error) => (this.fault ??= error),
    };
    this.seats = users.map((user, nth) => {
      const Kind = isPython(nth, users, watched) ? PythonSeat : Seat;
      return new Kind(stage.server, user, { ...hears, transports: [nth === 5 ? 'polling' : 'websocket'], load: nth % 2 ? 'pages' : 'snapshot' });
    });
    this.hears = hears;
    this.witnesses = watched ? users.map((user) => new Seat(stage.server, user, hears)) : [];
    this.away = new Map(); // user → {left, how, limit}
    this.backs = [];
  }

  #hears(seat, text) {
    this.counts.messages++;
    this.counts.bytes += text.length;
    const stray = foreign(text, this);
    if (stray) this.fault ??= new Error(`${seat.user.email} was sent ${stray}, which is another plan's: ${text}`);
    if (!this.watched) return;
    if (!this.heard.has(seat)) this.heard.set(seat, []);
    this.heard.get(seat).push({ at: Date.now(), text });
  }

  sign(id) {
    return this.byId.get(id);
  }

  signOf(email) {
    return `@u${this.users.findIndex((user) => user.email === email)}`;
  }

  trashed(kind) {
    const all = kind === 'node' ? this.known.nodes : this.known.links;
    return [...all].filter(([id, one]) => one.trashed && this.sign(id)).map(([id, { owner }]) => ({ sign: this.sign(id), owner }));
  }

  grants() {
    return [...this.known.grants.values()]
      .filter(({ nodeId }) => this.known.nodes.has(nodeId))
      .map((grant) => ({ ...grant, owner: this.known.nodes.get(grant.nodeId).owner }));
  }

  published() {
    return [...this.known.nodes].filter(([, node]) => node.isPublic && !node.trashed).map(([id]) => this.sign(id)).filter(Boolean);
  }

  #name(sign, id) {
    this.bySign.set(sign, id);
    this.byId.set(id, sign);
    // The author of a batch may look back on it from a later plan.
    if (!sign.startsWith('@b')) owners.set(id, this);
    return id;
  }

  /** What a payload's signs stand for. */
  #resolve(value, node) {
    if (Array.isArray(value)) return value.map((one) => this.#resolve(one, node));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, this.#resolve(one, node)]));
    }
    if (typeof value !== 'string') return value;
    const [, kind, rest] = /^@([a-z]+)(\d*)$/.exec(value) ?? [];
    if (kind === 'u') return this.users[Number(rest)]?.email ?? 'nobody@example.com';
    if (kind === 'd') return new Date(Date.now() + Number(rest)).toISOString();
    if (kind === 'name') return `user-${newMarker().slice(1, 13)}`;
    if (kind && kind !== 'm') return this.bySign.get(value) ?? this.#name(value, crypto.randomUUID());
    return value.replace('@m', () => {
      const marker = newMarker();
      this.markers.set(marker, node);
      owners.set(marker, this);
      return marker;
    });
  }

  payload({ nth, event, payload }) {
    const name = event.startsWith('history:') || event === 'trash:restore' ? 'newBatchId' : 'batchId';
    const resolved = payload.operations
      ? { operations: payload.operations.map(({ event: one, ...more }) => ({ event: one, ...this.#about(one, more) })) }
      : this.#about(event, payload);
    return { ...resolved, [name]: this.#resolve(`@b${nth}`) };
  }

  /** One operation's payload; its markers are its node's. */
  #about(event, payload) {
    const node = payload.id && event.startsWith('node:') ? this.#resolve(payload.id) : null;
    return this.#resolve(payload, node);
  }

  /** A reader by a token of less than everything: of what `user` sees, or of a branch of theirs. */
  async #scoped(user, scope, branch) {
    const { token } = await this.stage.server.cli('token', 'create', '--email', user.email, '--scope', scope, '--json');
    const reader = branch ? { id: null, email: `a branch token of ${user.email}`, token, branch } : { ...user, token };
    const seat = new Seat(this.stage.server, reader, this.hears);
    this.witnesses.push(seat);
    return seat;
  }

  /** Lets a branch token read a node of a user's, and what is below it, if there is one yet. */
  async #readBranch(nth) {
    const owner = this.seats.findIndex((seat) => [...seat.replica.nodes.values()].some(({ access }) => access === 0));
    if (owner < 0) return;
    const targets = new Set([...this.seats[owner].replica.links.values()].map(({ target }) => target));
    const own = [...this.seats[owner].replica.nodes.values()].filter(({ access }) => access === 0);
    const { id: node } = own.find(({ id }) => targets.has(id)) ?? own[0];
    const level = 1 + (nth % 3);
    const seat = await this.#scoped(this.users[owner], `branch:${node}:${level}`, { node, level }).catch(() => null);
    // It may have been trashed meanwhile by what another one did.
    if (seat) this.branchReader = seat;
    await seat?.back({ how: 'load', limit: 1000 });
  }

  async start() {
    if (this.watched) await this.#scoped(this.users[0], 'read');
    const all = [...this.seats, ...this.witnesses];
    for (let tries = 0; !all.every((seat) => seat.isCalm); tries++) {
      assert.ok(tries < CALM_TRIES, 'the users of a plan can connect');
      await this.stage.up;
      this.epoch = this.stage.epoch;
      await Promise.all(all.map((seat) => seat.back({ how: 'load', limit: 1000 })));
    }
    for (const seat of all) assert.equal(seat.replica.nodes.size, 0, 'a plan begins with nothing');
    this.from = Math.max(...all.map((seat) => seat.replica.rev));
  }

  /** Runs recorded steps, or draws `count` of them; resolves with the steps. */
  async run({ steps = null, count = 0, random }) {
    const drawing = steps ? null : new Drawing(this, random);
    const done = [];
    await this.start();
    for (let nth = 0; nth < (steps?.length ?? count) && !this.fault; nth++) {
      const step = steps ? structuredClone(steps[nth]) : drawing.step();
      done.push(step);
      await this.#step(step);
      if (this.watched && !this.branchReader && nth >= BRANCH_FROM && nth % 5 === 0) await this.#readBranch(nth);
      if (nth % CHECK_EVERY === CHECK_EVERY - 1) await this.#check([this.seats[nth % this.seats.length]], `after step ${step.nth}`);
      if (nth % CHECK_ALL_EVERY === CHECK_ALL_EVERY - 1) await this.#checkpoint(`after step ${step.nth}`);
    }
    if (!this.fault) await this.#checkpoint('at the end');
    if (!this.fault) await this.#restLoads();
    if (!this.fault) await this.#leaveNothing();
    await Promise.all(this.witnesses.map((witness) => witness.settle()));
    for (const seat of [...this.seats, ...this.witnesses]) seat.close();
    for (const seat of this.seats) this.counts.synced += seat.synced;
    this.to = Math.max(...this.seats.map((seat) => seat.replica.rev));
    return done;
  }

  /** Holds every byte that was sent against who could read it, by the batches of the server's log, oldest first. */
  judge(log) {
    if (this.fault || !this.watched) return;
    const emails = new Set(this.users.map((user) => user.email));
    const own = log.filter(({ rev, actor }) => rev > this.from && rev <= this.to && emails.has(actor?.email));
    this.timeline = new Timeline(own);
    const publications = own.flatMap(({ ops }) => ops.filter(({ forwardPatch }) => forwardPatch.publicToken));
    this.tokens = new Map(publications.map(({ forwardPatch, entityId }) => [forwardPatch.publicToken, entityId]));
    const [fault] = leaks(this);
    if (fault) this.fault = Object.assign(new Error(fault.what), { before: this.timeline.at(fault.from - 1) });
  }

  async #step(step) {
    await this.#recover();
    for (const [user, away] of this.away) {
      if (away.left-- > 0) continue;
      this.away.delete(user);
      this.#back(user, away);
    }
    if (step.cut && step.cut.user < this.seats.length && !this.away.has(step.cut.user)) {
      this.#cut(step.cut.user);
      this.away.set(step.cut.user, { left: step.cut.away, ...step.cut });
    }
    const seat = this.seats[step.user];
    if (!seat) return;
    const payload = this.payload(step);
    // A page of history is looked for while the step is done.
    const { user: reader, ...pages } = step.looksBack ?? {};
    const looked = this.seats[reader]?.ask('history:page', pages);
    await this.#do(step, seat, payload);
    const page = await looked;
    if (page) assert.equal(page.ok, true, JSON.stringify(page));
  }

  async #do(step, seat, payload) {
    const overRest = step.way === 'rest' || !seat.isOpen;
    const asking = overRest ? seat.askOverRest(step.event, payload) : seat.ask(step.event, payload, { lasts: true });
    if (step.lost && seat.isOpen) {
      // The request is on its way, and its answer will be lost. When the client repeats it, it is not executed again.
      await new Promise(setImmediate);
      this.#cut(step.user);
      await this.#back(step.user, { how: 'sync', limit: 5 });
    }
    const answer = await asking;
    if (answer && !this.fault) this.#answered(step, payload, answer);
  }

  #cut(user) {
    this.counts.cuts++;
    this.seats[user].cut();
  }

  #back(user, how) {
    this.counts.loads += how.how === 'load' ? 1 : 0;
    const back = this.seats[user].back(how).catch((error) => (this.fault ??= error));
    this.backs.push(back);
    return back;
  }

  #answered(step, payload, answer) {
    this.counts.operations++;
    if (!answer.ok) {
      this.counts.refused++;
      this.stage.why.set(`${step.event} ${answer.error}`, (this.stage.why.get(`${step.event} ${answer.error}`) ?? 0) + 1);
      assert.ok(!/^(internal|unavailable|rate_limited|not_found.(event|route|method))/.test(answer.error), `${step.event} ${JSON.stringify(payload)}: ${JSON.stringify(answer)}`);
      return;
    }
    const { diff } = answer;
    if (!diff) return;
    const { email } = this.users[step.user];
    this.known.take(diff, email);
    if (step.event === 'node:add') {
      const link = diff.links.find(({ op }) => op === 10);
      if (link) this.#name(step.payload.id.replace('@n', '@k'), link.after.id);
    }
    for (const { op, after } of diff.nodes) {
      if (after.publicToken && step.event === 'node:publish') {
        this.bySign.set(this.sign(after.id).replace('@n', '@t'), after.publicToken);
      }
      if (op === 5) this.gone.add(this.sign(after.id));
    }
    const undo = step.event === 'history:undo';
    if (undo || step.event === 'history:redo') {
      const [from, to] = undo ? ['done', 'undone'] : ['undone', 'done'];
      const nth = this.batches[from].findIndex((one) => this.bySign.get(`@b${one.nth}`) === payload.batchId);
      if (nth >= 0) this.batches[to].push(...this.batches[from].splice(nth, 1));
    } else if (diff.batchId) {
      this.batches.done.push({ nth: step.nth, user: step.user });
    }
  }

  /** After a restart: everybody comes back. */
  async #recover() {
    while (this.epoch !== this.stage.epoch || this.stage.down) {
      await this.stage.up;
      this.epoch = this.stage.epoch;
      this.away.clear();
      await Promise.all(this.backs.splice(0));
      await Promise.all([
        ...this.seats.map((_, user) => (this.seats[user].isOpen ? null : this.#back(user, { how: 'sync', limit: 5 }))),
        ...this.witnesses.map((witness) => witness.back({ how: 'load', limit: 1000 })),
      ]);
    }
  }

  async #check(seats, moment) {
    for (const seat of seats) {
      await seat.check(`${this.name} ${moment}`).then((checked) => (this.counts.checks += checked ? 1 : 0)).catch((error) => (this.fault ??= error));
    }
  }

  /** Every user reconnects, and every replica is compared with a load. */
  async #checkpoint(moment) {
    for (let tries = 0; tries < CALM_TRIES && !this.fault; tries++) {
      for (const [user, away] of this.away) this.#back(user, away);
      this.away.clear();
      await Promise.all(this.backs.splice(0));
      await this.#recover();
      for (const [user, seat] of this.seats.entries()) {
        if (!seat.isCalm) await this.#back(user, { how: 'sync', limit: 5 });
      }
      if (this.seats.every((seat) => seat.isCalm)) break;
    }
    await this.#check([...this.seats, ...this.witnesses], moment);
    if (this.fault) return;
    await Promise.all([...this.seats, ...this.witnesses].map((seat) => seat.settle()));
  }

  /** Another way to the same: what REST answers, over all pages, when nothing is on its way. */
  async #restLoads() {
    for (const seat of this.seats) {
      for (let tries = 0; ; tries++) {
        const rev = seat.replica.rev;
        const diffs = seat.replica;
        const answer = await this.stage.server.rest(seat.user, 'GET', '/api/graph?limit=5000').catch(() => null);
        await seat.settle();
        // A due time may just have passed, or the server been restarted.
        if (!answer || rev !== seat.replica.rev || diffs !== seat.replica || !seat.isOpen) {
          if (tries > 5) break;
          await this.#checkpoint('at the very end');
          continue;
        }
        try {
          seat.replica.equals(answer.body, `${this.name} over REST, ${seat.user.email}`);
          break;
        } catch (error) {
          if (tries > 5) {
            this.fault ??= error;
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    }
  }

  /** Everybody deletes what they have, so that the next plan begins with nothing. */
  async #leaveNothing() {
    for (let tries = 0; tries < CALM_TRIES; tries++) {
      await this.#recover();
      for (const [user, seat] of this.seats.entries()) if (!seat.isOpen) await this.#back(user, { how: 'sync', limit: 5 });
      for (const seat of this.seats) {
        const own = [...seat.replica.nodes.values()].filter((node) => node.access === 0);
        await Promise.all(own.map(({ id }) => seat.ask('node:trash', { id })));
        await seat.ask('trash:purge', {});
      }
      const left = await Promise.all(this.seats.map((seat) => seat.ask('trash:page', {})));
      const empty = left.every((page) => page?.ok && page.nodes.length === 0 && page.links.length === 0);
      if (empty && this.seats.every((seat) => seat.replica.nodes.size === 0 && seat.replica.links.size === 0)) return;
    }
    const held = this.seats.map((seat) => [seat.user.email, ...seat.replica.nodes.keys(), ...seat.replica.links.keys()]);
    this.fault ??= new Error(`something is left after everybody deleted everything: ${JSON.stringify(held)}`);
  }
}
