// One of the kill loop's clients. It works on nodes of its own, one change at a time, and keeps what was
// acknowledged apart from the one change that was on its way when the server died.
import assert from 'node:assert/strict';

const ADDS_PER_ROUND = 12;

const REST = {
  'node:add': ['POST', '/api/node'],
  'node:update': ['PUT', '/api/node'],
  'node:trash': ['POST', '/api/node/trash'],
  'link:add': ['POST', '/api/link'],
};

export class KillClient {
  constructor(server, user, way, random) {
    Object.assign(this, { server, user, way, random });
    this.nodes = new Map(); // id → {title, trashed}
    this.links = new Map(); // id → {source, target, trashed}
    this.active = []; // ids of active nodes, oldest first: links run from newer to older, so never in a cycle
    this.places = new Set();
    this.inDoubt = null;
    this.changeCount = 0;
  }

  async open() {
    this.addsLeft = ADDS_PER_ROUND;
    if (this.way === 'socket') this.client = await this.server.connect(this.user);
  }

  /** Changes things until the server is gone; resolves with how many were acknowledged. */
  async work() {
    for (let acked = 0; ; acked++) {
      this.inDoubt = this.#draw();
      const answer = await this.#send(this.inDoubt);
      if (answer === null) return acked;
      this.#acknowledged(answer);
    }
  }

  /** After the restart: sends what was in doubt once more. */
  async settle() {
    if (this.way === 'socket') {
      this.client.close();
      this.server.clients.delete(this.client);
      this.client = await this.server.connect(this.user);
    }
    if (this.inDoubt) this.#acknowledged(await this.#send(this.inDoubt));
    this.client?.close();
    this.server.clients.delete(this.client);
  }

  /** The states an entity that was acknowledged may be in besides, through the change in doubt. */
  perhaps(kind, id) {
    const after = this.inDoubt?.[kind].get(id);
    return after ? [after] : [];
  }

  /** Entities that only the change in doubt would have made. */
  perhapsNew(kind) {
    return this.inDoubt ? [...this.inDoubt[kind].keys()].filter((id) => !this[kind].has(id)) : [];
  }

  /** Draws the next change: what to send, and what nodes and links look like after it. */
  #draw() {
    const change = { payload: { batchId: crypto.randomUUID() }, nodes: new Map(), links: new Map() };
    const any = (list) => list[Math.floor(this.random() * list.length)];
    const dice = this.random();
    const title = `${this.way} ${++this.changeCount}`;
    if (this.active.length < 4 || (dice < 0.3 && this.addsLeft > 0)) {
      this.addsLeft -= 1;
      const id = crypto.randomUUID();
      change.nodes.set(id, { title, trashed: false });
      return Object.assign(change, { event: 'node:add', payload: { ...change.payload, id, title } });
    }
    const [newer, older] = [this.active.at(-1), any(this.active.slice(0, -1))];
    if (dice < 0.5 && !this.places.has(`${newer} ${older}`)) {
      const id = crypto.randomUUID();
      change.links.set(id, { source: newer, target: older, trashed: false });
      return Object.assign(change, { event: 'link:add', payload: { ...change.payload, id, source: newer, target: older } });
    }
    const id = any(this.active);
    const { title: was } = this.nodes.get(id);
    if (dice < 0.55) {
      change.nodes.set(id, { title: was, trashed: true });
      for (const [linkId, link] of this.links) {
        if (!link.trashed && (link.source === id || link.target === id)) change.links.set(linkId, { ...link, trashed: true });
      }
      return Object.assign(change, { event: 'node:trash', payload: { ...change.payload, id } });
    }
    change.nodes.set(id, { title, trashed: false });
    return Object.assign(change, { event: 'node:update', payload: { ...change.payload, id, title } });
  }

  /** Resolves with the answer, or null when the server went away before one came. */
  async #send({ event, payload }) {
    if (this.way === 'socket') {
      const { socket } = this.client;
      if (!socket.connected) return null;
      return new Promise((resolve) => {
        const gone = () => resolve(null);
        socket.once('disconnect', gone);
        socket.emit(event, payload, (ack) => {
          socket.off('disconnect', gone);
          resolve(ack);
        });
      });
    }
    const [method, path] = REST[event];
    try {
      return (await this.server.rest(this.user, method, path, payload)).body;
    } catch (error) {
      if (error instanceof TypeError) return null; // fetch: the connection broke
      throw error;
    }
  }

  #acknowledged(answer) {
    const { event, payload, nodes, links } = this.inDoubt;
    assert.equal(answer?.ok, true, `${event} ${JSON.stringify(payload)} was refused: ${JSON.stringify(answer)}`);
    for (const [id, state] of nodes) this.nodes.set(id, state);
    for (const [id, state] of links) this.links.set(id, state);
    if (event === 'node:add') this.active.push(payload.id);
    if (event === 'node:trash') this.active = this.active.filter((id) => id !== payload.id);
    if (event === 'link:add') this.places.add(`${payload.source} ${payload.target}`);
    this.inDoubt = null;
  }
}
