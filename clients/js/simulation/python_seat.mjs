// A user's window whose client and replica are those of packages/python: one Python process (packages/python/tests/seats.py)
// runs all such windows, and tells what each of them holds.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Replica } from '../replica.mjs';

const PROGRAM = fileURLToPath(new URL('../../../packages/python/tests/seats.py', import.meta.url));
const PYTHON = process.env.SYNAPTASK_PYTHON;

/** Whether a window is one of these: the last in every plan whose bytes are not watched, if there is a Python to run it with. */
export function isPython(nth, users, watched) {
  return Boolean(PYTHON) && !watched && nth === users.length - 1;
}

/** How many replicas were held against loads. */
export const inPython = { checks: 0 };

const seats = [];
const asked = [];
let child;

function tell(line) {
  if (!child) {
    child = spawn(PYTHON, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.on('exit', (code, signal) => seats.forEach((seat) => seat.faulty(new Error(`the Python seats ended: ${signal ?? code}`))));
    process.on('exit', () => child.kill('SIGKILL'));
    createInterface({ input: child.stdout }).on('line', (text) => heard(JSON.parse(text)));
  }
  child.stdin.write(`${JSON.stringify(line)}\n`);
}

function heard({ id, answer, seat, state, fault }) {
  if (id !== undefined) asked[id](answer);
  if (fault) seats[seat].faulty(new Error(`${seats[seat].user.email}, in Python: ${fault}`));
  if (state) seats[seat].takes(state);
}

export class PythonSeat {
  constructor(server, user, { faulty, transports = ['websocket'] }) {
    Object.assign(this, { user, faulty, replica: new Replica(), isOpen: false, isCalm: false, synced: 0 });
    this.name = seats.push(this) - 1;
    const load = this.name % 2 ? 'pages' : 'snapshot';
    this.#do('seat', { url: server.url, token: user.token, transports, load });
  }

  #do(what, more = {}) {
    return new Promise((resolve) => tell({ id: asked.push(resolve) - 1, seat: this.name, do: what, ...more }));
  }

  /** What is held now, as the Python process tells it. */
  takes({ graph, ...state }) {
    Object.assign(this, state);
    const text = JSON.stringify(graph);
    if (!graph || text === this.text) return;
    this.text = text;
    this.replica = new Replica(this.faulty);
    this.replica.page(graph);
  }

  cut() {
    this.isOpen = false;
    this.isCalm = false;
    return this.#do('cut');
  }

  close() {
    return this.#do('close');
  }

  back(how) {
    return this.#do('back', how);
  }

  async ask(event, payload, { lasts = false } = {}) {
    return this.isOpen ? this.#do('ask', { event, payload, lasts }) : null;
  }

  askOverRest(event, payload) {
    return this.#do('ask', { event, payload, rest: true });
  }

  settle() {
    return this.ask('trash:page', { limit: 1000 });
  }

  /** Holds the replica against a load on the same line, at the place in the order where that arrives. */
  async check() {
    const isCompared = this.isCalm && (await this.#do('check'));
    inPython.checks += isCompared ? 1 : 0;
    return isCompared;
  }
}
