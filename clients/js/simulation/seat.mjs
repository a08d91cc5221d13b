// One user's window: a client as it is published, whose connection may break at any time, and its live graph. The client
// connects again, catches up and sends again by itself; a seat only breaks its connection, and says when it may come back.
import assert from 'node:assert/strict';
import { Decoder, Encoder } from 'socket.io-parser';
import { connect, ConnectionLost, Refusal, rest } from '../published.mjs';
import { Replica } from '../replica.mjs';

const ANSWER_MS_MAX = 60_000;

export class Seat {
  /**
   * `heard` is told of every message as it came, `faulty` of what the rules of the live view do not allow. `load` says how the
   * graph is loaded when what was missed is no longer kept.
   */
  constructor(server, user, { heard, faulty, transports = ['websocket'], load = 'snapshot' }) {
    Object.assign(this, { server, user, heard, faulty, transports, load, synced: 0 });
    // REST has no order in which its answers are told: they are judged by themselves.
    const answered = { user };
    this.fetch = async (...args) => {
      const answer = await fetch(...args);
      answer.clone().text().then((text) => heard(answered, `3[${text}]`), () => {});
      return answer;
    };
    this.rest = rest({ url: server.url, token: user.token, fetch: this.fetch });
    this.nothing = new Replica();
    this.broken = new AbortController();
  }

  get replica() {
    return this.graph?.replica ?? this.nothing;
  }

  get isOpen() {
    return this.client?.state === 'connected';
  }

  /** Open, and neither loading nor catching up. */
  get isCalm() {
    return this.isOpen && this.graph?.state === 'live';
  }

  /** Every byte of every message, before the client reads it. */
  #parser() {
    const hears = (text) => this.heard(this, String(text));
    return {
      Encoder,
      Decoder: class extends Decoder {
        add(text) {
          hears(text);
          super.add(text);
        }
      },
    };
  }

  async #open(limit) {
    this.client = await connect({
      url: this.server.url,
      token: this.user.token,
      transports: this.transports,
      socketOptions: { parser: this.#parser(), reconnectionDelay: 50, reconnectionDelayMax: 500 },
      fetch: this.fetch,
      signal: this.broken.signal,
      onMessage: (message) => this.#message(message),
    });
    this.client.onState((state, why) => {
      if (state === 'closed' && !(why instanceof ConnectionLost)) this.faulty(why);
    });
    for (const event of ['error', 'graph:error']) {
      this.client.on(event, (error) => this.faulty(new Error(`${event} out of nowhere: ${JSON.stringify(error)}`)));
    }
    const following = this.client.follow({ load: this.load, pageSize: limit, newReplica: () => new Replica(this.faulty) });
    this.graph = await following;
  }

  #message({ kind, event, payload }) {
    if (kind !== 'answer') return;
    if (event === 'graph:sync' && payload.recovered) this.synced++;
    if (event !== 'graph:get' || !this.comparing || !this.isCalm) return;
    // At this place in what the connection brings, and not a microtask later.
    const { moment, done } = this.comparing;
    this.comparing = null;
    try {
      assert.equal(payload.ok, true, JSON.stringify(payload));
      this.replica.equals(payload, `${moment}, ${this.user.email}`);
      done();
    } catch (error) {
      this.faulty(error);
    }
  }

  /** The connection breaks, and the client may not come back yet. */
  cut() {
    this.broken.abort(new ConnectionLost('cut'));
    this.broken = new AbortController();
    if (!this.client) return;
    this.client.socket.io.engine?.close();
    this.client.suspend();
  }

  /** The window is closed for good. */
  close() {
    this.cut();
    this.client?.close();
    this.rest.close();
  }

  /** The client may come back: it catches up by what was missed where it can, or loads, page by page, while the world goes on. */
  async back({ how, limit }) {
    const { signal } = this.broken;
    try {
      if (!this.graph) {
        this.client?.close();
        return await this.#open(limit);
      }
      const live = how === 'load' ? this.graph.reload({ load: 'pages', pageSize: limit, signal }) : this.graph.whenLive(signal);
      this.client.resume();
      await live;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  /** Asks over the connection. A change is asked for until it is answered; a read is given up when the connection breaks: null. */
  async ask(event, payload, { lasts = false } = {}) {
    if (!this.isOpen) return null;
    const late = AbortSignal.timeout(ANSWER_MS_MAX);
    const signal = lasts ? late : AbortSignal.any([late, this.broken.signal]);
    return this.#answer(event, this.client.call(event, payload, { signal }), late);
  }

  /** Asks over REST, until it is answered. */
  async askOverRest(event, payload) {
    const late = AbortSignal.timeout(ANSWER_MS_MAX);
    return this.#answer(event, this.rest.call(event, payload, { signal: late }), late);
  }

  async #answer(event, asking, late) {
    try {
      return await asking;
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, error: error.error, code: error.code, message: error.message, retryAfter: error.retryAfter };
      if (late.aborted) this.faulty(new Error(`no answer to ${event} in ${ANSWER_MS_MAX} ms`));
      else if (!(error instanceof ConnectionLost)) this.faulty(error);
      return null;
    }
  }

  /** Whatever was ordered before has arrived: a connection has one line. */
  async settle() {
    return this.ask('trash:page', { limit: 1000 });
  }

  /** Holds the replica against a load on the same line, at the place in the order where that arrives. */
  async check(moment) {
    if (!this.isCalm) return false;
    let isCompared = false;
    this.comparing = { moment, done: () => (isCompared = true) };
    await this.ask('graph:get', { limit: 5000 });
    this.comparing = null;
    return isCompared;
  }
}
