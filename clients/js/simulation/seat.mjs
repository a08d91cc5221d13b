// One user's window: a connection of the official client that may break at any time, and the replica it feeds.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { Replica } from '../replica.mjs';

const ANSWER_MS_MAX = 60_000;

export class Seat {
  /** `heard` is told of every message as it came; `faulty` of what the rules of the live view do not allow. */
  constructor(server, user, { heard, faulty, transports = ['websocket'] }) {
    Object.assign(this, { server, user, heard, faulty, transports });
    this.replica = new Replica();
    this.waiting = new Set();
    this.loading = false;
  }

  get isOpen() {
    return this.socket?.connected === true && this.welcomed;
  }

  /** Open, and neither loading nor catching up. */
  get isCalm() {
    return this.isOpen && !this.loading && !this.aside && this.replica.whole;
  }

  /** Connects; resolves with whether that went well. */
  async open() {
    this.cut();
    this.loading = false;
    this.welcomed = false;
    const socket = io(this.server.url, {
      forceNew: true,
      reconnection: false,
      transports: this.transports,
      auth: { api_token: this.user.token },
    });
    this.socket = socket;
    socket.io.engine.on('packet', ({ type, data }) => {
      if (type === 'message') this.heard(this, String(data));
    });
    return new Promise((resolve) => {
      const done = (ok) => {
        this.waiting.delete(gone);
        resolve(ok);
      };
      const gone = () => done(false);
      this.waiting.add(gone);
      socket.once('connect_error', gone);
      socket.once('disconnect', () => {
        if (socket === this.socket) for (const give of [...this.waiting]) give();
      });
      socket.on('connected', ({ ok }) => {
        this.welcomed = ok;
        done(ok);
      });
      socket.on('graph:diff', (diff) => this.#takes(socket, () => this.#told(diff)));
      for (const event of ['error', 'graph:error']) {
        socket.on(event, (error) => this.faulty(new Error(`${event} out of nowhere: ${JSON.stringify(error)}`)));
      }
    });
  }

  #takes(socket, take) {
    if (socket !== this.socket) return;
    try {
      take();
    } catch (error) {
      this.faulty(error);
    }
  }

  /** The connection breaks. */
  cut() {
    const { socket } = this;
    if (!socket) return;
    this.socket = null;
    socket.io.engine.close();
    socket.disconnect();
    for (const give of [...this.waiting]) give();
  }

  /** Asks; resolves with the ack once it has been taken in, or with null when the connection broke before one came. */
  ask(event, payload, take = (ack) => this.#own(ack)) {
    const { socket } = this;
    if (!this.isOpen) return Promise.resolve(null);
    return new Promise((resolve) => {
      const done = (ack = null) => {
        clearTimeout(timer);
        this.waiting.delete(gone);
        resolve(ack);
      };
      const gone = () => done();
      const timer = setTimeout(() => {
        this.faulty(new Error(`no answer to ${event} in ${ANSWER_MS_MAX} ms`));
        done();
      }, ANSWER_MS_MAX);
      this.waiting.add(gone);
      socket.emit(event, payload, (ack) => {
        this.#takes(socket, () => take(ack));
        done(socket === this.socket ? ack : null);
      });
    });
  }

  /** An ack's diff is applied like any other, unless it is yesterday's (P25). */
  #own(ack) {
    if (ack.ok && ack.diff && !ack.replayed && ack.diff.batchId !== null) this.#told(ack.diff);
  }

  /** What comes before it is known what was missed is put aside. */
  #told(diff) {
    if (this.aside) this.aside.push(diff);
    else this.replica.diff(diff);
  }

  /** On a new connection live diffs may arrive before the missed ones: all are applied in the order of commits, each part once. */
  #catchUp({ recovered }) {
    const { aside } = this;
    this.aside = null;
    if (!recovered) return this.replica.clear();
    const told = new Map(aside.map((diff) => [`${diff.rev} ${diff.batchId} ${diff.part ?? 1}`, diff]));
    for (const diff of [...told.values()].sort((a, b) => a.rev - b.rev || (a.part ?? 1) - (b.part ?? 1))) this.replica.diff(diff);
  }

  /** Loads anew, page by page, while the world goes on. */
  async load(limit = 1000) {
    this.replica.clear();
    this.loading = true;
    for (let offset = 0, more = true; more; ) {
      const ack = await this.ask('graph:get', { limit, offset }, (page) => {
        assert.equal(page.ok, true, JSON.stringify(page));
        this.replica.page(page);
        offset += page.nodes.length;
      });
      if (!ack) return;
      more = ack.hasMore === true;
    }
    this.loading = false;
  }

  /** Connects again and catches up, by what was missed where it can. */
  async back({ how, limit }) {
    this.cut();
    const syncs = how === 'sync' && this.replica.whole;
    if (!syncs) this.replica.clear();
    this.aside = syncs ? [] : null;
    if (!(await this.open())) return;
    if (syncs) {
      const ack = await this.ask('graph:sync', { since: this.replica.rev }, (answer) => {
        assert.equal(answer.ok, true, JSON.stringify(answer));
        this.#catchUp(answer);
      });
      if (!ack) return;
      this.synced = (this.synced ?? 0) + (ack.recovered ? 1 : 0);
      if (ack.recovered) return;
    }
    await this.load(limit);
  }

  /** Whatever was ordered before has arrived: a connection has one line. */
  async settle() {
    return this.ask('trash:page', { limit: 1000 });
  }

  /** Holds the replica against a load on the same line, at the place in the order where that arrives. */
  async check(moment) {
    if (!this.isCalm) return false;
    const ack = await this.ask('graph:get', { limit: 5000 }, (page) => {
      assert.equal(page.ok, true, JSON.stringify(page));
      this.replica.equals(page, `${moment}, ${this.user.email}`);
    });
    return ack !== null;
  }
}
